package webcall

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// A probe that its caller gives up says nothing: the next call probes. One that never ends holds nobody up for longer
// than a pause.
func TestProbeThatSaysNothing(t *testing.T) {
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	c := &circuit{Breaker: Breaker{After: 1, Pause: time.Minute, Now: func() time.Time { return at },
		Log: slog.New(slog.DiscardHandler)}}
	ctx := context.Background()
	enter := func(wantProbe, want bool) {
		t.Helper()
		if probe, ok := c.enter(); probe != wantProbe || ok != want {
			t.Fatalf("probe %v, ok %v", probe, ok)
		}
	}
	enter(false, true)
	c.leave(ctx, false, failed)
	enter(false, false)
	at = at.Add(time.Minute)
	enter(true, true)
	enter(false, false)
	c.leave(ctx, true, inconclusive)
	enter(true, true) // and this one never ends
	enter(false, false)
	at = at.Add(time.Minute)
	enter(true, true)
	c.leave(ctx, false, failed) // a call from before the opening changes nothing
	enter(false, false)
	at = at.Add(-time.Hour) // a clock that is set back does not prolong the pause
	enter(true, true)
	c.leave(ctx, true, succeeded)
	enter(false, true)
	enter(false, true)
}
