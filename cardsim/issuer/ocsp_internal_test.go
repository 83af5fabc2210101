package issuer

import (
	"bytes"
	"crypto"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func FuzzOCSPRequest(f *testing.F) {
	j, err := New(Config{Now: func() time.Time { return time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		f.Fatal(err)
	}
	ca := j.SigningCA().Certificate()
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		der, err := ocsp.CreateRequest(ca, ca, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		f.Add(der[:len(der)-1])
	}
	f.Add([]byte{})
	f.Add([]byte{0x30, 0x00})
	f.Add([]byte{0x30, 0x04, 0x30, 0x02, 0x30, 0x00})
	f.Fuzz(func(t *testing.T, der []byte) {
		q, status := parseOCSPRequest(der)
		if status != ocspSuccessful {
			if q.certificates != nil || q.nonce != nil {
				t.Error("something was read of a malformed request")
			}
			return
		}
		if len(q.certificates) == 0 || len(q.certificates) > limits.OCSPCertificates ||
			len(q.nonce) > limits.OCSPNonce+4 {
			t.Errorf("%d certificates, nonce extension of %d octets", len(q.certificates), len(q.nonce))
		}
		for _, id := range q.certificates {
			if !bytes.Contains(der, id.raw) || id.serial == nil {
				t.Error("the name of a certificate is not as it came")
			}
		}
	})
}
