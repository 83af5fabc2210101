package authn

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// clock is a clock that tests set.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ns.Store(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// Keys are made once: RSA keys take long to find.
var (
	testClientKey = sync.OnceValue(func() Key { return mustKey(ES256) })
	testECKey     = sync.OnceValue(func() Key { return mustKey(ES256) })
	testRSAKey    = sync.OnceValue(func() Key { return mustKey(RS256) })
	testOtherEC   = sync.OnceValue(func() Key { return mustKey(ES256) })
	testOtherRSA  = sync.OnceValue(func() Key { return mustKey(RS256) })
)

func mustKey(alg Algorithm) Key {
	k, err := GenerateKey(alg)
	if err != nil {
		panic(err)
	}
	return k
}

const (
	testClientID = "RP00000001"
	testRedirect = "https://shop.example/auth/callback"
	testSubject  = "ppid-7f3a-secret-subject"
	testAccess   = "opaque-access-token-secret"
	// refreshedAccess is what refreshing yields.
	refreshedAccess = "opaque-access-token-secret-2"
)

// testOP is an OpenID Provider that is strict with the client and as bad as its knobs say. A knob is set before use.
type testOP struct {
	tb    testing.TB
	clock *clock
	srv   *httptest.Server
	env   Environment

	idKey       Key               // signs ID tokens
	published   []jose.PublicKey  // the JWK Set
	jwks        http.HandlerFunc  // replaces the JWK Set endpoint
	claims      func(m claimsMap) // changes the ID token's claims
	rawClaims   func(s string) string
	header      string              // replaces the ID token's header
	alterID     func(string) string // changes the finished ID token
	answer      func(m claimsMap)   // changes the token endpoint's answer
	token       http.HandlerFunc    // replaces the token endpoint's answer, after its checks
	info        http.HandlerFunc    // replaces userinfo
	person      claimsMap
	audience    string                    // of client assertions; default the token endpoint
	metadata    func(m claimsMap)         // changes the provider metadata
	discovery   http.HandlerFunc          // replaces the provider metadata
	callback    func(callback url.Values) // changes the answer to an authorization request
	refresh     bool                      // issues refresh tokens and takes them
	withoutPKCE bool                      // does not look at the code verifier
	rotate      bool                      // answers each refresh with a new one and ends the old one

	mu         sync.Mutex
	broken     map[string]defect // what is wrong with an endpoint, by path
	codes      map[string]url.Values
	refreshes  map[string]url.Values // refresh tokens and the authorization requests that they come from
	assertions map[string]bool
	jwksHits   atomic.Int64
	tokenHits  atomic.Int64
	infoHits   atomic.Int64
}

type claimsMap = map[string]any

// defect answers instead of an endpoint, or spoils its answer.
type defect func(w http.ResponseWriter, r *http.Request, endpoint http.Handler)

// breaks puts a fault before an endpoint; nil repairs it.
func (op *testOP) breaks(endpoint string, f defect) {
	u, err := url.Parse(endpoint)
	if err != nil {
		op.tb.Fatal(err)
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	op.broken[u.Path] = f
}

func newOP(tb testing.TB) *testOP {
	tb.Helper()
	return newOPAt(tb, nil)
}

// newOPAt serves on a listener; nil means a loopback port.
func newOPAt(tb testing.TB, l net.Listener) *testOP {
	tb.Helper()
	op := &testOP{
		tb: tb, clock: newClock(), idKey: testECKey(), broken: map[string]defect{}, codes: map[string]url.Values{},
		refreshes: map[string]url.Values{}, assertions: map[string]bool{},
		person: claimsMap{"sub": testSubject, "name": "試験　花子", "address": "東京都清瀬市架空町１－２－３", "birthdate": "19900405",
			"gender": "2", "nickname": "hana"},
	}
	op.published = []jose.PublicKey{testECKey().signing().Public(), testRSAKey().signing().Public()}
	mux := http.NewServeMux()
	op.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op.mu.Lock()
		broken := op.broken[r.URL.Path]
		op.mu.Unlock()
		if broken != nil {
			broken(w, r, mux)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	if l != nil {
		_ = op.srv.Listener.Close()
		op.srv.Listener = l
	}
	op.srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of broken connections
	op.srv.Start()
	tb.Cleanup(op.srv.Close)
	op.env = Custom(op.srv.URL)
	op.audience = op.env.TokenEndpoint
	mux.HandleFunc("POST "+protocolPath+"/token", op.serveToken)
	mux.HandleFunc("GET "+protocolPath+"/userinfo", op.serveUserinfo)
	mux.HandleFunc("GET "+protocolPath+"/certs", op.serveKeys)
	mux.HandleFunc("GET /keys/{name}", op.serveKeys) // wherever the metadata put them
	mux.HandleFunc("GET "+strings.TrimPrefix(op.env.Issuer, op.srv.URL)+"/.well-known/openid-configuration",
		op.serveMetadata)
	return op
}

func (op *testOP) config() Config {
	return Config{
		Environment: op.env, ClientID: testClientID, Key: testClientKey(), RedirectURL: testRedirect, Now: op.clock.now,
	}
}

func (op *testOP) client(change ...func(*Config)) *Client {
	op.tb.Helper()
	c := op.config()
	for _, f := range change {
		f(&c)
	}
	cl, err := New(c)
	if err != nil {
		op.tb.Fatal(err)
	}
	return cl
}

// authorize plays the browser and the phone: it answers the callback's query.
func (op *testOP) authorize(begun Begun) url.Values {
	op.tb.Helper()
	u, err := url.Parse(begun.URL)
	if err != nil || !strings.HasPrefix(begun.URL, op.env.AuthorizationEndpoint+"?") {
		op.tb.Fatalf("authorization URL: %v", err)
	}
	op.checkAuthorization(u.Query())
	code := randomText(16)
	op.mu.Lock()
	op.codes[code] = u.Query()
	op.mu.Unlock()
	callback := url.Values{"code": {code}, "state": {u.Query().Get("state")}, "session_state": {"x"}}
	if op.callback != nil {
		op.callback(callback)
	}
	return callback
}

// checkAuthorization makes the checks that an OP under conformance test makes on every authorization request.
func (op *testOP) checkAuthorization(q url.Values) {
	op.tb.Helper()
	for name, values := range q {
		if len(values) != 1 || values[0] == "" {
			op.tb.Errorf("authorization request: %s = %q", name, values)
		}
	}
	if q.Get("response_type") != "code" || q.Get("redirect_uri") != testRedirect ||
		q.Get("code_challenge_method") != "S256" ||
		!slices.Contains(strings.Split(q.Get("scope"), " "), "openid") {
		op.tb.Errorf("authorization request: %v", q)
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} { // 256 bits in base64url
		if len(q.Get(name)) != 43 {
			op.tb.Errorf("authorization request: %s has %d characters", name, len(q.Get(name)))
		}
	}
	if q.Get("state") == q.Get("nonce") {
		op.tb.Error("authorization request: state and nonce are the same")
	}
}

// login runs a whole login.
func (op *testOP) login(c *Client, r Request) (*Identity, error) {
	op.tb.Helper()
	begun := op.begin(c, r)
	return c.Finish(context.Background(), begun.Pending, op.authorize(begun))
}

func (op *testOP) begin(c *Client, r Request) Begun {
	op.tb.Helper()
	begun, err := c.Begin(context.Background(), r)
	if err != nil {
		op.tb.Fatal(err)
	}
	return begun
}

func (op *testOP) serveToken(w http.ResponseWriter, r *http.Request) {
	op.tokenHits.Add(1)
	if err := r.ParseForm(); err != nil {
		op.tb.Error(err)
	}
	op.checkAssertion(r)
	if op.token != nil {
		op.token(w, r)
		return
	}
	out := claimsMap{"access_token": testAccess, "token_type": "Bearer", "expires_in": 300}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		out["access_token"] = "service-" + randomText(8)
	case "authorization_code":
		asked := op.redeem(r)
		if asked == nil {
			writeJSON(w, http.StatusBadRequest, claimsMap{"error": "invalid_grant", "error_description": "<script>"})
			return
		}
		out["scope"] = asked.Get("scope")
		out["id_token"] = op.idToken(asked.Get("nonce"), testAccess)
		if op.refresh {
			out["refresh_token"] = op.newRefreshToken(asked)
		}
	case "refresh_token":
		asked := op.redeemRefreshToken(r.PostForm.Get("refresh_token"))
		if asked == nil {
			writeJSON(w, http.StatusBadRequest, claimsMap{"error": "invalid_grant"})
			return
		}
		out["access_token"] = refreshedAccess
		out["scope"] = asked.Get("scope")
		out["id_token"] = op.idToken("", refreshedAccess) // without nonce: OpenID Connect Core 1.0, section 12.2
		if op.rotate {
			out["refresh_token"] = op.newRefreshToken(asked)
		}
	default:
		op.tb.Errorf("grant_type %q", r.PostForm.Get("grant_type"))
	}
	if op.answer != nil {
		op.answer(out)
	}
	writeJSON(w, http.StatusOK, out)
}

// redeem checks a code as RFC 6749, section 4.1.3 and RFC 7636, section 4.6 want it and uses it up.
func (op *testOP) redeem(r *http.Request) url.Values {
	op.mu.Lock()
	asked := op.codes[r.PostForm.Get("code")]
	delete(op.codes, r.PostForm.Get("code"))
	op.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if asked == nil || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") ||
		!op.withoutPKCE && base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		return nil
	}
	return asked
}

// newRefreshToken and redeemRefreshToken are RFC 6749, section 6.
func (op *testOP) newRefreshToken(asked url.Values) string {
	token := "refresh-" + randomText(16)
	op.mu.Lock()
	defer op.mu.Unlock()
	op.refreshes[token] = asked
	return token
}

func (op *testOP) redeemRefreshToken(token string) url.Values {
	op.mu.Lock()
	defer op.mu.Unlock()
	asked := op.refreshes[token]
	if !op.refresh {
		asked = nil
	}
	if op.rotate {
		delete(op.refreshes, token)
	}
	return asked
}

// checkAssertion makes the checks that an OP under conformance test makes on every private_key_jwt.
func (op *testOP) checkAssertion(r *http.Request) {
	tb := op.tb
	f := r.PostForm
	for name, values := range f {
		if len(values) != 1 {
			tb.Errorf("%s is sent %d times", name, len(values))
		}
	}
	if r.Header.Get("Authorization") != "" || f.Has("client_secret") {
		tb.Error("another way of client authentication beside the assertion")
	}
	if f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" ||
		f.Get("client_id") != testClientID {
		tb.Errorf("client_assertion_type %q, client_id %q", f.Get("client_assertion_type"), f.Get("client_id"))
	}
	pub := testClientKey().signing().Public()
	payload, h, err := jose.Verify(f.Get("client_assertion"), jose.KeySet{Keys: []jose.PublicKey{pub}},
		jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.ES256}})
	if err != nil {
		tb.Errorf("assertion: %v", err)
		return
	}
	if h.Type != "JWT" || h.KeyID != pub.KeyID {
		tb.Errorf("assertion header %+v", h)
	}
	m, err := strictjson.Object(payload)
	if err != nil {
		tb.Error(err)
	}
	text := func(n string) string { s, _ := strictjson.String(m[n]); return s }
	number := func(n string) int64 { i, _ := strictjson.Integer(m[n]); return i }
	if text("iss") != testClientID || text("sub") != testClientID || text("aud") != op.audience {
		tb.Errorf("assertion claims %s", payload)
	}
	now := op.clock.now().Unix()
	if iat, exp := number("iat"), number("exp"); iat >= now || iat < now-10 || exp <= now || exp-iat > 60 {
		tb.Errorf("assertion times: iat %+d, exp %+d", iat-now, exp-now)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(text("jti")); err != nil || len(raw) < 16 {
		tb.Errorf("jti %q", text("jti"))
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.assertions[text("jti")] {
		tb.Error("an assertion is used twice")
	}
	op.assertions[text("jti")] = true
}

func (op *testOP) idToken(nonce, access string) string {
	now := op.clock.now()
	sum := sha256.Sum256([]byte(access))
	m := claimsMap{
		"iss": op.env.Issuer, "aud": testClientID, "sub": testSubject, "nonce": nonce, "iat": now.Unix(),
		"exp":     now.Add(5 * time.Minute).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "acr": "aal3", "amr": []string{"card", "pin"},
		"auth_time": now.Add(-time.Minute).Unix(),
		"azp":       testClientID,
	}
	if nonce == "" {
		delete(m, "nonce")
	}
	if op.claims != nil {
		op.claims(m)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		op.tb.Error(err)
	}
	if op.rawClaims != nil {
		payload = []byte(op.rawClaims(string(payload)))
	}
	var token string
	if op.header != "" {
		token = signRaw(op.tb, op.idKey, op.header, payload)
	} else if token, err = jose.Sign(op.idKey.signing(), "JWT", payload); err != nil {
		op.tb.Error(err)
	}
	if op.alterID != nil {
		token = op.alterID(token)
	}
	return token
}

func (op *testOP) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	op.infoHits.Add(1)
	if auth := r.Header.Get("Authorization"); auth != "Bearer "+testAccess && auth != "Bearer "+refreshedAccess ||
		r.URL.RawQuery != "" {
		op.tb.Errorf("userinfo: Authorization %q, query %q", r.Header.Get("Authorization"), r.URL.RawQuery)
	}
	if op.info != nil {
		op.info(w, r)
		return
	}
	writeJSON(w, http.StatusOK, op.person)
}

func (op *testOP) serveKeys(w http.ResponseWriter, r *http.Request) {
	op.jwksHits.Add(1)
	op.mu.Lock()
	keys, replaced := slices.Clone(op.published), op.jwks
	op.mu.Unlock()
	if replaced != nil {
		replaced(w, r)
		return
	}
	b, err := jose.MarshalKeySet(keys...)
	if err != nil {
		op.tb.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

func (op *testOP) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if op.discovery != nil {
		op.discovery(w, r)
		return
	}
	m := claimsMap{
		"issuer": op.env.Issuer, "authorization_endpoint": op.env.AuthorizationEndpoint,
		"token_endpoint":    op.env.TokenEndpoint,
		"userinfo_endpoint": op.env.UserinfoEndpoint, "jwks_uri": op.env.JWKSEndpoint,
		"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"ES256", "RS256"},
	}
	if op.metadata != nil {
		op.metadata(m)
	}
	writeJSON(w, http.StatusOK, m)
}

// setKeys replaces the JWK Set endpoint; nil restores it.
func (op *testOP) setKeys(h http.HandlerFunc) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.jwks = h
}

// publish replaces the JWK Set.
func (op *testOP) publish(keys ...Key) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.published = nil
	for _, k := range keys {
		op.published = append(op.published, k.signing().Public())
	}
}
