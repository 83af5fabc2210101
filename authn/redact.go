package authn

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what shows instead of a secret or of personal data.
const redacted = "[redacted]"

// formatRedacted answers every verb, also those for which package fmt would otherwise print the fields.
func formatRedacted(f fmt.State, name string) { _, _ = io.WriteString(f, "authn."+name+redacted) }

// sealed keeps a value where package fmt does not find it: it calls no methods on unexported fields of an application's
// types and follows pointers for unfitting verbs, but of a function it shows only the address.
type sealed[T any] struct{ open func() T }

func seal[T any](v T) *sealed[T] { return &sealed[T]{func() T { return v }} }

// value is the zero value for a nil seal.
func (s *sealed[T]) value() (v T) {
	if s == nil {
		return v
	}
	return s.open()
}

// Each type below redacts itself for printing (String, GoString, Format), for logs (LogValue) and for encoders
// (MarshalText, MarshalJSON). Only methods whose names begin with Reveal give the value away.

// String implements fmt.Stringer and shows nothing personal.
func (Subject) String() string { return redacted }

// GoString implements fmt.GoStringer and shows nothing personal.
func (Subject) GoString() string { return redacted }

// Format implements fmt.Formatter and shows nothing personal.
func (Subject) Format(f fmt.State, _ rune) { formatRedacted(f, "Subject") }

// LogValue implements slog.LogValuer and shows nothing personal.
func (Subject) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows nothing personal.
func (Subject) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows no secret.
func (Token) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (Token) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (Token) Format(f fmt.State, _ rune) { formatRedacted(f, "Token") }

// LogValue implements slog.LogValuer and shows no secret.
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows no secret.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows no secret.
func (Pending) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (Pending) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (Pending) Format(f fmt.State, _ rune) { formatRedacted(f, "Pending") }

// LogValue implements slog.LogValuer and shows no secret.
func (Pending) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows no secret.
func (Pending) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows no secret.
func (Key) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (Key) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (Key) Format(f fmt.State, _ rune) { formatRedacted(f, "Key") }

// LogValue implements slog.LogValuer and shows no secret.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows no secret.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows nothing personal.
func (Identity) String() string { return redacted }

// GoString implements fmt.GoStringer and shows nothing personal.
func (Identity) GoString() string { return redacted }

// Format implements fmt.Formatter and shows nothing personal.
func (Identity) Format(f fmt.State, _ rune) { formatRedacted(f, "Identity") }

// LogValue implements slog.LogValuer and shows nothing personal.
func (Identity) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows nothing personal; see [Identity.RevealStored].
func (Identity) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows nothing personal.
func (StoredIdentity) String() string { return redacted }

// GoString implements fmt.GoStringer and shows nothing personal.
func (StoredIdentity) GoString() string { return redacted }

// Format implements fmt.Formatter and shows nothing personal.
func (StoredIdentity) Format(f fmt.State, _ rune) { formatRedacted(f, "StoredIdentity") }

// LogValue implements slog.LogValuer and shows nothing personal.
func (StoredIdentity) LogValue() slog.Value { return slog.StringValue(redacted) }

// String implements fmt.Stringer and shows no secret.
func (DecryptionKey) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (DecryptionKey) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (DecryptionKey) Format(f fmt.State, _ rune) { formatRedacted(f, "DecryptionKey") }

// LogValue implements slog.LogValuer and shows no secret.
func (DecryptionKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows no secret.
func (DecryptionKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows no secret.
func (RefreshToken) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (RefreshToken) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (RefreshToken) Format(f fmt.State, _ rune) { formatRedacted(f, "RefreshToken") }

// LogValue implements slog.LogValuer and shows no secret.
func (RefreshToken) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler and shows no secret.
func (RefreshToken) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String implements fmt.Stringer and shows no secret.
func (*KeyRing) String() string { return redacted }

// GoString implements fmt.GoStringer and shows no secret.
func (*KeyRing) GoString() string { return redacted }

// Format implements fmt.Formatter and shows no secret.
func (*KeyRing) Format(f fmt.State, _ rune) { formatRedacted(f, "KeyRing") }

// LogValue implements slog.LogValuer and shows no secret.
func (*KeyRing) LogValue() slog.Value { return slog.StringValue(redacted) }
