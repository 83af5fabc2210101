package cardsim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// clients are the ways in which programs in the field read a certificate. Each gets the current file and must end up
// with exactly the DER.
var clients = map[string]func(t *testing.T, c *Card, sfi byte) []byte{
	"4 bytes, blocks of 256, exact rest": func(t *testing.T, c *Card, _ byte) []byte {
		t.Helper()
		size := derSize(data(t, c, "00B0000004"))
		var out []byte
		for len(out) < size {
			out = append(out, readAt(t, c, len(out), min(256, size-len(out)))...)
		}
		return out
	},
	"4 bytes, full blocks also over the end": func(t *testing.T, c *Card, _ byte) []byte {
		t.Helper()
		size := derSize(data(t, c, "00B0000004"))
		var out []byte
		for len(out) < size {
			out = append(out, readAt(t, c, len(out), 256)...)
		}
		return out
	},
	"7 bytes, then the rest in one extended command": func(t *testing.T, c *Card, _ byte) []byte {
		t.Helper()
		size := derSize(data(t, c, "00B0000007"))
		return append(data(t, c, "00B0000007"), data(t, c, fmt.Sprintf("00B0000700%04X", size-7))...)
	},
	"blocks of 255 until 6B00": func(t *testing.T, c *Card, _ byte) []byte { t.Helper(); return untilEnd(t, c, 255) },
	"blocks of 224 until 6B00": func(t *testing.T, c *Card, _ byte) []byte { t.Helper(); return untilEnd(t, c, 224) },
	"blocks of 1 until 6B00":   func(t *testing.T, c *Card, _ byte) []byte { t.Helper(); return untilEnd(t, c, 1) },
	"short identifiers only": func(t *testing.T, c *Card, sfi byte) []byte {
		t.Helper()
		head := data(t, c, fmt.Sprintf("00B0%02X0004", 0x80|sfi))
		return append(head, data(t, c, fmt.Sprintf("00B0%02X0400%04X", 0x80|sfi, derSize(head)-4))...)
	},
	"one extended command for everything": func(t *testing.T, c *Card, _ byte) []byte {
		t.Helper()
		return data(t, c, "00B00000000000")
	},
}

func derSize(head []byte) int { return int(binary.BigEndian.Uint16(head[2:])) + 4 }

func readAt(t *testing.T, c *Card, offset, n int) []byte {
	t.Helper()
	return data(t, c, fmt.Sprintf("00B0%04X%02X", offset, n&0xFF))
}

func untilEnd(t *testing.T, c *Card, block int) []byte {
	t.Helper()
	var out []byte
	for {
		raw := c.Transmit([]byte{0x00, 0xB0, byte(len(out) >> 8), byte(len(out)), byte(block)})
		r, err := apdu.ParseResponse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status == apdu.OffsetOutsideFile {
			return out
		}
		if r.Status != apdu.OK {
			t.Fatalf("offset %d: %s", len(out), r.Status.Hex())
		}
		out = append(out, r.Data...)
	}
}

func TestEveryWayToReadACertificate(t *testing.T) {
	c := newCard(t)
	signing, authentication := c.Certificates()
	jpki := c.applications[1]
	for name, read := range clients {
		for sfi, want := range map[byte][]byte{
			0x01: signing, 0x0A: authentication, 0x02: mustContent(t, jpki.files[0x02]),
			0x0B: mustContent(t, jpki.files[0x0B]),
		} {
			run(t, c, "{JPKI}=9000 \n {SIGN}=9000")
			data(t, c, fmt.Sprintf("00A4020C0200%02X", sfi))
			if got := read(t, c, sfi); !bytes.Equal(got, want) {
				t.Errorf("%s: EF %02X has %d bytes, want %d", name, sfi, len(got), len(want))
			}
		}
	}
}

func mustContent(t *testing.T, f *file) []byte {
	t.Helper()
	b, err := f.content()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
