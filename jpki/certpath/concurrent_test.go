package certpath

import (
	"context"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// One validator and its lists serve many goroutines; the lists are verified by whoever comes first.
func TestConcurrentUse(t *testing.T) {
	lists, err := revocation.NewLists([]*crl.Unverified{
		newList("A", "A").list(t), newList("Sub", "sub", entry(0x12, noon().Add(-day), 4)).list(t),
	}...)
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig([]*Certificate{rootOf(t, "A")}, caSpec("Sub", "sub", "A", "A").cert(t))
	c.Revocation = revocation.Require(lists)
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	good := leafSpec("EE", "Sub", "sub").cert(t)
	revokedSpec := leafSpec("EE", "Sub", "sub")
	revokedSpec.serial = []byte{0x12}
	revoked := revokedSpec.cert(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				_, err := v.Verify(context.Background(), good)
				wantReason(t, err, ReasonUnknown)
				_, err = v.Verify(context.Background(), revoked)
				wantReason(t, err, ReasonRevoked)
			}
		})
	}
	wait.Wait()
}
