package cardsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"testing"
	"time"
)

// plainCommands are commands without cryptography, each with what must have been sent before.
var plainCommands = []struct{ name, prepare, command, want string }{
	{"select application", "", "{JPKI}", "9000"},
	{"select next application", "{JPKI}=9000", "00A40402 02 D392 00", "…9000"},
	{"select file", "{JPKI}=9000", "00A4020C 02 000A", "9000"},
	{"select master file", "{JPKI}=9000", "00A40000", "9000"},
	{"read 256 bytes", "{JPKI}=9000 \n 00A4020C 02 000A=9000", "00B0000000", "#256 9000"},
	{"read by short identifier", "{JPKI}=9000", "00B0860020", "#32 9000"},
	{"read extended", "{TEXT}=9000", "00B08400 000000", "#568 9000"},
	{"read refused", "{JPKI}=9000", "00B0810000", "6982"},
	{"read record", "{COMMON}=9000", "00B2010C00", "#30 9000"},
	{"read records", "{COMMON}=9000", "00B2010D00", "#30 9000"},
	{"get data", "", "00CA00F8 000000", "#575 9000"},
	{"empty verify", "{JPKI}=9000", "00200098", "63C3"},
	{"verify", "{JPKI}=9000", "{AUTH}", "9000"},
	{"change reference data", "{JPKI}=9000 \n {AUTH}=9000", "00240198 04 31323334", "9000"},
	{"change key", "{COMMON}=9000 \n 0020009C 04 31323334=9000", "8032009C 04 31323334", "9000"},
	{"unknown instruction", "", "00FF0000", "6D00"},
	{"malformed", "", "00A4", "6700"},
}

// BenchmarkCommand is a command without cryptography: at most 2 µs and 5 allocations.
func BenchmarkCommand(b *testing.B) {
	for _, row := range plainCommands {
		b.Run(row.name, func(b *testing.B) {
			c := newCard(b)
			run(b, c, row.prepare+"\n"+row.command+"="+row.want)
			command := unhex(b, names.Replace(row.command))
			b.ReportAllocs()
			for b.Loop() {
				c.Transmit(command)
			}
		})
	}
}

func TestCommandAllocations(t *testing.T) {
	const limit = 5
	for _, row := range plainCommands {
		c := newCard(t)
		run(t, c, row.prepare+"\n"+row.command+"="+row.want)
		command := unhex(t, names.Replace(row.command))
		if n := testing.AllocsPerRun(100, func() { c.Transmit(command) }); n > limit {
			t.Errorf("%s: %v allocations", row.name, n)
		}
	}
}

// BenchmarkSign compares each signature of the card with the bare RSA-2048 operation on the same input.
func BenchmarkSign(b *testing.B) {
	digest := make([]byte, sha256.Size)
	pkcs1 := func(key *rsa.PrivateKey) error {
		_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
		return err
	}
	pss := func(key *rsa.PrivateKey) error {
		_, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: sha256.Size})
		return err
	}
	for _, row := range []struct {
		name, prepare, app, header string
		key                        uint16
		bare                       func(*rsa.PrivateKey) error
	}{
		{"digest", "{JPKI}=9000 \n {AUTH}=9000", "JPKI", "802A0297", 0x17, pkcs1},
		{"verbatim", "{JPKI}=9000 \n {SIGN}=9000", "JPKI", "802A009A", 0x1A, pkcs1},
		{"message", "{JPKI}=9000 \n {AUTH}=9000", "JPKI", "802A0397", 0x17, pkcs1},
		{"PSS", "{JPKI}=9000 \n {AUTH}=9000", "JPKI", "802A0497", 0x17, pss},
		{"without PIN", "{TEXT}=9000", "text", "802A0000", 0x13, pkcs1},
		{"internal authenticate", "{COMMON}=9000", "common", "00880099", 0x19, pkcs1},
	} {
		b.Run(row.name, func(b *testing.B) {
			c := newCard(b)
			run(b, c, row.prepare)
			key := applicationOf(b, c, row.app).files[row.key].key()
			command := append(append(append(unhex(b, row.header), sha256.Size), digest...), 0)
			sign := func() time.Duration {
				start := time.Now()
				if got := c.Transmit(command); len(got) != 258 {
					b.Fatalf("%X", got)
				}
				return time.Since(start)
			}
			reference := func() time.Duration {
				start := time.Now()
				if err := row.bare(key); err != nil {
					b.Fatal(err)
				}
				return time.Since(start)
			}
			var card, bare []time.Duration
			for b.Loop() {
				// In turns, so that neither gets the better moments of a busy machine.
				card = append(card, sign())
				bare = append(bare, reference(), reference())
				card = append(card, sign())
			}
			b.ReportMetric(float64(median(card))/float64(median(bare)), "x-bare")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func applicationOf(tb testing.TB, c *Card, name string) *application {
	tb.Helper()
	for _, a := range c.applications {
		if a.name == name {
			return a
		}
	}
	tb.Fatalf("no application %s", name)
	return nil
}

// BenchmarkNewCard is a second card of a person: the keys are already there.
func BenchmarkNewCard(b *testing.B) {
	config := testConfig()
	for b.Loop() {
		if _, err := NewCard(config); err != nil {
			b.Fatal(err)
		}
	}
}
