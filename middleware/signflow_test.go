package middleware_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
)

func hasReason(err error, reason middleware.Reason) bool {
	e, ok := errors.AsType[*middleware.Error](err)
	return ok && e.Reason == reason
}

// beginSign presses the sign button on the page /contract and returns the address at the service.
func (b *browser) beginSign() string {
	b.t.Helper()
	r := b.do(http.MethodPost, "/sign", url.Values{}, http.Header{"Referer": {b.site.URL + "/contract?id=7"}})
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), b.site.op.URL) {
		b.t.Fatalf("sign: %d, %v", r.StatusCode, b.site.lastError())
	}
	return r.Header.Get("Location")
}

func TestSignFlow(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	to := b.beginSign()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); q.Get("sign_transaction_id") != transactionID || !strings.Contains(q.Get("scope"), "sign") ||
		strings.Contains(q.Get("scope"), "name") {
		t.Errorf("authorization request: %v", q)
	}
	callback := s.op.approve(t, to)
	r := b.get(callback)
	if r.StatusCode != http.StatusOK || r.body != "signed by subject-hanako" {
		t.Fatalf("%d %q, %v", r.StatusCode, r.body, s.lastError())
	}
	if r.Header.Get("Referrer-Policy") != "no-referrer" || !strings.HasPrefix(r.Header.Get("Cache-Control"),
		"no-store") {
		t.Errorf("headers: %v", r.Header)
	}
	got := s.signed[0]
	if got.Reference != "contract-7" || got.Unverified == nil || got.Unverified.Opened == nil ||
		got.Identity.TransactionID != transactionID {
		t.Errorf("Signed = %+v", got)
	}
	if tx := got.Unverified.Transaction; tx.Mode != sign.ModeDigestInfo || tx.MediaType != "text/plain; charset=utf-8" {
		t.Errorf("transaction %+v", tx)
	}
	if b.who() != "subject-hanako" {
		t.Error("signing ended the session")
	}
	// Back or reload: the application has the signature, and the person must not be told to sign once more.
	for range 2 {
		r := b.get(callback)
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/contract?id=7" || s.signatures() != 1 {
			t.Errorf("again: %d to %q, %d signatures", r.StatusCode, r.Header.Get("Location"), s.signatures())
		}
	}
	// After logging out, and for somebody else, the same address is worth nothing.
	kept := b.cookies(pendingPrefix)[0]
	b.post("/auth/logout")
	again := func(want string) {
		t.Helper()
		b.setCookie(kept.Name, kept.Value)
		if r := b.get(callback); r.StatusCode != http.StatusBadRequest || b.who() != want || s.signatures() != 1 {
			t.Errorf("%s: %d, %d signatures", want, r.StatusCode, s.signatures())
		}
	}
	again("nobody")
	s.op.set(func(p *provider) { p.subject = "subject-taro" })
	b.logIn()
	again("subject-taro")
}

// Where the application sends the browser with a signature, a reload goes too, also of two requests at once.
func TestSignedAndSentOn(t *testing.T) {
	s := newSite(t)
	h, err := s.login.Sign("sent-on", middleware.SignConfig{
		Mode: sign.ModeBareHash,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader("x")}, "", nil
		},
		OnSigned: func(w http.ResponseWriter, r *http.Request, sg middleware.Signed) {
			s.mu.Lock()
			s.signed = append(s.signed, sg)
			s.mu.Unlock()
			http.Redirect(w, r, "/done?id=7", http.StatusSeeOther)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler.(*http.ServeMux).Handle("/sent-on", h)
	b := s.browser(t)
	b.logIn()
	entered, release := slowOP(s)
	to := s.op.approve(t, b.post("/sent-on").Header.Get("Location"))
	var wg sync.WaitGroup
	results := make(chan response, 2)
	wg.Go(func() { results <- b.get(to) })
	<-entered
	wg.Go(func() { results <- b.get(to) })
	close(release)
	wg.Wait()
	close(results)
	for r := range results {
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/done?id=7" {
			t.Errorf("%d to %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
		}
	}
	to = b.get(to).Header.Get("Location")
	if to != "/done?id=7" || s.signatures() != 1 || s.op.exchanges() != 2 {
		t.Errorf("reload: to %q, %d signatures, %d codes redeemed", to, s.signatures(), s.op.exchanges())
	}
}

func TestSignRefusals(t *testing.T) {
	tests := map[string]struct {
		act    func(*testing.T, *site, *browser) response
		family kakunin.Family
		reason middleware.Reason
		status int
		retry  string
	}{
		"not logged in": {func(_ *testing.T, _ *site, b *browser) response {
			b.post("/auth/logout")
			return b.post("/sign")
		}, kakunin.User, middleware.ReasonLoginRequired, http.StatusUnauthorized, "/auth/login"},
		"GET": {func(_ *testing.T, _ *site, b *browser) response { return b.get("/sign") },
			kakunin.User, middleware.ReasonMethod, http.StatusMethodNotAllowed, ""},
		"from another site": {func(_ *testing.T, _ *site, b *browser) response {
			return b.do(http.MethodPost, "/sign", url.Values{}, http.Header{"Sec-Fetch-Site": {"cross-site"}})
		}, kakunin.Untrusted, middleware.ReasonCrossOrigin, http.StatusForbidden, ""},
		"another person signs": {func(t *testing.T, s *site, b *browser) response {
			to := b.beginSign()
			s.op.set(func(p *provider) { p.subject = "subject-taro" })
			return b.get(s.op.approve(t, to))
		}, kakunin.Account, middleware.ReasonOtherPerson, http.StatusForbidden, "/contract?id=7"},
		"another person logged in meanwhile": {func(t *testing.T, s *site, b *browser) response {
			to := b.beginSign()
			s.op.set(func(p *provider) { p.subject = "subject-taro" })
			b.logIn()
			return b.get(s.op.approve(t, to))
		}, kakunin.Account, middleware.ReasonOtherPerson, http.StatusForbidden, "/contract?id=7"},
		"logged out meanwhile": {func(t *testing.T, s *site, b *browser) response {
			to := b.beginSign()
			kept := b.cookies(pendingPrefix)[0]
			b.post("/auth/logout")
			b.setCookie(kept.Name, kept.Value)
			return b.get(s.op.approve(t, to))
		}, kakunin.User, middleware.ReasonLoginRequired, http.StatusUnauthorized,
			"/auth/login?return=%2Fcontract%3Fid%3D7"},
		"cancelled": {func(t *testing.T, _ *site, b *browser) response {
			u, err := url.Parse(b.beginSign())
			if err != nil {
				t.Fatal(err)
			}
			return b.get("/auth/callback?error=access_denied&state=" + url.QueryEscape(u.Query().Get("state")))
		}, kakunin.User, middleware.ReasonSignCancelled, http.StatusBadRequest, "/contract?id=7"},
		"result not ready": {func(t *testing.T, s *site, b *browser) response {
			s.op.set(func(p *provider) {
				p.answer = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusAccepted); return true }
			})
			return b.get(s.op.approve(t, b.beginSign()))
		}, kakunin.Unavailable, 0, http.StatusServiceUnavailable, "/contract?id=7"},
		"a login's answer for a signature": {func(t *testing.T, s *site, b *browser) response {
			// The cookie of the signature under the name of a login.
			to := s.op.approve(t, b.begin("/auth/login"))
			login := b.cookies(pendingPrefix)[0]
			b.beginSign()
			for _, c := range b.cookies(pendingPrefix) {
				if c.Name != login.Name {
					b.setCookie(login.Name, c.Value)
				}
			}
			return b.get(to)
		}, kakunin.Untrusted, middleware.ReasonTampered, http.StatusBadRequest, ""},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser(t)
			b.logIn()
			r := c.act(t, s, b)
			err := s.lastError()
			if r.StatusCode != c.status || kakunin.FamilyOf(err) != c.family {
				t.Errorf("%d, family %v (%v); want %d, %v", r.StatusCode, kakunin.FamilyOf(err), err, c.status,
					c.family)
			}
			if c.reason != 0 && !hasReason(err, c.reason) {
				t.Errorf("error %v, want %v", err, c.reason)
			}
			if c.retry != "" && r.Header.Get("Retry") != c.retry {
				t.Errorf("try again at %q, want %q", r.Header.Get("Retry"), c.retry)
			}
			if s.signatures() != 0 {
				t.Error("OnSigned was called")
			}
		})
	}
}

func TestSignConfigIsChecked(t *testing.T) {
	s := newSite(t)
	good := middleware.SignConfig{
		Mode:     sign.ModeBareHash,
		Document: func(*http.Request) (sign.Document, string, error) { return sign.Document{}, "", nil },
		OnSigned: func(http.ResponseWriter, *http.Request, middleware.Signed) {},
	}
	noMode, noDocument, noSigned := good, good, good
	noMode.Mode, noDocument.Document, noSigned.OnSigned = 0, nil, nil
	for name, c := range map[string]struct {
		flow   string
		config middleware.SignConfig
	}{
		"taken": {"contract", good}, "empty name": {"", good}, "bad name": {"a/b", good},
		"long name": {strings.Repeat("a", 33), good},
		"no mode":   {"x", noMode}, "no document": {"x", noDocument}, "no OnSigned": {"x", noSigned},
	} {
		if _, err := s.login.Sign(c.flow, c.config); !hasReason(err, middleware.ReasonConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.login.Sign("other-1", good); err != nil {
		t.Error(err)
	}
	var plain *middleware.Login
	newSite(t, func(c *middleware.Config) {
		without := *c
		without.Signer = nil
		var err error
		if plain, err = middleware.New(without); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := plain.Sign("x", good); !hasReason(err, middleware.ReasonConfiguration) {
		t.Errorf("without a signer: %v", err)
	}
}

func TestSignDocumentErrors(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	appErr := errors.New("no contract of 確認花子")
	for name, c := range map[string]struct {
		reference string
		err       error
		reason    middleware.Reason
	}{
		"application error":      {"", appErr, middleware.ReasonDocument},
		"long reference":         {strings.Repeat("字", 129), nil, middleware.ReasonConfiguration},
		"control in reference":   {"a\nb", nil, middleware.ReasonConfiguration},
		"reference is not UTF-8": {"\xff", nil, middleware.ReasonConfiguration},
	} {
		h, err := s.login.Sign(strings.ReplaceAll(name, " ", "-"), middleware.SignConfig{
			Mode: sign.ModeBareHash,
			Document: func(*http.Request) (sign.Document, string, error) {
				return sign.Document{Reader: strings.NewReader("x")}, c.reference, c.err
			},
			OnSigned: func(http.ResponseWriter, *http.Request, middleware.Signed) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Config.Handler.(*http.ServeMux).Handle("/sign-"+url.PathEscape(name), h)
		if r := b.post("/sign-" + url.PathEscape(name)); r.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		if err := s.lastError(); !hasReason(err, c.reason) || strings.Contains(err.Error(), "花子") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if log := s.log.String(); strings.Contains(log, "花子") {
		t.Error("an application's error text is in the log")
	}
}

func TestLongestReferenceFits(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	longest := strings.Repeat("𠮷", 128)
	var got string
	h, err := s.login.Sign("longest", middleware.SignConfig{
		Mode: sign.ModeBareHash,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader("x")}, longest, nil
		},
		OnSigned: func(_ http.ResponseWriter, _ *http.Request, sg middleware.Signed) { got = sg.Reference },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler.(*http.ServeMux).Handle("/longest", h)
	r := b.do(http.MethodPost, "/longest", url.Values{}, http.Header{
		"Referer": {s.URL + "/" + strings.Repeat(`~`, 1000)}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", r.StatusCode, s.lastError())
	}
	checkCookie(t, r.Cookies()[0])
	if r = b.get(s.op.approve(t, r.Header.Get("Location"))); got != longest {
		t.Errorf("%d, %q, %v", r.StatusCode, got, s.lastError())
	}
}
