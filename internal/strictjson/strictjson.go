// Package strictjson reads JSON objects that decide about trust: token headers, claims, key sets, answers of a service.
//
// Call [Object] or [Members] for the members and [String], [Integer] and [Strings] to read one. encoding/json lets the
// last of several equal names win, matches names without regard to case and replaces invalid UTF-8; each of these has
// let two readers of the same bytes see different claims. RFC 7515, section 4 and RFC 7519, section 4 allow a parser to
// refuse duplicate names; this one does.
package strictjson

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Error says why a text was refused; it never quotes the text.
type Error string

// Error implements error.
func (e Error) Error() string { return "json: " + string(e) }

// The ways in which a text is refused.
const (
	ErrSyntax    Error = "not one well-formed object"
	ErrTrailing  Error = "bytes after the object"
	ErrDuplicate Error = "duplicate member"
	ErrDepth     Error = "nested too deeply"
	ErrMembers   Error = "too many members"
	ErrUTF8      Error = "not UTF-8"
)

// claimsLength is the length from which on an object is more likely a claims set than a header.
const claimsLength = 256

// Object returns the members of the one JSON object that b consists of (surrounding JSON white space is allowed).
//
// It refuses anything after the object, invalid UTF-8, nesting beyond limits.JSONDepth, more than limits.JSONMembers
// members in one object, and, at every depth, two member names that are equal after unescaping and case folding: a
// reader that ignores case would take one for the other. The raw messages alias b. Errors are of type [Error].
func Object(b []byte) (map[string]json.RawMessage, error) { return read(parser{b: b}) }

// Members is Object for whoever reads some of the members and none of what is inside the others: the names inside the
// members' own objects are not compared and not counted. Whoever reads such a member gives it to Object.
func Members(b []byte) (map[string]json.RawMessage, error) { return read(parser{b: b, outer: true}) }

func read(p parser) (map[string]json.RawMessage, error) {
	b := p.b
	if !utf8.Valid(b) {
		return nil, ErrUTF8
	}
	p.space()
	if p.peek() != '{' {
		return nil, ErrSyntax
	}
	// Headers have a few members; claims have more than eight, and letting the map grow would cost as much as the
	// parse.
	size := 8
	if len(b) >= claimsLength {
		size = 16
	}
	m := make(map[string]json.RawMessage, size)
	if err := p.object(1, m); err != nil {
		return nil, err
	}
	p.space()
	if p.i != len(b) {
		return nil, ErrTrailing
	}
	return m, nil
}

// Present returns a member, unless it is missing or null: a server that writes null for what it has not got says the
// same as one that leaves it out.
func Present(m map[string]json.RawMessage, name string) (raw json.RawMessage, ok bool) {
	raw = m[name]
	return raw, len(raw) > 0 && string(raw) != "null"
}

// String returns the string in raw; ok is false for any other JSON type. raw must come from [Object].
func String(raw json.RawMessage) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return unquote(raw), true
}

// Strings returns the elements of an array of strings, not nil even if there are none; ok is false for anything else.
// raw must come from [Object].
func Strings(raw json.RawMessage) (list []string, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	p := parser{b: raw, i: 1}
	list = []string{}
	for p.space(); p.peek() != ']'; p.space() {
		if p.peek() == ',' {
			p.i++
			p.space()
		}
		start := p.i
		if p.peek() != '"' || p.str() != nil {
			return nil, false
		}
		list = append(list, unquote(raw[start:p.i]))
	}
	return list, true
}

// Integer returns the whole part of a JSON number that fits an int64 (a NumericDate may have a fraction, RFC 7519,
// section 2); ok is false for anything else.
func Integer(raw json.RawMessage) (n int64, ok bool) {
	if len(raw) == 0 || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.Abs(f) >= 1<<53 { // beyond that a float64 no longer tells neighbouring integers apart
		return 0, false
	}
	return int64(math.Floor(f)), true
}

// parser walks b once. The positions it leaves are inside b; peek returns 0 at the end, which no token starts with.
type parser struct {
	b     []byte
	i     int
	outer bool // only the names of the outermost object are compared
}

func (p *parser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// value steps over one value.
func (p *parser) value(depth int) error {
	switch p.peek() {
	case '{':
		return p.object(depth+1, nil)
	case '[':
		return p.array(depth + 1)
	case '"':
		return p.str()
	case 't':
		return p.literal("true")
	case 'f':
		return p.literal("false")
	case 'n':
		return p.literal("null")
	default:
		return p.number()
	}
}

func (p *parser) literal(s string) error {
	if len(p.b)-p.i < len(s) || string(p.b[p.i:p.i+len(s)]) != s {
		return ErrSyntax
	}
	p.i += len(s)
	return nil
}

// object steps over an object and fills into with its members; into may be nil.
func (p *parser) object(depth int, into map[string]json.RawMessage) error {
	if depth > limits.JSONDepth {
		return ErrDepth
	}
	p.i++ // {
	seen := names{members: into}
	for p.space(); p.peek() != '}'; p.space() {
		if seen.count > 0 {
			if p.peek() != ',' {
				return ErrSyntax
			}
			p.i++
			p.space()
		}
		if p.peek() != '"' {
			return ErrSyntax
		}
		start := p.i
		if err := p.str(); err != nil {
			return err
		}
		name := intern(p.b[start:p.i])
		p.space()
		if p.peek() != ':' {
			return ErrSyntax
		}
		p.i++
		p.space()
		start = p.i
		if err := p.value(depth); err != nil {
			return err
		}
		if p.outer && depth > 1 {
			seen.count = 1 // for the comma
			continue
		}
		if err := seen.add(name, p.b[start:p.i:p.i]); err != nil {
			return err
		}
	}
	p.i++ // }
	return nil
}

func (p *parser) array(depth int) error {
	if depth > limits.JSONDepth {
		return ErrDepth
	}
	p.i++ // [
	p.space()
	if p.peek() == ']' {
		p.i++
		return nil
	}
	for {
		p.space()
		if err := p.value(depth); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return nil
		default:
			return ErrSyntax
		}
	}
}

func (p *parser) str() error {
	p.i++ // "
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			return nil
		case c < 0x20:
			return ErrSyntax
		case c != '\\':
			p.i++
		default:
			p.i++
			if err := p.escape(); err != nil {
				return err
			}
		}
	}
	return ErrSyntax
}

func (p *parser) escape() error {
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.i++
		return nil
	case 'u':
		p.i++
		for range 4 {
			switch c := p.peek(); {
			case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
				p.i++
			default:
				return ErrSyntax
			}
		}
		return nil
	default:
		return ErrSyntax
	}
}

// number follows the grammar of RFC 8259, section 6.
func (p *parser) number() error {
	if p.peek() == '-' {
		p.i++
	}
	if p.peek() == '0' {
		p.i++
	} else if !p.digits() {
		return ErrSyntax
	}
	if p.peek() == '.' {
		p.i++
		if !p.digits() {
			return ErrSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		if !p.digits() {
			return ErrSyntax
		}
	}
	return nil
}

func (p *parser) digits() bool {
	start := p.i
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.i++
	}
	return p.i > start
}

// names notices a name that was seen before. While every name is its own case folding, members does the work alone,
// which is the usual case and costs nothing; folded is made when a name needs it, or when there is no members map.
type names struct {
	count   int
	members map[string]json.RawMessage
	folded  map[string]struct{}
}

func (n *names) add(name string, value json.RawMessage) error {
	if n.count++; n.count > limits.JSONMembers {
		return ErrMembers
	}
	key := fold(name)
	if n.folded == nil && (n.members == nil || key != name) {
		n.folded = make(map[string]struct{}, len(n.members)+1)
		for k := range n.members {
			n.folded[k] = struct{}{} // so far every name was its own folding
		}
	}
	if n.folded != nil {
		if _, dup := n.folded[key]; dup {
			return ErrDuplicate
		}
		n.folded[key] = struct{}{}
	} else if _, dup := n.members[name]; dup {
		return ErrDuplicate
	}
	if n.members != nil {
		n.members[name] = value
	}
	return nil
}

// fold maps names that encoding/json would match with each other (Unicode simple folding) to one string.
func fold(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || (c >= 'A' && c <= 'Z') {
			return strings.Map(foldRune, s)
		}
	}
	return s
}

func foldRune(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	// The ASCII letter of the orbit, if there is one (K and S have non-ASCII relatives), otherwise its smallest rune.
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		if next >= 'a' && next <= 'z' {
			return next
		}
		least = min(least, next)
	}
	return least
}

// intern is unquote for a member name. The names that nearly every token has are not allocated anew.
func intern(lit []byte) string {
	switch string(lit[1 : len(lit)-1]) {
	case "alg":
		return "alg"
	case "kid":
		return "kid"
	case "typ":
		return "typ"
	case "iss":
		return "iss"
	case "sub":
		return "sub"
	case "aud":
		return "aud"
	case "azp":
		return "azp"
	case "exp":
		return "exp"
	case "iat":
		return "iat"
	case "acr":
		return "acr"
	case "amr":
		return "amr"
	case "sid":
		return "sid"
	case "nonce":
		return "nonce"
	case "at_hash":
		return "at_hash"
	case "auth_time":
		return "auth_time"
	default:
		return unquote(lit)
	}
}

// unquote decodes a string literal that str has stepped over.
func unquote(lit []byte) string {
	inner := lit[1 : len(lit)-1]
	for _, c := range inner {
		if c == '\\' {
			var s string
			if json.Unmarshal(lit, &s) != nil {
				return "" // cannot happen: the literal is well formed
			}
			return s
		}
	}
	return string(inner)
}
