package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// check names the first part of a report that is not as the schema says, or contradicts another part; empty is none.
func (r *Report) check() (part string) {
	for _, c := range [...]struct {
		part string
		ok   bool
	}{
		{"version", r.Version == Version},
		{"valid", r.Valid == (r.Failure == nil)},
		// verified here or by an operator, never both
		{"document", !r.Valid || r.Document != nil && (r.Certificate == nil) != (r.Operator == nil)},
		{"document", r.Document == nil || r.Document.ok()},
		{"mode", r.Mode == "" && !r.Valid || r.Mode == "bare-hash" || r.Mode == "digest-info"},
		{"transaction_id", r.TransactionID == "" || visible(r.TransactionID)},
		{"signature_sha256", r.SignatureSHA256 == "" || hash(r.SignatureSHA256)},
		{"attributes_sha256", r.AttributesSHA256 == "" || hash(r.AttributesSHA256)},
		{"certificate", r.Certificate == nil || r.Certificate.ok()},
		{"revocation", r.Revocation == nil || r.Revocation.ok(r.Valid)},
		{"operator", r.Operator == nil || visible(r.Operator.VerificationID) &&
			(r.Operator.Method == "" || visible(r.Operator.Method))},
		{"person", r.personOK()},
		{"timestamps", !slices.ContainsFunc(r.Timestamps, func(t Timestamp) bool { return !t.ok() })},
		{"steps", !slices.ContainsFunc(r.Steps, func(s Step) bool {
			return s.Name == "" || !readable(s.Name) || !readable(s.Clause) || !s.Text.ok()
		})},
		{"failure", r.Failure == nil || r.Failure.ok()},
		{"time", r.timesOK()},
	} {
		if !c.ok {
			return c.part
		}
	}
	return ""
}

func (d *Document) ok() bool {
	return d.Algorithm == "SHA-256" && hash(d.Hash) && readable(d.MediaType) && len(d.MediaType) <= 127
}

func (c *Certificate) ok() bool {
	return (c.Environment == "production" || c.Environment == "test") &&
		(c.Kind == "signing-card" || c.Kind == "signing-phone") && hash(c.SHA256) && hash(c.AnchorSHA256)
}

// ok: a verification holds with a status that is good, or with that of a policy that asks nobody.
func (v *Revocation) ok(valid bool) bool {
	held := v.Status == revocation.Good.String() ||
		v.Method == revocation.MethodNone && v.Status == revocation.Unknown.String()
	return visible(v.Method) && visible(v.Status) && (held || !valid) && len(v.Lists) <= limits.EvidenceLists &&
		!slices.ContainsFunc(v.Lists, func(s string) bool { return !hash(s) })
}

func (r *Report) personOK() bool {
	seen := map[string]bool{}
	for _, m := range r.Person {
		if seen[m.Attribute] || !slices.Contains([]string{"name", "address", "birthdate", "gender"}, m.Attribute) ||
			!slices.Contains([]string{"same", "same-after-normalisation", "needs-review"}, m.Outcome) {
			return false
		}
		seen[m.Attribute] = true
		for _, f := range m.Findings {
			if !readable(f.Step) || !f.Text.ok() {
				return false
			}
		}
	}
	return true
}

func (t Timestamp) ok() bool {
	return t.Policy != "" && strings.Trim(t.Policy, "0123456789.") == "" && hash(t.SHA256)
}

func (f *Failure) ok() bool {
	return f.Reason != "" && readable(f.Reason) && readable(f.Step) && readable(f.Clause) && readable(f.Detail) &&
		slices.Contains(families[:], f.Family) && f.Text.ok()
}

// families are those of package kakunin, as they are written.
var families = [...]string{"user", "account", "configuration", "unavailable", "untrusted", "unclassified"}

func (r *Report) timesOK() bool {
	times := []*time.Time{&r.CreatedAt, r.VerifiedAt, r.At}
	if v := r.Revocation; v != nil {
		if times = append(times, v.ThisUpdate, v.NextUpdate); v.ThisUpdate != nil && v.NextUpdate != nil &&
			v.NextUpdate.Before(*v.ThisUpdate) {
			return false
		}
	}
	for i := range r.Timestamps {
		times = append(times, &r.Timestamps[i].Time)
	}
	return !slices.ContainsFunc(times, func(t *time.Time) bool { return t != nil && !asWritten(*t) })
}

// asWritten reports whether a time is as this package writes it: UTC, in whole seconds.
func asWritten(t time.Time) bool {
	return !t.IsZero() && t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() > 0
}

func (t Text) ok() bool { return t.JA != "" && t.EN != "" && readable(t.JA) && readable(t.EN) }

// ok: something is revealed, and what is, says something. A certificate's name may have any characters.
func (v *Values) ok() bool {
	for _, t := range []*Text{v.Birthdate, v.Gender} {
		if t != nil && (t.JA == "" || t.EN == "") {
			return false
		}
	}
	return *v != Values{}
}

// hash accepts the one spelling of a SHA-256 value.
func hash(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// visible accepts visible ASCII, as identifiers are.
func visible(s string) bool {
	return s != "" && len(s) <= limits.AuthorizationParameter &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// readable accepts texts that show all that is in them.
func readable(s string) bool { return !strings.ContainsFunc(s, hidden) }

// hidden reports whether a screen shows a character otherwise than it is, or not at all: control characters, those
// that turn the direction of text round (Unicode Standard Annex 9, 2.1 to 2.5), and invisible ones. The selectors of
// variants of characters, which names have, show in the character before them.
func hidden(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// same reports whether two JSON texts say the same, the order of members and the spelling of texts aside. encoding/json
// takes names in another case, null for absent members and several forms of a time: another reader would see another
// report.
func same(a, b []byte) bool {
	var values [2]any
	for i, text := range [2][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if d.Decode(&values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}
