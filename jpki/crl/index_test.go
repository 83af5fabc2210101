package crl

import (
	"bytes"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// oddEntry is the DER of an entry with a serial number that no 64 bits hold, without extensions.
func oddEntry(t *testing.T, last byte) *parsedEntry {
	t.Helper()
	serial := append(bytes.Repeat([]byte{0x41}, 15), last)
	raw := append([]byte{0x30, 33, 0x02, 16}, serial...)
	raw = append(raw, "\x17\x0d261102030405Z"...)
	e, ok := parseEntry(raw, false)
	if !ok {
		t.Fatal("not read")
	}
	return &e
}

func builderWith(t *testing.T) *indexBuilder {
	t.Helper()
	b, err := newIndexBuilder()
	if err != nil {
		t.Fatal(err)
	}
	b.expect(10)
	return b
}

// Two entries whose hashes are equal are two entries as long as serial number or issuer differ.
func TestEqualHashes(t *testing.T) {
	for name, c := range map[string]struct {
		issuers [2]uint32
		last    [2]byte
		ok      bool
	}{
		"two serial numbers":    {[2]uint32{0, 0}, [2]byte{1, 2}, true},
		"two issuers":           {[2]uint32{0, 1}, [2]byte{1, 1}, true},
		"nothing is different":  {[2]uint32{0, 0}, [2]byte{1, 1}, false},
		"issuer and the number": {[2]uint32{0, 1}, [2]byte{1, 2}, true},
	} {
		b := builderWith(t)
		for i := range c.issuers {
			b.issuer = c.issuers[i]
			b.addOdd(oddEntry(t, c.last[i]))
		}
		// The same again with one hash for both, which nobody can bring about who does not know the seed.
		b.odd = newBuilder(seedFrom(&b.seed), 2)
		at := uint64(0)
		for i := range c.issuers {
			b.odd.add(42, at)
			at += issuerOctets + uint64(len(oddEntry(t, c.last[i]).raw))
		}
		if _, err := b.build(t.Context(), nil); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An index file whose numbers are wrong is no reason to read beyond the entries that are there.
func TestOddEntriesOfADamagedIndex(t *testing.T) {
	b := builderWith(t)
	b.addOdd(oddEntry(t, 1))
	ix, err := b.build(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	length := uint64(len(ix.raw[0]))
	for at, want := range map[uint64]bool{
		0: true, 1: false, length - issuerOctets: false, length - issuerOctets + 1: false, length: false,
		rawPiece - 1: false, rawPiece: false, 2 * rawPiece: false, 1 << 63: false,
	} {
		if _, _, ok := ix.oddAt(at); ok != want {
			t.Errorf("at %d: %v", at, ok)
		}
	}
}

// The certificate issuers of an indirect list have a limit together.
func TestIssuerNamesHaveALimit(t *testing.T) {
	for left, want := range map[int]bool{10: true, 9: false} {
		b := builderWith(t)
		b.names = limits.CRLIssuerNames - left
		if got := b.setIssuer([]byte("0123456789")); got != want {
			t.Errorf("%d octets left for ten: %v", left, got)
		}
	}
	b := builderWith(t)
	for i := range limits.CRLIssuers {
		if !b.setIssuer([]byte{byte(i >> 8), byte(i)}) {
			t.Fatalf("issuer %d is refused", i)
		}
	}
	if b.setIssuer([]byte{1, 2, 3}) || !b.setIssuer([]byte{1, 2}) {
		t.Error("one issuer too many is taken, or a known one is refused")
	}
}

// serialValue holds what lies below 2⁶⁴, and nothing above it as something below.
func TestSerialValue(t *testing.T) {
	for _, c := range []struct {
		octets []byte
		want   uint64
		ok     bool
	}{
		{[]byte{1}, 1, true}, {[]byte{0}, 0, false}, {[]byte{0x80}, 0, false}, {[]byte{0, 0x80}, 0x80, true},
		{bytes.Repeat([]byte{0x7f}, 8), 0x7f7f7f7f7f7f7f7f, true},
		{append([]byte{0}, bytes.Repeat([]byte{0xff}, 8)...), 1<<64 - 1, true},
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0, 5}, 0, false}, {[]byte{0x7f, 0, 0, 0, 0, 0, 0, 0, 5}, 0, false},
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 5}, 0, false},
	} {
		if got, ok := serialValue(c.octets); got != c.want || ok != c.ok {
			t.Errorf("%x: %x, %v", c.octets, got, ok)
		}
	}
	b := builderWith(t)
	b.main.add(5, plainValue(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), ReasonCodeAbsent))
	ix, err := b.build(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := ix.lookup(0, []byte{5}); !found {
		t.Error("5 is not found")
	}
	if _, found := ix.lookup(0, []byte{1, 0, 0, 0, 0, 0, 0, 0, 5}); found {
		t.Error("2⁶⁴ + 5 is taken for 5")
	}
}
