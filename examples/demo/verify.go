package main

import (
	"context"
	"crypto"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// ownVerifier is what a certified verifier (署名検証者) runs: the key that results are sealed to, the policy of
// verification and the log of evidence. A private relying party has none of this and hands the sealed result over: see
// private.go.
type ownVerifier struct {
	opener   *sign.Opener
	verifier *sign.Verifier
	log      *evidence.Log
	stamper  *stamper
}

func newOwnVerifier(
	key crypto.PrivateKey,
	client *authn.Client,
	trust jpki.Trust,
	jpkiURL string,
	now func() time.Time,
) (*ownVerifier, error) {
	names := client.Wire()
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: key, Wire: &names})
	if err != nil {
		return nil, err
	}
	// The responder's address is configured and never taken from a certificate, which comes from outside.
	over, err := responder.New(responder.Config{URL: jpkiURL + "/sign/ocsp", HTTPClient: client.HTTPClient()})
	if err != nil {
		return nil, err
	}
	ocsp, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over, Now: now})
	if err != nil {
		return nil, err
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy:  jpki.Simulated,
		Trust:      trust,
		Revocation: revocation.Require(jpki.Only(ocsp, jpki.SigningCard)),
		Now:        now,
	})
	if err != nil {
		return nil, err
	}
	// A real one keeps it on a disk: package filestore.
	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: now})
	if err != nil {
		return nil, err
	}
	return &ownVerifier{opener: opener, verifier: verifier, log: log}, nil
}

// verify opens the result, checks everything about it and keeps the evidence. person is who logged in: the signature
// must be theirs.
func (o *ownVerifier) verify(
	ctx context.Context,
	res *signapi.Unverified,
	document string,
	person *fourinfo.Person,
) (*sign.Report, *evidence.Record, error) {
	opened := res.Opened // a government relying party gets it like this
	if opened == nil {
		var err error
		if opened, err = o.opener.Open(res.Sealed); err != nil {
			return nil, nil, err
		}
	}
	report, err := o.verifier.Verify(ctx, opened, sign.Expect{
		Document:    strings.NewReader(document),
		Mode:        res.Transaction.Mode,
		Transaction: res.Transaction,
		Person:      person,
		// The certificate may lack a character that the card has. The page says so: somebody has to look at it.
		Accept: sign.ReviewedPerson,
	})
	if err != nil {
		return nil, nil, err
	}
	options, err := o.stamper.stamp(ctx, o.log, opened.RevealSignature())
	if err != nil {
		return nil, nil, err
	}
	kept, err := o.log.Append(ctx, report, append(options, evidence.Basis("demonstration"))...)
	if err != nil {
		return nil, nil, err
	}
	return report, kept.Record, nil
}
