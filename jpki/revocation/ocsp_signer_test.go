package revocation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// TestOCSPSigner: golang.org/x/crypto/ocsp accepts a response that an ordinary certificate of the same authority
// signed.
func TestOCSPSigner(t *testing.T) {
	w := newOCSPWorld(t)
	ordinary := w.ca.SigningSpec(0x11)
	ordinary.Key = spki(testKey("responder"))
	with := func(spec certSpec, signer crypto.Signer) []byte {
		s := w.delegated()
		s.responder, s.certificates = byName(spec.Subject), [][]byte{spec.Sign(signer)}
		return s.sign()
	}
	vary := func(m func(*certSpec)) []byte {
		spec := w.responder
		spec.Extensions = slices.Clone(spec.Extensions)
		m(&spec)
		return with(spec, w.ca.Key)
	}
	eku := func(ids ...[]byte) []byte { return ext(oidExtendedKeyUsage, false, sequence(ids...)) }
	for _, tc := range []struct {
		name, step string
		der        []byte
	}{
		{"ordinary certificate of the same authority", "ocsp.responder-eku", with(ordinary, w.ca.Key)},
		{"ordinary, expired certificate of the same authority", "ocsp.responder-eku", func() []byte {
			expired := ordinary
			expired.NotBefore, expired.NotAfter = utcTime(now.Add(-2*year)), utcTime(now.Add(-year))
			return with(expired, w.ca.Key)
		}()},
		{"anyExtendedKeyUsage", "ocsp.responder-eku", vary(func(s *certSpec) {
			s.Replace(oidExtendedKeyUsage, eku(oid([]int{2, 5, 29, 37, 0})))
		})},
		{"clientAuth", "ocsp.responder-eku", vary(func(s *certSpec) {
			s.Replace(oidExtendedKeyUsage, eku(oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 2})))
		})},
		{"self-signed responder with the authority's name", "ocsp.responder-signature",
			with(w.responder, testKey("responder"))},
		{"responder of another authority", "ocsp.responder-issuer",
			vary(func(s *certSpec) { s.Issuer = jpkiName("JPKI-TEST", unitAuth) })},
		{"responder of another generation", "ocsp.responder-issuer", func() []byte {
			other := signingAuthority(t, "other")
			spec := w.responder
			spec.Extensions = slices.Clone(spec.Extensions)
			spec.Replace(oidAuthorityKeyID, other.KeyIDExt())
			return with(spec, other.Key)
		}()},
		{"expired responder", "ocsp.responder-validity", vary(func(s *certSpec) {
			s.NotAfter = utcTime(now.Add(-time.Second))
		})},
		{"responder of the future", "ocsp.responder-validity",
			vary(func(s *certSpec) { s.NotBefore = utcTime(now.Add(time.Second)) })},
		{"responder that may not sign", "ocsp.responder-key-usage",
			vary(func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x20)) })},
		{"responder that is an authority", "ocsp.responder-basic-constraints", vary(func(s *certSpec) {
			s.Add(ext(oidBasicConstraints, true, sequence([]byte{1, 1, 0xff})))
		})},
		{"responder with an unknown critical extension", "ocsp.responder-critical-extensions",
			vary(func(s *certSpec) { s.Add(ext([]int{1, 2, 3}, true, []byte{5, 0})) })},
		{"certificate of another responder", "ocsp.responder-id", func() []byte {
			s := w.delegated()
			s.responder = byName(jpkiName("JPKI-TEST", "somebody else"))
			return s.sign()
		}()},
		{"key hash of another key", "ocsp.responder-id", func() []byte {
			s := w.delegated()
			s.responder = byKey(bytes.Repeat([]byte{1}, 20))
			return s.sign()
		}()},
		{"no certificate", "ocsp.responder-id", func() []byte {
			s := w.delegated()
			s.certificates = nil
			return s.sign()
		}()},
		{"authority by name, signed by the leaf's key", "ocsp.responder-id", func() []byte {
			s := w.direct()
			s.key = testKey("leaf")
			return s.sign()
		}()},
		{"authority by key, signed by the leaf's key", "ocsp.signature", func() []byte {
			s := w.direct()
			s.responder, s.key = byKey(keyHash(t, w.ca.Cert)), testKey("leaf")
			return s.sign()
		}()},
		{"responder's certificate, signed by the leaf's key", "ocsp.signature", func() []byte {
			s := w.delegated()
			s.key = testKey("leaf")
			return s.sign()
		}()},
		{"status altered", "ocsp.responder-id", func() []byte {
			s := w.direct()
			s.singles = [][]byte{single(w.id.der(), statusUnknown, now.Add(-5*time.Minute), now.Add(10*time.Minute))}
			der := s.sign()
			der[bytes.Index(der, statusUnknown)] = 0x80
			return der
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) { w.wantRefused(t, tc.der, tc.step, ReasonResponse) })
	}
}

// TestOCSPResponderLastSecond: the second of notAfter belongs to the validity period, to its end (RFC 5280, 4.1.2.5).
func TestOCSPResponderLastSecond(t *testing.T) {
	w := newOCSPWorld(t)
	end := now.Truncate(time.Second)
	w.responder.NotAfter = utcTime(end)
	s := w.delegated()
	der := s.sign()
	for after, want := range map[time.Duration]Reason{
		0: ReasonUnknown, 500 * time.Millisecond: ReasonUnknown, time.Second - 1: ReasonUnknown,
		time.Second: ReasonResponse,
	} {
		at := end.Add(after)
		if _, err := w.verify(der, at, func(p *acceptance) { p.now = at }); reasonOf(err) != want {
			t.Errorf("%s after: %v", after, err)
		}
	}
}

func TestOCSPResponderRevocation(t *testing.T) {
	w := newOCSPWorld(t)
	w.responder.Replace(oidOCSPNoCheck, nil)
	s := w.delegated()
	der := s.sign()
	w.wantRefused(t, der, "ocsp.responder-revocation", ReasonStatusUnknown)
	for name, tc := range map[string]struct {
		source Source
		want   Reason
	}{
		"good": {says(Good, nil), ReasonUnknown}, "revoked": {says(Revoked, nil), ReasonResponse},
		"hold":    {says(Hold, nil), ReasonResponse},
		"unknown": {says(Unknown, nil), ReasonStatusUnknown},
		"error":   {says(Good, errors.New("broken")), ReasonStatusUnknown},
	} {
		answer, err := w.verify(der, now, func(p *acceptance) { p.responders = tc.source })
		if reasonOf(err) != tc.want || (answer.Status == Good) != (tc.want == ReasonUnknown) {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	list := w.ca.List(1, entry([]byte{0x42}, now.Add(-day)))
	list.Extensions = list.Extensions[:2]
	_, err := w.verify(der, now, func(p *acceptance) { p.responders = added(t, list.Sign(w.ca.Key)) })
	if !errors.Is(err, &Error{Reason: ReasonResponse, Step: "ocsp.responder-revocation"}) {
		t.Errorf("responder listed in a CRL: %v", err)
	}
}

func TestOCSPSignatureAlgorithms(t *testing.T) {
	w := newOCSPWorld(t)
	for name, tc := range map[string]struct {
		row   *sigalg.Algorithm
		curve elliptic.Curve
		good  bool
	}{
		"P-256 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P256(), true},
		"P-384 with SHA-384": {sigalg.ECDSAWithSHA384, elliptic.P384(), true},
		"P-521 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P521(), false},
		"P-224 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P224(), false},
		"RSA with SHA-384":   {sigalg.SHA384WithRSA, nil, true}, "RSA with SHA-512": {sigalg.SHA512WithRSA, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			if fips140.Enforced() && tc.curve == elliptic.P224() {
				return // the key itself cannot be made
			}
			var key crypto.Signer = testKey("responder")
			algorithm := sequence(oid(tc.row.ID), []byte{5, 0})
			if tc.curve != nil {
				generated, err := ecdsa.GenerateKey(tc.curve, rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				key, algorithm = generated, sequence(oid(tc.row.ID))
			}
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			spec := w.responder
			spec.Key = public
			s := w.delegated()
			s.algorithm, s.certificates = algorithm, [][]byte{spec.Sign(w.ca.Key)}
			tbs := s.data()
			hash := tc.row.Hash.New()
			hash.Write(tbs)
			signature, err := key.Sign(rand.Reader, hash.Sum(nil), tc.row.Hash)
			if err != nil {
				t.Fatal(err)
			}
			der := wrapBasic(sequence(tbs, algorithm, bitString(signature), wrap(tag0c, sequence(s.certificates...))))
			if tc.good {
				w.wantGood(t, der)
			} else {
				w.wantRefused(t, der, "ocsp.signature", ReasonResponse)
			}
		})
	}
	if form.VerifySignature(nil, &testKey("leaf").PublicKey, nil, nil) == nil {
		t.Error("no algorithm verifies")
	}
	if sum := sha512.Sum512(nil); form.VerifySignature(sigalg.SHA512WithRSA, "no key", nil, sum[:]) == nil {
		t.Error("no key verifies")
	}
}
