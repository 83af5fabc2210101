package authn

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/jose"
)

// The same key listed twice, in whatever dress, is one key; two keys under one name are none.
func TestKeysListedTwice(t *testing.T) {
	plain := strings.TrimSuffix(publicJWK(t, testECKey()), "}")
	kid := `"kid":"` + testECKey().KeyID() + `"`
	numbers := strings.Split(plain, kid)
	bare := func(members string) string { // the numbers alone
		var m map[string]any
		if json.Unmarshal([]byte(plain+"}"), &m) != nil || len(numbers) != 2 {
			t.Fatal(plain)
		}
		return `{"kty":"EC","crv":"P-256","x":"` + m["x"].(string) + `","y":"` + m["y"].(string) + `"` + members + `}`
	}
	padded := bare(`,` + kid)
	for _, n := range []string{"x", "y"} {
		var m map[string]string
		if json.Unmarshal([]byte(padded), &m) != nil {
			t.Fatal(padded)
		}
		b, err := base64.RawURLEncoding.DecodeString(m[n])
		if err != nil {
			t.Fatal(err)
		}
		padded = strings.Replace(padded, m[n], base64.StdEncoding.EncodeToString(b), 1)
	}
	for name, keys := range map[string][]string{
		"byte-equal":                {plain + "}", plain + "}"},
		"thrice":                    {plain + "}", plain + "}", plain + "}"},
		"plain and with x5c":        {plain + "}", plain + `,"x5c":["MIIB"],"x5t":"x"}`},
		"with and without alg":      {bare(`,` + kid), bare(`,"alg":"ES256",` + kid)},
		"with and without use":      {bare(`,` + kid), bare(`,"use":"sig",` + kid)},
		"with and without kid":      {bare(``), plain + "}"},
		"use and key_ops":           {bare(`,"use":"sig",` + kid), bare(`,"key_ops":["verify"],` + kid)},
		"members null":              {bare(`,"use":null,"alg":null,"key_ops":null,"x5c":null,"d":null,` + kid)},
		"beside one for enc":        {plain + "}", bare(`,"use":"enc",` + kid)},
		"beside one that is weak":   {plain + "}", `{"kty":"RSA","n":"AQAB","e":"AQAB",` + kid + `}`},
		"beside an unknown kind":    {plain + "}", `{"kty":"OKP","crv":"Ed25519","x":"AAAA",` + kid + `}`},
		"beside a kid that is none": {plain + "}", `{"kty":"EC","kid":5}`},
		"numbers padded":            {padded},
		"beside nonsense":           {plain + "}", `{}`, `[]`, `null`, `"key"`},
		"beside a member twice":     {`{"kid":"a","kid":"b"}`, plain + "}", `{"x":{"y":1,"y":1}}`},
		"behind hundreds of others": {strings.Repeat(`{"kty":"RSA","kid":"x"},`, 500) + plain + "}"},
		"beside what is not UTF-8":  {"{\"kid\":\"\xff\"}", plain + "}"},
		"beside odd purposes":       {`{"kty":"EC","use":[],"alg":7,"key_ops":{}}`, plain + "}"},
		"key_ops a word":            {bare(`,"key_ops":"verify",` + kid)},
		"key_ops empty":             {bare(`,"key_ops":[],"use":"sig",` + kid)},
		"private members empty":     {bare(`,"d":"","k":"","oth":null,"x5c":[],` + kid)},
		"use and alg empty":         {bare(`,"use":"","alg":"",` + kid)},
	} {
		op := newOP(t)
		op.setKeys(reply(200, jsonType, `{"keys":[`+strings.Join(keys, ",")+`]}`))
		if _, err := op.login(op.client(), Request{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := strings.Replace(publicJWK(t, testOtherEC()), testOtherEC().KeyID(), testECKey().KeyID(), 1)
	for name, row := range map[string]struct {
		keys  []string
		check string
	}{
		"two keys under one kid":     {[]string{plain + "}", other}, "key"},
		"a private key":              {[]string{bare(`,"d":"AA",` + kid), publicJWK(t, testRSAKey())}, "key"},
		"its kid twice":              {[]string{bare(`,"kid":"x",` + kid), publicJWK(t, testRSAKey())}, "key"},
		"ours without a name":        {[]string{bare(``), publicJWK(t, testRSAKey())}, "key"},
		"two without a name":         {[]string{bare(``), strings.Replace(other, kid, `"kid":""`, 1)}, "key"},
		"to sign alone":              {[]string{bare(`,"key_ops":"sign",` + kid), publicJWK(t, testRSAKey())}, "key"},
		"the same for enc alone":     {[]string{bare(`,"use":"enc",` + kid), publicJWK(t, testRSAKey())}, "key"},
		"the same for another alg":   {[]string{bare(`,"alg":"ES384",` + kid), publicJWK(t, testRSAKey())}, "key"},
		"another key under its kid":  {[]string{other}, "signature"},
		"the same under another kid": {[]string{strings.Replace(plain, testECKey().KeyID(), "x", 1) + "}"}, "key"},
	} {
		op := newOP(t)
		op.setKeys(reply(200, jsonType, `{"keys":[`+strings.Join(row.keys, ",")+`]}`))
		_, err := op.login(op.client(), Request{})
		if got := verdict(err); got != "rejects (ID token: "+row.check+")" {
			t.Errorf("%s: %s", name, got)
		}
	}
	// A token without kid: one key under two names is one key.
	op := newOP(t)
	op.header = `{"alg":"ES256"}`
	twice := testECKey().signing().Public()
	op.published = []jose.PublicKey{twice, twice}
	op.published[1].KeyID = "another name"
	if _, err := op.login(op.client(), Request{}); err != nil {
		t.Error(err)
	}
}
