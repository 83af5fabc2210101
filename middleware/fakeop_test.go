package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// provider is the smallest OpenID Provider and sign API that a login needs. It is what lets these tests send answers
// that no honest service sends; the honest ways are tested against the simulated service.
type provider struct {
	*httptest.Server
	key *ecdsa.PrivateKey
	now func() time.Time

	mu       sync.Mutex
	subject  string
	userinfo map[string]any
	claims   func(map[string]any)           // changes the ID token's claims before it is signed
	signWith *ecdsa.PrivateKey              // signs the ID token instead of key
	codes    map[string]url.Values          // authorization requests by code
	tokens   map[string]url.Values          // authorization requests by access token
	exchange int                            // token requests with a code
	answer   func(http.ResponseWriter) bool // answers the result request instead; false: not
	hold     func()                         // is called before a code is redeemed, without the lock
}

func newProvider(t testing.TB, now func() time.Time) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{
		key: key, now: now, subject: "subject-hanako", codes: map[string]url.Values{}, tokens: map[string]url.Values{},
		userinfo: map[string]any{"name": "確認　花子", "address": "東京都千代田区架空町１丁目", "birthdate": "19880723", "gender": "2"},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/realms/main/protocol/openid-connect/token", p.token)
	mux.HandleFunc("GET /api/realms/main/protocol/openid-connect/userinfo", p.info)
	mux.HandleFunc("GET /api/realms/main/protocol/openid-connect/certs", p.certs)
	mux.HandleFunc("POST /api/sign-transactions", p.start)
	mux.HandleFunc("GET /api/sign-transactions/{id}/result", p.result)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// set changes the provider's behaviour under its lock.
func (p *provider) set(change func(*provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *provider) exchanges() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchange
}

// approve is the person at the service: it returns the callback.
func (p *provider) approve(t testing.TB, authorization string) string {
	t.Helper()
	u, err := url.Parse(authorization)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.codes[code] = u.Query()
	return u.Query().Get("redirect_uri") + "?" + url.Values{
		"code": {code}, "state": {u.Query().Get("state")}, "session_state": {rand.Text()},
	}.Encode()
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	hold := p.hold
	p.mu.Unlock()
	if hold != nil && r.FormValue("code") != "" {
		hold()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.FormValue("grant_type") == "client_credentials" {
		reply(w, http.StatusOK, map[string]any{"access_token": "service-token", "token_type": "Bearer",
			"expires_in": 300})
		return
	}
	p.exchange++
	req, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(challenge[:]) != req.Get("code_challenge") {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	p.tokens[access] = req
	sum := sha256.Sum256([]byte(access))
	now := p.now().Unix()
	claims := map[string]any{
		"iss": p.URL + "/api/realms/main", "sub": p.subject, "aud": clientID, "azp": clientID, "iat": now,
		"exp":   now + 300,
		"nonce": req.Get("nonce"), "acr": "aal3", "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	key := p.key
	if p.signWith != nil {
		key = p.signWith
	}
	if p.claims != nil {
		p.claims(claims)
	}
	reply(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300, "scope": req.Get("scope"),
		"id_token": idToken(key, claims),
	})
}

func idToken(key *ecdsa.PrivateKey, claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(`{"alg":"ES256","kid":"k1","typ":"JWT"}`)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(input))
	r, s, _ := ecdsa.Sign(rand.Reader, key, sum[:])
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + b64(sig)
}

func (p *provider) info(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]; !ok {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	body := maps.Clone(p.userinfo)
	body["sub"] = p.subject
	reply(w, http.StatusOK, body)
}

func (p *provider) certs(w http.ResponseWriter, _ *http.Request) {
	point, err := p.key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		panic(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1", "x": b64(point[1:33]),
		"y": b64(point[33:]),
	}}})
}

const transactionID = "65a04b4e-af8b-45a2-8713-5ec2631bab64"

func (*provider) start(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusCreated, map[string]any{"sign_transaction_id": transactionID, "expires_in": 600})
}

func (p *provider) result(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	req, ok := p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok || req.Get("sign_transaction_id") != r.PathValue("id") {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	if p.answer != nil && p.answer(w) {
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"signature":   base64.StdEncoding.EncodeToString(make([]byte, 256)),
		"certificate": base64.StdEncoding.EncodeToString([]byte{0x30, 0x03, 0x02, 0x01, 0x01}),
	})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
