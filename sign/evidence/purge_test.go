package evidence_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestRetentionEnds counts periods as the Civil Code does.
func TestRetentionEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event  string
		rule   evidence.Retention
		ends   string
		reason string
	}{
		{"2026-11-21T03:00:00Z", evidence.Retention{Years: 7}, "2033-11-21T15:00:00Z", "the last day is whole"},
		{"2026-11-21T14:59:59Z", evidence.Retention{Years: 7}, "2033-11-21T15:00:00Z", "the last second of the day"},
		{"2026-11-21T15:00:00Z", evidence.Retention{Years: 7}, "2033-11-22T15:00:00Z", "the day after, in Japan"},
		{"2028-02-29T00:00:00Z", evidence.Retention{Years: 1}, "2029-02-28T15:00:00Z", "no such day there"},
		{"2026-10-31T00:00:00Z", evidence.Retention{Months: 4}, "2027-02-28T15:00:00Z", "no such day there"},
		{"2026-11-21T03:00:00Z", evidence.Retention{Days: 30}, "2026-12-21T15:00:00Z", "days"},
		{"2026-11-21T03:00:00Z", evidence.Retention{}, "2026-11-21T15:00:00Z", "nothing: the day itself"},
		{"2026-12-05T03:00:00Z", evidence.Retention{Months: 14, Days: 1}, "2028-02-06T15:00:00Z", "all together"},
	} {
		event, err := time.Parse(time.RFC3339, c.event)
		if err != nil {
			t.Fatal(err)
		}
		c.rule.GraceDays = 10
		ends := c.rule.Ends(event).UTC()
		if ends.Format(time.RFC3339) != c.ends || !c.rule.DeleteAfter(event).Equal(ends.AddDate(0, 0, 10)) {
			t.Errorf("%s: %s and %+v end on %s", c.reason, c.event, c.rule, ends.Format(time.RFC3339))
		}
	}
}

// proceeds is 犯収法: seven years from the end of the contract.
func proceeds(t *testing.T) evidence.Retention {
	t.Helper()
	p, ok := law.Lookup(law.CriminalProceeds)
	if !ok {
		t.Fatal("no profile")
	}
	r, ok := evidence.RetentionOf(p)
	if !ok || r.Years != 7 || r.Start != law.ContractEnd || r.Record != "確認記録" {
		t.Fatalf("%+v", r)
	}
	return r
}

// TestPurge: each held part is kept or deleted by its own rule, for a reason that is said.
func TestPurge(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	clockAt := now
	l, err := evidence.OpenLog(
		evidence.LogConfig{Store: store, Keys: localKeys(t), Now: func() time.Time { return clockAt }},
	)
	if err != nil {
		t.Fatal(err)
	}
	rule := proceeds(t)
	ownRule := evidence.Retention{Law: "社内規程", Start: law.Transaction, Months: 6, GraceDays: 30}
	// The contracts of 0 and 7 ended long ago, that of 1 not so long ago, that of 2 runs. 3 counts from the
	// verification, and so does 4, which has a date as well; 5 has a date alone, and 6 nothing.
	for _, options := range [][]evidence.Option{
		0: {evidence.WithRetention(rule)},
		1: {evidence.WithRetention(rule)},
		2: {evidence.WithRetention(rule)},
		3: {evidence.WithRetention(ownRule)},
		4: {evidence.WithRetention(ownRule), evidence.RetainUntil(now.AddDate(9, 0, 0))},
		5: {evidence.RetainUntil(now.AddDate(1, 0, 0))},
		6: {evidence.Basis("電子帳簿保存法")},
		7: {evidence.WithRetention(rule)},
	} {
		if _, err := l.Append(t.Context(), verified(), append(options, evidence.WithCertificate())...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), verified(), evidence.WithRetention(rule)); err != nil { // nothing held
		t.Fatal(err)
	}
	point := checkpointOf(t, l)
	purging := evidence.Purging{
		Happened: func(_ context.Context, k evidence.Kept) (time.Time, bool, error) {
			switch k.Index {
			case 0, 7:
				return now.AddDate(-1, 0, 0), true, nil // before the verification: that counts then
			case 1:
				return now.AddDate(2, 0, 0), true, nil
			default:
				return time.Time{}, false, nil
			}
		},
		OnHold: func(_ context.Context, k evidence.Kept) (bool, error) { return k.Index == 7, nil },
		DryRun: true,
	}
	run := func() (evidence.PurgeReport, map[int64]evidence.Outcome) {
		t.Helper()
		decided := map[int64]evidence.Outcome{}
		purging.Each = func(d evidence.Decision) error { decided[d.Index] = d.Outcome; return nil }
		report, err := l.Purge(t.Context(), purging)
		if err != nil {
			t.Fatal(err)
		}
		return report, decided
	}
	const deleted, running, notBegun = evidence.OutcomeDeleted, evidence.OutcomeRunning, evidence.OutcomeNotBegun
	if report, _ := run(); report.Outcomes[deleted] != 0 || report.Held != 8 {
		t.Errorf("at once: %+v", report)
	}
	clockAt = now.AddDate(7, 0, 1)
	dry, decided := run()
	want := map[int64]evidence.Outcome{
		0: deleted, 1: running, 2: notBegun, 3: deleted, 4: running, 5: deleted,
		6: evidence.OutcomeNoRule, 7: evidence.OutcomeOnHold,
	}
	if !maps.Equal(decided, want) || !dry.DryRun || dry.Deleted[rule.Law] != 1 || dry.Deleted["社内規程"] != 1 {
		t.Errorf("%v, %+v", decided, dry)
	}
	if s, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || s.Held != 8 || s.Notes != 0 {
		t.Errorf("a dry run changed something: %+v, %v", s, err)
	}
	purging.DryRun = false
	if wet, decided := run(); !maps.Equal(decided, want) || !maps.Equal(wet.Outcomes, dry.Outcomes) {
		t.Errorf("%v, %+v", decided, wet)
	}
	s, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: []evidence.Checkpoint{point}})
	if err != nil || s.Held != 5 || s.Deleted != 3 || s.Notes != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if report, _ := run(); report.Held != 5 || report.Outcomes[deleted] != 0 {
		t.Errorf("again: %+v", report)
	}
	purging.Default = &ownRule
	if _, decided := run(); decided[6] != deleted {
		t.Errorf("with a rule for those that have none: %v", decided)
	}
	errAsked := errors.New("no answer")
	purging.Happened = func(context.Context, evidence.Kept) (time.Time, bool, error) {
		return time.Time{}, false, errAsked
	}
	if _, err := l.Purge(t.Context(), purging); !errors.Is(err, errAsked) {
		t.Errorf("%v", err)
	}
	purging.Default = &evidence.Retention{}
	if _, err := l.Purge(t.Context(), purging); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("a rule without a law: %v", err)
	}
}

// TestPurgeInterrupted: what was said and not done is done by the next purge.
func TestPurgeInterrupted(t *testing.T) {
	t.Parallel()
	store := &stopping{Store: evidence.NewMemory()}
	l := newLog(t, store)
	rule := evidence.Retention{Law: "社内規程", Start: law.Transaction}
	for range 3 {
		if _, err := l.Append(t.Context(), verified(), evidence.WithCertificate()); err != nil {
			t.Fatal(err)
		}
	}
	later, err := evidence.OpenLog(evidence.LogConfig{
		Store: store, Keys: localKeys(t), Now: func() time.Time { return now.AddDate(0, 0, 2) },
	})
	if err != nil {
		t.Fatal(err)
	}
	store.stop = true
	if _, err := later.Purge(t.Context(), evidence.Purging{Default: &rule}); reasonOf(err) != evidence.ReasonIO {
		t.Errorf("%v", err)
	}
	if s, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || s.Held != 3 || s.Notes != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	store.stop = false
	if _, err := later.Purge(t.Context(), evidence.Purging{Default: &rule}); err != nil {
		t.Fatal(err)
	}
	if s, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || s.Held != 0 || s.Deleted != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

// stopping is a store whose disk is gone when something is deleted.
type stopping struct {
	evidence.Store
	stop bool
}

func (s *stopping) DeleteHeld(ctx context.Context, indexes ...int64) error {
	if s.stop {
		return errors.New("disk gone")
	}
	return s.Store.DeleteHeld(ctx, indexes...)
}

// TestRetentionIsChecked: a rule that nobody can reckon with is refused.
func TestRetentionIsChecked(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]evidence.Retention{
		"no law":        {Start: law.Transaction, Years: 1},
		"no start":      {Law: "犯収法", Years: 1},
		"negative":      {Law: "犯収法", Start: law.Transaction, Years: -1},
		"too long":      {Law: "犯収法", Start: law.Transaction, Years: 1000},
		"a number":      {Law: "犯収法 123456789018", Start: law.Transaction, Years: 1},
		"another start": {Law: "犯収法", Start: "終了", Years: 1},
	} {
		if _, err := evidence.FromReport(verified(), now, evidence.WithRetention(r)); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	rec := record(t, evidence.WithRetention(proceeds(t)))
	if rec.Basis != "犯罪による収益の移転防止に関する法律" || rec.Retention.Years != 7 {
		t.Errorf("%q, %+v", rec.Basis, rec.Retention)
	}
}
