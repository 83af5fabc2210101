package webserve_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kakunin-go/kakunin/internal/webserve"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A listener that is gone ends the server with its error, before anybody asks for the end.
func TestServeSaysThatItCannot(t *testing.T) {
	l := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err := webserve.Serve(t.Context(), l, webserve.New(http.NotFoundHandler(), slog.New(slog.DiscardHandler)))
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// A server with certificates speaks TLS and nothing else.
func TestServeTLS(t *testing.T) {
	borrowed := httptest.NewUnstartedServer(nil) // for its certificate
	borrowed.StartTLS()
	t.Cleanup(borrowed.Close)
	server := webserve.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			t.Error("not encrypted")
		}
		_, _ = io.WriteString(w, "done")
	}), nil)
	server.TLSConfig = &tls.Config{Certificates: borrowed.TLS.Certificates, MinVersion: tls.VersionTLS12}
	ctx, stop := context.WithCancel(t.Context())
	l, ended := listen(t), make(chan error, 1)
	go func() { ended <- webserve.Serve(ctx, l, server) }()
	get := func(scheme string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := borrowed.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	if status, body := get("https"); status != http.StatusOK || body != "done" {
		t.Errorf("%d %q", status, body)
	}
	if status, body := get("http"); status != http.StatusBadRequest || body == "done" {
		t.Errorf("without TLS: %d %q", status, body)
	}
	borrowed.Client().CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
