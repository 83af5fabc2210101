package jose

import (
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// One key that cannot be used must not take the others with it.
func TestKeySetSkipsWhatItCannotUse(t *testing.T) {
	k := testKeys()
	good := ecJWK(k.ec, `,"kid":"good"`)
	small := `{"kty":"RSA","n":"` + u64(k.smallRSA.N.Bytes()) + `","e":"AQAB"}`
	offCurve := `{"kty":"EC","crv":"P-256","x":"` + u64(make([]byte, 32)) + `","y":"` + u64(make([]byte, 32)) + `"}`
	for name, odd := range map[string]string{
		"unknown kty":              `{"kty":"OKP","crv":"Ed25519","x":"AA"}`,
		"unknown curve":            `{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}`,
		"symmetric":                `{"kty":"oct","k":"AAAA"}`,
		"private":                  ecJWK(k.otherEC, `,"d":"AA"`),
		"RSA of 1024 bits":         small,
		"RSA with even exponent":   `{"kty":"RSA","n":"` + u64(k.rsa.N.Bytes()) + `","e":"Ag"}`,
		"RSA with exponent 2^31+1": `{"kty":"RSA","n":"` + u64(k.rsa.N.Bytes()) + `","e":"gAAAAQ"}`,
		// The low 64 bits are 65537: read carelessly, it is another key.
		"RSA with exponent 2^64+65537": `{"kty":"RSA","n":"` + u64(k.rsa.N.Bytes()) + `","e":"AQAAAAAAAQAB"}`,
		"RSA of 16384 bits": `{"kty":"RSA","n":"` + u64(new(big.Int).Lsh(big.NewInt(1), 16383).Bytes()) +
			`","e":"AQAB"}`,
		"point off the curve":       offCurve,
		"no kty":                    `{"crv":"P-256"}`,
		"kid is a number":           ecJWK(k.otherEC, `,"kid":1`),
		"unknown use":               ecJWK(k.otherEC, `,"use":"both"`),
		"use contradicts ops":       ecJWK(k.otherEC, `,"use":"sig","key_ops":["wrapKey"]`),
		"ops are no strings":        ecJWK(k.otherEC, `,"key_ops":[1]`),
		"no object":                 `7`,
		"a member twice":            `{"kty":"EC","kid":"a","kid":"b"}`,
		"a member of another case":  ecJWK(k.otherEC, `,"KID":"b","kid":"a"`),
		"the good key's name twice": ecJWK(k.otherEC, `,"kid":"good","kid":"good"`),
		"a member twice inside":     ecJWK(k.otherEC, `,"x":{"a":1,"a":2}`),
		"nested deeply":             `{"x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
		"hundreds of members":       `{` + strings.Repeat(`"x":1,`, limits.JSONMembers) + `"y":1}`,
		"not UTF-8":                 "{\"kty\":\"EC\",\"x\":\"\xff\"}",
		"half a surrogate":          `{"kty":"EC","kid":"\ud800"}`,
		"alg a list":                ecJWK(k.otherEC, `,"alg":["ES256"]`),
		"use a list":                ecJWK(k.otherEC, `,"use":["sig"]`),
		"use true":                  ecJWK(k.otherEC, `,"use":true`),
		"kid an object":             ecJWK(k.otherEC, `,"kid":{}`),
		"kid far too long":          ecJWK(k.otherEC, `,"kid":"`+strings.Repeat("k", 5000)+`"`),
		"numbers for numbers":       `{"kty":"RSA","n":1,"e":65537}`,
		"a coordinate missing":      `{"kty":"EC","crv":"P-256","x":"AA"}`,
		"an array":                  `[1,[2]]`, "null": `null`, "true": `true`, "a text": `"key"`, "an empty object": `{}`,
		"a number out of range": `1e999`,
		"many others":           strings.Repeat(`{"kty":"RSA","kid":"x"},`, 500) + `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			set, err := ParseKeySet([]byte(`{"keys":[` + odd + `,` + good + `]}`))
			if err != nil || len(set.Keys) != 1 || set.Keys[0].KeyID != "good" {
				t.Errorf("%+v, %v", set, err)
			}
		})
	}
}

func TestKeyOpsBecomeUse(t *testing.T) {
	for ops, want := range map[string]string{
		`["verify"]`: "sig", `["wrapKey"]`: "enc", `"verify"`: "sig", `"sign verify"`: "sig", `"wrapKey"`: "enc",
		`["sign","verify"]`: "sig", `[]`: "", `""`: "", `null`: "",
	} {
		set, err := ParseKeySet([]byte(`{"keys":[` + ecJWK(testKeys().ec, `,"key_ops":`+ops) + `]}`))
		if err != nil || len(set.Keys) != 1 || set.Keys[0].Use != want {
			t.Errorf("%s: %+v, %v", ops, set, err)
		}
	}
}

func TestRefusedKeySets(t *testing.T) {
	many := strings.Repeat(`{},`, limits.JWKSKeys) + `{}`
	for name, c := range map[string]struct {
		doc  string
		want Check
	}{
		"not JSON":          {`<html>`, CheckKeyForm},
		"array":             {`[]`, CheckKeyForm},
		"no keys":           {`{}`, CheckKeyForm},
		"keys not array":    {`{"keys":{}}`, CheckKeyForm},
		"duplicate keys":    {`{"keys":[],"keys":[]}`, CheckKeyForm},
		"keys and Keys":     {`{"keys":[],"Keys":[]}`, CheckKeyForm},
		"Keys and keys":     {`{"Keys":[],"keys":[]}`, CheckKeyForm},
		"keys by escape":    {`{"keys":[],"\u006beys":[]}`, CheckKeyForm},
		"Kelvin sign":       {"{\"keys\":[],\"\u212aeys\":[]}", CheckKeyForm},
		"keys null":         {`{"keys":null}`, CheckKeyForm},
		"keys a text":       {`{"keys":"[]"}`, CheckKeyForm},
		"half a set":        {`{"keys":[]`, CheckKeyForm},
		"half a key":        {`{"keys":[{]}`, CheckKeyForm},
		"no brace":          {`"keys":[]}`, CheckKeyForm},
		"comma at the end":  {`{"keys":[],}`, CheckKeyForm},
		"another set after": {`{"keys":[]}{"keys":[]}`, CheckKeyForm},
		"trailing bytes":    {`{"keys":[]}x`, CheckKeyForm},
		"too many":          {`{"keys":[` + many + `]}`, CheckSize},
		"too large":         {`{"keys":[]}` + strings.Repeat(" ", limits.JWKS), CheckSize},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeySet([]byte(c.doc))
			wantCheck(t, err, c.want)
		})
	}
	for _, doc := range []string{`{"x":1,"x":2,"keys":[]}`, "\n{\"X\":{\"a\":1,\"a\":2},\"keys\" : [ ] }\n"} {
		if _, err := ParseKeySet([]byte(doc)); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if set, err := ParseKeySet([]byte(`{"keys":[]}`)); err != nil || len(set.Keys) != 0 {
		t.Errorf("the empty set: %+v, %v", set, err)
	}
}
