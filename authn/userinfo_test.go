package authn

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

const goodInfo = `{"sub":"` + testSubject + `","name":"試験　花子"}`

func TestRefusedUserinfo(t *testing.T) {
	for _, c := range []struct {
		name   string
		info   http.HandlerFunc
		reason Reason
		check  string
	}{
		{"sub of another person", reply(200, jsonType, `{"sub":"other","name":"x"}`), ReasonUserinfo, "sub"},
		{"sub missing", reply(200, jsonType, `{"name":"x"}`), ReasonUserinfo, "sub"},
		{"sub is no string", reply(200, jsonType, `{"sub":["`+testSubject+`"]}`), ReasonUserinfo, "sub"},
		{"sub twice", reply(200, jsonType, `{"sub":"`+testSubject+`","sub":"`+testSubject+`"}`), ReasonUserinfo,
			"form"},
		{"name twice", reply(200, jsonType, `{"sub":"`+testSubject+`","name":"a","Name":"b"}`), ReasonUserinfo, "form"},
		{"HTML", reply(200, "text/html", goodInfo), ReasonUserinfo, "content-type"},
		{"no content type", reply(200, "?", goodInfo), ReasonUserinfo, "content-type"},
		{"no JSON", reply(200, jsonType, "x"), ReasonUserinfo, "form"},
		{"truncated", reply(200, jsonType, goodInfo[:20]), ReasonUserinfo, "form"},
		{"too large", reply(200, jsonType, `{"x":"`+strings.Repeat("x", limits.Userinfo)+`"}`), ReasonUserinfo, "size"},
		{"redirect", reply(302, jsonType, goodInfo), ReasonUserinfo, "redirect"},
		{"status 204", reply(204, jsonType, ""), ReasonProviderError, "userinfo: status"},
		{"status 401", reply(401, jsonType, `{"error":"invalid_token"}`), ReasonTokenRejected, "userinfo: status"},
		{"status 503", reply(503, jsonType, `{}`), ReasonTransport, "userinfo: status"},
		{"error with status 200", reply(200, jsonType, `{"error":"server_error"}`), ReasonProviderError,
			"userinfo: status"},
		{"token refused with status 200", reply(200, jsonType, `{"sub":null,"error":"invalid_token"}`),
			ReasonTokenRejected, "userinfo: status"},
		{"error beside another sub", reply(200, jsonType, `{"sub":"other","error":"invalid_token"}`), ReasonUserinfo,
			"sub"},
		{"empty error and no sub", reply(200, jsonType, `{"error":""}`), ReasonUserinfo, "sub"},
		{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ReasonTransport,
			"userinfo: connection"},
		{"jwt that is none", reply(200, "application/jwt", goodInfo), ReasonUserinfo, "form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := newOP(t)
			op.info = c.info
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			wantError(t, err, c.reason, c.check)
			if id != nil {
				t.Error("an identity came out")
			}
		})
	}
}

func TestUserinfoFormsThatAreForgiven(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/json;charset=UTF-8",
		"Application/JSON ; charset=\"utf-8\"", "application/json; charset", "application/userinfo+json", "text/json",
		"application/json;charset=utf-8; charset=UTF-8", "application/json, application/json"} {
		op := newOP(t)
		op.info = reply(200, contentType, goodInfo)
		if id, err := op.login(op.client(), Request{Scopes: Name}); err != nil || !id.Person.Name.Present() {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	// What nobody reads may be odd, whatever there is of it.
	for name, more := range map[string]string{
		"a member twice inside of another": `"x":{"a":1,"a":2}`, "error empty": `"error":"","error_description":null`,
		"deep":                          `"x":` + strings.Repeat("[", 60) + strings.Repeat("]", 60),
		"a picture":                     `"picture":"` + strings.Repeat("A", 200_000) + `"`,
		"members of a JWT, out of form": `"iss":[],"aud":{},"exp":1,"iat":"x","nonce":0`,
	} {
		op := newOP(t)
		op.info = reply(200, jsonType, strings.TrimSuffix(goodInfo, "}")+","+more+"}")
		if id, err := op.login(op.client(), Request{Scopes: Name}); err != nil || !id.Person.Name.Present() ||
			len(id.Problems) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Of two addresses nobody knows which is meant.
	twice := newOP(t)
	twice.info = reply(200, jsonType, `{"sub":"`+testSubject+`","address":{"formatted":"a","formatted":"b"}}`)
	id, err := twice.login(twice.client(), Request{Scopes: Address})
	if err != nil || id.Person.Address.Present() || len(id.Problems) != 1 {
		t.Errorf("two addresses: %v", err)
	}
	// Each of the service's answers may begin with a byte order mark, and say nothing of its type.
	op := newOP(t)
	for _, endpoint := range []string{op.env.TokenEndpoint, op.env.UserinfoEndpoint, op.env.JWKSEndpoint,
		op.env.Issuer + "/.well-known/openid-configuration"} {
		op.breaks(endpoint, func(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
			rec := httptest.NewRecorder()
			endpoint.ServeHTTP(rec, r)
			w.Header()["Content-Type"] = nil
			_, _ = w.Write(append([]byte("\ufeff"), rec.Body.Bytes()...))
		})
	}
	env, err := Discover(t.Context(), nil, op.env.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	c := op.client(func(c *Config) { c.Environment = env })
	if id, err := op.login(c, Request{Scopes: Name}); err != nil || !id.Person.Name.Present() {
		t.Error(err)
	}
}

// An attribute that cannot be read is reported and does not fail the login; one that is missing is absent.
func TestUnreadableAttribute(t *testing.T) {
	op := newOP(t)
	op.person = claimsMap{"sub": testSubject, "name": "試験　花子", "birthdate": 19900405}
	id, err := op.login(op.client(), Request{Scopes: Attributes})
	if err != nil {
		t.Fatal(err)
	}
	if !id.Person.Name.Present() || id.Person.Address.Present() || len(id.Problems) != 1 ||
		id.Problems[0].Attribute != "birthdate" {
		t.Errorf("problems %+v", id.Problems)
	}
}

func TestRenamedClaims(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	names.ClaimName, names.ClaimBirthdate = "shimei", "seinengappi"
	op.person = claimsMap{"sub": testSubject, "shimei": "試験　花子", "seinengappi": "1990-04-05", "name": "kept raw"}
	id, err := op.login(op.client(func(c *Config) { c.Wire = &names }), Request{Scopes: Attributes})
	if err != nil {
		t.Fatal(err)
	}
	if id.Person.Name.Reveal() != "試験　花子" || id.Person.Birthdate.Reveal().Day != 5 {
		t.Error("the names of the wire profile are not used")
	}
	if raw, ok := id.Claim("name"); !ok || string(raw) != `"kept raw"` {
		t.Errorf("name %s, %v", raw, ok)
	}
}

func TestSignedUserinfo(t *testing.T) {
	op := newOP(t)
	signed := func(key Key, m claimsMap) http.HandlerFunc {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jose.Sign(key.signing(), "JWT", b)
		if err != nil {
			t.Fatal(err)
		}
		return reply(200, "application/jwt; charset=utf-8", token)
	}
	good := claimsMap{"sub": testSubject, "name": "x", "iss": op.env.Issuer, "aud": []string{testClientID}}
	for name, c := range map[string]struct {
		info   http.HandlerFunc
		reason Reason
		check  string
	}{
		"good":        {info: signed(testECKey(), good)},
		"good, RS256": {info: signed(testRSAKey(), good)},
		"called JSON": {info: func(w http.ResponseWriter, _ *http.Request) {
			reply(200, jsonType, "\n"+op.signedInfo(testECKey())+"\r\n")(w, nil)
		}},
		"of the +jwt family, with a line end": {info: reply(200, "application/userinfo+jwt",
			op.signedInfo(testECKey())+"\n")},
		"called JSON, foreign key": {reply(200, jsonType, op.signedInfo(testOtherEC())), ReasonUserinfo,
			"key"},
		"called JSON, nobody's": {reply(200, jsonType, b64(`{"alg":"none"}`)+"."+b64(goodInfo)+"."), ReasonUserinfo,
			"alg"},
		"without iss and aud": {info: signed(testECKey(), claimsMap{"sub": testSubject})},
		"foreign key":         {signed(testOtherEC(), good), ReasonUserinfo, "key"},
		"iss of another":      {signed(testECKey(), with(good, "iss", "x")), ReasonUserinfo, "iss"},
		"aud of another":      {signed(testECKey(), with(good, "aud", "x")), ReasonUserinfo, "aud"},
		"sub of another":      {signed(testECKey(), with(good, "sub", "x")), ReasonUserinfo, "sub"},
		"two audiences, no azp": {signed(testECKey(), with(good, "aud", []string{testClientID, "x"})), ReasonUserinfo,
			"aud"},
	} {
		t.Run(name, func(t *testing.T) {
			op.info = c.info
			_, err := op.login(op.client(), Request{Scopes: Name})
			if c.check == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.reason, c.check)
		})
	}
}

func FuzzUserinfo(f *testing.F) {
	op := newOP(f)
	c := op.client()
	token, err := jose.Sign(testOtherEC().signing(), "JWT", []byte(goodInfo))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(goodInfo, "application/json")
	f.Add(`{"sub":"`+testSubject+`","address":{"formatted":"x"},"gender":1,"birthdate":"0000"}`, "application/json")
	f.Add(token, "application/jwt")
	f.Fuzz(func(t *testing.T, body, mediaType string) {
		m, err := c.readUserinfo(t.Context(), webcall.Answer{Status: 200, MediaType: mediaType, Body: []byte(body)},
			testSubject)
		if err != nil {
			if kakunin.FamilyOf(err).String() == "unclassified" {
				t.Fatal(err)
			}
			return
		}
		if mediaType == "application/jwt" {
			t.Fatal("a token of nobody was accepted")
		}
		id := &Identity{Subject: NewSubject(testSubject), Issuer: op.env.Issuer}
		c.addUserinfo(id, m)
		b, err := id.RevealBytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseIdentity(b)
		if err != nil {
			t.Fatal(err)
		}
		if back.Person.Name.Reveal() != id.Person.Name.Reveal() ||
			!slices.EqualFunc(back.Problems, id.Problems, func(a, b Problem) bool {
				return a.Problem == b.Problem && sameJSON(a.RevealRaw(), b.RevealRaw())
			}) {
			t.Fatal("storing changes the person")
		}
	})
}

// sameJSON compares texts that may be written differently.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// The individual number needs a lawful purpose in the configuration, arrives only as a checked number with that
// purpose, and is in no claim, no Problem and no stored form.
func TestIndividualNumber(t *testing.T) {
	const good = "123456789018"
	names := wire.Default()
	names.ScopeIndividualNumber, names.ClaimIndividualNumber = "individual_number", "individual_number"
	op := newOP(t)
	config := op.config()
	config.Wire = &names
	_, err := New(config)
	if e := wantError(t, err, ReasonConfiguration, ""); !strings.Contains(e.Detail, "IndividualNumberPurpose") {
		t.Error(e)
	}
	c := op.client(func(c *Config) { c.Wire, c.IndividualNumberPurpose = &names, mynumber.PurposeReporting })
	for name, row := range map[string]struct {
		value             any
		scopes            Scopes
		present, problems bool
	}{
		"a number":            {good, Name | IndividualNumber, true, false},
		"nobody asked for it": {good, Name, false, false},
		"wrong check digit":   {"123456789010", IndividualNumber, false, true},
		"too short":           {"12345678901", IndividualNumber, false, true},
		"a JSON number":       {json.Number("123456789018"), IndividualNumber, false, true},
		"an object":           {claimsMap{"number": good}, IndividualNumber, false, true},
		"null":                {nil, IndividualNumber, false, false},
	} {
		op.person = with(op.person, "individual_number", row.value)
		id, err := op.login(c, Request{Scopes: row.scopes})
		if err != nil {
			t.Fatal(err)
		}
		if id.IndividualNumber().Present() != row.present || (len(id.Problems) == 1) != row.problems {
			t.Errorf("%s: present %v, problems %v", name, id.IndividualNumber().Present(), id.Problems)
		}
		if _, err := id.IndividualNumber().Reveal(mynumber.PurposeAdministration); err == nil {
			t.Errorf("%s: revealed for another purpose", name)
		}
		if n, err := id.IndividualNumber().Reveal(mynumber.PurposeReporting); row.present && (err != nil || n != good) {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := id.Claim("individual_number"); ok {
			t.Errorf("%s: it is a claim", name)
		}
		b, err := id.RevealBytes()
		if err != nil || strings.Contains(string(b), "12345678901") {
			t.Errorf("%s: it is stored, %v", name, err)
		}
		for _, p := range id.Problems {
			if p.RevealRaw() != nil {
				t.Errorf("%s: it is in a Problem", name)
			}
		}
	}
}

// An address in parts is an address, and the Problem keeps what was sent.
func TestAddressInParts(t *testing.T) {
	op := newOP(t)
	op.person = with(op.person, "address", claimsMap{"region": "東京都", "locality": "清瀬市", "street_address": "架空町１－２－３",
		"postal_code": "204-0000", "country": "JP"})
	id, err := op.login(op.client(), Request{Scopes: Address})
	if err != nil || id.Person.Address.Reveal() != "東京都清瀬市架空町１－２－３" {
		t.Fatal(err)
	}
	if len(id.Problems) != 1 || !id.Problems[0].Warning || id.Problems[0].Reason != fourinfo.ProblemAddressParts ||
		!strings.Contains(string(id.Problems[0].RevealRaw()), "204-0000") {
		t.Errorf("%v", id.Problems)
	}
}
