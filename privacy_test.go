package kakunin_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// recorder notes every secret that passes over the relying party's connections to the service, so that the test knows
// what must not appear in a log.
type recorder struct {
	next    http.RoundTripper
	mu      sync.Mutex
	secrets map[string]string // value: what it is
}

func (r *recorder) note(what, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(value) >= 4 {
		r.secrets[value] = what
	}
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	if auth, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer "); ok {
		r.note("bearer token", auth)
	}
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil {
			for _, name := range []string{"code", "code_verifier", "client_assertion"} {
				r.note(name, form.Get(name))
			}
		}
	}
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(request.URL.Path, "/certs") {
		return response, nil
	}
	var members map[string]any
	if json.Unmarshal(body, &members) == nil {
		for _, name := range []string{"access_token", "id_token", "refresh_token", "sub", "name", "address",
			"birthdate", "signature_jwe", "signature", "certificate"} {
			if value, ok := members[name].(string); ok {
				r.note(name, value)
			}
		}
	}
	return response, nil
}

const privacyDocument = "確認書: テスト文書に署名します。"

// world is a relying party and a simulated service whose every logger writes to one buffer at debug level.
type world struct {
	logs     *tests.Log
	recorder *recorder
	person   person.Details
	key      authn.Key
	service  *daa.Service
	visitor  *visitor.Person
	rp       *httptest.Server
	browser  *http.Client
	errs     []error // everything that reached OnError
	report   *sign.Report
	client   *authn.Client
	identity authn.Identity // of the last look at /account
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{logs: &tests.Log{}}
	logger := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey { // digits that could be taken for a PIN
				return slog.Attr{}
			}
			return a
		},
	}))

	authority, err := issuer.New(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ready, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.person = ready.Reveal()
	w.person.AuthPIN, w.person.TextPIN, w.person.SigningPassword = "8352", "9467", "ZQXJ7731"
	// words of no message
	w.person.Name, w.person.Subject.Name, w.person.Subject.NameSubstitutes = "架空島　咲見", "架空島　咲見", ""
	changed, err := person.New(w.person)
	if err != nil {
		t.Fatal(err)
	}
	simulated, err := cardsim.NewCard(cardsim.Config{Person: changed, JPKI: authority})
	if err != nil {
		t.Fatal(err)
	}

	key, err := authn.GenerateKey("RS256")
	if err != nil {
		t.Fatal(err)
	}
	w.key = key
	mux := http.NewServeMux()
	w.rp = httptest.NewTLSServer(mux)
	t.Cleanup(w.rp.Close)
	redirect := w.rp.URL + "/auth/callback"

	serviceServer := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.service.ServeHTTP(rw, r)
	}))
	serviceURL := "http://" + serviceServer.Listener.Addr().String()
	w.service, err = daa.New(daa.Config{
		BaseURL: serviceURL, JPKI: authority, Cards: []*cardsim.Card{simulated}, Logger: logger,
		Clients: []daa.ClientRegistration{{ID: "RP00000001", Key: key.Public(), RedirectURLs: []string{redirect}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	serviceServer.Start()
	t.Cleanup(serviceServer.Close)
	w.visitor = &visitor.Person{AuthPIN: w.person.AuthPIN, TextPIN: w.person.TextPIN,
		SigningPassword: w.person.SigningPassword}

	w.recorder = &recorder{next: http.DefaultTransport, secrets: map[string]string{}}
	client, err := authn.New(authn.Config{
		Environment: w.service.Environment(), ClientID: "RP00000001", Key: key, RedirectURL: redirect,
		HTTPClient: &http.Client{Transport: w.recorder, Timeout: 30 * time.Second}, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.client = client
	signer, err := signapi.New(signapi.Config{Client: client, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{
		Client: client, Scopes: authn.Attributes, SealKeys: middleware.NewSealKeys(), Signer: signer, Logger: logger,
		OnError: func(rw http.ResponseWriter, _ *http.Request, err error) {
			w.errs = append(w.errs, err)
			logger.Error("refused", slog.Any("error", err), slog.String("formatted",
				fmt.Sprintf("%v %+v %#v", err, err, err)))
			rw.WriteHeader(middleware.StatusOf(err))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.mount(t, mux, login, logger, authority)

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.browser = w.rp.Client()
	w.browser.Jar = jar
	w.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w
}

func (w *world) mount(t *testing.T, mux *http.ServeMux, login *middleware.Login, logger *slog.Logger,
	authority *issuer.JPKI) {
	t.Helper()
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: w.service.OperatorKey()})
	if err != nil {
		t.Fatal(err)
	}
	over, err := responder.New(responder.Config{URL: strings.TrimSuffix(w.service.Environment().SignEndpoint,
		"/api/sign-transactions") + "/simulator/jpki/sign/ocsp"})
	if err != nil {
		t.Fatal(err)
	}
	ocsp, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{Hierarchy: jpki.Simulated, Trust: authority.Trust(),
		Revocation: revocation.Require(ocsp)})
	if err != nil {
		t.Fatal(err)
	}
	signing, err := login.Sign("consent", middleware.SignConfig{
		Mode: sign.ModeBareHash,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader(privacyDocument), MediaType: "text/plain; charset=utf-8"},
				"doc-1", nil
		},
		OnSigned: func(rw http.ResponseWriter, r *http.Request, s middleware.Signed) {
			opened, err := opener.Open(s.Unverified.Sealed)
			if err == nil {
				var report *sign.Report
				report, err = verifier.Verify(r.Context(), opened, sign.Expect{
					Document: strings.NewReader(privacyDocument), Mode: sign.ModeBareHash,
					Transaction: s.Unverified.Transaction, Person: &middleware.IdentityFrom(r.Context()).Person,
				})
				if report != nil {
					w.report = report
				}
			}
			logger.Debug("verified", slog.Any("opened", opened), slog.Any("report", w.report), slog.Any("signed", s),
				slog.Any("error", err))
			if err != nil {
				w.errs = append(w.errs, err)
				rw.WriteHeader(http.StatusForbidden)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/auth/", login)
	mux.Handle("/sign", signing)
	mux.Handle("/account", login.RequireFunc(func(_ http.ResponseWriter, r *http.Request) {
		id := middleware.IdentityFrom(r.Context())
		w.identity = *id
		// What a careless application does: it logs everything it has, in every way.
		logger.Info("account", slog.Any("identity", id), slog.Any("value", *id), slog.Any("person", id.Person),
			slog.Any("subject", id.Subject))
		logger.Info(fmt.Sprintf("%v %+v %#v %s %q", id, *id, *id, id.Person, id.Subject))
		logger.Info(fmt.Sprintf("%v %+v %#v", w.key, opener, struct{ Key authn.Key }{w.key}), slog.Any("key", w.key),
			slog.Any("opener", opener))
		encoded, err := json.Marshal(id)
		logger.Info("json", slog.String("identity", string(encoded)), slog.Any("error", err))
	}))
}

// get follows one step of the browser and returns status and Location.
func (w *world) do(ctx context.Context, t *testing.T, method, target string) (int, string) {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = w.rp.URL + target
	}
	request, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := w.browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location")
}

// visit sends the browser to path, lets the person approve what the service asks and returns the callback's status.
func (w *world) visit(t *testing.T, method, path string) int {
	t.Helper()
	ctx := t.Context()
	status, location := w.do(ctx, t, method, path)
	if status/100 != 3 || !strings.Contains(location, "/protocol/openid-connect/auth?") {
		t.Fatalf("%s %s: status %d, not sent to the service", method, path, status)
	}
	authorization, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state", "nonce"} {
		w.recorder.note(name, authorization.Query().Get(name))
	}
	callback, err := w.visitor.Approve(ctx, location)
	if err != nil {
		t.Fatal(err)
	}
	status, _ = w.do(ctx, t, http.MethodGet, callback)
	return status
}

// loggedIn reports whether the browser has a session.
func (w *world) loggedIn(t *testing.T) bool {
	status, _ := w.do(t.Context(), t, http.MethodGet, "/account")
	return status == http.StatusOK
}

// A whole visit, and visits that are refused, at debug level with an application that logs everything it gets: the
// person's data, PINs, tokens, codes and keys appear in no log line and no error.
func TestNoSecretInLogsAndErrors(t *testing.T) {
	w := newWorld(t)
	if status := w.visit(t, http.MethodGet, "/auth/login?return=/account"); status != http.StatusSeeOther {
		t.Fatalf("callback: status %d, errors %v", status, w.errs)
	}
	if !w.loggedIn(t) {
		t.Fatal("no session after the login")
	}
	if status := w.visit(t, http.MethodPost, "/sign"); status != http.StatusOK || w.report == nil {
		t.Fatalf("signature: status %d, errors %v", status, w.errs)
	}
	record, err := evidence.FromReport(w.report, time.Now(), evidence.Basis("demonstration"))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.logs.Write(encoded); err != nil { // evidence is no place for secrets either
		t.Fatal(err)
	}

	refused := 0
	for _, fault := range []daa.IDTokenFault{daa.FaultNonce, daa.FaultAudience, daa.FaultForeignKey, daa.FaultAlgNone,
		daa.FaultExpired} {
		w.service.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Fault: fault}}})
		if status := w.visit(t, http.MethodGet, "/auth/login"); status != http.StatusBadRequest {
			t.Errorf("fault %q: status %d", fault, status)
		}
		refused++
	}
	w.service.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{SubjectMismatch: true}})
	w.visit(t, http.MethodGet, "/auth/login")
	w.service.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{SwapCertificate: true}})
	w.visit(t, http.MethodPost, "/sign")
	if want := refused + 2; len(w.errs) != want {
		t.Fatalf("%d refusals, want %d: %v", len(w.errs), want, w.errs)
	}
	for _, err := range w.errs {
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			if _, err := fmt.Fprintln(w.logs, cause.Error(), kakunin.MessageFor(cause, kakunin.Japanese),
				kakunin.MessageFor(cause, kakunin.English)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.searchLogs(t)
}

func (w *world) searchLogs(t *testing.T) {
	t.Helper()
	logs := w.logs.String()
	if strings.Count(logs, "\n") < 20 {
		t.Fatalf("the log is too short to prove anything:\n%s", logs)
	}
	secrets := w.recorder.secrets
	p := w.person
	for _, item := range []struct{ what, value string }{
		{"name", p.Name}, {"address", p.Address}, {"certificate name", p.Subject.Name},
		{"certificate address", p.Subject.Address},
		{"birthdate", p.Subject.Birthdate}, {"individual number", p.IndividualNumber},
		{"authentication PIN", p.AuthPIN},
		{"text PIN", p.TextPIN}, {"signing password", p.SigningPassword},
		{"signature value", base64.StdEncoding.EncodeToString(w.report.Opened.RevealSignature())},
		{"signature value in hexadecimal", fmt.Sprintf("%x", w.report.Opened.RevealSignature())},
		{"certificate", base64.StdEncoding.EncodeToString(w.report.Certificate.Raw())},
	} {
		secrets[item.value] = item.what
	}
	// Keys in the forms in which printing a structure would show them: numbers in decimal, and their encodings.
	private, err := w.key.RevealPEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(private)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for what, key := range map[string]any{"client key": parsed, "operator key": w.service.OperatorKey()} {
		number := key.(*rsa.PrivateKey).D
		secrets[number.String()], secrets[number.Text(16)] = what, what+" in hexadecimal"
		secrets[base64.RawURLEncoding.EncodeToString(number.Bytes())] = what + " as in a JWK"
	}
	secrets[base64.StdEncoding.EncodeToString(block.Bytes)[:60]] = "client key as PEM"
	for _, part := range strings.Fields(strings.ReplaceAll(p.Name, "　", " ")) {
		secrets[part] = "part of the name"
	}
	if len(secrets) < 30 {
		t.Fatalf("only %d secrets recorded: the recorder is broken", len(secrets))
	}
	for value, what := range secrets {
		for _, form := range []string{value, url.QueryEscape(value),
			fmt.Sprintf("%q", value)[1 : len(fmt.Sprintf("%q", value))-1]} {
			if at := standsIn(logs, form); at >= 0 {
				t.Errorf("the log holds the %s, near …%s", what, logs[max(0, at-120):at])
				break
			}
		}
	}
}

// standsIn returns where a secret stands in the logs, or -1. Four digits in the middle of a hash are no PIN.
func standsIn(logs, secret string) int {
	boundary := func(at int) bool {
		return at < 0 || at >= len(logs) || !strings.ContainsRune("0123456789abcdefABCDEF", rune(logs[at]))
	}
	for from := 0; ; {
		at := strings.Index(logs[from:], secret)
		if at < 0 {
			return -1
		}
		at += from
		if len(secret) > 4 || (boundary(at-1) && boundary(at+len(secret))) {
			return at
		}
		from = at + 1
	}
}
