package jpki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// TestComingGeneration: authorities, certificates and lists with ECDSA P-384 and SHA-384 (RFC 5758, 3.2) go the same
// way as those with RSA.
func TestComingGeneration(t *testing.T) {
	newKey := func(curve elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	public := func(key *ecdsa.PrivateKey) []byte {
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	algorithm := sequence(oid(sigalg.ECDSAWithSHA384.ID))
	sign := func(tbs []byte, key crypto.Signer) []byte {
		digest := sha512.Sum384(tbs)
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA384)
		if err != nil {
			t.Fatal(err)
		}
		return sequence(tbs, algorithm, bitString(signature))
	}
	certificate := func(s *certSpec, key crypto.Signer) []byte {
		s.Algorithm = algorithm
		return sign(sequence(wrap(tag0c, integer(2)), wrap(2, s.Serial), s.Algorithm, s.Issuer,
			sequence(s.NotBefore, s.NotAfter), s.Subject,
			s.Key, wrap(tag3c, sequence(s.Extensions...))), key)
	}
	caKey, leafKey := newKey(elliptic.P384()), newKey(elliptic.P384())
	a := signingAuthority(t, "ca") // for its names and extensions
	caForm, _ := caSpec("ca", a.Name)
	caForm.Key = public(caKey)
	ca := parsed(t, certificate(&caForm, caKey))
	verifier := func(store *revocation.Store) *Verifier {
		v, err := NewVerifier(VerifierConfig{Hierarchy: Simulated, Trust: InsecureTestTrust(ca),
			Revocation: revocation.Require(store), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	leaf := func(key *ecdsa.PrivateKey) *Certificate {
		spec := a.SigningSpec(0x31)
		spec.Key = public(key)
		c, err := ParseCertificate(certificate(&spec, caKey))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := leaf(leafKey)
	for _, tc := range []struct {
		entries [][]byte
		want    Status
	}{{nil, Good}, {[][]byte{revoked(c, now.Add(-day), reasonExt(4))}, Revoked}} {
		s := a.List(1, tc.entries...)
		var entries []byte
		if len(tc.entries) > 0 {
			entries = sequence(tc.entries...)
		}
		list := sign(sequence(integer(1), algorithm, s.Issuer, s.ThisUpdate, s.NextUpdate, entries,
			wrap(tag0c, sequence(s.Extensions...))), caKey)
		store, err := revocation.OpenStore(t.Context(), revocation.StoreConfig{Authorities: []*x509.Certificate{ca}})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Add(t.Context(), bytes.NewReader(list)); err != nil {
			t.Fatal(err)
		}
		if res, err := verifier(store).Verify(t.Context(), c, For(SigningCard)); res.Status != tc.want ||
			(err == nil) != (tc.want == Good) {
			t.Errorf("%v, %v, want %v", res, err, tc.want)
		}
	}
	// Another curve is no row of the table.
	wantFailure(t, verifier(new(revocation.Store)), leaf(newKey(elliptic.P256())), "profile.key", ReasonProfile,
		kakunin.Untrusted, Unknown)
}
