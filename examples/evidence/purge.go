package main

import (
	"context"
	"maps"
	"slices"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// purge says what a purge would delete, and why. Events that only the business knows, such as the end of a contract,
// are not known here: records that wait for one are said to wait.
func purge(ctx context.Context, o *options) error {
	if !o.dryRun {
		return usage("-dry-run is needed: deleting is the business of the program that keeps the log")
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var decisions []evidence.Decision
	report, err := l.log.Purge(ctx, evidence.Purging{DryRun: true, Each: func(d evidence.Decision) error {
		decisions = append(decisions, d)
		return nil
	}})
	if err != nil {
		return err
	}
	if o.json {
		return o.print(struct {
			evidence.PurgeReport
			Decisions []evidence.Decision `json:"decisions"`
		}{report, decisions})
	}
	o.say("個人情報を含む部分 %d件を調べました（何も削除していません）。",
		"Parts with personal data that were looked at: %d; nothing was deleted.", report.Held)
	for _, outcome := range slices.Sorted(maps.Keys(report.Outcomes)) {
		words := outcomes[outcome]
		o.say("  %[2]s: %[1]d件", "  %[3]s: %[1]d", report.Outcomes[outcome], words[0], words[1])
	}
	for _, d := range decisions {
		if d.Outcome == evidence.OutcomeDeleted && d.Retention != nil {
			o.say("  %d 削除対象: %s", "  %d would be deleted: %s", d.Index, d.Retention.Law)
		}
	}
	return nil
}

var outcomes = map[evidence.Outcome][2]string{
	evidence.OutcomeDeleted:  {"期間が満了し、削除対象", "over, would be deleted"},
	evidence.OutcomeRunning:  {"期間の途中", "period running"},
	evidence.OutcomeNotBegun: {"起算日が未到来", "not begun"},
	evidence.OutcomeNoRule:   {"保存期間の定めなし", "without a rule"},
	evidence.OutcomeOnHold:   {"保留", "on hold"},
}
