package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
)

// TestComingGeneration: authorities, certificates and lists with ECDSA P-384 and SHA-384 (RFC 5758, 3.2) go the same way as
// those with RSA.
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
	algorithm := sequence(oid(ecdsaWithSHA384.id))
	sign := func(tbs []byte, key crypto.Signer) []byte {
		digest := sha512.Sum384(tbs)
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA384)
		if err != nil {
			t.Fatal(err)
		}
		return sequence(tbs, algorithm, bitString(signature))
	}
	certificate := func(s *certSpec, key crypto.Signer) []byte {
		s.algorithm = algorithm
		return sign(sequence(wrap(tag0c, integer(2)), wrap(2, s.serial), s.algorithm, s.issuer, sequence(s.notBefore, s.notAfter), s.subject,
			s.key, wrap(tag3c, sequence(s.extensions...))), key)
	}
	caKey, leafKey := newKey(elliptic.P384()), newKey(elliptic.P384())
	a := signingAuthority(t, "ca") // for its names and extensions
	caForm, _ := caSpec("ca", a.name)
	caForm.key = public(caKey)
	ca := parsed(t, certificate(&caForm, caKey))
	verifier := func(store *CRLs) *Verifier {
		v, err := NewVerifier(VerifierConfig{Environment: Test, Trust: TestTrust(ca), Revocation: Require(store), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	leaf := func(key *ecdsa.PrivateKey) *Certificate {
		spec := a.signingSpec(0x31)
		spec.key = public(key)
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
		s := a.list(1, tc.entries...)
		var entries []byte
		if len(tc.entries) > 0 {
			entries = sequence(tc.entries...)
		}
		list := sign(sequence(integer(1), algorithm, s.issuer, s.thisUpdate, s.nextUpdate, entries, wrap(tag0c, sequence(s.extensions...))), caKey)
		store, err := OpenCRLs(t.Context(), CRLConfig{Trust: TestTrust(ca)})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Add(list); err != nil {
			t.Fatal(err)
		}
		if res, err := verifier(store).Verify(t.Context(), c, For(SigningCard)); res.Status != tc.want || (err == nil) != (tc.want == Good) {
			t.Errorf("%v, %v, want %v", res, err, tc.want)
		}
	}
	// Another curve is no row of the table.
	wantFailure(t, verifier(NewCRLs()), leaf(newKey(elliptic.P256())), "profile.key", ReasonProfile, kakunin.Untrusted, Unknown)
}
