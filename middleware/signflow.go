package middleware

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"time"
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

	// Wait is how long the callback waits for a result that the service does not have yet, at most 30 seconds. The zero
	// value asks once.
	Wait time.Duration

	// OnSigned gets the service's answer, in the browser's GET of the callback, with the session loaded. It must answer
	// with a redirect or a page. It is called once for a signature: a browser that comes back to the callback (reload,
	// back button) is sent to where OnSigned redirected it, or to the page with the button if OnSigned wrote a page.
	// Nothing is verified yet: see sign.Verifier and sign.PlatformVerifier. When it is, and recorded, tell the Keeper
	// by signapi.Keeper.Close; what was not told is found again by [Login.Waiting]. If the service has no result yet,
	// OnSigned is not called: that is an error of the family Unavailable, and since the access token is not kept then,
	// the person signs again.
	OnSigned func(w http.ResponseWriter, r *http.Request, s Signed)
}

// Signed is a finished signature, not yet verified. The signer's subject is the logged-in person's.
type Signed struct {
	Reference  string
	Unverified *signapi.Unverified
	// Identity is the signer's login that carried the transaction. It has no access token when the browser went away
	// and came back: the result then waited, sealed, in Config.Shared. When the instance that fetched the result is
	// gone, it is the same person's login in the session. From [Login.Waiting] it is nil.
	Identity *authn.Identity
	// Kept: the answer is in the Keeper's store, too. With a Keeper it is false when the store failed while the answer
	// came: then what OnSigned does not verify or keep is lost.
	Kept bool
	// Since is when the answer was kept; only from [Login.Waiting].
	Since time.Time
	// Terms is the hash of the terms that the person saw, in hexadecimal; empty outside of [Login.Consent].
	Terms string
}

// Sign returns the handler for the POST that starts a signature for a logged-in person, from a form of the same origin.
// name distinguishes several SignConfigs (1 to 32 letters, digits, dashes) and selects OnSigned at the callback: it
// must stay the same over restarts. Call Sign while setting up, once for each name.
//
// Every signature asks for the card and the signing password again, so no further step-up is needed (OWASP ASVS 5.0,
// 7.5.3). The error is an [*Error] with ReasonConfiguration.
func (l *Login) Sign(name string, c SignConfig) (http.Handler, error) {
	return l.sign(name, flow{SignConfig: c})
}

// flow is what a name stands for.
type flow struct {
	SignConfig
	terms string // see Signed; what was begun under other terms is not finished
}

func (l *Login) sign(name string, c flow) (http.Handler, error) {
	switch {
	case l.signer == nil && l.keeper == nil:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign needs Config.Keeper or Config.Signer"}
	case !validFlowName(name):
		return nil, &Error{
			Reason: ReasonConfiguration,
			Detail: "Sign: the name must be 1 to 32 letters, digits, dashes",
		}
	case c.Mode != sign.ModeBareHash && c.Mode != sign.ModeDigestInfo:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: Mode is missing"}
	case c.Wait < 0 || c.Wait > waitMost:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Sign: Wait must be from 0 to 30 seconds"}
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

func (l *Login) startSign(w http.ResponseWriter, r *http.Request, id *authn.Identity, name string, c flow) {
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
	tx, err := l.register(r.Context(), signing{name: name, terms: c.terms, Request: signapi.Request{
		Document: doc, Mode: c.Mode, Reference: reference,
	}})
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.redirectToService(w, r, authn.Request{Sign: tx}, pending{
		Return: back,
		Sign: &pendingSign{
			Name: name, Reference: reference, Transaction: tx, Subject: subjectHash(id.Subject), Terms: c.terms,
		},
	})
}

// flow returns what the name of a pending signature stands for.
func (l *Login) flow(name string) (flow, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c, ok := l.flows[name]
	return c, ok
}

// checkSigner makes sure that who is logged in now was logged in when the signature was begun, and that there is
// somebody to hand it to.
func (l *Login) checkSigner(v *visit, p *pendingSign) error {
	f, ok := l.flow(p.Name)
	if !ok {
		return &Error{Reason: ReasonConfiguration, Detail: "no SignConfig has the name of the pending signature"}
	}
	if f.terms != p.Terms {
		return &Error{Reason: ReasonTermsChanged}
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
	f, _ := l.flow(p.Name) // checkSigner found it
	res, err := l.fetch(ctx, signed{tx: p.Transaction, by: signer, wait: f.Wait})
	if res == nil {
		return finished{}, err
	}
	return finished{signed: &Signed{
		Reference: p.Reference, Unverified: res, Identity: signer, Terms: p.Terms, Kept: l.keeper != nil && err == nil,
	}}, nil
}

// deliverSigned hands the result to the application, and leaves a cookie that says where that led.
func (l *Login) deliverSigned(w http.ResponseWriter, r *http.Request, c callback, a *attempt, s Signed) {
	p := c.pending.Sign
	f, _ := l.flow(p.Name) // checkSigner found it
	if !l.handedOnce(r.Context(), c) {
		redirect(w, c.pending.Return)
		return
	}
	l.log.LogAttrs(r.Context(), slog.LevelInfo, "signature received", slog.String("flow", p.Name))
	secureHeaders(w)
	a.led = c.pending.Return
	note := func(code int) error {
		if to := w.Header().Get("Location"); code >= 300 && code < 400 && to != "" && len(to) <= limits.ReturnPath {
			a.led = to
		}
		http.SetCookie(w, l.answeredCookie(c.state, p.Subject, a.led))
		return nil
	}
	own := &ownResponse{ResponseWriter: w, before: note}
	f.OnSigned(own, r, s)
	if !own.written {
		own.WriteHeader(http.StatusOK)
	}
}

// answered begins what is sealed in the cookie of a signature whose result the application has.
const answered = "\x00answered"

// answeredCookie takes the place of the pending login of a signature that was handed to the application. A reload, the
// back button or a browser that sends the request twice then neither hands it over again nor tells the person to sign
// once more.
func (l *Login) answeredCookie(state string, subject []byte, to string) *http.Cookie {
	c := l.pendingCookie(pendingName(state)) //nolint:gosec // the attributes are set there
	c.MaxAge = l.cookieSeconds()
	c.Value = l.seal.seal(c.Name+answered, append(subject[:sha256.Size:sha256.Size], to...))
	return c
}

// answeredIn reports whether this browser got the answer of the callback with this state, in the session of the person
// who is logged in, and where it led.
func (l *Login) answeredIn(r *http.Request, v *visit, state string) (to string, ok bool) {
	name := pendingName(state)
	cookies := r.CookiesNamed(name)
	if v.Identity == nil || len(cookies) != 1 {
		return "", false
	}
	b, err := l.seal.open(name+answered, cookies[0].Value)
	if err != nil || len(b) < sha256.Size ||
		subtle.ConstantTimeCompare(b[:sha256.Size], subjectHash(v.Identity.Subject)) != 1 {
		return "", false
	}
	return string(b[sha256.Size:]), true
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
