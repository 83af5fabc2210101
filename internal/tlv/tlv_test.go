package tlv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNext(t *testing.T) {
	tests := []struct {
		name, hex   string
		tag         Tag
		value, rest string
	}{
		{"one byte", "90 03 010001 91", 0x90, "010001", "91"},
		{"two bytes", "DF25 01 31", 0xDF25, "31", ""},
		{"application tag", "5F4E 02 AABB", 0x5F4E, "AABB", ""},
		{"constructed", "7F21 00 FF", 0x7F21, "", "FF"},
		{"private constructed", "FF20 03 DF2500", 0xFF20, "DF2500", ""},
		{"low tag number in the second byte", "FF10 01 00", 0xFF10, "00", ""},
		{"three bytes", "DF8101 01 55", 0xDF8101, "55", ""},
		{"length 81", "90 81 02 AABB", 0x90, "AABB", ""},
		{"length 82, longer than necessary", "FF40 82 0002 AABB", 0xFF40, "AABB", ""},
		{"length 83", "90 83 000001 AA", 0x90, "AA", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := unhex(t, tt.hex)
			el, rest, err := Next(raw)
			if err != nil {
				t.Fatal(err)
			}
			if el.Tag != tt.tag || !bytes.Equal(el.Value, unhex(t, tt.value)) || !bytes.Equal(rest, unhex(t, tt.rest)) {
				t.Errorf("got %X %X rest %X", el.Tag, el.Value, rest)
			}
			if !bytes.Equal(el.Raw, raw[:len(raw)-len(rest)]) {
				t.Errorf("raw %X", el.Raw)
			}
		})
	}
}

func TestNextRefuses(t *testing.T) {
	tests := []struct {
		name, hex string
		want      Reason
	}{
		{"empty", "", Truncated},
		{"tag only", "90", Truncated},
		{"half a tag", "DF", Truncated},
		{"two thirds of a tag", "DF81", Truncated},
		{"length cut", "90 82 00", Truncated},
		{"value cut", "90 03 0100", Truncated},
		{"value cut, 82", "90 82 0100 00", Truncated},
		{"end of contents", "00 00", BadTag},
		{"filler FF", "FFFFFFFF", BadTag},
		{"four-byte tag", "DF818101 00", BadTag},
		{"tag not minimal", "DF8001 00", BadTag},
		{"indefinite", "7F21 80 0000", Indefinite},
		{"length of four bytes", "90 84 00000001 AA", TooLarge},
		{"reserved length", "90 FF", TooLarge},
		{"value beyond the limit", "90 83 010001", TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Next(unhex(t, tt.hex))
			wantReason(t, err, tt.want)
		})
	}
}

func TestParseAll(t *testing.T) {
	els, err := ParseAll(unhex(t, "90 03 010001 91 01 AA"))
	if err != nil || len(els) != 2 || els[1].Tag != 0x91 {
		t.Fatalf("got %v, %v", els, err)
	}
	if els, err := ParseAll(nil); err != nil || len(els) != 0 {
		t.Errorf("nothing: %v, %v", els, err)
	}
	for name, hex := range map[string]string{"filler behind": "90 01 AA FFFF",
		"filler between": "90 01 AA 00 91 01 AA"} {
		if _, err := ParseAll(unhex(t, hex)); err == nil {
			t.Error(name, "accepted")
		}
	}
	most := bytes.Repeat([]byte{0x90, 0}, limits.TLVElements)
	if els, err := ParseAll(most); err != nil || len(els) != limits.TLVElements {
		t.Errorf("at the limit: %d, %v", len(els), err)
	}
	_, err = ParseAll(append(most, 0x90, 0))
	wantReason(t, err, TooMany)
}

// The layout of the four attributes file: a private constructed object over private primitive ones.
func TestParseTree(t *testing.T) {
	nodes, err := ParseTree(unhex(t, "FF20 0E DF2108 000E002000590064 DF2500 7F21 03 90 01 AA"))
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 2 || len(nodes[0].Children) != 2 || len(nodes[1].Children) != 1 {
		t.Fatalf("got %+v", nodes)
	}
	if c := nodes[0].Children[0]; c.Tag != 0xDF21 || len(c.Value) != 8 || len(c.Children) != 0 {
		t.Errorf("DF21: %+v", c)
	}
	if c := nodes[1].Children[0]; c.Tag != 0x90 || !bytes.Equal(c.Raw, unhex(t, "9001AA")) {
		t.Errorf("90: %+v", c)
	}
}

func TestParseTreeLimits(t *testing.T) {
	nest := func(n int) []byte {
		var b []byte
		for range n {
			b = Append(nil, 0x30, b)
		}
		return b
	}
	if _, err := ParseTree(nest(limits.TLVDepth)); err != nil {
		t.Errorf("at the depth limit: %v", err)
	}
	// One level more holds an object inside the deepest permitted level.
	_, err := ParseTree(nest(limits.TLVDepth + 1))
	wantReason(t, err, TooDeep)

	// The element budget is for the whole tree, not for each level.
	inner := bytes.Repeat([]byte{0x90, 0}, limits.TLVElements/2)
	_, err = ParseTree(append(Append(nil, 0x30, inner), Append(nil, 0x30, inner)...))
	wantReason(t, err, TooMany)

	_, err = ParseTree(unhex(t, "FF20 03 DF25 01"))
	wantReason(t, err, Truncated)
}

func TestAppendWritesTheLengthFormOfTheCard(t *testing.T) {
	for _, tt := range []struct {
		tag  Tag
		n    int
		head string
	}{
		{0x90, 0, "9000"},
		{0xDF25, 1, "DF2501"},
		{0xDF22, 127, "DF227F"},
		{0xDF43, 128, "DF43820080"},
		{0xFF40, 159, "FF4082009F"},
		{0x7F21, 563, "7F21820233"},
		{0xDF8101, 65535, "DF810182FFFF"},
		{0x90, 65536, "9083010000"},
	} {
		value := bytes.Repeat([]byte{0x5A}, tt.n)
		got := Append([]byte{0xEE}, tt.tag, value)
		want := append(append([]byte{0xEE}, unhex(t, tt.head)...), value...)
		if !bytes.Equal(got, want) {
			t.Errorf("%X with %d bytes starts %X", tt.tag, tt.n, got[:min(8, len(got))])
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

// FuzzParse: no input makes the parsers panic, the parts add up to the input, and a written object reads back.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "9003010001", "DF250131", "FF4082000590030100017F2100", "7F21800000", "FFFFFFFF", "3082000430020500",
		"ff2065df2108000e002000590064", "90830100019184",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseTree(b)
		els, err := ParseAll(b)
		if err != nil {
			return
		}
		var sum []byte
		for _, el := range els {
			sum = append(sum, el.Raw...)
			again, rest, err := Next(Append(nil, el.Tag, el.Value))
			if err != nil || len(rest) != 0 || again.Tag != el.Tag || !bytes.Equal(again.Value, el.Value) {
				t.Fatalf("%X does not survive Append: %v", el.Raw, err)
			}
		}
		if !bytes.Equal(sum, b) {
			t.Fatalf("parts %X of %X", sum, b)
		}
	})
}
