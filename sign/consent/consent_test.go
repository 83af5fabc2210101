package consent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
)

func TestPrepareTakesTheBytesAsTheyAre(t *testing.T) {
	t.Parallel()
	tx, err := consent.Prepare(t.Context(), document)
	if err != nil || tx.Mode != sign.ModeDigestInfo || tx.Digest != sha256.Sum256(document) || len(tx.Padded()) != 51 {
		t.Errorf("%+v, %v", tx, err)
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	c := accepted(t)
	hash, err := terms().Hash()
	if err != nil || c.Service != "shop-address" || c.TermsSHA256 != hash ||
		c.DocumentSHA256 != sha256.Sum256(document) || !c.ReceivedAt.Equal(received) {
		t.Errorf("%+v, %v", c, err)
	}
	good := signed(t, document, sign.ModeDigestInfo)
	bad := *good
	chain := *good.Chain
	chain.Status = jpki.Revoked
	bad.Chain = &chain
	incomplete := terms()
	delete(incomplete.Texts, consent.Purpose)
	for name, f := range map[string]struct {
		terms    *consent.Terms
		document []byte
		report   *sign.Report
		base     consent.Base
		reason   consent.Reason
	}{
		"bare-hash mode": {terms(), document, signed(t, document, sign.ModeBareHash), consent.BaseReceived,
			consent.ReasonMode},
		"another document": {terms(), append(bytes.Clone(document), '\n'), good, consent.BaseReceived,
			consent.ReasonDocument},
		"without the BOM":      {terms(), document[3:], good, consent.BaseReceived, consent.ReasonDocument},
		"no document":          {terms(), nil, good, consent.BaseReceived, consent.ReasonRequest},
		"no report":            {terms(), document, nil, consent.BaseReceived, consent.ReasonRequest},
		"revoked":              {terms(), document, &bad, consent.BaseReceived, consent.ReasonNotVerified},
		"no base":              {terms(), document, good, consent.BaseUnknown, consent.ReasonRequest},
		"terms without a text": {incomplete, document, good, consent.BaseReceived, consent.ReasonConfiguration},
	} {
		if c, err := f.terms.Accept(consent.Signed{Document: f.document, Report: f.report}, f.base); c != nil ||
			reasonOf(err) != f.reason ||
			kakunin.FamilyOf(err) == kakunin.Unclassified {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValidity: the dates of the published example, month ends, leap days, and a consent received around midnight in
// Japan.
func TestValidity(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		parsed, err := time.ParseInLocation("2006-01-02 15:04:05", s, jst)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, c := range []struct{ received, from, until string }{
		{"2023-05-18 10:00:00", "2023-05-19 00:00:00", "2033-05-18 23:59:59"},
		{"2026-12-31 23:59:59", "2027-01-01 00:00:00", "2036-12-31 23:59:59"},
		{"2027-01-01 00:00:00", "2027-01-02 00:00:00", "2037-01-01 23:59:59"},
		{"2024-02-28 12:00:00", "2024-02-29 00:00:00", "2034-02-28 23:59:59"},
		{"2024-02-29 12:00:00", "2024-03-01 00:00:00", "2034-02-28 23:59:59"},
		{"2026-02-28 12:00:00", "2026-03-01 00:00:00", "2036-02-29 23:59:59"},
	} {
		for _, base := range []consent.Base{consent.BaseReceived, consent.BaseReflected} {
			one := consent.Consent{Base: base, ReceivedAt: at(c.received).UTC()}
			if base == consent.BaseReflected {
				one.ReceivedAt, one.ReflectedAt = at(c.received).AddDate(0, 0, -3), at(c.received).UTC()
			}
			from, until, ok := one.Validity()
			if !ok || !from.Equal(at(c.from)) || !until.Equal(at(c.until)) {
				t.Errorf("%s, %s: %s to %s", c.received, base, from, until)
			}
			for when, want := range map[time.Time]consent.State{
				from.Add(-time.Second): consent.StatePending, from: consent.StateActive, until: consent.StateActive,
				until.Add(time.Second - 1): consent.StateActive, until.Add(time.Second): consent.StateExpired,
				one.ReceivedAt.Add(-time.Second): consent.StateUnknown,
			} {
				if got := one.StateAt(when); got != want {
					t.Errorf("%s, %s at %s: %s", c.received, base, when, got)
				}
			}
		}
	}
	if _, _, ok := (&consent.Consent{}).Validity(); ok || (&consent.Consent{}).StateAt(
		received) == consent.StateActive {
		t.Error("the zero consent counts")
	}
	waiting := consent.Consent{Base: consent.BaseReflected, ReceivedAt: received}
	if s := waiting.StateAt(received.AddDate(1, 0, 0)); s != consent.StatePending {
		t.Errorf("not reflected: %s", s)
	}
	if err := waiting.Reflect(received.Add(-time.Hour)); reasonOf(err) != consent.ReasonState {
		t.Errorf("reflected before it was received: %v", err)
	}
	if err := errors.Join(waiting.Reflect(received.Add(time.Hour))); err != nil ||
		waiting.StateAt(received.AddDate(1, 0, 0)) != consent.StateActive {
		t.Errorf("reflected: %v", err)
	}
	if err := waiting.Reflect(received.Add(time.Hour)); reasonOf(err) != consent.ReasonState {
		t.Errorf("reflected twice: %v", err)
	}
}

func TestRemindersAndRenewal(t *testing.T) {
	t.Parallel()
	c := accepted(t)
	var days []string
	for day, ok := c.NextReminder(received); ok; day, ok = c.NextReminder(day) {
		days = append(days, day.Format(time.DateOnly))
	}
	if len(days) != 9 || days[0] != "2024-05-19" || days[8] != "2032-05-19" {
		t.Errorf("reminders %v", days)
	}
	if day, ok := c.RenewFrom(90); !ok || day.Format(time.DateOnly) != "2033-02-17" {
		t.Errorf("renewal from %s", day)
	}
	if _, ok := (&consent.Consent{}).NextReminder(received); ok {
		t.Error("the zero consent is reminded of")
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	c := accepted(t)
	if err := c.Withdraw(consent.Signed{Document: withdrawal,
		Report: signed(t, withdrawal, sign.ModeBareHash)}); reasonOf(err) != consent.ReasonMode {
		t.Errorf("in bare-hash mode: %v", err)
	}
	if err := c.Withdraw(consent.Signed{Document: document, Report: signed(t, document,
		sign.ModeDigestInfo)}); reasonOf(err) != consent.ReasonState {
		t.Errorf("by the consent itself: %v", err)
	}
	if err := c.Withdraw(consent.Signed{Document: withdrawal,
		Report: signed(t, document, sign.ModeDigestInfo)}); reasonOf(
		err) != consent.ReasonDocument {
		t.Errorf("by another signature: %v", err)
	}
	early := signed(t, withdrawal, sign.ModeDigestInfo)
	early.VerifiedAt = received.Add(-time.Hour)
	if err := c.Withdraw(consent.Signed{Document: withdrawal, Report: early}); reasonOf(err) != consent.ReasonState {
		t.Errorf("before the consent: %v", err)
	}
	r := signed(t, withdrawal, sign.ModeDigestInfo)
	r.VerifiedAt = received.AddDate(2, 0, 0)
	if err := c.Withdraw(consent.Signed{Document: withdrawal, Report: r}); err != nil {
		t.Fatal(err)
	}
	if c.StateAt(r.VerifiedAt.Add(-time.Second)) != consent.StateActive ||
		c.StateAt(r.VerifiedAt) != consent.StateWithdrawn {
		t.Error("the state does not change with the withdrawal")
	}
	if day, ok := c.NextReminder(received.AddDate(1, 6, 0)); ok {
		t.Errorf("reminded on %s of what was withdrawn", day)
	}
	if _, ok := c.RenewFrom(90); ok {
		t.Error("asked to renew what was withdrawn")
	}
	if err := c.Withdraw(consent.Signed{Document: withdrawal, Report: r}); reasonOf(err) != consent.ReasonState {
		t.Errorf("twice: %v", err)
	}
}

// A platform operator's verdict takes the place of the report: on the transaction over the very document.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	tx, err := consent.Prepare(t.Context(), document)
	if err != nil {
		t.Fatal(err)
	}
	tx.ID = "37a52ac8-b232-ebac-a454-04d68916489f"
	good := &sign.Verdict{VerificationID: "v-1", Status: jpki.Good, VerifiedAt: received}
	c, err := terms().AcceptVerdict(consent.Judged{Transaction: tx, Verdict: good}, consent.BaseReceived)
	if err != nil || c.DocumentSHA256 != sha256.Sum256(document) || c.TransactionID != tx.ID ||
		!c.ReceivedAt.Equal(received) || c.StateAt(received.AddDate(1, 0, 0)) != consent.StateActive {
		t.Fatalf("%+v, %v", c, err)
	}
	bare, unregistered := *tx, *tx
	bare.Mode, unregistered.ID = sign.ModeBareHash, ""
	revoked, timeless := *good, *good
	revoked.Status, timeless.VerifiedAt = jpki.Revoked, time.Time{}
	later := *good
	later.VerifiedAt = received.AddDate(2, 0, 0)
	end, err := consent.Prepare(t.Context(), withdrawal)
	if err != nil {
		t.Fatal(err)
	}
	end.ID = tx.ID
	for name, f := range map[string]struct {
		tx      *sign.Transaction
		verdict *sign.Verdict
		reason  consent.Reason
	}{
		"bare-hash mode": {&bare, good, consent.ReasonMode},
		"not registered": {&unregistered, good, consent.ReasonRequest},
		"no transaction": {nil, good, consent.ReasonRequest}, "no verdict": {tx, nil, consent.ReasonRequest},
		"revoked": {tx, &revoked, consent.ReasonNotVerified}, "nothing judged": {tx, &timeless, consent.ReasonRequest},
	} {
		given, err := terms().AcceptVerdict(consent.Judged{Transaction: f.tx, Verdict: f.verdict}, consent.BaseReceived)
		if given != nil || reasonOf(err) != f.reason {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.WithdrawVerdict(consent.Judged{Transaction: f.tx, Verdict: f.verdict}); reasonOf(err) != f.reason ||
			!c.WithdrawnAt.IsZero() {
			t.Errorf("withdrawal, %s: %v", name, err)
		}
	}
	none, err := terms().AcceptVerdict(consent.Judged{Transaction: tx, Verdict: good}, consent.BaseUnknown)
	if none != nil || reasonOf(err) != consent.ReasonRequest {
		t.Errorf("no base: %v", err)
	}
	if c, err := new(consent.Terms).AcceptVerdict(consent.Judged{Transaction: tx, Verdict: good},
		consent.BaseReceived); c != nil ||
		reasonOf(err) != consent.ReasonConfiguration {
		t.Errorf("no terms: %v", err)
	}
	if err := c.WithdrawVerdict(consent.Judged{Transaction: tx, Verdict: &later}); reasonOf(
		err) != consent.ReasonState {
		t.Errorf("by the consent itself: %v", err)
	}
	if err := c.WithdrawVerdict(consent.Judged{Transaction: end, Verdict: &later}); err != nil ||
		c.StateAt(later.VerifiedAt) != consent.StateWithdrawn {
		t.Errorf("%v, %v", err, c.StateAt(later.VerifiedAt))
	}
	if err := c.WithdrawVerdict(consent.Judged{Transaction: end, Verdict: &later}); reasonOf(
		err) != consent.ReasonState {
		t.Errorf("twice: %v", err)
	}
}

// A business with a platform operator: the verdict on the transaction makes the consent, and ends it.
func ExampleTerms_AcceptVerdict() {
	judged := func(document []byte, id string, at time.Time) (*sign.Transaction, *sign.Verdict) {
		tx, err := consent.Prepare(context.Background(), document) // sign/signapi does this, and gives the id
		if err != nil {
			panic(err)
		}
		tx.ID = id
		return tx, &sign.Verdict{Status: jpki.Good, VerifiedAt: at} // of operator.Client.Verify
	}
	tx, verdict := judged(document, "37a52ac8-b232-ebac-a454-04d68916489f", received)
	c, err := terms().AcceptVerdict(consent.Judged{Transaction: tx, Verdict: verdict}, consent.BaseReceived)
	if err != nil {
		panic(err)
	}
	fmt.Println(c.StateAt(received.AddDate(1, 0, 0)))
	tx, verdict = judged(withdrawal, "1b671a64-40d5-491e-99b0-da01ff1f3341", received.AddDate(2, 0, 0))
	fmt.Println(c.WithdrawVerdict(consent.Judged{Transaction: tx, Verdict: verdict}),
		c.StateAt(received.AddDate(3, 0, 0)))
	// Output:
	// active
	// <nil> withdrawn
}

func TestJSON(t *testing.T) {
	t.Parallel()
	c := accepted(t)
	if err := c.Reflect(received.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back consent.Consent
	if err := json.Unmarshal(b, &back); err != nil || back != *c {
		t.Errorf("%s came back as %+v, %v", b, back, err)
	}
	for _, personal := range []string{"花子", "清瀬", "1988"} {
		if bytes.Contains(b, []byte(personal)) {
			t.Errorf("%s holds %s", b, personal)
		}
	}
	change := func(old, now string) string { return strings.Replace(string(b), old, now, 1) }
	for _, s := range []string{
		`{}`, `[]`, change(`"version":1`, `"version":2`), change(`"base":"received"`, `"base":"unknown"`),
		change(`"base":"received"`, `"base":"x"`),
		change(`"service":"shop-address"`, `"service":""`), change(`"service"`, `"service":"x","service"`),
		change(`{`, `{"x":1,`),
		change(`2023-05-18T01:00:00Z`, `2024-05-18T01:00:00Z`), change(`"terms_sha256":"`, `"terms_sha256":"00`),
		change(`2023-05-18T01:00:00Z`, `0000-01-01T00:00:00+01:00`), change(`2023-05-18T02:00:00Z`, `9999-12-31T23:59:59-01:00`),
	} {
		var c consent.Consent
		if err := json.Unmarshal([]byte(s), &c); reasonOf(err) != consent.ReasonFormat || c != (consent.Consent{}) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzConsentJSON(f *testing.F) {
	f.Add([]byte(`{"version":1,"service":"s","terms_version":"1","terms_sha256":"` + strings.Repeat("00", 32) +
		`","document_sha256":"` +
		strings.Repeat("11", 32) + `","base":"received","received_at":"2023-05-18T01:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, again consent.Consent
		if json.Unmarshal(b, &c) != nil {
			return
		}
		encoded, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if err := json.Unmarshal(encoded, &again); err != nil || again != c {
			t.Fatalf("%s came back as %+v, %v", encoded, again, err)
		}
	})
}

// TestTerms: which of the fifteen are mandatory is the published list, and every mistake is named at once.
func TestTerms(t *testing.T) {
	t.Parallel()
	var mandatory []int
	for _, i := range consent.Items() {
		if i.Mandatory() {
			mandatory = append(mandatory, int(i))
		}
		if n := i.Name(); n.JA == "" || n.EN == "" {
			t.Errorf("item %d has no name", i)
		}
	}
	if fmt.Sprint(mandatory) != "[1 3 4 5 6 8 9 10 12 13 15]" || len(consent.Items()) != 15 {
		t.Errorf("mandatory: %v", mandatory)
	}
	wrong := terms()
	wrong.Service, wrong.Title.EN, wrong.DetailsURL = "a b", "", "http://shop.example"
	delete(wrong.Texts, consent.Voluntary)
	wrong.Texts[consent.BulkObtaining] = kakunin.Message{JA: "だけ"}
	wrong.Texts[16] = kakunin.Message{JA: "x", EN: "x"}
	wrong.Summary.JA = "番号は123456789018です" // what looks like an individual number
	err := wrong.Validate()
	for _, part := range []string{"Service ", "Title ", "DetailsURL ", "Texts lacks item 9", "for item 7",
		"none of the fifteen", "Summary "} {
		if reasonOf(err) != consent.ReasonConfiguration || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
	a, errA := terms().Hash()
	changed := terms()
	changed.Texts = maps.Clone(changed.Texts)
	changed.Texts[consent.Purpose] = kakunin.Message{JA: "別の目的", EN: "another purpose"}
	b, errB := changed.Hash()
	again, errAgain := terms().Hash()
	if errors.Join(errA, errB, errAgain) != nil || a == b || a != again {
		t.Error("the hash does not follow the words")
	}
}

// TestPage: both languages, equal buttons, no script; what the business writes is text and never markup.
func TestPage(t *testing.T) {
	t.Parallel()
	terms := terms()
	terms.Texts[consent.Purpose] = kakunin.Message{JA: "<script>alert(1)</script>", EN: `"><img src=x>`}
	for lang, want := range map[kakunin.Language][]string{
		kakunin.Japanese: {`<html lang="ja">`, "架空商店", "同意する", "同意しない", "同意事項の詳細・補足説明", "3. 利用目的", "&lt;script&gt;"},
		kakunin.English:  {`<html lang="en">`, "Fictitious Shop", "I agree", "I do not agree", "3. Purpose", "&lt;img"},
	} {
		var b strings.Builder
		if err := terms.Render(&b, consent.Page{
			Language: lang, Action: "/consent", Hidden: map[string]string{"ticket": `a"b`}, Style: "/brand.css",
		}); err != nil {
			t.Fatal(err)
		}
		for _, s := range append(want, `action="/consent"`, `value="a&#34;b"`, `href="/brand.css"`,
			`href="https://shop.example/consent/details"`) {
			if !strings.Contains(b.String(), s) {
				t.Errorf("%s: %q is missing in\n%s", lang, s, b.String())
			}
		}
		for _, s := range []string{"<script", "<img", "checked", "disabled", ">2. "} {
			if strings.Contains(b.String(), s) {
				t.Errorf("%s: the page has %q", lang, s)
			}
		}
	}
	if err := (&consent.Terms{}).Render(new(strings.Builder),
		consent.Page{}); reasonOf(err) != consent.ReasonConfiguration {
		t.Errorf("incomplete terms are shown: %v", err)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for r := consent.ReasonConfiguration; r <= consent.ReasonFormat; r++ {
		if e := (&consent.Error{Reason: r}); e.Family() == kakunin.Unclassified || r.String() == "unknown" ||
			!errors.Is(e, &consent.Error{Reason: r}) {
			t.Errorf("reason %d: %v", r, e)
		}
	}
	if consent.StateWithdrawn.String() != "withdrawn" || consent.State(9).String() != "unknown" ||
		consent.BaseReflected.String() != "reflected" || consent.Base(-1).String() != "unknown" {
		t.Error("words")
	}
}

// A business asks, the person signs the operator's document, and the consent is kept beside the customer.
func ExampleTerms() {
	var (
		document []byte       // from the operator's software
		report   *sign.Report // of sign.Verifier.Verify over that document, in DigestInfo mode
	)
	accept := func(t *consent.Terms) ([]byte, error) {
		c, err := t.Accept(consent.Signed{Document: document, Report: report}, consent.BaseReceived)
		if err != nil {
			return nil, err
		}
		return json.Marshal(c)
	}
	_ = accept
	c := consent.Consent{Base: consent.BaseReceived, ReceivedAt: received}
	from, until, _ := c.Validity()
	fmt.Println(from.Format(time.DateTime), "to", until.Format(time.DateTime))
	fmt.Println(c.StateAt(received.AddDate(5, 0, 0)))
	// Output:
	// 2023-05-19 00:00:00 to 2033-05-18 23:59:59
	// active
}
