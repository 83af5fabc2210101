package cardsim

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// Many cards of one JPKI in one process, each made, used, traced and saved by several goroutines at the same time. The
// race detector watches, and every card counts for itself.
func TestManyCardsAtOnce(t *testing.T) {
	const users = 4
	config := testConfig()
	dir := t.TempDir()
	var all sync.WaitGroup
	for n, kind := range []Kind{Plastic, Plastic, Child, Android, IPhone, BlockedPINs, OlderCA, NewerCA} {
		all.Go(func() {
			var trace bytes.Buffer // the card writes to it with its lock held
			config := config
			config.Kind, config.Trace = kind, &trace
			config.SaveTo = filepath.Join(dir, fmt.Sprint(n))
			c, err := NewCard(config)
			if err != nil {
				t.Error(err)
				return
			}
			var together sync.WaitGroup
			for range users {
				together.Go(func() {
					client, err := c.Client(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					// A client keeps the card for itself from VERIFY on.
					defer func() {
						if err := client.Close(t.Context()); err != nil {
							t.Error(err)
						}
					}()
					if _, err := client.Tries(t.Context(), card.AuthPIN); err != nil {
						t.Error(err)
					}
					if err := client.Verify(t.Context(), card.AuthPIN, "1234"); (err == nil) == (kind == BlockedPINs) {
						t.Errorf("%s: %v", kind, err)
					}
					if _, err := c.Image(); err != nil {
						t.Error(err)
					}
					_ = c.Person()
				})
			}
			together.Wait()
			// One wrong attempt on this card only.
			c.Transmit(unhex(t, names.Replace("{JPKI}")))
			want := []byte{0x63, 0xC2}
			if kind == BlockedPINs {
				want = []byte{0x69, 0x84}
			}
			if got := c.Transmit(unhex(t, "0020009804 30303030")); !bytes.Equal(got, want) {
				t.Errorf("%s: %X", kind, got)
			}
			again, err := Load(config.SaveTo, Config{JPKI: config.JPKI, Now: testNow})
			if err != nil {
				t.Error(err)
				return
			}
			again.Transmit(unhex(t, names.Replace("{JPKI}")))
			want = []byte{0x63, 0xC2}
			if kind == BlockedPINs {
				want[1] = 0xC0
			}
			if got := again.Transmit(unhex(t, "00200098")); !bytes.Equal(got, want) {
				t.Errorf("%s: %X after loading", kind, got)
			}
		})
	}
	all.Wait()
}
