// Package redact keeps secrets and personal data out of everything that prints, logs or encodes values.
//
// A type takes part by holding its data in a [Value] or a [Comparable] and by embedding [Mark] under a lower-case
// alias, so that its documentation does not show the mark:
//
//	type redacted = redact.Mark
//
//	type Name struct {
//		redacted
//		value redact.Value[string]
//	}
//
// Both halves are needed. Mark answers wherever a method is asked for: package fmt, log/slog and the encoders of the
// standard library. Value and Comparable answer where none is: package fmt calls no method on what it finds in the
// unexported field of another struct and prints the memory instead, and encoding/json asks no string type for its text
// when it is the key of a map.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is all that a redacted value ever shows. It is the same for an absent value, so that a log does not even tell
// which data there is about a person.
const Text = "[redacted]"

// Mark is embedded in a type and closes every door by which a value is reached through methods.
type Mark struct{}

// String returns [Text].
func (Mark) String() string { return Text }

// GoString returns [Text].
func (Mark) GoString() string { return Text }

// Format writes [Text] for every verb and flag: without it package fmt prints the fields for verbs that do not ask for
// a string.
func (Mark) Format(s fmt.State, _ rune) {
	// fmt gives its formatters no way to report an error, and its own buffer never returns one.
	_, _ = io.WriteString(s, Text)
}

// LogValue implements slog.LogValuer and returns [Text].
func (Mark) LogValue() slog.Value { return slog.StringValue(Text) }

// MarshalText returns [Text], also for encoding/xml and for the keys of a map in encoding/json.
func (Mark) MarshalText() ([]byte, error) { return []byte(Text), nil }

// MarshalJSON returns [Text] as a JSON string, which cannot be read back: what was stored by accident fails loudly at
// the first load.
func (Mark) MarshalJSON() ([]byte, error) { return []byte(`"` + Text + `"`), nil }
