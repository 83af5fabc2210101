package jose

import (
	"crypto/rsa"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	k := testKeys()
	padded := func(text string, size int) []byte { return []byte(text + strings.Repeat(" ", size-len(text))) }
	public := ecJWK(k.ec, "")
	_, private := privateJWKs(t)
	header := func(size int) string {
		const head = `{"alg":"RS256","x":"`
		return head + strings.Repeat("x", size-len(head)-2) + `"}`
	}
	jws := func(size int) string {
		head := enc(`{"alg":"RS256"}`)
		return head + "." + strings.Repeat("A", size-len(head)-2) + "."
	}
	keySet := func(n int) string {
		return `{"keys":[` + strings.TrimSuffix(strings.Repeat(public+",", n), ",") + `]}`
	}
	kid := func(n int) string { return strings.Repeat("k", n) }
	modulus := func(bits int) *rsa.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
	}
	exponent := func(e int) *rsa.PublicKey { return &rsa.PublicKey{N: k.rsa.N, E: e} }
	sealed, err := Encrypt(PublicKey{Key: &k.rsa.PublicKey}, "RSA-OAEP-256", "A256GCM", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		limit int
		step  int // to the next value beyond; 0: 1
		try   func(n int) error
		check Check
	}{
		"token": {limits.Token, 0, func(n int) error { _, err := Parse(jws(n)); return err }, CheckSize},
		"token of either kind": {limits.SealedResult, 0, func(n int) error {
			_, err := ParseHeader(jws(n))
			return err
		}, CheckSize},
		"sealed token": {-len(sealed), 0, func(n int) error {
			_, _, err := Decrypt(sealed, k.rsa, DecryptOptions{MaxSize: -n})
			return err
		}, CheckSize},
		"header": {limits.JOSEHeader, 0, func(n int) error { _, err := ParseHeader(enc(header(n)) + ".."); return err },
			CheckSize},
		"kid of a token": {limits.KeyID, 0, func(n int) error {
			_, err := ParseHeader(enc(`{"alg":"RS256","kid":"`+kid(n)+`"}`) + "..")
			return err
		}, CheckSize},
		"kid of a public key": {limits.KeyID, 0, func(n int) error {
			_, err := ParsePublicKey([]byte(ecJWK(k.ec, `,"kid":"`+kid(n)+`"`)))
			return err
		}, CheckKeyForm},
		"kid to sign with": {limits.KeyID, 0, func(n int) error {
			return SigningKey{Signer: k.ec, Algorithm: ES256, KeyID: kid(n)}.Check()
		}, CheckKeyForm},
		"key set": {limits.JWKS, 0, func(n int) error { _, err := ParseKeySet(padded(keySet(1), n)); return err },
			CheckSize},
		"keys of a set": {limits.JWKSKeys, 0, func(n int) error {
			set, err := ParseKeySet([]byte(keySet(n)))
			if err == nil && len(set.Keys) != n {
				return fmt.Errorf("%d keys of %d", len(set.Keys), n)
			}
			return err
		}, CheckSize},
		"private key": {limits.KeyFile, 0, func(n int) error {
			_, err := ParsePrivateKey(padded(private, n))
			return err
		}, CheckSize},
		"public key": {limits.KeyFile, 0, func(n int) error {
			_, err := ParsePublicKey(padded(public, n))
			return err
		}, CheckSize},
		"RSA modulus":      {limits.RSABitsMax, 0, func(n int) error { return checkRSA(modulus(n)) }, CheckKeyForm},
		"RSA exponent":     {math.MaxInt32, 2, func(n int) error { return checkRSA(exponent(n)) }, CheckKeyForm},
		"low RSA exponent": {-3, 2, func(n int) error { return checkRSA(exponent(-n)) }, CheckKeyForm},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.try(c.limit); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			wantCheck(t, c.try(c.limit+max(c.step, 1)), c.check)
		})
	}
}

// An exponent may be written with eight octets, zeros in front; nine are refused before the library cuts them.
func TestExponentOfEightOctets(t *testing.T) {
	k := testKeys()
	jwk := func(e ...byte) []byte {
		return []byte(`{"kty":"RSA","n":"` + u64(k.rsa.N.Bytes()) + `","e":"` + u64(e) + `"}`)
	}
	got, err := ParsePublicKey(jwk(0, 0, 0, 0, 0, 1, 0, 1))
	if err != nil || !got.Key.(*rsa.PublicKey).Equal(&k.rsa.PublicKey) {
		t.Errorf("%v, %v", got, err)
	}
	_, err = ParsePublicKey(jwk(1, 0, 0, 0, 0, 0, 1, 0, 1))
	wantCheck(t, err, CheckKeyForm)
}

// "cty" is there for a nested token, and only there.
func TestContentTypeOfNestedTokens(t *testing.T) {
	k := testKeys()
	to := PublicKey{Key: &k.rsa.PublicKey}
	plain, err := Encrypt(to, "RSA-OAEP-256", "A256GCM", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	nested, err := EncryptJWT(to, "RSA-OAEP-256", "A256GCM", forge(t, k.rsa, `{"alg":"RS256"}`, testPayload))
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]bool{plain: false, nested: true} {
		if got := strings.Contains(decoded(t, token[:strings.IndexByte(token, '.')]), `"cty":"JWT"`); got != want {
			t.Errorf("cty: %v, want %v", got, want)
		}
		if !want && strings.Contains(decoded(t, token[:strings.IndexByte(token, '.')]), "cty") {
			t.Error("an empty cty")
		}
	}
}

// A set is told from a key that has a member of that name.
func TestPrivateKeyOrSet(t *testing.T) {
	_, private := privateJWKs(t)
	for name, c := range map[string]struct {
		text   string
		detail string // "" is accepted
	}{
		"a key":                        {private, ""},
		"a key with a member keys":     {`{"keys":[],` + private[1:], ""},
		"a set":                        {`{"keys":[` + private + `]}`, "a key set where one key is expected"},
		"a private part without a kty": {`{"d":"AA"}`, "neither RSA nor EC P-256" + accepted},
	} {
		_, err := ParsePrivateKey([]byte(c.text))
		if c.detail == "" && err != nil || c.detail != "" && (err == nil || !strings.Contains(err.Error(), c.detail)) {
			t.Errorf("%s: %v, want %q", name, err, c.detail)
		}
	}
}
