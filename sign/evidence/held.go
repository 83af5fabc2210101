package evidence

import (
	"bytes"
	"encoding/base64"

	"github.com/kakunin-go/kakunin/internal/redact"
)

type redacted = redact.Mark

// Held is the deletable part: it IS personal data, so it shows nothing when printed, logged or marshalled with
// encoding/json; [Record.Marshal] writes it.
type Held struct {
	redacted
	parts redact.Value[HeldParts]
}

// HeldParts is what [Held.Reveal] returns. It does not redact itself.
type HeldParts struct {
	Certificate []byte `json:"certificate"` // DER
	Signature   []byte `json:"signature"`
	// Attributes are the signed attributes that Record.AttributesSHA256 stands for: a SET OF in DER.
	Attributes []byte `json:"attributes,omitempty"`
	// Revocation is the evidence that RevocationRef.SHA256 stands for.
	Revocation []byte `json:"revocation,omitempty"`
}

// Reveal returns copies of the certificate, the signature value and the revocation evidence.
func (h *Held) Reveal() HeldParts { return h.shared().clone() }

// shared returns what the part holds, which nobody changes.
func (h *Held) shared() HeldParts {
	if h == nil {
		return HeldParts{}
	}
	return h.parts.Reveal()
}

// hold makes the part of bytes that are nobody else's.
func hold(p HeldParts) *Held { return &Held{parts: redact.Seal(p)} }

func (p HeldParts) clone() HeldParts {
	return HeldParts{bytes.Clone(p.Certificate), bytes.Clone(p.Signature), bytes.Clone(p.Attributes),
		bytes.Clone(p.Revocation)}
}

// sizeJSON is at least how long the JSON is.
func (p HeldParts) sizeJSON() int {
	const names = len(`{"certificate":null,"signature":null,"attributes":"","revocation":""}`)
	n := names
	for _, b := range [][]byte{p.Certificate, p.Signature, p.Attributes, p.Revocation} {
		n += base64.StdEncoding.EncodedLen(len(b))
	}
	return n
}

// appendJSON appends what encoding/json would write, in a fraction of the time.
func (p HeldParts) appendJSON(out []byte) []byte {
	text := func(name string, b []byte) {
		out = append(out, name...)
		if b == nil {
			out = append(out, "null"...)
			return
		}
		out = append(base64.StdEncoding.AppendEncode(append(out, '"'), b), '"')
	}
	text(`{"certificate":`, p.Certificate)
	text(`,"signature":`, p.Signature)
	if len(p.Attributes) > 0 {
		text(`,"attributes":`, p.Attributes)
	}
	if len(p.Revocation) > 0 {
		text(`,"revocation":`, p.Revocation)
	}
	return append(out, '}')
}
