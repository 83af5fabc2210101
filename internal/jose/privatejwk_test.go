package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

func TestPrivateKeySurvivesItsJWK(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []SigningKey{{ec, "ec-1", ES256}, {rs, "rsa-1", RS256}, {rs, "rsa-2", PS256}, {ec, "", ES256}} {
		b, err := MarshalPrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParsePrivateKey(b)
		if err != nil {
			t.Fatal(err)
		}
		if back.KeyID != k.KeyID || back.Algorithm != k.Algorithm ||
			!back.Signer.(interface{ Equal(crypto.PrivateKey) bool }).Equal(k.Signer) {
			t.Errorf("%s: another key came back", k.KeyID)
		}
		if _, err := ParseKeySet([]byte(`{"keys":[` + string(b) + `]}`)); err != nil {
			t.Error(err)
		} else if set, _ := ParseKeySet([]byte(`{"keys":[` + string(b) + `]}`)); len(set.Keys) != 0 {
			t.Error("a private key was taken for a published one")
		}
	}
	if _, err := MarshalPrivateKey(SigningKey{kms{ec}, "kms", ES256}); err == nil {
		t.Error("a key outside was encoded")
	}
	if _, err := MarshalPrivateKey(SigningKey{}); err == nil {
		t.Error("no key was encoded")
	}
}
