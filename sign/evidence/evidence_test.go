package evidence_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 987654321, time.UTC)

func clock() time.Time { return now }

const document = "利用規約に同意します。"

var hanako = issuer.Subject{
	Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
	PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
}

// verified is a real report: signed with a key of the test JPKI, verified by sign.Verifier.
var verified = sync.OnceValue(func() *sign.Report {
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
	list, err := j.SigningCA().CRL(leaf)
	must(err)
	crls := new(revocation.Store)
	must(crls.Add(context.Background(), bytes.NewReader(list)))
	digest := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	must(err)
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(crls), Now: clock,
	})
	must(err)
	r, err := v.Verify(fatalContext(), sign.NewOpened(signature, cert), sign.Expect{
		Document: strings.NewReader(document), Mode: sign.ModeDigestInfo,
		Transaction: &sign.Transaction{ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: sign.ModeDigestInfo,
			Digest: digest, MediaType: "text/plain; charset=utf-8"},
	})
	must(err)
	return r
})

func record(t *testing.T, opts ...evidence.Option) *evidence.Record {
	t.Helper()
	r, err := evidence.FromReport(verified(), now, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordHoldsWhatProvesAndNothingPersonal(t *testing.T) {
	t.Parallel()
	rep := verified()
	rec := record(t, evidence.Basis("犯収法"), evidence.Clock("NTP"), evidence.RetainUntil(now.AddDate(7, 0, 0)))
	digest := sha256.Sum256([]byte(document))
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	for name, ok := range map[string]bool{
		"version": rec.Version == evidence.Version,
		"document": rec.Document == evidence.DocumentRef{Algorithm: "SHA-256", Hash: hex.EncodeToString(digest[:]),
			MediaType: "text/plain; charset=utf-8"},
		"mode":        rec.Mode == sign.ModeDigestInfo,
		"transaction": rec.TransactionID == rep.TransactionID,
		"signature":   rec.SignatureSHA256 == sum(rep.Opened.RevealSignature()),
		"certificate": rec.Certificate.SHA256 == sum(rep.Certificate.Raw()) && rec.Certificate.Kind == "signing-card" &&
			rec.Certificate.Environment == "test",
		"anchor": rec.Certificate.AnchorSHA256 == hex.EncodeToString(rep.Chain.AnchorFingerprint[:]) &&
			rec.Certificate.IssuerKeyID == hex.EncodeToString(rep.Chain.AnchorKeyID),
		"revocation": rec.Revocation.Method == "CRL" && rec.Revocation.Status == "good" &&
			rec.Revocation.SHA256 == sum(rep.Chain.Revocation.Evidence) && rec.Revocation.ThisUpdate != nil &&
			rec.Revocation.NextUpdate != nil,
		"times": rec.VerifiedAt.Equal(now.Truncate(time.Second)) && rec.At.Equal(now.Truncate(time.Second)) &&
			rec.RecordedAt.Equal(now.Truncate(time.Second)),
		"steps":       len(rec.Steps) == len(rep.Steps),
		"options":     rec.Basis == "犯収法" && rec.Clock == "NTP" && rec.RetainUntil.Year() == 2033,
		"nothing DER": rec.Held == nil,
	} {
		if !ok {
			t.Errorf("%s is not what was verified", name)
		}
	}
	b, err := rec.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{"確認", "花子", "清瀬", "架空", "1988", rep.Certificate.X509().SerialNumber.String(),
		rep.Certificate.X509().SerialNumber.Text(16), rep.Certificate.X509().Subject.CommonName} {
		if strings.Contains(string(b), personal) {
			t.Errorf("the record holds %q", personal)
		}
	}
}

func TestMarshalAndParse(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]evidence.Option{nil, {evidence.Basis("電子帳簿 保存 <&> \"x\"")}, {evidence.WithCertificate()}} {
		rec := record(t, opts...)
		b, err := rec.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := evidence.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.Marshal()
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%s\ncame back as\n%s", b, again)
		}
	}
}

// TestHashIsRFC8785 recomputes a hash as another implementation would: sorted members, no white space.
func TestHashIsRFC8785(t *testing.T) {
	t.Parallel()
	b, err := record(t, evidence.Basis("a<b>&c 犯収法")).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	want := m["hash"]
	delete(m, "hash")
	var out bytes.Buffer
	writeCanonical(&out, m)
	if sum := sha256.Sum256(out.Bytes()); hex.EncodeToString(sum[:]) != want {
		t.Errorf("hash over %s", out.Bytes())
	}
}

func TestHeldCanBeDeletedAlone(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	kept, err := l.Append(t.Context(), verified(), evidence.WithCertificate())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := l.Record(t.Context(), kept.Index)
	if err != nil {
		t.Fatal(err)
	}
	held := rec.Held.Reveal()
	if !bytes.Equal(held.Certificate, verified().Opened.RevealCertificate()) ||
		!bytes.Equal(held.Signature, verified().Opened.RevealSignature()) {
		t.Error("the certificate or the signature is not kept")
	}
	var lists []revocation.ListEvidence
	if err := json.Unmarshal(held.Revocation, &lists); err != nil || len(lists) != 1 ||
		len(rec.Revocation.Lists) != 1 || rec.Revocation.Lists[0] != lists[0].SHA256 {
		t.Errorf("the evidence of the revocation status is not kept: %v, %v", err, rec.Revocation.Lists)
	}
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	before, err := l.Verify(t.Context(), evidence.Verification{})
	if err != nil || before.Records != 2 || before.Held != 1 {
		t.Errorf("%+v, %v", before, err)
	}
	point := checkpointOf(t, l)
	for range 2 { // once more does nothing
		if err := l.DeleteHeld(t.Context(), kept.Index, "request of the person"); err != nil {
			t.Fatal(err)
		}
	}
	after, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: []evidence.Checkpoint{point}})
	if err != nil || point.Root != before.Root || after.Held != 0 || after.Deleted != 1 || after.Notes != 1 ||
		after.Records != 3 {
		t.Errorf("after deletion: %+v, %v", after, err)
	}
	if again, err := l.Record(t.Context(), kept.Index); err != nil || again.Held != nil || again.Hash != rec.Hash {
		t.Errorf("after deletion: %v", err)
	}
	whole, err := rec.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	for name, change := range map[string][2]string{
		"signature":  {encode(held.Signature), encode([]byte{1})},
		"revocation": {encode(held.Revocation), encode([]byte("[]"))},
	} {
		swapped := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if _, err := evidence.Parse(swapped); reasonOf(err) != evidence.ReasonHash || bytes.Equal(whole, swapped) {
			t.Errorf("another %s beside the record: %v", name, err)
		}
	}
	if shown, err := json.Marshal(rec); err != nil || bytes.Contains(shown, []byte(encode(held.Certificate))) ||
		strings.Contains(fmt.Sprintf("%v %+v %#v %s", rec, *rec, rec, rec.Held), fmt.Sprintf("%x", held.Signature)) {
		t.Errorf("the record shows what it holds: %v", err)
	}
	badList := *rec
	revocation := *rec.Revocation
	revocation.Lists = []string{"no hash"}
	badList.Revocation = &revocation
	b, err := json.Marshal(&badList)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Parse(b); reasonOf(err) != evidence.ReasonFormat {
		t.Errorf("a list without a hash: %v", err)
	}
}

// TestSignatureOfAnotherTransaction: one signature value proves one transaction, whoever opened the log.
func TestSignatureOfAnotherTransaction(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	l := newLog(t, store)
	another := *verified()
	another.TransactionID = "00000000-0000-0000-0000-000000000000"
	copied, err := evidence.FromReport(&another, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendRecords(t.Context(), record(t), copied); reasonOf(err) != evidence.ReasonReused {
		t.Errorf("in one batch: %v", err)
	}
	if n, err := l.Size(t.Context()); err != nil || n != 0 {
		t.Errorf("%d records of the refused batch, %v", n, err)
	}
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*evidence.Log{"the log": l, "a log opened again": newLog(t, store)} {
		if kept, err := l.Append(t.Context(), &another); kept.Record != nil || reasonOf(err) != evidence.ReasonReused ||
			kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.Append(t.Context(), verified()); err != nil { // the same transaction, verified once more
		t.Error(err)
	}
	if s, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || s.Records != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func localKeys(tb testing.TB) *evidence.LocalKeys {
	tb.Helper()
	keys, err := evidence.NewLocalKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func get(tb testing.TB, l *evidence.Log, index int64) *evidence.Record {
	tb.Helper()
	r, err := l.Record(context.Background(), index)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk gone") }

func TestOnlyWhatHeldIsEvidence(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sign.Report){
		"status": func(r *sign.Report) { c := *r.Chain; c.Status = jpki.Unknown; r.Chain = &c },
		"step": func(r *sign.Report) {
			r.Steps = append(r.Steps[:len(r.Steps):len(r.Steps)],
				jpki.Step{Name: "x"})
		},
		"no steps": func(r *sign.Report) { r.Steps = nil },
		"control character in a step": func(r *sign.Report) {
			r.Steps = append(r.Steps[:len(r.Steps):len(r.Steps)], jpki.Step{Name: "x", Clause: "a\nb", OK: true})
		},
		"no chain":     func(r *sign.Report) { r.Chain = nil },
		"no leaf":      func(r *sign.Report) { r.Certificate = nil },
		"no signature": func(r *sign.Report) { r.Opened = nil },
		"no mode":      func(r *sign.Report) { r.Mode = 0 },
	} {
		r := *verified()
		change(&r)
		if rec, err := evidence.FromReport(&r, now); rec != nil || err == nil {
			t.Errorf("%s: became evidence", name)
		}
	}
	if rec, err := evidence.FromReport(nil, now); rec != nil || reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("nil: %v", err)
	}
}

// A clause may quote an object identifier: long rows of digits and dots that are no individual number.
func TestStepsMayQuoteObjectIdentifiers(t *testing.T) {
	t.Parallel()
	const clause = "policy 1.2.392.200149.8.5.1.1.20"
	r := *verified()
	r.Steps = append(r.Steps[:len(r.Steps):len(r.Steps)], jpki.Step{Name: "profile.policy", Clause: clause, OK: true})
	rec, err := evidence.FromReport(&r, now)
	if err != nil || rec.Steps[len(rec.Steps)-1].Clause != clause {
		t.Fatalf("%v", err)
	}
	if rec, err := evidence.FromReport(&r, now, evidence.Basis(clause)); rec != nil ||
		reasonOf(err) != evidence.ReasonText {
		t.Errorf("as free text: %v", err)
	}
}

func TestFromVerdict(t *testing.T) {
	t.Parallel()
	sealed, err := sign.ParseSealed("aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn")
	if err != nil {
		t.Fatal(err)
	}
	tx := &sign.Transaction{ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: sign.ModeBareHash,
		Digest: sha256.Sum256([]byte(document)), MediaType: "text/plain"}
	good := sign.Verdict{VerificationID: "v-1", Status: jpki.Good, VerifiedAt: now, Method: "OCSP",
		SourceUpdatedAt: now.Add(-time.Minute)}
	rec, err := evidence.FromVerdict(evidence.Judged{Verdict: &good, Sealed: sealed, Transaction: tx}, now,
		evidence.Basis("犯収法"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := rec.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := evidence.Parse(b); err != nil || back.Operator.VerificationID != "v-1" || back.Certificate != nil {
		t.Errorf("%v", err)
	}
	if strings.Contains(string(b), "Y2lwaGVy") {
		t.Error("the sealed result is kept")
	}
	for name, c := range map[string]struct {
		change func(*sign.Verdict)
		want   evidence.Reason
	}{
		"revoked":  {func(v *sign.Verdict) { v.Status = jpki.Revoked }, evidence.ReasonNotVerified},
		"unknown":  {func(v *sign.Verdict) { v.Status = jpki.Unknown }, evidence.ReasonNotVerified},
		"no id":    {func(v *sign.Verdict) { v.VerificationID = "" }, evidence.ReasonRequest},
		"long id":  {func(v *sign.Verdict) { v.VerificationID = strings.Repeat("x", 300) }, evidence.ReasonFormat},
		"odd time": {func(v *sign.Verdict) { v.VerifiedAt = time.Time{} }, evidence.ReasonFormat},
	} {
		v := good
		c.change(&v)
		if rec, err := evidence.FromVerdict(evidence.Judged{Verdict: &v, Sealed: sealed, Transaction: tx},
			now); rec != nil || reasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := evidence.FromVerdict(evidence.Judged{Verdict: &good, Sealed: sealed, Transaction: tx}, now,
		evidence.WithCertificate()); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("certificate of a verdict: %v", err)
	}
}

// TestTextRefusesIndividualNumbers: whatever a person types into the basis, twelve digits must not get into a log that
// is kept for years.
func TestTextRefusesIndividualNumbers(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"123456789018", "1234-5678-9018", "1234 5678 9018", "１２３４５６７８９０１８", "１２３４　５６７８　９０１８", "本人 123456789018 の",
		"1234.5678.9018", "12 34 56 78 90 18", "1234５６７８9018", "1234567890189999", "١٢٣٤٥٦٧٨٩٠١٨", "1234–5678—9018",
		"1234+5678+9018",
		"line\nbreak", "nul\x00", "\u202eoverride", "bad\xff", strings.Repeat("a", limits.EvidenceText+1),
	} {
		for name, opt := range map[string]evidence.Option{"basis": evidence.Basis(s), "clock": evidence.Clock(s)} {
			rec, err := evidence.FromReport(verified(), now, opt)
			if rec != nil || reasonOf(err) != evidence.ReasonText || strings.Contains(err.Error(), "1234") {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
	}
	for _, s := range []string{"", "犯収法 規則6条1項1号カ", "2026-11-21", "12345678901", "電子署名法 3条, 法17条4項"} {
		if _, err := evidence.FromReport(verified(), now, evidence.Basis(s)); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for r := evidence.ReasonRequest; r <= evidence.ReasonIO; r++ {
		e := &evidence.Error{Reason: r, Step: "x"}
		if e.Family() == kakunin.Unclassified || r.String() == "unknown" ||
			kakunin.MessageFor(e, kakunin.Japanese) == "" || kakunin.MessageFor(e, kakunin.English) == "" {
			t.Errorf("reason %d has no entry", r)
		}
	}
}
