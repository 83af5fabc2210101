package daa

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Visitor is a person with a browser and a phone, driven over HTTP: no browser engine, no sleeping. It works against any
// simulated service, also in another process, by reading the forms of the pages that it gets. Every call is a new
// browser; calls may run at the same time.
//
// The methods take the authorization URL and return the callback URL that the browser is sent to at the end, which they
// do not open. Errors are *[Error].
type Visitor struct {
	HTTPClient                        *http.Client // transport and timeout; default: a client with a timeout of 30 s
	AuthPIN, TextPIN, SigningPassword string
	Card                              string // name of the card to choose, e.g. "hanako"; "" = the default card
	TwoDevices                        bool   // begin on a PC, scan the QR code, and type the six-digit number
}

// plan is what the visitor means to do.
type plan struct {
	cancel  bool
	mistype int // times to type a wrong authentication PIN before the right one
}

// Approve opens the authorization URL, enters the PINs, consents and returns the callback URL. If the card or its
// certificate cannot be used, it goes back to the relying party: then the callback URL carries the error that the
// relying party gets, and the error has ReasonCardUnusable.
func (v *Visitor) Approve(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{})
	return callback, err
}

// Cancel opens the authorization URL and cancels on the first page of the phone screen.
func (v *Visitor) Cancel(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{cancel: true})
	return callback, err
}

// MistypePIN types a wrong authentication PIN the given number of times and then does what Approve does. remaining is
// the number of tries that the page showed last; it is 0, and the error has ReasonCardUnusable, when the card was
// blocked by it.
func (v *Visitor) MistypePIN(ctx context.Context, authorizationURL string, times int) (callback string, remaining int, err error) {
	return v.visit(ctx, authorizationURL, plan{mistype: times})
}

// Block types wrong authentication PINs until the card is blocked, and goes back to the relying party.
func (v *Visitor) Block(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{mistype: maxSteps})
	if e, ok := errors.AsType[*Error](err); ok && e.Check == outcomeNames[outcomeBlocked] {
		return callback, nil
	}
	return callback, err
}

// maxSteps bounds how many pages one visit may take.
const maxSteps = 24

// User agents of the two devices: the service tells them apart by the word "Mobile".
const (
	phoneAgent = "kakunin-visitor/1 (Mobile)"
	pcAgent    = "kakunin-visitor/1 (PC)"
)

func (v *Visitor) visit(ctx context.Context, authorizationURL string, p plan) (callback string, remaining int, err error) {
	at, err := url.Parse(authorizationURL)
	if err != nil || at.Host == "" {
		return "", 0, &Error{Reason: ReasonConfiguration, Check: "authorization URL"}
	}
	agent := phoneAgent
	if v.TwoDevices {
		agent = pcAgent
	}
	b, err := v.newBrowser(at, agent)
	if err != nil {
		return "", 0, err
	}
	b.callback = at.Query().Get("redirect_uri")
	page, callback, err := b.do(ctx, http.MethodGet, at, nil)
	if err != nil || callback != "" {
		return callback, 0, err
	}
	w := &walk{visitor: v, plan: p, browser: b}
	callback, err = w.run(ctx, page)
	return callback, w.remaining, err
}

// walk is one visit under way.
type walk struct {
	visitor   *Visitor
	plan      plan
	browser   *browser
	mistyped  int
	remaining int
	problem   error // what the phone screen said before it let go
}

// run handles page after page until the browser is sent away.
func (w *walk) run(ctx context.Context, page *shownPage) (callback string, err error) {
	for range maxSteps {
		var form string
		fields := url.Values{}
		switch page.name {
		case pageHandover:
			if w.visitor.TwoDevices {
				return w.handover(ctx, page)
			}
			form = "here"
		case pageProblem:
			w.problem = &Error{Reason: ReasonCardUnusable, Check: known(page.marks["problem"])}
			w.remaining = 0
			form = "leave"
		case pageError:
			return "", &Error{Reason: ReasonRefused, Check: known(page.marks["error"])}
		default:
			if form, err = w.answer(page, fields); err != nil {
				return "", err
			}
		}
		if page, callback, err = w.browser.submit(ctx, page, form, fields); err != nil {
			return "", err
		}
		if callback != "" {
			return callback, w.problem
		}
	}
	return "", &Error{Reason: ReasonUnexpectedPage, Check: "too many pages"}
}

// answer fills in a page of the phone screen and says which form to send.
func (w *walk) answer(page *shownPage, fields url.Values) (form string, err error) {
	if w.plan.cancel {
		return "cancel", nil
	}
	form = string(page.name)
	f := page.forms[form]
	if f == nil {
		return "", &Error{Reason: ReasonUnexpectedPage, Check: "form"}
	}
	shown := f.marks["remaining"]
	if shown != "" {
		if w.remaining, err = strconv.Atoi(shown); err != nil {
			return "", &Error{Reason: ReasonUnexpectedPage, Check: "remaining tries"}
		}
	}
	switch page.name {
	case pageAuthPIN:
		if f.has("card") {
			index, err := chooseCard(f, w.visitor.Card)
			if err != nil {
				return "", err
			}
			fields.Set("card", index)
		}
		if w.mistyped < w.plan.mistype {
			w.mistyped++
			fields.Set("pin", wrongPIN(w.visitor.AuthPIN))
			return form, nil
		}
		if w.mistyped > w.plan.mistype {
			return "", &Error{Reason: ReasonPINRefused, Check: form}
		}
		w.mistyped++ // a refusal of the right PIN must not be tried again
		fields.Set("pin", w.visitor.AuthPIN)
		return form, nil
	case pageTextPIN:
		fields.Set("pin", w.visitor.TextPIN)
	case pageSigningPassword:
		fields.Set("password", w.visitor.SigningPassword)
	case pageConsent:
		return form, nil
	default:
		return "", &Error{Reason: ReasonUnexpectedPage, Check: "page"}
	}
	if shown != "" {
		return "", &Error{Reason: ReasonPINRefused, Check: form}
	}
	return form, nil
}

func chooseCard(f *shownForm, name string) (string, error) {
	for _, i := range f.inputs {
		if i.name == "card" && (name == "" || i.card == name) {
			return i.value, nil
		}
	}
	return "", &Error{Reason: ReasonConfiguration, Check: "card"}
}

// wrongPIN is well-formed and not the right one.
func wrongPIN(right string) string {
	if right == "0000" {
		return "0001"
	}
	return "0000"
}

// handover plays both devices: the phone opens the QR code's address, the PC gets the number.
func (w *walk) handover(ctx context.Context, pc *shownPage) (callback string, err error) {
	here := pc.forms["here"]
	if here == nil {
		return "", &Error{Reason: ReasonUnexpectedPage, Check: "form"}
	}
	at, err := url.Parse(here.marks["phone"])
	if err != nil || !w.browser.own(at) {
		return "", &Error{Reason: ReasonUnexpectedPage, Check: "phone address"}
	}
	phone, err := w.visitor.newBrowser(at, phoneAgent)
	if err != nil {
		return "", err
	}
	page, leaked, err := phone.do(ctx, http.MethodGet, at, nil)
	onPhone := &walk{visitor: w.visitor, plan: w.plan, browser: phone}
	number := ""
	for range maxSteps {
		if err != nil {
			return "", err
		}
		if leaked != "" { // only the browser that began may be sent back
			return "", &Error{Reason: ReasonUnexpectedPage, Check: "redirect of the wrong device"}
		}
		switch page.name {
		case pageNumber:
			number = page.marks["number"]
		case pageProblem:
			w.problem = &Error{Reason: ReasonCardUnusable, Check: known(page.marks["problem"])}
		case pageClosed:
		case pageError:
			return "", &Error{Reason: ReasonRefused, Check: known(page.marks["error"])}
		default:
			fields := url.Values{}
			form, ferr := onPhone.answer(page, fields)
			if ferr != nil {
				return "", ferr
			}
			page, leaked, err = phone.submit(ctx, page, form, fields)
			continue
		}
		break
	}
	form, fields := "cancel", url.Values{}
	if number != "" {
		form, fields = "number", url.Values{"number": {number}}
		w.remaining = onPhone.remaining
	}
	_, callback, err = w.browser.submit(ctx, pc, form, fields)
	if err == nil && callback == "" {
		err = &Error{Reason: ReasonUnexpectedPage, Check: "number refused"}
	}
	if err != nil {
		return "", err
	}
	return callback, w.problem
}

// known passes markers of ours and nothing that somebody else may have written.
func known(marker string) string {
	for _, name := range outcomeNames {
		if marker == name {
			return marker
		}
	}
	switch k := errorKind(marker); k {
	case pageErrorQuery, pageErrorClient, pageErrorRedirect, pageErrorGone, pageErrorCookie, pageErrorForeign,
		pageErrorForm, pageErrorNotFound, pageErrorInternal:
		return marker
	}
	return "unknown"
}

// browser keeps cookies and stays on the pages of one service.
type browser struct {
	client   *http.Client
	agent    string
	origin   *url.URL
	callback string // the redirect URL of the authorization request
}

func (v *Visitor) newBrowser(at *url.URL, agent string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Check: "cookies", Err: err}
	}
	c := &http.Client{Timeout: 30 * time.Second}
	if v.HTTPClient != nil {
		c.Transport, c.Timeout = v.HTTPClient.Transport, v.HTTPClient.Timeout
	}
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{client: c, agent: agent, origin: &url.URL{Scheme: at.Scheme, Host: at.Host}}, nil
}

// own reports whether the address is one of the simulated service's pages.
func (b *browser) own(u *url.URL) bool {
	return b.sameOrigin(u) && strings.HasPrefix(u.Path, "/phone/")
}

func (b *browser) sameOrigin(u *url.URL) bool {
	return u.Scheme == b.origin.Scheme && u.Host == b.origin.Host
}

// stays reports whether a redirect leads on within the service; every other one sends the person away. A service of
// another make may have addresses of its own between the authorization endpoint and the callback.
func (b *browser) stays(u *url.URL) bool {
	back := b.callback != "" && (u.String() == b.callback || strings.HasPrefix(u.String(), b.callback+"?"))
	return b.sameOrigin(u) && !back
}

func (b *browser) submit(ctx context.Context, p *shownPage, form string, fields url.Values) (*shownPage, string, error) {
	f := p.forms[form]
	if f == nil {
		return nil, "", &Error{Reason: ReasonUnexpectedPage, Check: "form"}
	}
	for name := range fields {
		if !f.has(name) {
			return nil, "", &Error{Reason: ReasonUnexpectedPage, Check: "field"}
		}
	}
	for _, i := range f.inputs {
		if i.kind == "hidden" {
			fields.Set(i.name, i.value)
		}
	}
	action, err := p.at.Parse(f.action)
	if err != nil || !b.own(action) {
		return nil, "", &Error{Reason: ReasonUnexpectedPage, Check: "action"}
	}
	return b.do(ctx, http.MethodPost, action, fields)
}

// do sends a request and follows redirects within the service. It returns a page, or the address outside.
func (b *browser) do(ctx context.Context, method string, at *url.URL, fields url.Values) (*shownPage, string, error) {
	for range maxSteps {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(fields.Encode())
		}
		req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
		if err != nil {
			return nil, "", &Error{Reason: ReasonTransport, Check: "request", Err: err}
		}
		req.Header.Set("User-Agent", b.agent)
		req.Header.Set("Accept-Language", "ja")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", b.origin.String())
			req.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		page, next, err := b.send(req)
		if err != nil || next == nil {
			return page, "", err
		}
		if !b.stays(next) {
			return nil, next.String(), nil
		}
		method, at = http.MethodGet, next
	}
	return nil, "", &Error{Reason: ReasonUnexpectedPage, Check: "too many redirects"}
}

// isRedirect: the simulated service answers 303 only; other services may answer a GET with any of these.
func isRedirect(status int, method string) bool {
	switch status {
	case http.StatusSeeOther:
		return true
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return method == http.MethodGet
	}
	return false
}

func (b *browser) send(req *http.Request) (*shownPage, *url.URL, error) {
	res, err := b.client.Do(req)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Check: "response", Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	if isRedirect(res.StatusCode, req.Method) {
		next, err := res.Location()
		if err != nil {
			return nil, nil, &Error{Reason: ReasonUnexpectedPage, Check: "location"}
		}
		return nil, next, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limits.SimulatorPage+1))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Check: "body", Err: err}
	}
	mt, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || mt != "text/html" || len(body) > limits.SimulatorPage {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Check: "content type or size"}
	}
	page, err := readPage(string(body))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Check: "form of the page"}
	}
	page.at = req.URL
	return page, nil, nil
}
