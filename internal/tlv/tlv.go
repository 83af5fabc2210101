// Package tlv reads and writes BER-TLV data objects (ISO/IEC 7816-4, 5.2.2; ITU-T X.690) with size limits.
//
// [ParseTree] reads a whole file with its nested objects, [ParseAll] one level, [Next] one object; [Append] writes the
// way the issuer of the My Number Card does. Parsed values share memory with the input. The limits are those of
// internal/limits: TLVValue, TLVDepth and TLVElements. Nothing in this package keeps state; everything may be used
// concurrently.
package tlv

import (
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Tag is a one- to three-byte tag, big-endian (0x5F4E, 0xDF21, 0x90).
type Tag uint32

// Constructed reports whether bit 6 of the first byte says that the value is itself a sequence of data objects.
func (t Tag) Constructed() bool {
	for t > 0xFF {
		t >>= 8
	}
	return t&0x20 != 0
}

// Element is one data object.
type Element struct {
	Tag   Tag
	Value []byte
	// Raw is the whole object, tag and length included (signatures and hashes run over it).
	Raw []byte
}

// Header decodes the tag and the length field at the start of b, which need not hold the value: header is the number of
// bytes of the two fields, size the number of bytes of the value. The error is an *[Error].
func Header(b []byte) (tag Tag, header, size int, err error) {
	tag, n, err := parseTag(b)
	if err != nil {
		return 0, 0, 0, err
	}
	size, m, err := parseLength(b[n:])
	if err != nil {
		return 0, 0, 0, err
	}
	return tag, n + m, size, nil
}

// Next decodes the first object and returns what follows it. The error is an *[Error].
func Next(b []byte) (el Element, rest []byte, err error) {
	tag, start, size, err := Header(b)
	if err != nil {
		return Element{}, nil, err
	}
	if size > len(b)-start {
		return Element{}, nil, &Error{Reason: Truncated}
	}
	end := start + size
	return Element{Tag: tag, Value: b[start:end:end], Raw: b[:end:end]}, b[end:], nil
}

func parseTag(b []byte) (tag Tag, n int, err error) {
	if len(b) == 0 {
		return 0, 0, &Error{Reason: Truncated}
	}
	tag = Tag(b[0])
	if tag == 0 {
		// 00 is the end-of-contents tag of the indefinite form (X.690, 8.1.5), or filler; never a data object.
		return 0, 0, &Error{Reason: BadTag}
	}
	if b[0]&0x1F != 0x1F {
		return tag, 1, nil
	}
	for n = 1; n < 3; n++ {
		if n == len(b) {
			return 0, 0, &Error{Reason: Truncated}
		}
		if n == 1 && b[n] == 0x80 {
			// "bits 7 to 1 of the first subsequent octet shall not all be zero" (X.690, 8.1.2.4.2 c). ISO/IEC 7816-4,
			// 5.2.2.1 also calls 00 to 1E invalid here, but the card's own tags FF10 and DF11 are such.
			return 0, 0, &Error{Reason: BadTag}
		}
		tag = tag<<8 | Tag(b[n])
		if b[n]&0x80 == 0 {
			return tag, n + 1, nil
		}
	}
	// ISO/IEC 7816-4, 5.2.2.1 supports tag fields of one, two and three bytes. This also refuses a run of filler FF.
	return 0, 0, &Error{Reason: BadTag}
}

func parseLength(b []byte) (size, n int, err error) {
	if len(b) == 0 {
		return 0, 0, &Error{Reason: Truncated}
	}
	switch first := b[0]; {
	case first < 0x80:
		return int(first), 1, nil
	case first == 0x80:
		// The indefinite form does not exist on a card: ISO/IEC 7816-4, 5.2.2.2 does not support the value 80.
		return 0, 0, &Error{Reason: Indefinite}
	case first > 0x83:
		return 0, 0, &Error{Reason: TooLarge}
	default:
		// Longer than necessary is legal here: the issuer writes 82 009F, not 81 9F.
		n = int(first&0x0F) + 1
	}
	if len(b) < n {
		return 0, 0, &Error{Reason: Truncated}
	}
	for _, c := range b[1:n] {
		size = size<<8 | int(c)
	}
	if size > limits.TLVValue {
		return 0, 0, &Error{Reason: TooLarge}
	}
	return size, n, nil
}

// ParseAll decodes a sequence of objects; filler bytes 00 and FF between and behind objects are not accepted. The error
// is an *[Error].
func ParseAll(b []byte) ([]Element, error) {
	var out []Element
	for len(b) > 0 {
		if len(out) == limits.TLVElements {
			return nil, &Error{Reason: TooMany}
		}
		el, rest, err := Next(b)
		if err != nil {
			return nil, err
		}
		out, b = append(out, el), rest
	}
	return out, nil
}

// Append encodes an object with the length coding of the My Number Card: one byte below 128, otherwise always 82 xx xx.
// A value beyond 65535 bytes, which no file of a card can hold, gets 83 xx xx xx so that the encoding stays true. A tag
// must be one that [Next] reads; it is written with as many bytes as it has.
func Append(dst []byte, tag Tag, value []byte) []byte {
	if tag > 0xFFFF {
		dst = append(dst, byte(tag>>16))
	}
	if tag > 0xFF {
		dst = append(dst, byte(tag>>8))
	}
	dst = append(dst, byte(tag))
	n := len(value)
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n <= 0xFFFF:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, value...)
}

// Node is an object with the objects inside it. Children is empty for a primitive tag.
type Node struct {
	Element
	Children []Node
}

// ParseTree decodes a sequence of objects and, below every constructed tag, the sequences inside, down to TLVDepth
// levels and TLVElements objects altogether. The error is an *[Error].
func ParseTree(b []byte) ([]Node, error) {
	budget := limits.TLVElements
	return parseLevel(b, 1, &budget)
}

func parseLevel(b []byte, depth int, budget *int) ([]Node, error) {
	if depth > limits.TLVDepth {
		return nil, &Error{Reason: TooDeep}
	}
	var out []Node
	for len(b) > 0 {
		if *budget == 0 {
			return nil, &Error{Reason: TooMany}
		}
		*budget--
		el, rest, err := Next(b)
		if err != nil {
			return nil, err
		}
		node := Node{Element: el}
		if el.Tag.Constructed() && len(el.Value) > 0 {
			if node.Children, err = parseLevel(el.Value, depth+1, budget); err != nil {
				return nil, err
			}
		}
		out, b = append(out, node), rest
	}
	return out, nil
}

// Reason says what is wrong with an encoding.
type Reason int

// Reasons. The zero value is Unknown and is never returned.
const (
	Unknown Reason = iota
	// Truncated: the input ends inside a tag, a length or a value.
	Truncated
	// BadTag: the tag is 00, longer than three bytes or not minimal.
	BadTag
	// Indefinite: the indefinite length form.
	Indefinite
	// TooLarge: the value exceeds limits.TLVValue.
	TooLarge
	// TooDeep: the nesting exceeds limits.TLVDepth.
	TooDeep
	// TooMany: there are more objects than limits.TLVElements.
	TooMany
)

// names is indexed by Reason and never written.
var names = [...]string{
	Unknown:    "unknown reason",
	Truncated:  "truncated",
	BadTag:     "invalid tag",
	Indefinite: "indefinite length",
	TooLarge:   "value too large",
	TooDeep:    "nested too deeply",
	TooMany:    "too many data objects",
}

// String returns a short description.
func (r Reason) String() string {
	if r < 0 || int(r) >= len(names) {
		return names[Unknown]
	}
	return names[r]
}

// Error reports an encoding that is refused. It never holds bytes of the input, which may be personal data.
type Error struct{ Reason Reason }

// Error describes the reason.
func (e *Error) Error() string { return "tlv: " + e.Reason.String() }
