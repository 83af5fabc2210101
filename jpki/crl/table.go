package crl

import (
	"encoding/binary"
	"math/bits"
)

// A table maps 64-bit keys to 36-bit values in 11 to 13 bytes per record. Keys are mixed with a random seed, so that
// they are spread evenly whatever the serial numbers are; the top bits of the mixed key choose a partition, whose
// records lie sorted in pages of 1 KiB, without those bits of the key that all records of the partition share. Pages
// instead of one array let records be collected in any order, and sorted afterwards, without a second copy: a table
// never needs more than its own size while it is built. The layout in memory and in an index file is the same.
//
// Nothing depends on the spread for more than speed: partitions are sorted and searched by comparison when they are
// skewed.

const (
	pageSize   = 1024
	arenaPages = 1024 // pages that are allocated at once
	arenaSize  = arenaPages * pageSize
	valueBits  = 36

	// Partitions have about this many records: few enough to be sorted in the fastest caches, and enough to make their
	// last, half-empty page cheap.
	partitionRecords = 3000
	maxPartitionBits = 16

	// A partition has this many slots of equal width in its directory, unless it is so large that it must be skewed.
	slotBits   = 6
	maxSlotted = 1<<16 - 1
)

// layout is the form of the records of a table. A record is the low bits of the mixed key with the low bits of the
// value above them, eight octets together, and then the rest of the value. What is left out of the key is known from
// the partition, so that equal records still mean equal keys.
type layout struct {
	bits    int    // log2 of the number of partitions
	octets  uint32 // of a record
	records uint32 // in a page
	keyBits uint   // of the mixed key that are in a record: at least 64-bits
	mask    uint64 // of these
	inverse uint64 // 2⁶⁴/records, rounded up: a multiplication takes the place of a division
}

func newLayout(partitionBits int) layout {
	octets := (64 - partitionBits + valueBits + 7) / 8
	keyBits := min(8*octets-valueBits, 64)
	records := pageSize / octets
	return layout{
		bits:    partitionBits,
		octets:  uint32(octets),
		records: uint32(records),
		keyBits: uint(keyBits), //nolint:gosec // small numbers
		mask:    1<<keyBits - 1,
		inverse: ^uint64(0)/uint64(records) + 1, //nolint:gosec // as above
	}
}

// pagesFor returns how many pages that many records fill.
func (l *layout) pagesFor(records uint32) uint64 {
	return (uint64(records) + uint64(l.records) - 1) / uint64(l.records)
}

// split returns the page of record i and its place there.
func (l *layout) split(i uint32) (page, place uint32) {
	quotient, _ := bits.Mul64(uint64(i), l.inverse)
	page = uint32(quotient) //nolint:gosec // at most i
	return page, i - page*l.records
}

// record returns the key, as far as it is there, and the value.
func (l *layout) record(page []byte, i uint32) (key, value uint64) {
	r := page[i*l.octets:][:l.octets]
	first := binary.LittleEndian.Uint64(r)
	rest := binary.LittleEndian.Uint64(r[l.octets-8:]) >> (128 - 8*l.octets)
	return first & l.mask, first>>l.keyBits | rest<<(64-l.keyBits)
}

func (l *layout) setRecord(page []byte, i uint32, key, value uint64) {
	r := page[i*l.octets:][:l.octets]
	first, rest := key&l.mask|value<<l.keyBits, value>>(64-l.keyBits)
	binary.LittleEndian.PutUint64(r, first)
	overlap := 8*l.octets - 64
	binary.LittleEndian.PutUint64(r[l.octets-8:], first>>overlap|rest<<(64-overlap))
}

// seed makes the spread of keys unpredictable for whoever writes a list.
type seed struct{ xor, first, second uint64 }

// mix is a bijection: equal results mean equal keys.
func (s *seed) mix(key uint64) uint64 {
	key = (key ^ s.xor) * s.first
	key = (key ^ key>>32) * s.second
	return key ^ key>>29
}

func seedFrom(b *[24]byte) seed {
	return seed{
		binary.LittleEndian.Uint64(
			b[0:],
		),
		binary.LittleEndian.Uint64(b[8:]) | 1,
		binary.LittleEndian.Uint64(b[16:]) | 1,
	}
}

// partition has its records in consecutive elements of table.pages.
type partition struct{ firstPage, records uint32 }

type table struct {
	layout

	seed       seed
	partitions []partition
	pages      []uint32 // numbers of pages; nil: page n has number n
	slots      []uint16 // of each partition, where the records of each slot begin
	arenas     [][]byte // page n is in arenas[n/arenaPages]
	count      int      // of records
}

func (t *table) page(number uint32) []byte {
	at := number % arenaPages * pageSize
	return t.arenas[number/arenaPages][at : at+pageSize : at+pageSize]
}

// at returns record i of the partition.
func (t *table) at(p partition, i uint32) (key, value uint64) {
	page, place := t.split(i)
	return t.record(t.page(t.number(p.firstPage+page)), place)
}

// number returns the number of the n-th page.
func (t *table) number(n uint32) uint32 {
	if t.pages != nil {
		n = t.pages[n]
	}
	return n
}

func (t *table) pageCount() (n uint64) {
	for _, p := range t.partitions {
		n += t.pagesFor(p.records)
	}
	return n
}

// find returns the values of a key, of which there may be several only where the key is a hash; it stops when use
// returns false.
func (t *table) find(key uint64, use func(value uint64) bool) {
	if t.count > 0 {
		t.findMixed(t.seed.mix(key), use)
	}
}

func (t *table) findMixed(mixed uint64, use func(value uint64) bool) {
	number := mixed >> (64 - t.bits)
	p := t.partitions[number]
	for i := t.lowerBound(number, p, mixed); i < p.records; i++ {
		k, value := t.at(p, i)
		if k != mixed&t.mask || !use(value) {
			return
		}
	}
}

// each calls do for every record, with its mixed key.
func (t *table) each(do func(mixed, value uint64)) {
	for number, p := range t.partitions {
		shared := uint64(number) << (64 - t.bits) //nolint:gosec // not negative
		for i := range p.records {
			key, value := t.at(p, i)
			do(shared|key, value)
		}
	}
}

// get returns the value of a key that occurs at most once.
func (t *table) get(key uint64) (uint64, bool) {
	if t.count == 0 {
		return 0, false
	}
	mixed := t.seed.mix(key)
	number := mixed >> (64 - t.bits)
	p := t.partitions[number]
	i := t.lowerBound(number, p, mixed)
	if i == p.records {
		return 0, false
	}
	k, value := t.at(p, i)
	return value, k == mixed&t.mask
}

// lowerBound returns the first record of the partition whose key is not below the mixed key. The directory of slots
// leaves a few dozen records; because keys are spread evenly, the key itself says about where among them its record is.
// From there the search gallops, which ends after a logarithm of steps however wrong that was.
func (t *table) lowerBound(number uint64, p partition, mixed uint64) uint32 {
	low, high := uint32(0), p.records // the answer is in [low, high]
	within := mixed << t.bits
	mixed &= t.mask
	if p.records <= maxSlotted {
		slot := within >> (64 - slotBits)
		slots := t.slots[number<<slotBits : (number+1)<<slotBits]
		low = uint32(slots[slot])
		if slot+1 < 1<<slotBits {
			high = uint32(slots[slot+1])
		}
		within <<= slotBits
	}
	if low >= high {
		return high
	}
	guess, _ := bits.Mul64(within, uint64(high-low))
	i := low + uint32(guess) //nolint:gosec // below high
	if key, _ := t.at(p, i); key < mixed {
		low = i + 1
		for step := uint32(1); step < high-i; step *= 2 {
			if key, _ := t.at(p, i+step); key >= mixed {
				high = i + step
				break
			}
			low = i + step + 1
		}
	} else {
		bottom := low
		high = i
		for step := uint32(1); step <= i-bottom; step *= 2 {
			if key, _ := t.at(p, i-step); key < mixed {
				low = i - step + 1
				break
			}
			high = i - step
		}
	}
	for low < high {
		middle := low + (high-low)/2
		if key, _ := t.at(p, middle); key < mixed {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// setSlots fills the directory of a sorted partition.
func (t *table) setSlots(number int) {
	p := t.partitions[number]
	if p.records > maxSlotted {
		return
	}
	slots := t.slots[number<<slotBits : (number+1)<<slotBits]
	next := 0
	for i := range p.records {
		key, _ := t.at(p, i)
		for slot := int(key << t.bits >> (64 - slotBits)); next <= slot; next++ { //nolint:gosec // a slot
			slots[next] = uint16(i) //nolint:gosec // at most maxSlotted
		}
	}
	for ; next < len(slots); next++ {
		slots[next] = uint16(p.records) //nolint:gosec // at most maxSlotted
	}
}

// size returns the bytes that the table occupies.
func (t *table) size() int {
	n := 8*len(t.partitions) + 4*len(t.pages) + 2*len(t.slots)
	for _, a := range t.arenas {
		n += cap(a)
	}
	return n
}
