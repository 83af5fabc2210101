package middleware

import (
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// SignConfig is one kind of document signing.
type SignConfig struct {
	Mode sign.Mode // required

	// Document returns what is to be signed, and a reference (at most 128 characters, no control characters, no
	// personal data) by which OnSigned finds it again. It runs in the POST that starts the signature, with the session
	// loaded; IdentityFrom gives the person. An error goes to OnError inside an *Error with ReasonDocument.
	Document func(r *http.Request) (doc sign.Document, reference string, err error)

	// OnSigned gets the service's answer, in the browser's GET of the callback, with the session loaded. It must answer
	// with a redirect or a page. The result is not verified yet: see sign.Verifier and sign.PlatformVerifier. If the
	// service has no result yet, OnSigned is not called: that is an error of the family Unavailable, and since the
	// access token is not kept, the person signs again.
	OnSigned func(w http.ResponseWriter, r *http.Request, s Signed)
}

// Signed is a finished signature, not yet verified. The signer's subject is the logged-in person's.
type Signed struct {
	Reference string
	Result    *sign.Result
	Identity  *authn.Identity // the signer's login that carried the transaction
}

// Sign returns the handler for the POST that starts a signature for a logged-in person, from a form of the same origin.
// name distinguishes several SignConfigs (1 to 32 letters, digits, dashes) and selects OnSigned at the callback: it must
// stay the same over restarts. Call Sign while setting up, once for each name.
//
// Every signature asks for the card and the signing password again, so no further step-up is needed (OWASP ASVS 5.0,
// 7.5.3). The error is an [*Error] with ReasonConfiguration.
func (l *Login) Sign(name string, c SignConfig) (http.Handler, error) {
	switch {
	case l.signer == nil:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign needs Config.Signer"}
	case !validFlowName(name):
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: the name must be 1 to 32 letters, digits, dashes"}
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
		l.withSession(func(w http.ResponseWriter, r *http.Request, st *state) { //nolint:contextcheck // the context is the request's
			if st.identity == nil {
				l.demandLogin(w, r)
				return
			}
			l.startSign(w, r, st.identity, name, c)
		}).ServeHTTP(w, r)
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

// finishSign fetches the result and hands it to the application, if the person who signed is the one who is logged in
// now and was logged in when the signature was begun.
func (l *Login) finishSign(w http.ResponseWriter, r *http.Request, st *state, login authn.Pending, p *pendingSign, query url.Values) {
	l.mu.RLock()
	c, ok := l.flows[p.Name]
	l.mu.RUnlock()
	if !ok {
		l.fail(w, r, &Error{Reason: ReasonConfiguration, Detail: "no SignConfig has the name of the pending signature"})
		return
	}
	// OWASP ASVS 5.0, 10.1.2: what comes back must belong to the same session and transaction. For somebody else's
	// session nothing is asked of the service.
	if st.identity == nil {
		l.fail(w, withRetry(r, l.loginURL(RetryURL(r.Context()))), &Error{Reason: ReasonLoginRequired})
		return
	}
	now := subjectHash(st.identity.Subject)
	if subtle.ConstantTimeCompare(p.Subject, now) != 1 {
		l.fail(w, r, &Error{Reason: ReasonOtherPerson})
		return
	}
	signer, err := l.client.Finish(r.Context(), login, query)
	if err != nil {
		if e, ok := errors.AsType[*authn.Error](err); ok && e.Reason == authn.ReasonUserCancelled {
			err = &Error{Reason: ReasonSignCancelled, Err: err} // authn's text speaks of a login
		}
		l.fail(w, r, err)
		return
	}
	if subtle.ConstantTimeCompare(subjectHash(signer.Subject), now) != 1 {
		l.fail(w, r, &Error{Reason: ReasonOtherPerson})
		return
	}
	if signer.TransactionID != p.Transaction.TransactionID() {
		l.fail(w, r, &Error{Reason: ReasonTampered})
		return
	}
	res, err := l.signer.Result(r.Context(), p.Transaction, signer)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.log.LogAttrs(r.Context(), slog.LevelInfo, "signature received", slog.String("flow", p.Name))
	secureHeaders(w)
	c.OnSigned(w, r, Signed{Reference: p.Reference, Result: res, Identity: signer})
}

// refererPath is the page of this site from which the request came, "/" when unknown.
func (l *Login) refererPath(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return "/"
	}
	return l.safeReturn(u.RequestURI())
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
