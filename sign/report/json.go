package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the schema
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of what [Report.Marshal] writes.
func Schema() []byte { return bytes.Clone(schema) }

// written is a report as it is written: with what was revealed.
type written struct {
	*plain
	Values *Values `json:"revealed,omitempty"`
}

type plain Report

// Marshal encodes the report as indented JSON. What was revealed is in it. Errors are [*Error].
func (r *Report) Marshal() ([]byte, error) {
	w := written{plain: (*plain)(r)}
	if r.Revealed != nil {
		values := r.Revealed.Reveal()
		w.Values = &values
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(w); err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "report", Err: err}
	}
	return out.Bytes(), nil
}

// Parse reads what [Report.Marshal] wrote, and nothing else: this version, the members and values of the [Schema] in
// their one form, nothing that contradicts itself, no text that hides what it says, within the size of an evidence
// record. It does not check that the report is true: what proves a verification is a record of package sign/evidence.
// Errors are [*Error] with [ReasonFormat]; Step names the part.
func Parse(b []byte) (*Report, error) {
	refuse := func(step string, err error) (*Report, error) {
		return nil, &Error{Reason: ReasonFormat, Step: step, Err: err}
	}
	if len(b) > limits.Evidence {
		return refuse("size", nil)
	}
	members, err := strictjson.Object(b)
	if err != nil {
		return refuse("report", err)
	}
	if v, ok := strictjson.Integer(members["version"]); ok && v != Version { // whose members nobody here knows
		return refuse("version", nil)
	}
	var r Report
	w := written{plain: (*plain)(&r)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return refuse("report", err)
	}
	if part := r.check(); part != "" {
		return refuse(part, nil)
	}
	if w.Values != nil {
		if !w.Values.ok() {
			return refuse("revealed", nil)
		}
		r.Revealed = &Revealed{values: redact.Seal(*w.Values)}
	}
	if again, err := r.Marshal(); err != nil || !same(again, b) {
		return refuse("report", err)
	}
	return &r, nil
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	s := seconds(t)
	return &s
}
