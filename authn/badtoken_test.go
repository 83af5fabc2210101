package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
)

// badToken is an ID token that at least one common library accepts and that has to be refused. It is correctly signed
// unless the row is about the signature.
type badToken struct {
	name    string
	want    string // as verdict says
	prepare func(*testOP)
	change  func(*Config)
}

func TestBadTokens(t *testing.T) {
	for _, b := range badTokens() {
		t.Run(b.name, func(t *testing.T) {
			op := newOP(t)
			b.prepare(op)
			change := func(*Config) {}
			if b.change != nil {
				change = b.change
			}
			err := op.complete(t, op.client(change))
			if got := verdict(err); got != b.want {
				t.Errorf("%s, want %s", got, b.want)
			}
			if FamilyOf(err) != Untrusted {
				t.Errorf("family %v", FamilyOf(err))
			}
		})
	}
}

func badTokens() []badToken {
	kid, rsaKid := testECKey().KeyID(), testRSAKey().KeyID()
	head := func(h string) func(*testOP) { return func(op *testOP) { op.header = h } }
	rsaHead := func(h string) func(*testOP) { return both(rsaSigned, head(h)) }
	altered := func(f func(string) string) func(*testOP) { return func(op *testOP) { op.alterID = f } }
	member := func(s string) func(*testOP) {
		return func(op *testOP) {
			op.rawClaims = func(p string) string { return strings.TrimSuffix(p, "}") + "," + s + "}" }
		}
	}
	at := func(d time.Duration) int64 { return newClock().now().Add(d).Unix() }
	refused := func(check string) string { return "rejects (ID token: " + check + ")" }
	list := []badToken{
		{name: "no iat", want: refused("iat"), prepare: noClaim("iat")},
		{name: "no sub", want: refused("sub"), prepare: noClaim("sub")},
		{name: "no nonce", want: refused("nonce"), prepare: noClaim("nonce")},
		{name: "no exp", want: refused("exp"), prepare: noClaim("exp")},
		{name: "no aud", want: refused("aud"), prepare: noClaim("aud")},
		{name: "no iss", want: refused("iss"), prepare: noClaim("iss")},
		{name: "iat one day ahead", want: refused("iat"), prepare: claim("iat", at(24*time.Hour))},
		{name: "exp 1 s ago, with ExpirySkew set to none", want: refused("exp"), prepare: claim("exp", at(-time.Second)), change: func(c *Config) { c.ExpirySkew = 1 }},
		{name: "exp 1 min ago, with the default skew of 60 s", want: refused("exp"), prepare: claim("exp", at(-time.Minute))},
		{name: "nbf 4 min ahead", want: refused("nbf"), prepare: claim("nbf", at(4*time.Minute))},
		{name: "two aud, no azp", want: refused("azp"), prepare: func(op *testOP) {
			op.claims = func(m claimsMap) { m["aud"] = []string{testClientID, "stranger"}; delete(m, "azp") }
		}},
		{name: "azp of another client", want: refused("azp"), prepare: claim("azp", "stranger")},

		{name: "unknown crit", want: refused("crit"), prepare: head(`{"alg":"ES256","kid":"` + kid + `","crit":["x"],"x":1}`)},
		{name: "alg HS256 over an RS256 signature", want: refused("alg"), prepare: rsaHead(`{"alg":"HS256","kid":"` + rsaKid + `"}`)},
		{name: "alg PS256 over an RS256 signature", want: refused("alg"), prepare: rsaHead(`{"alg":"PS256","kid":"` + rsaKid + `"}`)},
		{name: "alg PS256 over an RS256 signature, with PS256 allowed", want: refused("key"), prepare: rsaHead(`{"alg":"PS256","kid":"` + rsaKid + `"}`),
			change: func(c *Config) { c.IDTokenAlgorithms = []Algorithm{RS256, PS256} }},
		{name: "alg none over an RS256 signature", want: refused("alg"), prepare: rsaHead(`{"alg":"none","kid":"` + rsaKid + `"}`)},
		{name: "no alg over an RS256 signature", want: refused("alg"), prepare: rsaHead(`{"kid":"` + rsaKid + `"}`)},
		{name: "alg twice in the header", want: refused("header"), prepare: head(`{"alg":"ES256","alg":"ES256","kid":"` + kid + `"}`)},
		{name: "typ at+jwt", want: refused("typ"), prepare: head(`{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`)},
		{name: "typ logout+jwt", want: refused("typ"), prepare: head(`{"alg":"ES256","kid":"` + kid + `","typ":"logout+jwt"}`)},
		{name: "sub twice", want: refused("claims"), prepare: member(`"sub":"another"`)},
		{name: "sub and SUB", want: refused("claims"), prepare: member(`"SUB":"another"`)},
		{name: "bytes after the claims", want: refused("claims"), prepare: func(op *testOP) { op.rawClaims = func(s string) string { return s + "x" } }},
		{name: "another key in the header (jwk)", want: refused("signature"), prepare: func(op *testOP) {
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + kid + `","jwk":` + publicJWK(op.tb, testOtherEC()) + `}`
		}},
		{name: "another key set in the header (jku), under a kid of its own", want: refused("key"), prepare: func(op *testOP) {
			elsewhere := newOP(op.tb)
			elsewhere.publish(testOtherEC())
			op.tb.Cleanup(func() {
				if elsewhere.jwksHits.Load() != 0 {
					op.tb.Error("the key set was fetched from where the token says")
				}
			})
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + testOtherEC().KeyID() + `","jku":"` + elsewhere.env.JWKSEndpoint + `"}`
		}},
		{name: "JSON serialization", want: refused("form"), prepare: altered(func(s string) string {
			p := strings.Split(s, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		})},
		{name: "a space before", want: refused("form"), prepare: altered(func(s string) string { return " " + s })},
		{name: "a line break after", want: refused("form"), prepare: altered(func(s string) string { return s + "\n" })},
		{name: "padding of the signature", want: refused("form"), prepare: altered(func(s string) string { return s + "==" })},
		{name: "ES256 with a P-384 key", want: refused("key"), prepare: signedByP384},
		{name: "RSA key of 1024 bits", want: refused("key"), prepare: signedByWeakRSA},
		{name: "key with use enc", want: refused("key"), prepare: func(op *testOP) { op.published[0].Use = "enc" }},
		{name: "key with alg PS256, token with RS256", want: refused("key"), prepare: func(op *testOP) {
			rsaSigned(op)
			op.published[1].Algorithm = "PS256"
		}},
	}
	return append(list, badEncryptedTokens()...)
}

// publicJWK is the JWK of a key's public half.
func publicJWK(tb testing.TB, k Key) string {
	tb.Helper()
	set, err := jose.MarshalKeySet(k.signing().Public())
	if err != nil {
		tb.Fatal(err)
	}
	var doc struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(set, &doc); err != nil {
		tb.Fatal(err)
	}
	return string(doc.Keys[0])
}

// resigned makes ID tokens that a key signs which this package would not take.
func (op *testOP) resigned(header, jwk string, sign func(digest []byte) []byte) {
	op.setKeys(reply(200, jsonType, `{"keys":[`+jwk+`]}`))
	op.alterID = func(token string) string {
		signed := b64(header) + "." + strings.Split(token, ".")[1]
		digest := sha256.Sum256([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(sign(digest[:]))
	}
}

func signedByP384(op *testOP) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		op.tb.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		op.tb.Fatal(err)
	}
	const size = 48
	jwk := `{"kty":"EC","crv":"P-384","kid":"p384","alg":"ES256","use":"sig","x":"` + b64(string(point[1:1+size])) + `","y":"` + b64(string(point[1+size:])) + `"}`
	op.resigned(`{"alg":"ES256","kid":"p384"}`, jwk+","+publicJWK(op.tb, testECKey()), func(digest []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			op.tb.Error(err)
			return nil
		}
		sig := make([]byte, 2*size)
		r.FillBytes(sig[:size])
		s.FillBytes(sig[size:])
		return sig
	})
}

func signedByWeakRSA(op *testOP) {
	key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that it is weak is the test
	if err != nil {
		op.tb.Fatal(err)
	}
	jwk := `{"kty":"RSA","kid":"weak","alg":"RS256","use":"sig","n":"` + b64(string(key.N.Bytes())) + `","e":"AQAB"}`
	op.resigned(`{"alg":"RS256","kid":"weak"}`, jwk+","+publicJWK(op.tb, testECKey()), func(digest []byte) []byte {
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest)
		if err != nil {
			op.tb.Error(err)
		}
		return sig
	})
}

// A string of the configuration is a value, wherever it goes, and never becomes a member of header or claims.
func TestConfiguredStringsBecomeNoMembers(t *testing.T) {
	const injected = `x","alg":"none","admin":"1`
	op := newOP(t)
	_, err := New(func() Config { c := op.config(); c.ClientID = injected; return c }())
	wantError(t, err, ReasonConfiguration, "")
	token, err := op.client(func(c *Config) { c.AssertionType, c.AssertionAudience = injected, injected }).assertion()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]int{0: 3, 1: 6} { // alg, kid, typ; iss, sub, aud, jti, iat, exp
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil || len(m) != want || m["admin"] != nil {
			t.Errorf("%s, %v", raw, err)
		}
		if i == 0 && (m["alg"] != "ES256" || m["typ"] != injected) || i == 1 && m["aud"] != injected {
			t.Errorf("%s", raw)
		}
	}
}
