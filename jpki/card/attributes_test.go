package card_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// testPerson is the attributes file of a test card as published.
const testPerson = "FF2065" + "DF2108000E002000590064" +
	"DF220FE9BB92E6A190E38080E5B9B9E4B99F" +
	"DF2336E69DB1E4BAACE983BDE6B885E780ACE5B882E8A6B3E5B883E5AD90E58D97EF" +
	"BC91EFBC92EFBC8DEFBC97EFBC8DEFBC92EFBC90EFBC92" +
	"DF24083139383030323137" + "DF250131"

// textAccess is the transcript of selecting the text application and verifying 1234 there.
var textAccess = []string{selectText, ok, "> 00A4020C020011", ok, "> 00200080", "< 63C3", "> 002000800431323334", ok}

// fileOf is the transcript of reading the attributes file, given as hexadecimal, in one command.
func fileOf(file string) []string {
	return []string{"> 00B0820000", "< " + file + "FFFF9000"}
}

func TestAttributes(t *testing.T) {
	c, s := open(t, card.Config{}, textAccess...)
	s.add(fileOf(testPerson)...)
	s.add(leave, ok) // the card forgets the text PIN
	p, err := c.Attributes(t.Context(), card.TextPIN, "1234")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Name.Reveal(); got != "黒桐　幹也" {
		t.Errorf("name %s", got)
	}
	if got := p.Address.Reveal(); got != "東京都清瀬市観布子南１２－７－２０２" {
		t.Errorf("address %s", got)
	}
	if got := p.Birthdate.Reveal(); got != (fourinfo.PartialDate{Year: 1980, Month: 2, Day: 17}) {
		t.Errorf("birthdate %v", got)
	}
	if got := p.Gender.Reveal(); got != fourinfo.Male {
		t.Errorf("gender %v", got)
	}
}

func TestAttributesEndTheTransaction(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(textAccess...)
	h.add(fileOf(testPerson)...)
	h.add(leave, ok)
	if _, err := c.Attributes(t.Context(), card.TextPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if h.open() {
		t.Error("the card is still held")
	}
	// If the card cannot be cleared, others must not get it with the text PIN verified.
	h.add(textAccess...)
	h.add(fileOf(testPerson)...)
	h.add(leave, "! broken")
	if _, err := c.Attributes(t.Context(), card.TextPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if !h.open() {
		t.Error("the card was given to others")
	}
}

func TestAttributesRefused(t *testing.T) {
	read := func(lines ...string) []string {
		return slices.Concat(textAccess, []string{"> 00B0820000"}, lines, []string{leave, ok})
	}
	tests := []struct {
		name  string
		lines []string
		want  card.Reason
	}{
		{"a phone", []string{selectText, "< 6A82"}, card.ReasonApplicationMissing},
		{"wrong PIN", append(slices.Clone(textAccess[:7]), "< 63C2"), card.ReasonWrongPIN},
		{"last try", append(slices.Clone(textAccess[:5]), "< 63C1"), card.ReasonLastTryRefused},
		{"not verified after all", read("< 6982"), card.ReasonNotVerified},
		{"empty", read("< 6B00", "> 00A4020C020002", ok, "> 00B0000000", "< 6B00"), card.ReasonMalformed},
		{"filler", read("< FFFFFFFFFFFFFFFF9000"), card.ReasonMalformed},
		{"another object", read("< FF1065DF210800009000"), card.ReasonMalformed},
		{"too small", read("< FF2001DF210800009000"), card.ReasonMalformed},
		{"larger than any file", read("< FF20828001000000" + "9000"), card.ReasonMalformed},
		{"cut off", read("< FF2065DF210800009000", "> 00B0000860", "< AABB6282"), card.ReasonMalformed},
		{"cut off at once", read("< FF2065DF2108006282"), card.ReasonMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, tt.lines...)
			p, err := c.Attributes(t.Context(), card.TextPIN, "1234")
			wantReason(t, err, tt.want)
			if len(p.Attributes()) != 0 {
				t.Error("attributes came with the error")
			}
		})
	}
}

func TestAttributesWithWrongPINNameTheTextPIN(t *testing.T) {
	c, _ := open(t, card.Config{}, append(slices.Clone(textAccess[:7]), "< 63C2")...)
	_, err := c.Attributes(t.Context(), card.TextPIN, "1234")
	wantPINError(t, err, card.Error{PIN: card.TextPIN, Remaining: 2, Reason: card.ReasonWrongPIN})
}

func TestAttributesFileRefused(t *testing.T) {
	replace := func(old, by string) string { return strings.Replace(testPerson, old, by, 1) }
	tests := map[string]string{
		"offset of the name":       replace("000E0020", "000F0020"),
		"offset of the gender":     replace("00590064", "00590063"),
		"odd table":                replace("FF2065DF2108000E002000590064", "FF2066DF2109000F00210059006400"),
		"short table":              replace("FF2065DF2108000E002000590064", "FF2063DF2106000E00200059"),
		"fields in another order":  replace("DF22", "DF23"),
		"no table":                 "FF2005DF25013100",
		"not UTF-8":                replace("DF220FE9", "DF220FFF"),
		"object cut by its parent": replace("DF250131", "DF250231"),
		"field missing":            "FF2061" + replace("DF250131", "")[6:],
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			c, s := open(t, card.Config{}, textAccess...)
			s.add(fileOf(file)...)
			s.add(leave, ok)
			_, err := c.Attributes(t.Context(), card.TextPIN, "1234")
			wantReason(t, err, card.ReasonMalformed)
		})
	}
}

// Names and addresses of a longer object need the two-byte length field; objects behind the gender are for later cards.
func TestAttributesOfOtherLengths(t *testing.T) {
	long := strings.Repeat("E38182", 60)                                  // 180 bytes, written 82 00B4
	file := "FF208200F0" + "DF2108" + "0010" + "0022" + "00DB" + "00E6" + // offsets from the first byte of the file
		"DF220FE9BB92E6A190E38080E5B9B9E4B99F" + "DF238200B4" + long + "DF24083139383030323137" + "DF250131" +
		"DF260131"
	size := len(file)/2 - 5
	file = fmt.Sprintf("FF2082%04X", size) + file[10:]
	c, s := open(t, card.Config{}, textAccess...)
	s.add(fileOf(file)...)
	s.add(leave, ok)
	p, err := c.Attributes(t.Context(), card.TextPIN, "1234")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Address.Reveal(); got != strings.Repeat("あ", 60) {
		t.Errorf("address %s", got)
	}
}

// Selecting the text application makes the card forget the other PINs; the client says so without asking.
func TestAttributesForgetTheAuthenticationPIN(t *testing.T) {
	k := newTestKey(t)
	c, s := open(t, card.Config{}, verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	s.add(k.certificateReads(readAuthCertificate)...)
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.add(textAccess...)
	s.add(fileOf(testPerson)...)
	s.add(leave, ok)
	if _, err := c.Attributes(t.Context(), card.TextPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	_, err = key.SignContext(t.Context(), make([]byte, 32), card.WithoutDigestInfo)
	wantReason(t, err, card.ReasonNotVerified)
}
