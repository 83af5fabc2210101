package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// report is what is printed; its JSON form is for scripts.
type report struct {
	Valid    bool              `json:"valid"`
	At       *time.Time        `json:"time,omitempty"`
	Problem  *problem          `json:"problem,omitempty"`
	Path     []pathCertificate `json:"path"`
	Steps    []certpath.Step   `json:"steps"`
	Policies []string          `json:"policies"`
	// Purposes are the OIDs of the certificate's extKeyUsage; without any it is for every purpose.
	Purposes []string `json:"purposes"`

	Revocation []certificateStatus `json:"revocation"`

	failure error
}

type problem struct {
	Reason string `json:"reason"`
	Step   string `json:"step"`
	Clause string `json:"clause"`
	// Certificate is the place in the path, -1 when the problem is not about one.
	Certificate int               `json:"certificate"`
	Messages    map[string]string `json:"messages"`
	// Causes are what the sources of revocation data said.
	Causes []string `json:"causes,omitempty"`
}

type pathCertificate struct {
	// Name is the subject of an authority; empty for the certificate itself, which may be a person's, and for one whose
	// signature was not verified, which may say anything.
	Name      string    `json:"name,omitempty"`
	SHA256    string    `json:"sha256"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}

type certificateStatus struct {
	Certificate int             `json:"certificate"`
	Status      string          `json:"status"`
	Method      string          `json:"method,omitempty"`
	Reason      *crl.ReasonCode `json:"reason,omitempty"`
	RevokedAt   *time.Time      `json:"revokedAt,omitempty"`
	ThisUpdate  *time.Time      `json:"thisUpdate,omitempty"`
	NextUpdate  *time.Time      `json:"nextUpdate,omitempty"`
	Steps       []certpath.Step `json:"steps,omitempty"`
}

func newReport(r *certpath.Result, failure error) *report {
	out := &report{
		Valid: r.Valid && failure == nil, At: moment(r.At), Steps: r.Steps, failure: failure,
		Path: []pathCertificate{}, Policies: []string{}, Purposes: []string{}, Revocation: []certificateStatus{},
	}
	if out.Steps == nil {
		out.Steps = []certpath.Step{}
	}
	signed := map[int]bool{0: true}
	for _, s := range r.Steps {
		signed[s.Certificate] = signed[s.Certificate] || s.OK && s.Name == "path.signature"
	}
	for i, c := range r.Path {
		sum := c.Fingerprint()
		one := pathCertificate{SHA256: hex.EncodeToString(sum[:])}
		one.NotBefore, one.NotAfter = c.Validity()
		if parsed, err := x509.ParseCertificate(c.Raw()); err == nil && signed[i] && i+1 < len(r.Path) {
			one.Name = printable(parsed.Subject.String())
		}
		out.Path = append(out.Path, one)
	}
	for _, id := range r.Policies {
		out.Policies = append(out.Policies, id.String())
	}
	if n := len(r.Path); n > 0 {
		for _, id := range r.Path[n-1].Purposes() {
			out.Purposes = append(out.Purposes, id.String())
		}
	}
	for i, a := range r.Revocation {
		one := certificateStatus{
			Certificate: i + 1,
			Status:      a.Status.String(),
			Method:      a.Method,
			Steps:       stepsOf(a),
			RevokedAt:   moment(a.RevokedAt),
			ThisUpdate:  moment(a.ThisUpdate),
			NextUpdate:  moment(a.NextUpdate),
		}
		if a.Reason >= 0 {
			one.Reason = &a.Reason
		}
		out.Revocation = append(out.Revocation, one)
	}
	if failure != nil {
		out.Problem = newProblem(failure)
	}
	return out
}

func newProblem(failure error) *problem {
	p := &problem{Certificate: -1, Messages: map[string]string{}}
	for _, l := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
		p.Messages[string(l)] = kakunin.MessageFor(failure, l)
	}
	var e *certpath.Error
	if !errors.As(failure, &e) {
		p.Reason = "unknown"
		return p
	}
	p.Reason, p.Step, p.Clause, p.Certificate = e.Reason.String(), e.Step, e.Clause, e.Certificate
	p.Causes = causes(e.Err)
	return p
}

// causes flattens joined errors. Only classified errors of this module are printed: their texts hold no data from
// outside.
func causes(err error) []string {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, one := range joined.Unwrap() {
			out = append(out, causes(one)...)
		}
		return out
	}
	// What a policy or a set of lists could not decide has the reasons of each source and list below it.
	asked, ok := err.(*revocation.Error) //nolint:errorlint // one error of the tree
	if ok && asked.Reason == revocation.ReasonStatusUnknown && asked.Err != nil {
		return causes(asked.Err)
	}
	if kakunin.FamilyOf(err) == kakunin.Unclassified {
		return []string{"unclassified error"}
	}
	return []string{err.Error()}
}

// stepsOf shows the checks of revocation data, which are about no certificate of the path.
func stepsOf(a revocation.Answer) []certpath.Step {
	var out []certpath.Step
	for _, s := range a.Steps {
		out = append(out, certpath.Step{Name: s.Name, Clause: s.Clause, OK: s.OK, Certificate: -1})
	}
	return out
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// printable keeps a name from a certificate from steering a terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, name)
}

func printJSON(w io.Writer, r *report, _ kakunin.Language) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// printText is for people.
func printText(w io.Writer, r *report, l kakunin.Language) error {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	verdict := wordNotValid
	if r.Valid {
		verdict = wordValid
	}
	line("%s", verdict.in(l))
	if r.At != nil {
		line("%s: %s", wordTime.in(l), r.At.Format(time.RFC3339))
	}
	if p := r.Problem; p != nil {
		line("%s: %s", wordReason.in(l), p.Messages[string(l)])
		line("  %s", where(p.Step, p.Clause, p.Certificate, l))
		for _, cause := range p.Causes {
			line("  %s", cause)
		}
	}
	if len(r.Path) > 0 {
		line("\n%s", wordPath.in(l))
	}
	for i, c := range r.Path {
		name := c.Name
		switch {
		case i == len(r.Path)-1:
			name = wordTarget.in(l)
		case name == "":
			name = wordUnsigned.in(l)
		}
		line("  %d  %s", i, name)
		line("     %s – %s  SHA-256 %s", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), c.SHA256)
	}
	if len(r.Steps) > 0 {
		line("\n%s", wordSteps.in(l))
	}
	for _, s := range r.Steps {
		printStep(line, s, "  ", l)
	}
	for _, a := range r.Revocation {
		line("\n%s %d: %s %s", wordRevocation.in(l), a.Certificate, a.Method, wordOf(statusWords, a.Status, l))
		if a.ThisUpdate != nil {
			line("  thisUpdate %s", a.ThisUpdate.Format(time.RFC3339))
		}
		if a.NextUpdate != nil {
			line("  nextUpdate %s", a.NextUpdate.Format(time.RFC3339))
		}
		if a.RevokedAt != nil {
			line("  revocationDate %s", a.RevokedAt.Format(time.RFC3339))
		}
		for _, s := range a.Steps {
			printStep(line, s, "  ", l)
		}
	}
	if len(r.Policies) > 0 {
		line("\n%s: %s", wordPolicies.in(l), strings.Join(r.Policies, ", "))
	}
	if len(r.Purposes) > 0 {
		line("%s: %s", wordPurposes.in(l), strings.Join(r.Purposes, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printStep(line func(string, ...any), s certpath.Step, indent string, l kakunin.Language) {
	mark := "ok"
	if !s.OK {
		mark = "NG"
	}
	line("%s%s  %s  %s", indent, mark, where(s.Name, s.Clause, s.Certificate, l), wordOf(stepWords, s.Name, l))
}

func where(step, clause string, certificate int, l kakunin.Language) string {
	out := step
	if certificate >= 0 {
		out += fmt.Sprintf(" [%s %d]", wordCertificate.in(l), certificate)
	}
	if clause != "" {
		out += " (" + clause + ")"
	}
	return out
}
