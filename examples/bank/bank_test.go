package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/internal/tests/golden"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// at fixes the clock: ages and the letters of methods go by it.
func at() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }

// authorities are shared: making their keys takes longer than everything else.
var authorities = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{Now: at}) })

func around(t *testing.T) surroundings {
	t.Helper()
	j, err := authorities()
	if err != nil {
		t.Fatal(err)
	}
	return surroundings{now: at, jpki: j}
}

func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), around(t), args, &out, &errs)
	return code, out.String(), errs.String()
}

// steady replaces what differs from run to run.
func steady(s string) string {
	s = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(s, "<sha256>")
	s = regexp.MustCompile(`\b[A-Z2-7]{26}\b`).ReplaceAllString(s, "<verification>")
	return regexp.MustCompile(`\b[A-Z2-7]{12}\b`).ReplaceAllString(s, "<number>")
}

// personalTexts are texts that show who somebody of the tests is.
func personalTexts(t *testing.T) (all []string) {
	t.Helper()
	for _, persona := range []person.Persona{person.Hanako, person.Taro, person.Akira, person.Umeko} {
		who, err := person.Lookup(persona, at())
		if err != nil {
			t.Fatal(err)
		}
		p := who.Reveal()
		all = append(all, p.Name, p.Subject.Name, p.Address, p.Subject.Birthdate, p.IndividualNumber, p.SigningPassword)
	}
	return append(all, "花子", "太郎", "梅子", "架空町", "千代田", "宇治", "大阪")
}

func noPersonalData(t *testing.T, output string) {
	t.Helper()
	for _, text := range personalTexts(t) {
		if strings.Contains(output, text) {
			t.Errorf("the output holds %q", text)
		}
	}
	if regexp.MustCompile(`\b1988`).MatchString(output) { // a hash may hold these digits among others
		t.Error("the output holds the year of a birth")
	}
}

func TestOutcomesInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		golden string
		args   []string
		code   int
	}{
		{"opened", nil, exitOpened},
		{"substitute", []string{"-person", "taro"}, exitHuman},
		{"moved", []string{"-person", "akira"}, exitRefused},
		{"private", []string{"-business", "private"}, exitHuman},
		{"undeclared", []string{"-purpose", "", "-occupation", ""}, exitRefused},
	} {
		for _, lang := range []string{"ja", "en"} {
			t.Run(c.golden+"."+lang, func(t *testing.T) {
				t.Parallel()
				log := filepath.Join(t.TempDir(), "log")
				code, stdout, stderr := command(t, append(c.args, "-lang", lang, "-evidence", log)...)
				if code != c.code || stderr != "" {
					t.Errorf("exit %d, stderr %q", code, stderr)
				}
				noPersonalData(t, stdout)
				golden.File(t, "testdata/"+c.golden+"."+lang+".txt", steady(stdout))
				// A person with whom there is no contract leaves nothing behind.
				if kept, err := os.ReadFile(filepath.Join(log, "entries.log")); err != nil ||
					(len(kept) > 0) != (c.code != exitRefused) {
					t.Errorf("the log holds %d bytes (%v)", len(kept), err)
				}
			})
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		person  person.Persona
		code    int
		outcome outcome
		reason  string
		match   [3]string // name, address, birthdate
		step    string    // the first
		review  []law.Item
	}{
		{person.Hanako, exitOpened, opened, "complete", [3]string{"same", "same-after-normalisation", "same"}, "width",
			nil},
		{person.Taro, exitHuman, needsHuman, "person-review", [3]string{"needs-review", "same", "same"}, "substitute",
			[]law.Item{law.Name}},
		{person.Umeko, exitHuman, needsHuman, "person-review", [3]string{"same", "same", "needs-review"},
			"unknown-part", []law.Item{law.Birthdate}},
		{person.Akira, exitRefused, refused, "person-different", [3]string{"same", "different", "same"}, "municipality",
			nil},
	} {
		t.Run(string(c.person), func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := command(t, "-json", "-person", string(c.person))
			var r report
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != c.code || stderr != "" {
				t.Fatalf("exit %d, %v, stderr %q", code, err, stderr)
			}
			noPersonalData(t, stdout)
			if r.Outcome != c.outcome || r.Reason != c.reason || r.Evidence != nil || r.Personal != nil {
				t.Errorf("report %s %s %v", r.Outcome, r.Reason, r.Evidence)
			}
			if s := r.Signature; s == nil || s.Mode != sign.ModeDigestInfo || s.Revocation != "good" ||
				len(s.DocumentSHA256) != 64 {
				t.Errorf("signature %+v", s)
			}
			var steps []string
			for i, m := range r.Person {
				if m.Outcome != c.match[i] {
					t.Errorf("%s is %s", m.Attribute, m.Outcome)
				}
				for _, f := range m.Findings {
					steps = append(steps, f.Step)
				}
			}
			if len(r.Person) != 3 || len(steps) == 0 || steps[0] != c.step {
				t.Errorf("%d attributes, steps %v", len(r.Person), steps)
			}
			if l := r.Law; l == nil || !slices.Equal(l.Review, c.review) || len(l.Missing) > 0 ||
				l.Complete != (c.review == nil) || !strings.Contains(l.Notice, "not legal advice") {
				t.Errorf("law %+v", l)
			}
		})
	}
}

func TestPersonalDataOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"-json=true", "-json=false"} {
		_, stdout, _ := command(t, "-person", "taro", "-show-personal", form)
		for _, want := range []string{"髙確　太郎", "高確　太郎"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s lacks %q", form, want)
			}
		}
	}
}

func TestEvidenceIsChainedAndHoldsTheCertificate(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	for range 2 {
		if code, _, stderr := command(t, "-evidence", log); code != exitOpened {
			t.Fatal(stderr)
		}
	}
	opened, err := openLog(t.Context(), log, at)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := opened.log.Size(t.Context()); err != nil || n != 2 {
		t.Fatalf("%d records, %v", n, err)
	}
	if code, stdout, _ := command(t, "-json", "-evidence", log); code != exitRefused ||
		strings.Contains(stdout, "申込番号") {
		t.Errorf("two banks write to one log: exit %d\n%s", code, stdout)
	}
	record, err := opened.log.Record(t.Context(), 0)
	opened.close()
	if err != nil || record.Held == nil || !record.PersonCompared || record.Basis != "犯罪による収益の移転防止に関する法律" {
		t.Errorf("record: %v", err)
	}

	// A log that somebody changed is not continued, and the customer is not even asked to sign.
	entries := filepath.Join(log, "entries.log")
	kept, err := os.ReadFile(entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(entries, bytes.Replace(kept, []byte(`"SHA-256"`), []byte(`"SHA-512"`), 1),
		0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "-json", "-evidence", log)
	if code != exitRefused || stderr == "" || strings.Contains(stdout, "申込番号") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestACardWithoutSigningCertificateIsRefused(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, "-person", "pupil", "-lang", "en")
	if code != exitRefused || !strings.Contains(stdout, "Result: refused") ||
		!strings.Contains(stderr, "certificate is no longer valid") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
}

// inWorld opens an account in a world that was changed after it was made.
func inWorld(t *testing.T, person person.Persona, change func(*world)) (r report, logged string, err error) {
	t.Helper()
	var b bytes.Buffer
	w, err := newWorld(t.Context(), around(t), person, slog.New(slog.NewTextHandler(&b, nil)))
	if err != nil {
		t.Fatal(err)
	}
	change(w)
	r, err = openAccount(t.Context(), w, options{
		business: certifiedVerifier, lang: "en", purpose: "salary", occupation: "student",
	})
	w.close()
	return r, b.String(), err
}

func TestRevocationFailsClosed(t *testing.T) {
	t.Parallel()
	r, _, err := inWorld(t, person.Hanako, func(w *world) { w.ocspURL = "http://127.0.0.1:1/ocsp" })
	if !errors.Is(err, &sign.Error{Reason: sign.ReasonCertificate}) || kakunin.FamilyOf(err) != kakunin.Unavailable ||
		r.Signature != nil || r.Outcome == opened {
		t.Errorf("a responder that does not answer: %v", err)
	}
	r, _, err = inWorld(t, person.Hajime, func(w *world) {
		der, _ := w.card.Certificates()
		leaf, err := jpki.ParseCertificate(der)
		if err == nil {
			err = w.jpki.SigningCA().Revoke(leaf.X509().SerialNumber,
				issuer.Revocation{Reason: 1, At: at().Add(-time.Hour)})
		}
		var refused *issuer.Error
		if errors.As(err, &refused) && refused.Reason == issuer.ReasonAlreadyRevoked {
			err = nil // by an earlier run of this test: the tests share the authorities
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if !errors.Is(err, &sign.Error{Reason: sign.ReasonCertificate}) || kakunin.FamilyOf(err) != kakunin.Account ||
		r.Signature != nil || r.Outcome == opened {
		t.Errorf("a revoked certificate: %v", err)
	}
}

func TestOtherTextThanSignedIsRefused(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), around(t), person.Hanako, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, business := range []string{certifiedVerifier, privateBusiness} {
		b, err := w.bank(t.Context(), options{business: business})
		if err != nil {
			t.Fatal(err)
		}
		a := newApplication(options{lang: "en", purpose: "living", occupation: "student"}, at())
		onFile, err := typed(w.person.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.haveSigned(t.Context(), filed{
			Business: business, Number: a.number, Text: a.text, OnFile: onFile.RevealAll(),
		}, w.visitor.Approve)
		if err != nil {
			t.Fatal(err)
		}
		s.text = strings.Replace(s.text, "living expenses", "salary", 1)
		_, err = b.verify(t.Context(), s)
		if !errors.Is(err, &sign.Error{Reason: sign.ReasonDocument}) {
			t.Errorf("%s, another text: %v", business, err)
		}
	}
}

// TestPrivateBank: the operator's key and the certificate are in nobody's hands but its own, and an operator that errs
// or is not there opens no account.
func TestPrivateBank(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), around(t), person.Hanako, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	o := options{business: privateBusiness, lang: "en", purpose: "living", occupation: "student", evidence: t.TempDir()}
	b, err := w.business(o)
	if err != nil || b.opener != nil || b.verifier != nil {
		t.Errorf("a private bank opens: %v", err)
	}
	r, err := openAccount(t.Context(), w, o)
	if err != nil || r.Outcome != needsHuman || r.Evidence == nil || r.Evidence.Records != 1 || r.Evidence.Certificate {
		t.Errorf("%+v, %v", r, err)
	}
	if kept := w.service.Verifications(); len(kept) != 1 || kept[0].ID != r.Signature.VerificationID {
		t.Errorf("%d verifications", len(kept))
	}
	for name, c := range map[string]struct {
		knobs  daa.Knobs
		reason operator.Reason
		family kakunin.Family
	}{
		"another transaction": {
			daa.Knobs{Operator: platform.Knobs{Answer: platform.AnswerOtherTransaction}},
			operator.ReasonOtherVerdict, kakunin.Untrusted,
		},
		"an earlier verdict": {
			daa.Knobs{Operator: platform.Knobs{Answer: platform.AnswerReplay}}, operator.ReasonOtherVerdict,
			kakunin.Untrusted,
		},
		"not there": {
			daa.Knobs{Network: daa.NetworkKnobs{
				Fault: daa.NetworkReset, Endpoints: []daa.Endpoint{daa.EndpointOperator},
			}},
			operator.ReasonTransport, kakunin.Unavailable,
		},
		"altered on the way": {
			daa.Knobs{Sign: daa.SignKnobs{AlterSignature: true}}, operator.ReasonSignature, kakunin.Untrusted,
		},
	} {
		w.service.SetKnobs(c.knobs)
		r, err := openAccount(t.Context(), w, o)
		if !errors.Is(err, &operator.Error{Reason: c.reason}) || kakunin.FamilyOf(err) != c.family ||
			r.Signature != nil ||
			r.Outcome == opened || r.Evidence != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestLogsHoldNoPersonalData(t *testing.T) {
	t.Parallel()
	for _, person := range []person.Persona{person.Hanako, person.Akira} {
		_, logged, err := inWorld(t, person, func(*world) {})
		if err != nil || logged == "" {
			t.Errorf("%v, %d bytes logged", err, len(logged))
		}
		noPersonalData(t, logged)
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	p, _ := law.Lookup(law.CriminalProceeds)
	founded := p.Methods[:1]
	match := func(outcomes ...fourinfo.Outcome) (all []fourinfo.FieldMatch) {
		for _, o := range outcomes {
			all = append(all, fourinfo.FieldMatch{Outcome: o})
		}
		return all
	}
	for _, c := range []struct {
		matches []fourinfo.FieldMatch
		result  law.Result
		want    outcome
		reason  string
	}{
		{nil, law.Result{Methods: founded}, needsHuman, "person-review"},
		{match(fourinfo.Same), law.Result{Methods: founded}, opened, "complete"},
		{match(fourinfo.Same), law.Result{}, needsHuman, "law-review"},
		{match(fourinfo.Same, fourinfo.OutcomeUnknown), law.Result{Methods: founded}, needsHuman, "person-review"},
		{match(fourinfo.NeedsReview, fourinfo.Different), law.Result{Methods: founded}, refused, "person-different"},
		{match(fourinfo.Same), law.Result{Methods: founded, Missing: []law.Item{law.Birthdate}}, needsHuman,
			"law-review"},
		{match(fourinfo.NeedsReview), law.Result{Methods: founded, Missing: []law.Item{law.Reason}}, refused,
			"not-declared"},
		{match(fourinfo.Same), law.Result{Methods: founded, Refused: []law.Item{law.NotAChild}}, refused,
			"law-refused"},
	} {
		if got, reason := decide(c.matches, p, c.result); got != c.want || reason != c.reason {
			t.Errorf("%v %+v: %s, %s", c.matches, c.result, got, reason)
		}
	}
	if outcome("").exitCode() != exitRefused {
		t.Error("the zero outcome opens something")
	}
}

func TestEveryKeyHasWordsInBothLanguages(t *testing.T) {
	t.Parallel()
	for key, w := range words {
		if w.JA == "" || w.EN == "" || strings.Count(w.JA, "%") != strings.Count(w.EN, "%") {
			t.Errorf("%s: %q, %q", key, w.JA, w.EN)
		}
	}
	for _, key := range []string{"opened", "refused", "needs-human", "failed", "complete", "person-different",
		"person-review", "not-declared", "law-refused", "law-review", string(waiting), string(recorded),
		"recorded-before", "lost", "later", "given-up", "other-business"} {
		if _, ok := words[key]; !ok {
			t.Errorf("no words for %s", key)
		}
	}
	p, _ := law.Lookup(law.CriminalProceeds)
	for _, q := range p.Requirements {
		if _, ok := words[string(q.Item)]; !ok && !q.HighRisk {
			t.Errorf("no words for the item %s", q.Item)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"stray"}, {"-no-such-flag"}, {"-person", "nobody"}, {"-purpose", "crime"}, {"-business", "government"},
		{"-occupation", "x"}, {"-lang", "fr"},
		{"-batch", "a"}, {"-against", "b"}, {"-batch", "a", "-against", "b", "-person", "taro"},
		{"-batch", "no-such-file", "-against", "neither"},
	} {
		if code, stdout, stderr := command(t, args...); code != exitUsage || stdout != "" || stderr == "" {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := command(t, "-h"); code != exitOpened || !strings.Contains(stderr, "-show-personal") {
		t.Errorf("-h: exit %d\n%s", code, stderr)
	}
}

func TestACallerWhoHasLeftOpensNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, around(t), []string{"-lang", "en"}, &out, &errs); code != exitRefused ||
		strings.Contains(out.String(), "was opened") {
		t.Errorf("exit %d\n%s", code, out.String())
	}
}
