package middleware_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// operatorXML is an operator's document: the bytes are its own, a byte order mark and CR LF included.
const operatorXML = "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<利用者同意申請情報>架空</利用者同意申請情報>\r\n"

func consentTerms(version string) *consent.Terms {
	t := &consent.Terms{
		Service: "shop-address", Version: version, DetailsURL: "https://shop.example/consent/details",
		Business: kakunin.Message{JA: "架空商店", EN: "Fictitious Shop"},
		Title:    kakunin.Message{JA: "最新の住所などの提供についての同意", EN: "Consent to providing your latest address"},
		Summary:  kakunin.Message{JA: "引っ越しのときに住所変更の手続きが要らなくなります。", EN: "You need not tell us when you move."},
		Texts:    map[consent.Item]kakunin.Message{},
	}
	for _, i := range consent.Items() {
		if i.Mandatory() {
			t.Texts[i] = kakunin.Message{JA: "説明の文", EN: "words"}
		}
	}
	return t
}

// consentWorld is a site with a consent, and the simulated platform operator behind it.
type consentWorld struct {
	*world
	flow       *middleware.ConsentFlow
	operator   func(*sign.Sealed, *sign.Transaction) (*sign.Verdict, error) // instead of the simulated one
	keepErr    error
	registerEr error
	asked      int
	states     []string
	kept       []middleware.Signed
	registered []middleware.Consented
}

// Verify implements sign.PlatformVerifier.
func (w *consentWorld) Verify(ctx context.Context, s *sign.Sealed, tx *sign.Transaction) (*sign.Verdict, error) {
	w.asked++
	if w.operator != nil {
		return w.operator(s, tx)
	}
	return w.svc.Operator(clientID).Verify(ctx, s, tx)
}

func newConsentWorld(t *testing.T) *consentWorld {
	t.Helper()
	w := &consentWorld{world: newWorld(t)}
	w.mount(t, "consent", "/consent", consentTerms("2026-04"))
	return w
}

func (w *consentWorld) consentConfig(terms *consent.Terms) middleware.ConsentConfig {
	return middleware.ConsentConfig{
		Terms: terms, Base: consent.BaseReceived, Operator: w,
		Document: func(r *http.Request) ([]byte, string, error) {
			if middleware.IdentityFrom(r.Context()) == nil {
				return nil, "", errors.New("nobody is logged in")
			}
			return []byte(operatorXML), "customer-7", nil
		},
		Keep: func(_ context.Context, s middleware.Signed) error {
			if w.keepErr == nil {
				w.kept = append(w.kept, s)
			}
			return w.keepErr
		},
		Register: func(_ context.Context, c middleware.Consented) error {
			if w.registerEr == nil {
				w.registered = append(w.registered, c)
			}
			return w.registerEr
		},
		OnRegistered: func(rw http.ResponseWriter, r *http.Request, _ middleware.Consented) {
			http.Redirect(rw, r, "/thanks", http.StatusSeeOther)
		},
		OnState: func(_ context.Context, e middleware.ConsentEvent) {
			s, reference, err := e.State, e.Reference, e.Err
			w.states = append(w.states, strings.TrimSpace(s.String()+" "+reference))
			if (err != nil) != (s == middleware.ConsentRefused || s == middleware.ConsentWaiting) {
				w.states = append(w.states, fmt.Sprintf("error %v", err))
			}
		},
	}
}

func (w *consentWorld) mount(t *testing.T, name, path string, terms *consent.Terms) {
	t.Helper()
	flow, err := w.login.Consent(name, w.consentConfig(terms))
	if err != nil {
		t.Fatal(err)
	}
	w.site.Config.Handler.(*http.ServeMux).Handle(path, flow)
	w.flow = flow
}

func (v *guest) logIn() {
	v.t.Helper()
	if status, _, _ := v.approve(http.MethodGet, "/auth/login"); status != http.StatusSeeOther {
		v.t.Fatalf("login: %d, %v", status, v.world.errors)
	}
}

// press sends the form of the screen as a browser does.
func (v *guest) press(path, answer string, change ...func(url.Values, http.Header)) (status int, to string) {
	v.t.Helper()
	_, _, screen := v.open(http.MethodGet, path)
	form := url.Values{"answer": {answer}}
	if _, rest, ok := strings.Cut(screen, `name="terms" value="`); ok {
		form.Set("terms", rest[:64])
	}
	header := http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Referer": {v.world.site.URL + path},
		"Sec-Fetch-Site": {"same-origin"},
	}
	for _, f := range change {
		f(form, header)
	}
	body := strings.NewReader(form.Encode())
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.world.site.URL+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header = header
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

// consents presses the button, signs, and comes back.
func (v *guest) consents(path string) (status int, to string) {
	v.t.Helper()
	_, to = v.press(path, "agree")
	callback, err := v.Approve(v.t.Context(), to)
	if err != nil {
		v.t.Fatal(err)
	}
	status, to, _ = v.open(http.MethodGet, callback)
	return status, to
}

func TestConsentFlow(t *testing.T) {
	w := newConsentWorld(t)
	v := w.visitor(t, 0)
	if status, to, _ := v.open(http.MethodGet, "/consent"); status != http.StatusSeeOther ||
		to != "/auth/login?return=%2Fconsent" {
		t.Errorf("nobody is logged in: %d to %q", status, to)
	}
	v.logIn()
	_, to := v.press("/consent", "agree")
	if !strings.HasPrefix(to, w.svc.URL()) {
		t.Fatalf("led to %q, %v", to, w.errors)
	}
	callback, err := v.Approve(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and a reload
		status, to, _ := v.open(http.MethodGet, callback)
		if status != http.StatusSeeOther || to != "/thanks" {
			t.Fatalf("%d to %q, %v", status, to, w.errors)
		}
	}
	if want := []string{
		"shown", "agreed customer-7", "signed customer-7", "verified customer-7", "registered customer-7",
	}; !slices.Equal(w.states, want) {
		t.Errorf("states %q", w.states)
	}
	if len(w.kept) != 1 || len(w.registered) != 1 {
		t.Fatalf("%d kept, %d registered", len(w.kept), len(w.registered))
	}
	got := w.registered[0]
	hash, err := consentTerms("2026-04").Hash()
	if err != nil {
		t.Fatal(err)
	}
	c := got.Consent
	if c.Service != "shop-address" || c.TermsVersion != "2026-04" || c.TermsSHA256 != hash ||
		c.DocumentSHA256 != sha256.Sum256([]byte(operatorXML)) || c.Base != consent.BaseReceived ||
		c.TransactionID != got.Signed.Unverified.Transaction.TransactionID() ||
		got.Signed.Unverified.Transaction.Mode != sign.ModeDigestInfo || got.Verdict.VerificationID == "" {
		t.Errorf("%+v", c)
	}
	if later := c.ReceivedAt.AddDate(0, 0, 2); c.StateAt(c.ReceivedAt) != consent.StatePending ||
		c.StateAt(later) != consent.StateActive {
		t.Error("it does not count from the next day on")
	}
	if secret := got.Signed.Unverified.Sealed.RevealJWE(); strings.Contains(w.log.String(), secret[:64]) ||
		strings.Contains(w.log.String(), "customer-7") {
		t.Error("the log says more than states")
	}
}

// The screen: in the person's language, in nobody's frame, and a form that may lead to the service.
func TestConsentScreen(t *testing.T) {
	w := newConsentWorld(t)
	v := w.visitor(t, 0)
	v.logIn()
	for language, words := range map[string]string{"ja": "同意しない", "en": "I do not agree"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.site.URL+"/consent", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", language)
		r, err := v.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(string(body), words) || !strings.Contains(string(body), `<html lang="`+language) ||
			!strings.Contains(string(body), `action="/consent"`) || r.Header.Get("Content-Language") != language ||
			!strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.Contains(policy, "form-action 'self' "+w.svc.URL()+";") ||
			!strings.HasPrefix(r.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %v\n%s", language, r.Header, body)
		}
	}
}

// What is not an agreement to these terms signs nothing.
func TestConsentIsNotGiven(t *testing.T) {
	var out func() // logs out, while the screen is open
	asIs := func(url.Values, http.Header) {}
	for name, c := range map[string]struct {
		answer string
		change func(url.Values, http.Header)
		reason middleware.Reason // 0: no error
		status int
		states string
	}{
		"declined": {"decline", asIs, 0, http.StatusSeeOther, "shown declined"},
		"other terms": {"agree", func(f url.Values, _ http.Header) {
			f.Set("terms", strings.Repeat("0", 64))
		}, middleware.ReasonTermsChanged, http.StatusConflict, "shown"},
		"no terms": {"agree", func(f url.Values, _ http.Header) {
			f.Del("terms")
		}, middleware.ReasonTermsChanged, http.StatusConflict, "shown"},
		"no answer": {"", asIs, middleware.ReasonMethod, http.StatusMethodNotAllowed, "shown"},
		"another site": {"agree", func(_ url.Values, h http.Header) {
			h.Set("Sec-Fetch-Site", "cross-site")
		}, middleware.ReasonCrossOrigin, http.StatusForbidden, "shown"},
		"logged out": {"agree", func(url.Values, http.Header) {
			out()
		}, middleware.ReasonLoginRequired, http.StatusUnauthorized, "shown"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newConsentWorld(t)
			v := w.visitor(t, 0)
			v.logIn()
			out = func() { v.open(http.MethodPost, "/auth/logout") }
			status, to := v.press("/consent", c.answer, c.change)
			if status != c.status || strings.HasPrefix(to, w.svc.URL()) || strings.Join(w.states, " ") != c.states {
				t.Errorf("%d to %q, states %q", status, to, w.states)
			}
			if c.reason != 0 && (len(w.errors) != 1 || !hasReason(w.errors[0], c.reason)) {
				t.Errorf("%v", w.errors)
			}
			if len(w.kept)+len(w.registered)+w.asked != 0 {
				t.Error("something was kept")
			}
		})
	}
}

// When the operator, or the register, cannot be asked, the signature is not lost, and the person does not sign again.
func TestConsentGoesOnLater(t *testing.T) {
	down := errors.New("down")
	for name, c := range map[string]struct {
		fail, mend func(*consentWorld)
		states     []string
	}{
		"operator": {
			func(w *consentWorld) {
				w.operator = func(*sign.Sealed, *sign.Transaction) (*sign.Verdict, error) { return nil, down }
			},
			func(w *consentWorld) { w.operator = nil },
			[]string{"shown", "agreed customer-7", "signed customer-7", "waiting customer-7"},
		},
		"register": {
			func(w *consentWorld) { w.registerEr = down }, func(w *consentWorld) { w.registerEr = nil },
			[]string{"shown", "agreed customer-7", "signed customer-7", "verified customer-7", "waiting customer-7"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newConsentWorld(t)
			v := w.visitor(t, 0)
			v.logIn()
			c.fail(w)
			status, _ := v.consents("/consent")
			err := w.errors[0]
			if status != http.StatusServiceUnavailable || !hasReason(err, middleware.ReasonConsentWaiting) ||
				!errors.Is(err, down) || !slices.Equal(w.states, c.states) || len(w.registered) != 0 {
				t.Fatalf("%d, %v, %q", status, err, w.states)
			}
			if text := kakunin.MessageFor(err, kakunin.Japanese); !strings.Contains(text, "もう一度署名していただく必要はありません") {
				t.Errorf("the person reads %q", text)
			}
			c.mend(w)
			// What an application stores of it is enough.
			sealed, err := sign.ParseSealed(w.kept[0].Unverified.Sealed.RevealJWE())
			if err != nil {
				t.Fatal(err)
			}
			stored := middleware.Signed{
				Reference: "customer-7", Terms: w.kept[0].Terms,
				Unverified: &signapi.Unverified{Transaction: w.kept[0].Unverified.Transaction, Sealed: sealed},
			}
			got, err := w.flow.Resume(t.Context(), stored)
			if err != nil || len(w.registered) != 1 || got.Consent.Service != "shop-address" {
				t.Errorf("%v, %d registered", err, len(w.registered))
			}
			// Not under terms that the person never saw, and not without a signature.
			w.mount(t, "consent-2027", "/consent-2027", consentTerms("2027-01"))
			for _, s := range []middleware.Signed{stored, {Terms: stored.Terms}, {}} {
				if _, err := w.flow.Resume(t.Context(), s); err == nil || len(w.registered) != 1 {
					t.Errorf("%v, %d registered", err, len(w.registered))
				}
			}
		})
	}
}

// A signature that is judged and not good is no consent, and one that could not be kept is not asked about.
func TestConsentIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*consentWorld)
		family kakunin.Family
		asked  int
		last   string
	}{
		"revoked": {func(w *consentWorld) {
			w.operator = func(*sign.Sealed, *sign.Transaction) (*sign.Verdict, error) {
				return &sign.Verdict{Status: jpki.Revoked}, &jpki.Error{Reason: jpki.ReasonRevoked}
			}
		}, kakunin.Account, 1, "refused customer-7"},
		"a verdict that is not good, without an error": {func(w *consentWorld) {
			w.operator = func(*sign.Sealed, *sign.Transaction) (*sign.Verdict, error) {
				return &sign.Verdict{VerifiedAt: time.Now()}, nil
			}
		}, kakunin.Untrusted, 1, "refused customer-7"},
		"no verdict and no error": {func(w *consentWorld) {
			w.operator = func(*sign.Sealed, *sign.Transaction) (*sign.Verdict, error) { return nil, nil }
		}, kakunin.Configuration, 1, "refused customer-7"},
		"not kept": {func(w *consentWorld) { w.keepErr = errors.New("disk full at 10.0.0.7") },
			kakunin.Configuration, 0, "agreed customer-7"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newConsentWorld(t)
			v := w.visitor(t, 0)
			v.logIn()
			c.change(w)
			status, _ := v.consents("/consent")
			if status < 400 || len(w.registered) != 0 || w.asked != c.asked || w.states[len(w.states)-1] != c.last {
				t.Errorf("%d, %d registered, asked %d times, %q", status, len(w.registered), w.asked, w.states)
			}
			err := w.errors[0]
			if !hasReason(err, middleware.ReasonConsent) || kakunin.FamilyOf(err) != c.family ||
				strings.Contains(err.Error()+w.log.String(), "10.0.0.7") {
				t.Errorf("%v, family %v", err, kakunin.FamilyOf(err))
			}
		})
	}
}

// Terms that change between the button and the callback: nothing is fetched, and the person is asked again.
func TestTermsChangeWhileThePersonSigns(t *testing.T) {
	w := newConsentWorld(t)
	v := w.visitor(t, 0)
	v.logIn()
	_, to := v.press("/consent", "agree")
	callback, err := v.Approve(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	// A new version is deployed: the same keys and sessions, other terms.
	if w.login, err = middleware.New(w.config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", w.login)
	w.site.Config.Handler = mux
	w.mount(t, "consent", "/consent", consentTerms("2027-01"))
	status, _, _ := v.open(http.MethodGet, callback)
	if status != http.StatusConflict || !hasReason(w.errors[0], middleware.ReasonTermsChanged) || len(w.kept) != 0 {
		t.Errorf("%d, %v, %d kept", status, w.errors, len(w.kept))
	}
}

func TestConsentConfigIsChecked(t *testing.T) {
	w := newConsentWorld(t)
	_, err := w.login.Consent("x", middleware.ConsentConfig{})
	for _, name := range []string{"Terms", "Base", "Operator", "Document", "Keep", "Register", "OnRegistered"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	incomplete := w.consentConfig(&consent.Terms{})
	if _, err := w.login.Consent("x", incomplete); !hasReason(err, middleware.ReasonConfiguration) ||
		!strings.Contains(err.Error(), "Texts lacks item 1") {
		t.Errorf("%v", err)
	}
	_, err = w.login.Consent("consent", w.consentConfig(consentTerms("1")))
	if !hasReason(err, middleware.ReasonConfiguration) {
		t.Errorf("a name twice: %v", err)
	}
	for s := middleware.ConsentShown; s <= middleware.ConsentWaiting; s++ {
		if s.String() == "unknown" {
			t.Errorf("state %d has no word", s)
		}
	}
	if middleware.ConsentState(99).String() != "unknown" {
		t.Error("a state that does not exist has a word")
	}
}
