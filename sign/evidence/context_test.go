package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestLongWaysEnd: what goes through a log ends with its context, whatever the store does.
func TestLongWaysEnd(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	for range 3 {
		if _, err := l.Append(t.Context(), verified(), evidence.WithCertificate()); err != nil {
			t.Fatal(err)
		}
	}
	over := func(name string, run func(ctx context.Context, stop func()) error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := run(ctx, cancel); !errors.Is(err, context.Canceled) || reasonOf(err) != evidence.ReasonIO {
			t.Errorf("%s: %v", name, err)
		}
	}
	seen := 0
	over("purge", func(ctx context.Context, stop func()) error {
		report, err := l.Purge(ctx, evidence.Purging{DryRun: true, Each: func(evidence.Decision) error {
			seen++
			stop()
			return nil
		}})
		if report.Held != 1 || seen != 1 {
			t.Errorf("purge went on: %+v", report)
		}
		return err
	})
	over("copy", func(ctx context.Context, stop func()) error {
		from := evidence.NewMemory()
		first, err := evidence.ChainOf(record(t))
		if err != nil {
			return err
		}
		if _, err := newLog(t, from).ImportChain(ctx, bytes.NewReader(first)); err != nil {
			return err
		}
		stop()
		_, err = evidence.Copy(ctx, evidence.NewMemory(), from)
		return err
	})
	over("scan", func(ctx context.Context, stop func()) error {
		stop()
		for _, err := range l.Scan(ctx, 0, 3) {
			return err
		}
		return nil
	})
	over("get", func(ctx context.Context, stop func()) error {
		stop()
		_, err := l.Get(ctx, 0)
		return err
	})
}
