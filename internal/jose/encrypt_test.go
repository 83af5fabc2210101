package jose

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func recipient(alg string) (PublicKey, crypto.PrivateKey) {
	k := testKeys()
	if isECDH(alg) {
		return PublicKey{Key: &k.ec.PublicKey, KeyID: "operator", Use: "enc"}, k.ec
	}
	return PublicKey{Key: &k.rsa.PublicKey, KeyID: "operator", Use: "enc"}, k.rsa
}

func TestEncryptedTokensOpen(t *testing.T) {
	payload := bytes.Repeat([]byte("signature "), 400)
	for i, alg := range KeyAlgorithms() {
		for j, content := range ContentAlgorithms() {
			t.Run(alg+"/"+content, func(t *testing.T) {
				to, key := recipient(alg)
				token, err := Encrypt(to, alg, content, payload)
				if err != nil {
					t.Fatal(err)
				}
				h, err := ParseHeader(token)
				if err != nil || h.Algorithm != alg || h.Encryption != content || h.KeyID != "operator" {
					t.Errorf("header %+v, %v", h, err)
				}
				got, h2, err := Decrypt(token, key, DecryptOptions{KeyAlgorithms: []string{alg},
					ContentAlgorithms: []string{content}})
				if err != nil || !bytes.Equal(got, payload) || h2 != h {
					t.Errorf("%d bytes, %+v, %v", len(got), h2, err)
				}
				_, _, err = Decrypt(token, key, DecryptOptions{})
				if isDefault := i < defaultKeyAlgorithms && j < defaultContentAlgorithms; (err == nil) != isDefault {
					t.Errorf("with the default allow-list: %v", err)
				}
			})
		}
	}
}

// Whatever is wrong past the header, the answer is the same.
func TestDecryptionFailuresAreAlike(t *testing.T) {
	k := testKeys()
	for _, alg := range []string{"RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"} {
		to, key := recipient(alg)
		token, err := Encrypt(to, alg, "A256GCM", []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		other := crypto.PrivateKey(k.otherRSA)
		if isECDH(alg) {
			other = k.otherEC
		}
		flip := func(i int) string {
			p := append([]string(nil), parts...)
			b, err := base64.RawURLEncoding.DecodeString(p[i])
			if err != nil {
				t.Fatal(err)
			}
			if len(b) == 0 {
				b = []byte{0}
			}
			b[0] ^= 1
			p[i] = u64(b)
			return strings.Join(p, ".")
		}
		for name, c := range map[string]struct {
			token string
			key   crypto.PrivateKey
		}{
			"another key":   {token, other},
			"encrypted key": {flip(1), key},
			"iv":            {flip(2), key},
			"ciphertext":    {flip(3), key},
			"tag":           {flip(4), key},
			"empty iv":      {parts[0] + "." + parts[1] + ".." + parts[3] + "." + parts[4], key},
			"empty tag":     {parts[0] + "." + parts[1] + "." + parts[2] + "." + parts[3] + ".", key},
			"another header": {enc(strings.Replace(decoded(t, parts[0]), `"operator"`, `"operator2"`, 1)) + "." +
				strings.Join(parts[1:], "."), key},
			"another content": {enc(strings.Replace(decoded(t, parts[0]), `A256GCM`, `A256CBC-HS512`, 1)) + "." +
				strings.Join(parts[1:], "."), key},
		} {
			t.Run(alg+"/"+name, func(t *testing.T) {
				got, _, err := Decrypt(c.token, c.key, DecryptOptions{})
				wantCheck(t, err, CheckDecryption)
				if got != nil || err.Error() != "jose: decryption" {
					t.Errorf("%q, %q", got, err)
				}
			})
		}
	}
}

func decoded(tb testing.TB, s string) string {
	tb.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestRefusedEncryption(t *testing.T) {
	k := testKeys()
	foreign := func(alg jwa.KeyEncryptionAlgorithm, content jwa.ContentEncryptionAlgorithm, key any,
		opts ...jwe.EncryptOption) string {
		b, err := jwe.Encrypt([]byte("x"), append(opts, jwe.WithKey(alg, key), jwe.WithContentEncryption(content))...)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	rsa15 := foreign(jwa.RSA1_5, jwa.A256GCM, &k.rsa.PublicKey)
	good := foreign(jwa.RSA_OAEP_256, jwa.A256GCM, &k.rsa.PublicKey)
	allowAll := DecryptOptions{KeyAlgorithms: []string{"RSA1_5", "dir", "PBES2-HS256+A128KW", "A128KW", "RSA-OAEP-256"},
		ContentAlgorithms: []string{"A256GCM"}}
	onCurve := foreign(jwa.ECDH_ES, jwa.A256GCM, &k.ec.PublicKey)
	offCurve := enc(`{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"`+u64(make([]byte, 32))+
		`","y":"`+u64(make([]byte, 32))+`"}}`) + onCurve[strings.IndexByte(onCurve, '.'):]

	for name, c := range map[string]struct {
		token string
		key   crypto.PrivateKey
		opts  DecryptOptions
		want  Check
	}{
		"RSA1_5":                {rsa15, k.rsa, DecryptOptions{}, CheckAlgorithm},
		"RSA1_5 even if listed": {rsa15, k.rsa, allowAll, CheckAlgorithm},
		"dir even if listed": {foreign(jwa.DIRECT, jwa.A256GCM, make([]byte, 32)), k.rsa, allowAll,
			CheckAlgorithm},
		"password even if listed": {foreign(jwa.PBES2_HS256_A128KW, jwa.A256GCM, []byte("password")), k.rsa,
			allowAll, CheckAlgorithm},
		"symmetric even if listed": {foreign(jwa.A128KW, jwa.A256GCM, make([]byte, 16)), k.rsa, allowAll,
			CheckAlgorithm},
		"compressed": {foreign(jwa.RSA_OAEP_256, jwa.A256GCM, &k.rsa.PublicKey,
			jwe.WithCompress(jwa.Deflate)), k.rsa, DecryptOptions{}, CheckCritical},
		"content not listed": {good, k.rsa, DecryptOptions{ContentAlgorithms: []string{"A256CBC-HS512"}},
			CheckAlgorithm},
		"JWS":                    {forge(t, k.rsa, `{"alg":"RS256"}`, "{}"), k.rsa, DecryptOptions{}, CheckForm},
		"five parts without enc": {enc(`{"alg":"RSA-OAEP-256"}`) + "....", k.rsa, DecryptOptions{}, CheckHeader},
		"padding":                {good + "=", k.rsa, DecryptOptions{}, CheckForm},
		"newline":                {good + "\n", k.rsa, DecryptOptions{}, CheckForm},
		"too large": {good + strings.Repeat("A", limits.SealedResult), k.rsa, DecryptOptions{},
			CheckSize},
		"larger than the caller says": {good, k.rsa, DecryptOptions{MaxSize: 100}, CheckSize},
		"RSA key for ECDH-ES":         {onCurve, k.rsa, DecryptOptions{}, CheckKey},
		"EC key for RSA-OAEP":         {good, k.ec, DecryptOptions{}, CheckKey},
		"RSA key of 1024 bits":        {good, k.smallRSA, DecryptOptions{}, CheckKeyForm},
		"P-384 key":                   {onCurve, k.p384, DecryptOptions{}, CheckKeyForm},
		"no key":                      {good, nil, DecryptOptions{}, CheckKeyForm},
		"bytes as key":                {good, make([]byte, 32), DecryptOptions{}, CheckKeyForm},
		"ephemeral point off curve":   {offCurve, k.ec, DecryptOptions{}, CheckDecryption},
		"no ephemeral key": {enc(`{"alg":"ECDH-ES","enc":"A256GCM"}`) +
			onCurve[strings.IndexByte(onCurve, '.'):], k.ec, DecryptOptions{}, CheckDecryption},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := Decrypt(c.token, c.key, c.opts)
			wantCheck(t, err, c.want)
			if got != nil {
				t.Error("something came out")
			}
		})
	}
}

func TestEncryptRefuses(t *testing.T) {
	k := testKeys()
	for name, c := range map[string]struct {
		to           PublicKey
		alg, content string
		want         Check
	}{
		"RSA1_5":            {PublicKey{Key: &k.rsa.PublicKey}, "RSA1_5", "A256GCM", CheckAlgorithm},
		"unknown content":   {PublicKey{Key: &k.rsa.PublicKey}, "RSA-OAEP-256", "A192GCM", CheckAlgorithm},
		"signature key":     {PublicKey{Key: &k.rsa.PublicKey, Use: "sig"}, "RSA-OAEP-256", "A256GCM", CheckKeyForm},
		"EC key for RSA":    {PublicKey{Key: &k.ec.PublicKey}, "RSA-OAEP-256", "A256GCM", CheckKeyForm},
		"RSA key for ECDH":  {PublicKey{Key: &k.rsa.PublicKey}, "ECDH-ES", "A256GCM", CheckKeyForm},
		"weak RSA key":      {PublicKey{Key: &k.smallRSA.PublicKey}, "RSA-OAEP-256", "A256GCM", CheckKeyForm},
		"P-384 key":         {PublicKey{Key: &k.p384.PublicKey}, "ECDH-ES", "A256GCM", CheckKeyForm},
		"private key given": {PublicKey{Key: k.rsa}, "RSA-OAEP-256", "A256GCM", CheckKeyForm},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Encrypt(c.to, c.alg, c.content, []byte("x"))
			wantCheck(t, err, c.want)
		})
	}
}

func TestParseDecryptionKey(t *testing.T) {
	_, ec := privateJWKs(t)
	key, kid, err := ParseDecryptionKey([]byte(strings.Replace(ec, `{"kty"`, `{"use":"enc","alg":"ECDH-ES","kty"`, 1)))
	if err != nil || kid != "e" {
		t.Fatalf("%q, %v", kid, err)
	}
	token, err := Encrypt(PublicKey{Key: &testKeys().ec.PublicKey}, "ECDH-ES", "A256GCM", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := Decrypt(token, key, DecryptOptions{}); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if _, _, err := ParseDecryptionKey([]byte(strings.Replace(ec, `{"kty"`, `{"use":"sig","kty"`, 1))); err == nil {
		t.Error("a signature key was accepted")
	}
}
