package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// A document says which one it is. Two customers who sign the same words sign the same bytes, and each signature would
// fit the other's transaction too; a number and the time make every document, and so every signature, fit one alone.
func ExamplePrepare() {
	document := "私は利用規約に同意します。\n" +
		"文書番号: 2026-0042-7K3Q\n" + // from rand.Text, kept with the application
		"日時: 2026-11-21 12:00 JST\n"
	tx, err := sign.Prepare(context.Background(), sign.Text(document), sign.ModeDigestInfo)
	check(err)
	fmt.Println(tx.Mode, len(tx.Padded()), "bytes go to the card")
	// Output: digest-info 51 bytes go to the card
}

// A certified verifier opens a sealed result and verifies it.
func ExampleOpener() {
	open := func(sealed *sign.Sealed, tx *sign.Transaction, document string) (*sign.Report, error) {
		pem, err := os.ReadFile("operator-key.pem")
		if err != nil {
			return nil, err
		}
		key, err := sign.ParseOpenerKey(pem)
		if err != nil {
			return nil, err
		}
		opener, err := sign.NewOpener(sign.OpenerConfig{Key: key})
		if err != nil {
			return nil, err
		}
		verifier, err := sign.NewVerifier(sign.VerifierConfig{
			Trust:      jpki.ProductionTrust(os.DirFS("/etc/jpki")), // pinned by fingerprint
			Revocation: revocation.Require(new(revocation.Store)),   // fails closed
		})
		if err != nil {
			return nil, err
		}
		opened, err := opener.Open(sealed)
		if err != nil {
			return nil, err
		}
		return verifier.Verify(context.Background(), opened, sign.Expect{
			Document: strings.NewReader(document), Transaction: tx, // the mode is the transaction's
		})
	}
	_ = open
}

// Verifying a signature by a card of the test JPKI.
func ExampleVerifier() {
	now := func() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }
	testJPKI, err := issuer.New(issuer.Config{Now: now})
	check(err)
	opened, crls := signedByTestCard(testJPKI, "I agree.")

	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: testJPKI.Trust(), Revocation: revocation.Require(crls), Now: now,
	})
	check(err)
	report, err := verifier.Verify(context.Background(), opened, sign.Expect{
		Document: strings.NewReader("I agree."), Mode: sign.ModeDigestInfo,
	})
	check(err)
	fmt.Println(report.Chain.Status, report.Mode)

	_, err = verifier.Verify(context.Background(), opened, sign.Expect{
		Document: strings.NewReader("I agree to everything."), Mode: sign.ModeDigestInfo,
	})
	fmt.Println(kakunin.FamilyOf(err), "|", kakunin.MessageFor(err, kakunin.English))
	// Output:
	// good digest-info
	// untrusted | The signature could not be verified. We stopped.
}

// signedByTestCard signs as a card in DigestInfo mode does.
func signedByTestCard(j *issuer.JPKI, document string) (*sign.Opened, *revocation.Store) {
	key := j.Key("example signing")
	certificate, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: hanako, IssuedAt: issuedAt})
	check(err)
	digest := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	check(err)
	leaf, err := x509.ParseCertificate(certificate)
	check(err)
	list, err := j.SigningCA().CRL(leaf)
	check(err)
	crls := new(revocation.Store)
	check(crls.Add(context.Background(), bytes.NewReader(list)))
	return sign.NewOpened(signature, certificate), crls
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
