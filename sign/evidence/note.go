package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Note is an entry of the log that is no record of a signature: a deletion, an operation of the application, a time
// stamp of the log. It is a leaf of the same tree.
type Note struct {
	// Version is [Version].
	Version int `json:"version"`
	// Kind says what the body is: lower-case letters, digits and hyphens. [KindDeletion] is written by this package.
	Kind string `json:"kind"`
	// At is when the note was made, UTC in whole seconds.
	At time.Time `json:"at"`
	// Body is one JSON object: integers, texts of printable characters, booleans, lists and objects with names in
	// ASCII. It must not hold personal data: nobody can delete it.
	Body json.RawMessage `json:"body"`
	// Hash covers everything but itself.
	Hash string `json:"hash"`
}

// AppendNotes keeps a note of a kind for each body, all or none of them, in one step of the store. A body is encoded as
// JSON; see [Note]. Errors are [*Error].
func (l *Log) AppendNotes(ctx context.Context, kind string, bodies ...any) ([]Kept, error) {
	prepared := make([]leaf, 0, len(bodies))
	kept := make([]Kept, 0, len(bodies))
	for _, body := range bodies {
		n, p, err := newNote(kind, seconds(l.now()), body)
		if err != nil {
			return nil, err
		}
		prepared, kept = append(prepared, p), append(kept, Kept{Note: n})
	}
	return l.add(ctx, prepared, kept, nil)
}

func newNote(kind string, now time.Time, body any) (*Note, leaf, error) {
	refuse := func(err error) (*Note, leaf, error) {
		return nil, leaf{}, &Error{Reason: ReasonRequest, Step: "note", Err: err}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return refuse(err)
	}
	canonicalBody, err := canonicalJSON(raw, "")
	if err != nil {
		return refuse(err)
	}
	n := &Note{Version: Version, Kind: kind, At: now, Body: canonicalBody}
	canonical, err := n.canonical()
	if err != nil {
		return refuse(err)
	}
	n.Hash = fingerprint(canonical)
	line, err := n.Marshal()
	if err != nil {
		return nil, leaf{}, err
	}
	// What will not be read again is not written.
	if _, _, err := parseNote(line); err != nil {
		return refuse(err)
	}
	return n, leaf{Entry{Record: line}, tlog.RecordHash(canonical)}, nil
}

// Marshal encodes the note on one line without a newline. [ParseNote] reads it. Errors are [*Error].
func (n *Note) Marshal() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(n); err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "note", Err: err}
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func (n *Note) canonical() ([]byte, error) {
	plain, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	return canonicalJSON(plain, "hash")
}

// ParseNote reads one note as strictly as [Parse] reads a record. Errors are [*Error].
func ParseNote(b []byte) (*Note, error) {
	n, _, err := parseNote(b)
	return n, err
}

func parseNote(b []byte) (_ *Note, canonical []byte, err error) {
	refuse := func(field string, err error) (*Note, []byte, error) {
		return nil, nil, &Error{Reason: ReasonFormat, Step: field, Err: err}
	}
	if len(b) > limits.Evidence {
		return refuse("size", nil)
	}
	members, err := strictjson.Object(b)
	if err != nil {
		return refuse("note", err)
	}
	var n Note
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return refuse("note", err)
	}
	switch body := bytes.TrimSpace(members["body"]); {
	case n.Version != Version:
		return refuse("version", nil)
	case !kindName(n.Kind):
		return refuse("kind", nil)
	case !wholeSeconds(&n.At):
		return refuse("time", nil)
	case !hexHash(n.Hash):
		return refuse("hash", nil)
	case len(body) == 0 || body[0] != '{' || !plainJSON(body):
		return refuse("body", nil)
	}
	if canonical, err = n.canonical(); err != nil || fingerprint(canonical) != n.Hash {
		return nil, nil, &Error{Reason: ReasonHash, Step: "hash", Err: err}
	}
	want, err := n.Marshal()
	if err != nil || !sameJSON(want, b) {
		return refuse("note", err)
	}
	return &n, canonical, nil
}

// sameJSON compares two objects in canonical form.
func sameJSON(a, b []byte) bool {
	first, err := canonicalJSON(a, "")
	second, err2 := canonicalJSON(b, "")
	return err == nil && err2 == nil && bytes.Equal(first, second)
}

// isNote tells an entry of the log by the one member that every note has and no record.
func isNote(entry []byte) bool {
	members, err := strictjson.Object(entry)
	_, kind := members["kind"]
	return err == nil && kind
}

func kindName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// plainJSON accepts what canonicalJSON writes in the form of RFC 8785.
func plainJSON(b []byte) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	return d.Decode(&v) == nil && plainValue(v)
}

func plainValue(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if !visibleASCII(name, false) || !plainValue(member) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !plainValue(e) {
				return false
			}
		}
	case string:
		return printable(v)
	case json.Number:
		const exact = 1 << 53
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == v.String() && -exact < n && n < exact
	case nil:
		return false
	}
	return true
}

// CheckNote checks that the note, as [Note.Marshal] wrote it, stands in the log of the checkpoint at the proof's index;
// see [Proof.Check]. Errors are [*Error].
func (p Proof) CheckNote(note []byte, c Checkpoint) (*Note, error) {
	n, canonical, err := parseNote(note)
	if err != nil {
		return nil, err
	}
	if err := p.check(tlog.RecordHash(canonical), c); err != nil {
		return nil, err
	}
	return n, nil
}

// deletionOf reads the body of a note of [KindDeletion].
func deletionOf(n *Note) (d Deletion, ok bool) {
	if n == nil || n.Kind != KindDeletion {
		return d, false
	}
	decoder := json.NewDecoder(strings.NewReader(string(n.Body)))
	decoder.DisallowUnknownFields()
	return d, decoder.Decode(&d) == nil && d.Index >= 0 && hexHash(d.Record)
}
