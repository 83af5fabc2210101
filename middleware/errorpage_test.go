package middleware

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestErrorPage(t *testing.T) {
	for accept, lang := range map[string]string{
		"": "ja", "ja": "ja", "en": "en", "en-US,en;q=0.9": "en", "ja,en-US;q=0.9,en;q=0.8": "ja",
		"en;q=0.5, ja;q=0.4": "en",
		"fr":                 "ja", "en;q=bad": "en", strings.Repeat("x,", 1000) + "en": "ja",
		"JA-jp;q=0.1,en;q=0": "ja",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/callback?error=<script>&state=evil",
			nil)
		r.Header.Set("Accept-Language", accept)
		w := httptest.NewRecorder()
		errorPage(w, withRetry(r, `/auth/login?return=/a"b`), &Error{Reason: ReasonLostLogin})
		body := w.Body.String()
		if !strings.Contains(body, `<html lang="`+lang+`">`) {
			t.Errorf("%q: not in %s", accept, lang)
		}
		for _, want := range []string{"プライベートブラウズ", "private (incognito)", `href="/auth/login?return=/a%22b"`,
			"<title>"} {
			if !strings.Contains(body, want) {
				t.Errorf("%q: page lacks %q", accept, want)
			}
		}
		if strings.Count(body, "<h1>") != 1 || strings.Contains(body, "evil") || strings.Contains(body, "script") {
			t.Errorf("%q: page is wrong:\n%s", accept, body)
		}
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Header().Get("Content-Security-Policy"),
			"default-src 'none'; style-src 'sha256-") {
			t.Errorf("status %d, header %v", w.Code, w.Header())
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	errorPage(w, r, errors.New("dial tcp 10.0.0.1: secret"))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") ||
		!strings.Contains(w.Body.String(), `href="/"`) {
		t.Errorf("foreign error: %d %s", w.Code, w.Body)
	}
}

// A page below a path that a proxy takes away leads back to the application, not to what else is at the origin; and
// what is no failure is not called one.
func TestErrorPageLeadsHome(t *testing.T) {
	l := &Login{outside: outside{base: "/app"}, log: slog.New(slog.DiscardHandler), onError: errorPage}
	for reason, words := range map[Reason][2]string{
		ReasonNotFound:       {"ページが見つかりません", "Page not found"},
		ReasonConsentWaiting: {"署名を受け取りました", "Your signature has been received"},
		ReasonTooYoung:       {"手続きを完了できませんでした", "We could not complete this"},
	} {
		for i, language := range []string{"ja", "en"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/x", nil)
			r.Header.Set("Accept-Language", language)
			w := httptest.NewRecorder()
			l.fail(w, r, &Error{Reason: reason})
			body := w.Body.String()
			if !strings.Contains(body, `href="/app/"`) || !strings.Contains(body, "<h1>"+words[i]+"</h1>") {
				t.Errorf("%v: %s", reason, body)
			}
		}
	}
}

func TestNavigation(t *testing.T) {
	for _, c := range []struct {
		mode, dest, purpose string
		want                bool
	}{
		{"", "", "", true}, {"navigate", "document", "", true}, {"same-origin", "empty", "", true},
		{"navigate", "iframe", "", false}, {"no-cors", "image", "", false}, {"cors", "empty", "", false},
		{"navigate", "document", "prefetch;prerender", false}, {"navigate", "document", "prefetch", false},
		{"websocket", "websocket", "", false}, {"navigate", "embed", "", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		r.Header.Set("Sec-Fetch-Dest", c.dest)
		r.Header.Set("Sec-Purpose", c.purpose)
		if got := notNavigation(r) == nil; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
