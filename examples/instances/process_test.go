//go:build servers

package instances

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/redis/go-redis/v9"
)

// instanceVariable holds the settings of a process that is an instance and not a test.
const instanceVariable = "KAKUNIN_INSTANCE"

func TestMain(m *testing.M) {
	if settings := os.Getenv(instanceVariable); settings != "" {
		if err := serveInstance(settings); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// settings are all that an instance knows: nothing survives in it.
type settings struct {
	Listen   string // 127.0.0.1:port
	Outside  string // https://127.0.0.1:port of the proxy
	Service  string // base URL of the service, as browsers see it
	Gate     string // 127.0.0.1:port through which the instance reaches the service
	KeyFile  string
	SealKeys string
	Redis    string
	Postgres string // empty: what is used once is in Redis
	Kept     string // the store of signature transactions
}

const (
	sharedTable = "kakunin_shared_instances"
	clientID    = "RP00000001"
)

// serveInstance is the application: log in, an account page, a signature. Everything that it does for a person is noted
// in a ledger outside of it.
func serveInstance(text string) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: s.Redis})
	login, sign, err := newLogin(s, client)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("/sign", sign)
	mux.Handle("/account", login.RequireFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
	}))
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.Listen)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(os.Stdout, "ready\n")
	return (&http.Server{Handler: noted(mux, client, s.Listen), ReadHeaderTimeout: time.Minute}).Serve(listener)
}

// requestHeader names a request, also when a proxy or a browser sends it to another instance.
const requestHeader = "X-Request"

// came is the key of the set of requests that came to a process.
func came(listen string, pid int) string { return "came to " + listen + " " + strconv.Itoa(pid) }

// noted keeps outside of the process what came to it.
func noted(next http.Handler, client *redis.Client, listen string) http.Handler {
	key := came(listen, os.Getpid())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get(requestHeader)
		ctx := context.WithoutCancel(r.Context())
		if err := errors.Join(client.SAdd(ctx, key, name).Err(), client.SAdd(ctx, begun, name).Err()); err != nil {
			http.Error(w, "no ledger", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func newLogin(s settings, client *redis.Client) (*middleware.Login, http.Handler, error) {
	key, err := authn.LoadKey(s.KeyFile)
	if err != nil {
		return nil, nil, err
	}
	seal, err := middleware.ParseSealKeys(s.SealKeys)
	if err != nil {
		return nil, nil, err
	}
	rp, err := authn.New(authn.Config{
		Environment: authn.Custom(s.Service), ClientID: clientID, Key: key, RedirectURL: s.Outside + "/auth/callback",
		HTTPClient: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Gate)
			},
		}},
	})
	if err != nil {
		return nil, nil, err
	}
	keeper, err := newKeeper(rp, s, time.Now)
	if err != nil {
		return nil, nil, err
	}
	sessions, err := scssession.New(scssession.Config{Manager: Manager(client)})
	if err != nil {
		return nil, nil, err
	}
	shared, err := sharedOf(s, client)
	if err != nil {
		return nil, nil, err
	}
	note := func(ctx context.Context, what string) error { return client.HIncrBy(ctx, ledger, what, 1).Err() }
	login, err := middleware.New(middleware.Config{
		Client: rp, Scopes: authn.Name, SealKeys: seal, Sessions: sessions, Shared: shared, Keeper: keeper,
		OnLogin: func(_ http.ResponseWriter, r *http.Request, _ *authn.Identity) error {
			return note(r.Context(), "login "+r.URL.Query().Get("state"))
		},
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), middleware.StatusOf(err))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	flow, err := login.Sign("contract", middleware.SignConfig{
		Mode: sign.ModeDigestInfo,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader(contract)}, "", nil
		},
		OnSigned: func(w http.ResponseWriter, r *http.Request, got middleware.Signed) {
			id := got.Unverified.Transaction.TransactionID()
			if err := note(r.Context(), "signature "+id); err != nil {
				http.Error(w, "no ledger", http.StatusServiceUnavailable)
				return
			}
			if err := keeper.Close(r.Context(), id); err != nil {
				http.Error(w, "no store", http.StatusServiceUnavailable)
				return
			}
			if got.Identity.AccessToken().IsZero() {
				_ = client.Incr(r.Context(), handedOutLater).Err() // another instance had it
			}
			// What the application hands to its platform operator.
			_, _ = io.WriteString(w, got.Unverified.Sealed.RevealJWE())
		},
	})
	return login, flow, err
}

const (
	contract = "架空の契約書\n"
	ledger   = "ledger"

	handedOutLater = "handed out later" // how many signatures another instance handed out than had fetched them

	begun = "begun" // the names of all requests that came to an instance
)

func sharedOf(s settings, client *redis.Client) (middleware.Shared, error) {
	if s.Postgres == "" {
		return Shared(client)
	}
	db, err := sql.Open("pgx", s.Postgres)
	if err != nil {
		return nil, err
	}
	return sharedstore.NewSQL(sharedstore.SQLConfig{DB: db, Table: sharedTable})
}

// process is one instance as a process of the operating system.
type process struct {
	settings settings
	mu       sync.Mutex
	cmd      *exec.Cmd
}

// start returns when the instance listens.
func (p *process) start(t testing.TB) error {
	text, err := json.Marshal(p.settings)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	// One processor each, so that what an instance can do is what one core can do.
	cmd.Env = append(os.Environ(), instanceVariable+"="+string(text), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		return errors.Join(errors.New("the instance did not begin"), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = cmd
	return nil
}

// kill ends the instance as a power cut does: no signal that it could handle, nothing flushed. It returns the number of
// the process, 0 for none.
func (p *process) kill() (pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	pid = p.cmd.Process.Pid
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
	return pid
}
