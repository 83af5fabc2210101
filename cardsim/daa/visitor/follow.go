package visitor

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Browser is a person's browser at a relying party: it keeps cookies, follows the party's redirects, and where one
// leads to the service the person approves. It is for one goroutine; a new Browser is a new person to the site.
type Browser struct {
	Person  *Person
	Service string // the authorization endpoint
	// HTTPClient reaches the relying party, e.g. the Client of an httptest.Server; default: one with a timeout of 30 s.
	// Its cookie jar, if it has one, is used.
	HTTPClient *http.Client

	jar http.CookieJar
}

// Page is where a browser arrived.
type Page struct {
	URL    *url.URL
	Status int
	Body   string
}

// Login opens a page of the relying party, goes through the service as often as it is sent there, and returns the page
// on which it ends: with one call the whole login. Errors are *[Error].
func (b *Browser) Login(ctx context.Context, appURL string) (*Page, error) {
	return b.open(ctx, http.MethodGet, appURL, nil)
}

// Submit sends a form, from a page of the same origin.
func (b *Browser) Submit(ctx context.Context, appURL string, form url.Values) (*Page, error) {
	return b.open(ctx, http.MethodPost, appURL, form)
}

func (b *Browser) open(ctx context.Context, method, target string, form url.Values) (*Page, error) {
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	for range maxSteps {
		at, err := url.Parse(target)
		if err != nil || at.Host == "" {
			return nil, &Error{Reason: ReasonConfiguration, Step: "address of the relying party"}
		}
		if b.Service != "" && strings.HasPrefix(target, b.Service+"?") {
			if target, err = b.Person.Approve(ctx, target); err != nil {
				return nil, err
			}
			continue
		}
		page, next, err := b.step(ctx, client, method, at, form)
		if err != nil || next == nil {
			return page, err
		}
		method, target, form = http.MethodGet, next.String(), nil
	}
	return nil, &Error{Reason: ReasonUnexpectedPage, Step: "too many redirects"}
}

func (b *Browser) step(
	ctx context.Context,
	client *http.Client,
	method string,
	at *url.URL,
	form url.Values,
) (*Page, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "request", Err: err}
	}
	req.Header.Set("User-Agent", phoneAgent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", at.Scheme+"://"+at.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "response", Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	if isRedirect(res.StatusCode, http.MethodGet) {
		next, err := res.Location()
		if err != nil {
			return nil, nil, &Error{Reason: ReasonUnexpectedPage, Step: "location"}
		}
		return nil, next, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limits.HTTPBody))
	if err != nil {
		return nil, nil, &Error{Reason: ReasonTransport, Step: "body", Err: err}
	}
	return &Page{URL: at, Status: res.StatusCode, Body: string(body)}, nil, nil
}

// client has one jar for all calls.
func (b *Browser) client() (*http.Client, error) {
	c := &http.Client{Timeout: 30 * time.Second}
	if b.HTTPClient != nil {
		*c = *b.HTTPClient
	}
	if b.jar == nil {
		if b.jar = c.Jar; b.jar == nil {
			var err error
			if b.jar, err = cookiejar.New(nil); err != nil {
				return nil, &Error{Reason: ReasonConfiguration, Step: "cookies", Err: err}
			}
		}
	}
	c.Jar = b.jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}
