package sign_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		e := expect(mode)
		e.Transaction, e.Person = transaction(mode), person(hanako)
		r, err := v.Verify(t.Context(), w.opened(t, mode), e)
		if err != nil {
			t.Fatalf("%s: %v: %v", mode, err, errors.Unwrap(err))
		}
		if r.Mode != mode || r.Digest != e.Transaction.Digest || r.TransactionID != e.Transaction.ID ||
			!r.PersonCompared ||
			r.Chain.Status != jpki.Good || r.Chain.Revocation.Method != "CRL" || !r.VerifiedAt.Equal(now) ||
			!r.At.Equal(now) ||
			!bytes.Equal(r.Certificate.Raw(), w.cert) {
			t.Errorf("%s: incomplete report %v", mode, r)
		}
		var names []string
		for _, s := range r.Steps {
			if !s.OK || s.Clause == "" {
				t.Errorf("%s: step %s: OK %v, clause %q", mode, s.Name, s.OK, s.Clause)
			}
			names = append(names, s.Name)
		}
		for _, name := range []string{"mode.explicit", "certificate.kind", "key.rsa2048", "signature.length",
			"signature.range",
			"document.hash", "signature.value", "chain.signature", "revocation.status", "person"} {
			if !slices.Contains(names, name) {
				t.Errorf("%s: no step %s in %v", mode, name, names)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{"確認", "花子", "架空町", "1988"} {
			if b, _ := json.Marshal(r); strings.Contains(string(b)+fmt.Sprintf("%v %+v %#v", r, r, r), secret) {
				t.Errorf("the report prints %s", secret)
			}
		}
	}
}

// TestVerifyRefusals: every case ends without a report, with the reason, the family and the failed step.
func TestVerifyRefusals(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	stranger := w.jpki.Key("stranger signing")
	strangersCert := w.issue(t, stranger, hanako)
	auth, err := w.jpki.AuthenticationCA().Issue(issuer.Request{Key: &w.key.PublicKey, Holder: hanako,
		IssuedAt: issuedAt})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := issuer.New(issuer.Config{Now: clock, Seed: "another"})
	if err != nil {
		t.Fatal(err)
	}
	foreignCert, err := foreign.SigningCA().Issue(issuer.Request{Key: &w.key.PublicKey, Holder: hanako,
		IssuedAt: issuedAt})
	if err != nil {
		t.Fatal(err)
	}
	otherPerson := hanako
	otherPerson.Birthdate = "19880724"

	type parts struct{ Signature, Certificate []byte }
	type change func(o *parts, e *sign.Expect)
	for _, c := range []struct {
		name   string
		change change
		reason sign.Reason
		family kakunin.Family
		step   string
	}{
		{"nothing opened", nil, sign.ReasonRequest, kakunin.Configuration, "verify"},
		{"no document", func(_ *parts, e *sign.Expect) { e.Document = nil }, sign.ReasonRequest, kakunin.Configuration,
			"verify"},
		{"transaction not begun", func(_ *parts, e *sign.Expect) {
			e.Transaction = transaction(sign.ModeBareHash)
			e.Transaction.Started, e.Transaction.Expires = now.Add(6*time.Minute), now.Add(16*time.Minute)
		}, sign.ReasonTransactionTime, kakunin.Untrusted, "transaction.time"},
		{"transaction long over", func(_ *parts, e *sign.Expect) {
			e.Transaction = transaction(sign.ModeBareHash)
			e.Transaction.Started, e.Transaction.Expires = now.AddDate(0, 0, -2),
				now.AddDate(0, 0, -1).Add(-time.Second)
		}, sign.ReasonTransactionTime, kakunin.Untrusted, "transaction.time"},
		{"transaction over before it began", func(_ *parts, e *sign.Expect) {
			e.Archived, e.Transaction = true, transaction(sign.ModeBareHash)
			e.Transaction.Expires = e.Transaction.Started.Add(-time.Second)
		}, sign.ReasonTransactionTime, kakunin.Untrusted, "transaction.time"},
		{"no mode", func(_ *parts, e *sign.Expect) { e.Mode = sign.ModeUnknown }, sign.ReasonRequest,
			kakunin.Configuration, "mode.explicit"},
		{"mode of the future", func(_ *parts, e *sign.Expect) { e.Mode = 3 }, sign.ReasonRequest, kakunin.Configuration,
			"mode.explicit"},
		{"mode is not the transaction's", func(_ *parts, e *sign.Expect) {
			e.Transaction = transaction(sign.ModeDigestInfo)
		},
			sign.ReasonMode, kakunin.Untrusted, "mode.explicit"},
		{"signature of the other mode", func(o *parts, _ *sign.Expect) {
			o.Signature = w.sign(t, w.key, sign.ModeDigestInfo, document)
		},
			sign.ReasonOtherMode, kakunin.Untrusted, "signature.value"},
		{"altered document", func(_ *parts, e *sign.Expect) { e.Document = strings.NewReader(document + " ") },
			sign.ReasonSignature, kakunin.Untrusted, "signature.value"},
		{"altered document, with transaction", func(_ *parts, e *sign.Expect) {
			e.Document, e.Transaction = strings.NewReader(document+" "), transaction(sign.ModeBareHash)
		}, sign.ReasonDocument, kakunin.Untrusted, "document.hash"},
		{"empty document", func(_ *parts, e *sign.Expect) { e.Document = strings.NewReader("") },
			sign.ReasonSignature, kakunin.Untrusted, "signature.value"},
		{"the digest as document", func(_ *parts, e *sign.Expect) {
			d := sha256.Sum256([]byte(document))
			e.Document = bytes.NewReader(d[:])
		}, sign.ReasonSignature, kakunin.Untrusted, "signature.value"},
		{"certificate of another person", func(o *parts, _ *sign.Expect) { o.Certificate = strangersCert },
			sign.ReasonSignature, kakunin.Untrusted, "signature.value"},
		{"signature by another card", func(o *parts, _ *sign.Expect) {
			o.Signature = w.sign(t, stranger, sign.ModeBareHash, document)
		},
			sign.ReasonSignature, kakunin.Untrusted, "signature.value"},
		{"authentication certificate of the same key", func(o *parts, _ *sign.Expect) { o.Certificate = auth },
			sign.ReasonCertificateForm, kakunin.Untrusted, "certificate.kind"},
		{"certificate of a foreign authority", func(o *parts, _ *sign.Expect) { o.Certificate = foreignCert },
			sign.ReasonCertificate, kakunin.Untrusted, "certificate.status"},
		{"CA certificate", func(o *parts, _ *sign.Expect) { o.Certificate = w.jpki.SigningCA().Certificate().Raw },
			sign.ReasonCertificateForm, kakunin.Untrusted, "certificate.kind"},
		{"certificate cut", func(o *parts, _ *sign.Expect) { o.Certificate = o.Certificate[:500] },
			sign.ReasonCertificateForm, kakunin.Untrusted, "certificate.form"},
		{"certificate and a byte", func(o *parts, _ *sign.Expect) { o.Certificate = append(o.Certificate, 0) },
			sign.ReasonCertificateForm, kakunin.Untrusted, "certificate.form"},
		{"certificate altered", func(o *parts, _ *sign.Expect) { o.Certificate[len(o.Certificate)-1] ^= 1 },
			sign.ReasonCertificate, kakunin.Untrusted, "certificate.status"},
		{"no certificate", func(o *parts, _ *sign.Expect) { o.Certificate = nil }, sign.ReasonCertificateForm,
			kakunin.Untrusted, "certificate.form"},
		{"signature altered", func(o *parts, _ *sign.Expect) { o.Signature[100] ^= 1 }, sign.ReasonSignature,
			kakunin.Untrusted, "signature.value"},
		{"signature short", func(o *parts, _ *sign.Expect) { o.Signature = o.Signature[1:] }, sign.ReasonSignature,
			kakunin.Untrusted, "signature.length"},
		{"signature long", func(o *parts, _ *sign.Expect) { o.Signature = append([]byte{0}, o.Signature...) },
			sign.ReasonSignature, kakunin.Untrusted, "signature.length"},
		{"no signature", func(o *parts, _ *sign.Expect) { o.Signature = nil }, sign.ReasonSignature, kakunin.Untrusted,
			"signature.length"},
		{"signature n", func(o *parts, _ *sign.Expect) { o.Signature = w.key.N.Bytes() }, sign.ReasonSignature,
			kakunin.Untrusted, "signature.range"},
		{"expired", func(_ *parts, e *sign.Expect) { e.At = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC) },
			sign.ReasonCertificate, kakunin.Account, "certificate.status"},
		{"not yet valid", func(_ *parts, e *sign.Expect) { e.At = issuedAt.Add(-time.Second) },
			sign.ReasonCertificate, kakunin.Account, "certificate.status"},
		{"another birthdate", func(_ *parts, e *sign.Expect) { e.Person = person(otherPerson) },
			sign.ReasonPersonMismatch, kakunin.Account, "person.birthdate"},
		{"a person without attributes", func(_ *parts, e *sign.Expect) { e.Person = &fourinfo.Person{} },
			sign.ReasonRequest, kakunin.Configuration, "person"},
	} {
		e, changed := expect(sign.ModeBareHash), parts{w.sign(t, w.key, sign.ModeBareHash, document),
			slices.Clone(w.cert)}
		var o *sign.Opened
		if c.change != nil {
			c.change(&changed, &e)
			o = sign.NewOpened(changed.Signature, changed.Certificate)
		}
		r, err := v.Verify(t.Context(), o, e)
		var typed *sign.Error
		if r != nil || !errors.As(err, &typed) {
			t.Errorf("%s: report %v, error %v", c.name, r, err)
			continue
		}
		if typed.Reason != c.reason || kakunin.FamilyOf(err) != c.family || typed.Step != c.step {
			t.Errorf("%s: %v, family %s", c.name, err, kakunin.FamilyOf(err))
		}
		if m := kakunin.MessageFor(err, kakunin.Japanese); m == "" || strings.Contains(m, "花子") {
			t.Errorf("%s: message %q", c.name, m)
		}
	}
}

// TestTransactionTimes: what is a little early or late is accepted, and an archive says that it is one.
func TestTransactionTimes(t *testing.T) {
	t.Parallel()
	w := shared()
	for name, c := range map[string]struct {
		started, expires time.Time
		archived         bool
		judged           bool
	}{
		"a clock that is ahead": {started: now.Add(4 * time.Minute), expires: now.Add(14 * time.Minute),
			judged: true},
		"fetched the next day": {started: now.Add(-25 * time.Hour), expires: now.Add(-24 * time.Hour),
			judged: true},
		"verified again years later": {started: now.AddDate(-7, 0, 0), expires: now.AddDate(-7, 0, 1), archived: true,
			judged: true},
		"start alone":     {started: now.AddDate(-7, 0, 0), judged: true},
		"times not known": {},
	} {
		e := expect(sign.ModeUnknown) // the transaction's
		e.Transaction, e.Archived = transaction(sign.ModeBareHash), c.archived
		e.Transaction.Started, e.Transaction.Expires = c.started, c.expires
		r, err := w.verifier(t).Verify(t.Context(), w.opened(t, sign.ModeBareHash), e)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		judged := slices.ContainsFunc(r.Steps, func(s jpki.Step) bool { return s.Name == "transaction.time" })
		if judged != c.judged || r.Mode != sign.ModeBareHash {
			t.Errorf("%s: judged %v, mode %s", name, judged, r.Mode)
		}
	}
}

func TestUnusualKeysAreRefused(t *testing.T) {
	t.Parallel()
	w := shared()
	for name, key := range map[string]*rsa.PublicKey{
		"exponent 3": {N: w.key.N, E: 3},
		"1024 bits":  {N: new(big.Int).SetBit(new(big.Int).Rsh(w.key.N, 1024), 0, 1), E: 65537},
	} {
		cert, err := w.jpki.SigningCA().Issue(issuer.Request{Key: key, Holder: hanako, IssuedAt: issuedAt})
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.verifier(t).Verify(t.Context(), sign.NewOpened(w.sign(t, w.key, sign.ModeBareHash, document), cert),
			expect(sign.ModeBareHash))
		if reason := reasonOf(err); r != nil || (reason != sign.ReasonKey && reason != sign.ReasonCertificateForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		reason int
		status kakunin.Family
	}{
		{"affiliationChanged", 3, kakunin.Account},
		{"keyCompromise", 1, kakunin.Account},
		{"certificateHold", 6, kakunin.Account},
	} {
		w := newWorld(t)
		leaf, err := x509.ParseCertificate(w.cert)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.jpki.SigningCA().Revoke(leaf.SerialNumber,
			issuer.Revocation{Reason: c.reason, At: now.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		r, err := w.verifier(t).Verify(t.Context(), w.opened(t, sign.ModeDigestInfo), expect(sign.ModeDigestInfo))
		if r != nil || reasonOf(err) != sign.ReasonCertificate || kakunin.FamilyOf(err) != c.status {
			t.Errorf("%s: %v, %s", c.name, err, kakunin.FamilyOf(err))
		}
	}
	w := shared()
	for name, source := range map[string]revocation.Source{"no list": new(revocation.Store),
		"failing source": failingSource{}} {
		r, err := w.verifier(t, source).Verify(t.Context(), w.opened(t, sign.ModeDigestInfo),
			expect(sign.ModeDigestInfo))
		if r != nil || reasonOf(err) != sign.ReasonCertificate || kakunin.FamilyOf(err) != kakunin.Unavailable {
			t.Errorf("%s: %v, %s", name, err, kakunin.FamilyOf(err))
		}
	}
}

type failingSource struct{}

func (failingSource) Check(context.Context, revocation.Query) (revocation.Answer, error) {
	return revocation.Answer{Status: revocation.Good}, errors.New("no connection")
}

// TestSubstituteCharacter: a name with a substitute character is neither the expected one nor another.
func TestSubstituteCharacter(t *testing.T) {
	t.Parallel()
	w := shared()
	taro := hanako
	taro.Name, taro.NameSubstitutes = "高橋　太郎", "10000"
	key := w.jpki.Key("taro signing")
	o := sign.NewOpened(w.sign(t, key, sign.ModeBareHash, document), w.issue(t, key, taro))
	for name, c := range map[string]struct {
		name string
		want sign.Reason
	}{
		"the person's own spelling":       {"髙橋　太郎", sign.ReasonPersonReview},
		"the certificate's spelling":      {"高橋　太郎", sign.ReasonPersonReview},
		"another first character":         {"石橋　太郎", sign.ReasonPersonReview},
		"another unflagged character":     {"髙橋　次郎", sign.ReasonPersonMismatch},
		"the same name, half-width space": {"髙橋 太郎", sign.ReasonPersonReview},
	} {
		want := taro
		want.Name = c.name
		e := expect(sign.ModeBareHash)
		e.Person = person(want)
		r, err := w.verifier(t).Verify(t.Context(), o, e)
		if r != nil || reasonOf(err) != c.want || kakunin.FamilyOf(err) != kakunin.Account {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A difference elsewhere is not excused by the doubt about the name.
	other := taro
	other.Birthdate = "19900101"
	e := expect(sign.ModeBareHash)
	e.Person = person(other)
	if _, err := w.verifier(t).Verify(t.Context(), o, e); reasonOf(err) != sign.ReasonPersonMismatch {
		t.Errorf("another birthdate: %v", err)
	}
	e = expect(sign.ModeBareHash) // nobody in particular is expected: the substitute does not matter
	if _, err := w.verifier(t).Verify(t.Context(), o, e); err != nil {
		t.Error(err)
	}
}

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	w := shared()
	good := sign.VerifierConfig{Hierarchy: jpki.Simulated, Trust: w.jpki.Trust(),
		Revocation: revocation.Require(new(revocation.Store))}
	for name, change := range map[string]func(*sign.VerifierConfig){
		"test anchors in production":  func(c *sign.VerifierConfig) { c.Hierarchy = jpki.Production },
		"no anchors":                  func(c *sign.VerifierConfig) { c.Trust = jpki.Trust{} },
		"no revocation":               func(c *sign.VerifierConfig) { c.Revocation = revocation.Policy{} },
		"authentication certificates": func(c *sign.VerifierConfig) { c.Kinds = []jpki.Kind{jpki.AuthenticationCard} },
		"unknown kind beside the good": func(c *sign.VerifierConfig) {
			c.Kinds = []jpki.Kind{jpki.SigningCard, jpki.UnknownKind}
		},
	} {
		c := good
		change(&c)
		if v, err := sign.NewVerifier(c); v != nil || reasonOf(err) != sign.ReasonConfiguration ||
			kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sign.NewVerifier(good); err != nil {
		t.Error(err)
	}
}

func TestVerifierIsConcurrent(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	o := w.opened(t, sign.ModeBareHash)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), o, expect(sign.ModeBareHash)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

const fipsDirEnv = "KAKUNIN_FIPS_DIR"

// TestVerifyUnderFIPSOnly does the whole verification in a process under GODEBUG=fips140=only. What it verifies is made
// by the parent, because a test CA may do more than FIPS 140-3 allows.
func TestVerifyUnderFIPSOnly(t *testing.T) {
	if dir := os.Getenv(fipsDirEnv); dir != "" {
		verifyIn(t, dir)
		return
	}
	w := shared()
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"cert": w.cert, "ca": w.jpki.SigningCA().Certificate().Raw, "crl": w.crl(t, w.cert),
		"bare-hash":   w.sign(t, w.key, sign.ModeBareHash, document),
		"digest-info": w.sign(t, w.key, sign.ModeDigestInfo, document),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestVerifyUnderFIPSOnly$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", fipsDirEnv+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "verified in fips child") != 2 {
		t.Fatalf("child: %v\n%s", err, out)
	}
}
