package main

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// finding is the answer of verify about a log, as JSON.
type finding struct {
	Holds       bool   `json:"holds"`
	Records     int64  `json:"records"`
	Notes       int64  `json:"notes"`
	Held        int64  `json:"held"`
	Deleted     int64  `json:"deleted"`
	Sealed      int64  `json:"sealed"`
	Root        string `json:"root,omitempty"`
	Checkpoints int    `json:"checkpoints"`
	// Timestamps is how many the log names, TimestampsVerified how many of them hold: those whose token is in the
	// archive, if -timestamp-anchor names the authority. Archived and Unarchived count the files that records name.
	Timestamps         int64 `json:"timestamps"`
	TimestampsVerified int64 `json:"timestamps_verified"`
	Archived           int64 `json:"archived"`
	Unarchived         int64 `json:"unarchived"`
	// Reason, Step and Entry say what is wrong, and where: the entry counted from 1.
	Reason string `json:"reason,omitempty"`
	Step   string `json:"step,omitempty"`
	Entry  int    `json:"entry,omitempty"`
}

func verify(ctx context.Context, o *options) error {
	if folder, file, is := o.folder(); is {
		return verifyFolder(ctx, o, folder, file)
	}
	checkpoints, err := o.readCheckpoints()
	if err != nil {
		return o.refuse(err)
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	state, err := l.log.Verify(ctx, evidence.Verification{
		Checkpoints: checkpoints, Archive: true, Progress: o.progress(),
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := finding{
		Holds: err == nil, Records: state.Records - state.Notes, Notes: state.Notes, Held: state.Held,
		Deleted: state.Deleted,
		Sealed:  state.Sealed, Checkpoints: len(checkpoints),
		Timestamps: state.Timestamps, Archived: state.Archived, Unarchived: state.Unarchived,
	}
	if err == nil {
		if f.Entry, err = o.verifyTimestamps(ctx, l.log, &f); ctx.Err() != nil {
			return ctx.Err()
		}
		f.Holds = err == nil
	}
	var token failed
	var wrong *evidence.Error
	switch {
	case err == nil:
		f.Root = hex.EncodeToString(state.Root[:])
	case errors.As(err, &token):
		f.Reason, f.Step = "timestamp", token.Error()
	case !errors.As(err, &wrong) || wrong.Reason == evidence.ReasonIO:
		return err
	default:
		f.Reason, f.Step, f.Entry = wrong.Reason.String(), wrong.Step, wrong.Record
	}
	if o.json {
		if err := o.print(f); err != nil {
			return err
		}
	} else {
		o.sayFinding(f, err)
	}
	if err != nil && token.err == nil {
		return failed{err}
	}
	return err
}

func (o *options) sayFinding(f finding, err error) {
	if err != nil {
		o.say("× 証跡に問題があります: %s", "✗ The evidence does not hold: %s", kakunin.MessageFor(err, o.language))
		o.say("  理由: %s、箇所: %s、%d番目の記録", "  reason: %s, part: %s, entry %d", f.Reason, f.Step, f.Entry)
		return
	}
	o.say("○ 証跡は完全です。記録 %d件、注記 %d件", "✓ The log holds. Records: %d, notes: %d", f.Records, f.Notes)
	o.say("  個人情報を含む部分: 保存 %d件、削除 %d件、鍵がなく開けないもの %d件",
		"  parts with personal data: %d kept, %d deleted, %d that could not be opened without their key", f.Held,
		f.Deleted, f.Sealed)
	o.say("  タイムスタンプ: %d件のうち%d件を検証しました。保管庫のファイル: %d件（ないもの %d件）",
		"  timestamps: %d, of which %d were verified; archived files: %d (%d are not there)",
		f.Timestamps, f.TimestampsVerified, f.Archived, f.Unarchived)
	if f.Timestamps > 0 && len(o.anchors) == 0 {
		o.say("  タイムスタンプの検証には -timestamp-anchor が必要です。",
			"  To verify timestamps, name their authority with -timestamp-anchor.")
	}
	o.say("  木の根: %s", "  root of the tree: %s", f.Root)
	if f.Checkpoints == 0 {
		o.say("  チェックポイントがないため、末尾の切り捨てやすべての作り直しは検出できません。",
			"  Without a checkpoint nobody can tell whether the newest records were cut off, or all made anew.")
		return
	}
	o.say("  チェックポイント %d件と一致しました。", "  checkpoints that it agrees with: %d", f.Checkpoints)
}

// refuse prints why something that was read is not to be believed.
func (o *options) refuse(err error) error {
	var not failed
	if errors.As(err, &not) {
		var reason string
		if wrong := (*evidence.Error)(nil); errors.As(err, &wrong) {
			reason = wrong.Reason.String()
		}
		if o.json {
			return errors.Join(o.print(finding{Reason: reason}), err)
		}
		o.say("× %s", "✗ %s", not.err.Error())
	}
	return err
}
