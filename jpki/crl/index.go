package crl

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// index has the entries of a list: plain ones in one table under their serial number, the others in a second one under
// a hash of certificate issuer and serial number, with their DER beside it.
type index struct {
	seed      [24]byte
	main, odd *table
	// raw has the other entries: the number of the issuer in four octets, then the DER. Entry n begins in piece
	// n/rawPiece.
	raw [][]byte
	// issuers are the certificate issuers beside the issuer of the list, from number 1.
	issuers [][]byte
}

const (
	rawPiece     = 1 << 18
	issuerOctets = 4
)

// indexBuilder collects the entries of one list.
type indexBuilder struct {
	seed      [24]byte
	expected  int
	main, odd *builder
	raw       [][]byte
	issuers   [][]byte
	numbers   map[string]uint32
	names     int    // total size of issuers
	listOwner []byte // the issuer of the list
	issuer    uint32 // of the entry at hand; 0 is the issuer of the list
	named     bool   // an entry has certificateIssuer
}

func newIndexBuilder() (*indexBuilder, error) {
	b := &indexBuilder{}
	if _, err := rand.Read(b.seed[:]); err != nil {
		return nil, ioError("random", err)
	}
	return b, nil
}

// expect prepares for about n plain entries.
func (b *indexBuilder) expect(n int64) {
	b.expected = int(min(n, 1<<30))
	b.main = newBuilder(seedFrom(&b.seed), b.expected)
}

// setIssuer makes the DER of a Name the issuer of this entry and the next ones.
func (b *indexBuilder) setIssuer(name []byte) bool {
	b.named = true
	if bytes.Equal(name, b.listOwner) {
		b.issuer = 0
		return true
	}
	number, known := b.numbers[string(name)]
	if !known {
		if len(b.issuers) == limits.CRLIssuers || b.names+len(name) > limits.CRLIssuerNames {
			return false
		}
		if b.numbers == nil {
			b.numbers = map[string]uint32{}
		}
		b.issuers = append(b.issuers, bytes.Clone(name))
		b.names += len(name)
		number = uint32(len(b.issuers)) //nolint:gosec // bounded above
		b.numbers[string(name)] = number
	}
	b.issuer = number
	return true
}

// addOdd keeps an entry that is not plain.
func (b *indexBuilder) addOdd(e *parsedEntry) {
	last := len(b.raw) - 1
	size := issuerOctets + len(e.raw)
	if last < 0 || len(b.raw[last])+size > rawPiece {
		b.raw = append(b.raw, nil)
		last++
	}
	if b.odd == nil {
		expected := 1
		if b.main.count == 0 { // a list that begins like this, for instance with long serial numbers, goes on like this
			expected = b.expected
		}
		b.odd = newBuilder(seedFrom(&b.seed), expected)
	}
	at := uint64(last)*rawPiece + uint64(len(b.raw[last])) //nolint:gosec // not negative
	b.raw[last] = append(binary.LittleEndian.AppendUint32(b.raw[last], b.issuer), e.raw...)
	b.odd.add(oddKey(&b.seed, b.issuer, e.Serial), at)
}

// oddKey is a hash that cannot be steered without knowing the seed.
func oddKey(seed *[24]byte, issuer uint32, serial []byte) uint64 {
	var b [24 + issuerOctets + 32]byte
	copy(b[:], seed[:])
	binary.LittleEndian.PutUint32(b[24:], issuer)
	n := copy(b[24+issuerOctets:], serial)
	sum := sha256.Sum256(b[:24+issuerOctets+n])
	return binary.LittleEndian.Uint64(sum[:])
}

// build sorts everything. Two entries for one certificate are refused: one of them would be ignored. When the context
// ends it may be called again, and goes on where it stopped.
func (b *indexBuilder) build(ctx context.Context, progress func(done int)) (*index, error) {
	ix := &index{seed: b.seed, main: &table{}, odd: &table{}, raw: b.raw, issuers: b.issuers}
	unique, err := true, ctx.Err()
	if err != nil {
		return nil, ioError("context", err)
	}
	if b.main != nil {
		if ix.main, unique, err = b.main.table(ctx, progress); err != nil {
			return nil, ioError("context", err)
		}
	}
	if b.odd != nil {
		var distinct bool
		rest := progress
		if before := ix.main.count; progress != nil {
			rest = func(done int) { progress(before + done) }
		}
		if ix.odd, distinct, err = b.odd.table(ctx, rest); err != nil {
			return nil, ioError("context", err)
		}
		unique = unique && (distinct || ix.oddDistinct()) && ix.disjoint()
	}
	if !unique {
		return nil, malformed("entries", "RFC 5280, 5.1.2.6")
	}
	return ix, nil
}

// oddDistinct compares the odd entries whose hashes are equal.
func (ix *index) oddDistinct() bool {
	distinct := true
	ix.odd.each(func(key, at uint64) {
		issuer, e, ok := ix.oddAt(at)
		if !ok {
			distinct = false
			return
		}
		same := 0
		ix.odd.findMixed(key, func(at uint64) bool {
			i, other, ok := ix.oddAt(at)
			if !ok || i == issuer && bytes.Equal(other.Serial, e.Serial) {
				same++
			}
			return true
		})
		distinct = distinct && same == 1
	})
	return distinct
}

// disjoint reports whether no certificate is in both tables.
func (ix *index) disjoint() bool {
	disjoint := true
	ix.odd.each(func(_, at uint64) {
		issuer, e, ok := ix.oddAt(at)
		if !ok {
			disjoint = false
			return
		}
		if serial, small := serialValue(e.Serial); small && issuer == 0 {
			_, found := ix.main.get(serial)
			disjoint = disjoint && !found
		}
	})
	return disjoint
}

// oddAt returns an entry that is not plain. It was parsed before, but an index file may be damaged.
func (ix *index) oddAt(at uint64) (issuer uint32, e parsedEntry, ok bool) {
	number, offset := at/rawPiece, at%rawPiece
	if number >= uint64(len(ix.raw)) || offset+issuerOctets > uint64(len(ix.raw[number])) {
		return 0, e, false
	}
	b := ix.raw[number][offset:]
	w := window{buf: b[issuerOctets:]}
	raw, _, ok := w.element(int64(len(w.buf)))
	if !ok {
		return 0, e, false
	}
	e, ok = parseEntry(raw, true)
	return binary.LittleEndian.Uint32(b), e, ok
}

// lookup finds the entry of a certificate.
func (ix *index) lookup(issuer uint32, serial []byte) (Entry, bool) {
	if value, small := serialValue(serial); small && issuer == 0 {
		if v, found := ix.main.get(value); found {
			return Entry{Serial: serial, RevokedAt: plainDate(v), Reason: plainReason(v)}, true
		}
	}
	var found parsedEntry
	hit := false
	if ix.odd.count > 0 && len(serial) <= 32 {
		ix.odd.find(oddKey(&ix.seed, issuer, serial), func(at uint64) bool {
			i, e, ok := ix.oddAt(at)
			if hit = ok && i == issuer && bytes.Equal(e.Serial, serial); hit {
				found = e
			}
			return !hit
		})
	}
	found.raw = bytes.Clone(found.raw) // it may lie in a mapped file
	found.Serial = serial
	return found.Entry, hit
}

func (ix *index) len() int { return ix.main.count + ix.odd.count }

// size returns the bytes that the index occupies.
func (ix *index) size() int {
	n := ix.main.size() + ix.odd.size()
	for _, piece := range ix.raw {
		n += cap(piece)
	}
	for _, name := range ix.issuers {
		n += len(name)
	}
	return n
}

// issuerNumber returns the number of a certificate issuer of an indirect list, or 0.
func (ix *index) issuerNumber(name []byte) uint32 {
	for i := range ix.issuers {
		if bytes.Equal(ix.issuers[i], name) {
			return uint32(i) + 1 //nolint:gosec // at most limits.CRLIssuers
		}
	}
	return 0
}

func (b *indexBuilder) len() int {
	n := 0
	if b.main != nil {
		n += b.main.count
	}
	if b.odd != nil {
		n += b.odd.count
	}
	return n
}
