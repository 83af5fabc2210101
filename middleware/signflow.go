package middleware

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// SignConfig is one kind of document signing.
type SignConfig struct {
	Mode sign.Mode // required

	// Document returns what is to be signed, and a reference (at most 128 characters, no control characters, no
	// personal data) by which OnSigned finds it again. It runs in the POST that starts the signature, with the session
	// loaded; IdentityFrom gives the person. An error goes to OnError inside an *Error with ReasonDocument.
	Document func(r *http.Request) (doc sign.Document, reference string, err error)

	// OnSigned gets the service's answer, in the browser's GET of the callback, with the session loaded. It must answer
	// with a redirect or a page. Nothing is verified yet: see sign.Verifier and sign.PlatformVerifier. If the
	// service has no result yet, OnSigned is not called: that is an error of the family Unavailable, and since the
	// access token is not kept, the person signs again.
	OnSigned func(w http.ResponseWriter, r *http.Request, s Signed)
}

// Signed is a finished signature, not yet verified. The signer's subject is the logged-in person's.
type Signed struct {
	Reference  string
	Unverified *signapi.Unverified
	Identity   *authn.Identity // the signer's login that carried the transaction
}

// Sign returns the handler for the POST that starts a signature for a logged-in person, from a form of the same origin.
// name distinguishes several SignConfigs (1 to 32 letters, digits, dashes) and selects OnSigned at the callback: it
// must stay the same over restarts. Call Sign while setting up, once for each name.
//
// Every signature asks for the card and the signing password again, so no further step-up is needed (OWASP ASVS 5.0,
// 7.5.3). The error is an [*Error] with ReasonConfiguration.
func (l *Login) Sign(name string, c SignConfig) (http.Handler, error) {
	switch {
	case l.signer == nil:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign needs Config.Signer"}
	case !validFlowName(name):
		return nil, &Error{
			Reason: ReasonConfiguration,
			Detail: "Sign: the name must be 1 to 32 letters, digits, dashes",
		}
	case c.Mode != sign.ModeBareHash && c.Mode != sign.ModeDigestInfo:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: Mode is missing"}
	case c.Document == nil || c.OnSigned == nil:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: Document and OnSigned are required"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.flows[name]; taken {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: the name is taken"}
	}
	l.flows[name] = c
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			l.failMethod(w, r, "POST")
			return
		}
		if l.csrf.Check(r) != nil {
			l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
			return
		}
		l.withSession(
			w,
			r,
			func(w http.ResponseWriter, r *http.Request, v *visit) { //nolint:contextcheck // the request's
				if v.Identity == nil {
					l.demandLogin(w, r)
					return
				}
				l.startSign(w, r, v.Identity, name, c)
			},
		)
	}), nil
}

func (l *Login) startSign(w http.ResponseWriter, r *http.Request, id *authn.Identity, name string, c SignConfig) {
	// Trying again means going back to the page with the button.
	back := l.refererPath(r)
	r = withRetry(r, back)
	doc, reference, err := c.Document(r)
	if err != nil {
		l.fail(w, r, &Error{Reason: ReasonDocument, Err: err})
		return
	}
	if !validReference(reference) {
		l.fail(w, r, &Error{Reason: ReasonConfiguration, Detail: "Document returned an invalid reference"})
		return
	}
	tx, err := l.signer.Start(r.Context(), doc, c.Mode)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.redirectToService(w, r, authn.Request{Sign: tx}, pending{
		Return: back,
		Sign:   &pendingSign{Name: name, Reference: reference, Transaction: tx, Subject: subjectHash(id.Subject)},
	})
}

// flow returns the SignConfig of a pending signature.
func (l *Login) flow(name string) (SignConfig, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c, ok := l.flows[name]
	return c, ok
}

// checkSigner makes sure that who is logged in now was logged in when the signature was begun, and that there is
// somebody to hand it to.
func (l *Login) checkSigner(v *visit, p *pendingSign) error {
	if _, ok := l.flow(p.Name); !ok {
		return &Error{Reason: ReasonConfiguration, Detail: "no SignConfig has the name of the pending signature"}
	}
	if v.Identity == nil {
		return &Error{Reason: ReasonLoginRequired}
	}
	if subtle.ConstantTimeCompare(p.Subject, subjectHash(v.Identity.Subject)) != 1 {
		return &Error{Reason: ReasonOtherPerson}
	}
	return nil
}

// finishSign fetches the result, if the person who signed is the one who began.
func (l *Login) finishSign(ctx context.Context, c callback) (finished, error) {
	p := c.pending.Sign
	signer, err := l.client.Finish(ctx, c.login, c.query)
	if err != nil {
		if e, ok := errors.AsType[*authn.Error](err); ok && e.Reason == authn.ReasonUserCancelled {
			err = &Error{Reason: ReasonSignCancelled, Err: err} // authn's text speaks of a login
		}
		return finished{}, err
	}
	if subtle.ConstantTimeCompare(subjectHash(signer.Subject), p.Subject) != 1 {
		return finished{}, &Error{Reason: ReasonOtherPerson}
	}
	if signer.TransactionID != p.Transaction.TransactionID() {
		return finished{}, &Error{Reason: ReasonTampered}
	}
	res, err := l.signer.Fetch(ctx, p.Transaction, signer)
	if err != nil {
		return finished{}, err
	}
	return finished{signed: &Signed{Reference: p.Reference, Unverified: res, Identity: signer}}, nil
}

// deliverSigned hands the result to the application.
func (l *Login) deliverSigned(w http.ResponseWriter, r *http.Request, p *pendingSign, s Signed) {
	c, _ := l.flow(p.Name) // checkSigner found it
	l.log.LogAttrs(r.Context(), slog.LevelInfo, "signature received", slog.String("flow", p.Name))
	secureHeaders(w)
	c.OnSigned(w, r, s)
}

func validFlowName(name string) bool {
	if name == "" || len(name) > 32 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func validReference(s string) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limits.SignReference {
		return false
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
