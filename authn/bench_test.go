package authn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/tests"
)

// BenchmarkVerifyIDToken is the whole verification with cached keys: strict parse, go-oidc, every rule.
func BenchmarkVerifyIDToken(b *testing.B) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		b.Run(string(key.Algorithm()), func(b *testing.B) {
			op := newOP(b)
			op.idKey = key
			op.claims = func(m claimsMap) { m["sid"] = strings.Repeat("s", 36) }
			c := op.client()
			const nonce = "4vXcQ0QzKp3F2m0yYb3Ck1lq3q9m3rJ7w5k8Jx1Zz0U"
			raw := op.idToken(nonce, testAccess)
			if _, err := c.verifyIDToken(context.Background(), raw, testAccess, nonce); err != nil {
				b.Fatal(err)
			}
			dot := strings.LastIndexByte(raw, '.')
			signed := []byte(raw[:dot])
			sig, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
			if err != nil {
				b.Fatal(err)
			}
			bare := func() {
				digest := sha256.Sum256(signed)
				ok := false
				switch k := key.Public().(type) {
				case *rsa.PublicKey:
					ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], sig) == nil
				case *ecdsa.PublicKey:
					ok = ecdsa.Verify(k, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
				}
				if !ok {
					b.Fatal("bare")
				}
			}
			tests.InTurns(b, "x-bare", bare, func() {
				if _, err := c.verifyIDToken(context.Background(), raw, testAccess, nonce); err != nil {
					b.Fatal(err)
				}
			})
			if n := op.jwksHits.Load(); n != 1 {
				b.Errorf("%d network calls in warm verifications", n-1)
			}
		})
	}
}

// BenchmarkAssertion is one client assertion.
func BenchmarkAssertion(b *testing.B) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		b.Run(string(key.Algorithm()), func(b *testing.B) {
			c := newOP(b).client(func(c *Config) { c.Key = key })
			signer := key.signing().Signer
			text := []byte(strings.Repeat("x", 400))
			tests.InTurns(b, "x-bare", func() {
				digest := sha256.Sum256(text)
				if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}, func() {
				if _, err := c.assertion(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkBegin is the start of a login; the bare operation is the random numbers and the hash that it cannot do
// without.
func BenchmarkBegin(b *testing.B) {
	c := newOP(b).client()
	tests.InTurns(b, "x-bare", func() {
		for range 3 {
			_ = randomText(secretSize)
		}
		_ = sha256.Sum256(make([]byte, secretText))
	}, func() {
		if _, err := c.Begin(context.Background(), Request{Scopes: Attributes}); err != nil {
			b.Fatal(err)
		}
	})
}

// instantService answers from memory: no network, and nothing of the service's own work is done while somebody waits.
type instantService struct{ token, userinfo, keys []byte }

func (s *instantService) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		body = s.token
	case strings.HasSuffix(r.URL.Path, "/userinfo"):
		body = s.userinfo
	default:
		body = s.keys
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

// BenchmarkLogin is everything that a login costs the relying party's processor: Begin, the checks of the callback, the
// client assertion, building the requests, reading the answers, the whole verification of the ID token, userinfo. Not
// counted are the network (the answers come from memory, net/http's client is in, its transport is not), the service's
// work (the ID token is made between Begin and Finish, while no clock runs) and the fetch of the signing keys (warm).
// The bare operation is one signature like the assertion's and one verification like the ID token's.
func BenchmarkLogin(b *testing.B) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		for name, request := range map[string]Request{"subject": {}, "attributes": {Scopes: Attributes}} {
			b.Run(string(key.Algorithm())+"/"+name, func(b *testing.B) { benchmarkLogin(b, key, request) })
		}
	}
}

func benchmarkLogin(b *testing.B, key Key, request Request) {
	op := newOP(b)
	op.idKey = key
	service := new(instantService)
	c := op.client(func(c *Config) {
		c.Key, c.HTTPClient = key, &http.Client{Transport: service}
	})
	var err error
	if service.keys, err = jose.MarshalKeySet(op.published...); err != nil {
		b.Fatal(err)
	}
	if service.userinfo, err = json.Marshal(op.person); err != nil {
		b.Fatal(err)
	}
	answer := func(nonce string) []byte {
		body, err := json.Marshal(claimsMap{"access_token": testAccess, "token_type": "Bearer", "expires_in": 300,
			"scope": "openid name address birthdate gender", "id_token": op.idToken(nonce, testAccess)})
		if err != nil {
			b.Fatal(err)
		}
		return body
	}
	ctx := context.Background()
	login := func() time.Duration {
		start := time.Now()
		begun, err := c.Begin(ctx, request)
		spent := time.Since(start)
		if err != nil {
			b.Fatal(err)
		}
		f := begun.Pending.fields()
		service.token = answer(f.Nonce)
		callback := url.Values{"code": {"code"}, "state": {f.State}, "session_state": {"x"}}
		start = time.Now()
		if _, err := c.Finish(ctx, begun.Pending, callback); err != nil {
			b.Fatal(err)
		}
		return spent + time.Since(start)
	}
	signer := key.signing().Signer
	signed := []byte(op.idToken("n", testAccess))
	digest := sha256.Sum256(signed)
	sig, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	bare := func() time.Duration {
		start := time.Now()
		d := sha256.Sum256(signed)
		if _, err := signer.Sign(rand.Reader, d[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
		d = sha256.Sum256(signed)
		ok := false
		switch k := key.Public().(type) {
		case *rsa.PublicKey:
			ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, d[:], sig) == nil
		case *ecdsa.PublicKey:
			ok = ecdsa.VerifyASN1(k, d[:], sig)
		}
		if !ok {
			b.Fatal("bare")
		}
		return time.Since(start)
	}
	login() // fetches the keys
	var spentBare, spentLogin []time.Duration
	for b.Loop() {
		spentBare = append(spentBare, bare())
		spentLogin = append(spentLogin, login())
	}
	slices.Sort(spentBare)
	slices.Sort(spentLogin)
	n := len(spentBare) / 2
	b.ReportMetric(float64(spentLogin[n])/float64(spentBare[n]), "x-bare") // medians
	b.ReportMetric(float64(spentLogin[n]-spentBare[n])/1e3, "µs-above-bare")
}
