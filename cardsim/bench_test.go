package cardsim

import (
	"crypto"
	"crypto/rsa"
	"testing"
	"time"
)

// BenchmarkCommand is a command without cryptography.
func BenchmarkCommand(b *testing.B) {
	for name, command := range map[string][]byte{
		"select":     {0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x0A},
		"read256":    {0x00, 0xB0, 0x00, 0x00, 0x00},
		"emptyCheck": {0x00, 0x20, 0x00, 0x98},
	} {
		b.Run(name, func(b *testing.B) {
			c := newCard(b)
			c.Transmit([]byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01})
			c.Transmit([]byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x0A})
			b.ReportAllocs()
			for b.Loop() {
				c.Transmit(command)
			}
		})
	}
}

// BenchmarkSign compares a signature by the card with the bare RSA-2048 operation.
func BenchmarkSign(b *testing.B) {
	c := newCard(b)
	for _, command := range [][]byte{
		{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
		{0x00, 0x20, 0x00, 0x98, 0x04, '1', '2', '3', '4'},
	} {
		c.Transmit(command)
	}
	key := c.applications[1].files[jpkiAuthKey].key()
	digest := make([]byte, 32)
	command := append(append([]byte{0x80, 0x2A, 0x02, 0x97, 32}, digest...), 0)
	var card, bare time.Duration
	for b.Loop() {
		start := time.Now()
		if got := c.Transmit(command); len(got) != 258 {
			b.Fatalf("%X", got)
		}
		middle := time.Now()
		if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest); err != nil {
			b.Fatal(err)
		}
		card += middle.Sub(start)
		bare += time.Since(middle)
	}
	b.ReportMetric(float64(card)/float64(bare), "x-bare")
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
