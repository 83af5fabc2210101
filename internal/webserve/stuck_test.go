package webserve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/kakunin-go/kakunin/internal/webserve"
)

// pipes is a listener whose connections are pipes, so that the clock of a test stands for the real one.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A request that does not end does not keep the server: its connection is closed when its time is over.
func TestServeEndsWithoutTheRequestThatDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}
		entered := make(chan struct{})
		server := webserve.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		}), nil)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- webserve.Serve(ctx, l, server) }()
		client, at := net.Pipe()
		l.incoming <- at
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-entered
		stop()
		if err := <-ended; err != nil {
			t.Errorf("error %v", err)
		}
		if answer, err := io.ReadAll(client); len(answer) > 0 {
			t.Errorf("answered %q, %v", answer, err)
		}
	})
}
