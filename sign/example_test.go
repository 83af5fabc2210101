package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// A private relying party has a document signed. The person goes to the service between Start and Result; package
// middleware does the part in the browser.
func ExampleClient() {
	var (
		ctx      context.Context
		client   *authn.Client                      // from authn.New
		operator sign.PlatformVerifier              // the platform operator's API
		browser  func(begun string) (cb url.Values) // redirect the person, wait for the callback
	)
	run := func() error {
		signer, err := sign.New(sign.Config{Client: client})
		if err != nil {
			return err
		}
		tx, err := signer.Start(ctx, sign.Text("私は利用規約に同意します。文書番号 42"), sign.ModeBareHash)
		if err != nil {
			return err
		}
		begun, err := client.Begin(ctx, authn.Request{Sign: tx})
		if err != nil {
			return err
		}
		id, err := client.Finish(ctx, begun.Pending, browser(begun.URL))
		if err != nil {
			return err
		}
		res, err := signer.Result(ctx, tx, id)
		if err != nil {
			return err
		}
		verdict, err := operator.Verify(ctx, res.Sealed, tx)
		if err != nil {
			return err
		}
		fmt.Println(verdict.Status)
		return nil
	}
	_ = run
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
		opener, err := sign.NewOpener(key, nil)
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
			Document: strings.NewReader(document), Mode: tx.Mode, Transaction: tx,
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
	certificate, err := j.SigningCA().Issue(&key.PublicKey, hanako, issuedAt)
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
	return &sign.Opened{Signature: signature, Certificate: certificate}, crls
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
