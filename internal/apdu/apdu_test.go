package apdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSevenCases(t *testing.T) {
	ff := func(n int) string { return strings.Repeat("FF", n) }
	data := func(n int) []byte { return bytes.Repeat([]byte{0xFF}, n) }
	tests := []struct {
		name string
		hex  string
		want Command
		c    Case
	}{
		{"1", "00 20 00 80", Command{CLA: 0, INS: 0x20, P1: 0, P2: 0x80}, Case1},
		{"2S", "00 B0 00 00 20", Command{INS: 0xB0, Ne: 32}, Case2S},
		{"2S 256", "00 B0 00 00 00", Command{INS: 0xB0, Ne: 256}, Case2S},
		{"2S empty VERIFY with Le", "00 20 00 80 00", Command{INS: 0x20, P2: 0x80, Ne: 256}, Case2S},
		{"3S", "00 A4 02 0C 02 000A", Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{0, 10}}, Case3S},
		{"3S 1", "80 2A 00 80 01 FF", Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: data(1)}, Case3S},
		{"3S 255", "80 2A 00 80 FF" + ff(255), Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: data(255)}, Case3S},
		{"4S", "80 2A 00 80 02 FFFF 10", Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: data(2), Ne: 16}, Case4S},
		{"4S 256", "80 2A 00 80 02 FFFF 00", Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: data(2), Ne: 256}, Case4S},
		{"2E", "00 B0 8A 04 00 01F4", Command{INS: 0xB0, P1: 0x8A, P2: 4, Ne: 500, Extended: true}, Case2E},
		{"2E small", "00 B0 8A 04 00 0001", Command{INS: 0xB0, P1: 0x8A, P2: 4, Ne: 1, Extended: true}, Case2E},
		{"2E 65536", "00 B0 8A 04 00 0000", Command{INS: 0xB0, P1: 0x8A, P2: 4, Ne: 65536, Extended: true}, Case2E},
		{"3E", "80 A2 06 C1 00 0133" + ff(307), Command{CLA: 0x80, INS: 0xA2, P1: 6, P2: 0xC1, Data: data(307),
			Extended: true}, Case3E},
		{"3E forced", "80 A2 06 C1 00 0001 FF", Command{CLA: 0x80, INS: 0xA2, P1: 6, P2: 0xC1, Data: data(1),
			Extended: true}, Case3E},
		{"3E max", "80 A2 06 C1 00 FFFF" + ff(65535), Command{CLA: 0x80, INS: 0xA2, P1: 6, P2: 0xC1, Data: data(65535),
			Extended: true}, Case3E},
		{"4E", "08 B0 00 00 00 0005 FFFFFFFFFF 0100", Command{CLA: 8, INS: 0xB0, Data: data(5), Ne: 256,
			Extended: true}, Case4E},
		{"4E 65536", "08 B0 00 00 00 0005 FFFFFFFFFF 0000", Command{CLA: 8, INS: 0xB0, Data: data(5), Ne: 65536,
			Extended: true}, Case4E},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := unhex(t, tt.hex)
			got, err := ParseCommand(raw)
			if err != nil {
				t.Fatal(err)
			}
			if !equal(got, tt.want) {
				t.Errorf("parsed %+v, want %+v", got, tt.want)
			}
			if got.Case() != tt.c {
				t.Errorf("case %v, want %v", got.Case(), tt.c)
			}
			enc, err := tt.want.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(enc, raw) {
				t.Errorf("encoded %X, want %X", enc, raw)
			}
		})
	}
}

// An extended field on one side makes the other side extended (ISO/IEC 7816-3, 12.1.3).
func TestExtendedWhenNeeded(t *testing.T) {
	tests := []struct {
		name string
		cmd  Command
		want string
		c    Case
	}{
		{"long data widens Le", Command{INS: 0x2A, Data: make([]byte, 256), Ne: 256},
			"002A0000 00 0100" + strings.Repeat("00", 256) + "0100", Case4E},
		{"long Le widens Lc", Command{INS: 0xCA, Data: []byte{1}, Ne: 257}, "00CA0000 00 0001 01 0101", Case4E},
		{"long Le alone", Command{INS: 0xB0, Ne: 257}, "00B00000 00 0101", Case2E},
		{"forced without any length", Command{INS: 0x20, Extended: true}, "00200000", Case1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			enc, err := tt.cmd.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if want := unhex(t, tt.want); !bytes.Equal(enc, want) {
				t.Errorf("encoded %X, want %X", enc, want)
			}
			if got := tt.cmd.Case(); got != tt.c {
				t.Errorf("case %v, want %v", got, tt.c)
			}
		})
	}
}

func TestParseCommandRefuses(t *testing.T) {
	tests := []struct {
		name, hex string
		want      Reason
	}{
		{"empty", "", TooShort},
		{"three bytes", "00A404", TooShort},
		{"short data missing", "00A4040C 0A D392", LengthMismatch},
		{"short one byte too many", "00A4040C 02 D392 0000", LengthMismatch},
		{"lone extended mark", "00B00000 00 01", LengthMismatch},
		{"extended data missing", "00B00000 00 0002 FF", LengthMismatch},
		{"extended with half an Le", "00B00000 00 0002 FFFF 00", LengthMismatch},
		{"extended too long", "00B00000 00 0002 FFFF 000000", LengthMismatch},
		{"extended Lc zero", "00B00000 00 0000 FF", ZeroLc},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseCommand(unhex(t, tt.hex))
			wantReason(t, err, tt.want)
		})
	}
}

func TestBytesRefuses(t *testing.T) {
	tests := []struct {
		name string
		cmd  Command
		want Reason
	}{
		{"data", Command{Data: make([]byte, 65536)}, DataTooLong},
		{"negative Ne", Command{Ne: -1}, BadNe},
		{"large Ne", Command{Ne: 65537}, BadNe},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.cmd.Bytes()
			wantReason(t, err, tt.want)
			if c := tt.cmd.Case(); c != 0 {
				t.Errorf("case %v of a command that cannot be encoded", c)
			}
		})
	}
}

func TestParseResponse(t *testing.T) {
	r, err := ParseResponse(unhex(t, "AABB 9000"))
	if err != nil || !bytes.Equal(r.Data, []byte{0xAA, 0xBB}) || r.Status != OK {
		t.Fatalf("got %+v, %v", r, err)
	}
	if got := r.Bytes(); !bytes.Equal(got, unhex(t, "AABB9000")) {
		t.Errorf("encoded %X", got)
	}
	for _, tt := range []struct {
		name string
		raw  []byte
		want Reason
	}{
		{"empty", nil, TooShort},
		{"one byte", []byte{0x90}, TooShort},
		{"null byte", []byte{0x60, 0x00}, BadStatus},
		{"zero", []byte{0x00, 0x00}, BadStatus},
		{"no status class", []byte{0xAA, 0x70, 0x00}, BadStatus},
		{"too long", append(make([]byte, 65537), 0x90, 0x00), DataTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseResponse(tt.raw)
			wantReason(t, err, tt.want)
		})
	}
}

// Parsed data must not let an append reach into the Le field of the caller's buffer.
func TestParsedDataHasNoSpareCapacity(t *testing.T) {
	for _, tt := range []string{"80 2A 00 80 02 FFFF 10", "80 2A 00 80 00 0002 FFFF 1010"} {
		raw := unhex(t, tt)
		c, err := ParseCommand(raw)
		if err != nil {
			t.Fatal(err)
		}
		_ = append(c.Data, 0x77)
		if !bytes.Equal(raw, unhex(t, tt)) {
			t.Errorf("append overwrote the Le field of %s", tt)
		}
	}
}

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want *Error", err)
	}
	if e.Reason != want {
		t.Errorf("reason %v, want %v", e.Reason, want)
	}
}

func equal(a, b Command) bool {
	return a.CLA == b.CLA && a.INS == b.INS && a.P1 == b.P1 && a.P2 == b.P2 && a.Ne == b.Ne &&
		a.Extended == b.Extended &&
		bytes.Equal(a.Data, b.Data)
}

// FuzzParseCommand: whatever parses, encodes to the same bytes.
func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{
		"", "00", "00200080", "0020008000", "00B0000020", "00A4020C02000A", "802A008002FFFF00", "00B08A04000000",
		"00B08A040001F4", "80A206C1000001FF", "08B0000000000596030000000000", "00B00000000000FF", "00A4040CFF",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommand(b)
		if err != nil {
			return
		}
		enc, err := c.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(enc, b) {
			t.Fatalf("%X became %X", b, enc)
		}
		if c.Case() == 0 {
			t.Fatalf("%X has no case", b)
		}
	})
}

// FuzzCommand: whatever encodes, parses to the same command.
func FuzzCommand(f *testing.F) {
	f.Add(byte(0), byte(0xA4), byte(4), byte(0x0C), []byte{0xD3, 0x92}, 0, false)
	f.Add(byte(0), byte(0xB0), byte(0), byte(0), []byte(nil), 65536, true)
	f.Add(byte(0x80), byte(0x2A), byte(0), byte(0x80), make([]byte, 300), 256, false)
	f.Add(byte(0), byte(0x20), byte(0), byte(0x80), []byte(nil), 0, true)
	f.Fuzz(func(t *testing.T, cla, ins, p1, p2 byte, data []byte, ne int, extended bool) {
		c := Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: data, Ne: ne, Extended: extended}
		enc, err := c.Bytes()
		if err != nil {
			return
		}
		got, err := ParseCommand(enc)
		if err != nil {
			t.Fatal(err)
		}
		switch c.Case() {
		case Case2E, Case3E, Case4E:
			c.Extended = true
		default:
			c.Extended = false
		}
		if !equal(got, c) {
			t.Fatalf("%+v became %+v", c, got)
		}
	})
}

// FuzzParseResponse: whatever parses, encodes to the same bytes.
func FuzzParseResponse(f *testing.F) {
	for _, s := range []string{"", "90", "9000", "AABB9000", "63C2", "6000", "0000"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseResponse(b)
		if err != nil {
			return
		}
		if got := r.Bytes(); !bytes.Equal(got, b) {
			t.Fatalf("%X became %X", b, got)
		}
	})
}
