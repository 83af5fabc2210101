package card

import (
	"bytes"
	"fmt"
	"log/slog"
)

const redaction = "[redacted]"

// redacted closes the doors by which fmt, log/slog and the encoders reach a value through its methods.
type redacted struct{}

// String returns "[redacted]".
func (redacted) String() string { return redaction }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redaction }

// Format writes "[redacted]" for every verb.
func (redacted) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redaction)) } // fmt keeps its own errors

// LogValue returns "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redaction) }

// MarshalText returns "[redacted]".
func (redacted) MarshalText() ([]byte, error) { return []byte(redaction), nil }

// sealed holds a value where reflection does not show it: fmt prints the memory of a value in an unexported field of
// another struct, but never follows a pointer to a pointer.
type sealed[T any] struct {
	_ [0]func() // incomparable: == would compare addresses
	p **T
}

func seal[T any](v T) sealed[T] {
	p := &v
	return sealed[T]{p: &p}
}

func (s sealed[T]) open() (v T) {
	if s.p == nil {
		return v
	}
	return **s.p
}

// Image is a picture from the card. It shows name, address, face or number of a person, so printing, logging or
// marshalling it shows "[redacted]". The zero value is no picture.
type Image struct {
	redacted
	content sealed[[]byte]
}

func newImage(b []byte) Image {
	if len(b) == 0 {
		return Image{}
	}
	return Image{content: seal(bytes.Clone(b))}
}

// Reveal returns a copy of the file: PNG for texts, JPEG 2000 for the portrait. It is as the card has it and was not
// decoded: what decodes it must bear malformed input.
func (i Image) Reveal() []byte { return bytes.Clone(i.content.open()) }

// Present reports whether there is a picture.
func (i Image) Present() bool { return i.content.p != nil }

// MediaType returns image/png, image/jp2 or, for anything else, application/octet-stream; "" without a picture.
func (i Image) MediaType() string {
	b := i.content.open()
	switch {
	case len(b) == 0:
		return ""
	case bytes.HasPrefix(b, []byte("\x00\x00\x00\x0CjP  \r\n\x87\n")): // ISO/IEC 15444-1, I.5.1
		return "image/jp2"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")): // PNG, 5.2
		return "image/png"
	default:
		return "application/octet-stream"
	}
}
