package visitor

import (
	"html"
	"strings"
)

// tagScanner goes through the tags of a page as our own templates write them: names in lower case and attribute values
// in double quotes. html/template escapes "<", ">" and quotes in everything that is filled in, so that whatever else
// begins with "<" is not a tag of ours and is passed over.
type tagScanner struct {
	rest  string
	tag   string // the name, with "/" in front for an end tag
	attrs []tagAttr
}

// tagAttr is an attribute as it stands in the page: its value is still escaped.
type tagAttr struct{ name, value string }

// next finds the next tag.
func (s *tagScanner) next() bool {
	for {
		at := strings.IndexByte(s.rest, '<')
		if at < 0 {
			return false
		}
		s.rest = s.rest[at+1:]
		if end, ok := s.read(s.rest); ok {
			s.rest = s.rest[end:]
			return true
		}
	}
}

// read takes the tag that the text begins with, behind its "<", and says where it ends.
func (s *tagScanner) read(text string) (end int, ok bool) {
	i := 0
	if i < len(text) && text[i] == '/' {
		i++
	}
	name := run(text[i:], false)
	if name == 0 {
		return 0, false
	}
	i += name
	s.tag, s.attrs = text[:i], s.attrs[:0]
	for {
		space := len(text[i:]) - len(strings.TrimLeft(text[i:], "\t\n\f\r "))
		i += space
		if width := run(text[i:], true); width > 0 && space > 0 {
			a := tagAttr{name: text[i : i+width]}
			i += width
			if quoted, found := strings.CutPrefix(text[i:], `="`); found {
				closing := strings.IndexByte(quoted, '"')
				if closing < 0 {
					return 0, false
				}
				a.value = quoted[:closing]
				i += len(`="`) + closing + len(`"`)
			}
			s.attrs = append(s.attrs, a)
			continue
		}
		if i < len(text) && text[i] == '/' {
			i++
		}
		return i + 1, i < len(text) && text[i] == '>'
	}
}

// run is the length of the name that the text begins with: a letter, then letters and digits, and hyphens in the names
// of attributes.
func run(text string, hyphens bool) int {
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		if letter := 'a' <= c && c <= 'z'; letter || i > 0 && ('0' <= c && c <= '9' || hyphens && c == '-') {
			continue
		}
		break
	}
	return i
}

// value is an attribute's value; of two with one name the last counts.
func (s *tagScanner) value(name string) string {
	for i := len(s.attrs) - 1; i >= 0; i-- {
		if s.attrs[i].name == name {
			return html.UnescapeString(s.attrs[i].value)
		}
	}
	return ""
}
