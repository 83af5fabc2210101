package fourinfo

import (
	"context"
	"fmt"
	"log/slog"
)

// GuardLogs wraps a log handler so that no individual number (個人番号) passes it: a message, a key or a value that
// [LooksLikeIndividualNumber] is replaced by "[redacted]". It looks into groups, errors, numbers and whatever else fmt can
// print. A value of another type passes unchanged if it prints without such a number; a handler that then shows it in
// another way, such as the fields that only its JSON form has, is beyond the guard.
//
// One random number of twelve digits in ten is masked too; identifiers in logs should have letters.
func GuardLogs(next slog.Handler) slog.Handler { return logGuard{next} }

type logGuard struct{ next slog.Handler }

// Enabled asks the guarded handler.
func (g logGuard) Enabled(ctx context.Context, level slog.Level) bool {
	return g.next.Enabled(ctx, level)
}

// Handle passes a masked copy on.
func (g logGuard) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, maskNumber(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(maskAttr(a))
		return true
	})
	return g.next.Handle(ctx, masked)
}

// WithAttrs guards the attributes before the next handler formats them.
func (g logGuard) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logGuard{g.next.WithAttrs(maskAttrs(attrs))}
}

// WithGroup passes the group on.
func (g logGuard) WithGroup(name string) slog.Handler {
	return logGuard{g.next.WithGroup(maskNumber(name))}
}

func maskNumber(text string) string {
	if LooksLikeIndividualNumber(text) {
		return redaction
	}
	return text
}

func maskAttrs(attrs []slog.Attr) []slog.Attr {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = maskAttr(a)
	}
	return masked
}

func maskAttr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindGroup:
		value = slog.GroupValue(maskAttrs(value.Group())...)
	case slog.KindBool, slog.KindDuration, slog.KindTime, slog.KindFloat64: // no number of a person is kept in these
	default:
		if LooksLikeIndividualNumber(value.String()) || value.Kind() == slog.KindAny && holdsNumber(value.Any()) {
			value = slog.StringValue(redaction)
		}
	}
	return slog.Attr{Key: maskNumber(a.Key), Value: value}
}

// holdsNumber looks at a value as fmt shows it, and at bytes as the text that they may be.
func holdsNumber(v any) bool {
	if b, ok := v.([]byte); ok {
		return LooksLikeIndividualNumber(string(b))
	}
	return LooksLikeIndividualNumber(fmt.Sprintf("%+v", v))
}
