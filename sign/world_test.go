package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

var (
	now      = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	issuedAt = time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	hanako   = issuer.Subject{
		Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}
)

const document = "利用規約に同意します。\n文書番号 1\n"

func clock() time.Time { return now }

// world is a test JPKI with one signer. Tests that revoke make one of their own.
type world struct {
	jpki *issuer.JPKI
	key  *rsa.PrivateKey
	cert []byte
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	j, err := issuer.New(issuer.Config{Now: clock})
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{jpki: j, key: j.Key("hanako signing")}
	w.cert = w.issue(tb, w.key, hanako)
	return w
}

func (w *world) issue(tb testing.TB, key *rsa.PrivateKey, s issuer.Subject) []byte {
	tb.Helper()
	der, err := w.jpki.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: s, IssuedAt: issuedAt})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// lists returns the current revocation list of the certificate's municipality, in a store.
func (w *world) lists(tb testing.TB, cert []byte) *revocation.Store {
	tb.Helper()
	crls := new(revocation.Store)
	if err := crls.Add(tb.Context(), bytes.NewReader(w.crl(tb, cert))); err != nil {
		tb.Fatal(err)
	}
	return crls
}

func (w *world) crl(tb testing.TB, cert []byte) []byte {
	tb.Helper()
	leaf, err := x509.ParseCertificate(cert)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := w.jpki.SigningCA().CRL(leaf)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func (w *world) verifier(tb testing.TB, sources ...revocation.Source) *sign.Verifier {
	tb.Helper()
	if len(sources) == 0 {
		sources = append(sources, w.lists(tb, w.cert))
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.jpki.Trust(), Revocation: revocation.Require(sources...), Now: clock,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

var shared = sync.OnceValue(func() *world { return newWorld(fatal{}) })

// fatal is a testing.TB for set-up that several tests share.
type fatal struct{ testing.TB }

func (fatal) Helper() {}

func (fatal) Context() context.Context { return context.Background() }

func (fatal) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func (w *world) sign(tb testing.TB, key *rsa.PrivateKey, mode sign.Mode, doc string) []byte {
	tb.Helper()
	digest := sha256.Sum256([]byte(doc))
	hash := crypto.SHA256
	if mode == sign.ModeBareHash {
		hash = 0 // T is the digest itself
	}
	sig, err := rsa.SignPKCS1v15(nil, key, hash, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	return sig
}

func (w *world) opened(tb testing.TB, mode sign.Mode) *sign.Opened {
	tb.Helper()
	return sign.NewOpened(w.sign(tb, w.key, mode, document), slices.Clone(w.cert))
}

func expect(mode sign.Mode) sign.Expect {
	return sign.Expect{Document: strings.NewReader(document), Mode: mode}
}

func transaction(mode sign.Mode) *sign.Transaction {
	return &sign.Transaction{ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: mode,
		Digest: sha256.Sum256([]byte(document)), MediaType: "text/plain",
		Started: now.Add(-5 * time.Minute), Expires: now.Add(5 * time.Minute)}
}

func person(s issuer.Subject) *fourinfo.Person {
	p, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: s.Name, Address: s.Address, Birthdate: s.Birthdate, Gender: s.Gender,
	})
	return &p
}

func verifyIn(t *testing.T, dir string) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // the parent's temporary directory
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ca, err := x509.ParseCertificate(read("ca"))
	if err != nil {
		t.Fatal(err)
	}
	crls := new(revocation.Store)
	if err := crls.Add(t.Context(), bytes.NewReader(read("crl"))); err != nil {
		t.Fatal(err)
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: jpki.InsecureTestTrust(ca), Revocation: revocation.Require(crls), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		o := sign.NewOpened(read(mode.String()), read("cert"))
		if _, err := v.Verify(t.Context(), o, expect(mode)); err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		t.Logf("%s verified in fips child", mode)
		altered := o.RevealSignature()
		altered[0] ^= 1
		o = sign.NewOpened(altered, o.RevealCertificate())
		if _, err := v.Verify(t.Context(), o, expect(mode)); err == nil {
			t.Errorf("%s: altered signature verified", mode)
		}
	}
}

// reasonOf returns the reason of an error of package sign, ReasonUnknown for others.
func reasonOf(err error) sign.Reason {
	if e, ok := errors.AsType[*sign.Error](err); ok {
		return e.Reason
	}
	return sign.ReasonUnknown
}
