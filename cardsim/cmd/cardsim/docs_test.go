package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func simulatorPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The snippets of the page are parts of the programs that CI runs.
func TestSnippetsAreRun(t *testing.T) {
	page := simulatorPage(t)
	for language, file := range map[string]string{"python": "login.py", "js": "login.mjs", "java": "Login.java"} {
		m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page)
		program, err := os.ReadFile(filepath.Join("../../../.ci/clients", file))
		if m == nil || err != nil || !strings.Contains(string(program), m[1]) {
			t.Errorf("the %s snippet is not in %s: %v", language, file, err)
		}
	}
}

// The service starts with the file of the page, and does what every row of the page's table sends.
func TestPageIsFollowed(t *testing.T) {
	page := simulatorPage(t)
	m := regexp.MustCompile("(?s)<!-- file: service.json -->\n```json\n(.*?)```").FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no service.json")
	}
	dir := t.TempDir()
	public, _ := keyFile(t)
	key, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(m[1], "127.0.0.1:9000", "127.0.0.1:0", 1)
	for name, content := range map[string]string{"service.json": text, "client-key.pub.pem": string(key)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, "service", "-config", filepath.Join(dir, "service.json"))
	lines := p.until("listening on ")
	base := strings.TrimPrefix(lines[len(lines)-1], "listening on ")
	token, err := os.ReadFile(filepath.Join(dir, "control.token"))
	if err != nil {
		t.Fatal(err)
	}
	login := base + "/api/realms/main/protocol/openid-connect/auth?" + url.Values{
		"response_type": {"code"}, "client_id": {"RP00000001"}, "scope": {"openid"}, "state": {"of-this-login"},
		"redirect_uri": {"http://localhost:8080/auth/callback"}, "nonce": {"of-this-login"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
	}.Encode()
	send := func(method, path, body string) {
		body = strings.Replace(body, "…", login, 1)
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		r.Header.Set("Content-Type", "application/json")
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Body.Close() }()
		answer, err := io.ReadAll(w.Body)
		if err != nil || w.StatusCode != http.StatusOK || !json.Valid(answer) {
			t.Errorf("%s %s %s: %d %s %v", method, path, body, w.StatusCode, answer, err)
		}
		for action, outcome := range map[string]string{"cancel": "cancelled", "block": "blocked"} {
			if strings.Contains(body, `"`+action+`"`) && !strings.Contains(string(answer), `"`+outcome+`"`) {
				t.Errorf("%s: %s", action, answer)
			}
		}
	}
	rows := regexp.MustCompile("(?m)\\| `([A-Z]+) (/control/[^ `]*) ?(\\{.*\\})?` \\|$").FindAllStringSubmatch(page, -1)
	if len(rows) < 15 {
		t.Fatalf("the page has %d calls", len(rows))
	}
	for _, row := range rows {
		send(row[1], row[2], row[3])
		if row[1] == http.MethodPatch || strings.Contains(row[2], "clock") {
			send(http.MethodPost, "/control/reset", "")
		}
	}
	p.stop()
}
