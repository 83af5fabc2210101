// Package operations is the log of what people and programs do with a system that verifies signatures (動作を記録する機能), and
// the separation of duties in it: who may ask, who else has to approve, and that nothing is done that is not written
// down first.
//
// A [Journal] writes into an evidence.Log: the same Merkle tree, the same signed checkpoints, so that no entry can be
// altered, removed or cut off unnoticed. [Journal.Do] runs what needs no approval, [Journal.Ask], [Journal.Approve] and
// [Journal.Run] what does. Every step is an entry before it counts, refused attempts too. A request is the index of its
// entry: several instances over one store agree on what was approved, and carry each request out once, by the order of
// the log. See the example.
//
// Whether somebody is who they say and has the role is the application's to check, before it calls.
//
// # Examples
//
// There is an example of the package as a whole.
//
// # Compatibility
//
// Entries are notes of the kind "operation"; later versions read what earlier ones wrote. Entries hold no personal
// data: an [Actor] is a number of the staff or the name of a program.
package operations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Actor is who does something: visible ASCII, no names of people and nothing that looks like an individual number.
type Actor struct {
	// ID is a number of the staff or the name of a program, Role what they do it as.
	ID, Role string
}

// writable reports whether the actor may stand in a log from which nobody can delete.
func (a Actor) writable() bool {
	return word(a.ID) && word(a.Role) && !mynumber.MayHold(a.ID) && !mynumber.MayHold(a.Role)
}

// Duty says who may do something.
type Duty struct {
	// Roles may ask for it and carry it out; required.
	Roles []string
	// Approvers may approve it. Empty: it needs no approval.
	Approvers []string
	// Approvals is how many different people have to; default 1 with Approvers.
	Approvals int
}

// Config configures a [Journal].
type Config struct {
	// Log keeps the entries; required.
	Log *evidence.Log
	// Duties are the actions that there are, by name, such as "trust.replace"; required. What is not in it cannot be
	// done.
	Duties map[string]Duty
	// Within is how long a request may wait to be carried out; default 24 hours.
	Within time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Journal keeps the log and the duties. It is safe for concurrent use.
type Journal struct {
	config Config
}

// New validates and copies the configuration. Its error is an [*Error] that lists every mistake.
func New(c Config) (*Journal, error) {
	var list fault.Mistakes
	list.Add(c.Log == nil, "Log is missing")
	list.Add(len(c.Duties) == 0, "Duties is missing")
	list.Add(c.Within < 0, "Within must not be negative")
	duties := map[string]Duty{}
	for name, d := range c.Duties {
		list.Add(!word(name), "Duties: an action must be 1 to 64 visible ASCII characters")
		list.Add(len(d.Roles) == 0, "Duties: an action needs Roles")
		list.Add(d.Approvals < 0 || d.Approvals > 0 && len(d.Approvers) == 0, "Duties: Approvals needs Approvers")
		for _, role := range slices.Concat(d.Roles, d.Approvers) {
			list.Add(!word(role), "Duties: a role must be 1 to 64 visible ASCII characters")
		}
		if len(d.Approvers) > 0 && d.Approvals == 0 {
			d.Approvals = 1
		}
		duties[name] = Duty{slices.Clone(d.Roles), slices.Clone(d.Approvers), d.Approvals}
	}
	if err := misconfigured(list); err != nil {
		return nil, err
	}
	c.Duties = duties
	if c.Within == 0 {
		c.Within = 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Journal{config: c}, nil
}

// word accepts 1 to 64 visible ASCII characters.
func word(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Operation is something to be done.
type Operation struct {
	By     Actor
	Action string // one of Config.Duties
	// Target is what it is done to, in words that are no personal data, e.g. the fingerprint of an anchor; may be
	// empty.
	Target string
}

// Step is a stage in the life of a request.
type Step string

// Steps.
const (
	Asked    Step = "asked"
	Approved Step = "approved"
	Begun    Step = "begun"
	Done     Step = "done"
	Failed   Step = "failed"
	Denied   Step = "denied" // an attempt that was refused
)

// Entry is one line of the log.
type Entry struct {
	// Index is its place in the log; Request that of the request to which it belongs, the same for Asked.
	Index, Request int64
	At             time.Time
	Step           Step
	By             Actor
	Action, Target string
}

// kind of the notes.
const kind = "operation"

// body is an entry as it is written. Request is counted from 1, because the entry that asks does not know its own
// index.
type body struct {
	Step    Step   `json:"step"`
	Actor   string `json:"actor"`
	Role    string `json:"role"`
	Action  string `json:"action"`
	Target  string `json:"target,omitempty"`
	Request int64  `json:"request,omitempty"`
}

// Ask writes a request down. The result names it for [Journal.Approve] and [Journal.Run]. Errors are [*Error].
func (j *Journal) Ask(ctx context.Context, o Operation) (request int64, err error) {
	duty, known := j.config.Duties[o.Action]
	if !known || !o.By.writable() || mynumber.MayHold(spoken(o.Target)) {
		return 0, &Error{Reason: ReasonRequest, Step: "ask"}
	}
	step := Asked
	if !slices.Contains(duty.Roles, o.By.Role) {
		step = Denied
	}
	index, err := j.write(ctx, "ask", body{step, o.By.ID, o.By.Role, o.Action, o.Target, 0})
	if err == nil && step == Denied {
		err = &Error{Reason: ReasonDenied, Step: "ask"}
	}
	return index, err
}

// spoken is a target without its fingerprints: rows of 40 hexadecimal digits and more may hold any twelve digits.
func spoken(target string) string {
	var words []string
	for _, w := range strings.FieldsFunc(target, func(r rune) bool { return strings.ContainsRune(" :,/=", r) }) {
		if len(w) < 40 || strings.Trim(w, "0123456789abcdefABCDEF") != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Turn is somebody's part in a request.
type Turn struct {
	By      Actor
	Request int64
}

// Approve writes down that somebody approves a request: somebody of an approving role, who did not ask for it and has
// not approved it yet. Errors are [*Error].
func (j *Journal) Approve(ctx context.Context, t Turn) error {
	h, err := j.history(ctx, "approve", t)
	if err != nil {
		return err
	}
	reason := ReasonUnknown
	switch {
	case h.over(j):
		return &Error{Reason: ReasonOver, Step: "approve"}
	case !slices.Contains(h.duty.Approvers, t.By.Role):
		reason = ReasonDenied
	case t.By.ID == h.asked.By.ID || slices.Contains(h.approved(h.duty), t.By.ID):
		reason = ReasonSamePerson
	}
	step := Approved
	if reason != ReasonUnknown {
		step = Denied
	}
	_, err = j.write(ctx, "approve", body{step, t.By.ID, t.By.Role, h.asked.Action, "", t.Request + 1})
	if err == nil && reason != ReasonUnknown {
		err = &Error{Reason: reason, Step: "approve"}
	}
	return err
}

// Run carries a request out, once: it writes down that it begins, calls do, and writes down how it ended. Without its
// entry nothing is done. Errors are [*Error], or do's own. Who carries out is of a role that may ask, and none of the
// approvers.
func (j *Journal) Run(ctx context.Context, t Turn, do func(context.Context) error) (err error) {
	h, err := j.history(ctx, "run", t)
	if err != nil {
		return err
	}
	reason := ReasonUnknown
	switch {
	case h.over(j):
		return &Error{Reason: ReasonOver, Step: "run"}
	case !slices.Contains(h.duty.Roles, t.By.Role):
		reason = ReasonDenied
	case slices.Contains(h.approved(h.duty), t.By.ID):
		reason = ReasonSamePerson
	case len(h.approved(h.duty)) < h.duty.Approvals:
		reason = ReasonNotApproved
	}
	entry := body{Begun, t.By.ID, t.By.Role, h.asked.Action, "", t.Request + 1}
	if reason != ReasonUnknown {
		entry.Step = Denied
	}
	index, err := j.write(ctx, "run", entry)
	if err != nil {
		return err
	}
	if reason != ReasonUnknown {
		return &Error{Reason: reason, Step: "run"}
	}
	// Of several that begin at once, the first in the log goes on.
	if h, err = j.history(ctx, "run", t); err != nil {
		return err
	}
	if h.begun != index {
		return &Error{Reason: ReasonOver, Step: "run"}
	}
	entry.Step = Failed // also when do panics
	defer func() {
		if _, unwritten := j.write(context.WithoutCancel(ctx), "run", entry); unwritten != nil {
			err = errors.Join(err, unwritten)
		}
	}()
	if err = do(ctx); err == nil {
		entry.Step = Done
	}
	return err
}

// Do asks and carries out in one, for actions that need no approval. Errors are [*Error], or do's own.
func (j *Journal) Do(ctx context.Context, o Operation, do func(context.Context) error) error {
	request, err := j.Ask(ctx, o)
	if err != nil {
		return err
	}
	return j.Run(ctx, Turn{o.By, request}, do)
}

// Entries reads the entries from one index to another, of a log that may hold records too, and stops at the first error
// of each. Errors are [*Error], or each's own.
func (j *Journal) Entries(ctx context.Context, from int64, each func(Entry) error) error {
	size, err := j.config.Log.Size(ctx)
	if err != nil {
		return &Error{Reason: ReasonLog, Step: "entries", Err: err}
	}
	if from < 0 || from > size {
		return &Error{Reason: ReasonRequest, Step: "entries"}
	}
	for k, err := range j.config.Log.Scan(ctx, from, size) {
		if err != nil {
			return &Error{Reason: ReasonLog, Step: "entries", Err: err}
		}
		if k.Note == nil || k.Note.Kind != kind {
			continue
		}
		e, err := read(k)
		if err == nil {
			err = each(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads an entry of this package; the log's own hashes were checked before.
func read(k evidence.Kept) (Entry, error) {
	var b body
	d := json.NewDecoder(bytes.NewReader(k.Note.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil || b.Request < 0 || b.Step == Asked && b.Request > 0 ||
		b.Request == 0 && b.Step != Asked && b.Step != Denied {
		return Entry{}, &Error{Reason: ReasonLog, Step: "entries", Detail: "an entry of another form", Err: err}
	}
	e := Entry{
		Index: k.Index, Request: b.Request - 1, At: k.Note.At, Step: b.Step, By: Actor{b.Actor, b.Role},
		Action: b.Action, Target: b.Target,
	}
	if b.Request == 0 {
		e.Request = k.Index
	}
	return e, nil
}

// history is what the log says of a request.
type history struct {
	asked     Entry
	duty      Duty
	approvals []Actor
	begun     int64 // index of the first entry that begins it; -1: none
}

func (h *history) over(j *Journal) bool {
	return h.begun >= 0 || j.config.Now().After(h.asked.At.Add(j.config.Within))
}

// approved are the different people whose approval counts by the duty of now.
func (h *history) approved(d Duty) []string {
	var people []string
	for _, a := range h.approvals {
		if slices.Contains(d.Approvers, a.Role) && a.ID != h.asked.By.ID && !slices.Contains(people, a.ID) {
			people = append(people, a.ID)
		}
	}
	return people
}

// history reads the log from the request on.
func (j *Journal) history(ctx context.Context, step string, t Turn) (*history, error) {
	if !t.By.writable() || t.Request < 0 {
		return nil, &Error{Reason: ReasonRequest, Step: step}
	}
	h := &history{begun: -1}
	found := false
	err := j.Entries(ctx, t.Request, func(e Entry) error {
		switch {
		case e.Index == t.Request:
			h.asked, found = e, e.Step == Asked
		case e.Request != t.Request:
		case e.Step == Approved:
			h.approvals = append(h.approvals, e.By)
		case e.Step == Begun && h.begun < 0:
			h.begun = e.Index
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	duty, known := j.config.Duties[h.asked.Action]
	if h.duty = duty; !found || !known {
		return nil, &Error{Reason: ReasonRequest, Step: step, Detail: "no such request"}
	}
	return h, nil
}

func (j *Journal) write(ctx context.Context, step string, b body) (int64, error) {
	kept, err := j.config.Log.AppendNotes(ctx, kind, b)
	if err != nil {
		reason := ReasonLog
		if errors.Is(err, &evidence.Error{Reason: evidence.ReasonRequest}) {
			reason = ReasonRequest // a text that a note cannot hold
		}
		return 0, &Error{Reason: reason, Step: step, Err: err}
	}
	return kept[0].Index, nil
}
