package webserve_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/webserve"
)

func TestEveryPhaseHasALimit(t *testing.T) {
	s := webserve.New(http.NotFoundHandler(), nil)
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 ||
		s.MaxHeaderBytes <= 0 || s.ErrorLog == nil {
		t.Errorf("%+v", s)
	}
}

// A request under way is answered, and the server ends without an error.
func TestServeEndsGracefully(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	entered, goOn := make(chan struct{}), make(chan struct{})
	server := webserve.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-goOn
		_, _ = io.WriteString(w, "done")
	}), nil)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- webserve.Serve(ctx, listener, server) }()
	answered := make(chan string, 1)
	go func() {
		req, _ := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet,
			"http://"+listener.Addr().String(), nil)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		answered <- string(b)
	}()
	<-entered
	stop()
	close(goOn)
	if got := <-answered; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Every server of the module is made here, so that none forgets a limit.
func TestNobodyElseMakesAServer(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found++
		for _, one := range []string{"http.Server{", "http.ListenAndServe", "http.Serve("} {
			if bytes.Contains(source, []byte(one)) && filepath.Base(filepath.Dir(name)) != "webserve" {
				t.Errorf("%s has %s: make it with webserve.New", name, one)
			}
		}
		return nil
	})
	if err != nil || found < 100 {
		t.Errorf("%d files, error %v", found, err)
	}
}
