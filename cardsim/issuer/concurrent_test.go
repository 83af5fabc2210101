package issuer_test

import (
	"crypto"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// Meaningful under the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	shared := issue(t, ca, holder(), noon)
	question := request(t, shared, ca.Certificate(), crypto.SHA1)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			leaf := issue(t, ca, holder(), noon.Add(time.Duration(i+1)*time.Second))
			if err := ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold,
				At: now.Now()}); err != nil {
				t.Error(err)
			}
			if _, err := ca.CRL(shared); err != nil {
				t.Error(err)
			}
			ask(t, j.Handler(), "/sign/ocsp", question)
			if err := ca.Unrevoke(leaf.SerialNumber); err != nil {
				t.Error(err)
			}
			j.Key("shared")
		})
	}
	group.Wait()
	if n := len(list(t, ca, shared).RevokedCertificateEntries); n != 0 {
		t.Errorf("%d entries after every release", n)
	}
}
