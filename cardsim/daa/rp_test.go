package daa_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/jose"
)

const (
	rpID     = "RP00000001"
	redirect = "https://shop.example/auth/callback"
)

// relyingParty talks to the service by hand, so that tests can send what the SDK never would.
type relyingParty struct {
	t   testing.TB
	svc *daa.Running
	id  string
	key jose.SigningKey
	aud string // of assertions; "" = the token endpoint
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// shared is the test JPKI of all tests that do not revoke: deriving its keys takes longer than most tests. Its clock is
// that of the test that runs, see follow.
var (
	shared    = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{Now: sharedNow}) })
	testClock atomic.Pointer[clock]
)

func sharedNow() time.Time {
	if c := testClock.Load(); c != nil {
		return c.now()
	}
	return time.Now()
}

// follow makes the service and the shared JPKI go by a test's clock.
func follow(t testing.TB, c *clock) daa.Option {
	t.Helper()
	testClock.Store(c)
	t.Cleanup(func() { testClock.Store(nil) })
	return daa.WithClock(c.now)
}

func withSharedJPKI(t testing.TB) daa.Option {
	t.Helper()
	j, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return daa.WithJPKI(j)
}

// own makes Start use a test JPKI of its own.
func own(c *daa.Config) { c.JPKI = nil }

// start runs a service with one private relying party.
func start(t testing.TB, opts ...daa.Option) *relyingParty {
	t.Helper()
	key := newKey(t)
	svc := daa.Start(t, append([]daa.Option{daa.WithClient(daa.ClientRegistration{ID: rpID, Key: key.Public(),
		RedirectURLs: []string{redirect}}), withSharedJPKI(t)},
		opts...)...)
	return &relyingParty{t: t, svc: svc, id: rpID, key: jose.SigningKey{Signer: key, Algorithm: jose.ES256}}
}

// client is the SDK's client for the same registration.
func (rp *relyingParty) client(change ...func(*authn.Config)) *authn.Client {
	rp.t.Helper()
	key, err := authn.NewKey(rp.key.Signer, "")
	if err != nil {
		rp.t.Fatal(err)
	}
	c := authn.Config{
		Environment: rp.svc.Environment(), ClientID: rp.id, Key: key, RedirectURL: redirect,
		HTTPClient: rp.svc.Client(),
	}
	for _, f := range change {
		f(&c)
	}
	client, err := authn.New(c)
	if err != nil {
		rp.t.Fatal(err)
	}
	return client
}

// verifier is a PKCE verifier; every test may use the same, the service must not care.
const verifier = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorization is a correct request; a test changes it.
func (rp *relyingParty) authorization() url.Values {
	return url.Values{
		"response_type": {"code"}, "scope": {"openid name address birthdate gender"}, "client_id": {rp.id},
		"redirect_uri": {redirect}, "state": {"a-state"}, "nonce": {"a-nonce"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}, "acr_values": {"aal3 crl"},
	}
}

func (rp *relyingParty) authorizationURL(q url.Values) string {
	return rp.svc.Environment().AuthorizationEndpoint + "?" + q.Encode()
}

// approve sends the default visitor and returns the callback's parameters.
func (rp *relyingParty) approve(q url.Values) url.Values {
	rp.t.Helper()
	callback, err := rp.svc.Visitor().Approve(rp.t.Context(), rp.authorizationURL(q))
	if err != nil {
		rp.t.Fatalf("visit: %v", err)
	}
	return rp.callback(callback)
}

func (rp *relyingParty) callback(raw string) url.Values {
	rp.t.Helper()
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(raw, redirect+"?") {
		rp.t.Fatalf("callback %q does not go to the registered redirect URL", raw)
	}
	return u.Query()
}

func (rp *relyingParty) claims() map[string]any {
	now := sharedNow()
	aud := rp.aud
	if aud == "" {
		aud = rp.svc.Environment().TokenEndpoint
	}
	return map[string]any{
		"iss": rp.id, "sub": rp.id, "aud": aud, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(30 * time.Second).Unix(),
	}
}

func (rp *relyingParty) assertion(key jose.SigningKey, claims map[string]any) string {
	rp.t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		rp.t.Fatal(err)
	}
	token, err := jose.Sign(key, "JWT", payload)
	if err != nil {
		rp.t.Fatal(err)
	}
	return token
}

// credentials is a correct token request but for the grant.
func (rp *relyingParty) credentials() url.Values {
	return url.Values{
		"client_id":             {rp.id},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {rp.assertion(rp.key, rp.claims())},
	}
}

func (rp *relyingParty) exchange(code string) url.Values {
	form := rp.credentials()
	form.Set("grant_type", "authorization_code")
	form.Set("code", code)
	form.Set("redirect_uri", redirect)
	form.Set("code_verifier", verifier)
	return form
}

// answer is a decoded HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

func (rp *relyingParty) do(method, target, bearer, contentType, body string, change ...func(*http.Request)) answer {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(rp.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		rp.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	for _, f := range change {
		f(req)
	}
	res, err := rp.svc.Client().Do(req)
	if err != nil {
		rp.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		rp.t.Fatal(err)
	}
	_ = json.Unmarshal(a.body, &a.json)
	return a
}

const formType = "application/x-www-form-urlencoded"

func (rp *relyingParty) token(form url.Values) answer {
	rp.t.Helper()
	return rp.do(http.MethodPost, rp.svc.Environment().TokenEndpoint, "", formType, form.Encode())
}

// mustToken exchanges and returns the access token.
func (rp *relyingParty) mustToken(form url.Values) string {
	rp.t.Helper()
	a := rp.token(form)
	access, _ := a.json["access_token"].(string)
	if a.status != http.StatusOK || access == "" {
		rp.t.Fatalf("token endpoint: %d %s", a.status, a.body)
	}
	return access
}

func (rp *relyingParty) serviceToken() string {
	rp.t.Helper()
	form := rp.credentials()
	form.Set("grant_type", "client_credentials")
	return rp.mustToken(form)
}

// startBody is a correct start request under a wire profile.
func (rp *relyingParty) startBody(w wire.Sign, input []byte) map[string]any {
	body := map[string]any{
		w.StartClientIDField: rp.id, w.StartHashAlgorithmField: w.StartHashAlgorithmValue,
		w.StartHashField: base64.StdEncoding.EncodeToString(input),
	}
	for name, value := range w.StartExtraFields {
		body[name] = value
	}
	return body
}

func (rp *relyingParty) startSign(bearer string, body any) answer {
	rp.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		rp.t.Fatal(err)
	}
	return rp.do(http.MethodPost, rp.svc.Environment().SignEndpoint, bearer, "application/json", string(b))
}

// transaction starts a transaction and returns its id.
func (rp *relyingParty) transaction(input []byte) string {
	rp.t.Helper()
	w := wire.Default().Sign
	a := rp.startSign(rp.serviceToken(), rp.startBody(w, input))
	id, _ := a.json[w.StartIDField].(string)
	if a.status != http.StatusCreated || id == "" {
		rp.t.Fatalf("start: %d %s", a.status, a.body)
	}
	return id
}

// signing is a correct authorization request for a transaction.
func (rp *relyingParty) signing(id string) url.Values {
	q := rp.authorization()
	q.Set("scope", "openid sign")
	q.Set("sign_transaction_id", id)
	return q
}

func (rp *relyingParty) result(id, bearer string) answer {
	rp.t.Helper()
	return rp.do(http.MethodGet, rp.svc.Environment().SignEndpoint+"/"+id+"/result", bearer, "", "")
}

func with(q url.Values, pairs ...string) url.Values {
	q = maps.Clone(q)
	for i := 0; i+1 < len(pairs); i += 2 {
		q[pairs[i]] = []string{pairs[i+1]}
	}
	return q
}

func without(q url.Values, names ...string) url.Values {
	q = maps.Clone(q)
	for _, name := range names {
		delete(q, name)
	}
	return q
}

// login runs the SDK's client through a whole login.
func login(ctx context.Context, c *authn.Client, v *visitor.Person, r authn.Request) (*authn.Identity, error) {
	begun, err := c.Begin(ctx, r)
	if err != nil {
		return nil, err
	}
	callback, err := v.Approve(ctx, begun.URL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(callback)
	if err != nil {
		return nil, err
	}
	return c.Finish(ctx, begun.Pending, u.Query())
}
