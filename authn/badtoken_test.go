package authn

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // of RSA-OAEP as RFC 7518 has it
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/kakunin-go/kakunin"
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
			if kakunin.FamilyOf(err) != kakunin.Untrusted {
				t.Errorf("family %v", kakunin.FamilyOf(err))
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
		{name: "exp 1 s ago, with Rules.ExpirySkew set to none", want: refused("exp"),
			prepare: claim("exp", at(-time.Second)), change: func(c *Config) { c.Rules.ExpirySkew = 1 }},
		{name: "exp 1 min ago, with the default skew of 60 s", want: refused("exp"),
			prepare: claim("exp", at(-time.Minute))},
		{name: "nbf 4 min ahead", want: refused("nbf"), prepare: claim("nbf", at(4*time.Minute))},
		{name: "two aud, no azp", want: refused("azp"), prepare: func(op *testOP) {
			op.claims = func(m claimsMap) { m["aud"] = []string{testClientID, "stranger"}; delete(m, "azp") }
		}},
		{name: "azp of another client", want: refused("azp"), prepare: claim("azp", "stranger")},

		{name: "unknown crit", want: refused("crit"), prepare: head(
			`{"alg":"ES256","kid":"` + kid + `","crit":["x"],"x":1}`)},
		{name: "alg HS256 over an RS256 signature", want: refused("alg"),
			prepare: rsaHead(`{"alg":"HS256","kid":"` + rsaKid + `"}`)},
		{name: "alg PS256 over an RS256 signature", want: refused("alg"),
			prepare: rsaHead(`{"alg":"PS256","kid":"` + rsaKid + `"}`)},
		{name: "alg PS256 over an RS256 signature, with PS256 allowed", want: refused("key"),
			prepare: rsaHead(`{"alg":"PS256","kid":"` + rsaKid + `"}`),
			change:  func(c *Config) { c.Rules.Algorithms = []Algorithm{RS256, PS256} }},
		{name: "alg none over an RS256 signature", want: refused("alg"),
			prepare: rsaHead(`{"alg":"none","kid":"` + rsaKid + `"}`)},
		{name: "no alg over an RS256 signature", want: refused("alg"), prepare: rsaHead(`{"kid":"` + rsaKid + `"}`)},
		{name: "alg twice in the header", want: refused("header"),
			prepare: head(`{"alg":"ES256","alg":"ES256","kid":"` + kid + `"}`)},
		{name: "typ at+jwt", want: refused("typ"), prepare: head(`{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`)},
		{name: "typ logout+jwt", want: refused("typ"), prepare: head(
			`{"alg":"ES256","kid":"` + kid + `","typ":"logout+jwt"}`)},
		{name: "sub twice", want: refused("claims"), prepare: member(`"sub":"another"`)},
		{name: "sub and SUB", want: refused("claims"), prepare: member(`"SUB":"another"`)},
		{name: "bytes after the claims", want: refused("claims"),
			prepare: func(op *testOP) { op.rawClaims = func(s string) string { return s + "x" } }},
		{name: "another key in the header (jwk)", want: refused("signature"), prepare: func(op *testOP) {
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + kid + `","jwk":` + publicJWK(op.tb, testOtherEC()) + `}`
		}},
		{name: "another key set in the header (jku), under a kid of its own", want: refused("key"),
			prepare: func(op *testOP) {
				elsewhere := newOP(op.tb)
				elsewhere.publish(testOtherEC())
				op.tb.Cleanup(func() {
					if elsewhere.jwksHits.Load() != 0 {
						op.tb.Error("the key set was fetched from where the token says")
					}
				})
				op.idKey = testOtherEC()
				op.header = `{"alg":"ES256","kid":"` + testOtherEC().KeyID() + `","jku":"` +
					elsewhere.env.JWKSEndpoint +
					`"}`
			}},
		{name: "JSON serialization", want: refused("form"), prepare: altered(func(s string) string {
			p := strings.Split(s, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		})},
		{name: "a space before", want: refused("form"), prepare: altered(func(s string) string { return " " + s })},
		{name: "a line break after", want: refused("form"), prepare: altered(func(s string) string {
			return s + "\n"
		})},
		{name: "padding of the signature", want: refused("form"),
			prepare: altered(func(s string) string { return s + "==" })},
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
	jwk := `{"kty":"EC","crv":"P-384","kid":"p384","alg":"ES256","use":"sig","x":"` + b64(string(point[1:1+size])) +
		`","y":"` + b64(string(point[1+size:])) + `"}`
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
	token, err := op.client(func(c *Config) { c.Assertion.Type, c.Assertion.Audience = injected, injected }).assertion()
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

// badAnswer is something that the token endpoint does and that a common library takes for an answer, or answers by
// sending code and assertion once more.
type badAnswer struct {
	name string
	want string
	does func(elsewhere *testOP) http.HandlerFunc
}

// The provider also checks that no assertion is used twice, and that there is exactly one request.
func TestBadAnswers(t *testing.T) {
	for _, b := range badAnswers() {
		t.Run(b.name, func(t *testing.T) {
			op, elsewhere := newOP(t), newOP(t)
			op.token = b.does(elsewhere)
			err := op.complete(t, op.client())
			if got := verdict(err); got != b.want {
				t.Errorf("%s, want %s", got, b.want)
			}
			if op.tokenHits.Load() != 1 || elsewhere.tokenHits.Load() != 0 || op.infoHits.Load() != 0 {
				t.Errorf("%d requests here and %d elsewhere", op.tokenHits.Load(), elsewhere.tokenHits.Load())
			}
			var retrieve *oauth2.RetrieveError
			if errors.As(err, &retrieve) || strings.Contains(err.Error(), "secret detail") {
				t.Errorf("the answer is in the error: %v", err)
			}
		})
	}
}

func badAnswers() []badAnswer {
	fixed := func(status int, contentType, body string) func(*testOP) http.HandlerFunc {
		return func(*testOP) http.HandlerFunc { return reply(status, contentType, body) }
	}
	elsewhere := func(status int) func(*testOP) http.HandlerFunc {
		return func(op *testOP) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, op.env.TokenEndpoint, status) }
		}
	}
	const form = "application/x-www-form-urlencoded"
	return []badAnswer{
		{"status 401", "rejects (request refused: token endpoint)",
			fixed(401, jsonType, `{"error":"invalid_client","error_description":"secret detail"}`)},
		{"status 400 that tells the wrong client authentication", "rejects (provider error: status)",
			fixed(400, "text/plain", "secret detail")},
		{"redirect 307 to another host", "rejects (token response: redirect)", elsewhere(http.StatusTemporaryRedirect)},
		{"redirect 302 to another host", "rejects (token response: redirect)", elsewhere(http.StatusFound)},
		{"no token_type", "rejects (token response: token_type)",
			fixed(200, jsonType, `{"access_token":"secret detail","id_token":"x"}`)},
		{"token_type mac", "rejects (token response: token_type)",
			fixed(200, jsonType, `{"access_token":"a","token_type":"mac","id_token":"x"}`)},
		{"negative expires_in", "rejects (token response: expires_in)",
			fixed(200, jsonType, `{`+goodAnswer+`,"expires_in":-1}`)},
		{"form-encoded answer", "rejects (token response: content-type)",
			fixed(200, form, "access_token=a&token_type=Bearer&id_token=x")},
		{"form-encoded answer as text/plain", "rejects (token response: content-type)",
			fixed(200, "text/plain", "access_token=a&token_type=Bearer&id_token=x")},
		{"access_token twice", "rejects (token response: form)",
			fixed(200, jsonType, `{`+goodAnswer+`,"access_token":"b"}`)},
		{"error with status 200", "rejects (request refused: token endpoint)",
			fixed(200, jsonType, `{`+goodAnswer+`,"error":"invalid_client"}`)},
	}
}

// testOpener is the RSA key that the provider encrypts to.
var testOpener = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func opens(c *Config) {
	key, err := NewDecryptionKey(testOpener(), "enc")
	if err != nil {
		panic(err)
	}
	c.Encryption.Keys = []DecryptionKey{key}
}

// encryptRaw makes a compact JWE under any header (RFC 7516, section 5.1) with A256GCM.
func encryptRaw(tb testing.TB, header string, plain []byte) string {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Error(err)
		}
	}
	cek, iv := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(cek)
	_, _ = rand.Read(iv)
	var wrapped []byte
	var err error
	to := &testOpener().PublicKey
	switch {
	case strings.Contains(header, "RSA1_5"):
		wrapped, err = rsa.EncryptPKCS1v15(rand.Reader, to, cek) //nolint:staticcheck // what is tested
	case strings.Contains(header, "RSA-OAEP-256"):
		wrapped, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, to, cek, nil)
	case strings.Contains(header, "RSA-OAEP"):
		wrapped, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, to, cek, nil)
	default: // dir: the key is what both agreed upon
	}
	must(err)
	block, err := aes.NewCipher(cek)
	must(err)
	gcm, err := cipher.NewGCM(block)
	must(err)
	first := b64(header)
	sealed := gcm.Seal(nil, iv, plain, []byte(first))
	tag := len(sealed) - gcm.Overhead()
	enc := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{first, enc(wrapped), enc(iv), enc(sealed[:tag]), enc(sealed[tag:])}, ".")
}

// encryptedAs makes the provider encrypt its ID tokens under a header.
func encryptedAs(header string, content func(signed string) []byte) func(*testOP) {
	return func(op *testOP) {
		op.alterID = func(s string) string { return encryptRaw(op.tb, header, content(s)) }
	}
}

func asIs(s string) []byte { return []byte(s) }

// mebibytes is as many MiB of zeros as a DEFLATE stream (RFC 1951) of about 1 KiB for each.
func mebibytes(n int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil || w.Flush() != nil {
		panic("cannot compress into memory")
	}
	// What Flush ends is a whole number of bytes and refers to nothing before its beginning.
	return append(bytes.Repeat(b.Bytes(), n), 3, 0) // and an empty last block
}

// bomb is 64 MiB of zeros in some 64 KiB.
func bomb(string) []byte { return mebibytes(64) }

// deflated is the token itself, compressed.
func deflated(s string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
		panic("cannot compress into memory")
	}
	return b.Bytes()
}

func badEncryptedTokens() []badToken {
	const good = `"kid":"enc","cty":"JWT"`
	refused := func(check string) string { return "rejects (ID token: " + check + ")" }
	return []badToken{
		{name: "JWE, without a decryption key", want: refused("form"),
			prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM",`+good+`}`, asIs)},
		{name: "JWE with RSA1_5", want: refused("alg"), prepare: encryptedAs(
			`{"alg":"RSA1_5","enc":"A256GCM",`+good+`}`, asIs), change: opens},
		{name: "JWE with RSA-OAEP (SHA-1), which is not allowed by default", want: refused("alg"),
			prepare: encryptedAs(`{"alg":"RSA-OAEP","enc":"A256GCM",`+good+`}`, asIs), change: opens},
		{name: "JWE with dir", want: refused("alg"), prepare: encryptedAs(`{"alg":"dir","enc":"A256GCM",`+good+`}`,
			asIs), change: opens},
		{name: "JWE with zip", want: refused("crit"), prepare: encryptedAs(
			`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF",`+good+`}`, deflated), change: opens},
		{name: "JWE with zip that inflates to 64 MiB", want: refused("crit"),
			prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF",`+good+`}`, bomb), change: opens},
		{name: "JWE that was altered", want: refused("decryption"), prepare: func(op *testOP) {
			op.alterID = func(s string) string {
				p := strings.Split(encryptRaw(op.tb, `{"alg":"RSA-OAEP-256","enc":"A256GCM",`+good+`}`, []byte(s)), ".")
				p[3] = b64("another") + p[3][len(b64("another")):]
				return strings.Join(p, ".")
			}
		}, change: opens},
		{name: "JWE of claims without a signature", want: refused("form"),
			prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc"}`, func(s string) []byte {
				claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(s, ".")[1])
				return claims
			}), change: opens},
	}
}

// The rows above are refused for what they are about: the same token without the fault is accepted.
func TestEncryptedTokenIsAccepted(t *testing.T) {
	op := newOP(t)
	encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","cty":"JWT"}`, asIs)(op)
	if err := op.complete(t, op.client(opens)); err != nil {
		t.Error(err)
	}
}

// Within every limit of size a compressed token is refused before anything is inflated.
func TestZipBombIsNotInflated(t *testing.T) {
	small := mebibytes(8)
	if n, err := io.Copy(io.Discard, flate.NewReader(bytes.NewReader(small))); err != nil || n != 8<<20 {
		t.Fatalf("the bomb has %d bytes, %v", n, err)
	}
	token := encryptRaw(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}`, small)
	if len(token) > 32<<10 {
		t.Fatalf("%d bytes", len(token))
	}
	_, _, err := jose.Decrypt(token, testOpener(), jose.DecryptOptions{})
	if j, ok := err.(*jose.Error); !ok || j.Check != jose.CheckCritical { //nolint:errorlint // unwrapped
		t.Errorf("%v", err)
	}
	op := newOP(t)
	op.info = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = w.Write([]byte(token))
	}
	wantError(t, op.complete(t, op.client(opens)), ReasonUserinfo, "crit")
}
