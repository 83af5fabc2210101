package fourinfo

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// ClaimNames are the userinfo member names of the attributes. An empty name leaves its attribute out.
type ClaimNames struct {
	Name, Address, Birthdate, Gender string
	// Furigana, FormerName and Alias are strings of their own where a source tells them apart; usually empty.
	Furigana, FormerName, Alias string
}

// FromUserinfo reads the service's forms: the name as a string; the address as a string, or as an object with a member
// "formatted" or with its other members, which is a warning (OpenID Connect Core 1.0, section 5.1.1); the birthdate as
// YYYYMMDD, YYYY-MM-DD or YYYY with zeros for unknown parts; the gender as a code or word, in a string or a number.
//
// A member that is missing or null is an absent attribute. One that cannot be read is absent and becomes a [Problem],
// never an error. Other members are ignored; "formatted" is matched exactly.
func FromUserinfo(claims map[string]json.RawMessage, names ClaimNames) (Person, []Problem) {
	var r reader
	var p Person
	if raw, ok := member(claims, names.Name); ok {
		if s, ok := r.readJSONText(AttributeName, raw); ok {
			p.Name = NewName(s)
		}
	}
	if raw, ok := member(claims, names.Address); ok {
		if s, ok := r.readJSONAddress(raw); ok {
			p.Address = NewAddress(s)
		}
	}
	if raw, ok := member(claims, names.Birthdate); ok {
		if s, ok := r.readJSONText(AttributeBirthdate, raw); ok {
			form := formISO
			if len(s) == len("YYYYMMDD") {
				form = formCompact
			}
			p.Birthdate = r.readBirthdate(s, form)
		}
	}
	if raw, ok := member(claims, names.Gender); ok {
		if s, ok := r.readJSONGender(raw); ok {
			p.Gender = NewGender(s)
		}
	}
	for _, more := range []struct {
		attribute, claim string
		to               *Name
	}{
		{AttributeFurigana, names.Furigana, &p.Furigana}, {AttributeFormerName, names.FormerName, &p.FormerName},
		{AttributeAlias, names.Alias, &p.Alias},
	} {
		if raw, ok := member(claims, more.claim); ok {
			if s, ok := r.readJSONText(more.attribute, raw); ok {
				*more.to = NewName(s)
			}
		}
	}
	return p, r.problems
}

// member returns the value of a claim, without surrounding space; ok is false when it is missing or null.
func member(claims map[string]json.RawMessage, name string) (raw json.RawMessage, ok bool) {
	if name == "" {
		return nil, false
	}
	raw = bytes.TrimSpace(claims[name])
	return raw, len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// reader collects problems while attributes are read.
type reader struct{ problems []Problem }

func (r *reader) problem(attribute, reason string) {
	r.problems = append(r.problems, Problem{Attribute: attribute, Reason: reason})
}

func (r *reader) warning(attribute, reason string) {
	r.problems = append(r.problems, Problem{Attribute: attribute, Reason: reason, Warning: true})
}

// accept reports whether s can be the value of the attribute.
func (r *reader) accept(attribute, s string) bool {
	if reason := checkText(s); reason != "" {
		r.problem(attribute, reason)
		return false
	}
	return true
}

func (r *reader) readBirthdate(s string, form birthdateForm) Birthdate {
	b, reason := readBirthdate(s, form)
	if reason != "" {
		r.problem(AttributeBirthdate, reason)
	}
	return b
}

func (r *reader) readJSONText(attribute string, raw json.RawMessage) (string, bool) {
	s, reason := decodeString(raw, ProblemNotText)
	if reason != "" {
		r.problem(attribute, reason)
		return "", false
	}
	return s, r.accept(attribute, s)
}

func (r *reader) readJSONAddress(raw json.RawMessage) (string, bool) {
	if raw[0] == '{' {
		// Of two members with one name nobody knows which is meant.
		object, err := strictjson.Members(raw)
		if err != nil {
			r.problem(AttributeAddress, ProblemNotAddress)
			return "", false
		}
		formatted, ok := member(object, "formatted")
		text, reason := decodeString(formatted, ProblemNotAddress)
		if !ok || reason == "" && strings.TrimSpace(text) == "" {
			return r.joinAddress(object)
		}
		raw = formatted
	}
	s, reason := decodeString(raw, ProblemNotAddress)
	if reason != "" {
		r.problem(AttributeAddress, reason)
		return "", false
	}
	return s, r.accept(AttributeAddress, s)
}

// joinAddress puts an address without "formatted" together from its other members (OpenID Connect Core 1.0, section
// 5.1.1), in the order of Japanese addresses, and says so. The postal code is no part of an address as the register
// writes it, and Japan goes without saying. A member that cannot be read is a hole: then there is no address.
func (r *reader) joinAddress(object map[string]json.RawMessage) (string, bool) {
	var joined string
	for _, name := range [...]string{"country", "region", "locality", "street_address"} {
		raw, ok := member(object, name)
		if !ok {
			continue
		}
		part, reason := decodeString(raw, ProblemNotAddress)
		if reason != "" {
			r.problem(AttributeAddress, reason)
			return "", false
		}
		if part = strings.Join(strings.Fields(part), " "); part == "" || name == "country" && isJapan(part) {
			continue // a street address may have several lines
		}
		if joined != "" && isLatin(joined[len(joined)-1]) && isLatin(part[0]) {
			joined += " "
		}
		joined += part
	}
	if !hasAny(object, "region", "locality") { // a street alone is an address if it says itself where it is
		if _, ok := NewAddress(joined).RevealParts(); !ok {
			joined = ""
		}
	}
	if joined == "" {
		reason := ProblemNotAddress
		if _, ok := member(object, "formatted"); ok {
			reason = ProblemEmpty
		}
		r.problem(AttributeAddress, reason)
		return "", false
	}
	if !r.accept(AttributeAddress, joined) {
		return "", false
	}
	r.warning(AttributeAddress, ProblemAddressParts)
	return joined, true
}

func hasAny(object map[string]json.RawMessage, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, ok := member(object, name); return ok })
}

func isJapan(country string) bool {
	return slices.Contains([]string{"JP", "JPN", "JAPAN", "日本", "日本国"}, strings.ToUpper(country))
}

// isLatin reports whether a byte is of a word that needs a space between it and the next one.
func isLatin(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ',' || c == '.'
}

func (r *reader) readJSONGender(raw json.RawMessage) (string, bool) {
	if raw[0] != '"' {
		var number json.Number
		if json.Unmarshal(raw, &number) == nil {
			return number.String(), r.accept(AttributeGender, number.String())
		}
	}
	s, reason := decodeString(raw, ProblemNotGender)
	if reason != "" {
		r.problem(AttributeGender, reason)
		return "", false
	}
	return s, r.accept(AttributeGender, s)
}

// decodeString decodes a JSON string and reports wrongType for anything else. It refuses what encoding/json would
// silently replace by U+FFFD, since a value must be exactly what the source said: bytes that are not UTF-8 and unpaired
// surrogates (RFC 8259, section 8).
func decodeString(raw json.RawMessage, wrongType string) (s, reason string) {
	if isPlainString(raw) {
		return string(raw[1 : len(raw)-1]), ""
	}
	return unescapeString(raw, wrongType)
}

// unescapeString is apart, so that the common case leaves nothing on the heap.
func unescapeString(raw json.RawMessage, wrongType string) (s, reason string) {
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", wrongType
	}
	if !utf8.Valid(raw) {
		return "", ProblemEncoding
	}
	if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(raw, utf8.RuneError) &&
		!bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) {
		return "", ProblemEncoding
	}
	return s, ""
}

// isPlainString reports whether raw is a JSON string without escapes, of valid UTF-8: it means what stands between its
// quotation marks (RFC 8259, section 7). Nearly all are.
func isPlainString(raw json.RawMessage) bool {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return false
	}
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(inner)
}

// CertificateFields are the texts of the six otherNames of a signing certificate; nil is absent. Their object
// identifiers are 1.2.392.200149.8.5.5.N with N = 1 name, 2 its substitute flags, 3 gender, 4 birthdate, 5 address, 6
// its substitute flags.
type CertificateFields struct {
	Name, NameSubstitutes, Gender, Birthdate, Address, AddressSubstitutes *string
}

// FromCertificate reads the certificate's forms: the birthdate EYYYYMMDD, where YYYY is Gregorian, unknown parts are
// zeros and an era E that contradicts the date is a warning; the substitute flags, one "0" or "1" per code point. A
// field that cannot be read is absent and becomes a [Problem].
func FromCertificate(f CertificateFields) (Person, []Problem) {
	var r reader
	var p Person
	p.Name = Name{r.readFlagged(AttributeName, f.Name, f.NameSubstitutes)}
	p.Address = Address{r.readFlagged(AttributeAddress, f.Address, f.AddressSubstitutes)}
	if f.Birthdate != nil && r.accept(AttributeBirthdate, *f.Birthdate) {
		p.Birthdate = r.readBirthdate(*f.Birthdate, formEra)
		if p.Birthdate.Present() {
			if reason := checkEra(p.Birthdate); reason != "" {
				r.warning(AttributeBirthdate, reason)
			}
		}
	}
	if f.Gender != nil && r.accept(AttributeGender, *f.Gender) {
		p.Gender = NewGender(*f.Gender)
	}
	return p, r.problems
}

// readFlagged reads a text with its substitute flags. Odd flags are kept, surfaced as a warning and by
// Substitutes.LengthMatches, and never aligned by guessing.
func (r *reader) readFlagged(attribute string, value, flags *string) text {
	if value == nil {
		if flags != nil {
			r.warning(attribute, ProblemSubstitutesAlone)
		}
		return text{}
	}
	if !r.accept(attribute, *value) {
		return text{}
	}
	if flags == nil {
		return newText(*value, nil)
	}
	kept := *flags
	switch {
	case len(kept) > limits.Attribute || !wellFormedFlags(kept):
		r.warning(attribute, ProblemSubstitutes)
		// What is no flag is not worth keeping; an empty string still tells that the flags are unusable.
		kept = ""
	case !readSubstitutes(*value, kept).LengthMatches:
		r.warning(attribute, ProblemSubstitutesCount)
	}
	return newText(*value, &kept)
}

// CardFields are the texts of the card's text application (券面事項入力補助AP); an empty one is absent.
type CardFields struct {
	Name, Address string
	// Birthdate is YYYYMMDD with zeros for unknown parts, Gender a code.
	Birthdate, Gender string
}

// FromCard reads the card's forms. A field that cannot be read is absent and becomes a [Problem].
func FromCard(f CardFields) (Person, []Problem) {
	var r reader
	var p Person
	if f.Name != "" && r.accept(AttributeName, f.Name) {
		p.Name = NewName(f.Name)
	}
	if f.Address != "" && r.accept(AttributeAddress, f.Address) {
		p.Address = NewAddress(f.Address)
	}
	if f.Birthdate != "" && r.accept(AttributeBirthdate, f.Birthdate) {
		p.Birthdate = r.readBirthdate(f.Birthdate, formCompact)
	}
	if f.Gender != "" && r.accept(AttributeGender, f.Gender) {
		p.Gender = NewGender(f.Gender)
	}
	return p, r.problems
}
