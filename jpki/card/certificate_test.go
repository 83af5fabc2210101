package card_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/card"
)

const selectAuthCertificate = "> 00A4020C02000A"

func TestCertificateIsReadToTheByte(t *testing.T) {
	content := certificateOf(600)
	lines := append([]string{selectAuthCertificate, ok, "> 00B0000004", "< 308202589000"}, fileReads(content, 4, 604)...)
	c, _ := open(t, card.Options{}, lines...)
	got, err := c.AuthCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, content) {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestCertificateQuirks(t *testing.T) {
	content := certificateOf(16)
	value := upperHex(content[4:])
	tests := []struct {
		name  string
		lines []string
	}{
		{"short data", []string{"> 00B0000410", "< " + value[:20] + "9000", "> 00B0000E06", "< " + value[20:] + "9000"}},
		{"end of file warning", []string{"> 00B0000410", "< " + value + "6282"}},
		{"61xx", []string{"> 00B0000410", "< 6110", "> 00C0000010", "< " + value + "9000"}},
		{"61xx in pieces", []string{"> 00B0000410", "< " + value[:20] + "6106", "> 00C0000006", "< " + value[20:24] + "6104", "> 00C0000004", "< " + value[24:] + "9000"}},
		{"6Cxx", []string{"> 00B0000410", "< 6C0A", "> 00B000040A", "< " + value[:20] + "9000", "> 00B0000E06", "< " + value[20:] + "9000"}},
		{"6Cxx after 61xx", []string{"> 00B0000410", "< 6120", "> 00C0000020", "< 6C10", "> 00C0000010", "< " + value + "9000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Options{}, append([]string{selectAuthCertificate, ok, "> 00B0000004", "< 308200109000"}, tt.lines...)...)
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
	tests := []struct {
		name  string
		lines []string
		want  card.Reason
	}{
		{"no file", []string{"< 6A82", selectJPKI, ok, selectAuthCertificate, "< 6A82"}, card.NoCertificate},
		{"empty file", []string{ok, "> 00B0000004", "< 6B00"}, card.NoCertificate},
		{"empty file, 9000", []string{ok, "> 00B0000004", "< 9000"}, card.NoCertificate},
		{"filler FF", []string{ok, "> 00B0000004", "< FFFFFFFF9000"}, card.NoCertificate},
		{"filler 00", []string{ok, "> 00B0000004", "< 000000009000"}, card.NoCertificate},
		{"short header", []string{ok, "> 00B0000004", "< 3082019000", "> 00B0000301", "< 6B00"}, card.Malformed},
		{"not a sequence", []string{ok, "> 00B0000004", "< 318201009000"}, card.Malformed},
		{"81 form", []string{ok, "> 00B0000004", "< 3081FF309000"}, card.Malformed},
		{"indefinite", []string{ok, "> 00B0000004", "< 308030009000"}, card.Malformed},
		{"larger than any certificate", []string{ok, "> 00B0000004", "< 30823FFD9000"}, card.Malformed},
		{"file ends early", []string{ok, "> 00B0000004", "< 308200109000", "> 00B0000410", "< AABB9000", "> 00B000060E", "< 6B00"}, card.Malformed},
		{"file ends early, 6282", []string{ok, "> 00B0000004", "< 308200109000", "> 00B0000410", "< AABB6282"}, card.Malformed},
		{"corrupted", []string{ok, "> 00B0000004", "< 308200109000", "> 00B0000410", "< AABB6281"}, card.Refused},
		{"more than asked for", []string{ok, "> 00B0000004", "< 30820010AA9000"}, card.Malformed},
		{"behind the PIN", []string{ok, "> 00B0000004", "< 6982"}, card.NotVerified},
		{"select refused", []string{"< 6283"}, card.Deactivated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Options{}, append([]string{selectAuthCertificate}, tt.lines...)...)
			got, err := c.AuthCertificate(t.Context())
			wantReason(t, err, tt.want)
			if got != nil {
				t.Error("bytes came with the error")
			}
		})
	}
}

func TestNotVerifiedNamesThePIN(t *testing.T) {
	c, _ := open(t, card.Options{}, selectAuthCertificate, ok, "> 00B0000004", "< 6982")
	_, err := c.AuthCertificate(t.Context())
	if want := "card: read authentication certificate: PIN not verified (authentication PIN) (status 6982)"; err.Error() != want {
		t.Errorf("got %q", err)
	}
	// The signing certificate is personal data behind the password: not even asked for without it.
	c, _ = open(t, card.Options{})
	_, err = c.SigningCertificate(t.Context())
	if want := "card: read signing certificate: PIN not verified (signing password)"; err.Error() != want {
		t.Errorf("got %q", err)
	}
}

func TestCACertificatesAreFree(t *testing.T) {
	content := certificateOf(8)
	rest := []string{ok, "> 00B0000004", "< 308200089000", "> 00B0000408", "< " + upperHex(content[4:]) + "9000"}
	c, s := open(t, card.Options{}, append([]string{"> 00A4020C02000B"}, rest...)...)
	if _, err := c.AuthCACertificate(t.Context()); err != nil {
		t.Error(err)
	}
	s.add(append([]string{"> 00A4020C020002"}, rest...)...)
	if _, err := c.SigningCACertificate(t.Context()); err != nil {
		t.Error(err)
	}
}

// A card that always announces more must not keep the client busy for ever.
func TestGetResponseLoopIsBounded(t *testing.T) {
	for name, status := range map[string]string{"61xx without data": "< 6110", "6Cxx again and again": "< 6C10"} {
		t.Run(name, func(t *testing.T) {
			e := &endless{answer: unhex(t, strings.TrimPrefix(status, "< "))}
			c, err := card.Open(t.Context(), e, card.Options{})
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
	// One byte at a time, for ever: stopped by the length that was asked for.
	e := &endless{answer: []byte{0x00, 0x61, 0x01}}
	c, err := card.Open(t.Context(), e, card.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AuthCertificate(t.Context()); err == nil || e.n > 300 {
		t.Errorf("%d commands, %v", e.n, err)
	}
}
