package authn

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TLS says when an answer is complete: without its goodbye (close_notify) somebody in between may have cut it off (RFC
// 8446, section 6.1). Package crypto/tls tolerates that between two records, so that an answer without a length may
// lack its end: what is left must then not be taken for the whole, and here it cannot be, because JSON says where it
// ends.
func TestTruncatedTLS(t *testing.T) {
	for name, row := range map[string]struct {
		point      func(e *Environment, base string)
		shortened  string
		interrupts string
	}{
		"token": {func(e *Environment, base string) { e.TokenEndpoint = base + protocolPath + "/token" },
			"rejects (token response: form)", "rejects (transport: connection)"},
		"keys": {func(e *Environment, base string) { e.JWKSEndpoint = base + protocolPath + "/certs" },
			"rejects (transport: signing keys: form)", "rejects (transport: signing keys: connection)"},
		"userinfo": {func(e *Environment, base string) { e.UserinfoEndpoint = base + protocolPath + "/userinfo" },
			"rejects (userinfo: form)", "rejects (transport: userinfo: connection)"},
	} {
		for _, c := range []struct {
			cut  cut
			want string
		}{
			{cut{}, accepts}, // the control: the way there works
			{cut{lost: 1}, row.shortened},
			{cut{lost: 1, length: true}, row.interrupts},
			{cut{lost: 1, insideRecord: true}, row.interrupts},
		} {
			t.Run(fmt.Sprintf("%s, %+v", name, c.cut), func(t *testing.T) {
				op := newOP(t)
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					rec := httptest.NewRecorder()
					op.srv.Config.Handler.ServeHTTP(rec, r)
					c.cut.answer(t, w, bytes.TrimSpace(rec.Body.Bytes()))
				}))
				srv.Config.ErrorLog = log.New(io.Discard, "", 0)
				srv.StartTLS()
				t.Cleanup(srv.Close)
				row.point(&op.env, srv.URL)
				op.audience = op.env.TokenEndpoint
				client := op.client(func(c *Config) { c.HTTPClient = srv.Client() })
				if got := verdict(op.complete(t, client)); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		}
	}
}

// cut says how an answer is cut off.
type cut struct {
	lost         int  // bytes at the end that do not arrive
	length       bool // the header says how many bytes there are
	insideRecord bool // in the middle of a TLS record
}

// answer sends what is left and cuts the wire.
func (c cut) answer(t *testing.T, w http.ResponseWriter, body []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Errorf("%T", conn)
		return
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
	if c.length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body[:len(body)-c.lost])
	if _, err := secure.Write(b.Bytes()); err != nil {
		t.Error(err)
	}
	if c.insideRecord {
		const applicationData = 23 // RFC 8446, section 5.1: type, version 0x0303, length
		if _, err := secure.NetConn().Write([]byte{applicationData, 3, 3, 0, 64, 1, 2, 3}); err != nil {
			t.Error(err)
		}
	}
	_ = secure.NetConn().Close()
}

// A certificate that nobody vouches for ends every call, and cannot be waved through.
func TestUnknownCertificate(t *testing.T) {
	op := newOP(t)
	srv := httptest.NewUnstartedServer(op.srv.Config.Handler)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	op.env.TokenEndpoint = srv.URL + protocolPath + "/token"
	if got := verdict(op.complete(t, op.client())); got != "rejects (transport: connection)" ||
		op.tokenHits.Load() != 0 {
		t.Errorf("%s, %d requests", got, op.tokenHits.Load())
	}
	config := op.config()
	config.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if _, err := New(config); err == nil {
		t.Error("a client that skips the verification was accepted")
	}
}
