package authn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

func set(name string, value any) func(claimsMap) { return func(m claimsMap) { m[name] = value } }
func without(name string) func(claimsMap)        { return func(m claimsMap) { delete(m, name) } }

// Each row is an ID token that is correctly signed but for what the row is about. The first group breaks one claim.
func TestRefusedClaims(t *testing.T) {
	at := newClock().now()
	unix := func(d time.Duration) int64 { return at.Add(d).Unix() }
	for _, c := range []struct {
		name, check string
		change      func(claimsMap)
	}{
		{"missing iss", "iss", without("iss")},
		{"a claim whose source is not there, which go-oidc looks at", "claims",
			set("_claim_names", claimsMap{"address": "nowhere"})},
		{"iss of another environment", "iss", set("iss", Production().Issuer)},
		{"iss with a slash at the end", "iss", func(m claimsMap) { m["iss"] = m["iss"].(string) + "/" }},
		{"iss is an array", "iss", func(m claimsMap) { m["iss"] = []any{m["iss"]} }},
		{"missing aud", "aud", without("aud")},
		{"aud of another client", "aud", set("aud", "RP00000002")},
		{"aud contains the client id as a part", "aud", set("aud", testClientID+"0")},
		{"aud is a list of others", "aud", set("aud", []string{"a", "b"})},
		{"aud is empty", "aud", set("aud", []string{})},
		{"aud is a number", "aud", set("aud", 1)},
		{"two audiences without azp", "azp", func(m claimsMap) {
			m["aud"] = []string{testClientID, "stranger"}
			delete(m, "azp")
		}},
		{"two audiences, azp of the other", "azp", func(m claimsMap) {
			m["aud"] = []string{testClientID, "stranger"}
			m["azp"] = "stranger"
		}},
		{"azp of another client", "azp", set("azp", "stranger")},
		{"azp is no string", "azp", set("azp", []string{testClientID})},
		{"missing exp", "exp", without("exp")},
		{"expired", "exp", set("exp", unix(-61*time.Second))},
		{"exp is a string", "exp", set("exp", "9999999999")},
		{"exp is zero", "exp", set("exp", 0)},
		{"exp beyond time", "exp", set("exp", 1e17)},
		{"missing iat", "iat", without("iat")},
		{"iat one day ahead", "iat", set("iat", unix(24*time.Hour))},
		{"iat beyond the skew", "iat", set("iat", unix(61*time.Second))},
		{"iat is null", "iat", set("iat", nil)},
		{"nbf beyond the skew", "nbf", set("nbf", unix(4*time.Minute))},
		{"auth_time beyond the skew", "auth_time", set("auth_time", unix(61*time.Second))},
		{"c_hash of another code", "c_hash", set("c_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{"c_hash is no string", "c_hash", set("c_hash", 1)},
		{"missing sub", "sub", without("sub")},
		{"empty sub", "sub", set("sub", "")},
		{"sub is a number", "sub", set("sub", 7)},
		{"sub outside ASCII", "sub", set("sub", "利用者")},
		{"sub with a line break", "sub", set("sub", "a\nb")},
		{"sub too long", "sub", set("sub", strings.Repeat("s", limits.Subject+1))},
		{"missing nonce", "nonce", without("nonce")},
		{"wrong nonce", "nonce", set("nonce", "0000000000000000000000000000000000000000000")},
		{"empty nonce", "nonce", set("nonce", "")},
		{"missing at_hash", "at_hash", without("at_hash")},
		{"at_hash of another token", "at_hash", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{"at_hash is the whole hash", "at_hash", set("at_hash", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := newOP(t)
			op.claims = c.change
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			e := wantError(t, err, ReasonIDToken, c.check)
			if id != nil || e.Family() != kakunin.Untrusted || op.infoHits.Load() != 0 {
				t.Error("something came of a bad token")
			}
		})
	}
}

// The second group: the token as such.
func TestRefusedTokens(t *testing.T) {
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	head := func(h string) func(*testOP) { return func(op *testOP) { op.header = h } }
	alter := func(f func(string) string) func(*testOP) { return func(op *testOP) { op.alterID = f } }
	kid, rsaKid := testECKey().KeyID(), testRSAKey().KeyID()
	replaceLast := func(old, s string) func(string) string {
		return func(payload string) string {
			return strings.TrimSuffix(payload, "}") + s + strings.TrimPrefix(old, "}")
		}
	}
	for _, c := range []struct {
		name, check string
		prepare     func(*testOP)
	}{
		{"unknown crit", "crit", head(`{"alg":"ES256","kid":"` + kid + `","crit":["x"],"x":1}`)},
		{"b64", "crit", head(`{"alg":"ES256","kid":"` + kid + `","b64":false}`)},
		{"zip", "crit", head(`{"alg":"ES256","kid":"` + kid + `","zip":"DEF"}`)},
		{"alg none over a signature", "alg", head(`{"alg":"none","kid":"` + kid + `"}`)},
		{"alg none without signature", "alg", alter(func(s string) string {
			return enc(`{"alg":"none"}`) + "." + strings.Split(s, ".")[1] + "."
		})},
		{"alg HS256", "alg", head(`{"alg":"HS256","kid":"` + kid + `"}`)},
		{"alg absent", "alg", head(`{"kid":"` + kid + `"}`)},
		{"alg PS256 is not allowed by default", "alg", func(op *testOP) {
			op.idKey = testRSAKey()
			op.header = `{"alg":"PS256","kid":"` + rsaKid + `"}`
		}},
		{"alg RS256 with the kid of the EC key", "key", head(`{"alg":"RS256","kid":"` + kid + `"}`)},
		{"alg ES256 with the kid of the RSA key", "key", head(`{"alg":"ES256","kid":"` + rsaKid + `"}`)},
		{"duplicate alg", "header", head(`{"alg":"ES256","alg":"ES256","kid":"` + kid + `"}`)},
		{"typ at+jwt", "typ", head(`{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`)},
		{"typ logout+jwt", "typ", head(`{"alg":"ES256","kid":"` + kid + `","typ":"logout+jwt"}`)},
		{"foreign key under a known kid", "signature", func(op *testOP) {
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + kid + `"}`
		}},
		{"foreign key", "key", func(op *testOP) { op.idKey = testOtherEC() }},
		{"header jwk", "signature", func(op *testOP) {
			jwks, err := testOtherEC().PublicJWKS()
			if err != nil {
				op.tb.Fatal(err)
			}
			var doc struct{ Keys []json.RawMessage }
			if json.Unmarshal(jwks, &doc) != nil {
				op.tb.Fatal("JWKS")
			}
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + kid + `","jwk":` + string(doc.Keys[0]) + `}`
		}},
		{"no kid and two keys that fit", "key", func(op *testOP) {
			op.publish(testECKey(), testOtherEC())
			op.header = `{"alg":"ES256"}`
		}},
		{"altered payload", "signature", alter(func(s string) string {
			p := strings.Split(s, ".")
			return p[0] + "." + enc(`{"sub":"x"}`) + "." + p[2]
		})},
		{"duplicate sub", "claims", func(op *testOP) { op.rawClaims = replaceLast("}", `,"sub":"x"}`) }},
		{"sub and SUB", "claims", func(op *testOP) { op.rawClaims = replaceLast("}", `,"SUB":"x"}`) }},
		{"bytes after the claims", "claims", func(op *testOP) {
			op.rawClaims = func(s string) string { return s + "x" }
		}},
		{"claims are an array", "claims", func(op *testOP) {
			op.rawClaims = func(s string) string { return "[" + s + "]" }
		}},
		{"JSON serialization", "form", alter(func(s string) string {
			p := strings.Split(s, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		})},
		{"space before", "form", alter(func(s string) string { return " " + s })},
		{"newline after", "form", alter(func(s string) string { return s + "\n" })},
		{"padding", "form", alter(func(s string) string { return s + "==" })},
		{"two parts", "form", alter(func(s string) string { return s[:strings.LastIndexByte(s, '.')] })},
		{"encrypted", "form", alter(func(s string) string { return s + ".x.y" })},
		{"too large", "size", func(op *testOP) { op.claims = set("x", strings.Repeat("x", limits.Token)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := newOP(t)
			c.prepare(op)
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			wantError(t, err, ReasonIDToken, c.check)
			if id != nil || op.infoHits.Load() != 0 {
				t.Error("something came of a bad token")
			}
		})
	}
}

func TestAcceptedTokens(t *testing.T) {
	at := newClock().now()
	unix := func(d time.Duration) int64 { return at.Add(d).Unix() }
	for name, prepare := range map[string]func(*testOP){
		"aud as an array of one":       func(op *testOP) { op.claims = set("aud", []string{testClientID}) },
		"two audiences and our azp":    func(op *testOP) { op.claims = set("aud", []string{"other", testClientID}) },
		"no azp":                       func(op *testOP) { op.claims = without("azp") },
		"no kid and one key that fits": func(op *testOP) { op.header = `{"alg":"ES256"}` },
		"no typ": func(op *testOP) {
			op.header = `{"alg":"ES256","kid":"` + testECKey().KeyID() +
				`"}`
		},
		"typ application/jwt": func(op *testOP) { op.header = `{"typ":"application/jwt","alg":"ES256"}` },
		"jku is ignored": func(op *testOP) {
			op.header = `{"alg":"ES256","jku":"https://evil.example/"}`
		},
		"expired within the skew":   func(op *testOP) { op.claims = set("exp", unix(-59*time.Second)) },
		"iat ahead within the skew": func(op *testOP) { op.claims = set("iat", unix(59*time.Second)) },
		"nbf ahead within the skew": func(op *testOP) { op.claims = set("nbf", unix(59*time.Second)) },
		"times with fractions":      func(op *testOP) { op.claims = set("iat", float64(unix(0))+0.5) },
		"sub of 255 characters": func(op *testOP) {
			op.claims = set("sub", strings.Repeat("s", 255))
			op.person = with(op.person, "sub", strings.Repeat("s", 255))
		},
		"no acr, amr, auth_time": func(op *testOP) {
			op.claims = func(m claimsMap) { delete(m, "acr"); delete(m, "amr"); delete(m, "auth_time") }
		},
		"decoy keys with the same kid":       decoys,
		"unknown claims":                     func(op *testOP) { op.claims = set("x", claimsMap{"y": []int{1}}) },
		"lifetime absent":                    func(op *testOP) { op.answer = without("expires_in") },
		"token type in lower case":           func(op *testOP) { op.answer = set("token_type", "bearer") },
		"lifetime larger than a time":        func(op *testOP) { op.answer = set("expires_in", int64(1)<<31) },
		"further members in the answer":      func(op *testOP) { op.answer = set("not-before-policy", 0) },
		"a refresh token that nobody wanted": func(op *testOP) { op.answer = set("refresh_token", "r") },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			prepare(op)
			if _, err := op.login(op.client(), Request{Scopes: Attributes}); err != nil {
				t.Error(err)
			}
		})
	}
}

// decoys surrounds the real key with keys that differ in purpose only.
func decoys(op *testOP) {
	real := testECKey().signing().Public()
	other := testOtherEC().signing().Public()
	other.KeyID = real.KeyID
	enc, alg, rsa := other, other, testOtherRSA().signing().Public()
	enc.Use, enc.Algorithm = "enc", ""
	alg.Algorithm = "ES384"
	rsa.KeyID = real.KeyID
	op.published = []jose.PublicKey{enc, alg, rsa, real}
}

func TestRequireACR(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Rules.RequireACR = []string{"aal3", "aal4"} })
	if _, err := op.login(c, Request{}); err != nil {
		t.Error(err)
	}
	for _, change := range []func(claimsMap){set("acr", "aal2"), without("acr"), set("acr", "")} {
		op.claims = change
		_, err := op.login(c, Request{})
		wantError(t, err, ReasonIDToken, "acr")
	}
}

func TestAtHashOptional(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Rules.AtHashOptional = true })
	op.claims = without("at_hash")
	if _, err := op.login(c, Request{}); err != nil {
		t.Error(err)
	}
	op.claims = set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")
	_, err := op.login(c, Request{})
	wantError(t, err, ReasonIDToken, "at_hash")
}

func TestNarrowedAlgorithms(t *testing.T) {
	op := newOP(t)
	only := op.client(func(c *Config) { c.Rules.Algorithms = []Algorithm{RS256} })
	_, err := op.login(only, Request{})
	wantError(t, err, ReasonIDToken, "alg")
	ps, err := testRSAKey().WithAlgorithm(PS256)
	if err != nil {
		t.Fatal(err)
	}
	op.idKey = ps
	op.publish(ps)
	if _, err := op.login(op.client(func(c *Config) { c.Rules.Algorithms = []Algorithm{PS256} }),
		Request{}); err != nil {
		t.Error(err)
	}
}

func TestSkewIsConfigurable(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Rules.IssuedAtSkew, c.Rules.ExpirySkew = 5*time.Second, 5*time.Second })
	op.claims = set("iat", op.clock.now().Add(6*time.Second).Unix())
	_, err := op.login(c, Request{})
	wantError(t, err, ReasonIDToken, "iat")
	op.claims = set("exp", op.clock.now().Add(-6*time.Second).Unix())
	_, err = op.login(c, Request{})
	wantError(t, err, ReasonIDToken, "exp")
}

// Each tolerance moves its own check and no other.
func TestSkewsAreSeparate(t *testing.T) {
	ahead := set("iat", newClock().now().Add(30*time.Second).Unix())
	late := set("exp", newClock().now().Add(-30*time.Second).Unix())
	for name, row := range map[string]struct {
		iat, exp   time.Duration
		claims     func(claimsMap)
		wantRefuse string
	}{
		"both default, clock ahead": {0, 0, ahead, ""},
		"both default, late":        {0, 0, late, ""},
		"iat narrow, clock ahead":   {time.Nanosecond, 0, ahead, "iat"},
		"iat narrow, late":          {time.Nanosecond, 0, late, ""},
		"exp narrow, clock ahead":   {0, time.Nanosecond, ahead, ""},
		"exp narrow, late":          {0, time.Nanosecond, late, "exp"},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			op.claims = row.claims
			_, err := op.login(op.client(func(c *Config) {
				c.Rules.IssuedAtSkew, c.Rules.ExpirySkew = row.iat,
					row.exp
			}), Request{})
			if row.wantRefuse != "" {
				wantError(t, err, ReasonIDToken, row.wantRefuse)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCodeHashOfTheCode(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	sum := sha256.Sum256([]byte(q.Get("code")))
	op.claims = set("c_hash", base64.RawURLEncoding.EncodeToString(sum[:16]))
	if _, err := c.Finish(t.Context(), begun.Pending, q); err != nil {
		t.Error(err)
	}
}

// FuzzIDTokenClaims feeds the rules with payloads that somebody signed. What passes must have said everything itself.
func FuzzIDTokenClaims(f *testing.F) {
	op := newOP(f)
	c := op.client()
	const nonce = "4vXcQ0QzKp3F2m0yYb3Ck1lq3q9m3rJ7w5k8Jx1Zz0U"
	_, payload, _ := strings.Cut(op.idToken(nonce, testAccess), ".")
	payload, _, _ = strings.Cut(payload, ".")
	good, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"iss":null,"aud":[[]],"exp":1e400,"iat":-0,"sub":"\ud800","nonce":{}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		members, _ := strictjson.Object(payload)
		claims, check := c.checkClaims(members, func(m map[string]json.RawMessage, _ *idClaims) string {
			return checkAtHash(m, testAccess, true)
		})
		if check != "" {
			return
		}
		var m struct {
			Iss, Sub string
			Exp, Iat float64
		}
		if err := json.Unmarshal(payload, &m); err != nil || m.Iss != c.env.Issuer || m.Sub != claims.subject ||
			m.Sub == "" || m.Exp <= 0 || m.Iat <= 0 {
			t.Fatalf("%s: %v", payload, err)
		}
	})
}

// A warm verification allocates little and asks nobody.
func TestVerificationIsLean(t *testing.T) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		op := newOP(t)
		op.idKey = key
		c := op.client()
		const nonce = "4vXcQ0QzKp3F2m0yYb3Ck1lq3q9m3rJ7w5k8Jx1Zz0U"
		raw := op.idToken(nonce, testAccess)
		n := testing.AllocsPerRun(100, func() {
			if _, err := c.verifyIDToken(t.Context(), raw, testAccess, nonce); err != nil {
				t.Fatal(err)
			}
		})
		if n > 150 || op.jwksHits.Load() != 1 {
			t.Errorf("%s: %v allocations, %d fetches of keys", key.Algorithm(), n, op.jwksHits.Load())
		}
	}
}
