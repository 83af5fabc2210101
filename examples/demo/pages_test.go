package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
)

// TestPagesWorkWithoutAnythingButHTML: the policy allows no script and no inline style, so pages must not have any.
func TestPagesWorkWithoutAnythingButHTML(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	b := browse(t, d)
	if _, err := b.visit(t.Context()); err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|https?://`)
	for _, path := range []string{"/", "/account", "/document", "/result", "/nothing"} {
		for _, lang := range []string{"ja", "en"} {
			resp := fetch(t, b, path, "Accept-Language", lang)
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			page := string(body)
			if m := forbidden.FindString(page); m != "" {
				t.Errorf("%s %s: %q", path, lang, m)
			}
			for _, want := range []string{`<html lang="` + lang + `"`, `name="viewport"`, `<main id="main"`, "<h1>",
				`class="skip"`} {
				if !strings.Contains(page, want) {
					t.Errorf("%s %s: no %s", path, lang, want)
				}
			}
			h := resp.Header
			csp := h.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
				strings.Contains(csp, "unsafe") ||
				h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
				h.Get("Content-Language") != lang {
				t.Errorf("%s %s: headers %v", path, lang, h)
			}
		}
	}
}

func fetch(t *testing.T, b *browser, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.demo.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	for header, want := range map[string]string{
		"": "ja", "ja": "ja", "en-US,en;q=0.9": "en", "fr,en;q=0.5": "en", "fr": "ja", "ja-JP,en;q=0.1": "ja",
		"en;q=0.9,ja": "ja",
	} {
		if got := fetch(t, browse(t, d), "/", "Accept-Language", header).Header.Get("Content-Language"); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
	b := browse(t, d)
	if resp := fetch(t, b, "/?lang=en"); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		t.Errorf("choice: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if got := fetch(t, b, "/", "Accept-Language", "ja").Header.Get("Content-Language"); got != "en" {
		t.Errorf("the choice is forgotten: %s", got)
	}
	for _, path := range []string{"//evil.example/?lang=en", "/auth/callback?lang=en", "/?lang=fr"} {
		if resp := fetch(t, browse(t, d), path); resp.StatusCode == http.StatusSeeOther {
			t.Errorf("%s led to %q", path, resp.Header.Get("Location"))
		}
	}
}

// TestOneHostName: cookies and the redirect URL are for localhost, so 127.0.0.1 leads there.
func TestOneHostName(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(d.base, "http://"), ":")
	resp := fetch(t, browse(t, d), "/account?a=b", "Host", "127.0.0.1:"+port)
	if resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != d.base+"/account?a=b" {
		t.Errorf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp := fetch(t, browse(t, d), "/", "Host", "evil.example"); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host name is served: %d", resp.StatusCode)
	}
}

// TestOnlyTheShownDocumentIsSigned: the form names the document that was shown with it.
func TestOnlyTheShownDocumentIsSigned(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	b := browse(t, d)
	post := func(number string) error {
		_, err := b.open(t.Context(), http.MethodPost, d.base+"/sign", url.Values{"document": {number}})
		return err
	}
	//nolint:errorlint // as it is
	if page, ok := post("X").(*pageError); !ok || page.status != http.StatusUnauthorized {
		t.Error("signing without a login")
	}
	if err := b.logIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	shown, err := b.open(t.Context(), http.MethodGet, d.base+"/document", nil)
	if err != nil {
		t.Fatal(err)
	}
	number := documentField.FindStringSubmatch(shown.body)[1]
	again, err := b.open(t.Context(), http.MethodGet, d.base+"/document", nil)
	if err != nil || !strings.Contains(again.body, number) {
		t.Errorf("a second tab shows another document: %v", err)
	}
	for _, other := range []string{"", "X", number + "X"} {
		//nolint:errorlint // as it is
		if page, ok := post(other).(*pageError); !ok || !strings.Contains(page.message, "renewed") {
			t.Errorf("%q: %v", other, page)
		}
	}
	if err := post(number); err != nil {
		t.Errorf("the shown document: %v", err)
	}
	if _, err := b.open(t.Context(), http.MethodGet, d.base+"/result", nil); err != nil {
		t.Error(err) // leads back to the document, as nothing is signed yet
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	b := browse(t, d)
	if err := b.logIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.open(t.Context(), http.MethodPost, d.base+"/auth/logout", url.Values{}); err != nil {
		t.Fatal(err)
	}
	loggedOut(t, b)
}

// TestWords: every text that a template asks for exists in both languages, and no text is left over.
func TestWords(t *testing.T) {
	t.Parallel()
	asked := regexp.MustCompile(`\{\{t "([^"]+)"\}\}`)
	used := map[string]bool{}
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := pageFiles.ReadFile("pages/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutSuffix(f.Name(), ".html"); ok && name != "layout" {
			used[name+".title"] = true
		}
		for _, m := range asked.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	inCode := []string{"notfound.title", "unknown", "absent"}
	for key := range words {
		if prefix, _, _ := strings.Cut(key, "."); slices.Contains(
			[]string{"account", "result", "mode", "revocation", "method"}, prefix) {
			inCode = append(inCode, key)
		}
	}
	for key := range used {
		if w := words[key]; w.ja == "" || w.en == "" {
			t.Errorf("%q is not there in both languages", key)
		}
	}
	for key := range words {
		if !used[key] && !slices.Contains(inCode, key) {
			t.Errorf("%q is not used", key)
		}
	}
	for name, w := range stepTexts {
		if w.in(kakunin.Japanese) == "" || w.in(kakunin.English) == "" {
			t.Errorf("step %s", name)
		}
	}
}
