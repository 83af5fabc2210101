package visitor

import (
	"context"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// browser keeps cookies and stays on the pages of one service. It follows redirects itself, and so needs of an
// http.Client nothing but the transport and the time that an answer may take.
type browser struct {
	transport http.RoundTripper
	timeout   time.Duration // of a request, from connecting to the last byte; 0 = none
	jar       http.CookieJar

	always   http.Header // of every request
	posting  http.Header // of forms, beside these
	origin   *url.URL
	callback string // the redirect URL of the authorization request
}

func (v *Person) newBrowser(at *url.URL, agent string, jar http.CookieJar) (*browser, error) {
	if jar == nil {
		var err error
		if jar, err = cookiejar.New(nil); err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Step: "cookies", Err: err}
		}
	}
	transport, timeout := http.DefaultTransport, 30*time.Second
	if v.HTTPClient != nil {
		timeout = v.HTTPClient.Timeout
		if v.HTTPClient.Transport != nil {
			transport = v.HTTPClient.Transport
		}
	}
	origin := &url.URL{Scheme: at.Scheme, Host: at.Host}
	return &browser{
		transport: transport, timeout: timeout, jar: jar,
		origin: origin, always: http.Header{"User-Agent": {agent}, "Accept-Language": {"ja"}},
		posting: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {origin.String()},
			"Sec-Fetch-Site": {"same-origin"},
		},
	}, nil
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

func (b *browser) submit(
	ctx context.Context,
	p *shownPage,
	form string,
	fields url.Values,
) (*shownPage, string, error) {
	f := p.forms[form]
	if f == nil {
		return nil, "", &Error{Reason: ReasonUnexpectedPage, Step: "form"}
	}
	for name := range fields {
		if !f.has(name) {
			return nil, "", &Error{Reason: ReasonUnexpectedPage, Step: "field"}
		}
	}
	for _, i := range f.inputs {
		if i.kind == "hidden" {
			fields.Set(i.name, i.value)
		}
	}
	action, err := p.at.Parse(f.action)
	if err != nil || !b.own(action) {
		return nil, "", &Error{Reason: ReasonUnexpectedPage, Step: "action"}
	}
	return b.do(ctx, http.MethodPost, action, fields)
}

// do sends a request and follows redirects within the service. It returns a page, or the address outside.
func (b *browser) do(ctx context.Context, method string, at *url.URL, fields url.Values) (*shownPage, string, error) {
	for range maxSteps {
		shown, next, err := b.send(ctx, method, at, fields)
		if err != nil || next == nil {
			return shown, "", err
		}
		if !b.stays(next) {
			return nil, next.String(), nil
		}
		method, at = http.MethodGet, next
	}
	return nil, "", &Error{Reason: ReasonUnexpectedPage, Step: "too many redirects"}
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

// send sends one request. It returns a page, or where the answer redirects to.
func (b *browser) send(
	ctx context.Context,
	method string,
	at *url.URL,
	fields url.Values,
) (*shownPage, *url.URL, error) {
	if b.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.timeout)
		defer cancel()
	}
	var form io.Reader
	if method == http.MethodPost {
		form = strings.NewReader(fields.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, at.String(), form)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "request", Err: err}
	}
	maps.Copy(req.Header, b.always)
	if method == http.MethodPost {
		maps.Copy(req.Header, b.posting)
	}
	for _, cookie := range b.jar.Cookies(req.URL) {
		req.AddCookie(cookie)
	}
	res, err := b.transport.RoundTrip(req)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "response", Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	if cookies := res.Cookies(); len(cookies) > 0 {
		b.jar.SetCookies(req.URL, cookies)
	}
	if isRedirect(res.StatusCode, req.Method) {
		next, err := res.Location()
		if err != nil {
			return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "location"}
		}
		return nil, next, nil
	}
	body, err := webcall.Body(res, limits.SimulatorPage)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "body", Err: err}
	}
	mt, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || mt != "text/html" {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "content type"}
	}
	shown, err := readPage(string(body))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "form of the page"}
	}
	shown.at = req.URL
	return shown, nil, nil
}
