package crl

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/tests"
)

// TestTableWhateverTheKeys: look-ups are right when the keys are spread badly, too, which a seed that is known would
// allow.
func TestTableWhateverTheKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test data
	identity := seed{0, 1, 1}
	for name, tc := range map[string]struct {
		seed     seed
		expected int
		key      func(i int) uint64
	}{
		"random":                 {seedFrom(&[24]byte{1, 2, 3}), 100_000, func(int) uint64 { return random.Uint64() }},
		"far more than expected": {seedFrom(&[24]byte{4}), 10, func(int) uint64 { return random.Uint64() }},
		"far fewer":              {seedFrom(&[24]byte{5}), 10_000_000, func(int) uint64 { return random.Uint64() }},
		"consecutive":            {seedFrom(&[24]byte{6}), 100_000, func(i int) uint64 { return uint64(i) + 1 }},
		"records of 12 bytes": {seedFrom(&[24]byte{9}), partitionRecords << 4,
			func(int) uint64 { return random.Uint64() }},
		"records of 11 bytes": {seedFrom(&[24]byte{8}), partitionRecords << 12,
			func(int) uint64 { return random.Uint64() }},
		"the most partitions":   {seedFrom(&[24]byte{7}), 1 << 30, func(int) uint64 { return random.Uint64() }},
		"consecutive, 11 bytes": {identity, partitionRecords << 12, func(i int) uint64 { return uint64(i) << 40 }},
		"one partition, 11":     {identity, partitionRecords << 12, func(i int) uint64 { return uint64(i) }},
		"all in one partition":  {identity, 100_000, func(i int) uint64 { return uint64(i) }},
		"at both ends":          {identity, 100_000, func(i int) uint64 { return uint64(i&1)*(1<<63) - uint64(i) }},
	} {
		t.Run(name, func(t *testing.T) {
			n := tests.Size(20_000, 100_000)
			b := newBuilder(tc.seed, tc.expected)
			want := make(map[uint64]uint64, n)
			for i := range n {
				k := tc.key(i)
				if _, twice := want[k]; twice {
					continue
				}
				want[k] = uint64(i) | uint64(i&0xf)<<32
				b.add(k, want[k])
			}
			table, unique, err := b.table(t.Context(), nil)
			if err != nil || !unique || table.count != len(want) {
				t.Fatalf("%d of %d records, unique %v, %v", table.count, len(want), unique, err)
			}
			for k, v := range want {
				if got, found := table.get(k); !found || got != v {
					t.Fatalf("%x: %x, %v", k, got, found)
				}
			}
			seen := 0
			table.each(func(mixed, value uint64) {
				table.findMixed(mixed, func(same uint64) bool {
					if same == value {
						seen++
					}
					return true
				})
			})
			if seen != len(want) {
				t.Fatalf("%d of %d records found by their mixed key", seen, len(want))
			}
			for range n {
				k := random.Uint64()
				if _, listed := want[k]; listed {
					continue
				}
				if _, found := table.get(k); found {
					t.Fatalf("%x found", k)
				}
			}
		})
	}
	t.Run("the same key twice", func(t *testing.T) {
		b := newBuilder(seedFrom(&[24]byte{7}), 1000)
		for i := range 1000 {
			b.add(uint64(i)*977, 1)
		}
		b.add(500*977, 2)
		if _, unique, err := b.table(t.Context(), nil); unique || err != nil {
			t.Error("not noticed")
		}
	})
}

// TestLayouts: every width of a record keeps its key, but for what the partition says, and its value, and spares its
// neighbours.
func TestLayouts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // test data
	for width := range maxPartitionBits + 1 {
		l := newLayout(width)
		if uint(64-width) > l.keyBits || l.octets < 11 || l.octets > 13 || l.octets*l.records > pageSize ||
			l.pagesFor(l.records+1) != 2 {
			t.Fatalf("%d partition bits: %+v", width, l)
		}
		page := make([]byte, pageSize)
		keys, values := make([]uint64, l.records), make([]uint64, l.records)
		for _, i := range random.Perm(int(l.records)) {
			keys[i], values[i] = random.Uint64(), random.Uint64()>>(64-valueBits)
			l.setRecord(page, uint32(i), keys[i], values[i]) //nolint:gosec // a small number
		}
		for i := range l.records {
			if key, value := l.record(page, i); key != keys[i]&l.mask || value != values[i] {
				t.Fatalf("%d partition bits, record %d: %x, %x; want %x, %x", width, i, key, value, keys[i], values[i])
			}
		}
		for range 1000 {
			i := random.Uint32() >> random.IntN(32)
			for _, i := range []uint32{i, i - i%l.records, i - i%l.records - 1} {
				if page, place := l.split(i); page != i/l.records || place != i%l.records {
					t.Fatalf("record %d: page %d, place %d", i, page, place)
				}
			}
		}
	}
}

// TestScannerAgreesWithParser: what the quick scanner reads, the general parser reads, too, and in the same way.
func TestScannerAgreesWithParser(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // test data
	s := plainScanner{}
	read := 0
	for i := range 200_000 {
		octets := 1 + random.IntN(9)
		serial := random.Uint64() >> random.IntN(64)
		at := time.Unix(epoch+random.Int64N(1<<32), 0).UTC()
		reason := ReasonCode(random.IntN(13) - 1)
		e := appendPlain(nil, max(serial, 1), plainValue(at, reason))
		if reason == ReasonCodeAbsent && i%2 == 0 {
			e[3] = byte(octets) // most likely not minimal, or of another length than the entry
		}
		if i%3 == 0 { // one octet is wrong
			e[random.IntN(len(e))] ^= 1 << random.IntN(8)
		}
		n, key, value := s.one(append(e, make([]byte, 64)...))
		parsed, ok := parseEntry(e[:min(n, len(e))], false)
		if n == 0 {
			continue
		}
		read++
		want, wantValue, plain := parsed.plain()
		if n > len(e) || !ok || !plain || key != want || value != wantValue {
			t.Fatalf("%x: %d octets, serial %x, value %x; parser: %v, %v", e, n, key, value, parsed.Entry, ok)
		}
	}
	if read < 50_000 {
		t.Fatalf("the scanner read only %d", read)
	}
}

func FuzzScanner(f *testing.F) {
	at := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	f.Add(appendPlain(nil, 5, plainValue(at, ReasonCodeAbsent)))
	f.Add(appendPlain(nil, 1<<62, plainValue(at, 4)))
	f.Fuzz(func(t *testing.T, e []byte) {
		s := plainScanner{}
		n, key, value := s.one(append(e[:len(e):len(e)], make([]byte, 64)...))
		if n == 0 || n > len(e) {
			return
		}
		parsed, ok := parseEntry(e[:n], false)
		want, wantValue, plain := parsed.plain()
		if !ok || !plain || key != want || value != wantValue {
			t.Fatalf("%x: serial %x, value %x; parser: %+v, %v", e, key, value, parsed.Entry, ok)
		}
	})
}

// TestErrorsSayNothingOfTheList: only the module's own words.
func TestErrorsSayNothingOfTheList(t *testing.T) {
	for r := ReasonUnknown; r <= ReasonIO; r++ {
		if r.String() == "" || r != ReasonUnknown && r.String() == ReasonUnknown.String() {
			t.Errorf("reason %d has no name", r)
		}
	}
	e := ioError("read", errors.New("secret"))
	if got := e.Error(); got != "crl: input or output failed: crl.read" {
		t.Error(got)
	}
	if binary.Size(&fileHeader{}) <= 0 {
		t.Error("the header of an index file has no fixed size")
	}
}
