package fourinfo

import (
	"fmt"
	"io"
	"log/slog"
)

// redaction is all that printing, logging or marshalling a personal value ever shows. It is the same for absent
// values, so that a log does not even tell which attributes a person has; [Person.Attributes] tells.
const redaction = "[redacted]"

// redacted is embedded in the attribute types and closes every door by which fmt, log/slog and the encoders reach a
// value through its methods. See sealed for the doors without methods.
type redacted struct{}

// String returns "[redacted]".
func (redacted) String() string { return redaction }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redaction }

// Format writes "[redacted]" for every verb and flag.
func (redacted) Format(s fmt.State, _ rune) { writeRedaction(s) }

// LogValue implements slog.LogValuer and shows "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redaction) }

// MarshalText returns "[redacted]".
func (redacted) MarshalText() ([]byte, error) { return []byte(redaction), nil }

// MarshalJSON returns the JSON string "[redacted]", which cannot be read back: storing a person by accident fails
// loudly at the first load.
func (redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + redaction + `"`), nil }

func writeRedaction(w io.Writer) {
	// fmt gives its formatters no way to report an error, and its own buffer never returns one.
	_, _ = io.WriteString(w, redaction)
}

// sealed holds an optional value where reflection does not show it. fmt ignores all methods of a value that sits in an
// unexported field of another struct and prints its memory instead, following a pointer to a struct even when the verb
// is unfit for pointers. It never follows a pointer to a pointer.
//
// The zero-size func makes the types incomparable: == would compare addresses and mislead.
type sealed[T any] struct {
	_ [0]func()
	p **T
}

func seal[T any](value T) sealed[T] {
	p := &value
	return sealed[T]{p: &p}
}

// open returns the value, or the zero value and false when there is none.
func (s sealed[T]) open() (value T, ok bool) {
	if s.p == nil {
		return value, false
	}
	return **s.p, true
}

// empty reports whether there is no value.
func (s sealed[T]) empty() bool { return s.p == nil }
