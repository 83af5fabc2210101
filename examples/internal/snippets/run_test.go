package snippets

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
)

// What the pages say, and what stands in its place in a test, which must not depend on two ports.
const (
	serviceOnPage = "http://127.0.0.1:9000"
	siteOnPage    = "localhost:8080"
	clientOnPage  = "RP00000001"
	keyOnPage     = "client-key.jwk"
)

// The programs that README and docs say to copy are run as they stand, but for the two addresses: somebody logs in, and
// the page shows who it is.
func TestProgramsRun(t *testing.T) {
	run := 0
	for _, s := range pages(t) {
		if s.Visit == "" {
			continue
		}
		run++
		t.Run(s.Page, func(t *testing.T) { visit(t, s) })
	}
	if run == 0 {
		t.Error("no page has a program to run")
	}
}

func visit(t *testing.T, s Snippet) {
	t.Helper()
	dir := t.TempDir()
	key, err := authn.GenerateKey(authn.RS256)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := key.RevealJWK()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyOnPage), jwk, 0o600); err != nil {
		t.Fatal(err)
	}
	site := freeAddress(t)
	if !strings.Contains(s.Text, `"`+clientOnPage+`"`) || !strings.Contains(s.Text,
		"http://"+siteOnPage+"/auth/callback") {
		t.Fatal("the program is not for the service of the page")
	}
	svc := daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: clientOnPage, Key: key.Public(),
		RedirectURLs: []string{"http://" + site + "/auth/callback"}}))
	text := strings.NewReplacer(serviceOnPage, svc.URL(), siteOnPage, site).Replace(s.Text)
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program)
	var said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("the program said:\n%s", said.String())
		}
	}()
	awaitListening(t, site, ended)

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := svc.Browser(svc.Visitor())
	browser.HTTPClient = &http.Client{Jar: onThisMachine{jar}}
	page, err := browser.Login(t.Context(), "http://"+site+s.Visit)
	if err != nil {
		t.Fatal(err)
	}
	if page.Status != http.StatusOK || !strings.Contains(page.Body, s.Shows) {
		t.Errorf("%d %s", page.Status, page.Body)
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "localhost:" + port
}

// awaitListening tries until somebody answers, or the program has ended.
func awaitListening(t *testing.T, address string, ended chan error) {
	t.Helper()
	for t.Context().Err() == nil && len(ended) == 0 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
	}
	t.Fatal("the program does not listen")
}

// onThisMachine keeps cookies as browsers do for http://localhost, which they trust like https.
type onThisMachine struct{ http.CookieJar }

// SetCookies implements http.CookieJar.
func (j onThisMachine) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}
