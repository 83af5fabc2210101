package card

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

func seed(f *testing.F, s string) []byte {
	f.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzParseAttributes: nothing panics, and what is accepted is valid text, found again by the offset table.
func FuzzParseAttributes(f *testing.F) {
	f.Add(seed(f, "ff2065df2108000e002000590064df220fe9bb92e6a190e38080e5b9b9e4b99fdf2336e69db1e4baace983bde6b885e780ac"+
		"e5b882e8a6b3e5b883e5ad90e58d97efbc91efbc92efbc8defbc97efbc8defbc92efbc90efbc92df24083139383030323137df250131"))
	f.Add(seed(f, "ff2018df2108000e001100140017df2200df2300df2400df2500"))
	f.Add(seed(f, "ff20820018df21080010001300160019df2200df2300df2400df2500"))
	f.Add(seed(f, "ff2000"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := parseAttributes(file)
		if err != nil {
			return
		}
		for _, v := range []string{got.name, got.address, got.birthdate, got.gender} {
			if !utf8.ValidString(v) || len(v) > limits.Attribute {
				t.Fatalf("accepted %q", v)
			}
		}
		_, header, _, err := tlv.Header(file)
		if err != nil {
			t.Fatal(err)
		}
		table, _, err := tlv.Next(file[header:])
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{got.name, got.address, got.birthdate, got.gender} {
			at := int(binary.BigEndian.Uint16(table.Value[2*i:]))
			field, _, err := tlv.Next(file[at:])
			if err != nil || string(field.Value) != want {
				t.Fatalf("field %d by its offset: %q, %v; by its tag: %q", i, field.Value, err, want)
			}
		}
	})
}

// FuzzCertificateFile reads a certificate from a card whose file has any content and any end: the result is the DER that
// the header announces, or an error.
func FuzzCertificateFile(f *testing.F) {
	f.Add([]byte{0x30, 0x82, 0x00, 0x02, 0xAA, 0xBB, 0xFF, 0xFF}, uint16(0x6B00), byte(255))
	f.Add([]byte{0x30, 0x82, 0x01, 0x00}, uint16(0x6282), byte(3))
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF}, uint16(0x9000), byte(1))
	f.Add([]byte{}, uint16(0x6A82), byte(1))
	f.Fuzz(func(t *testing.T, content []byte, end uint16, most byte) {
		s := newSession(fileCard{content, end, int(most)})
		der, err := s.certificate(t.Context(), "test", efAuthCertificate, 0, AuthPIN)
		if err != nil {
			return
		}
		if len(der) < 4 || len(der) > limits.Certificate || !bytes.HasPrefix(content, der) {
			t.Fatalf("got %X of %X", der, content)
		}
		if want := int(der[2])<<8 | int(der[3]); der[0] != 0x30 || der[1] != 0x82 || len(der) != want+4 {
			t.Fatalf("got %X", der)
		}
	})
}

// fileCard has one file, gives at most so many bytes at a time, and answers end behind the last.
type fileCard struct {
	content []byte
	end     uint16
	most    int
}

func (c fileCard) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	if cmd[1] != insReadBinary {
		return []byte{0x90, 0x00}, nil
	}
	at, ne := int(cmd[2])<<8|int(cmd[3]), int(cmd[4])
	if ne == 0 {
		ne = maxShort
	}
	if at >= len(c.content) {
		return []byte{byte(c.end >> 8), byte(c.end)}, nil
	}
	n := min(ne, c.most, len(c.content)-at)
	return append(bytes.Clone(c.content[at:at+n]), 0x90, 0x00), nil
}

// FuzzAnswer: no answer of a card makes the client panic or run on.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0x90, 0x00}, []byte{0x63, 0xC3}, []byte{0x30, 0x82, 0x00, 0x01, 0x90, 0x00})
	f.Add([]byte{0x61, 0x10}, []byte{0x6C, 0x10}, []byte{0x61, 0x00})
	f.Add([]byte{}, []byte{0x60, 0x00}, []byte{0x00})
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		answers := &turns{answers: [][]byte{a, b, c}}
		s := newSession(answers)
		client := &Card{s: s, lastTry: true}
		_, _ = client.AuthPINTries(t.Context())
		_ = client.VerifyAuthPIN(t.Context(), "1234")
		_, _ = client.AuthCertificate(t.Context())
		_, _ = client.Attributes(t.Context(), "1234")
		if answers.n > 4*limits.CardFile {
			t.Fatalf("%d commands", answers.n)
		}
	})
}

// turns gives its answers in turn.
type turns struct {
	answers [][]byte
	n       int
}

func (s *turns) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	if cmd[1] == insSelect {
		return []byte{0x90, 0x00}, nil
	}
	s.n++
	return s.answers[s.n%len(s.answers)], nil
}
