package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// responseSpec is an OCSP response to be; every part is encoded as given.
type responseSpec struct {
	responder    []byte // ResponderID
	producedAt   []byte
	singles      [][]byte
	extensions   [][]byte
	algorithm    []byte
	certificates [][]byte
	key          crypto.Signer
}

func byName(n []byte) []byte { return wrap(tag1c, n) }

func byKey(hash []byte) []byte { return wrap(tag2c, wrap(cbasn1.OCTET_STRING, hash)) }

// keyHash is the SHA-1 of a certificate's key, or what stands in for it when SHA-1 is not available.
func keyHash(t testing.TB, c *x509.Certificate) []byte {
	t.Helper()
	if fips140.Enforced() {
		return c.SubjectKeyId
	}
	f, err := form.Read(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(f.KeyBits)
	return sum[:]
}

func (s *responseSpec) data() []byte {
	var extensions []byte
	if len(s.extensions) > 0 {
		extensions = wrap(tag1c, sequence(s.extensions...))
	}
	return sequence(s.responder, s.producedAt, sequence(s.singles...), extensions)
}

func (s *responseSpec) sign() []byte {
	tbs := s.data()
	var certificates []byte
	if len(s.certificates) > 0 {
		certificates = wrap(tag0c, sequence(s.certificates...))
	}
	return wrapBasic(sequence(tbs, s.algorithm, bitString(signSHA256(s.key, tbs)), certificates))
}

func wrapBasic(basic []byte) []byte {
	return sequence([]byte{10, 1, 0}, wrap(tag0c, sequence(oid(oidOCSPBasic), wrap(cbasn1.OCTET_STRING, basic))))
}

func (id *certID) der() []byte { return build(id.marshal) }

var (
	statusGood    = []byte{0x80, 0}
	statusUnknown = []byte{0x82, 0}
)

func statusRevoked(at time.Time, reason ...byte) []byte {
	var code []byte
	if len(reason) > 0 {
		code = wrap(tag0c, []byte{10, 1, reason[0]})
	}
	return wrap(tag1c, generalizedTime(at), code)
}

func single(id, status []byte, this, next time.Time, extensions ...[]byte) []byte {
	var until, list []byte
	if !next.IsZero() {
		until = wrap(tag0c, generalizedTime(next))
	}
	if len(extensions) > 0 {
		list = wrap(tag1c, sequence(extensions...))
	}
	return sequence(id, status, generalizedTime(this), until, list)
}

func nonceExt(nonce []byte) []byte {
	return ext(oidOCSPNonce, false, wrap(cbasn1.OCTET_STRING, nonce))
}

// ocspWorld is one question and everything to answer it with.
type ocspWorld struct {
	t         testing.TB
	ca        *authority
	issuer    *Certificate // the authority, read once
	leaf      *Certificate
	id        certID
	nonce     []byte
	responder certSpec // a delegated responder's certificate
}

func newOCSPWorld(t testing.TB) *ocspWorld {
	t.Helper()
	w := &ocspWorld{t: t, ca: signingAuthority(t, "ca"), nonce: bytes.Repeat([]byte{7}, nonceSize)}
	w.leaf, w.issuer = w.ca.signingLeaf(t), w.ca.asked()
	id, err := newCertID(crypto.SHA256, w.leaf.known(), w.ca.asked().known())
	if err != nil {
		t.Fatal(err)
	}
	w.id = id
	ski := signSHA256(testKey("responder"), nil)[:20]
	w.responder = certSpec{
		Serial: []byte{0x42}, Algorithm: algorithmSHA256RSA, Issuer: w.ca.Name,
		Subject:   jpkiName("JPKI-TEST", "OCSP Responder"),
		NotBefore: utcTime(now.Add(-30 * day)), NotAfter: utcTime(now.Add(30 * day)), Key: spki(testKey("responder")),
		Extensions: [][]byte{
			keyUsage(0x80), ext(oidExtendedKeyUsage, false, sequence(oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 9}))), w.ca.KeyIDExt(),
			ext(oidOCSPNoCheck, false, []byte{5, 0}), ext([]int{2, 5, 29, 14}, false, wrap(cbasn1.OCTET_STRING, ski)),
		},
	}
	return w
}

// direct is a good answer that the authority signs itself.
func (w *ocspWorld) direct() responseSpec {
	return responseSpec{
		responder: byName(w.ca.Name), producedAt: generalizedTime(now), algorithm: algorithmSHA256RSA, key: w.ca.Key,
		singles:    [][]byte{single(w.id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))},
		extensions: [][]byte{nonceExt(w.nonce)},
	}
}

// delegated is the same answer by the responder.
func (w *ocspWorld) delegated() responseSpec {
	s := w.direct()
	s.responder, s.key = byName(w.responder.Subject), testKey("responder")
	s.certificates = [][]byte{w.responder.Sign(w.ca.Key)}
	return s
}

func (w *ocspWorld) verify(der []byte, at time.Time, change ...func(*acceptance)) (Answer, error) {
	p := acceptance{now: now, skew: defaultOCSPSkew, maxAge: defaultOCSPMaxAge, nonce: w.nonce}
	for _, c := range change {
		c(&p)
	}
	return verifyResponse(w.t.Context(), der, []certID{w.id}, Query{Certificate: w.leaf, Issuer: w.issuer, At: at}, p)
}

func (w *ocspWorld) wantGood(t *testing.T, der []byte) {
	t.Helper()
	answer, err := w.verify(der, now)
	if err != nil || answer.Status != Good || answer.Method != "OCSP" || !bytes.Equal(answer.Evidence, der) {
		t.Errorf("%v, %v", answer, err)
	}
}

func (w *ocspWorld) wantRefused(t *testing.T, der []byte, step string, reason Reason) {
	t.Helper()
	answer, err := w.verify(der, now)
	var e *Error
	if !errors.As(err, &e) || e.Reason != reason || e.Step != step {
		t.Errorf("%v, want %v at %s", err, reason, step)
	}
	if answer.Status != Unknown {
		t.Errorf("status %v", answer.Status)
	}
}

func TestOCSPAccepted(t *testing.T) {
	w := newOCSPWorld(t)
	responder := parsed(t, w.responder.Sign(w.ca.Key))
	for name, m := range map[string]func() responseSpec{
		"authority by name": w.direct,
		"authority by key": func() responseSpec {
			s := w.direct()
			if fips140.Enforced() {
				s.responder = byKey(w.ca.Cert.SubjectKeyId)
			} else {
				s.responder = byKey(keyHash(t, w.ca.Cert))
			}
			return s
		},
		"delegated by name": w.delegated,
		"delegated by key": func() responseSpec {
			s := w.delegated()
			s.responder = byKey(keyHash(t, responder))
			return s
		},
		"delegated, among other certificates": func() responseSpec {
			s := w.delegated()
			s.certificates = append([][]byte{w.leaf.Raw(), {0x30, 0}}, s.certificates...)
			return s
		},
		"among other responses": func() responseSpec {
			s := w.direct()
			other := w.id
			other.serial = []byte{0x66}
			s.singles = append(s.singles, single(other.der(), statusRevoked(now), now, time.Time{}))
			return s
		},
		"without nextUpdate": func() responseSpec {
			s := w.direct()
			s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-5*time.Minute), time.Time{})}
			return s
		},
		"an authority that shares its name with the responder": func() responseSpec {
			s := w.delegated()
			spec := w.responder
			spec.Subject = w.ca.Name
			s.responder, s.certificates = byName(w.ca.Name), [][]byte{spec.Sign(w.ca.Key)}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := m()
			w.wantGood(t, s.sign())
		})
	}
}

func TestOCSPStatus(t *testing.T) {
	w := newOCSPWorld(t)
	answer := func(status []byte, at time.Time, extensions ...[]byte) (Answer, error) {
		s := w.direct()
		s.singles = [][]byte{single(w.id.der(), status, now.Add(-5*time.Minute), now.Add(10*time.Minute), extensions...)}
		return w.verify(s.sign(), at)
	}
	invalid := func(at time.Time) []byte { return ext(oidInvalidityDate, false, generalizedTime(at)) }
	for _, tc := range []struct {
		name       string
		status     []byte
		at         time.Time
		want       Status
		extensions [][]byte
	}{
		{"good", statusGood, now, Good, nil},
		{"good says nothing about an earlier time", statusGood, now.Add(-time.Hour), Unknown, nil},
		{"good says nothing about a later time", statusGood, now.Add(time.Hour), Unknown, nil},
		{"unknown", statusUnknown, now, Unknown, nil},
		{"revoked without reason", statusRevoked(now.Add(-day)), now, Revoked, nil},
		{"affiliationChanged", statusRevoked(now.Add(-day), 3), now, Revoked, nil},
		{"hold", statusRevoked(now.Add(-day), 6), now, Hold, nil},
		{"revoked just now by a clock that is ahead", statusRevoked(now.Add(time.Minute), 4), now, Unknown, nil},
		{"compromised just now by a clock that is ahead", statusRevoked(now.Add(time.Minute), 1), now, Revoked, nil},
		{"to be revoked later", statusRevoked(now.Add(5*time.Minute), 4), now, Good, nil},
		{"removeFromCRL", statusRevoked(now.Add(-day), 8), now, Unknown, nil},
		{"revoked after the time, which is not covered", statusRevoked(now.Add(-day), 4), now.Add(-2 * day), Unknown, nil},
		{"compromised after the time", statusRevoked(now.Add(-day), 1), now.Add(-2 * day), Revoked, nil},
		{"revoked before the time", statusRevoked(now.Add(-3*day), 4), now.Add(-2 * day), Revoked, nil},
		{"revoked after, invalid before the time", statusRevoked(now.Add(-day), 4), now.Add(-2 * day), Revoked, [][]byte{invalid(now.Add(-3 * day))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := answer(tc.status, tc.at, tc.extensions...)
			if got.Status != tc.want || (err == nil) != (tc.want != Unknown) {
				t.Errorf("%v, %v, want %v", got, err, tc.want)
			}
			if tc.want == Unknown && !errors.Is(err, &Error{Reason: ReasonStatusUnknown}) {
				t.Error(err)
			}
		})
	}
}

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
		{"anyExtendedKeyUsage", "ocsp.responder-eku", vary(func(s *certSpec) { s.Replace(oidExtendedKeyUsage, eku(oid([]int{2, 5, 29, 37, 0}))) })},
		{"clientAuth", "ocsp.responder-eku", vary(func(s *certSpec) { s.Replace(oidExtendedKeyUsage, eku(oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 2}))) })},
		{"self-signed responder with the authority's name", "ocsp.responder-signature", with(w.responder, testKey("responder"))},
		{"responder of another authority", "ocsp.responder-issuer", vary(func(s *certSpec) { s.Issuer = jpkiName("JPKI-TEST", unitAuth) })},
		{"responder of another generation", "ocsp.responder-issuer", func() []byte {
			other := signingAuthority(t, "other")
			spec := w.responder
			spec.Extensions = slices.Clone(spec.Extensions)
			spec.Replace(oidAuthorityKeyID, other.KeyIDExt())
			return with(spec, other.Key)
		}()},
		{"expired responder", "ocsp.responder-validity", vary(func(s *certSpec) { s.NotAfter = utcTime(now.Add(-time.Second)) })},
		{"responder of the future", "ocsp.responder-validity", vary(func(s *certSpec) { s.NotBefore = utcTime(now.Add(time.Second)) })},
		{"responder that may not sign", "ocsp.responder-key-usage", vary(func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x20)) })},
		{"responder that is an authority", "ocsp.responder-basic-constraints", vary(func(s *certSpec) {
			s.Add(ext(oidBasicConstraints, true, sequence([]byte{1, 1, 0xff})))
		})},
		{"responder with an unknown critical extension", "ocsp.responder-critical-extensions", vary(func(s *certSpec) { s.Add(ext([]int{1, 2, 3}, true, []byte{5, 0})) })},
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
		"good": {says(Good, nil), ReasonUnknown}, "revoked": {says(Revoked, nil), ReasonResponse}, "hold": {says(Hold, nil), ReasonResponse},
		"unknown": {says(Unknown, nil), ReasonStatusUnknown}, "error": {says(Good, errors.New("broken")), ReasonStatusUnknown},
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

func TestOCSPCertID(t *testing.T) {
	w := newOCSPWorld(t)
	good := single(w.id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))
	about := func(change func(*certID)) []byte {
		id := w.id
		change(&id)
		return single(id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))
	}
	for _, tc := range []struct {
		name, step string
		singles    [][]byte
	}{
		{"another serial", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.serial = []byte{9} })}},
		// golang.org/x/crypto/ocsp matches the serial number only.
		{"another issuer key", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.keyHash = bytes.Repeat([]byte{1}, 32) })}},
		{"another issuer name", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.nameHash = bytes.Repeat([]byte{1}, 32) })}},
		{"another hash algorithm", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.hash = oidSHA1 })}},
		{"two answers", "ocsp.single-response", [][]byte{good, good}},
		{"two contradicting answers", "ocsp.single-response", [][]byte{good, single(w.id.der(), statusRevoked(now), now, time.Time{})}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			s.singles = tc.singles
			w.wantRefused(t, s.sign(), tc.step, ReasonResponse)
		})
	}
}

func TestOCSPTimes(t *testing.T) {
	w := newOCSPWorld(t)
	for _, tc := range []struct {
		name, step           string
		produced, this, next time.Duration // from now; next 0: absent
	}{
		{"41 days past nextUpdate", "ocsp.this-update", -42 * day, -42 * day, -41 * day},
		{"old but with a long nextUpdate", "ocsp.this-update", -day, -day, 30 * day},
		{"past nextUpdate", "ocsp.next-update", -4 * time.Minute, -5 * time.Minute, -3 * time.Minute},
		{"thisUpdate in the future", "ocsp.this-update", 3 * time.Minute, 3 * time.Minute, time.Hour},
		{"produced in the future", "ocsp.produced-at", 3 * time.Minute, 0, time.Hour},
		{"produced long ago, fresh content", "ocsp.produced-at", -time.Hour, 0, time.Hour},
		{"produced before thisUpdate", "ocsp.produced-at", -10 * time.Minute, -time.Minute, time.Hour},
		{"old without nextUpdate", "ocsp.this-update", -time.Hour, -time.Hour, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			s.producedAt = generalizedTime(now.Add(tc.produced))
			next := time.Time{}
			if tc.next != 0 {
				next = now.Add(tc.next)
			}
			s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(tc.this), next)}
			w.wantRefused(t, s.sign(), tc.step, ReasonResponseStale)
		})
	}
	t.Run("within the skew", func(t *testing.T) {
		s := w.direct()
		s.producedAt = generalizedTime(now.Add(defaultOCSPSkew))
		s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(defaultOCSPSkew), now.Add(time.Hour))}
		w.wantGood(t, s.sign())
	})
	t.Run("nextUpdate before thisUpdate", func(t *testing.T) {
		s := w.direct()
		s.singles = [][]byte{single(w.id.der(), statusGood, now, now.Add(-time.Second))}
		w.wantRefused(t, s.sign(), "ocsp.single-response", ReasonResponse)
	})
	t.Run("UTCTime", func(t *testing.T) {
		s := w.direct()
		s.producedAt = utcTime(now)
		w.wantRefused(t, s.sign(), "ocsp.produced-at", ReasonResponse)
		s = w.direct()
		s.singles = [][]byte{sequence(w.id.der(), statusGood, utcTime(now))}
		w.wantRefused(t, s.sign(), "ocsp.single-response", ReasonResponse)
	})
}

func TestOCSPNonce(t *testing.T) {
	w := newOCSPWorld(t)
	for name, extensions := range map[string][][]byte{
		"absent": nil, "another": {nonceExt(bytes.Repeat([]byte{8}, nonceSize))}, "cut": {nonceExt(w.nonce[1:])},
		"longer": {nonceExt(append(bytes.Clone(w.nonce), 7))},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.direct()
			s.extensions = extensions
			w.wantRefused(t, s.sign(), "ocsp.nonce", ReasonResponse)
			if answer, err := w.verify(s.sign(), now, func(p *acceptance) { p.nonce = nil }); err != nil || answer.Status != Good {
				t.Errorf("when none was sent: %v", err)
			}
		})
	}
	for name, nonce := range map[string][]byte{"empty": {}, "129 octets": make([]byte, 129)} {
		t.Run(name, func(t *testing.T) {
			s := w.direct()
			s.extensions = [][]byte{nonceExt(nonce)}
			w.wantRefused(t, s.sign(), "ocsp.nonce", ReasonResponse)
		})
	}
}

func TestOCSPMalformed(t *testing.T) {
	w := newOCSPWorld(t)
	critical := ext([]int{1, 2, 3}, true, []byte{5, 0})
	for _, tc := range []struct {
		name, step string
		mutate     func(*responseSpec)
	}{
		{"critical response extension", "ocsp.critical-extensions", func(s *responseSpec) { s.extensions = append(s.extensions, critical) }},
		{"critical single extension", "ocsp.critical-extensions", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), statusGood, now, time.Time{}, critical)}
		}},
		{"extension twice", "ocsp.response-extensions", func(s *responseSpec) { s.extensions = append(s.extensions, s.extensions[0]) }},
		{"no response", "ocsp.der", func(s *responseSpec) { s.singles = nil }},
		{"good with content", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), []byte{0x80, 1, 0}, now, time.Time{})}
		}},
		{"status of another tag", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), []byte{0x83, 0}, now, time.Time{})}
		}},
		{"undefined reason", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), statusRevoked(now, 7), now, time.Time{})}
		}},
		{"responder of another tag", "ocsp.responder-id", func(s *responseSpec) { s.responder = wrap(tag3c, w.ca.Name) }},
		{"version 2", "ocsp.version", func(s *responseSpec) { s.responder = append(wrap(tag0c, integer(1)), s.responder...) }},
		{"SHA-1 signature", "ocsp.signature-algorithm", func(s *responseSpec) { s.algorithm = sequence(oid([]int{1, 2, 840, 113549, 1, 1, 5}), []byte{5, 0}) }},
		{"MD5 signature", "ocsp.signature-algorithm", func(s *responseSpec) { s.algorithm = sequence(oid([]int{1, 2, 840, 113549, 1, 1, 4}), []byte{5, 0}) }},
		{"ECDSA with NULL parameters", "ocsp.signature-algorithm", func(s *responseSpec) { s.algorithm = sequence(oid(sigalg.ECDSAWithSHA256.ID), []byte{5, 0}) }},
		{"algorithm of another hash", "ocsp.responder-id", func(s *responseSpec) { s.algorithm = sequence(oid(sigalg.SHA384WithRSA.ID), []byte{5, 0}) }},
		{"algorithm of another key", "ocsp.responder-id", func(s *responseSpec) { s.algorithm = sequence(oid(sigalg.ECDSAWithSHA256.ID)) }},
		{"too many certificates", "ocsp.certificates", func(s *responseSpec) {
			s.certificates = slices.Repeat([][]byte{{0x30, 0}}, limits.OCSPCertificates+1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			tc.mutate(&s)
			w.wantRefused(t, s.sign(), tc.step, ReasonResponse)
		})
	}
	s := w.delegated()
	der := s.sign()
	for n := range der {
		if answer, err := w.verify(der[:n], now); err == nil || answer.Status != Unknown {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(der))
		}
	}
	w.wantRefused(t, append(bytes.Clone(der), 0), "ocsp.der", ReasonResponse)
	w.wantRefused(t, make([]byte, limits.OCSPResponse+1), "ocsp.size", ReasonResponse)
	w.wantRefused(t, sequence([]byte{10, 1, 0}, wrap(tag0c, sequence(oid([]int{1, 2, 3}), wrap(cbasn1.OCTET_STRING, []byte{0x30, 0})))), "ocsp.type", ReasonResponse)
	w.wantRefused(t, sequence([]byte{10, 1, 3}, wrap(tag0c, sequence())), "ocsp.response-status", ReasonResponse)
	for status, want := range map[byte]Reason{
		1: ReasonResponderRefused, 2: ReasonResponderUnavailable, 3: ReasonResponderUnavailable, 4: ReasonResponse,
		5: ReasonResponderRefused, 6: ReasonResponderRefused, 7: ReasonResponse,
	} {
		w.wantRefused(t, sequence([]byte{10, 1, status}), "ocsp.response-status", want)
	}
}

func TestOCSPSignatureAlgorithms(t *testing.T) {
	w := newOCSPWorld(t)
	for name, tc := range map[string]struct {
		row   *sigalg.Algorithm
		curve elliptic.Curve
		good  bool
	}{
		"P-256 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P256(), true}, "P-384 with SHA-384": {sigalg.ECDSAWithSHA384, elliptic.P384(), true},
		"P-521 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P521(), false}, "P-224 with SHA-256": {sigalg.ECDSAWithSHA256, elliptic.P224(), false},
		"RSA with SHA-384": {sigalg.SHA384WithRSA, nil, true}, "RSA with SHA-512": {sigalg.SHA512WithRSA, nil, true},
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

// TestOCSPRequest reads the request with golang.org/x/crypto/ocsp.
func TestOCSPRequest(t *testing.T) {
	w := newOCSPWorld(t)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		id, err := newCertID(hash, w.leaf.known(), w.ca.asked().known())
		if fips140.Enforced() && hash == crypto.SHA1 {
			if err == nil {
				t.Error("SHA-1 was used")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		der, err := id.request(w.nonce)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ocsp.ParseRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		if got.HashAlgorithm != hash || got.SerialNumber.Cmp(new(big.Int).SetBytes(w.leaf.Serial())) != 0 ||
			!bytes.Equal(got.IssuerNameHash, id.nameHash) || !bytes.Equal(got.IssuerKeyHash, id.keyHash) {
			t.Errorf("%v: %+v", hash, got)
		}
		if !bytes.HasSuffix(der, nonceExt(w.nonce)) {
			t.Error("no nonce")
		}
		plain, err := id.request(nil)
		if err != nil || bytes.Contains(plain, oid(oidOCSPNonce)) {
			t.Errorf("a nonce that was not asked for, %v", err)
		}
	}
	if _, err := newCertID(crypto.MD5, w.leaf.known(), w.ca.asked().known()); err == nil {
		t.Error("MD5 was used")
	}
}

// responder answers over HTTP like a good one, with the given hash in the CertID that it was asked with.
func (w *ocspWorld) handler(status func() []byte) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/ocsp-request" {
			http.Error(rw, "bad request", http.StatusBadRequest)
			return
		}
		id, nonce := readRequest(w.t, body)
		s := w.direct()
		s.singles = [][]byte{sequence(id, status(), generalizedTime(now), wrap(tag0c, generalizedTime(now.Add(time.Hour))))}
		s.extensions = nil
		if nonce != nil {
			s.extensions = [][]byte{nonceExt(nonce)}
		}
		rw.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = rw.Write(s.sign())
	}
}

func readRequest(t testing.TB, raw cryptobyte.String) (id, nonce []byte) {
	var outer, tbs, list, request, one, extensions cryptobyte.String
	var present bool
	if !raw.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!list.ReadASN1(&request, cbasn1.SEQUENCE) || !request.ReadASN1Element(&one, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&extensions, &present, tag2c) {
		t.Error("the request is malformed")
		return nil, nil
	}
	if present {
		found, ok := der.ReadExtensions(extensions)
		if e := der.Find(found, oidOCSPNonce); ok && e != nil {
			e.Value.ReadASN1Bytes(&nonce, cbasn1.OCTET_STRING)
		}
	}
	return one, nonce
}

func (w *ocspWorld) client(t *testing.T, h http.Handler, change ...func(*OCSPConfig)) (*OCSP, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	over, err := responder.New(responder.Config{URL: server.URL, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c := OCSPConfig{Responder: over, Now: func() time.Time { return now }}
	for _, m := range change {
		m(&c)
	}
	client, err := NewOCSP(c)
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestOCSPClient(t *testing.T) {
	w := newOCSPWorld(t)
	good := func() []byte { return statusGood }
	for name, change := range map[string]func(*OCSPConfig){
		"default":  func(*OCSPConfig) {},
		"SHA-256":  func(c *OCSPConfig) { c.CertIDHash = crypto.SHA256 },
		"no nonce": func(c *OCSPConfig) { c.NoNonce = true },
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := w.client(t, w.handler(good), change)
			answer, err := w.ca.ask(t, client, w.leaf, now)
			if err != nil || answer.Status != Good || answer.Method != "OCSP" || len(answer.Evidence) == 0 {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	t.Run("through a policy", func(t *testing.T) {
		q := Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now}
		client, _ := w.client(t, w.handler(func() []byte { return statusRevoked(now.Add(-day), 3) }))
		if answer, err := Require(client).Ask(t.Context(), q); err != nil || answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
		client, _ = w.client(t, w.handler(good))
		if answer, err := Require(client).Ask(t.Context(), q); err != nil || answer.Status != Good || answer.Method != "OCSP" {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("each request has its own nonce", func(t *testing.T) {
		var nonces [][]byte
		h := w.handler(good)
		client, _ := w.client(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, nonce := readRequest(t, body)
			nonces = append(nonces, nonce)
			r.Body = io.NopCloser(bytes.NewReader(body))
			h(rw, r)
		}))
		for range 2 {
			if _, err := w.ca.ask(t, client, w.leaf, now); err != nil {
				t.Fatal(err)
			}
		}
		if len(nonces[0]) != 32 || bytes.Equal(nonces[0], nonces[1]) {
			t.Errorf("nonces %x", nonces)
		}
	})
	t.Run("replay of a recorded response", func(t *testing.T) {
		s := w.direct()
		client, _ := w.client(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/ocsp-response")
			_, _ = rw.Write(s.sign())
		}), func(c *OCSPConfig) { c.CertIDHash = crypto.SHA256 })
		if _, err := w.ca.ask(t, client, w.leaf, now); !errors.Is(err, &Error{Reason: ReasonResponse, Step: "ocsp.nonce"}) {
			t.Error(err)
		}
	})
	t.Run("ended context", func(t *testing.T) {
		client, _ := w.client(t, w.handler(good))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client.Check(ctx, Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now})
		if !errors.Is(err, context.Canceled) || kakunin.FamilyOf(err) != kakunin.Unavailable || strings.Contains(err.Error(), "127.0.0.1") {
			t.Error(err)
		}
	})
}

func TestOCSPTransport(t *testing.T) {
	w := newOCSPWorld(t)
	s := w.direct()
	der := s.sign()
	write := func(rw http.ResponseWriter, media string, body []byte) {
		rw.Header().Set("Content-Type", media)
		_, _ = rw.Write(body)
	}
	for _, tc := range []struct {
		name, step string
		handler    http.HandlerFunc
	}{
		{"status 500", "http-status", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/ocsp-response")
			rw.WriteHeader(http.StatusInternalServerError)
			_, _ = rw.Write(der)
		}},
		{"redirect", "http-status", func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect was followed")
			}
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"HTML", "content-type", func(rw http.ResponseWriter, _ *http.Request) { write(rw, "text/html", der) }},
		{"no type", "content-type", func(rw http.ResponseWriter, _ *http.Request) { write(rw, "", der) }},
		{"too large", "size", func(rw http.ResponseWriter, _ *http.Request) {
			write(rw, "application/ocsp-response", make([]byte, limits.OCSPResponse+1))
		}},
		{"cut off", "transport", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "5000")
			write(rw, "application/ocsp-response", der[:100])
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client, _ := w.client(t, tc.handler)
			answer, err := w.ca.ask(t, client, w.leaf, now)
			if !errors.Is(err, &Error{Reason: ReasonResponderUnavailable}) || !errors.Is(err, &responder.Error{Reason: responder.ReasonUnavailable, Step: tc.step}) || answer.Status != Unknown || kakunin.FamilyOf(err) != kakunin.Unavailable {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	t.Run("not listening", func(t *testing.T) {
		client, server := w.client(t, w.handler(func() []byte { return statusGood }))
		server.Close()
		_, err := w.ca.ask(t, client, w.leaf, now)
		if !errors.Is(err, &Error{Reason: ReasonResponderUnavailable}) || !errors.Is(err, &responder.Error{Reason: responder.ReasonUnavailable, Step: "transport"}) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Error(err)
		}
	})
}

// silent is a responder that is never asked.
type silent struct{}

func (silent) Ask(context.Context, []byte) ([]byte, error) { return nil, errors.New("not to be asked") }

func TestNewOCSPRefuses(t *testing.T) {
	var nilStore *Store
	var nilResponder *responder.HTTP
	for name, c := range map[string]OCSPConfig{
		"no responder": {}, "nil responder": {Responder: nilResponder}, "MD5": {Responder: silent{}, CertIDHash: crypto.MD5},
		"nil responder source": {Responder: silent{}, ResponderRevocation: nilStore},
	} {
		client, err := NewOCSP(c)
		if client != nil || reasonOf(err) != ReasonConfiguration || kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A responder of the application may answer whatever it likes: the size is bounded here, too.
func TestOCSPBoundsAnyResponder(t *testing.T) {
	w := newOCSPWorld(t)
	client, err := NewOCSP(OCSPConfig{Responder: flood{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := w.ca.ask(t, client, w.leaf, now); !errors.Is(err, &Error{Reason: ReasonResponderUnavailable, Step: "ocsp.size"}) || answer.Status != Unknown {
		t.Errorf("%v, %v", answer, err)
	}
}

type flood struct{}

func (flood) Ask(context.Context, []byte) ([]byte, error) {
	return make([]byte, limits.OCSPResponse+1), nil
}

// TestOCSPOfStandardEncoder reads a response that golang.org/x/crypto/ocsp made.
func TestOCSPOfStandardEncoder(t *testing.T) {
	if fips140.Enforced() {
		return // that package identifies by SHA-1
	}
	w := newOCSPWorld(t)
	id, err := newCertID(crypto.SHA1, w.leaf.known(), w.ca.asked().known())
	if err != nil {
		t.Fatal(err)
	}
	w.id = id
	responder := parsed(t, w.responder.Sign(w.ca.Key))
	// CreateResponse stamps producedAt with the machine's clock.
	real := time.Now()
	der, err := ocsp.CreateResponse(w.ca.Cert, responder, ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: new(big.Int).SetBytes(w.leaf.Serial()), ThisUpdate: real.Add(-time.Minute), NextUpdate: real.Add(time.Hour),
		RevokedAt: now.Add(-day), RevocationReason: ocsp.AffiliationChanged, IssuerHash: crypto.SHA1, Certificate: responder,
		SignatureAlgorithm: x509.SHA256WithRSA,
	}, testKey("responder"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.verifySigner(t.Context(), w.ca.asked().known(), acceptance{now: now}); err != nil {
		t.Error(err)
	}
	got, err := r.only([]certID{id}, Query{Certificate: w.leaf, Issuer: w.ca.asked()})
	if err != nil || got.status != Revoked || got.event.reason != 3 || !got.event.date.Equal(now.Add(-day).Truncate(time.Minute)) && !got.event.date.Equal(now.Add(-day)) {
		t.Errorf("%+v, %v", got, err)
	}
}
