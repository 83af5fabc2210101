package authn

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
)

// rawJSON is a claim or member with a value that only text can express.
func rawJSON(s string) json.RawMessage { return json.RawMessage(s) }

// member puts a value into the answer of the token endpoint.
func member(name string, value any) func(*testOP) {
	return func(op *testOP) { op.answer = func(m claimsMap) { m[name] = value } }
}

// What decides nothing ends no login: an honest server may write null for what it has not got, 0 for a time that it
// does not know, or a form of its own. It is read as absent, and what cannot be read is recorded.
func TestOddServersLogIn(t *testing.T) {
	for _, row := range []struct {
		name    string
		odd     func(*testOP)
		problem string // what is recorded; empty: nothing
	}{
		{"nbf 0", claim("nbf", 0), ""},
		{"nbf null", claim("nbf", nil), ""},
		{"nbf negative", claim("nbf", -1), "nbf"},
		{"nbf a string", claim("nbf", "0"), "nbf"},
		{"nbf an object", claim("nbf", claimsMap{}), "nbf"},
		{"nbf a word", claim("nbf", "now"), "nbf"},
		{"auth_time 0", claim("auth_time", 0), ""},
		{"auth_time null", claim("auth_time", nil), ""},
		{"auth_time a string", claim("auth_time", "1764579540"), "auth_time"},
		{"auth_time a date", claim("auth_time", "2026-12-01T09:00:00Z"), "auth_time"},
		{"auth_time true", claim("auth_time", true), "auth_time"},
		{"auth_time with a fraction", claim("auth_time", rawJSON("1764579540.5")), ""},
		{"auth_time an array", claim("auth_time", []int{}), "auth_time"},
		{"auth_time negative", claim("auth_time", -1), "auth_time"},
		{"auth_time in milliseconds", claim("auth_time", int64(1764579540000)), "auth_time"},
		{"nbf an array", claim("nbf", []int{}), "nbf"},
		{"nbf far below any time", claim("nbf", rawJSON("-1e300")), "nbf"},
		{"iat with a fraction", claim("iat", rawJSON("1764579540.25")), ""},
		{"exp with an exponent", claim("exp", rawJSON("9.999999999e9")), ""},
		{"aud an array of one", claim("aud", []string{testClientID}), ""},
		{"aud names us twice", claim("aud", []string{testClientID, testClientID}), ""},
		{"acr null", claim("acr", nil), ""},
		{"acr empty", claim("acr", ""), ""},
		{"acr an object", claim("acr", claimsMap{}), "acr"},
		{"amr with null in it", claim("amr", []any{nil, "pin"}), "amr"},
		{"sid an object", claim("sid", claimsMap{}), ""},
		{"jti null", claim("jti", nil), ""},
		{"typ a number", claim("typ", 1), ""},
		{"a number out of range", claim("x", rawJSON("1e999")), ""},
		{"distributed claims as an array", claim("_claim_sources", []int{1}), ""},
		{"acr a number", claim("acr", 3), "acr"},
		{"acr an array", claim("acr", []string{"aal3"}), "acr"},
		{"amr null", claim("amr", nil), ""},
		{"amr a string", claim("amr", "pwd"), "amr"},
		{"amr of numbers", claim("amr", []int{1}), "amr"},
		{"amr an object", claim("amr", claimsMap{"pin": true}), "amr"},
		{"amr empty", claim("amr", []string{}), ""},
		{"c_hash null", claim("c_hash", nil), ""},
		{"sid null", claim("sid", nil), ""},
		{"distributed claims in no form", claim("_claim_sources", "x"), ""},
		{"distributed claims null", claim("_claim_names", nil), ""},
		{"claims of the server's own", claim("x", claimsMap{"y": []any{nil, 1}}), ""},

		{"scope null", member("scope", nil), ""},
		{"scope an array", member("scope", []string{"openid"}), "scope"},
		{"scope a number", member("scope", 1), "scope"},
		{"expires_in null", member("expires_in", nil), ""},
		{"expires_in a string", member("expires_in", "300"), "expires_in"},
		{"expires_in a word", member("expires_in", "soon"), "expires_in"},
		{"expires_in an object", member("expires_in", claimsMap{}), "expires_in"},
		{"expires_in out of range", member("expires_in", rawJSON("1e300")), "expires_in"},
		{"expires_in with a fraction", member("expires_in", rawJSON("299.9")), ""},
		{"expires_in 0", member("expires_in", 0), ""},
		{"refresh_expires_in null", member("refresh_expires_in", nil), ""},
		{"refresh_expires_in a string", member("refresh_expires_in", "1800"), ""},
		{"refresh_token null", member("refresh_token", nil), ""},
		{"refresh_token a number", member("refresh_token", 1), "refresh_token"},
		{"refresh_token too long", member("refresh_token", strings.Repeat("r", 1<<16+1)), "refresh_token"},
		{"scope an object", member("scope", claimsMap{}), "scope"},
		{"scope false", member("scope", false), "scope"},
		{"scope empty", member("scope", ""), ""},
		{"expires_in true", member("expires_in", true), "expires_in"},
		{"expires_in an array", member("expires_in", []int{300}), "expires_in"},
		{"refresh_token empty", member("refresh_token", ""), ""},
		{"refresh_token an object", member("refresh_token", claimsMap{}), "refresh_token"},
		{"token_type in capitals", member("token_type", "BEARER"), ""},
		{"error null", member("error", nil), ""},
		{"error empty", member("error", ""), ""},
		{"error false", member("error", false), ""},
		{"error 0", member("error", 0), ""},
		{"error an empty array", member("error", []int{}), ""},
		{"error an empty object", member("error", claimsMap{}), ""},
		{"error and its description empty", func(op *testOP) {
			op.answer = func(m claimsMap) { m["error"], m["error_description"], m["error_uri"] = "", "", nil }
		}, ""},
		{"error blank", member("error", " \n"), ""},
		{"session_state null", member("session_state", nil), ""},
		{"token_type with a space behind it", member("token_type", "Bearer "), ""},
		{"token_type between spaces, in odd case", member("token_type", "\tbEARER\n"), ""},
		{"a member twice inside of one that nobody reads", member("x", rawJSON(`{"a":1,"a":2,"A":[{"b":1,"b":2}]}`)), ""},
		{"a member that goes deep", member("x", rawJSON(strings.Repeat("[", 60)+strings.Repeat("]", 60))), ""},
		{"expires_in of a million years", member("expires_in", int64(1)<<45), ""},
		{"refresh_token false", member("refresh_token", false), "refresh_token"},
		{"scope with tabs and line ends", member("scope", " openid\tname address\n"), ""},
		{"scope a list of nulls", member("scope", []any{nil}), "scope"},

		{"a claim twice inside of another", claim("realm_access", rawJSON(`{"roles":[],"roles":[]}`)), ""},
		{"distributed claims twice", claim("_claim_sources", rawJSON(`{"a":{},"a":{}}`)), ""},
		{"a claim that goes deep", claim("x", rawJSON(strings.Repeat("[", 60)+strings.Repeat("]", 60))), ""},
		{"hundreds of claims", func(op *testOP) {
			op.claims = func(m claimsMap) {
				for i := range 500 {
					m["x"+strconv.Itoa(i)] = i
				}
			}
		}, ""},
		{"nbf 0 with a point", claim("nbf", rawJSON("0.0")), ""},
		{"nbf minus 0", claim("nbf", rawJSON("-0")), ""},
		{"nbf false", claim("nbf", false), "nbf"},
		{"nbf empty", claim("nbf", ""), "nbf"},
		{"nbf below what a number can hold", claim("nbf", rawJSON("-1e400")), "nbf"},
		{"auth_time 0 with a point", claim("auth_time", rawJSON("0.0")), ""},
		{"auth_time beyond what a number can hold", claim("auth_time", rawJSON("1e400")), "auth_time"},
		{"auth_time empty", claim("auth_time", ""), "auth_time"},
		{"auth_time by a clock that is a little ahead", claim("auth_time", newClock().now().Unix()+30), ""},
		{"a name without letters", claim("", 1), ""},
		{"not-before-policy", member("not-before-policy", 0), ""},

		{"kid empty in the header", func(op *testOP) {
			op.header, op.published = `{"alg":"ES256","kid":""}`, op.published[:1]
		}, ""},
		{"members of the header that nobody reads", func(op *testOP) {
			op.header = `{"alg":"ES256","x5c":null,"jwk":null,"jku":1,"x5t":[],"cty":null,"kid":"` +
				testECKey().KeyID() + `"}`
		}, ""},
		{"a chain that is none in the header", func(op *testOP) {
			op.header = `{"alg":"ES256","x5c":["` + strings.Repeat("A", 9000) + `"],"kid":"` + testECKey().KeyID() + `"}`
		}, ""},
		{"a key that is none in the header, and nothing encrypted", func(op *testOP) {
			op.header = `{"alg":"ES256","jwk":{"kty":"EC","kty":1},"enc":null,"kid":"` + testECKey().KeyID() + `"}`
		}, ""},
		{"cty a number, typ with a space in the header", func(op *testOP) {
			op.header = `{"alg":"ES256","cty":1,"typ":"JWT ","kid":"` + testECKey().KeyID() + `"}`
		}, ""},
		{"typ in small letters in the header", func(op *testOP) {
			op.header = `{"alg":"ES256","typ":"jwt","kid":"` + testECKey().KeyID() + `"}`
		}, ""},
		{"kid null in the header", func(op *testOP) {
			op.header, op.published = `{"alg":"ES256","kid":null}`, op.published[:1]
		}, ""},
		{"typ null in the header", func(op *testOP) {
			op.header = `{"alg":"ES256","typ":null,"kid":"` +
				testECKey().KeyID() + `"}`
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			op := newOP(t)
			row.odd(op)
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			if err != nil {
				t.Fatalf("%v (%v)", err, kakunin.FamilyOf(err))
			}
			var problems []string
			for _, p := range id.Problems {
				problems = append(problems, p.Attribute)
				if (p.RevealRaw() == nil) != (p.Attribute == "refresh_token") {
					t.Errorf("%s: raw %s", p.Attribute, p.RevealRaw())
				}
			}
			if got := strings.Join(problems, " "); got != row.problem {
				t.Errorf("problems %q, want %q", got, row.problem)
			}
			if row.problem == "auth_time" && !id.AuthTime.IsZero() || row.problem == "amr" && id.AMR != nil ||
				row.problem == "acr" && id.ACR != "" {
				t.Error("what cannot be read is not unknown")
			}
			if row.problem == "scope" && (id.GrantedListed || !slices.Equal(id.Granted, id.Asked)) {
				t.Errorf("granted %v", id.Granted)
			}
		})
	}
}

// Beside every form that is forgiven stands one that decides, and is not.
func TestOddServersAreNotBelieved(t *testing.T) {
	ahead := newClock().now().Add(time.Hour).Unix()
	for _, row := range []struct {
		name string
		odd  func(*testOP)
		want string
	}{
		{"nbf in an hour", claim("nbf", ahead), "rejects (ID token: nbf)"},
		{"nbf after the last time there is", claim("nbf", int64(maxUnixTime)), "rejects (ID token: nbf)"},
		{"nbf beyond what can be counted", claim("nbf", rawJSON("1e300")), "rejects (ID token: nbf)"},
		{"nbf beyond what a number can hold", claim("nbf", rawJSON("1e400")), "rejects (ID token: nbf)"},
		{"nbf in milliseconds", claim("nbf", newClock().now().UnixMilli()), "rejects (ID token: nbf)"},
		{"auth_time in an hour", claim("auth_time", ahead), "rejects (ID token: auth_time)"},
		{"exp null", claim("exp", nil), "rejects (ID token: exp)"},
		{"exp 0", claim("exp", 0), "rejects (ID token: exp)"},
		{"exp a string", claim("exp", "9999999999"), "rejects (ID token: exp)"},
		{"iat null", claim("iat", nil), "rejects (ID token: iat)"},
		{"iat 0", claim("iat", 0), "rejects (ID token: iat)"},
		{"nonce null", claim("nonce", nil), "rejects (ID token: nonce)"},
		{"sub null", claim("sub", nil), "rejects (ID token: sub)"},
		{"iss null", claim("iss", nil), "rejects (ID token: iss)"},
		{"aud null", claim("aud", nil), "rejects (ID token: aud)"},
		{"azp null", claim("azp", nil), "rejects (ID token: azp)"},
		{"at_hash null", claim("at_hash", nil), "rejects (ID token: at_hash)"},
		{"c_hash of another code", claim("c_hash", "x"), "rejects (ID token: c_hash)"},
		{"c_hash a number", claim("c_hash", 1), "rejects (ID token: c_hash)"},
		{"id_token null", member("id_token", nil), "rejects (token response: id_token)"},
		{"access_token null", member("access_token", nil), "rejects (token response: access_token)"},
		{"token_type null", member("token_type", nil), "rejects (token response: token_type)"},
		{"c_hash empty", claim("c_hash", ""), "rejects (ID token: c_hash)"},
		{"exp in the past with an exponent", claim("exp", rawJSON("1.5e9")), "rejects (ID token: exp)"},
		{"zip null in the header", func(op *testOP) { op.header = `{"alg":"ES256","zip":null}` },
			"rejects (ID token: crit)"},
		{"typ of an access token in the header", func(op *testOP) { op.header = `{"alg":"ES256","typ":"at+jwt"}` },
			"rejects (ID token: typ)"},
		{"typ of an access token with a space in the header",
			func(op *testOP) { op.header = `{"alg":"ES256","typ":" application/at+jwt "}` }, "rejects (ID token: typ)"},
		{"alg with a space in the header", func(op *testOP) { op.header = `{"alg":"ES256 "}` }, "rejects (ID token: alg)"},
		{"alg in small letters in the header", func(op *testOP) { op.header = `{"alg":"es256"}` },
			"rejects (ID token: alg)"},
		{"Crit in the header", func(op *testOP) { op.header = `{"alg":"ES256","Crit":[]}` }, "rejects (ID token: crit)"},
		{"kid and KID in the header", func(op *testOP) { op.header = `{"alg":"ES256","kid":"a","KID":"b"}` },
			"rejects (ID token: header)"},
		{"enc in the header of three parts", func(op *testOP) { op.header = `{"alg":"ES256","enc":"A256GCM"}` },
			"rejects (ID token: header)"},
		{"token_type of two words", member("token_type", "Bearer mac"), "rejects (token response: token_type)"},
		{"token_type N_A", member("token_type", "N_A"), "rejects (token response: token_type)"},
		{"token_type a list", member("token_type", []string{"Bearer"}), "rejects (token response: token_type)"},
		{"azp empty", claim("azp", ""), "rejects (ID token: azp)"},
		{"azp a list", claim("azp", []string{testClientID}), "rejects (ID token: azp)"},
		{"aud with a space behind it", claim("aud", testClientID+" "), "rejects (ID token: aud)"},
		{"aud in small letters", claim("aud", strings.ToLower(testClientID)), "rejects (ID token: aud)"},
		{"aud of two clients in one text", claim("aud", testClientID+",x"), "rejects (ID token: aud)"},
		{"aud an empty list", claim("aud", []string{}), "rejects (ID token: aud)"},
		{"aud a list in a list", claim("aud", [][]string{{testClientID}}), "rejects (ID token: aud)"},
		{"iss with a slash", func(op *testOP) { claim("iss", op.env.Issuer+"/")(op) }, "rejects (ID token: iss)"},
		{"iss a list", func(op *testOP) { claim("iss", []string{op.env.Issuer})(op) }, "rejects (ID token: iss)"},
		{"nonce a list", func(op *testOP) {
			op.claims = func(m claimsMap) { m["nonce"] = []any{m["nonce"]} }
		}, "rejects (ID token: nonce)"},
		{"nonce with a space behind it", func(op *testOP) {
			op.claims = func(m claimsMap) { m["nonce"] = m["nonce"].(string) + " " }
		}, "rejects (ID token: nonce)"},
		{"at_hash of the whole hash", claim("at_hash", strings.Repeat("A", 43)), "rejects (ID token: at_hash)"},
		{"at_hash empty", claim("at_hash", ""), "rejects (ID token: at_hash)"},
		{"typ a number in the header", func(op *testOP) { op.header = `{"alg":"ES256","typ":1}` },
			"rejects (ID token: header)"},
		{"kid a number in the header", func(op *testOP) { op.header = `{"alg":"ES256","kid":1}` },
			"rejects (ID token: header)"},
		{"a token that is over", member("expires_in", -1), "rejects (token response: expires_in)"},
		{"alg null in the header", func(op *testOP) { op.header = `{"alg":null}` }, "rejects (ID token: header)"},
		{"crit null in the header", func(op *testOP) { op.header = `{"alg":"ES256","crit":null}` },
			"rejects (ID token: crit)"},
		{"kid null, and two keys fit", func(op *testOP) {
			op.header = `{"alg":"ES256","kid":null}`
			op.published = append(op.published, testOtherEC().signing().Public())
		}, "rejects (ID token: key)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			op := newOP(t)
			row.odd(op)
			_, err := op.login(op.client(), Request{})
			if got := verdict(err); got != row.want || kakunin.FamilyOf(err) != kakunin.Untrusted {
				t.Errorf("%s (%v), want %s", got, kakunin.FamilyOf(err), row.want)
			}
		})
	}
	op := newOP(t)
	op.claims = func(m claimsMap) { m["acr"] = []string{"aal3"} }
	_, err := op.login(op.client(func(c *Config) { c.Rules.RequireACR = []string{"aal3"} }), Request{})
	wantError(t, err, ReasonIDToken, "acr")
}

// Metadata that say nothing forbid nothing.
func TestOddMetadata(t *testing.T) {
	for name, row := range map[string]struct {
		change func(claimsMap)
		ok     bool
	}{
		"lists null": {func(m claimsMap) {
			m["code_challenge_methods_supported"], m["response_types_supported"] = nil, nil
			m["token_endpoint_auth_methods_supported"] = nil
		}, true},
		"lists in which something is no word": {func(m claimsMap) {
			m["code_challenge_methods_supported"] = []any{nil, "S256", 1}
			m["response_types_supported"] = []any{[]string{"code"}}
			m["token_endpoint_auth_methods_supported"] = "client_secret_basic private_key_jwt"
		}, true},
		"lists that are none": {func(m claimsMap) {
			m["code_challenge_methods_supported"], m["response_types_supported"] = 1, claimsMap{"code": true}
			m["token_endpoint_auth_methods_supported"], m["scopes_supported"] = false, 7
		}, true},
		"iss parameter a word": {func(m claimsMap) { m["authorization_response_iss_parameter_supported"] = "true" },
			true},
		"a word without what we do": {func(m claimsMap) { m["code_challenge_methods_supported"] = "plain" }, false},
		"a list with null without what we do": {func(m claimsMap) {
			m["code_challenge_methods_supported"] = []any{nil, "plain"}
		}, false},
		"a list of another kind": {func(m claimsMap) { m["code_challenge_methods_supported"] = "S256" }, true},
		"iss parameter null": {func(m claimsMap) { m["authorization_response_iss_parameter_supported"] = nil },
			true},
		"a list without what we do": {func(m claimsMap) { m["code_challenge_methods_supported"] = []string{"plain"} },
			false},
		"an empty list": {func(m claimsMap) { m["response_types_supported"] = []string{} }, false},
		"a member twice inside of another": {func(m claimsMap) {
			m["mtls_endpoint_aliases"] = rawJSON(`{"token_endpoint":"a","token_endpoint":"b"}`)
		}, true},
		"a member that goes deep": {func(m claimsMap) {
			m["x"] = rawJSON(strings.Repeat("[", 60) + strings.Repeat("]", 60))
		}, true},
		"hundreds of members": {func(m claimsMap) {
			for i := range 500 {
				m["x"+strconv.Itoa(i)] = i
			}
		}, true},
		"an endpoint that is there twice": {func(m claimsMap) {
			m["Token_Endpoint"] = m["token_endpoint"]
		}, false},
		"issuer null":         {func(m claimsMap) { m["issuer"] = nil }, false},
		"token endpoint null": {func(m claimsMap) { m["token_endpoint"] = nil }, false},
	} {
		op := newOP(t)
		op.metadata = row.change
		env, err := Discover(t.Context(), http.DefaultClient, op.env.Issuer)
		if (err == nil) != row.ok || row.ok && env.TokenEndpoint != op.env.TokenEndpoint {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Attributes in forms of their own make no login fail: each is read, or is a Problem.
func TestOddUserinfoLogsIn(t *testing.T) {
	parts := claimsMap{"region": "東京都", "locality": "清瀬市", "street_address": "架空町１－２－３"}
	with := func(formatted any) claimsMap {
		m := maps.Clone(parts)
		m["formatted"] = formatted
		return m
	}
	const whole = "東京都清瀬市架空町１－２－３"
	for _, row := range []struct {
		name, claim string
		value       any
		problem     string // what is recorded; empty: nothing
		address     string
	}{
		{"name null", "name", nil, "", whole}, {"name a number", "name", 7, "name", whole},
		{"name an array", "name", []string{"試験"}, "name", whole}, {"name an object", "name", claimsMap{}, "name",
			whole},
		{"name empty", "name", "", "name", whole},
		{"address null", "address", nil, "", ""}, {"address an array", "address", []string{whole}, "address", ""},
		{"address false", "address", false, "address", ""}, {"address an empty object", "address", claimsMap{},
			"address", ""},
		{"formatted missing", "address", parts, "address", whole},
		{"formatted null", "address", with(nil), "address", whole},
		{"formatted empty", "address", with(""), "address", whole},
		{"formatted blank", "address", with("\u3000"), "address", whole},
		{"formatted a number", "address", with(1), "address", ""},
		{"formatted an object", "address", with(claimsMap{}), "address", ""},
		{"formatted blank and alone", "address", claimsMap{"formatted": " "}, "address", ""},
		{"formatted a number and alone", "address", claimsMap{"formatted": 1}, "address", ""},
		{"formatted good, the rest odd", "address", claimsMap{"formatted": whole, "region": 1, "country": nil}, "",
			whole},
		{"parts null, postal code a number", "address", claimsMap{"region": "東京都", "locality": "清瀬市",
			"street_address": nil, "postal_code": 2040001}, "address", "東京都清瀬市"},
		{"birthdate a number", "birthdate", 19900405, "birthdate", whole},
		{"birthdate with a time", "birthdate", "1990-04-05T00:00:00Z", "birthdate", whole},
		{"birthdate empty", "birthdate", "", "birthdate", whole}, {"birthdate null", "birthdate", nil, "", whole},
		{"gender true", "gender", true, "gender", whole}, {"gender a number", "gender", 2, "", whole},
		{"gender an array", "gender", []int{2}, "gender", whole},
		{"email_verified null", "email_verified", nil, "", whole}, {"updated_at a word", "updated_at", "x", "", whole},
		{"iss null", "iss", nil, "", whole}, {"aud a number, unsigned", "aud", 1, "", whole},
	} {
		op := newOP(t)
		op.person[row.claim] = row.value
		id, err := op.login(op.client(), Request{Scopes: Attributes})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		var problems []string
		for _, p := range id.Problems {
			problems = append(problems, p.Attribute)
		}
		if got := strings.Join(problems, " "); got != row.problem || id.Person.Address.Reveal() != row.address {
			t.Errorf("%s: problems %q, address %q", row.name, got, id.Person.Address.Reveal())
		}
	}
	for name, sub := range map[string]any{"null": nil, "a number": 7, "an array": []string{testSubject}, "empty": ""} {
		op := newOP(t)
		op.person["sub"] = sub
		_, err := op.login(op.client(), Request{Scopes: Attributes})
		if wantError(t, err, ReasonUserinfo, "sub"); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("sub %s: %v", name, err)
		}
	}
}
