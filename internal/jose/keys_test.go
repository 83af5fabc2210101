package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
)

func u64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func ecJWK(k *ecdsa.PrivateKey, more string) string {
	point, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return `{"kty":"EC","crv":"P-256","x":"` + u64(point[1:33]) + `","y":"` + u64(point[33:]) + `"` + more + `}`
}

// number is the private number of a P-256 key.
func number(k *ecdsa.PrivateKey) []byte {
	b, err := k.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func TestKeySetRoundTrip(t *testing.T) {
	k := testKeys()
	want := []PublicKey{
		{Key: &k.rsa.PublicKey, KeyID: "a", Algorithm: "RS256", Use: "sig"},
		{Key: &k.ec.PublicKey, KeyID: "b", Algorithm: "ES256", Use: "sig"},
		{Key: &k.otherRSA.PublicKey, Use: "enc"},
	}
	b, err := MarshalKeySet(want...)
	if err != nil {
		t.Fatal(err)
	}
	set, err := ParseKeySet(b)
	if err != nil || len(set.Keys) != len(want) {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	for i := range want {
		if !set.Keys[i].Equal(want[i]) {
			t.Errorf("key %d differs: %+v", i, set.Keys[i])
		}
	}
	if strings.Contains(string(b), `"d"`) {
		t.Error("a private part was encoded")
	}
}

func TestMarshalKeySetTakesOnlyPublicKeys(t *testing.T) {
	k := testKeys()
	for name, key := range map[string]crypto.PublicKey{"private RSA": k.rsa, "private EC": k.ec, "nil": nil,
		"P-384": &k.p384.PublicKey, "small": &k.smallRSA.PublicKey} {
		if _, err := MarshalKeySet(PublicKey{Key: key}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func privateJWKs(tb testing.TB) (rsaJWK, ec string) {
	tb.Helper()
	k := testKeys()
	b := func(n *big.Int) string { return u64(n.Bytes()) }
	r := k.rsa
	rsaJWK = `{"kty":"RSA","kid":"r","alg":"PS256","n":"` + b(r.N) + `","e":"AQAB","d":"` + b(r.D) + `","p":"` +
		b(r.Primes[0]) + `","q":"` + b(r.Primes[1]) +
		`","dp":"` + b(r.Precomputed.Dp) + `","dq":"` + b(r.Precomputed.Dq) + `","qi":"` + b(r.Precomputed.Qinv) + `"}`
	return rsaJWK, ecJWK(k.ec, `,"kid":"e","d":"`+u64(number(k.ec))+`"`)
}

func pemOf(tb testing.TB, typ string, der []byte, err error) string {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

func TestParsePrivateKeyForms(t *testing.T) {
	k := testKeys()
	rsaJWK, ec := privateJWKs(t)
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pemOf(t, "PRIVATE KEY", der, err)
	}
	sec1, err := x509.MarshalECPrivateKey(k.ec)
	wide := func(text string) string { // what PowerShell's > writes
		out := "\xff\xfe"
		for _, c := range []byte(text) {
			out += string([]byte{c, 0})
		}
		return out
	}
	for name, c := range map[string]struct {
		in, kid string
		alg     Algorithm
		pub     crypto.PublicKey
	}{
		"RSA JWK":    {rsaJWK, "r", PS256, &k.rsa.PublicKey},
		"EC JWK":     {ec, "e", ES256, &k.ec.PublicKey},
		"RSA PKCS#8": {pkcs8(k.rsa), "", RS256, &k.rsa.PublicKey},
		"EC PKCS#8":  {pkcs8(k.ec), "", ES256, &k.ec.PublicKey},
		"PKCS#1": {pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k.rsa), nil), "", RS256,
			&k.rsa.PublicKey},
		"SEC 1 after EC PARAMETERS": {pemOf(t, "EC PARAMETERS", []byte{5, 0}, nil) + pemOf(t, "EC PRIVATE KEY", sec1,
			err), "", ES256, &k.ec.PublicKey},
		"text before the PEM block": {"Bag Attributes\n" + pkcs8(k.ec), "", ES256, &k.ec.PublicKey},
		"JWK with unrelated members": {strings.Replace(ec, `{"kty"`, `{"x5c":["!"],"ext":true,"kty"`, 1), "e", ES256,
			&k.ec.PublicKey},
		"JWK with key_ops": {strings.Replace(ec, `{"kty"`, `{"key_ops":["sign"],"kty"`, 1), "e", ES256,
			&k.ec.PublicKey},
		"PEM, byte order mark":       {"\ufeff" + pkcs8(k.ec), "", ES256, &k.ec.PublicKey},
		"PEM, UTF-16":                {wide(pkcs8(k.ec)), "", ES256, &k.ec.PublicKey},
		"PEM, CRLF":                  {strings.ReplaceAll(pkcs8(k.ec), "\n", "\r\n"), "", ES256, &k.ec.PublicKey},
		"PEM, indented":              {strings.ReplaceAll(pkcs8(k.ec), "\n", "\n    "), "", ES256, &k.ec.PublicKey},
		"PEM, line ends written out": {strings.ReplaceAll(pkcs8(k.ec), "\n", `\n`), "", ES256, &k.ec.PublicKey},
		"PEM in one line, quoted": {`"` + strings.ReplaceAll(pkcs8(k.rsa), "\n", " ") + `"`, "", RS256,
			&k.rsa.PublicKey},
		"PEM behind its certificate": {pemOf(t, "CERTIFICATE", []byte{0x30, 0}, nil) + pkcs8(k.ec), "", ES256,
			&k.ec.PublicKey},
		"JWK, byte order mark":        {"\ufeff" + ec, "e", ES256, &k.ec.PublicKey},
		"JWK, UTF-16":                 {wide(ec), "e", ES256, &k.ec.PublicKey},
		"JWK in a file with newlines": {"\n" + ec + "\n", "e", ES256, &k.ec.PublicKey},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParsePrivateKey([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if key.KeyID != c.kid || key.Algorithm != c.alg ||
				!key.Public().Equal(PublicKey{Key: c.pub, KeyID: c.kid, Algorithm: string(c.alg), Use: "sig"}) {
				t.Errorf("kid %q alg %q", key.KeyID, key.Algorithm)
			}
			if _, err := Sign(key, "", []byte("{}")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefusedPrivateKeys(t *testing.T) {
	k := testKeys()
	rsaJWK, ec := privateJWKs(t)
	small := pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k.smallRSA), nil)
	p384, err := x509.MarshalECPrivateKey(k.p384)
	mixed := strings.Replace(ec, u64(number(k.ec)), u64(number(k.otherEC)), 1)
	for name, in := range map[string]string{
		"empty":                   "",
		"rubbish":                 "rubbish",
		"PEM rubbish":             "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"PEM without key":         pemOf(t, "CERTIFICATE", []byte{1}, nil),
		"public JWK":              ecJWK(k.ec, ""),
		"symmetric JWK":           `{"kty":"oct","k":"AAAA"}`,
		"RSA of 1024 bits":        small,
		"P-384":                   pemOf(t, "EC PRIVATE KEY", p384, err),
		"EC halves of two keys":   mixed,
		"RSA halves of two keys":  strings.Replace(rsaJWK, u64(k.rsa.N.Bytes()), u64(k.otherRSA.N.Bytes()), 1),
		"alg of another key type": strings.Replace(ec, `{"kty"`, `{"alg":"RS256","kty"`, 1),
		"alg HS256":               strings.Replace(ec, `{"kty"`, `{"alg":"HS256","kty"`, 1),
		"for encryption":          strings.Replace(ec, `{"kty"`, `{"use":"enc","kty"`, 1),
		"duplicate member":        strings.Replace(ec, `{"kty"`, `{"kid":"x","kty"`, 1),
		"kid too long": strings.Replace(ec, `"kid":"e"`, `"kid":"`+strings.Repeat("k", limits.KeyID+1)+`"`,
			1),
		"larger than any key":       ec + strings.Repeat(" ", limits.KeyFile),
		"JWK set instead of a key":  `{"keys":[` + ec + `]}`,
		"private number out of set": strings.Replace(ec, u64(number(k.ec)), u64(elliptic.P256().Params().N.Bytes()), 1),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParsePrivateKey([]byte(in))
			if err == nil {
				t.Fatalf("accepted with %s", key.Algorithm)
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			if e.Check == CheckKeyForm && e.Family() != kakunin.Configuration {
				t.Error("a bad key is a matter of configuration")
			}
			if len(in) > 20 && strings.Contains(err.Error(), in[10:20]) {
				t.Error("the error quotes the key")
			}
		})
	}
}

func TestParsePublicKeyForms(t *testing.T) {
	k := testKeys()
	spki, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	_, ec := privateJWKs(t)
	for name, in := range map[string]string{
		"SPKI":   pemOf(t, "PUBLIC KEY", spki, err),
		"PKCS#1": pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey), nil),
		"JWK":    ecJWK(k.ec, ""),
	} {
		if _, err := ParsePublicKey([]byte(in)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]string{
		"private JWK": ec,
		"private PEM": pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k.rsa), nil),
		"small":       pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.smallRSA.PublicKey), nil),
		"broken":      "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n",
	} {
		_, err := ParsePublicKey([]byte(in))
		wantCheck(t, err, CheckKeyForm)
		_ = name
	}
}

func TestSigningKeyCheck(t *testing.T) {
	k := testKeys()
	var noRSA *ecdsa.PrivateKey
	for name, key := range map[string]SigningKey{
		"zero":               {},
		"typed nil":          {Signer: noRSA, Algorithm: ES256},
		"RSA as ES256":       {Signer: k.rsa, Algorithm: ES256},
		"EC as RS256":        {Signer: k.ec, Algorithm: RS256},
		"P-384 as ES256":     {Signer: k.p384, Algorithm: ES256},
		"RSA of 1024 bits":   {Signer: k.smallRSA, Algorithm: RS256},
		"no algorithm":       {Signer: k.rsa},
		"HS256":              {Signer: k.rsa, Algorithm: "HS256"},
		"kid is too long":    {Signer: k.rsa, Algorithm: RS256, KeyID: strings.Repeat("k", limits.KeyID+1)},
		"none with EC":       {Signer: k.ec, Algorithm: "none"},
		"RSA small in a KMS": {Signer: kms{k.smallRSA}, Algorithm: PS256},
	} {
		t.Run(name, func(t *testing.T) {
			wantCheck(t, key.Check(), CheckKeyForm)
			if _, err := Sign(key, "", []byte("{}")); err == nil {
				t.Error("it signed")
			}
		})
	}
}

// answer is a KMS that answers with fixed bytes.
type answer struct {
	kms
	sig []byte
	err error
}

func (a answer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return a.sig, a.err }

func TestSignerAnswersAreChecked(t *testing.T) {
	k := testKeys()
	for name, der := range map[string][]byte{
		"raw instead of ASN.1": make([]byte, 64),
		"empty":                nil,
		"trailing byte":        {0x30, 6, 2, 1, 1, 2, 1, 1, 0},
		"negative r":           {0x30, 6, 2, 1, 0x80, 2, 1, 1},
		"zero s":               {0x30, 6, 2, 1, 1, 2, 1, 0},
		"zero r":               {0x30, 6, 2, 1, 0, 2, 1, 1},
		"r of 33 bytes":        append(append([]byte{0x30, 38, 2, 33, 1}, make([]byte, 32)...), 2, 1, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Sign(SigningKey{Signer: answer{kms{k.ec}, der, nil}, Algorithm: ES256}, "", []byte("{}"))
			wantCheck(t, err, CheckKeyForm)
		})
	}
	refused := errors.New("the KMS refused")
	for _, key := range []SigningKey{
		{Signer: answer{kms{k.ec}, nil, refused}, Algorithm: ES256},
		{Signer: answer{kms{k.rsa}, nil, refused}, Algorithm: RS256},
		{Signer: answer{kms{k.rsa}, nil, refused}, Algorithm: PS256},
	} {
		if _, err := Sign(key, "", []byte("{}")); !errors.Is(err, refused) {
			t.Errorf("%s: %v", key.Algorithm, err)
		}
	}
}

// The key of RFC 7638, section 3.1 and its thumbprint.
func TestThumbprintVector(t *testing.T) {
	const jwk = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
	k, err := ParsePublicKey([]byte(jwk))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Thumbprint(k.Key)
	if err != nil || got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Thumbprint(testKeys().smallRSA.Public()); err == nil {
		t.Error("a weak key got a thumbprint")
	}
}

func TestEqual(t *testing.T) {
	k := testKeys()
	a := PublicKey{Key: &k.rsa.PublicKey, KeyID: "a"}
	same := a
	if !a.Equal(same) || a.Equal(PublicKey{Key: &k.otherRSA.PublicKey, KeyID: "a"}) ||
		a.Equal(PublicKey{Key: &k.rsa.PublicKey}) || (PublicKey{}).Equal(PublicKey{}) {
		t.Error("Equal")
	}
}

func FuzzParsePrivateKey(f *testing.F) {
	rsaJWK, ec := privateJWKs(f)
	f.Add([]byte(rsaJWK))
	f.Add([]byte(ec))
	der, err := x509.MarshalECPrivateKey(testKeys().ec)
	f.Add([]byte(pemOf(f, "EC PRIVATE KEY", der, err)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := ParsePrivateKey(b); err == nil {
			if err := k.Check(); err != nil {
				t.Errorf("parsed but unusable: %v", err)
			}
		}
		if k, err := ParsePublicKey(b); err == nil {
			if _, err := MarshalKeySet(k); err != nil {
				t.Errorf("parsed but not encodable: %v", err)
			}
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	k := testKeys()
	b, err := MarshalKeySet(PublicKey{Key: &k.rsa.PublicKey, KeyID: "a"}, PublicKey{Key: &k.ec.PublicKey, Use: "sig"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"RSA","n":"AQ","e":"AQAB","key_ops":[]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		set, err := ParseKeySet(b)
		if err != nil {
			return
		}
		again, err := MarshalKeySet(set.Keys...)
		if err != nil {
			t.Fatalf("a parsed set cannot be encoded: %v", err)
		}
		if set2, err := ParseKeySet(again); err != nil || len(set2.Keys) != len(set.Keys) {
			t.Fatalf("round trip: %d keys of %d, %v", len(set2.Keys), len(set.Keys), err)
		}
		if !json.Valid(b) {
			t.Error("accepted what is not JSON")
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	k := testKeys()
	f.Add(forge(f, k.ec, `{"alg":"ES256","kid":"ec","typ":"JWT","cty":"x"}`, testPayload))
	f.Add(forge(f, k.rsa, `{"alg":"RS256","crit":["x"]}`, testPayload))
	f.Add("e30..")
	f.Add("a.b.c.d.e")
	set := KeySet{Keys: []PublicKey{{Key: &k.otherEC.PublicKey}}}
	f.Fuzz(func(t *testing.T, token string) {
		h, err := ParseHeader(token)
		if err == nil && h.Algorithm == "" {
			t.Error("a header without alg was accepted")
		}
		if _, _, err := Verify(token, set, anyAlg); err == nil {
			t.Error("a token of nobody verified")
		}
		if _, _, err := Decrypt(token, k.otherEC, DecryptOptions{}); err == nil {
			t.Error("a token of nobody was opened")
		}
	})
}

func TestErrorsOfKeysAndTokensDiffer(t *testing.T) {
	for c, want := range map[Check]kakunin.Family{CheckKeyForm: kakunin.Configuration,
		CheckSignature: kakunin.Untrusted, CheckDecryption: kakunin.Untrusted} {
		e := fail(c, "")
		if e.Family() != want || kakunin.MessageFor(e, kakunin.Japanese) == "" || e.Error() != "jose: "+string(c) {
			t.Errorf("%s: %s", c, e.Family())
		}
	}
}

func TestParseHeaderLimits(t *testing.T) {
	_, err := ParseHeader(strings.Repeat("A", limits.SealedResult+1))
	wantCheck(t, err, CheckSize)
	_, err = ParseHeader("e30.e30")
	wantCheck(t, err, CheckForm)
}

func TestParsePublicKeyFromCertificate(t *testing.T) {
	k := testKeys()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.ec.PublicKey, k.ec)
	got, err := ParsePublicKey([]byte(pemOf(t, "CERTIFICATE", der, err)))
	if err != nil || !got.Equal(PublicKey{Key: &k.ec.PublicKey}) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = ParsePublicKey(make([]byte, limits.KeyFile+1))
	wantCheck(t, err, CheckSize)
	p384, err := x509.MarshalPKIXPublicKey(&k.p384.PublicKey)
	_, err = ParsePublicKey([]byte(pemOf(t, "PUBLIC KEY", p384, err)))
	wantCheck(t, err, CheckKeyForm)
}
