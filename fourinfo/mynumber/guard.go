package mynumber

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// GuardLogs wraps a log handler so that no individual number (個人番号) passes it: a message, a key or a value that
// [LooksLike] is replaced by "[redacted]". It looks into groups, errors, numbers and whatever else fmt can
// print or encoding/json marshal. A handler that shows a value in a third way is beyond the guard.
//
// One random number of twelve digits in ten is masked too; identifiers in logs should have letters.
func GuardLogs(next slog.Handler) slog.Handler { return guard{next} }

type guard struct{ next slog.Handler }

// Enabled asks the guarded handler.
func (g guard) Enabled(ctx context.Context, level slog.Level) bool {
	return g.next.Enabled(ctx, level)
}

// Handle passes a masked copy on.
func (g guard) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, maskNumber(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(maskAttr(a))
		return true
	})
	return g.next.Handle(ctx, masked)
}

// WithAttrs guards the attributes before the next handler formats them.
func (g guard) WithAttrs(attrs []slog.Attr) slog.Handler {
	return guard{g.next.WithAttrs(maskAttrs(attrs))}
}

// WithGroup passes the group on.
func (g guard) WithGroup(name string) slog.Handler {
	return guard{g.next.WithGroup(maskNumber(name))}
}

func maskNumber(text string) string {
	if LooksLike(text) {
		return redact.Text
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
	case slog.KindBool, slog.KindDuration, slog.KindTime: // no number of a person is kept in these
	case slog.KindAny, slog.KindFloat64:
		if holdsNumber(value.Any()) {
			value = redact.Mark{}.LogValue()
		}
	default:
		if LooksLike(value.String()) {
			value = redact.Mark{}.LogValue()
		}
	}
	return slog.Attr{Key: maskNumber(a.Key), Value: value}
}

// holdsNumber looks at a value as handlers show it: as fmt and JSON do, and bytes of any type as the text that they may
// be.
func holdsNumber(v any) bool {
	if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		return LooksLike(string(r.Bytes()))
	}
	if LooksLike(fmt.Sprintf("%+v", v)) {
		return true
	}
	return holdsNumberInJSON(v)
}

func holdsNumberInJSON(v any) (holds bool) {
	defer func() {
		if recover() != nil { // encoding/json, unlike fmt and the handlers, passes the panic of a value's method on
			holds = true
		}
	}()
	encoded, err := json.Marshal(v)
	return err == nil && LooksLike(string(encoded))
}
