package card_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// readAuthCertificate asks for 2048 bytes of the file with the short identifier 0A; the next two ask for 256 when
// extended lengths do not pass.
const (
	readAuthCertificate   = "> 00B08A00000800"
	readAuthShort         = "> 00B08A0000"
	selectAuthCertificate = "> 00A4020C02000A"
)

// One command brings a whole certificate; filler behind it is left out.
func TestCertificateIsReadInOneCommand(t *testing.T) {
	content := certificateOf(1600)
	c, _ := open(t, card.Config{}, readAuthCertificate, "< "+upperHex(content)+strings.Repeat("FF", 400)+"9000")
	got, err := c.AuthCertificate(t.Context())
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// A longer one takes a second command, for exactly the rest.
	content = certificateOf(3000)
	c, _ = open(t, card.Config{}, readAuthCertificate, "< "+upperHex(content[:2048])+"9000",
		"> 00B008000003BC", "< "+upperHex(content[2048:])+"9000")
	got, err = c.AuthCertificate(t.Context())
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Where extended lengths do not pass, the client goes on in blocks of 256, and remembers.
func TestCertificateInShortBlocks(t *testing.T) {
	content := certificateOf(600)
	blocks := append([]string{readAuthShort, "< " + upperHex(content[:256]) + "9000"}, fileReads(content, 256, 604)...)
	for name, answer := range map[string]string{
		"the card refuses":        "< 6700",
		"the reader fails":        "! too long for this reader",
		"the answer is no answer": "< 30",
	} {
		t.Run(name, func(t *testing.T) {
			c, s := open(t, card.Config{}, append([]string{readAuthCertificate, answer}, blocks...)...)
			for range 2 {
				got, err := c.AuthCertificate(t.Context())
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if len(s.lines) == 0 {
					s.add(blocks...)
				}
			}
			s.lines = nil
		})
	}
	t.Run("a dead reader", func(t *testing.T) {
		c, _ := open(t, card.Config{}, readAuthCertificate, "! gone", readAuthShort, "! gone")
		_, err := c.AuthCertificate(t.Context())
		wantReason(t, err, card.ReasonTransportFailed)
	})
	t.Run("a reader that cuts", func(t *testing.T) {
		c, _ := open(t, card.Config{}, readAuthCertificate, "< "+upperHex(content[:256])+"9000",
			"> 00B0010000015C", "< "+upperHex(content[256:512])+"9000", "> 00B002005C",
			"< "+upperHex(content[512:])+"9000")
		got, err := c.AuthCertificate(t.Context())
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// A card that does not know short identifiers is asked with SELECT.
func TestCertificateWithoutShortIdentifiers(t *testing.T) {
	content := certificateOf(100)
	for _, status := range []string{"6A86", "6A81", "6A82", "6986"} {
		c, _ := open(t, card.Config{}, readAuthCertificate, "< "+status, selectAuthCertificate, ok,
			"> 00B00000000800", "< "+upperHex(content)+"9000")
		if got, err := c.AuthCertificate(t.Context()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, %v", status, len(got), err)
		}
	}
}

func TestCertificateQuirks(t *testing.T) {
	content := certificateOf(16)
	head, value := upperHex(content[:12]), upperHex(content[12:])
	tests := []struct {
		name  string
		lines []string
	}{
		{"short data", []string{"< " + head + "9000", "> 00B0000C08", "< " + value[:6] + "9000", "> 00B0000F05",
			"< " + value[6:] + "9000"}},
		{"shorter than the header", []string{"< 30829000", "> 00B0000206", "< " + head[4:16] + "9000", "> 00B000080C",
			"< " + head[16:] + value + "9000"}},
		{"end of file warning", []string{"< " + head + value + "6282"}},
		{"61xx", []string{"< 6114", "> 00C0000014", "< " + head + value + "9000"}},
		{"61xx in pieces", []string{"< " + head + "6108", "> 00C0000008", "< " + value[:4] + "6106", "> 00C0000006",
			"< " + value[4:] + "9000"}},
		{"6Cxx", []string{"< 6C14", "> 00B08A0014", "< " + head + value + "9000"}},
		{"6Cxx after 61xx", []string{"< 6120", "> 00C0000020", "< 6C14", "> 00C0000014", "< " + head + value + "9000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, append([]string{readAuthCertificate}, tt.lines...)...)
			got, err := c.AuthCertificate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, content) {
				t.Errorf("got %X", got)
			}
		})
	}
}

func TestCertificateRefused(t *testing.T) {
	missing := []string{"< 6A82", selectAuthCertificate, "< 6A82", selectJPKI, ok, selectAuthCertificate, "< 6A82"}
	tests := []struct {
		name  string
		lines []string
		want  card.Reason
	}{
		{"no file", missing, card.ReasonNoCertificate},
		{"empty file", []string{"< 6B00", readAuthShort, "< 6B00", selectAuthCertificate, ok, "> 00B00000000800",
			"< 6B00", "> 00B0000000", "< 6B00", readAuthShort, "< 6B00", selectAuthCertificate, ok, "> 00B0000000",
			"< 6B00"}, card.ReasonNoCertificate},
		{"empty file, 9000", []string{"< 9000", readAuthShort, "< 9000", selectAuthCertificate, ok, "> 00B0000000",
			"< 9000"}, card.ReasonNoCertificate},
		{"filler FF", []string{"< FFFFFFFFFFFFFFFF9000", readAuthShort, "< FFFFFFFFFFFFFFFF9000"},
			card.ReasonNoCertificate},
		{"filler 00", []string{"< 00000000000000009000", readAuthShort, "< 00000000000000009000"},
			card.ReasonNoCertificate},
		{"short header", []string{"< 3082019000", "> 00B0000305", "< 6B00"}, card.ReasonMalformed},
		{"not a sequence", []string{"< 31820100000000009000"}, card.ReasonMalformed},
		{"81 form", []string{"< 3081FF30000000009000"}, card.ReasonMalformed},
		{"indefinite", []string{"< 30803000000000009000"}, card.ReasonMalformed},
		{"larger than any certificate", []string{"< 30823FFD000000009000"}, card.ReasonMalformed},
		{"file ends early", []string{"< 30820010AABBCCDD9000", "> 00B000080C", "< 6B00"}, card.ReasonMalformed},
		{"file ends early, 6282", []string{"< 30820010AABB6282"}, card.ReasonMalformed},
		{"corrupted", []string{"< 30820010AABB6281", readAuthShort, "< 30820010AABB6281"}, card.ReasonRefused},
		{"more than asked for", []string{"< " + strings.Repeat("30", 2049) + "9000", readAuthShort,
			"< " + strings.Repeat("30", 257) + "9000"}, card.ReasonMalformed},
		{"behind the PIN", []string{"< 6982", readAuthShort, "< 6982"}, card.ReasonNotVerified},
		{"deactivated", []string{"< 6283", readAuthShort, "< 6283"}, card.ReasonDeactivated},
		{"select refused", []string{"< 6A86", selectAuthCertificate, "< 6283"}, card.ReasonDeactivated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, append([]string{readAuthCertificate}, tt.lines...)...)
			got, err := c.AuthCertificate(t.Context())
			wantReason(t, err, tt.want)
			if got != nil {
				t.Error("bytes came with the error")
			}
		})
	}
}

func TestNotVerifiedNamesThePIN(t *testing.T) {
	c, _ := open(t, card.Config{}, readAuthCertificate, "< 6982", readAuthShort, "< 6982")
	_, err := c.AuthCertificate(t.Context())
	const want = "card: PIN not verified: read authentication certificate: authentication PIN, status 6982"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	// The signing certificate is personal data behind the password: not even asked for without it.
	c, _ = open(t, card.Config{})
	_, err = c.SigningCertificate(t.Context())
	if want := "card: PIN not verified: read signing certificate: signing password"; err.Error() != want {
		t.Errorf("got %q", err)
	}
}

func TestCACertificatesAreFree(t *testing.T) {
	answer := "< " + upperHex(certificateOf(8)) + "9000"
	c, s := open(t, card.Config{}, "> 00B08B00000800", answer)
	if _, err := c.AuthCACertificate(t.Context()); err != nil {
		t.Error(err)
	}
	s.add("> 00B08200000800", answer)
	if _, err := c.SigningCACertificate(t.Context()); err != nil {
		t.Error(err)
	}
}

// A card that always announces more must not keep the client busy for ever.
func TestGetResponseLoopIsBounded(t *testing.T) {
	for name, status := range map[string]string{"61xx without data": "< 6110", "6Cxx again and again": "< 6C10"} {
		t.Run(name, func(t *testing.T) {
			e := &endless{answer: unhex(t, strings.TrimPrefix(status, "< "))}
			c, err := card.Open(t.Context(), e, card.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.AuthCertificate(t.Context()); err == nil {
				t.Fatal("no error")
			}
			if e.n > 300 {
				t.Errorf("%d commands", e.n)
			}
		})
	}
	// One byte at a time, for ever: stopped by the number of commands and by the length that was asked for.
	e := &endless{answer: []byte{0x00, 0x61, 0x01}}
	c, err := card.Open(t.Context(), e, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AuthCertificate(t.Context()); err == nil || e.n > 600 {
		t.Errorf("%d commands, %v", e.n, err)
	}
}

// The order of the commands is what other programs at the reader see: nothing but the file is selected.
func TestCertificateDoesNotDisturbAVerifiedPIN(t *testing.T) {
	c, s := open(t, card.Config{}, verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	// The card lost power in between: it is no card without certificates. What needs no PIN goes on, after the card was
	// made to forget for certain, and what needs one says so without asking.
	content := certificateOf(100)
	s.add(readAuthCertificate, "< 6A82", selectAuthCertificate, "< 6A82", leave, ok, selectJPKI, ok,
		selectAuthCertificate, ok,
		readAuthCertificate, "< "+upperHex(content)+"9000")
	if got, err := c.AuthCertificate(t.Context()); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
