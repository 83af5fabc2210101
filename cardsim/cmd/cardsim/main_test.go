package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// guard ends a test that hangs; nothing waits for it when all is well.
const guard = 2 * time.Minute

func keyFile(t testing.TB) (public, private string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("public.pem", "PUBLIC KEY", spki), write("private.pem", "PRIVATE KEY", pkcs8)
}

func TestCommandLine(t *testing.T) {
	public, private := keyFile(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", exitUsage, "usage:"},
		{"help", exitOK, "not an official service"},
		{"-h", exitOK, "cardsim card"},
		{"reader", exitUsage, "one of card, service, config, key and version"},
		{"card -h", exitOK, "-vpcd"},
		{"card extra", exitUsage, "unexpected argument"},
		{"card -unknown", exitUsage, "flag provided but not defined"},
		{"card -person nobody", exitUsage, "hanako, taro"},
		{"card -atr XY", exitUsage, "-atr"},
		{"card -atr 00", exitUsage, "-atr must be"},
		{"card -kind gold", exitUsage, "plastic, child, android"},
		{"card -kind expired-certificates -person minor", exitFailure, "does not fit the holder's age"},
		{"card -save f -person hanako -person taro", exitUsage, "-save keeps one card"},
		{"card -vpcd 127.0.0.1:65535 -person hanako -person taro", exitUsage, "no port for the last reader"},
		{"card -vpcd 35963", exitUsage, "-vpcd must be host:port"},
		{"card -vpcd 127.0.0.1:x", exitUsage, "-vpcd must be host:port"},
		{"card -reader slow", exitUsage, "short, short-6281"},
		{"card -reset maybe", exitUsage, "keep or clear"},
		{"service -h", exitOK, "-client-key"},
		{"service", exitUsage, "-client-id"},
		{"service -client-id RP1 -client-key missing.pem -redirect-url http://127.0.0.1/cb", exitFailure, "client key"},
		{"service -client-id RP1 -client-key " + private + " -redirect-url http://127.0.0.1/cb", exitFailure,
			"client key"},
		{"service -client-id RP1 -redirect-url http://127.0.0.1/cb -person nobody -client-key " + public, exitUsage,
			"-person"},
		{"service -card gold -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			`"pcsc"`},
		{"service -card pcsc -person taro -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public,
			exitUsage, "exclude each other"},
		{"service -reader x -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"with -card pcsc only"},
		{"service -addr 127.0.0.1:0 -client-id RP_1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"-client-id must"},
		{"service -addr 127.0.0.1:0 -client-id RP1 -redirect-url shop -client-key " + public, exitUsage,
			"-redirect-url must"},
		{"service -addr 127.0.0.1:0 -base-url http://127.0.0.1/x -client-id RP1 -redirect-url http://127.0.0.1/cb " +
			"-client-key " + public, exitUsage, "-base-url must"},
		{"service -addr 9000 -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"-addr must"},
		{"config", exitOK, "reset_cards_after"},
		{"config -example", exitOK, "jwks_url"},
		{"key", exitOK, "BEGIN PRIVATE KEY"},
		{"version", exitOK, "cardsim devel"},
		{"config extra", exitUsage, "unexpected argument"},
		{"service -config missing.json", exitFailure, "-config"},
		{"service -addr 192.0.2.1:0 -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"-expose-unsafe"},
		{"service -addr :0 -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"-base-url"},
		{"service -addr 0.0.0.0:0 -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " + public, exitUsage,
			"-base-url"},
		{"service -expose-unsafe -addr 256.0.0.1:0 -client-id RP1 -redirect-url http://127.0.0.1/cb -client-key " +
			public, exitFailure, "listen"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), streams{strings.NewReader(""), &out,
			&out}); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("cardsim %s: exit code %d, output %s", c.args, code, out.String())
		}
	}
}

// program runs the command in the background and gives its output line by line.
type program struct {
	t      *testing.T
	lines  *bufio.Scanner
	reader *io.PipeReader
	input  *io.PipeWriter
	cancel context.CancelFunc
	code   chan int
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	r, w := io.Pipe()
	in, input := io.Pipe()
	p := &program{t: t, lines: bufio.NewScanner(r), reader: r, input: input, cancel: cancel, code: make(chan int, 1)}
	go func() {
		code := run(ctx, args, streams{in, w, io.Discard})
		_ = w.Close()
		p.code <- code
	}()
	t.Cleanup(func() { cancel(); _ = r.Close(); _ = input.Close() })
	return p
}

// until reads on to a line that starts with prefix and returns all lines so far.
func (p *program) until(prefix string) []string {
	p.t.Helper()
	var lines []string
	for p.lines.Scan() {
		lines = append(lines, p.lines.Text())
		if strings.HasPrefix(p.lines.Text(), prefix) {
			return lines
		}
	}
	p.t.Fatalf("no line %q in %q", prefix, lines)
	return nil
}

func (p *program) stop() {
	p.t.Helper()
	p.cancel()
	go func() { _, _ = io.Copy(io.Discard, p.reader) }()
	select {
	case code := <-p.code:
		if code != exitOK {
			p.t.Errorf("exit code %d after an interrupt", code)
		}
	case <-time.After(guard):
		p.t.Error("does not stop")
	}
}

func TestCardInAReader(t *testing.T) {
	driver, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = driver.Close() }()
	p := start(t, "card", "-vpcd", driver.Addr().String(), "-atr", "3B E0 00 FF 81 31 FE 45 14", "-trace", "-person",
		"taro")
	text := strings.Join(p.until("card 1 (plastic) with ATR 3BE000FF8131FE4514"), "\n")
	for _, want := range []string{"SIMULATOR: not an official service", "person taro", "2345", "TARO2345"} {
		if !strings.Contains(text, want) {
			t.Errorf("the introduction lacks %q", want)
		}
	}
	conn, err := driver.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	exchange := func(request, want string) {
		t.Helper()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Fatalf("%X, %v", got, err)
		}
	}
	exchange("\x00\x01\x04", "\x00\x09\x3B\xE0\x00\xFF\x81\x31\xFE\x45\x14")
	go func() {
		_, _ = io.WriteString(conn, "\x00\x0F\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01")
	}()
	p.until("< 9000")
	go func() { _, _ = io.WriteString(conn, "\x00\x09\x00\x20\x00\x98\x042345") }()
	if lines := p.until("< 9000"); lines[0] != "> 00200098**" {
		t.Errorf("the trace shows %q for a VERIFY", lines[0])
	}
	p.stop()
}

func TestService(t *testing.T) {
	public, _ := keyFile(t)
	p := start(t, "service", "-addr", "127.0.0.1:0", "-client-id", "RP1", "-client-key", public,
		"-redirect-url", "http://127.0.0.1:1/cb", "-person", "hanako", "-person", "taro")
	lines := p.until("listening on ")
	text := strings.Join(lines, "\n")
	base := strings.TrimPrefix(lines[len(lines)-1], "listening on ")
	for _, want := range []string{"SIMULATOR", "ABC123", "card hanako (plastic)", "TARO2345", "card taro (plastic)",
		"login     " + base + "/api/realms/main/protocol/openid-connect/auth"} {
		if !strings.Contains(text, want) {
			t.Errorf("the introduction lacks %q", want)
		}
	}
	for path, status := range map[string]int{
		"/": http.StatusOK, "/api/realms/main/protocol/openid-connect/certs": http.StatusOK,
		"/nothing": http.StatusNotFound, "/healthz": http.StatusOK, "/readyz": http.StatusOK,
		"/control/cards": http.StatusNotFound,
		"/api/realms/main/protocol/openid-connect/auth?client_id=other": http.StatusBadRequest,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	p.stop()
}
