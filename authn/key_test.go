package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// brokenSigner has a public key and no way to use the private one.
type brokenSigner struct {
	crypto.Signer
	err error
}

func (b brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, b.err }

func TestKeyRoundTrip(t *testing.T) {
	for _, alg := range []Algorithm{ES256, RS256, PS256} {
		k, err := GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		if k.Algorithm() != alg || len(k.KeyID()) != 43 {
			t.Errorf("alg %s, kid %q", k.Algorithm(), k.KeyID())
		}
		secret, err := k.RevealPEM()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, secret, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := LoadKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if loaded.KeyID() != "" || !loaded.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
			t.Error("another key came back")
		}
		publicPEM, err := k.PublicPEM()
		if err != nil || strings.Contains(string(publicPEM), "PRIVATE") {
			t.Error(err)
		}
		if pub, err := jose.ParsePublicKey(publicPEM); err != nil || !pub.Equal(jose.PublicKey{Key: k.Public()}) {
			t.Error(err)
		}
		jwks, err := k.PublicJWKS()
		if err != nil || strings.Contains(string(jwks), `"d"`) {
			t.Error(err)
		}
		if set, err := jose.ParseKeySet(jwks); err != nil || len(set.Keys) != 1 || !set.Keys[0].Equal(k.signing().Public()) {
			t.Errorf("%s, %v", jwks, err)
		}
	}
}

func TestKeyMistakes(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, missing := LoadKey(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(missing, fs.ErrNotExist) || strings.Contains(missing.Error(), "none") {
		t.Errorf("%v", missing)
	}
	_, directory := LoadKey(t.TempDir())
	_, rubbish := ParseKey([]byte("rubbish"))
	_, large := ParseKey(make([]byte, limits.KeyFile+1))
	_, curve := NewKey(p384, "")
	_, none := NewKey(nil, "")
	_, alg := GenerateKey("HS256")
	_, wrongAlg := testECKey().WithAlgorithm(RS256)
	_, kid := testECKey().WithKeyID(strings.Repeat("k", limits.KeyID+1))
	_, pem := Key{}.PublicPEM()
	_, jwks := Key{}.PublicJWKS()
	_, secret := Key{}.RevealPEM()
	kms, err := NewKey(brokenSigner{testECKey().signing().Signer, nil}, "kms")
	if err != nil {
		t.Fatal(err)
	}
	_, hidden := kms.RevealPEM()
	for i, err := range []error{missing, directory, rubbish, large, curve, none, alg, wrongAlg, kid, pem, jwks, secret, hidden} {
		if FamilyOf(err) != Configuration {
			t.Errorf("%d: %v", i, err)
		}
	}
	if kms.KeyID() != "kms" || kms.Algorithm() != ES256 || (Key{}).Public() != nil {
		t.Error("accessors")
	}
}
