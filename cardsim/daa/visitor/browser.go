package visitor

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// browser keeps cookies and stays on the pages of one service.
type browser struct {
	client   *http.Client
	agent    string
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
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(fields.Encode())
		}
		req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
		if err != nil {
			return nil, "", &Error{Reason: ReasonTransport, Step: "request", Err: err}
		}
		req.Header.Set("User-Agent", b.agent)
		req.Header.Set("Accept-Language", "ja")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", b.origin.String())
			req.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		shown, next, err := b.send(req)
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

func (b *browser) send(req *http.Request) (*shownPage, *url.URL, error) {
	res, err := b.client.Do(req)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "response", Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	if isRedirect(res.StatusCode, req.Method) {
		next, err := res.Location()
		if err != nil {
			return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "location"}
		}
		return nil, next, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limits.SimulatorPage+1))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "body", Err: err}
	}
	mt, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || mt != "text/html" || len(body) > limits.SimulatorPage {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "content type or size"}
	}
	shown, err := readPage(string(body))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "form of the page"}
	}
	shown.at = req.URL
	return shown, nil, nil
}
