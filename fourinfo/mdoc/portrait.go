package mdoc

import (
	"bytes"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// redacted is an alias, so that the documentation of the types shows their own methods alone.
type redacted = redact.Mark

// Portrait is a photograph that shows nothing when printed, logged or marshalled. The zero value holds none.
type Portrait struct {
	redacted
	image redact.Value[[]byte]
}

func newPortrait(image []byte) Portrait {
	if len(image) == 0 {
		return Portrait{}
	}
	return Portrait{image: redact.Seal(bytes.Clone(image))}
}

// Present reports whether there is an image.
func (p Portrait) Present() bool { return !p.image.Empty() }

// Reveal returns a copy of the image as received; nil when absent.
func (p Portrait) Reveal() []byte { return bytes.Clone(p.image.Reveal()) }
