package stage

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
)

const testPages = `{{define "site"}}{{t "店" "Shop"}}{{end}}{{define "home.title"}}{{t "入口" "Home"}}{{end}}{{define "home"}}<p>{{.}}</p>{{end}}`

// pages is an example that only shows a page.
func pages(s *Stage) (http.Handler, error) {
	p, err := ParsePages(testPages)
	if err != nil {
		return nil, err
	}
	if _, err := s.Client("店", authn.Config{RedirectURL: s.URL + "/auth/callback"}); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Show(w, r, "home", "<data>") }), nil
}

func TestRefusedFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-help"}, {"more"}, {"-addr", "8080"}, {"-addr", "0.0.0.0:0"}, {"-issuer", "http://127.0.0.1:1"},
		{"-client-id", "RP1"},
		{"-issuer", "http://127.0.0.1:1", "-client-id", "RP1"},
		{"-issuer", "http://127.0.0.1:1", "-client-id", "RP1", "-client-key", filepath.Join(t.TempDir(), "none")},
	} {
		err := Run(t.Context(), Example{Name: "x", New: pages}, append([]string{"-addr", "127.0.0.1:0"}, args...),
			io.Discard)
		if err == nil || (args[0] == "-help") != errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// lines ends the example when it has said where it is.
type lines struct {
	strings.Builder
	stop context.CancelFunc
}

func (l *lines) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Ctrl+C") {
		l.stop()
	}
	return l.Builder.Write(p)
}

func TestBothServices(t *testing.T) {
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		t.Fatal(err)
	}
	svc := daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: "RP00000007", Key: key.Public(),
		RedirectURLs: []string{"http://localhost:8080/auth/callback"}}))
	b, err := key.RevealJWK()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.jwk")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	other := []string{"-issuer", svc.Environment().Issuer, "-client-id", "RP00000007", "-client-key", file}
	for _, args := range [][]string{nil, other} {
		ctx, stop := context.WithCancel(t.Context())
		out := &lines{stop: stop}
		if err := Run(ctx, Example{Name: "x", New: pages}, append(args, "-addr", "127.0.0.1:0"), out); err != nil {
			t.Fatal(err)
		}
		if said := out.String(); !strings.Contains(said, "http://localhost:") ||
			strings.Contains(said, "hanako") != (args == nil) {
			t.Errorf("%s", said)
		}
	}
	// One client id is one client.
	two := func(s *Stage) (http.Handler, error) {
		if _, err := pages(s); err != nil {
			return nil, err
		}
		return pages(s)
	}
	err = Run(t.Context(), Example{Name: "x", New: two}, append(other, "-addr", "127.0.0.1:0"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-client-id") {
		t.Errorf("%v", err)
	}
}

// Somebody who has another program at the port gets the example all the same, where the simulated service starts with
// it. At another service the registered redirect URL has the port.
func TestPortInUse(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	addr := taken.Listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	out := &lines{stop: stop}
	if err := Run(ctx, Example{Name: "x", New: pages}, []string{"-addr", addr}, out); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(addr, ":")
	if said := out.String(); !strings.Contains(said, "another port was taken") ||
		!strings.Contains(said, "ABC123") || strings.Contains(said, "http://localhost:"+port+"\n") {
		t.Errorf("%s", said)
	}
	for _, args := range [][]string{
		{"-issuer", "http://127.0.0.1:1", "-client-id", "RP1", "-client-key", "none"},
		{"-url", "http://shop.example"},
	} {
		err := Run(t.Context(), Example{Name: "x", New: pages}, append(args, "-addr", addr), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "is the port in use? -addr") {
			t.Errorf("%v", err)
		}
	}
}

func TestAroundThePages(t *testing.T) {
	p, err := ParsePages(testPages)
	if err != nil {
		t.Fatal(err)
	}
	h := around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Show(w, r, "home", "<data>") }))
	serve := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := serve(http.MethodGet, "/x", "Accept-Language", "en"); !strings.Contains(w.Body.String(), "<h1>Home</h1>") ||
		!strings.Contains(w.Body.String(), "&lt;data&gt;") || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("%s", w.Body)
	}
	if w := serve(http.MethodPost, "/x", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site's form: %d", w.Code)
	}
	// The choice of a language leads nowhere else.
	w := serve(http.MethodGet, "//elsewhere.example/?lang=en")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || strings.HasPrefix(to, "//") {
		t.Errorf("%d to %q", w.Code, to)
	}
	cookie := w.Header().Get("Set-Cookie")
	if w := serve(http.MethodGet, "/x", "Cookie", strings.Split(cookie, ";")[0], "Accept-Language",
		"ja"); !strings.Contains(w.Body.String(), `lang="en"`) {
		t.Errorf("%s: %s", cookie, w.Body)
	}
}
