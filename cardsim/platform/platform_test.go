package platform_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

func noon() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }

// nobody is a register without residents.
type nobody struct{}

func (nobody) Resident([]byte) (string, bool) { return "", false }
func (nobody) Signing(string) []byte          { return nil }

// simulated is an operator with two businesses, whose tokens are their names.
func simulated(t *testing.T) *platform.Platform {
	t.Helper()
	j, err := issuer.New(issuer.Config{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(new(revocation.Store)), Now: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	wire := operator.DefaultWire()
	p, err := platform.New(platform.Config{
		Opener: opener, Verifier: verifier, Residents: nobody{}, Now: noon, Wire: &wire,
		Business: func(token string) (string, bool) { return token, token == "bank" || token == "shop" },
		Derive:   func(parts ...string) string { return strings.Join(parts, "/") },
		Knobs:    func() platform.Knobs { return platform.Knobs{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask posts a request and returns the status and the members of the answer.
func ask(t *testing.T, p *platform.Platform, r *http.Request) (int, map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	members := map[string]string{}
	if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
		t.Fatalf("%s: %v: %q", r.URL.Path, err, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s may be cached", r.URL.Path)
	}
	return w.Code, members
}

// TestConsentsAreRefused: what a business may not send to the side of the consents, with the status and the code that
// it gets.
func TestConsentsAreRefused(t *testing.T) {
	t.Parallel()
	p, wire := simulated(t), operator.DefaultWire()
	latest := wire.Latest
	code, members := ask(t, p, request(t, http.MethodPost, latest.DocumentPath, "bank",
		`{"service":"shop-1","terms_version":"1"}`))
	document := members[latest.DocumentField]
	if code != http.StatusOK || document == "" {
		t.Fatalf("no document: %d %v", code, members)
	}
	signed := func(document string) string {
		return `{"document":"` + document + `","` + wire.SealedField + `":"x","` + wire.TransactionField + `":"tx-1"}`
	}
	const post = http.MethodPost
	malformed := wire.Codes.Request
	for what, c := range map[string]struct {
		how, path, token, body string
		status                 int
		code                   string
	}{
		"by GET":     {http.MethodGet, latest.StatePath, "bank", "", 405, malformed},
		"nobody":     {post, latest.StatePath, "", `{"consent_id":"1"}`, 401, "invalid_token"},
		"a stranger": {post, latest.StatePath, "taro", `{"consent_id":"1"}`, 401, "invalid_token"},
		"no JSON":    {post, latest.StatePath, "bank", "consent_id=1", 400, malformed},
		"no texts":   {post, latest.StatePath, "bank", `{"consent_id":1}`, 400, malformed},
		"twice": {post, latest.StatePath, "bank",
			`{"consent_id":"1","consent_id":"2"}`, 400, malformed},
		"another member": {post, latest.StatePath, "bank", `{"consent":"1"}`, 400, malformed},
		"a member more":  {post, latest.StatePath, "bank", `{"consent_id":"1","x":""}`, 400, malformed},
		"no such consent": {post, latest.StatePath, "bank",
			`{"consent_id":"1"}`, 409, latest.NoConsentCode},
		"too long": {post, latest.StatePath, "bank",
			strings.Repeat(" ", limits.OperatorRequest+1), 413, malformed},
		"a document of what": {post, latest.DocumentPath, "bank",
			`{"service":"","terms_version":"1"}`, 400, malformed},
		"to end no consent": {post, latest.DocumentPath, "bank",
			`{"consent_id":"1"}`, 409, latest.NoConsentCode},
		"attributes, no known": {post, latest.AttributesPath, "bank", `{"consent_id":"1"}`, 400, malformed},
		"attributes of nobody": {post, latest.AttributesPath, "bank",
			`{"consent_id":"1","known":""}`, 409, latest.NoConsentCode},
		"nothing signed":   {post, latest.ConsentPath, "bank", `{"document":""}`, 400, malformed},
		"no base64":        {post, latest.ConsentPath, "bank", signed("?"), 400, malformed},
		"another document": {post, latest.ConsentPath, "bank", signed("eA=="), 409, latest.DocumentCode},
		"another's document": {post, latest.ConsentPath, "shop",
			signed(document), 409, latest.DocumentCode},
		"withdraws nothing": {post, latest.WithdrawalPath, "bank", signed(document), 400, malformed},
		"withdraws no consent": {post, latest.WithdrawalPath, "bank",
			`{"consent_id":"1",` + signed(document)[1:], 409, latest.NoConsentCode},
	} {
		status, members := ask(t, p, request(t, c.how, c.path, c.token, c.body))
		if status != c.status || len(members) != 1 || members[wire.ErrorField] != c.code {
			t.Errorf("%s: %d %v, want %d %s", what, status, members, c.status, c.code)
		}
	}
	// What was sealed to nobody is no verdict, and no consent comes of it.
	status, members := ask(t, p, request(t, http.MethodPost, latest.ConsentPath, "bank", signed(document)))
	if status == http.StatusOK && members[wire.CodeField] == wire.Codes.OK || members[latest.ConsentField] != "" {
		t.Errorf("a consent out of nothing: %d %v", status, members)
	}
	if n := len(p.Verifications()); n != 0 {
		t.Errorf("%d verifications", n)
	}
	p.Forget()
	status, members = ask(t, p, request(t, http.MethodPost, latest.ConsentPath, "bank", signed(document)))
	if status != http.StatusConflict || members[wire.ErrorField] != latest.DocumentCode {
		t.Errorf("a forgotten document: %d %v", status, members)
	}
}

func request(t *testing.T, method, path, token, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, io.NopCloser(strings.NewReader(body)))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	return r
}
