package report_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/report"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 987654321, time.UTC)

func clock() time.Time { return now }

const document = "利用規約に同意します。"

var hanako = issuer.Subject{
	Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
	PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
}

// personal are the values that must not be in a report without being asked for.
var personal = []string{"確認", "花子", "清瀬", "架空町", "1988", "昭和", "19880723"}

type world struct {
	verifier *sign.Verifier
	opened   *sign.Opened
	revoked  *sign.Verifier
	stamped  *timestamp.Timestamp
}

var shared = sync.OnceValue(func() *world {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	j, err := issuer.New(issuer.Config{Now: clock})
	must(err)
	key := j.Key("hanako signing")
	cert, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	must(err)
	leaf, err := x509.ParseCertificate(cert)
	must(err)
	verifier := func() *sign.Verifier {
		list, err := j.SigningCA().CRL(leaf)
		must(err)
		crls := new(revocation.Store)
		must(crls.Add(context.Background(), bytes.NewReader(list)))
		v, err := sign.NewVerifier(sign.VerifierConfig{
			Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(crls), Now: clock,
		})
		must(err)
		return v
	}
	digest := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	must(err)
	w := &world{verifier: verifier(), opened: sign.NewOpened(signature, cert)}
	must(j.SigningCA().Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.AffiliationChanged,
		At: now.Add(-time.Hour)}))
	w.revoked = verifier()

	a, err := timestamping.New(timestamping.Config{Now: clock})
	must(err)
	root, err := certpath.ParseCertificate(a.Root().Raw)
	must(err)
	tv, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	must(err)
	query, err := timestamp.Of(signature).Marshal()
	must(err)
	token, err := timestamp.ParseResponse(a.Answer(query, timestamping.Faults{}))
	must(err)
	w.stamped, err = tv.Verify(context.Background(), token, timestamp.Expect{Request: timestamp.Of(signature)})
	must(err)
	return w
})

func expect(doc string) sign.Expect {
	return sign.Expect{
		Document: strings.NewReader(doc), Mode: sign.ModeDigestInfo, Accept: sign.NormalisedPerson,
		Person: &fourinfo.Person{Name: fourinfo.NewName("確認 花子"), Address: fourinfo.NewAddress("東京都清瀬市架空町1-2-3")},
	}
}

func verified(t testing.TB) *sign.Report {
	t.Helper()
	r, err := shared().verifier.Verify(context.Background(), shared().opened, expect(document))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failure(t testing.TB) error {
	t.Helper()
	_, err := shared().revoked.Verify(context.Background(), shared().opened, expect(document))
	if !errors.Is(err, &jpki.Error{Reason: jpki.ReasonRevoked}) {
		t.Fatal(err)
	}
	return err
}

// all are the reports that tests look at.
func all(t testing.TB) map[string]*report.Report {
	t.Helper()
	_, other := shared().verifier.Verify(context.Background(), shared().opened, expect(document+"."))
	tx := &sign.Transaction{
		ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: sign.ModeDigestInfo, MediaType: "text/plain; charset=utf-8",
	}
	stamps := []*timestamp.Timestamp{shared().stamped}
	reports := map[string]*report.Report{}
	for name, c := range map[string]struct {
		verified *sign.Report
		failure  error
		options  report.Options
	}{
		"good":             {verified(t), nil, report.Options{Timestamps: stamps}},
		"revealed":         {verified(t), nil, report.Options{Reveal: true}},
		"revoked":          {nil, failure(t), report.Options{Transaction: tx}},
		"another document": {nil, other, report.Options{}},
		"a defect":         {nil, errors.New("確認 花子"), report.Options{Transaction: tx}},
	} {
		c.options.Now = clock
		r, err := report.Of(sign.Outcome{Report: c.verified, Err: c.failure}, c.options)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		reports[name] = r
	}
	return reports
}

func TestReports(t *testing.T) {
	t.Parallel()
	for name, r := range all(t) {
		b, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := r.Render(&page); err != nil {
			t.Fatal(err)
		}
		printed := fmt.Sprintf("%v %+v %#v", r, *r, r)
		plain, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range personal {
			if name != "revealed" && (bytes.Contains(b, []byte(value)) ||
				strings.Contains(withoutWords(page.String()), value)) {
				t.Errorf("%s: %q is in the report", name, value)
			}
			if strings.Contains(printed, value) && value != "確認" || bytes.Contains(plain, []byte(value)) {
				t.Errorf("%s: %q is printed", name, value)
			}
		}
		again, err := report.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if b2, err := again.Marshal(); err != nil || !bytes.Equal(b, b2) {
			t.Errorf("%s: read and written it is something else", name)
		}
		if err := validate(t, b); err != nil {
			t.Errorf("%s: against the schema: %v", name, err)
		}
	}
	revealed := all(t)["revealed"].Revealed.Reveal()
	if revealed.Name != hanako.Name || revealed.Address != hanako.Address || revealed.Birthdate == nil ||
		revealed.Gender.EN != "female" {
		t.Errorf("got %+v", revealed)
	}
}

// withoutWords leaves out the words of the page that are also part of the name.
func withoutWords(page string) string { return strings.ReplaceAll(page, "確認", "") }

func TestFailures(t *testing.T) {
	t.Parallel()
	reports := all(t)
	f := reports["revoked"].Failure
	if f.Reason != "certificate revoked" || f.Step != "revocation.status" || f.Family != "account" ||
		f.Text.JA != "証明書が失効しています" {
		t.Errorf("revoked: %+v", f)
	}
	f = reports["another document"].Failure
	if f.Reason != "signature does not verify" || f.Step != "signature.value" || f.Family != "untrusted" {
		t.Errorf("another document: %+v", f)
	}
	if f = reports["a defect"].Failure; f.Reason != "unknown" || f.Family != "unclassified" {
		t.Errorf("a defect: %+v", f)
	}
	for name, c := range map[string]struct {
		verified *sign.Report
		failure  error
		options  report.Options
	}{
		"nothing": {}, "both": {verified(t), failure(t), report.Options{}},
		"an empty report": {&sign.Report{}, nil, report.Options{}},
		"no timestamp":    {verified(t), nil, report.Options{Timestamps: []*timestamp.Timestamp{nil}}},
	} {
		if _, err := report.Of(sign.Outcome{Report: c.verified, Err: c.failure}, c.options); !errors.Is(err,
			&report.Error{Reason: report.ReasonRequest}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every reason and every step of a verification is in both languages.
func TestEverythingIsInWords(t *testing.T) {
	t.Parallel()
	reasons := 0
	for i := range 40 {
		for _, err := range []error{&sign.Error{Reason: sign.Reason(i)}, &jpki.Error{Reason: jpki.Reason(i)}} {
			r, e := report.Of(sign.Outcome{Err: err}, report.Options{Now: clock})
			if e != nil {
				t.Fatal(e)
			}
			if r.Failure.Reason == "unknown" {
				continue
			}
			reasons++
			if r.Failure.Text.EN == "the verification failed" {
				t.Errorf("%s has no words", r.Failure.Reason)
			}
		}
	}
	if reasons < 30 {
		t.Errorf("only %d reasons", reasons)
	}
	for _, s := range all(t)["good"].Steps {
		if s.Text.JA == s.Name || s.Text.EN == s.Name {
			t.Errorf("%s has no words", s.Name)
		}
	}
	for _, name := range []string{"cms.attributes", "document.undisclosed", "transaction.time", "revocation.skipped",
		"person.name"} {
		if s := report.StepOf(jpki.Step{Name: name}); s.Text.JA == name {
			t.Errorf("%s has no words", name)
		}
	}
	if s := report.StepOf(jpki.Step{Name: "of.tomorrow"}); s.Text.JA != "of.tomorrow" {
		t.Errorf("a step that is not known: %+v", s)
	}
	if f := report.FindingOf("width"); f.Text.JA != "全角と半角" {
		t.Errorf("a finding: %+v", f)
	}
}

// The page needs no script and no network, and is whole under its own policy.
func TestPage(t *testing.T) {
	t.Parallel()
	for name, r := range all(t) {
		var out bytes.Buffer
		if err := r.Render(&out); err != nil {
			t.Fatal(err)
		}
		page := out.String()
		for _, word := range []string{"<script", "http://", "https://", " style=", " src=", " href=", "javascript",
			"onclick", "@import", "url("} {
			if strings.Contains(page, word) {
				t.Errorf("%s: the page has %q", name, word)
			}
		}
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
		if style == nil {
			t.Fatal("no style")
		}
		sum := sha256.Sum256([]byte(style[1]))
		if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(report.Policy(), "'sha256-"+hash+"'") {
			t.Errorf("%s: the policy does not allow the style of the page", name)
		}
		if !strings.Contains(page, `content="default-src &#39;none&#39;`) {
			t.Error("the policy is not in the page")
		}
		if r.Valid != strings.Contains(page, "検証に成功しました") ||
			r.Valid == strings.Contains(page, "The verification failed.") {
			t.Errorf("%s: another verdict", name)
		}
		folder := os.Getenv("REPORT_FILES") // for another validator
		if folder == "" {
			continue
		}
		data, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".json"), data,
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := all(t)["good"]
	f := r.Person[1].Findings[0]
	if r.Person = r.Person[1:2]; strings.Count(pageOf(t, r), f.Text.JA) != 1 {
		t.Error("a finding is not on the page")
	}
	r.Person[0].Findings = append(r.Person[0].Findings, f, f)
	if strings.Count(pageOf(t, r), f.Text.JA) != 1 {
		t.Error("findings of one kind are not one on the page")
	}
	r.TransactionID = `"><script>alert(1)</script>`
	var out bytes.Buffer
	if err := r.Render(&out); err != nil || strings.Contains(out.String(), "<script") {
		t.Errorf("a text with markup: %v", err)
	}
	if err := r.Render(failing{}); !errors.Is(err, &report.Error{Reason: report.ReasonWrite}) {
		t.Errorf("a writer that fails: %v", err)
	}
}

func pageOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Render(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestParseRefusals(t *testing.T) {
	t.Parallel()
	b, err := all(t)["good"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"nothing":             nil,
		"another version":     bytes.Replace(b, []byte(`"version": 1`), []byte(`"version": 2`), 1),
		"an unknown member":   bytes.Replace(b, []byte(`"version"`), []byte(`"more": 1, "version"`), 1),
		"a member twice":      bytes.Replace(b, []byte(`"version"`), []byte(`"valid": true, "version"`), 1),
		"not valid, no why":   bytes.Replace(b, []byte(`"valid": true`), []byte(`"valid": false`), 1),
		"valid, of nothing":   []byte(`{"version":1,"valid":true,"created_at":"2026-11-21T03:00:00Z"}`),
		"more behind":         append(bytes.Clone(b), '1'),
		"larger than records": append(bytes.Clone(b), bytes.Repeat([]byte(" "), 2<<20)...),
	} {
		if _, err := report.Parse(bad); !errors.Is(err, &report.Error{Reason: report.ReasonFormat}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: what is read is written again as the same, and fits the schema's members.
func FuzzParse(f *testing.F) {
	for _, r := range all(f) {
		b, err := r.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := report.Parse(b)
		if err != nil {
			return
		}
		first, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := report.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Marshal(); err != nil || !bytes.Equal(first, second) {
			t.Fatal("written twice it is something else")
		}
	})
}
