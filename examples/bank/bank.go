package main

import (
	"context"
	"crypto"
	"crypto/sha256"
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
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// bank is what every business has, and one of two ways to verify: a certified signature verifier opens what is sealed
// to its own key, a private business hands it to its platform operator.
type bank struct {
	client *authn.Client
	desk   *desk // applications on their way, with the results of the service
	now    func() time.Time

	log     *keptLog // of evidence; nil keeps none
	stamper *stamper // nil stamps nothing

	operator sign.PlatformVerifier // of a private business; nil for a certified verifier, who has the next two
	opener   *sign.Opener
	verifier *sign.Verifier
	// authorities are the certificates of those who issue, in DER, for the archive of the log
	authorities [][]byte
}

// newPrivateBank is a business without certification: neither a key nor a certificate is ever in its hands.
func newPrivateBank(client *authn.Client, op sign.PlatformVerifier, now func() time.Time) *bank {
	return &bank{client: client, operator: op, now: now}
}

// newBank is a certified signature verifier.
func newBank(
	client *authn.Client,
	key crypto.PrivateKey,
	trust jpki.Trust,
	ocspURL string,
	now func() time.Time,
) (*bank, error) {
	names := client.Wire()
	opener, errOpener := sign.NewOpener(sign.OpenerConfig{Key: key, Wire: &names})
	// The responder's address is configured and never taken from a certificate, which comes from outside.
	over, errOCSP := responder.New(responder.Config{URL: ocspURL, HTTPClient: client.HTTPClient()})
	if err := errors.Join(errOpener, errOCSP); err != nil {
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
	b := &bank{client: client, opener: opener, verifier: verifier, now: now}
	for _, authority := range trust.Authorities() {
		b.authorities = append(b.authorities, authority.Raw)
	}
	return b, err
}

// openAccount is the whole story. The report holds what was reached even when the error is not nil.
func openAccount(ctx context.Context, w *world, o options) (rep report, err error) {
	rep.Business = o.business
	onFile, err := typed(w.person.Reveal())
	if err != nil {
		return rep, err
	}
	// A log that cannot be continued stops the bank before the customer signs, not after.
	b, err := w.bank(ctx, o)
	if err != nil {
		return rep, err
	}
	defer b.close()
	if rep.Earlier, err = b.finishEarlier(ctx); err != nil {
		return rep, err
	}

	a := newApplication(o, w.now())
	rep.Application = a.text
	s, err := b.haveSigned(ctx, filed{
		Business: o.business, Number: a.number, Text: a.text, Stated: a.stated, OnFile: onFile.RevealAll(),
	}, w.visitor.Approve)
	if err != nil {
		return rep, err
	}
	v, err := b.conclude(ctx, s, &rep)
	if o.showPersonal && rep.Signature != nil {
		rep.Personal = &personal{onFile.RevealAll(), v.person.RevealAll()}
	}
	return rep, err
}

// close ends the bank. What it kept was durable before.
func (b *bank) close() {
	b.desk.close()
	b.log.close()
}

// conclude verifies what was signed, decides, and keeps what proves it. With an error that settles nothing the
// application stays on the desk: the next start goes on with it.
func (b *bank) conclude(ctx context.Context, s signed, rep *report) (verified, error) {
	profile, _ := law.Lookup(law.CriminalProceeds)
	v, err := b.verify(ctx, s)
	if err != nil {
		if settled(err) {
			b.desk.done(ctx, s.result.Transaction.ID)
		}
		return v, err
	}
	check := profile.Check(law.Case{
		Person: v.person, Means: v.means, Stated: s.stated, On: fourinfo.DateOf(b.now()),
	})
	rep.addVerified(s.result.Transaction, v)
	rep.addLaw(profile, check)
	decided, reason := decide(v.matches, profile, check)
	// Nothing is kept of a person with whom there is no contract.
	if decided != refused && (v.report != nil || v.verdict != nil) {
		if rep.Evidence, err = b.keep(ctx, v, s.result); err != nil {
			return v, err // without its record no account is opened
		}
	}
	rep.Outcome, rep.Reason = decided, reason
	b.desk.done(ctx, s.result.Transaction.ID)
	return v, nil
}

// keep has what was signed stamped, and records it.
func (b *bank) keep(ctx context.Context, v verified, res *signapi.Unverified) (*kept, error) {
	stamps, err := b.stamper.stamp(ctx, v.signed(res))
	if err != nil {
		return nil, err
	}
	profile, _ := law.Lookup(law.CriminalProceeds)
	record, err := v.record(res, profile, b.now(), stamps)
	if err != nil {
		return nil, err
	}
	return b.log.add(ctx, record, b.files(b.stamper, stamps)...)
}

// files is what the record names and the log keeps once, for whoever verifies years later without this bank: the
// certificates of the authorities, and the tokens. (The status comes by OCSP and is in the record itself; a bank that
// loads lists archives each when it loads it.)
func (b *bank) files(s *stamper, stamps []*timestamp.Timestamp) (all [][]byte) {
	all = append(all, b.authorities...)
	for _, t := range stamps {
		all = append(all, t.Raw(), s.root)
	}
	return all
}

// signed is an application with what the service answered for it, of which nothing is verified.
type signed struct {
	application
	customer
	result *signapi.Unverified
	late   bool // an earlier start of the program had it signed
}

// haveSigned registers the text's hash with the service, lets the customer sign, and fetches the result. visit stands
// for the browser: a web application redirects to the URL and gets the callback as a request; package middleware does
// it. A private bank will see no certificate, so it asks the service for the attributes in the same login. Whatever is
// needed to go on after a crash is on the desk before the customer leaves.
func (b *bank) haveSigned(
	ctx context.Context,
	f filed,
	visit func(ctx context.Context, url string) (callback string, err error),
) (signed, error) {
	kept, err := b.desk.keeper.Start(ctx, signapi.Request{
		Document: sign.Text(f.Text), Mode: sign.ModeDigestInfo, Reference: f.Number, Key: f.Number,
	})
	if err != nil {
		return signed{}, err
	}
	if err := b.desk.put(ctx, kept.Transaction.ID, f); err != nil {
		return signed{}, err
	}
	tx, err := b.desk.keeper.HandOver(ctx, kept.Transaction.ID)
	if err != nil {
		return signed{}, err
	}
	request := authn.Request{Sign: tx}
	if b.operator != nil {
		request.Scopes = authn.Attributes // a verifier has them from the certificate, signed
	}
	begun, err := b.client.Begin(ctx, request)
	if err != nil {
		return signed{}, err
	}
	callback, err := visit(ctx, begun.URL)
	if callback == "" {
		return signed{}, err // otherwise the callback itself says what went wrong
	}
	u, err := url.Parse(callback)
	if err != nil {
		return signed{}, errors.New("the callback is no URL") // the cause would quote it with its code
	}
	id, err := b.client.Finish(ctx, begun.Pending, u.Query())
	if err != nil {
		return signed{}, err
	}
	if b.operator != nil {
		attributes := id.Person.RevealAll()
		f.Attributes = &attributes
		if err := b.desk.put(ctx, tx.ID, f); err != nil {
			return signed{}, err
		}
	}
	s := signed{application: f.application()}
	if s.customer, err = f.customer(); err != nil {
		return signed{}, err
	}
	s.result, err = b.desk.keeper.Fetch(ctx, tx, id)
	if s.result != nil {
		err = nil // also when it could not be kept: it is verified now, and there may be no second one
	}
	return s, err
}

// customer is who the person said to be, and who the service says it was; a certificate says more than both.
type customer struct{ onFile, attributes fourinfo.Person }

// verified is a signature that holds, and how the person on file agrees with the one who signed.
type verified struct {
	// report is nil for a private business, and if the certificate is not that person's, certainly or as far as a
	// machine can tell
	report  *sign.Report
	verdict *sign.Verdict // of the operator; nil for a certified verifier
	means   law.Means
	person  fourinfo.Person
	matches []fourinfo.FieldMatch
}

// signed is what a timestamp is asked for: the signature value, or what was sealed for the operator.
func (v *verified) signed(res *signapi.Unverified) []byte {
	if v.report != nil {
		return v.report.Opened.RevealSignature()
	}
	return []byte(res.Sealed.RevealJWE())
}

// record is what is kept. How long the law asks to keep it is part of it: the years count from the end of the contract,
// which whoever purges the log knows.
func (v *verified) record(
	res *signapi.Unverified,
	p law.Profile,
	now time.Time,
	stamps []*timestamp.Timestamp,
) (*evidence.Record, error) {
	options := []evidence.Option{evidence.Basis(p.Law.JA)}
	for _, t := range stamps {
		options = append(options, evidence.Timestamp(t))
	}
	if retention, ok := evidence.RetentionOf(p); ok {
		options = append(options, evidence.WithRetention(retention))
	}
	if v.verdict != nil {
		return evidence.FromVerdict(evidence.Judged{Verdict: v.verdict, Sealed: res.Sealed,
			Transaction: res.Transaction}, now, options...)
	}
	if p.CertificateKept {
		// in a part that can be deleted later; the log stays provable
		options = append(options, evidence.WithCertificate())
	}
	return evidence.FromReport(v.report, now, options...)
}

// verify is where the two businesses part.
func (b *bank) verify(ctx context.Context, s signed) (verified, error) {
	if b.operator == nil {
		return b.verifyItself(ctx, s)
	}
	// The operator sees a digest and no text: that the digest is this text's is for the bank to say.
	if sha256.Sum256([]byte(s.text)) != s.result.Transaction.Digest {
		return verified{}, &sign.Error{Reason: sign.ReasonDocument, Step: "document"}
	}
	verdict, err := b.operator.Verify(ctx, s.result.Sealed, s.result.Transaction)
	if err != nil {
		return verified{}, err
	}
	return verified{
		verdict: verdict, means: law.ServiceAttributes, person: s.attributes, matches: s.onFile.Compare(s.attributes),
	}, nil
}

func (b *bank) verifyItself(ctx context.Context, s signed) (verified, error) {
	opened, err := b.opener.Open(s.result.Sealed) // a government relying party would get res.Opened instead
	if err != nil {
		return verified{}, err
	}
	report, err := b.verifier.Verify(ctx, opened, sign.Expect{
		Document: strings.NewReader(s.text), Mode: sign.ModeDigestInfo, Transaction: s.result.Transaction,
		Person: &s.onFile, Accept: sign.ReviewedPerson, // decide sends what needs a review to a human
		Archived: s.late, // the service gave it in time; the bank was away
	})
	own := verified{report: report, means: law.OwnVerification}
	switch {
	case err == nil:
		own.person, own.matches = report.Certificate.Person(), report.PersonMatches
		return own, nil
	case !errors.Is(err, &sign.Error{Reason: sign.ReasonPersonMismatch}) &&
		!errors.Is(err, &sign.Error{Reason: sign.ReasonPersonReview}):
		return verified{}, err
	}
	// The person is compared last, so signature, chain and revocation held: say where the two persons part.
	certificate, err := jpki.ParseCertificate(opened.RevealCertificate())
	if err != nil {
		return verified{}, err
	}
	own.person, own.matches = certificate.Person(), s.onFile.Compare(certificate.Person())
	return own, nil
}
