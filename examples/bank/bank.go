package main

import (
	"context"
	"crypto"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// bank is a certified signature verifier: results are sealed to its key, and it verifies them itself.
type bank struct {
	client   *authn.Client
	signer   *signapi.Client
	opener   *sign.Opener
	verifier *sign.Verifier
	now      func() time.Time
}

func newBank(
	client *authn.Client,
	key crypto.PrivateKey,
	trust jpki.Trust,
	ocspURL string,
	now func() time.Time,
) (*bank, error) {
	names := client.Wire()
	opener, errOpener := sign.NewOpener(sign.OpenerConfig{Key: key, Wire: &names})
	signer, errSigner := signapi.New(signapi.Config{Client: client, Now: now})
	// The responder's address is configured and never taken from a certificate, which comes from outside.
	over, errOCSP := responder.New(responder.Config{URL: ocspURL, HTTPClient: client.HTTPClient()})
	if err := errors.Join(errOpener, errSigner, errOCSP); err != nil {
		return nil, err
	}
	ocsp, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over, Now: now})
	if err != nil {
		return nil, err
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy:  jpki.Simulated, // the zero value is production
		Trust:      trust,
		Revocation: revocation.Require(jpki.Only(ocsp, jpki.SigningCard)), // no answer is no account: it fails closed
		Now:        now,
	})
	return &bank{client: client, signer: signer, opener: opener, verifier: verifier, now: now}, err
}

// openAccount is the whole story. The report holds what was reached even when the error is not nil.
func openAccount(ctx context.Context, w *world, o options) (rep report, err error) {
	b, err := newBank(w.client, w.service.OperatorKey(), w.jpki.Trust(), w.ocspURL, w.now)
	if err != nil {
		return rep, err
	}
	onFile, err := typed(w.person.Reveal())
	if err != nil {
		return rep, err
	}
	// A log that cannot be continued stops the bank before the customer signs, not after.
	kept, err := openLog(ctx, o.evidence, w.now)
	if err != nil {
		return rep, err
	}
	defer kept.close()

	a := newApplication(o, w.now())
	rep.Application = a.text
	tx, result, err := b.haveSigned(ctx, a, w.visitor.Approve)
	if err != nil {
		return rep, err
	}
	v, err := b.verify(ctx, tx, result, a, onFile)
	if err != nil {
		return rep, err
	}
	profile, _ := law.Lookup(law.CriminalProceeds)
	check := profile.Check(law.Case{
		Person: v.person, Means: law.OwnVerification, Stated: a.stated, On: fourinfo.DateOf(w.now()),
	})
	rep.addVerified(tx, v)
	rep.addLaw(profile, check)
	if o.showPersonal {
		rep.Personal = &personal{onFile.RevealAll(), v.person.RevealAll()}
	}
	rep.Outcome, rep.Reason = decide(v.matches, profile, check)
	if v.report == nil || rep.Outcome == refused {
		return rep, nil // nothing is kept of a person with whom there is no contract
	}
	rep.Evidence, err = kept.add(ctx, v.report, profile)
	return rep, err // without its record no account is opened
}

// haveSigned registers the text's hash with the service, lets the customer sign, and fetches the result. visit stands
// for the browser: a web application redirects to the URL and gets the callback as a request; package middleware does
// it.
func (b *bank) haveSigned(
	ctx context.Context,
	a application,
	visit func(ctx context.Context, url string) (callback string, err error),
) (*sign.Transaction, *sign.Opened, error) {
	tx, err := b.signer.Start(ctx, sign.Text(a.text), sign.ModeDigestInfo)
	if err != nil {
		return nil, nil, err
	}
	begun, err := b.client.Begin(ctx, authn.Request{Sign: tx}) // no attributes: the certificate has them, signed
	if err != nil {
		return nil, nil, err
	}
	callback, err := visit(ctx, begun.URL)
	if callback == "" {
		return nil, nil, err // otherwise the callback itself says what went wrong
	}
	u, err := url.Parse(callback)
	if err != nil {
		return nil, nil, errors.New("the callback is no URL") // the cause would quote it with its code
	}
	id, err := b.client.Finish(ctx, begun.Pending, u.Query())
	if err != nil {
		return nil, nil, err
	}
	res, err := b.signer.Fetch(ctx, tx, id)
	if err != nil {
		return nil, nil, err
	}
	opened, err := b.opener.Open(res.Sealed) // a government relying party would get res.Opened instead
	return tx, opened, err
}

// verified is a signature that holds, and how its certificate agrees with the person on file.
type verified struct {
	report  *sign.Report // nil if the certificate is not that person's, certainly or as far as a machine can tell
	person  fourinfo.Person
	matches []fourinfo.FieldMatch
}

func (b *bank) verify(
	ctx context.Context,
	tx *sign.Transaction,
	opened *sign.Opened,
	a application,
	onFile fourinfo.Person,
) (verified, error) {
	report, err := b.verifier.Verify(ctx, opened, sign.Expect{
		Document: strings.NewReader(a.text), Mode: sign.ModeDigestInfo, Transaction: tx,
		Person: &onFile, Accept: sign.ReviewedPerson, // decide sends what needs a review to a human
	})
	switch {
	case err == nil:
		return verified{report, report.Certificate.Person(), report.PersonMatches}, nil
	case !errors.Is(err, &sign.Error{Reason: sign.ReasonPersonMismatch}) && !errors.Is(err, &sign.Error{Reason: sign.ReasonPersonReview}):
		return verified{}, err
	}
	// The person is compared last, so signature, chain and revocation held: say where the two persons part.
	certificate, err := jpki.ParseCertificate(opened.RevealCertificate())
	if err != nil {
		return verified{}, err
	}
	return verified{nil, certificate.Person(), onFile.Compare(certificate.Person())}, nil
}
