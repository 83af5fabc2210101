package mdoc

import (
	"encoding/binary"

	"github.com/fxamacker/cbor/v2"
)

// The bounds of a response; a document with a portrait has some 100 KiB.
const (
	maxNesting  = 16
	maxElements = 1024
)

// codec decodes as ISO/IEC 18013-5, 8.1 asks for: no key twice, no item of indefinite length, texts of valid UTF-8.
// Built once per verifier, since it cannot be a constant.
type codec struct {
	decode cbor.DecMode
	encode cbor.EncMode
}

func newCodec() (codec, error) {
	decode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  maxElements,
		MaxMapPairs:       maxElements,
		UTF8:              cbor.UTF8RejectInvalid,
		TimeTag:           cbor.DecTagRequired,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		BignumTag:         cbor.BignumTagForbidden,
	}.DecMode()
	if err != nil {
		return codec{}, err
	}
	encode, err := cbor.CoreDetEncOptions().EncMode()
	return codec{decode, encode}, err
}

// read decodes the whole of data, which must be in its shortest form.
func (c codec) read(data []byte, into any) bool {
	n, ok := shortest(data, 0)
	return ok && n == len(data) && c.decode.Unmarshal(data, into) == nil
}

// embedded returns what a data item that is encoded in a byte string (tag 24) holds. It does not copy.
func embedded(item []byte) ([]byte, bool) {
	if len(item) < 3 || item[0] != 0xD8 || item[1] != 24 || item[2]>>5 != 2 {
		return nil, false
	}
	n, ok := shortest(item[2:], 0)
	if !ok || n != len(item)-2 {
		return nil, false
	}
	head := 1 // of the byte string; the lengths 24 to 27 say that 1, 2, 4 or 8 bytes follow
	if short := item[2] & 31; short >= 24 {
		head += 1 << (short - 24)
	}
	return item[2+head:], true
}

// wrap encodes data as a data item in a byte string.
func wrap(data []byte) []byte {
	return append(append(make([]byte, 0, len(data)+8), 0xD8, 24), byteString(data)...)
}

// byteString encodes data as a byte string.
func byteString(data []byte) []byte {
	var head []byte
	switch n := len(data); {
	case n < 24:
		head = []byte{0x40 | byte(n)}
	case n < 1<<8:
		head = []byte{0x58, byte(n)}
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16([]byte{0x59}, uint16(n))
	default:
		head = binary.BigEndian.AppendUint32([]byte{0x5A}, uint32(n))
	}
	return append(head, data...)
}

// shortest reports whether the data item at the beginning of data has heads of the shortest form only, and of definite
// length (ISO/IEC 18013-5, 8.1; RFC 8949, 4.2.1), and returns its length. It looks into no byte string.
func shortest(data []byte, depth int) (n int, ok bool) {
	if len(data) == 0 || depth > maxNesting {
		return 0, false
	}
	major, short := data[0]>>5, data[0]&31
	value, n := uint64(short), 1
	switch {
	case short < 24:
	case short < 28:
		size := 1 << (short - 24)
		if len(data) < 1+size {
			return 0, false
		}
		var eight [8]byte
		copy(eight[8-size:], data[1:1+size])
		value, n = binary.BigEndian.Uint64(eight[:]), 1+size
		smallest := [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}[short-24]
		if value < smallest && (major != 7 || short == 24) { // a float has the size that it has
			return 0, false
		}
	default: // reserved, or of indefinite length
		return 0, false
	}
	items := uint64(0)
	switch major {
	case 2, 3:
		if value > uint64(len(data)-n) {
			return 0, false
		}
		return n + int(value), true
	case 4:
		items = value
	case 5:
		items = 2 * value
	case 6:
		items = 1
	}
	if items > 2*maxElements {
		return 0, false
	}
	for range items {
		m, ok := shortest(data[n:], depth+1)
		if !ok {
			return 0, false
		}
		n += m
	}
	return n, true
}
