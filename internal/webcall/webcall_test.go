package webcall

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestClientIsHardened(t *testing.T) {
	jarred := &http.Client{Jar: jar{}, Timeout: time.Second}
	c, err := Client(jarred)
	if err != nil || c.Jar != nil || c.Timeout != time.Second || jarred.Jar == nil {
		t.Fatalf("%+v, %v", c, err)
	}
	if again, err := Client(c); err != nil || again.Transport != c.Transport {
		t.Error("hardened twice: ", err)
	}
	c, err = Client(nil)
	//nolint:errorlint // net/http compares it, too
	if err != nil || c.Timeout != DefaultTimeout || c.CheckRedirect(nil, nil) != http.ErrUseLastResponse {
		t.Fatalf("%+v, %v", c, err)
	}
	//nolint:gosec // that is the point
	insecure := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	if _, err := Client(&http.Client{Transport: insecure}); err == nil {
		t.Error("a client that verifies nothing was accepted")
	}
}

type jar struct{}

func (jar) SetCookies(*url.URL, []*http.Cookie) {}
func (jar) Cookies(*url.URL) []*http.Cookie     { return nil }

func TestGet(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat(" ", 101))
		case "/huge":
			_, _ = io.WriteString(w, strings.Repeat(" ", limits.HTTPBody+1))
		default:
			w.Header().Set("Content-Type", "Application/Problem+JSON; charset=")
			_, _ = io.WriteString(w, r.Header.Get("Accept")+r.Header.Get("Authorization"))
		}
	}))
	defer srv.Close()
	c, err := Client(nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string, limit int64) (Answer, error) {
		return Get(t.Context(), c, Query{URL: srv.URL + path, Limit: limit, Accept: "a/b", Bearer: "t"})
	}
	a, err := ask("/", 100)
	if err != nil || a.Status != 200 || !a.IsJSON() || string(a.Body) != "a/bBearer t" {
		t.Errorf("%d, %q, %q, %v", a.Status, a.MediaType, a.Body, err)
	}
	if a, err := ask("/moved", 100); err != nil || a.Status != http.StatusFound {
		t.Errorf("a redirect was followed: %d, %v", a.Status, err)
	}
	for path, want := range map[string]Problem{"/cut": Connection, "/large": Size} {
		if _, err := ask(path, 100); err == nil || Explain(err).Problem != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := ask("/huge", limits.HTTPBody+100); err == nil || Explain(err).Problem != Size {
		t.Errorf("more than anybody may read: %v", err)
	}
	if _, err := ask("/%zz", 1); err == nil || Explain(err).Problem != BadURL {
		t.Error(err)
	}
}

// The text of an error tells nothing that came from outside, least of all the URL.
func TestExplain(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		err       error
		want      Problem
		neverSent bool
	}{
		{&url.Error{URL: "https://op/?code=secret", Err: io.ErrUnexpectedEOF}, Connection, false},
		{&url.Error{URL: "https://op/?code=secret", Err: &net.OpError{Op: "dial", Err: io.EOF}}, Connection, true},
		{&url.Error{Err: &net.OpError{Op: "read", Err: io.EOF}}, Connection, false},
		{&url.Error{Err: context.DeadlineExceeded}, Timeout, false},
		{&url.Error{Err: context.Canceled}, Cancelled, false},
		{fmt.Errorf("wrapped: %w", errTooLarge), Size, false},
		{fmt.Errorf("wrapped: %w", &Error{CircuitOpen, ErrCircuitOpen}), CircuitOpen, false},
	} {
		e := Explain(row.err)
		if e.Problem != row.want || strings.Contains(e.Error()+fmt.Sprint(e.Err), "secret") ||
			NeverSent(t.Context(), row.err) != row.neverSent {
			t.Errorf("%v: %v", row.err, e)
		}
		if NeverSent(ended, row.err) {
			t.Errorf("%v: repeated for a caller who is gone", row.err)
		}
	}
	if !errors.Is(&Error{CircuitOpen, ErrCircuitOpen}, ErrCircuitOpen) {
		t.Error("the cause is lost")
	}
}

// What an answer calls itself is read as far as it can be; what calls itself something else is that.
func TestTypesOfAnswers(t *testing.T) {
	const object = " \r\n{}"
	for _, row := range []struct {
		types []string // of the header, nil: none
		body  string
		want  string
		json  bool
	}{
		{[]string{"application/json"}, "", "application/json", true},
		{[]string{"APPLICATION/JSON;charset=UTF8"}, "", "application/json", true},
		{[]string{"application/json; charset=utf-8; charset=UTF-8"}, "", "application/json", true},
		{[]string{"application/json;charset=utf-8, application/json"}, "", "application/json", true},
		{[]string{"application/json, text/html"}, "", "application/json", true},
		{[]string{"application/json", "text/html"}, "", "application/json", true},
		{[]string{"application/vnd.x+json;"}, "", "application/vnd.x+json", true},
		{[]string{"text/json"}, "", "text/json", true},
		{nil, object, "", true},
		{nil, "<html>", "", false},
		{nil, "", "", false},
		{[]string{""}, object, "", false},
		{[]string{"?"}, object, "", false},
		{[]string{";,"}, object, "", false},
		{[]string{"text/html, application/json"}, object, "text/html", false},
		{[]string{"text/plain"}, object, "text/plain", false},
		{[]string{"image/x+json"}, object, "image/x+json", false},
	} {
		a, err := Read(&http.Response{
			Header: http.Header{"Content-Type": row.types}, Body: io.NopCloser(strings.NewReader("\ufeff" + row.body)),
		}, 100)
		if err != nil || a.MediaType != row.want || a.IsJSON() != row.json || string(a.Body) != row.body {
			t.Errorf("%q, %q: %q, %v, %q, %v", row.types, row.body, a.MediaType, a.IsJSON(), a.Body, err)
		}
	}
}
