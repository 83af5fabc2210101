package main

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

// script is how a page's fetch looks.
func script(method, path, body string) stagetest.Request {
	return stagetest.Request{Method: method, Path: path, Body: body, Header: map[string]string{
		"Accept": "application/json", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin",
		"Accept-Language": "en",
	}}
}

// app is how a request of the app looks: no cookie, no headers of a browser.
func app(method, path, body, token string) stagetest.Request {
	q := stagetest.Request{Method: method, Path: path, Body: body}
	q.Header = map[string]string{"Accept": "application/json"}
	if token != "" {
		q.Header["Authorization"] = "Bearer " + token
	}
	return q
}

// A whole visit of the page.
func TestPage(t *testing.T) {
	site := stagetest.Open(t, example())
	hanako := site.Guest(person.Hanako)
	stagetest.Expect(t, hanako.Open("/"), http.StatusOK, `src="/app.js"`)
	stagetest.Expect(t, hanako.Open("/app.js"), http.StatusOK, "fetch(path")

	var p struct{ Reason, Login, Detail string }
	refused := hanako.Ask(script(http.MethodGet, "/api/me", ""))
	if err := json.Unmarshal([]byte(refused.Body), &p); err != nil || refused.Status != http.StatusUnauthorized ||
		p.Reason != "login-required" || p.Login != "/auth/login" || p.Detail != "Please log in first." {
		t.Fatalf("%d %s", refused.Status, refused.Body)
	}
	stagetest.Expect(t, hanako.Open(p.Login), http.StatusOK, `src="/app.js"`)
	stagetest.Expect(t, hanako.Ask(script(http.MethodGet, "/api/me", "")), http.StatusOK, `"name":"`, `"notes":[]`)
	stagetest.Expect(t, hanako.Ask(script(http.MethodPost, "/api/notes", `{"text":"<b>牛乳"}`)), http.StatusCreated, "牛乳")
	for _, body := range []string{"", "[]", `{"text":"a"}{}`, `{"text":"a","admin":true}`,
		`{"text":"` + strings.Repeat("a", 20<<10) + `"}`} {
		stagetest.Expect(t, hanako.Ask(script(http.MethodPost, "/api/notes", body)), http.StatusBadRequest, "malformed")
	}
	// Another site's script cannot write.
	foreign := script(http.MethodPost, "/api/notes", `{"text":"x"}`)
	foreign.Header["Sec-Fetch-Site"], foreign.Header["Origin"] = "cross-site", "https://evil.example"
	stagetest.Expect(t, hanako.Ask(foreign), http.StatusForbidden)
	hanako.Submit("/auth/logout", nil)
	stagetest.Expect(t, hanako.Ask(script(http.MethodGet, "/api/me", "")), http.StatusUnauthorized)

	// A requirement is answered as JSON, too, and logging in again would not help.
	minor := site.Guest(person.Minor)
	minor.Open("/auth/login")
	young := minor.Ask(script(http.MethodGet, "/api/me", ""))
	if stagetest.Expect(t, young, http.StatusForbidden, "too-young"); strings.Contains(young.Body, `"login"`) {
		t.Errorf("%s", young.Body)
	}
}

var linkOnPage = regexp.MustCompile(`id="back" class="button" href="([^"]+)"`)

// A whole visit of the app: browser, code, token.
func TestApp(t *testing.T) {
	site := stagetest.Open(t, example())
	phone, hanako := site.Guest(person.Hanako), site.Guest(person.Hanako) // the app, and the system's browser
	const verifier = "a secret of the app that is long enough to be one"
	sum := hash(verifier)
	start := "/app/start?challenge=" + base64.RawURLEncoding.EncodeToString(sum[:])

	// An app without a token is told so in JSON: it is not sent to log in.
	stagetest.Expect(t, phone.Ask(app(http.MethodGet, "/api/me", "", "")), http.StatusUnauthorized, "login-required")
	stagetest.Expect(t, hanako.Open("/app/start"), http.StatusBadRequest)
	code := func() string {
		t.Helper()
		page := hanako.Open(start)
		stagetest.Expect(t, page, http.StatusOK, `id="back"`)
		link, err := url.Parse(html.UnescapeString(linkOnPage.FindStringSubmatch(page.Body)[1]))
		if err != nil || !strings.HasPrefix(link.String(), appLink) {
			t.Fatalf("%s, %v", link, err)
		}
		return link.Query().Get("code")
	}
	redeem := func(code, verifier string) (status int, token string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"code": code, "verifier": verifier})
		if err != nil {
			t.Fatal(err)
		}
		page := phone.Ask(app(http.MethodPost, "/api/token", string(body), ""))
		var got struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(page.Body), &got); err != nil && page.Status == http.StatusOK {
			t.Fatal(err)
		}
		return page.Status, got.Token
	}
	stolen := code()
	if status, _ := redeem(stolen, "the secret of another app"); status != http.StatusBadRequest {
		t.Errorf("another app redeemed the code: %d", status)
	}
	if status, _ := redeem(stolen, verifier); status != http.StatusBadRequest {
		t.Errorf("a code that was tried is still good: %d", status)
	}
	late := code()
	site.Advance(codeLife + time.Second)
	if status, _ := redeem(late, verifier); status != http.StatusBadRequest {
		t.Errorf("an old code is good: %d", status)
	}

	used := code()
	status, token := redeem(used, verifier)
	if status != http.StatusOK || token == "" {
		t.Fatalf("%d", status)
	}
	if status, _ := redeem(used, verifier); status != http.StatusBadRequest {
		t.Errorf("a code is good twice: %d", status)
	}
	stagetest.Expect(t, phone.Ask(app(http.MethodGet, "/api/me", "", token)), http.StatusOK, `"name":"`)
	added := phone.Ask(app(http.MethodPost, "/api/notes", `{"text":"卵"}`, token))
	stagetest.Expect(t, added, http.StatusCreated, "卵")
	stagetest.Expect(t, hanako.Ask(script(http.MethodGet, "/api/me", "")), http.StatusOK, "卵") // the same person's
	stagetest.Expect(t, phone.Ask(app(http.MethodGet, "/api/me", "", token+"x")), http.StatusUnauthorized,
		"invalid_token")
	stagetest.Expect(t, phone.Ask(app(http.MethodDelete, "/api/token", "", token)), http.StatusNoContent)
	stagetest.Expect(t, phone.Ask(app(http.MethodGet, "/api/me", "", token)), http.StatusUnauthorized)

	_, token = redeem(code(), verifier)
	site.Advance(tokenLife + time.Second)
	stagetest.Expect(t, phone.Ask(app(http.MethodGet, "/api/me", "", token)), http.StatusUnauthorized)
}
