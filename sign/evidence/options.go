package evidence

import (
	"mime"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// Option adds to a record.
type Option func(*options)

type options struct {
	certificate  bool
	clock, basis string
	retainUntil  time.Time
	timestamps   []*timestamp.Timestamp
	retention    *Retention
}

// Basis names the legal basis for keeping the record, e.g. "犯収法". Text that holds a number of twelve digits is
// refused, because that is how an individual number (個人番号) looks.
func Basis(law string) Option { return func(o *options) { o.basis = law } }

// Clock names the source of the verification time, e.g. "NTP, stratum 2". The same texts as for [Basis] are refused.
func Clock(source string) Option { return func(o *options) { o.clock = source } }

// RetainUntil says until when the record must be kept. The law of the basis says from which event and for how long.
func RetainUntil(t time.Time) Option { return func(o *options) { o.retainUntil = t } }

// WithCertificate keeps the DER certificate, the signature value and the evidence of the revocation status in
// [Record.Held]. They are personal data, and only certified signature verifiers (署名検証者) and platform operators may keep
// them.
func WithCertificate() Option { return func(o *options) { o.certificate = true } }

func apply(opts []Option) (o options, err error) {
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if !plainText(o.basis) {
		return o, &Error{Reason: ReasonText, Step: "basis"}
	}
	if !plainText(o.clock) {
		return o, &Error{Reason: ReasonText, Step: "clock"}
	}
	if o.retention == nil {
		return o, nil
	}
	if !o.retention.valid() {
		return o, &Error{Reason: ReasonRequest, Step: "retention"}
	}
	if o.basis == "" {
		o.basis = o.retention.Law
	}
	return o, nil
}

// plainText accepts a caller's free text: [printable], without anything that may be an individual number, however it is
// written. A record is kept for years, so the cautious test is the right one.
func plainText(s string) bool { return !mynumber.MayHold(s) && printable(s) }

// recordable is what a record keeps of a media type. It decides nothing: what a record must not hold, such as a
// parameter that looks like an individual number, is left out, and no signature is refused for it.
func recordable(mediaType string) string {
	if plainText(mediaType) {
		return mediaType
	}
	if kind, _, err := mime.ParseMediaType(mediaType); err == nil && plainText(kind) {
		return kind
	}
	return ""
}

// printable accepts short text without control characters. It is enough for the names and clauses of steps, which are
// fixed texts of this module and may quote object identifiers, long rows of digits and dots.
func printable(s string) bool {
	if len(s) > limits.EvidenceText || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if c != ' ' && c != '\u3000' && !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}
