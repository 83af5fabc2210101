package daa_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const (
	pcAgent    = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
	phoneAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
)

// browser is a browser by hand: it follows redirects within the service and keeps cookies.
type browser struct {
	t      testing.TB
	client *http.Client
	agent  string
	header map[string]string
	at     *url.URL
	status int
	body   string
	left   string // where the last redirect led outside
	resp   http.Header
}

func (rp *relyingParty) browser(agent string) *browser {
	rp.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		rp.t.Fatal(err)
	}
	c := rp.svc.Client()
	c.Jar = jar
	return &browser{t: rp.t, client: c, agent: agent, header: map[string]string{}}
}

func (b *browser) get(target string) *browser {
	b.t.Helper()
	return b.do(http.MethodGet, target, nil)
}

func (b *browser) post(action string, fields ...string) *browser {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	target, err := b.at.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, target.String(), form)
}

// submit posts the form with this marker, as the page wrote it.
func (b *browser) submit(form string, fields ...string) *browser {
	b.t.Helper()
	m := regexp.MustCompile(`action="([^"]*)" data-kakunin-form="` + form + `"`).FindStringSubmatch(b.body)
	if m == nil {
		b.t.Fatalf("no form %q on page %q", form, b.page())
	}
	return b.post(m[1], fields...)
}

func (b *browser) do(method, target string, form url.Values) *browser {
	b.t.Helper()
	b.left = ""
	for range 10 {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(form.Encode())
		}
		req, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
		if err != nil {
			b.t.Fatal(err)
		}
		req.Header.Set("User-Agent", b.agent)
		if method == http.MethodPost {
			req.Header.Set("Content-Type", formType)
			req.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		for name, value := range b.header {
			req.Header.Set(name, value)
		}
		res, err := b.client.Do(req)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if cerr := res.Body.Close(); err != nil || cerr != nil {
			b.t.Fatal(err, cerr)
		}
		b.at, b.status, b.body, b.resp = req.URL, res.StatusCode, string(text), res.Header
		next, err := res.Location()
		if errors.Is(err, http.ErrNoLocation) {
			return b
		}
		if next.Host != req.URL.Host {
			b.left = next.String()
			return b
		}
		method, target = http.MethodGet, next.String()
	}
	b.t.Fatal("too many redirects")
	return nil
}

func (b *browser) page() string {
	if m := regexp.MustCompile(`<main data-kakunin-page="([a-z-]+)"`).FindStringSubmatch(b.body); m != nil {
		return m[1]
	}
	return ""
}

func (b *browser) want(page string, texts ...string) *browser {
	b.t.Helper()
	if b.page() != page {
		b.t.Fatalf("page %q (status %d), want %q: %s", b.page(), b.status, page, b.body)
	}
	for _, text := range texts {
		if !strings.Contains(b.body, text) {
			b.t.Fatalf("page %q does not say %q: %s", page, text, b.body)
		}
	}
	return b
}
