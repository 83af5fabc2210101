package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var page string

//go:embed page.css
var style string

// jst is Japan Standard Time, which has no summer time; no time zone database is needed.
var jst = time.FixedZone("JST", 9*60*60)

// Policy is the Content-Security-Policy under which the page is whole: nothing but its own style. It stands in the
// page, too; a server sends it as a header.
func Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

// show names what a screen would hide, such as a character that turns a name round: [U+202E].
func show(s string) string {
	if readable(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !hidden(r) {
			_, _ = b.WriteRune(r)
		} else {
			_, _ = fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

// once leaves out the findings of the same kind: a page does not say where each of them is.
func once(all []Finding) (kinds []Finding) {
	for _, f := range all {
		if !slices.Contains(kinds, f) {
			kinds = append(kinds, f)
		}
	}
	return kinds
}

// Render writes the report as one web page in Japanese and English, to be read on a screen or printed: without scripts,
// and with nothing that is loaded from elsewhere. Characters that a screen hides are named. What was revealed is in it.
// Errors are [*Error] with [ReasonWrite].
func (r *Report) Render(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"word": word,
		"show": show,
		"once": once,
		"inc":  func(i int) int { return i + 1 },
		"iso":  func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") },
		"japan": func(t time.Time) string {
			return t.In(jst).Format("2006年1月2日 15:04:05") + "（日本時間）"
		},
	}).Parse(page)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, struct {
			Report *Report
			Policy string
			Style  template.CSS
		}{r, Policy(), template.CSS(style)}) //nolint:gosec // the style of this package
	}
	if err == nil {
		_, err = w.Write(out.Bytes())
	}
	if err != nil {
		return &Error{Reason: ReasonWrite, Step: "page", Err: err}
	}
	return nil
}
