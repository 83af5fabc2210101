package signaturestore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// TestSQLiteInstanceKilledAnyTime kills instances of an application while they fetch results.
func TestSQLiteInstanceKilledAnyTime(t *testing.T) {
	t.Parallel()
	instancesKilled(t, filepath.Join(t.TempDir(), "signatures.db"), 1)
}

// TestSQLiteInstanceKilledGivenTwice is the same with a service that gives each result twice: then nothing is lost.
func TestSQLiteInstanceKilledGivenTwice(t *testing.T) {
	t.Parallel()
	instancesKilled(t, filepath.Join(t.TempDir(), "signatures.db"), 2)
}

// newService starts a simulated service that gives each result once, and says what an instance knows of it.
func newService(t testing.TB, store string) (*daa.Running, settings) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "client-key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(keyFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	svc := daa.Start(t, daa.WithClient(daa.ClientRegistration{
		ID: clientID, Key: private.Public(), RedirectURLs: []string{redirectURL},
		Government: true, // results in the clear
	}))
	return svc, settings{Service: svc.URL(), KeyFile: keyFile, Store: store}
}

// crashes is what became of the results of instances that were killed.
type crashes struct {
	t        *testing.T
	svc      *daa.Running
	settings settings
	random   *mathrand.Rand

	retrievals int
	asked      map[string]bool   // by an instance, which may have come to it or not
	kept       map[string]string // what Fetch returned
	closed     map[string]bool   // by an instance, which may have come to it or not
}

// instancesKilled: the service gives each result so often, and instances are killed with SIGKILL at random moments
// around asking for it. What Fetch returned is there afterwards, the same; what an instance asked for and nobody got is
// either kept, or asked for again by another instance and then kept; only what the service had given and does not give
// again is lost, and named so.
func instancesKilled(t *testing.T, store string, retrievals int) {
	t.Helper()
	svc, known := newService(t, store)
	svc.SetKnobs(daa.Knobs{
		Sign: daa.SignKnobs{Retrievals: retrievals}, Lifetimes: daa.Lifetimes{AccessToken: time.Hour},
	})
	c := &crashes{
		t: t, svc: svc, settings: known,
		random:     mathrand.New(mathrand.NewPCG(5, 6)), //nolint:gosec // moments to kill at
		retrievals: retrievals,
		asked:      map[string]bool{}, kept: map[string]string{}, closed: map[string]bool{},
	}
	kills := 60
	if testing.Short() {
		kills = 5
	}
	for range kills {
		c.killOne()
	}
	c.judge(kills)
}

// killOne lets an instance have a few documents signed, and kills it when it asks for a result, sooner or later.
func (c *crashes) killOne() {
	c.t.Helper()
	text, err := json.Marshal(c.settings)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := dbtest.Self(c.t.Context(), instanceVariable+"="+string(text))
	left := 1 + c.random.IntN(3) // documents until it is killed
	dbtest.Follow(c.t, cmd, func(word, rest string) (answer string) {
		switch word {
		case "visit":
			callback, err := c.svc.Visitor().Approve(c.t.Context(), rest)
			if err != nil {
				c.t.Error(err)
			}
			return callback
		case "ask":
			c.asked[rest] = true
			if left--; left == 0 {
				after := time.Duration(c.random.Int64N(int64(15 * time.Millisecond)))
				time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			}
		case "kept":
			id, sum, _ := strings.Cut(rest, " ")
			c.kept[id] = sum
		case "close":
			c.closed[rest] = true
		default:
			c.t.Error(word, rest)
		}
		return ""
	})
}

// judge compares what the service gave with what the instances said and what the store has. Its clock is one at which
// all leases are over.
func (c *crashes) judge(kills int) {
	t := c.t
	t.Helper()
	given := map[string]bool{}
	for _, x := range c.svc.Transactions() {
		if x.Fetched > c.retrievals {
			t.Errorf("a result was given %d times", x.Fetched)
		}
		given[x.ID] = x.Fetched > 0
	}
	later := func() time.Time { return time.Now().Add(5 * time.Minute) }
	login, err := c.settings.login(later)
	if err != nil {
		t.Fatal(err)
	}
	store := mustOpen(c.settings.Store)
	defer func() { _ = store.Close() }()
	keeper, err := newKeeper(login, store, later)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := map[string]signapi.Kept{}
	for kept, err := range keeper.Unfinished(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		unfinished[kept.Transaction.ID] = kept
	}
	var found, unheard, interrupted, saved, untouched int
	for id := range c.asked {
		kept, open := unfinished[id]
		sum, returned := c.kept[id]
		switch {
		case !open: // only what was closed is no longer unfinished
			_, err := keeper.Result(t.Context(), id)
			if !returned || !c.closed[id] || !errors.Is(err, &signapi.Error{Reason: signapi.ReasonConsumed}) {
				t.Errorf("%s is gone: %v", id, err)
			}
		case kept.State == signapi.StateFetched:
			res, err := keeper.Result(t.Context(), id)
			if err != nil || !given[id] || returned && sumOf(res) != sum {
				t.Errorf("%s is kept, and is not what came: %v", id, err)
				continue
			}
			c.verify(kept, res)
			if found++; !returned {
				unheard++
			}
		case returned:
			t.Errorf("%s was returned, and is %v", id, kept.State)
		case kept.Interrupted:
			interrupted++
			if c.askAgain(keeper, kept, given[id]) {
				saved++
			}
		case given[id]:
			t.Errorf("%s was given, and nothing says so: %v", id, kept.State)
		default:
			untouched++
		}
	}
	t.Logf("%d kills, %d results asked for: %d kept (%d of them before anybody heard of it), %d closed, "+
		"%d claims without an answer (%d of them saved by asking again, the others lost), %d not yet claimed", kills,
		len(c.asked), found, unheard, len(c.asked)-found-interrupted-untouched, interrupted, saved, untouched)
	if found == 0 {
		t.Error("nothing was kept: the moments are wrong")
	}
}

// askAgain reports whether asking again saved a result.
func (c *crashes) askAgain(keeper *signapi.Keeper, kept signapi.Kept, given bool) bool {
	c.t.Helper()
	id := kept.Transaction.ID
	res, err := keeper.AskAgain(c.t.Context(), id)
	if given && c.retrievals == 1 {
		if res != nil || !errors.Is(err, &signapi.Error{Reason: signapi.ReasonLost}) {
			c.t.Errorf("%s was given once: %v", id, err)
		}
		return false
	}
	if err != nil {
		c.t.Errorf("%s was asked for, and another instance does not get it: %v", id, err)
		return false
	}
	c.verify(kept, res)
	return true
}

// verify looks whether it is the signature of the document.
func (c *crashes) verify(kept signapi.Kept, res *signapi.Unverified) {
	c.t.Helper()
	_, err := c.svc.Verifier().Verify(c.t.Context(), res.Opened, sign.Expect{
		Document: strings.NewReader(documentOf(c.t, kept)), Transaction: res.Transaction,
	})
	if err != nil {
		c.t.Errorf("%s: %v", kept.Transaction.ID, err)
	}
}

func documentOf(t *testing.T, kept signapi.Kept) string {
	t.Helper()
	var number int
	if _, err := fmt.Sscan(kept.Reference, &number); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(agreement, number)
}
