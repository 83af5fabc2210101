package scssession

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"time"
)

// codec is the codec of the default session manager. Every request of a logged-in person decodes and encodes the
// session, and encoding/gob sends its type description each time; this form is a mark, a deadline and a list of keys
// with tagged values. Types that it does not know go through gob, with gob's rules (gob.Register).
type codec struct{}

// The first byte says the format, and whether somebody is logged in: the store asks that without decoding the rest.
const (
	anonymousFormat = 2
	begunFormat     = 3
)

// begun reports whether the encoded session is one in which somebody logged in.
func begun(b []byte) bool { return len(b) > 0 && b[0] == begunFormat }

const (
	tagString = 's'
	tagBytes  = 'b'
	tagTrue   = 't'
	tagFalse  = 'f'
	tagInt    = 'i'
	tagGob    = 'g'
)

var errSessionData = errors.New("scssession: malformed session data")

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	size := 16
	for k, v := range values {
		size += len(k) + 12
		if s, ok := v.(string); ok {
			size += len(s)
		}
	}
	b := make([]byte, 0, size)
	if logged, _ := values[begunKey].(bool); logged {
		b = append(b, begunFormat)
	} else {
		b = append(b, anonymousFormat)
	}
	b = binary.AppendVarint(b, deadline.UnixNano())
	b = binary.AppendUvarint(b, uint64(len(values)))
	for k, v := range values {
		b = appendSized(b, k)
		switch v := v.(type) {
		case string:
			b = appendSized(append(b, tagString), v)
		case []byte:
			b = appendSized(append(b, tagBytes), v)
		case bool:
			if v {
				b = append(b, tagTrue)
			} else {
				b = append(b, tagFalse)
			}
		case int:
			b = binary.AppendVarint(append(b, tagInt), int64(v))
		default:
			var g bytes.Buffer
			if err := gob.NewEncoder(&g).Encode(&v); err != nil {
				// gob's text names the Go type, not the value.
				return nil, fmt.Errorf("scssession: session value cannot be stored: %w", err)
			}
			b = appendSized(append(b, tagGob), g.Bytes())
		}
	}
	return b, nil
}

// Decode implements scs.Codec.
func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	d := decoder{rest: b}
	if format := d.byte(); format != anonymousFormat && format != begunFormat {
		return time.Time{}, nil, errSessionData
	}
	deadline := time.Unix(0, d.varint()).UTC()
	n := d.uvarint()
	// Every value takes at least two bytes, so a count that cannot be true is refused before memory is reserved.
	if d.failed || n > uint64(len(d.rest))/2 {
		return time.Time{}, nil, errSessionData
	}
	values := make(map[string]any, n)
	for range n {
		k := string(d.sized())
		switch d.byte() {
		case tagString:
			values[k] = string(d.sized())
		case tagBytes:
			values[k] = bytes.Clone(d.sized())
		case tagTrue:
			values[k] = true
		case tagFalse:
			values[k] = false
		case tagInt:
			values[k] = int(d.varint())
		case tagGob:
			var v any
			if err := gob.NewDecoder(bytes.NewReader(d.sized())).Decode(&v); err != nil {
				return time.Time{}, nil, errSessionData
			}
			values[k] = v
		default:
			d.failed = true
		}
		if d.failed {
			return time.Time{}, nil, errSessionData
		}
	}
	if len(d.rest) != 0 || uint64(len(values)) != n {
		return time.Time{}, nil, errSessionData
	}
	return deadline, values, nil
}

func appendSized[T string | []byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// decoder reads from the front of rest; after a failure everything it returns is zero.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) byte() byte {
	if d.failed || len(d.rest) == 0 {
		d.failed = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.failed || n <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if d.failed || n <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) sized() []byte {
	n := d.uvarint()
	if d.failed || n > uint64(len(d.rest)) {
		d.failed = true
		return nil
	}
	v := d.rest[:n]
	d.rest = d.rest[n:]
	return v
}
