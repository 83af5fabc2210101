package consent_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
)

// TestWordsThatAreNotSeen: terms are refused whose words a person would not see, or would see otherwise than they are
// hashed; honest words with signs, line breaks and rare ideographs stay.
func TestWordsThatAreNotSeen(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"住所を使います。\n2. 氏名を使います。\r\n\t- 生年月日": true, "①㍿ ～ — “ ” 𠮟る 髙﨑 葛\U000E0100城": true, "1": true,
		strings.Repeat("条", 4000): true, strings.Repeat("条", 4001): false,
		"": false, " ": false, "\u3000": false, "\n\n": false, "\u200b\u200b": false, "\u2060": false, "\ufeff": false,
		"\u3164": false, "\u00ad": false, "ok\x00": false, "ok\x1b[2J": false, "ok\u0085": false, "ok\x7f": false,
		"\u202eませんし意同": false, "同意\u2066しません\u2069": false, "a\u200fb": false, "a\u202a": false, "\xff": false,
		"番号は１２３４５６７８９０１８です": false,
	} {
		for _, set := range []func(*consent.Terms){
			func(c *consent.Terms) { c.Texts[consent.Purpose] = kakunin.Message{JA: text, EN: "ok"} },
			func(c *consent.Terms) { c.Texts[consent.BulkObtaining] = kakunin.Message{JA: "可", EN: text} },
			func(c *consent.Terms) { c.Title.EN = text },
			func(c *consent.Terms) { c.Business.JA = text },
			func(c *consent.Terms) { c.Summary.JA = text },
		} {
			changed := terms()
			set(changed)
			err := changed.Validate()
			if (err == nil) != ok || err != nil && (reasonOf(err) != consent.ReasonConfiguration ||
				text != "" && strings.TrimSpace(text) != "" && strings.Contains(err.Error(), text)) {
				t.Errorf("%.20q: %v", text, err)
			}
			if _, err := changed.Hash(); (err == nil) != ok {
				t.Errorf("%.20q: hashed, %v", text, err)
			}
		}
	}
}

// TestHostilePage: whatever a business, or who can write into its configuration, puts anywhere, the page stays a page
// without a script, and nothing is posted to a script.
func TestHostilePage(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</style><script>",
		"</dd></dl><form action=//x>",
		"{{.Style}}", "<!--", "]]>", "&lt;script&gt;", "javascript:alert(1)", "' onmouseover='alert(1)",
		"`${alert(1)}`",
	} {
		changed := terms()
		both := kakunin.Message{JA: text, EN: text}
		changed.Business, changed.Title, changed.Summary = both, both, both
		for i := range changed.Texts {
			changed.Texts[i] = both
		}
		for _, language := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
			var plain, page strings.Builder
			if err := terms().Render(&plain, consent.Page{Language: language, Action: "/a",
				Hidden: map[string]string{"x": "y"}, Style: "/s.css"}); err != nil {
				t.Fatal(err)
			}
			if err := changed.Render(&page, consent.Page{
				Language: language, Action: text, Hidden: map[string]string{text: text}, Style: text,
			}); err != nil {
				t.Fatal(err)
			}
			for _, mark := range []string{"<", ">", "<script", "<img", "<form", "<!--", "javascript:", `"`} {
				if a, b := strings.Count(plain.String(), mark), strings.Count(page.String(), mark); a != b &&
					(mark != "javascript:" || text != "javascript:alert(1)") {
					t.Errorf("%q: %d times %q instead of %d in\n%s", text, b, mark, a, page.String())
				}
			}
			for _, attribute := range []string{`action="javascript`, `href="javascript`} {
				if strings.Contains(page.String(), attribute) {
					t.Errorf("%q: the page has %s", text, attribute)
				}
			}
		}
	}
	for _, address := range []string{
		"", "javascript:alert(1)", "https:", "https://", "https:///x", "//shop.example", "https://u:p@shop.example/",
		"https://shop.example/%zz", "https://shop.example/\n", "data:text/html,x", "ftp://shop.example/",
	} {
		changed := terms()
		if changed.DetailsURL = address; reasonOf(changed.Validate()) != consent.ReasonConfiguration {
			t.Errorf("details at %q", address)
		}
	}
}

// TestYears: the ten years over leap days and ends of months, whatever the zone that a time is written in, and on the
// first and last second.
func TestYears(t *testing.T) {
	t.Parallel()
	for base, want := range map[string][2]string{
		"2024-02-28T12:00:00+09:00": {"2024-02-29", "2034-02-28"}, // begins on the leap day, which 2034 has not
		"2024-02-29T00:00:00+09:00": {"2024-03-01", "2034-02-28"}, // received on the leap day
		"2024-02-29T23:59:59+09:00": {"2024-03-01", "2034-02-28"},
		"2022-02-28T12:00:00+09:00": {"2022-03-01", "2032-02-29"}, // ends on a leap day
		"2023-12-31T23:59:59+09:00": {"2024-01-01", "2033-12-31"},
		"2023-12-31T15:00:00Z":      {"2024-01-02", "2034-01-01"}, // the first of January in Japan
		"2024-03-31T01:59:59+01:00": {"2024-04-01", "2034-03-31"}, // as Europe's clocks are set forward
		"2024-11-03T01:30:00-05:00": {"2024-11-04", "2034-11-03"},
		"2099-12-30T00:00:00+09:00": {"2099-12-31", "2109-12-30"}, // 2100 has no leap day
		"2090-02-28T00:00:00+09:00": {"2090-03-01", "2100-02-28"},
	} {
		at, err := time.Parse(time.RFC3339, base)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]*consent.Consent{
			"received":  {Base: consent.BaseReceived, ReceivedAt: at},
			"reflected": {Base: consent.BaseReflected, ReceivedAt: at.AddDate(0, 0, -3), ReflectedAt: at},
		} {
			from, until, ok := c.Validity()
			if !ok || from.In(jst).Format(time.DateTime) != want[0]+" 00:00:00" ||
				until.In(jst).Format(time.DateTime) != want[1]+" 23:59:59" {
				t.Errorf("%s on %s: %s to %s", name, base, from, until)
			}
			for moment, state := range map[time.Time]consent.State{
				from.Add(-1): consent.StatePending, from: consent.StateActive, from.UTC(): consent.StateActive,
				until.UTC(): consent.StateActive, until.Add(999_999_999): consent.StateActive,
				until.Add(time.Second): consent.StateExpired, until.AddDate(100, 0, 0): consent.StateExpired,
			} {
				if got := c.StateAt(moment); got != state {
					t.Errorf("%s on %s: %s at %s", name, base, got, moment)
				}
			}
			// Every day of a reminder lies within, once a year, and no day is left out.
			last, days := from, 0
			for day, ok := c.NextReminder(from); ok; day, ok = c.NextReminder(day) {
				if days++; !day.After(last) || day.After(until) || day.In(jst).Format("15:04:05") != "00:00:00" ||
					day.In(jst).Year() != from.In(jst).Year()+days || c.StateAt(day) != consent.StateActive {
					t.Errorf("%s on %s: reminder on %s", name, base, day)
				}
				last = day
			}
			if days != 9 {
				t.Errorf("%s on %s: %d reminders", name, base, days)
			}
			for n, ok := range map[int]bool{0: true, 1: true, 90: true, 3652: true, 10000: true, math.MaxInt: true,
				-1: true, math.MinInt: true} {
				day, is := c.RenewFrom(n)
				if is != ok || day.Before(from) || day.After(until) {
					t.Errorf("%s on %s: renewal from %s, %d days before", name, base, day, n)
				}
			}
		}
	}
}

// TestHostileSignatures: a consent comes of a good signature over these very bytes in DigestInfo mode, and of nothing
// else; a verdict that is not good, or of no time, makes none either.
func TestHostileSignatures(t *testing.T) {
	t.Parallel()
	report := func(change func(*sign.Report)) *sign.Report {
		r := *signed(t, document, sign.ModeDigestInfo)
		chain := *r.Chain
		r.Chain = &chain
		change(&r)
		return &r
	}
	same := func(*sign.Report) {}
	changedBytes := append([]byte(nil), document...)
	changedBytes[len(changedBytes)-1] ^= 1
	lines := []byte(strings.ReplaceAll(string(document), "\r\n", "\n"))
	set := func(change func(*sign.Report)) consent.Signed {
		return consent.Signed{Document: document, Report: report(change)}
	}
	over := func(doc []byte) consent.Signed { return consent.Signed{Document: doc, Report: report(same)} }
	status := func(s jpki.Status) consent.Signed { return set(func(r *sign.Report) { r.Chain.Status = s }) }
	for name, c := range map[string]struct {
		signed consent.Signed
		base   consent.Base
		want   consent.Reason
	}{
		"good":              {over(document), consent.BaseReceived, consent.ReasonUnknown},
		"no base":           {over(document), consent.BaseUnknown, consent.ReasonRequest},
		"another base":      {over(document), 7, consent.ReasonRequest},
		"no document":       {over(nil), consent.BaseReceived, consent.ReasonRequest},
		"a bit changed":     {over(changedBytes), consent.BaseReceived, consent.ReasonDocument},
		"without its mark":  {over(document[3:]), consent.BaseReceived, consent.ReasonDocument},
		"line ends changed": {over(lines), consent.BaseReceived, consent.ReasonDocument},
		"another document":  {over(withdrawal), consent.BaseReceived, consent.ReasonDocument},
		"of a bare hash": {consent.Signed{Document: document, Report: signed(t, document, sign.ModeBareHash)},
			consent.BaseReceived, consent.ReasonMode},
		"of no mode": {set(func(r *sign.Report) { r.Mode = 0 }), consent.BaseReceived, consent.ReasonMode},
		"revoked":    {status(jpki.Revoked), consent.BaseReceived, consent.ReasonNotVerified},
		"unknown":    {status(jpki.Unknown), consent.BaseReceived, consent.ReasonNotVerified},
		"no chain":   {set(func(r *sign.Report) { r.Chain = nil }), consent.BaseReceived, consent.ReasonRequest},
		"no time": {set(func(r *sign.Report) { r.VerifiedAt = time.Time{} }), consent.BaseReceived,
			consent.ReasonRequest},
		"no report": {consent.Signed{Document: document}, consent.BaseReceived, consent.ReasonRequest},
	} {
		got, err := terms().Accept(c.signed, c.base)
		if reasonOf(err) != c.want || (err == nil) != (c.want == 0) || (got == nil) != (err != nil) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestHostileJSON: what is stored beside a customer for ten years is read in its one form.
func TestHostileJSON(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(accepted(t))
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, now string) string { return strings.Replace(string(good), old, now, 1) }
	for name, text := range map[string]string{
		"a member twice":          swap("{", `{"base":"reflected",`),
		"in capitals":             swap("{", `{"BASE":"reflected",`),
		"of tomorrow":             swap("{", `{"more":1,`),
		"another version":         swap(`"version":1`, `"version":2`),
		"a version as text":       swap(`"version":1`, `"version":"1"`),
		"no base":                 swap(`"base":"received"`, `"base":"unknown"`),
		"a base as number":        swap(`"base":"received"`, `"base":1`),
		"a time as number":        swap(`"received_at":"`, `"received_at":1,"x":"`),
		"withdrawn before":        swap("{", `{"withdrawn_at":"2023-05-18T00:59:59Z",`),
		"reflected before":        swap("{", `{"reflected_at":"2000-01-01T00:00:00Z",`),
		"year 10000":              swap("{", `{"reflected_at":"9999-12-31T23:59:59-09:00",`),
		"a service with a blank":  swap("shop-address", "shop address"),
		"a service with markup":   swap("shop-address", "\u0000"),
		"a hash in capitals, cut": swap(`"terms_sha256":"`, `"terms_sha256":"AB`),
		"more behind":             string(good) + "{}",
		"a list":                  "[" + string(good) + "]",
		"nothing":                 "null",
		"deep":                    swap("{", `{"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+","),
	} {
		var c consent.Consent
		if err := c.UnmarshalJSON([]byte(text)); reasonOf(err) != consent.ReasonFormat || c.Service != "" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}
