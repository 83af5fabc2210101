package middleware

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/http"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
)

// ConsentState is how far a consent has come. Each state is reported once, in this order.
type ConsentState int

// States of a consent. The zero value is never reported.
const (
	ConsentUnknown ConsentState = iota
	// ConsentShown: the person sees the terms.
	ConsentShown
	// ConsentDeclined: the person does not agree. Nothing was signed, and nothing follows.
	ConsentDeclined
	// ConsentAgreed: the person agreed and is on the way to the service to sign.
	ConsentAgreed
	// ConsentSigned: the service answered with a signature, and Keep has it. Nothing is verified.
	ConsentSigned
	// ConsentVerified: the platform operator says that the signature is good.
	ConsentVerified
	// ConsentRegistered: Register has it. This is the end.
	ConsentRegistered
	// ConsentRefused: the operator judged the certificate, and it cannot be used. The person may consent anew with
	// another one.
	ConsentRefused
	// ConsentWaiting: the operator could not be asked, or Register failed. [ConsentFlow.Resume] goes on; the person
	// need not sign again.
	ConsentWaiting
)

var consentStates = [...]string{
	"unknown", "shown", "declined", "agreed", "signed", "verified", "registered", "refused", "waiting",
}

// String returns a stable lower-case word for logs and metrics.
func (s ConsentState) String() string {
	if s < 0 || int(s) >= len(consentStates) {
		s = ConsentUnknown
	}
	return consentStates[s]
}

// ConsentEvent is one state of one consent.
type ConsentEvent struct {
	State ConsentState
	// Reference is empty before ConsentAgreed.
	Reference string
	// Err is set in ConsentRefused and ConsentWaiting.
	Err error
}

// ConsentConfig is one kind of consent to 最新の利用者情報（4情報）提供サービス; see package consent.
type ConsentConfig struct {
	Terms *consent.Terms // what is shown; required, and validated
	Base  consent.Base   // from which day the ten years count; required
	// Operator verifies what was signed; required. Package sign/operator has one over HTTP.
	Operator sign.PlatformVerifier
	// Document returns the operator's document for the person (IdentityFrom), and a reference by which Register finds
	// it again, as in [SignConfig]. It runs in the POST with which the person agrees. An error goes to OnError inside
	// an *Error with ReasonDocument.
	Document func(r *http.Request) (document []byte, reference string, err error)
	// Keep stores what the service answered before anything else is done with it; required. It is the evidence, and
	// what [ConsentFlow.Resume] needs when the operator cannot be asked at once. An error goes to OnError inside an
	// *Error with ReasonConsent, and the person has to sign again.
	Keep func(ctx context.Context, s Signed) error
	// Register stores the consent beside the customer and hands it on to where the operator takes consents; required.
	// It may be called again with the same Signed.Reference and transaction, after an error or by Resume, and must then
	// do nothing twice.
	Register func(ctx context.Context, c Consented) error
	// OnRegistered answers the browser when all is done, best with a redirect; required. See SignConfig.OnSigned for
	// what a reload does.
	OnRegistered func(w http.ResponseWriter, r *http.Request, c Consented)
	// OnDeclined answers the browser of somebody who does not agree. Default: a redirect to the first page.
	OnDeclined func(w http.ResponseWriter, r *http.Request)
	// OnState hears of every state, for records and metrics; optional.
	OnState func(context.Context, ConsentEvent)
	// Style is the path of a style sheet of this site for the screen; default: the screen's own.
	Style string
}

// Consented is a consent whose signature is good.
type Consented struct {
	Signed  Signed
	Verdict *sign.Verdict
	Consent *consent.Consent
}

// ConsentFlow is the screen with the terms, and what follows when the person agrees. Mount it at one path; it answers
// GET with the screen and takes the POST of its two buttons. It is safe for concurrent use.
type ConsentFlow struct {
	login *Login
	name  string
	c     ConsentConfig
	hash  string // of the terms, as the form carries it
	start http.Handler
}

// Consent returns the handler for a consent of a logged-in person. name distinguishes several ConsentConfigs and
// SignConfigs and must stay the same over restarts, as in [Login.Sign]. Call Consent while setting up, once for each
// name. The error is an [*Error] with ReasonConfiguration.
func (l *Login) Consent(name string, c ConsentConfig) (*ConsentFlow, error) {
	var m fault.Mistakes
	m.Add(c.Terms == nil, "Consent: Terms is missing")
	m.Add(c.Base != consent.BaseReceived && c.Base != consent.BaseReflected, "Consent: Base is missing")
	m.Add(c.Operator == nil, "Consent: Operator is missing")
	m.Add(c.Document == nil || c.Keep == nil || c.Register == nil || c.OnRegistered == nil,
		"Consent: Document, Keep, Register and OnRegistered are required")
	if len(m) > 0 {
		return nil, &Error{Reason: ReasonConfiguration, Detail: m.Detail()}
	}
	terms := *c.Terms
	hash, err := terms.Hash()
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Err: err}
	}
	c.Terms = &terms
	f := &ConsentFlow{login: l, name: name, c: c, hash: hex.EncodeToString(hash[:])}
	f.start, err = l.sign(name, flow{
		SignConfig: SignConfig{Mode: sign.ModeDigestInfo, Document: f.document, OnSigned: f.signed}, terms: f.hash,
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ServeHTTP shows the screen, or takes the answer.
func (f *ConsentFlow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := f.login
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		l.RequireFunc(f.show).ServeHTTP(w, r)
	case http.MethodPost:
		if l.csrf.Check(r) != nil {
			l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
		f.answer(w, withRetry(r, l.requestPath(r)))
	default:
		l.failMethod(w, r, "GET, HEAD, POST")
	}
}

// show answers with the screen. The form may lead to the service, and nobody may put the screen into a frame, where a
// person would press a button without seeing what it says.
func (f *ConsentFlow) show(w http.ResponseWriter, r *http.Request) {
	secureHeaders(w)
	language := LanguageOf(r)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(language))
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers send Origin: null with the form
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' "+consent.StyleSource()+
		"; base-uri 'none'; form-action 'self' "+f.login.service+"; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	f.state(r.Context(), ConsentShown, "", nil)
	if r.Method == http.MethodHead {
		return
	}
	// The terms were validated; a browser that went away is the only way in which this fails.
	_ = f.c.Terms.Render(w, consent.Page{
		Language: language, Action: f.login.requestPath(r), Style: f.c.Style,
		Hidden: map[string]string{"terms": f.hash},
	})
}

// answer takes the press of one of the two buttons.
func (f *ConsentFlow) answer(w http.ResponseWriter, r *http.Request) {
	l := f.login
	switch r.PostFormValue("answer") {
	case "agree":
		// What the person saw is what is consented to.
		if subtle.ConstantTimeCompare([]byte(r.PostFormValue("terms")), []byte(f.hash)) != 1 {
			l.fail(w, r, &Error{Reason: ReasonTermsChanged})
			return
		}
		f.start.ServeHTTP(w, r)
	case "decline":
		f.state(r.Context(), ConsentDeclined, "", nil)
		if f.c.OnDeclined == nil {
			redirect(w, l.home())
			return
		}
		l.withSession(w, r, func(w http.ResponseWriter, r *http.Request, _ *visit) {
			secureHeaders(w)
			f.c.OnDeclined(w, r)
		})
	default:
		l.fail(w, r, &Error{Reason: ReasonMethod}) // not by one of the buttons
	}
}

func (f *ConsentFlow) document(r *http.Request) (sign.Document, string, error) {
	text, reference, err := f.c.Document(r)
	if err != nil {
		return sign.Document{}, "", err
	}
	if len(text) == 0 {
		return sign.Document{}, "", &Error{Reason: ReasonConfiguration, Detail: "Document returned no document"}
	}
	f.state(r.Context(), ConsentAgreed, reference, nil)
	return sign.Document{Reader: bytes.NewReader(text), MediaType: "application/xml"}, reference, nil
}

// signed is the consent's OnSigned.
func (f *ConsentFlow) signed(w http.ResponseWriter, r *http.Request, s Signed) {
	// Whoever closes the window now has signed: what follows does not depend on the browser.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTimeout)
	defer cancel()
	if err := f.c.Keep(ctx, s); err != nil {
		f.login.fail(w, r, &Error{Reason: ReasonConsent, Err: err})
		return
	}
	f.state(ctx, ConsentSigned, s.Reference, nil)
	got, err := f.Resume(ctx, s)
	if err != nil {
		f.login.fail(w, withRetry(r, ""), err)
		return
	}
	f.c.OnRegistered(w, r, got)
}

// Resume goes on with what Keep was given: the operator verifies it, and Register gets the consent. An application
// calls it again later for those that stayed in ConsentWaiting: of Signed it needs Reference, Terms, and of Unverified
// the Transaction and what is Sealed. The error is an [*Error]: ReasonConsentWaiting when it is worth calling again,
// ReasonConsent when the signature was judged and is not good, ReasonTermsChanged when the person saw other terms than
// this flow has.
func (f *ConsentFlow) Resume(ctx context.Context, s Signed) (Consented, error) {
	wait := func(err error) (Consented, error) {
		f.state(ctx, ConsentWaiting, s.Reference, err)
		return Consented{}, &Error{Reason: ReasonConsentWaiting, Err: err}
	}
	if s.Unverified == nil || s.Unverified.Sealed == nil {
		return Consented{}, &Error{Reason: ReasonConsent, Detail: "there is nothing sealed for an operator"}
	}
	if s.Terms != f.hash {
		return Consented{}, &Error{Reason: ReasonTermsChanged}
	}
	tx := s.Unverified.Transaction
	verdict, err := f.c.Operator.Verify(ctx, s.Unverified.Sealed, tx)
	switch family := kakunin.FamilyOf(err); {
	case err != nil && (family == kakunin.Account || family == kakunin.Untrusted):
		f.state(ctx, ConsentRefused, s.Reference, err)
		return Consented{}, &Error{Reason: ReasonConsent, Err: err}
	case err != nil:
		return wait(err)
	}
	given, err := f.c.Terms.AcceptVerdict(consent.Judged{Transaction: tx, Verdict: verdict}, f.c.Base)
	if err != nil {
		f.state(ctx, ConsentRefused, s.Reference, err)
		return Consented{}, &Error{Reason: ReasonConsent, Err: err}
	}
	f.state(ctx, ConsentVerified, s.Reference, nil)
	got := Consented{Signed: s, Verdict: verdict, Consent: given}
	if err := f.c.Register(ctx, got); err != nil {
		return wait(err)
	}
	f.state(ctx, ConsentRegistered, s.Reference, nil)
	return got, nil
}

func (f *ConsentFlow) state(ctx context.Context, state ConsentState, reference string, err error) {
	level := slog.LevelInfo
	if state == ConsentWaiting {
		level = slog.LevelWarn
	}
	f.login.log.LogAttrs(ctx, level, "consent", slog.String("flow", f.name), slog.String("state", state.String()))
	if f.c.OnState != nil {
		f.c.OnState(ctx, ConsentEvent{State: state, Reference: reference, Err: err})
	}
}
