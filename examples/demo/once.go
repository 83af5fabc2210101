package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// visit goes through the relying party as a browser would, over HTTP: log in, read the document, sign, fetch the
// report. visitor.Person is the person at the service's pages and the phone. One JSON object goes to stdout.
func (d *demo) visit(ctx context.Context, stdout, stderr io.Writer) int {
	b, err := newBrowser(d)
	var rep report
	if err == nil {
		rep, err = b.visit(ctx)
	}
	if err != nil {
		explain(stderr, err)
		rep.Error = reportError(err)
	}
	if printErr := printReport(stdout, rep); err != nil || printErr != nil {
		return exitFailed
	}
	return exitOK
}

func printReport(w io.Writer, rep report) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(rep)
}

// stepError says at which step of the visit something failed.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

func reportError(err error) *errorReport {
	r := &errorReport{
		Step:    "start",
		Family:  kakunin.FamilyOf(err).String(),
		Message: kakunin.MessageFor(err, kakunin.English),
	}
	var at *stepError
	if errors.As(err, &at) {
		r.Step = at.step
	}
	if errors.Is(err, errNoService) {
		r.Family, r.Message = kakunin.Unavailable.String(), errNoService.Error()
	}
	var page *pageError
	if errors.As(err, &page) {
		r.Family, r.Message = page.family, page.message
	}
	return r
}

// browser is the person's browser at the relying party.
type browser struct {
	demo    *demo
	client  *http.Client
	visitor *visitor.Person
}

func newBrowser(d *demo) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{
		demo: d,
		client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     directly{base: d.base, at: d.at},
			Jar:           trustworthyLoopback{jar},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		visitor: &visitor.Person{
			AuthPIN:         d.person.Reveal().AuthPIN,
			TextPIN:         d.person.Reveal().TextPIN,
			SigningPassword: d.person.Reveal().SigningPassword,
		},
	}, nil
}

// visit returns what the relying party reports; the report holds what was reached even when the error is not nil.
func (b *browser) visit(ctx context.Context) (rep report, err error) {
	at := func(step string, err error) (report, error) { return rep, &stepError{step, err} }
	if err := b.logIn(ctx); err != nil {
		return at("login", err)
	}
	if rep, err = b.fetchReport(ctx); err != nil {
		return at("login", err)
	}
	if len(rep.Login.Attributes) != 4 {
		return at("login", errors.New("not every attribute was granted"))
	}
	if err := b.signDocument(ctx); err != nil {
		return at("sign", err)
	}
	if rep, err = b.fetchReport(ctx); err != nil {
		return at("sign", err)
	}
	switch s := rep.Signature; {
	case s == nil:
		return at("sign", errors.New("there is no signature"))
	case !s.Verified && s.Chain == nil:
		return at("verify", errors.New("the result is sealed to a platform operator whose key is not here"))
	case !s.Verified || s.Revocation != "good":
		return at("verify", errors.New("not every check held"))
	}
	if chain, err := b.demo.app.verifyLog(ctx); err != nil || chain.Records != 1 || len(rep.Evidence) == 0 {
		return at("evidence", errors.New("the log of evidence does not hold"))
	}
	return rep, nil
}

// logIn presses "log in", lets the visitor approve at the service, and opens the callback.
func (b *browser) logIn(ctx context.Context) error {
	home, err := b.open(ctx, http.MethodGet, b.demo.base+"/", nil)
	if err != nil {
		return err
	}
	m := loginLink.FindStringSubmatch(home.body)
	if m == nil {
		return errors.New("no login on the first page")
	}
	return b.throughService(ctx, http.MethodGet, b.demo.base+strings.ReplaceAll(m[1], "&amp;", "&"), nil, "/account")
}

// signDocument opens the document, presses "sign", lets the visitor approve, and opens the callback.
func (b *browser) signDocument(ctx context.Context) error {
	doc, err := b.open(ctx, http.MethodGet, b.demo.base+"/document", nil)
	if err != nil {
		return err
	}
	m := documentField.FindStringSubmatch(doc.body)
	if m == nil {
		return errors.New("no form on the page of the document")
	}
	return b.throughService(ctx, http.MethodPost, b.demo.base+"/sign", url.Values{"document": {m[1]}}, "/result")
}

var (
	loginLink     = regexp.MustCompile(`id="login"[^>]* href="([^"]+)"`)
	documentField = regexp.MustCompile(`name="document" value="([^"]+)"`)
	errorMessage  = regexp.MustCompile(`id="message"[^>]*>([^<]+)<`)
	errorFamily   = regexp.MustCompile(`data-family="([a-z]+)"`)
)

// throughService sends a request that leads to the service and comes back to the wanted page.
func (b *browser) throughService(ctx context.Context, method, address string, form url.Values, wanted string) error {
	begun, err := b.open(ctx, method, address, form)
	if err != nil {
		return err
	}
	if begun.location == "" {
		return errors.New("no redirect to the service")
	}
	callback, err := b.visitor.Approve(ctx, begun.location)
	if err != nil {
		return err
	}
	done, err := b.open(ctx, http.MethodGet, callback, nil)
	if err != nil {
		return err
	}
	if done.location != wanted {
		return errors.New("the relying party did not come back to the page")
	}
	_, err = b.open(ctx, http.MethodGet, b.demo.base+wanted, nil)
	return err
}

func (b *browser) fetchReport(ctx context.Context) (rep report, err error) {
	got, err := b.open(ctx, http.MethodGet, b.demo.base+"/report.json", nil)
	if err != nil {
		return rep, err
	}
	if err := json.Unmarshal([]byte(got.body), &rep); err != nil || rep.Login == nil {
		return report{}, errors.New("the report cannot be read")
	}
	return rep, nil
}

type answer struct{ body, location string }

// pageError is an error page of the relying party.
type pageError struct {
	status          int
	family, message string
}

func (e *pageError) Error() string {
	return fmt.Sprintf("page with status %d: %s", e.status, e.message)
}

func (b *browser) open(ctx context.Context, method, address string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, errors.New("not an address")
	}
	req.Header.Set("Accept-Language", "en")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.demo.base)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		// the cause would print the address with its code
		return answer{}, errors.New("the relying party does not answer")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, errors.New("the relying party's answer breaks off")
	}
	got := answer{string(body), resp.Header.Get("Location")}
	if resp.StatusCode < 400 {
		return got, nil
	}
	page := &pageError{
		status:  resp.StatusCode,
		family:  kakunin.Family(0).String(),
		message: http.StatusText(resp.StatusCode),
	}
	if m := errorMessage.FindStringSubmatch(got.body); m != nil {
		page.message = m[1]
	}
	if m := errorFamily.FindStringSubmatch(got.body); m != nil {
		page.family = m[1]
	}
	return got, page
}

// directly sends what is for the relying party's public address to where it listens: the registered redirect URL may
// name a host that a proxy in front of it serves.
type directly struct{ base, at string }

// RoundTrip implements http.RoundTripper.
func (t directly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme+"://"+req.URL.Host == t.base {
		req = req.Clone(req.Context())
		if req.Host == "" {
			req.Host = req.URL.Host
		}
		req.URL.Scheme, req.URL.Host = "http", t.at
	}
	return http.DefaultTransport.RoundTrip(req)
}

// trustworthyLoopback keeps Secure cookies for http on loopback, as browsers do, which net/http/cookiejar does not.
type trustworthyLoopback struct{ jar http.CookieJar }

func (t trustworthyLoopback) SetCookies(u *url.URL, cookies []*http.Cookie) {
	t.jar.SetCookies(secured(u), cookies)
}

func (t trustworthyLoopback) Cookies(u *url.URL) []*http.Cookie { return t.jar.Cookies(secured(u)) }

func secured(u *url.URL) *url.URL {
	if u.Scheme != "http" || !loopback(u.Hostname()) {
		return u
	}
	s := *u
	s.Scheme = "https"
	return &s
}
