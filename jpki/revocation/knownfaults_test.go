package revocation

import (
	"crypto"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// What the usual tool lets through, and what this package says to it. Each test first shows that the usual tool still
// accepts; one that no longer does has to be looked at, not deleted.

// faultyResponse wants x/crypto/ocsp to say Good and ours to refuse at step.
func faultyResponse(t *testing.T, w *ocspWorld, der []byte, step string, reason Reason) {
	t.Helper()
	got, err := ocsp.ParseResponseForCert(der, parsed(t, w.leaf.Raw()), w.ca.Cert)
	if err != nil || got.Status != ocsp.Good {
		t.Errorf("x/crypto/ocsp no longer accepts it: %v", err)
	}
	w.wantRefused(t, der, step, reason)
}

func TestOCSPFaultAnyCardholderAnswersForAnyone(t *testing.T) {
	w := newOCSPWorld(t)
	spec := w.ca.SigningSpec(0x66)
	spec.Subject, spec.Key = w.responder.Subject, spki(testKey("responder"))
	spec.NotBefore, spec.NotAfter = utcTime(now.Add(-2*year)), utcTime(now.Add(-year)) // it has even expired
	s := w.delegated()
	s.certificates = [][]byte{spec.Sign(w.ca.Key)}
	faultyResponse(t, w, s.sign(), "ocsp.responder-eku", ReasonResponse)
}

func TestOCSPFaultStaleResponse(t *testing.T) {
	w := newOCSPWorld(t)
	s := w.direct()
	s.producedAt = generalizedTime(now.Add(-42 * day))
	s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-42*day), now.Add(-41*day))}
	faultyResponse(t, w, s.sign(), "ocsp.this-update", ReasonResponseStale)
}

func TestOCSPFaultCertIDOfAnotherIssuer(t *testing.T) {
	w := newOCSPWorld(t)
	other, err := newCertID(crypto.SHA256, w.leaf.known(), signingAuthority(t, "another").asked().known())
	if err != nil {
		t.Fatal(err)
	}
	s := w.direct()
	s.singles = [][]byte{single(other.der(), statusGood, now.Add(-time.Minute), now.Add(time.Hour))}
	faultyResponse(t, w, s.sign(), "ocsp.cert-id", ReasonResponse)
}
