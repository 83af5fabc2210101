package daa_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
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
	if body := rp.inspect(""); !strings.Contains(body, "Nothing has arrived yet") ||
		!strings.Contains(body, "Simulator") {
		t.Errorf("%s", body)
	}
	wrong := `https://shop.example/auth/callback/<script>alert(1)</script>`
	rp.do(http.MethodGet, rp.authorizationURL(with(rp.authorization(), "redirect_uri", wrong)), "", "", "")
	raw := string(rp.do(http.MethodGet, rp.svc.URL()+"/simulator/inspector?lang=en", "", "", "").body)
	if strings.Contains(raw, "<script") {
		t.Error("what was received is not escaped")
	}
	body := rp.inspect("")
	for _, want := range []string{"redirect_uri is not exactly a registered one", "RFC 9700", wrong, "Registered",
		redirect, "same scheme, host, port"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rp.serviceTokenWith(change(rp.claims(), "aud", "https://other.example"))
	for _, want := range []string{"client_assertion.aud", "https://other.example", "RFC 7523, section 3",
		"set aud to the token endpoint or the issuer"} {
		if body := rp.inspect(""); !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rp.serviceTokenWith(change(rp.claims(), "iat", nil, "aud", rp.svc.Environment().Issuer))
	if body := rp.inspect(""); !strings.Contains(body,
		"a stricter service would refuse: client_assertion's iat is missing") {
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

// What a relying party writes in the wrong place, or under a name of its own, is no less a secret.
func TestInspectorMasksMistakes(t *testing.T) {
	rp := start(t)
	knobs := rp.svc.Knobs()
	knobs.Token.IDToken.SetClaims = map[string]any{"name": "漏洩　太郎", "groups": []string{"illness"}}
	rp.svc.SetKnobs(knobs)
	form := rp.exchange(rp.approve(rp.authorization()).Get("code"))
	answer := rp.token(form)
	access, _ := answer.json["access_token"].(string)
	idToken, _ := answer.json["id_token"].(string)
	refresh := url.Values{"grant_type": {"refresh_token"}, "refreshToken": {"secret-refresh"}}
	refresh.Set("Client-Secret", "secret-client")
	refresh.Set("token", "secret-token")
	refresh.Set("password", "secret-password")
	rp.token(refresh)
	rp.do(http.MethodGet, rp.authorizationURL(with(rp.authorization(), "id_token_hint", idToken)), "", "", "")
	rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint+"?accessToken="+access, "", "", "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rp.svc.Environment().UserinfoEndpoint,
		http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", access) // without the scheme
	res, err := rp.svc.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for query, personal := range map[string]bool{"": false, "&personal=show": true} {
		body := rp.inspect(query)
		for _, secret := range []string{access, idToken, "secret-refresh", "secret-client", "secret-token",
			"secret-password"} {
			if strings.Contains(body, secret) {
				t.Errorf("%q: %.12s… is shown", query, secret)
			}
		}
		for _, person := range []string{"漏洩　太郎", "illness"} {
			if strings.Contains(body, person) != personal {
				t.Errorf("%q: is %s shown? want %v", query, person, personal)
			}
		}
	}
}

// In Japanese everything that the inspector says of its own is Japanese; what went over the wire stays as it was.
func TestInspectorTeachesInJapanese(t *testing.T) {
	rp := start(t)
	wrong := with(rp.authorization(), "redirect_uri", "https://other.example/")
	rp.do(http.MethodGet, rp.authorizationURL(wrong), "", "", "")
	rp.serviceTokenWith(change(rp.claims(), "aud", "https://other.example"))
	rp.serviceTokenWith(change(rp.claims(), "iat", nil, "aud", rp.svc.Environment().Issuer))
	rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, "nonsense", "", "")
	rp.startSign(rp.serviceToken(), map[string]any{"client_id": "RP99999999"})
	rp.do(http.MethodPost, rp.svc.OperatorURL(), "", "application/json", "{}")
	page := rp.do(http.MethodGet, rp.svc.URL()+"/simulator/inspector?lang=ja", "", "", "")
	body := html.UnescapeString(string(page.body))
	for _, want := range []string{
		"redirect_uriが、登録されたものと完全には一致しません (RFC 6749 3.1.2.3節、RFC 9700 4.1.3節)",
		"<code>redirect_uri is not exactly a registered one</code>", "直し方: このredirect_uriを登録するか",
		"client_assertionのaudは、トークンエンドポイントか発行者だけにしてください (RFC 7523 3節)",
		"より厳しいサービスは拒否します: client_assertionにiatがありません",
		"アクセストークンがないか、不明か、期限切れか、失効しています", "Bearer (非表示)", "client_idは文字列の" + rp.id + "にしてください",
		"文字、非表示)", "invalid_token (RFC 6750 2.1節)", "PF事業者用のトークンをAuthorization: Bearerで送る",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, english := range []string{"masked", "published reference", "section", "send ", "What to change"} {
		if strings.Contains(body, english) {
			t.Errorf("the page says %q", english)
		}
	}
}

// Every refusal of the endpoints has a lesson in both languages, and every lesson a refusal.
func TestEveryRefusalHasALesson(t *testing.T) {
	refusals := refusalsOfTheSource(t)
	// made of a name and a text
	for _, name := range []string{"request", "request_uri", "registration"} {
		refusals[name+" is not supported"] = true
	}
	refusals["code is missing"], refusals["redirect_uri is missing"] = true, true
	// Nothing that a relying party could change.
	for _, ours := range []string{
		"the simulator could not sign", "too many tokens", "too many refresh tokens",
	} {
		delete(refusals, ours)
	}
	lessons := daa.Lessons()
	if len(lessons) < 80 {
		t.Errorf("only %d lessons", len(lessons))
	}
	for refusal := range refusals {
		if _, known := lessons[refusal]; !known {
			t.Errorf("no lesson for %q", refusal)
		}
	}
	japanese := regexp.MustCompile(`\p{Han}|\p{Hiragana}|\p{Katakana}`)
	for refusal, l := range lessons {
		if !refusals[refusal] {
			t.Errorf("no refusal says %q", refusal)
		}
		if !japanese.MatchString(l.Says) || !japanese.MatchString(l.Change.JA) || l.Change.EN == "" ||
			japanese.MatchString(l.Change.EN) {
			t.Errorf("%q is not taught in both languages: %+v", refusal, l)
		}
	}
}

// refusalsOfTheSource finds the descriptions that stand in the source: what is given to the functions that refuse, is a
// description, or is returned by the check of assertions.
func refusalsOfTheSource(t *testing.T) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, _ := strconv.Unquote(lit.Value); text != "" {
				found[text] = true
			}
		}
	}
	refusing := []string{"invalid", "refuse", "signError"}
	for _, name := range []string{
		"authorize.go", "assertion.go", "registration.go", "token.go", "userinfo.go", "sign.go",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		function := ""
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				function = n.Name.Name
			case *ast.CallExpr:
				called := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					called = f.Name
				case *ast.SelectorExpr:
					called = f.Sel.Name
				}
				if slices.Contains(refusing, called) {
					add(n.Args[len(n.Args)-1])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "description" {
					add(n.Value)
				}
			case *ast.ValueSpec:
				if n.Names[0].Name == "bearerDescriptions" {
					for _, e := range n.Values[0].(*ast.CompositeLit).Elts {
						add(e.(*ast.KeyValueExpr).Value)
					}
				}
			case *ast.ReturnStmt:
				if function == "checkAssertion" {
					add(n.Results[0])
				}
			}
			return true
		})
	}
	return found
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
		if at, _ := one["ocsp"].(string); rp.do(http.MethodPost, at, "", "application/ocsp-request",
			"x").status == http.StatusNotFound {
			t.Errorf("%s: no responder at %q", name, at)
		}
	}
}
