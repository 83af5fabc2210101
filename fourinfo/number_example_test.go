package fourinfo_test

import (
	"log/slog"
	"os"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func ExampleGuardLogs() {
	plain := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	logger := slog.New(fourinfo.GuardLogs(plain))
	logger.Info("form received", slog.String("note", "my number is 1234-5678-9018"), slog.Int("fields", 3))
	// Output:
	// level=INFO msg="form received" note=[redacted] fields=3
}
