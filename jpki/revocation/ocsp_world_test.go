package revocation

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/internal/form"
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
	w.responder = responderSpec(w.ca)
	return w
}

// responderSpec is the certificate of a responder for the authority.
func responderSpec(a *authority) certSpec {
	ski := signSHA256(testKey("responder"), nil)[:20]
	return certSpec{
		Serial: []byte{0x42}, Algorithm: algorithmSHA256RSA, Issuer: a.Name,
		Subject:   jpkiName("JPKI-TEST", "OCSP Responder"),
		NotBefore: utcTime(now.Add(-30 * day)), NotAfter: utcTime(now.Add(30 * day)), Key: spki(testKey("responder")),
		Extensions: [][]byte{
			keyUsage(0x80), ext(oidExtendedKeyUsage, false, sequence(oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 9}))),
			a.KeyIDExt(),
			ext(oidOCSPNoCheck, false, []byte{5, 0}), ext([]int{2, 5, 29, 14}, false, wrap(cbasn1.OCTET_STRING, ski)),
		},
	}
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
