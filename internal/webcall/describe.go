package webcall

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Describe returns what the members of a refusal (RFC 6749, section 5.2) say in error_description, or else the code in
// error: at most limits.ErrorDescription bytes, quoted as in Go source, so that what is not printable does nothing
// where it is printed. Empty if they say nothing. It is the service's own text: for the developer, never for the
// person.
func Describe(members map[string]json.RawMessage) string {
	s, ok := strictjson.String(members["error_description"])
	if !ok || s == "" {
		s, _ = strictjson.String(members["error"])
	}
	if len(s) > limits.ErrorDescription {
		end := limits.ErrorDescription
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}
