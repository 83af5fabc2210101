package middleware_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// world is a relying party with the simulated service, phone and cards behind it.
type world struct {
	site   *httptest.Server
	svc    *daa.Running
	login  *middleware.Login
	log    *tests.Log
	config middleware.Config
	errors []error
	signed []middleware.Signed
}

// authorities are one test JPKI for all worlds: its keys take longer than everything else here.
var authorities = sync.OnceValue(func() *issuer.JPKI {
	j, err := issuer.New(issuer.Config{Now: time.Now})
	if err != nil {
		panic(err)
	}
	return j
})

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{log: &tests.Log{}}
	mux := http.NewServeMux()
	w.site = httptest.NewTLSServer(mux)
	t.Cleanup(w.site.Close)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	callback := w.site.URL + "/auth/callback"
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.svc = daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: clientID, Key: key.Public(),
		RedirectURLs: []string{callback}}), daa.WithPersonas(person.Hanako, person.Taro),
		daa.WithLogger(logger), daa.WithJPKI(authorities()))
	clientKey, err := authn.NewKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := authn.New(authn.Config{
		Environment: w.svc.Environment(), ClientID: clientID, Key: clientKey, RedirectURL: callback,
		HTTPClient: w.svc.Client(), Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := signapi.New(signapi.Config{Client: client, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := scssession.New(scssession.Config{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	w.config = middleware.Config{
		Client: client, Scopes: authn.Attributes, SealKeys: middleware.NewSealKeys(), Signer: signer, Logger: logger,
		Sessions: sessions,
		OnError: func(rw http.ResponseWriter, _ *http.Request, err error) {
			w.errors = append(w.errors, err)
			rw.WriteHeader(middleware.StatusOf(err))
		},
	}
	w.login, err = middleware.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := w.login.Sign("contract", middleware.SignConfig{
		Mode: sign.ModeDigestInfo,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader("契約書"), MediaType: "text/plain; charset=utf-8"},
				"contract-7", nil
		},
		OnSigned: func(_ http.ResponseWriter, _ *http.Request, s middleware.Signed) { w.signed = append(w.signed, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/auth/", w.login)
	mux.Handle("/sign", flow)
	mux.Handle("/", w.login.Optional(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if id := middleware.IdentityFrom(r.Context()); id != nil {
			_, _ = io.WriteString(rw, id.Person.Name.Reveal())
		}
	})))
	return w
}

// guest is a browser at the site and the card in its owner's hand.
type guest struct {
	t     *testing.T
	world *world
	http  *http.Client
	*visitor.Person
}

func (w *world) visitor(t *testing.T, card int) *guest {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := w.site.Client()
	return &guest{t: t, world: w, Person: w.svc.VisitorWith(w.svc.Cards()[card]), http: &http.Client{
		Transport: c.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// open returns the status, the Location and the body.
func (v *guest) open(method, target string) (int, string, string) {
	v.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = v.world.site.URL + target
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, target, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

func (v *guest) approve(method, target string) (int, string, string) {
	v.t.Helper()
	_, to, _ := v.open(method, target)
	callback, err := v.Approve(v.t.Context(), to)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.open(http.MethodGet, callback)
}

// TestWholeWorld goes through log-in and signature against the simulated service with real cards and certificates, and
// then searches the debug log of everybody involved for what must not be in it.
func TestWholeWorld(t *testing.T) {
	w := newWorld(t)
	hanako := w.visitor(t, 0)
	if status, to, _ := hanako.approve(http.MethodGet, "/auth/login?return=/home"); status != http.StatusSeeOther ||
		to != "/home" {
		t.Fatalf("login: %d %q %v", status, to, w.errors)
	}
	person := w.svc.Cards()[0].Person().Reveal()
	if _, _, body := hanako.open(http.MethodGet, "/"); body != person.Name {
		t.Errorf("logged in as %q", body)
	}
	if status, _, _ := hanako.approve(http.MethodPost, "/sign"); status != http.StatusOK || len(w.signed) != 1 {
		t.Fatalf("sign: %d %v", status, w.errors)
	}
	if s := w.signed[0]; s.Reference != "contract-7" || s.Unverified.Sealed == nil {
		t.Errorf("Signed = %+v", s)
	}
	// The private relying party's result goes to the platform operator, who can open it.
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: w.svc.OperatorKey()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opener.Open(w.signed[0].Unverified.Sealed); err != nil {
		t.Error(err)
	}

	// Taro's card signs in Hanako's session.
	taro := w.svc.VisitorWith(w.svc.Cards()[1])
	_, to, _ := hanako.open(http.MethodPost, "/sign")
	callback, err := taro.Approve(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := hanako.open(http.MethodGet, callback); status != http.StatusForbidden || len(w.signed) != 1 ||
		!hasReason(w.errors[len(w.errors)-1], middleware.ReasonOtherPerson) {
		t.Errorf("another person's signature: %d, %d signatures, %v", status, len(w.signed), w.errors)
	}

	log := w.log.String()
	secrets := []string{
		person.Name, person.Address, person.Subject.Birthdate, person.IndividualNumber, person.SigningPassword, "契約書",
		base64.StdEncoding.EncodeToString([]byte(person.Name)), w.signed[0].Identity.AccessToken().Reveal(),
		w.signed[0].Identity.Subject.Reveal(), w.signed[0].Unverified.Sealed.RevealJWE(),
	}
	for i, s := range secrets {
		if s == "" || strings.Contains(log, s) || bytes.Contains([]byte(log), []byte("eyJ")) {
			t.Errorf("secret %d is in the log:\n%s", i, log)
		}
	}
}

// TestHostileService: whatever is wrong with the service's ID token, no session comes out of it.
func TestHostileService(t *testing.T) {
	w := newWorld(t)
	for name, fault := range map[string]daa.IDTokenFault{
		"nonce": daa.FaultNonce, "issuer": daa.FaultIssuer, "audience": daa.FaultAudience,
		"at_hash":     daa.FaultAccessTokenHash,
		"foreign key": daa.FaultForeignKey, "signature": daa.FaultSignature, "none": daa.FaultAlgNone,
		"HS256":   daa.FaultAlgHS256,
		"expired": daa.FaultExpired, "future": daa.FaultFutureIssuedAt,
	} {
		w.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Fault: fault}}})
		v := w.visitor(t, 0)
		w.errors = nil
		status, _, _ := v.approve(http.MethodGet, "/auth/login")
		if status < 400 || len(w.errors) != 1 || kakunin.FamilyOf(w.errors[0]) != kakunin.Untrusted {
			t.Errorf("%s: %d %v", name, status, w.errors)
		}
		if _, _, body := v.open(http.MethodGet, "/"); body != "" {
			t.Errorf("%s: logged in as %q", name, body)
		}
	}
	w.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{SubjectMismatch: true}})
	v := w.visitor(t, 0)
	if status, _, _ := v.approve(http.MethodGet, "/auth/login"); status < 400 {
		t.Errorf("userinfo of somebody else: %d", status)
	}
	if _, _, body := v.open(http.MethodGet, "/"); body != "" {
		t.Errorf("userinfo of somebody else: logged in as %q", body)
	}
}

// TestCancelledAndBlocked: the person gives up, or cannot go on.
func TestCancelledAndBlocked(t *testing.T) {
	w := newWorld(t)
	v := w.visitor(t, 0)
	_, to, _ := v.open(http.MethodGet, "/auth/login")
	callback, err := v.Cancel(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := v.open(http.MethodGet, callback); status != http.StatusBadRequest ||
		kakunin.FamilyOf(w.errors[0]) != kakunin.User {
		t.Errorf("cancelled: %d %v", status, w.errors)
	}
	_, to, _ = v.open(http.MethodGet, "/auth/login")
	if callback, err = v.Block(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := v.open(http.MethodGet, callback); status < 400 {
		t.Errorf("blocked: %d", status)
	}
	if _, _, body := v.open(http.MethodGet, "/"); body != "" {
		t.Errorf("logged in as %q", body)
	}
}
