package daa_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

func (rp *relyingParty) inspect(query string) string {
	rp.t.Helper()
	a := rp.do(http.MethodGet, rp.svc.URL()+"/simulator/inspector?lang=en"+query, "", "", "")
	if a.status != http.StatusOK {
		rp.t.Fatalf("inspector: %d", a.status)
	}
	return html.UnescapeString(string(a.body))
}

// The inspector says what was wrong, by which clause, what was received and registered, and what to change.
func TestInspectorTeaches(t *testing.T) {
	rp := start(t)
	if body := rp.inspect(""); !strings.Contains(body, "Nothing has arrived yet") || !strings.Contains(body, "Simulator") {
		t.Errorf("%s", body)
	}
	wrong := `https://shop.example/auth/callback/<script>alert(1)</script>`
	rp.do(http.MethodGet, rp.authorizationURL(with(rp.authorization(), "redirect_uri", wrong)), "", "", "")
	raw := string(rp.do(http.MethodGet, rp.svc.URL()+"/simulator/inspector?lang=en", "", "", "").body)
	if strings.Contains(raw, "<script") {
		t.Error("what was received is not escaped")
	}
	body := rp.inspect("")
	for _, want := range []string{"redirect_uri is not exactly a registered one", "RFC 9700", wrong, "Registered", redirect, "same scheme, host, port"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rp.serviceTokenWith(change(rp.claims(), "aud", "https://other.example"))
	for _, want := range []string{"client_assertion.aud", "https://other.example", "RFC 7523, section 3", "set aud to the token endpoint or the issuer"} {
		if body := rp.inspect(""); !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rp.serviceTokenWith(change(rp.claims(), "iat", nil, "aud", rp.svc.Environment().Issuer))
	if body := rp.inspect(""); !strings.Contains(body, "a stricter service would refuse: client_assertion's iat is missing") {
		t.Error("no warning")
	}
}

// Secrets are never shown, and what is about a person only when asked for.
func TestInspectorHides(t *testing.T) {
	rp := start(t)
	code := rp.approve(rp.authorization()).Get("code")
	form := rp.exchange(code)
	answer := rp.token(form)
	access, _ := answer.json["access_token"].(string)
	info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
	name, _ := info.json["name"].(string)
	subject, _ := info.json["sub"].(string)
	for query, shown := range map[string]bool{"": false, "&personal=show": true} {
		body := rp.inspect(query)
		for what, secret := range map[string]string{
			"code": code, "access token": access, "verifier": verifier, "assertion": form.Get("client_assertion"),
			"PIN": "pin=" + rp.svc.Card().Person().Reveal().AuthPIN,
		} {
			if strings.Contains(body, secret) {
				t.Errorf("%q: the %s is shown", query, what)
			}
		}
		for what, value := range map[string]string{"name": name, "subject": subject} {
			if value == "" || strings.Contains(body, value) != shown {
				t.Errorf("%q: is the %s shown? want %v", query, what, shown)
			}
		}
		if !strings.Contains(body, "id_token.nonce") || !strings.Contains(body, "a-nonce") {
			t.Errorf("%q: the ID token is not decoded", query)
		}
	}
}

// Every refusal of the authorization and token endpoints has a lesson, and every lesson a refusal.
func TestEveryRefusalHasALesson(t *testing.T) {
	texts := make(map[string]bool)
	lessons := make(map[string]bool)
	for _, name := range []string{"authorize.go", "assertion.go", "token.go", "inspector.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok && name == "inspector.go" {
				if lit, ok := kv.Key.(*ast.BasicLit); ok {
					text, _ := strconv.Unquote(lit.Value)
					lessons[text] = true
				}
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && name != "inspector.go" {
				text, _ := strconv.Unquote(lit.Value)
				texts[text] = true
			}
			return true
		})
	}
	if len(lessons) < 30 {
		t.Errorf("only %d lessons found", len(lessons))
	}
	for lesson := range lessons {
		if !texts[lesson] {
			t.Errorf("no refusal says %q", lesson)
		}
	}
	for text := range texts {
		if strings.HasPrefix(text, "client_assertion") && strings.Contains(text, " ") && !lessons[text] &&
			!strings.Contains(text, "alg") && !strings.Contains(text, "typ") && !strings.Contains(text, "kid") && !strings.Contains(text, "claims") && !strings.Contains(text, "no number") {
			t.Errorf("no lesson for %q", text)
		}
	}
}

// The index below /simulator/jpki/ leads to what it names.
func TestIndexOfTheAuthorities(t *testing.T) {
	rp := start(t)
	index := rp.do(http.MethodGet, rp.svc.URL()+"/simulator/jpki/", "", "", "")
	for _, name := range []string{"signing", "authentication"} {
		one, _ := index.json[name].(map[string]any)
		at, _ := one["certificate"].(string)
		if a := rp.do(http.MethodGet, at, "", "", ""); a.status != http.StatusOK || len(a.body) < 500 {
			t.Errorf("%s: %q answers %d", name, at, a.status)
		}
		if at, _ := one["ocsp"].(string); rp.do(http.MethodPost, at, "", "application/ocsp-request", "x").status == http.StatusNotFound {
			t.Errorf("%s: no responder at %q", name, at)
		}
	}
}
