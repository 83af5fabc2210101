package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

const document = "利用規約に同意します。"

// world is a test JPKI with one person, and a verifier.
type world struct {
	jpki        *issuer.JPKI
	key         *rsa.PrivateKey
	certificate []byte
	list        []byte
	verifier    *sign.Verifier
}

func newWorld(t *testing.T) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	j, err := issuer.New(issuer.Config{Now: clock})
	must(err)
	w := &world{jpki: j, key: j.Key("hanako signing")}
	w.certificate, err = j.SigningCA().Issue(issuer.Request{Key: &w.key.PublicKey, Holder: issuer.Subject{
		Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}, IssuedAt: now.AddDate(-1, 0, 0)})

	must(err)
	leaf, err := x509.ParseCertificate(w.certificate)
	must(err)
	w.list, err = j.SigningCA().CRL(leaf)
	must(err)
	store := new(revocation.Store)
	must(store.Add(t.Context(), bytes.NewReader(w.list)))
	w.verifier, err = sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(store), Now: clock,
	})
	must(err)
	return w
}

func (w *world) verified(t *testing.T, doc string) *sign.Report {
	t.Helper()
	digest := sha256.Sum256([]byte(doc))
	value, err := rsa.SignPKCS1v15(nil, w.key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.verifier.Verify(t.Context(), sign.NewOpened(value, w.certificate), sign.Expect{
		Document: strings.NewReader(doc),
		Transaction: &sign.Transaction{
			ID: "tx-" + hex.EncodeToString(digest[:4]), Mode: sign.ModeDigestInfo, Digest: digest,
			MediaType: "text/plain",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
