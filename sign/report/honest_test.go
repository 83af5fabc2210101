package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/report"
)

// marshalled is a report as it is written.
func marshalled(t *testing.T, name string) string {
	t.Helper()
	b, err := all(t)[name].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// swapper changes one place of a text, which must be there.
func swapper(t *testing.T, text string) func(old, now string) string {
	t.Helper()
	return func(old, now string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(text, old, now, 1)
	}
}

// TestHonestJSON: what other programs make of a report that say the same, and what a report may say.
func TestHonestJSON(t *testing.T) {
	t.Parallel()
	good, bad := marshalled(t, "good"), marshalled(t, "revoked")
	swap, swapBad := swapper(t, good), swapper(t, bad)
	var sorted map[string]any
	if err := json.Unmarshal([]byte(good), &sorted); err != nil {
		t.Fatal(err)
	}
	escaped, err := json.Marshal(sorted) // members in another order, no white space, < and > escaped
	if err != nil {
		t.Fatal(err)
	}
	ascii := regexp.MustCompile(`[^\x00-\x7f]`).ReplaceAllStringFunc(good, func(s string) string {
		return fmt.Sprintf(`\u%04x`, []rune(s)[0])
	})
	lists := regexp.MustCompile(`"lists": \[[^]]*\]`).FindString(good)
	for name, text := range map[string]string{
		"as it is":             good,
		"of a failure":         bad,
		"revealed":             marshalled(t, "revealed"),
		"without white space":  string(escaped),
		"in ASCII":             ascii,
		"Windows' line ends":   strings.ReplaceAll(good, "\n", "\r\n"),
		"blanks around":        " \t\r\n" + good + "\n\n",
		"a transaction":        swap("{", `{"transaction_id":"37a52ac8-b232-ebac-a454-04d68916489f",`),
		"a step of tomorrow":   swap(`"name": "mode.explicit"`, `"name": "of.tomorrow"`),
		"a reason of tomorrow": swapBad(`"reason": "certificate revoked"`, `"reason": "of tomorrow"`),
		"a method of its own":  swap(`"method": "CRL"`, `"method": "register-of-the-bank"`),
		"nobody was asked": swap(`"method": "CRL",`+"\n"+`    "status": "good"`,
			`"method": "none", "status": "unknown"`),
		"verified by a later hour": swap(`"verified_at": "2026-11-21T03:00:00Z"`,
			`"verified_at": "2026-11-21T03:59:59Z"`),
		"the last second": swap(`"created_at": "2026-11-21T03:00:00Z"`,
			`"created_at": "9999-12-31T23:59:59Z"`),
		"the first second": swap(`"created_at": "2026-11-21T03:00:00Z"`,
			`"created_at": "0001-01-01T00:00:01Z"`),
		"an operator": with(t, removed(t, good, "certificate"), "operator", `{"verification_id":"1"}`),
		"an operator's method": with(t, removed(t, good, "certificate"), "operator",
			`{"verification_id":"1","method":"OCSP"}`),
		"the longest media type":  swap(`"algorithm"`, `"media_type":"`+strings.Repeat("x", 127)+`","algorithm"`),
		"the longest transaction": swap("{", `{"transaction_id":"`+strings.Repeat("~", 255)+`",`),
		"as many lists as may be": swap(lists, `"lists": [`+strings.TrimSuffix(strings.Repeat(`"`+
			strings.Repeat("0", 64)+`",`, limits.EvidenceLists), ",")+"]"),
		"as large as records": good + strings.Repeat(" ", limits.Evidence-len(good)),
		"a leap day": swap(`"created_at": "2026-11-21T03:00:00Z"`,
			`"created_at": "2028-02-29T00:00:00Z"`),
		"a variant of a character": strings.Replace(marshalled(t, "revealed"), "確認　花子", "葛\U000E0100城　花子", 1),
		"a name that turns round":  strings.Replace(marshalled(t, "revealed"), "確認　花子", "花\u202e子", 1),
		"a name as markup":         strings.Replace(marshalled(t, "revealed"), "確認　花子", `<b>\"&amp;'`, 1),
	} {
		r, err := report.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := validate(t, []byte(text)); err != nil {
			t.Errorf("%s: against the schema: %v", name, err)
		}
		var page bytes.Buffer
		if err := r.Render(&page); err != nil || strings.Contains(page.String(), "\u202e") {
			t.Errorf("%s: the page: %v", name, err)
		}
	}
}

// removed leaves a member of the report out.
func removed(t *testing.T, text, member string) string {
	t.Helper()
	return with(t, text, member, "")
}

// with puts a value into a member of the report, or leaves it out.
func with(t *testing.T, text, member, value string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	if members[member] = json.RawMessage(value); value == "" {
		delete(members, member)
	}
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
