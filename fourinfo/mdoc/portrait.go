package mdoc

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
)

const redaction = "[redacted]"

// Portrait is a photograph that shows nothing when printed, logged or marshalled. The zero value holds none.
type Portrait struct{ image func() []byte }

func newPortrait(image []byte) Portrait {
	if len(image) == 0 {
		return Portrait{}
	}
	kept := bytes.Clone(image)
	return Portrait{func() []byte { return kept }}
}

// Present reports whether there is an image.
func (p Portrait) Present() bool { return p.image != nil }

// Reveal returns a copy of the image as received; nil when absent.
func (p Portrait) Reveal() []byte {
	if p.image == nil {
		return nil
	}
	return bytes.Clone(p.image())
}

// String returns "[redacted]".
func (Portrait) String() string { return redaction }

// GoString returns "[redacted]".
func (Portrait) GoString() string { return redaction }

// Format writes "[redacted]" for every verb and flag.
func (Portrait) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redaction) }

// LogValue implements slog.LogValuer and shows "[redacted]".
func (Portrait) LogValue() slog.Value { return slog.StringValue(redaction) }

// MarshalText returns "[redacted]".
func (Portrait) MarshalText() ([]byte, error) { return []byte(redaction), nil }
