package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"
)

// canonicalJSON rewrites one JSON object in the form of RFC 8785 without the named top-level member: members sorted,
// no white space, nothing escaped that need not be. It relies on what records contain: member names are ASCII (so
// that byte order is UTF-16 order), numbers are small integers, and texts were checked to hold no control or separator
// characters, which encoding/json would escape differently.
func canonicalJSON(plain []byte, without string) ([]byte, error) {
	c := canonicalizer{in: plain, without: without, out: make([]byte, 0, len(plain))}
	if c.object(1) && len(bytes.TrimLeft(c.in, " \t\r\n")) == 0 {
		return c.out, nil
	}
	return decodedCanonicalJSON(plain, without)
}

// decodedCanonicalJSON takes every spelling, in ten times the time.
func decodedCanonicalJSON(plain []byte, without string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var value map[string]any
	if err := d.Decode(&value); err != nil {
		return nil, errors.New("not an object")
	}
	delete(value, without)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil { // maps are written in the order of their keys
		return nil, errors.New("not encodable")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// canonicalizer copies JSON that is spelled as this package spells it, and sorts its members. Its methods return false
// at anything else: an escape, a number that is no small integer, a member twice, no JSON at all.
type canonicalizer struct {
	in, out  []byte
	unsorted []byte // for sort
	without  string // at depth 1
}

// member is a member in out: its name without quotes, and where it stands with its value.
type member struct {
	name     []byte
	from, to int
}

const canonicalDepth = 16

func (c *canonicalizer) object(depth int) bool {
	if !c.token('{') || depth > canonicalDepth {
		return false
	}
	c.out = append(c.out, '{')
	start := len(c.out)
	var room [32]member
	members, sorted := room[:0], true
	for first := true; ; first = false {
		if c.peek() == '}' && first {
			break
		}
		from := len(c.out)
		if len(members) > 0 {
			c.out = append(c.out, ',')
		}
		m := member{from: len(c.out)}
		var ok bool
		if m.name, ok = c.text(); !ok || !c.token(':') {
			return false
		}
		c.out = append(c.out, ':')
		if !c.value(depth) {
			return false
		}
		if depth == 1 && string(m.name) == c.without {
			c.out = c.out[:from]
		} else {
			m.to = len(c.out)
			sorted = sorted && (len(members) == 0 || bytes.Compare(members[len(members)-1].name, m.name) < 0)
			members = append(members, m)
		}
		if c.peek() == '}' {
			break
		}
		if !c.token(',') {
			return false
		}
	}
	c.in = c.in[1:]
	if !sorted && !c.sort(start, members) {
		return false
	}
	c.out = append(c.out, '}')
	return true
}

// sort writes the members anew in the order of their names, with commas between them.
func (c *canonicalizer) sort(start int, members []member) bool {
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	c.unsorted = append(c.unsorted[:0], c.out[start:]...)
	c.out = c.out[:start]
	for i, m := range members {
		if i > 0 {
			if bytes.Equal(m.name, members[i-1].name) {
				return false
			}
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, c.unsorted[m.from-start:m.to-start]...)
	}
	return true
}

func (c *canonicalizer) array(depth int) bool {
	c.in = c.in[1:]
	c.out = append(c.out, '[')
	for first := true; ; first = false {
		if c.peek() == ']' && first {
			break
		}
		if !first {
			c.out = append(c.out, ',')
		}
		if !c.value(depth) {
			return false
		}
		if c.peek() == ']' {
			break
		}
		if !c.token(',') {
			return false
		}
	}
	c.in = c.in[1:]
	c.out = append(c.out, ']')
	return true
}

func (c *canonicalizer) value(depth int) bool {
	switch c.peek() {
	case '{':
		return c.object(depth + 1)
	case '[':
		return depth < canonicalDepth && c.array(depth+1)
	case '"':
		_, ok := c.text()
		return ok
	default:
		return c.word()
	}
}

// word copies an integer, true, false or null.
func (c *canonicalizer) word() bool {
	n := 0
	for n < len(c.in) && (c.in[n] >= '0' && c.in[n] <= '9' || c.in[n] >= 'a' && c.in[n] <= 'z') {
		n++
	}
	word := c.in[:n]
	switch string(word) {
	case "true", "false", "null":
	default:
		const digits = 16
		if n == 0 || n > digits || n > 1 && word[0] == '0' || bytes.ContainsFunc(word, notDigit) {
			return false
		}
	}
	// What follows, a fraction for example, is no comma then.
	c.out, c.in = append(c.out, word...), c.in[n:]
	return true
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// text copies a string that is spelled without escapes and returns what is between the quotes.
func (c *canonicalizer) text() ([]byte, bool) {
	if c.peek() != '"' {
		return nil, false
	}
	n := bytes.IndexByte(c.in[1:], '"')
	if n < 0 {
		return nil, false
	}
	text := c.in[1 : 1+n]
	ascii := true
	for _, b := range text {
		if b < ' ' || b == '\\' {
			return nil, false
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	if !ascii && (!utf8.Valid(text) || bytes.ContainsAny(text, "\u2028\u2029")) {
		return nil, false
	}
	c.out, c.in = append(c.out, c.in[:n+2]...), c.in[n+2:]
	return text, true
}

// peek returns the next byte that is no white space, 0 at the end.
func (c *canonicalizer) peek() byte {
	for len(c.in) > 0 {
		switch c.in[0] {
		case ' ', '\t', '\r', '\n':
			c.in = c.in[1:]
		default:
			return c.in[0]
		}
	}
	return 0
}

func (c *canonicalizer) token(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.in = c.in[1:]
	return true
}
