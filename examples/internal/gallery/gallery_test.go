//go:build browser

package gallery

import (
	"bufio"
	"context"
	"encoding/base64"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// started is a running example.
type started struct {
	url   string
	staff string // Authorization of its staff
}

// start runs an example as a program of its own until the test ends.
func start(t *testing.T, name string, args ...string) started {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program,
		"../../"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, program, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var s started
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl+C") {
		if address, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Open"); ok {
			s.url = strings.TrimSpace(address)
		}
		if _, password, ok := strings.Cut(lines.Text(), "password "); ok && strings.Contains(lines.Text(), "Staff") {
			s.staff = "Basic " + base64.StdEncoding.EncodeToString([]byte("staff:"+password))
		}
	}
	go func() {
		for lines.Scan() {
			continue
		}
	}()
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was killed
	})
	if s.url == "" {
		t.Fatalf("%s does not say where it is", name)
	}
	return s
}

func TestGallery(t *testing.T) {
	dir := os.Getenv("KAKUNIN_GALLERY")
	if dir == "" {
		dir = t.ArtifactDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	chrome := startChrome(t)
	visits := map[string]func(*testing.T, *phone){
		"demo": demo, "ticket": ticket, "town": town, "recovery": recovery, "saas": saas, "api": api,
		"observability": observability,
		"moved":         moved,
		"terminal":      terminal,
	}
	for name, visit := range visits {
		for _, lang := range []string{"ja", "en"} {
			t.Run(name+"/"+lang, func(t *testing.T) { visit(t, openPhone(t, chrome, lang, dir)) })
		}
	}
}

const (
	authPIN         = `form[data-kakunin-form="auth-pin"]`
	signingPassword = `form[data-kakunin-form="signing-password"]`
)

func demo(t *testing.T, p *phone) {
	s := start(t, "demo")
	p.see(s.url+"/", "#login")
	p.shoot("demo-home")
	p.press("#login", authPIN)
	p.shoot("service-pin")
	p.logIn("#name")
	p.shoot("demo-account")
	p.press("#to-document", "#document")
	p.press("#sign", authPIN)
	p.enter(authPIN+` [name="pin"]`, "1234")
	p.press(authPIN+` button[type="submit"]`, signingPassword)
	p.enter(signingPassword+` [name="password"]`, "ABC123")
	p.press(signingPassword+` button[type="submit"]`, `form[data-kakunin-form="consent"]`)
	p.shoot("service-consent")
	p.press(`form[data-kakunin-form="consent"] button[type="submit"]`, "#verified")
	p.shoot("demo-result")
}

func ticket(t *testing.T, p *phone) {
	s := start(t, "ticket")
	p.see(s.url+"/", "#buy")
	p.shoot("ticket-home")
	p.press("#buy", authPIN)
	p.logIn("#confirm")
	p.press("#confirm", "#ticket")
	p.press("#entry", "#qr")
	p.shoot("ticket-entry")
}

func town(t *testing.T, p *phone) {
	s := start(t, "town")
	p.see(s.url+"/", "#hall")
	p.press("#hall", authPIN)
	p.logIn("ul.slots")
	p.press("ul.slots button", "#booked")
	p.shoot("town-hall")
	p.see(s.url+"/coupon", "#code")
	p.shoot("town-coupon")
}

func recovery(t *testing.T, p *phone) {
	s := start(t, "recovery")
	p.see(s.url+"/", "#login")
	p.press("#login", authPIN)
	p.logIn("#member")
	p.press("#logout", "#reissue")
	p.press("#reissue", "#login")
	p.press("#login", authPIN)
	p.logIn("#waiting")
	p.shoot("recovery-waiting")
	p.staff(s.staff)
	p.see(s.url+"/staff", ".approve")
	p.shoot("recovery-staff")
}

func saas(t *testing.T, p *phone) {
	s := start(t, "saas")
	p.see(s.url+"/", "#kumo")
	p.shoot("saas-home")
	p.press("#kumo", "#login")
	p.press("#login", authPIN)
	p.logIn("#subject")
	p.shoot("saas-card")
	// By host: browsers keep secure cookies of names below localhost, each its own.
	s = start(t, "saas", "-hosts")
	p.see(strings.Replace(s.url, "localhost", "kumo.localhost", 1)+"/card", authPIN)
	p.logIn("#subject")
	p.see(strings.Replace(s.url, "localhost", "mori.localhost", 1)+"/card", authPIN)
}

func api(t *testing.T, p *phone) {
	s := start(t, "api")
	p.see(s.url+"/", "#login a")
	p.shoot("api-login")
	p.press("#login a", authPIN)
	p.logIn("#name")
	for i, note := range []string{"牛乳", "卵"} {
		p.enter("#text", note)
		p.press("#new button", "#notes li:nth-child("+strconv.Itoa(i+1)+")") // a script adds it: no other page comes
	}
	p.shoot("api-notes")
}

func observability(t *testing.T, p *phone) {
	s := start(t, "observability")
	p.see(s.url+"/", "#login")
	p.press("#login", authPIN)
	p.logIn("#name")
	p.shoot("observability-account")
}

func moved(t *testing.T, p *phone) {
	s := start(t, "moved")
	p.see(s.url+"/", "#login")
	p.press("#login", authPIN)
	p.logIn("#to-consent")
	p.press("#to-consent", `[value="agree"]`)
	p.shoot("moved-terms")
	p.press(`[value="agree"]`, authPIN)
	p.enter(authPIN+` [name="pin"]`, "1234")
	p.press(authPIN+` button[type="submit"]`, signingPassword)
	p.enter(signingPassword+` [name="password"]`, "ABC123")
	p.press(signingPassword+` button[type="submit"]`, `form[data-kakunin-form="consent"]`)
	p.press(`form[data-kakunin-form="consent"] button[type="submit"]`, "#pending")
	p.press("#tomorrow", "#active")
	p.press("#news", "#unchanged")
	again := func(button string) { // the next page looks like this one
		p.run("mark the page", chromedp.Evaluate(`document.body.id = "before"`, nil))
		p.press(button, "body:not(#before) #active")
	}
	again("#move")
	p.press("#news", "#no-certificate")
	again("#reissue")
	p.press("#news", "#changed")
	p.shoot("moved-changed")
}

// terminal is for the examples that have no pages: what they print, on paper.
func terminal(t *testing.T, p *phone) {
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"bank": {"-lang", p.lang}, "reader": {"-lang", p.lang, "-simulated"}, "certcheck": {"-h"},
		"keygen": {"-out", filepath.Join(dir, "client-key.jwk")},
	} {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "../../" + name}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil && name != "certcheck" {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		text := "$ go run ./examples/" + name + " " + strings.Join(args, " ") + "\n\n" + string(out)
		text = strings.ReplaceAll(text, dir+string(filepath.Separator), "")
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`<!doctype html><html lang="` + p.lang +
				`"><meta name="viewport" content="width=device-width">
<body style="margin:0;background:#17181c;color:#ececf0"><pre style="margin:1rem;font:12px/1.6 monospace;white-space:pre-wrap;overflow-wrap:anywhere">` +
				html.EscapeString(text) + `</pre>`))
		}))
		var shot []byte
		p.run("open", chromedp.Navigate(page.URL), chromedp.WaitVisible("pre", chromedp.ByQuery))
		p.picture(name, &shot)
		page.Close()
	}
}
