package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reader is a reader driver that listens for a card.
type reader struct {
	t *testing.T
	net.Listener
}

func listen(t *testing.T, address string) reader {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return reader{t, l}
}

func (r reader) accept() net.Conn {
	r.t.Helper()
	conn, err := r.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// status sends a command and returns the status word of the answer.
func status(t *testing.T, conn net.Conn, command string) string {
	t.Helper()
	if _, err := io.WriteString(conn, "\x00"+string(rune(len(command)))+command); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, int(head[0])<<8|int(head[1]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	return string(answer[len(answer)-2:])
}

const (
	selectJPKI = "\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01"
	authTries  = "\x00\x20\x00\x98"
	wrongPIN   = "\x00\x20\x00\x98\x049999"
)

func TestInsertAndRemoveByCommand(t *testing.T) {
	first := listen(t, "127.0.0.1:0")
	p := start(t, "card", "-control", "-kind", "iphone", "-vpcd", first.Addr().String())
	p.until("card 1 (iphone)")
	conn := first.accept()
	say := func(command, answer string) {
		t.Helper()
		if _, err := io.WriteString(p.input, command+"\n"); err != nil {
			t.Fatal(err)
		}
		p.until(answer)
	}
	say("remove", "card 1 removed")
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the connection must end: %v", err)
	}
	say("remove 2", "the readers are 1 to 1")
	say("eject", "the commands are")
	say("insert 1", "card 1 inserted")
	if got := status(t, first.accept(), selectJPKI); got != "\x90\x00" {
		t.Errorf("%X", got)
	}
	p.stop()
}

// The reader's quirks stand between the driver and the card, also after the card was put back.
func TestCardBehindAQuirkyReader(t *testing.T) {
	driver := listen(t, "127.0.0.1:0")
	p := start(t, "card", "-control", "-reader", "short,wakeup", "-vpcd", driver.Addr().String())
	p.until("card 1 (plastic)")
	for range 2 {
		conn := driver.accept()
		if _, err := conn.Write([]byte{0, 1, 1}); err != nil { // power on
			t.Fatal(err)
		}
		for _, want := range []string{"\x6F\x00", "\x90\x00"} {
			if got := status(t, conn, selectJPKI); got != want {
				t.Errorf("%X, want %X", got, want)
			}
		}
		if got := status(t, conn, "\x00\xB0\x86\x00\x00\x01\x00"); got != "\x67\x00" {
			t.Errorf("extended lengths: %X", got)
		}
		if _, err := io.WriteString(p.input, "insert\n"); err != nil {
			t.Fatal(err)
		}
		p.until("card 1 inserted")
	}
	p.stop()
}

// A card that is kept in a file goes on with the tries that were left.
func TestSavedCardGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "card.json")
	driver := listen(t, "127.0.0.1:0")
	for _, want := range []string{"\x63\xC2", "\x63\xC1"} {
		p := start(t, "card", "-save", file, "-vpcd", driver.Addr().String())
		p.until("card 1 (plastic)")
		conn := driver.accept()
		status(t, conn, selectJPKI)
		if got := status(t, conn, wrongPIN); got != want {
			t.Errorf("%X, want %X", got, want)
		}
		if got := status(t, conn, authTries); got != want {
			t.Errorf("%X, want %X", got, want)
		}
		p.stop()
	}
	if content, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(content), "{") {
		t.Errorf("the image is JSON: %v", err)
	}
	var out strings.Builder
	if code := run(t.Context(), []string{"card", "-save", file, "-kind", "child"},
		streams{strings.NewReader(""), &out, &out}); code != exitUsage {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
