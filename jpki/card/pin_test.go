package card_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// verifyAuth is the transcript of Verify with 1234 in a selected application.
func verifyAuth(tries, answer string) []string {
	return []string{"> 00A4020C020018", ok, "> 00200080", tries, "> 002000800431323334", answer}
}

func TestTries(t *testing.T) {
	tests := []struct {
		name, answer string
		want         int
		reason       card.Reason
	}{
		{"three", "< 63C3", 3, 0},
		{"one", "< 63C1", 1, 0},
		{"blocked 63C0", "< 63C0", 0, 0},
		{"blocked 6983", "< 6983", 0, 0},
		{"blocked 6984", "< 6984", 0, 0},
		{"9000", "< 9000", 0, card.ReasonTriesNotReported},
		{"6300", "< 6300", 0, card.ReasonTriesNotReported},
		{"6283", "< 6283", 0, card.ReasonDeactivated},
		{"6110 to a command without Le", "< 6110", 0, card.ReasonRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, "> 00A4020C020018", ok, "> 00200080", tt.answer)
			n, err := c.Tries(t.Context(), card.AuthPIN)
			if n != tt.want || reasonOf(err) != tt.reason {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
}

// A reader that does not carry four bytes carries five; where neither form tells, no PIN is presented.
func TestTriesWithLe(t *testing.T) {
	question := []string{"> 00A4020C020018", ok, "> 00200080", "< 6700", "> 0020008000"}
	c, s := open(t, card.Config{}, append(slices.Clone(question), "< 63C2")...)
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	s.add(append(slices.Clone(question), "< 63C1")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonLastTryRefused)
	s.add(append(slices.Clone(question), "< 6700")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonRefused)
}

func TestTriesOfTheOtherReferences(t *testing.T) {
	c, s := open(t, card.Config{}, "> 00A4020C02001B", ok, "> 00200080", "< 63C5")
	if n, err := c.Tries(t.Context(), card.SigningPIN); n != 5 || err != nil {
		t.Errorf("signing: %d, %v", n, err)
	}
	s.add(selectText, ok, "> 00A4020C020011", ok, "> 00200080", "< 63C2")
	if n, err := c.Tries(t.Context(), card.TextPIN); n != 2 || err != nil {
		t.Errorf("text: %d, %v", n, err)
	}
	_, err := c.Tries(t.Context(), 0)
	wantReason(t, err, card.ReasonBadReference)
}

func TestVerify(t *testing.T) {
	allow := []card.Option{card.AllowLastTry()}
	tests := []struct {
		name  string
		opts  []card.Option
		lines []string
		want  *card.Error // nil: accepted
	}{
		{"right", nil, verifyAuth("< 63C3", "< 9000"), nil},
		{"wrong", nil, verifyAuth("< 63C3", "< 63C2"), &card.Error{PIN: card.AuthPIN, Remaining: 2,
			Reason: card.ReasonWrongPIN}},
		{"tries not reported", nil, verifyAuth("< 9000", "< 9000"), nil},
		{"blocked", nil, verifyAuth("< 63C0", "")[:4], &card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked}},
		{"blocked 6983", nil, verifyAuth("< 6983", "")[:4], &card.Error{PIN: card.AuthPIN,
			Reason: card.ReasonPINBlocked}},
		{"blocked 6984", allow, verifyAuth("< 6984", "")[:4],
			&card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked}},
		{"last try refused", nil, verifyAuth("< 63C1", "")[:4],
			&card.Error{PIN: card.AuthPIN, Remaining: 1, Reason: card.ReasonLastTryRefused}},
		{"last try allowed and right", allow, verifyAuth("< 63C1", "< 9000"), nil},
		{"last try allowed and wrong", allow, verifyAuth("< 63C1", "< 63C0"),
			&card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked}},
		{"blocked between 6984", nil, verifyAuth("< 63C2", "< 6984"),
			&card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked}},
		{"blocked between 6983", nil, verifyAuth("< 63C2", "< 6983"),
			&card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked}},
		{
			"6300, then asked", nil, append(verifyAuth("< 63C3", "< 6300"), "> 00200080", "< 63C2"),
			&card.Error{PIN: card.AuthPIN, Remaining: 2, Reason: card.ReasonWrongPIN},
		},
		{
			"6300, not told", nil, append(verifyAuth("< 6300", "< 6300"), "> 00200080", "< 6300"),
			&card.Error{PIN: card.AuthPIN, Remaining: -1, Reason: card.ReasonWrongPIN},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, tt.lines...)
			err := c.Verify(t.Context(), card.AuthPIN, "1234", tt.opts...)
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantPINError(t, err, *tt.want)
			if strings.Contains(err.Error(), "1234") {
				t.Error("the PIN shows in the error")
			}
		})
	}
}

func TestVerifyRefusedForAnotherReason(t *testing.T) {
	c, _ := open(t, card.Config{}, verifyAuth("< 63C3", "< 6F00")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonRefused)
}

// A VERIFY that is repeated could cost two tries.
func TestVerifyIsNeverRepeated(t *testing.T) {
	c, _ := open(t, card.Config{}, verifyAuth("< 63C3", "< 6C10")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonRefused)
}

func TestAllowLastTryIsForOneCall(t *testing.T) {
	c, s := open(t, card.Config{}, verifyAuth("< 63C1", "")[:4]...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonLastTryRefused)
	s.add(verifyAuth("< 63C1", "< 63C0")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234", card.AllowLastTry()), card.ReasonPINBlocked)
	s.add(verifyAuth("< 63C1", "")[:4]...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonLastTryRefused)
}

// A comparison that fails withdraws an earlier success in the client. Whether also on the card is not known of real
// ones, so the card is given to others only when it was told to forget.
func TestWrongPINAfterRight(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(selectJPKI, ok, "> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313233", "< 9000")
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	h.add("> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313234", "< 63C4")
	wantReason(t, c.Verify(t.Context(), card.SigningPIN, "ABC124"), card.ReasonWrongPIN)
	if !h.open() {
		t.Error("the card was given back, perhaps with the PIN verified")
	}
	_, err = c.SigningCertificate(t.Context()) // decided without a command
	wantReason(t, err, card.ReasonNotVerified)
	h.add(leave, ok)
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.open() {
		t.Error("the card is held although it was told to forget")
	}
}

// One PIN that is wrong does not touch the other, and the card stays held.
func TestWrongPINBesideAnother(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	h.add("> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313234", "< 63C4")
	wantReason(t, c.Verify(t.Context(), card.SigningPIN, "ABC124"), card.ReasonWrongPIN)
	if !h.open() {
		t.Error("the card was given back with a PIN verified")
	}
}

// Nothing that cannot be right reaches the card: the scripts hold no further command.
func TestMalformedPINCostsNoTry(t *testing.T) {
	c, _ := open(t, card.Config{})
	for _, pin := range []string{"", "123", "12345", "12a4", "１２３４", " 123", "-123"} {
		for name, call := range map[string]func(context.Context, string) error{
			"auth": func(ctx context.Context, pin string) error { return c.Verify(ctx, card.AuthPIN, pin) },
			"text": func(ctx context.Context, pin string) error {
				_, err := c.Attributes(ctx, card.TextPIN, pin)
				return err
			},
		} {
			err := call(t.Context(), pin)
			wantReason(t, err, card.ReasonPINFormat)
			if pin != "" && strings.Contains(err.Error(), pin) {
				t.Errorf("%s: the input shows in the error", name)
			}
		}
	}
	for _, password := range []string{"", "ABC12", "ABCDEFGH123456789", "ABC-123", "ABC 123", "ａｂｃ１２３", "abc12ſ",
		"abcı23"} {
		err := c.Verify(t.Context(), card.SigningPIN, password)
		wantReason(t, err, card.ReasonPINFormat)
		var e *card.Error
		if !errors.As(err, &e) || e.PIN != card.SigningPIN {
			t.Errorf("%q: got %#v", password, err)
		}
	}
}

func TestSigningPasswordIsUpperCased(t *testing.T) {
	for _, password := range []string{"ABC123", "abc123", "aBc123"} {
		c, _ := open(t, card.Config{}, "> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313233",
			"< 63C4")
		wantPINError(t, c.Verify(t.Context(), card.SigningPIN, password),
			card.Error{PIN: card.SigningPIN, Remaining: 4, Reason: card.ReasonWrongPIN})
	}
}

// keeping remembers the command of a VERIFY beyond its Transmit, which a transport must not do.
type keeping struct {
	*script
	last []byte
}

func (k *keeping) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	k.last = command
	return k.script.Transmit(ctx, command)
}

func TestPINIsWipedAfterUse(t *testing.T) {
	k := &keeping{script: newScript(t, append(append([]string(nil), opening...), verifyAuth("< 63C3", "< 9000")...)...)}
	c, err := card.Open(t.Context(), k, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(k.last), "1234") {
		t.Error("the PIN is still in the buffer")
	}
}

func TestPINErrorMessages(t *testing.T) {
	tests := []struct {
		err    *card.Error
		family kakunin.Family
		ja, en string
	}{
		{
			&card.Error{PIN: card.AuthPIN, Remaining: 2, Reason: card.ReasonWrongPIN}, kakunin.User,
			"利用者証明用電子証明書の暗証番号が違います。あと2回間違えるとロックされます。",
			"The PIN of the authentication certificate is wrong. Remaining tries before it is locked: 2.",
		},
		{
			&card.Error{PIN: card.TextPIN, Remaining: -1, Reason: card.ReasonWrongPIN}, kakunin.User,
			"券面事項入力補助用の暗証番号が違います。", "The PIN for the four attributes is wrong.",
		},
		{
			&card.Error{PIN: card.SigningPIN, Reason: card.ReasonPINBlocked}, kakunin.Account,
			"署名用電子証明書の暗証番号はロックされています。お住まいの市区町村の窓口などで再設定してください。",
			"The password of the signing certificate is locked. It can be reset at your municipal office.",
		},
		{
			&card.Error{PIN: card.AuthPIN, Remaining: 1, Reason: card.ReasonLastTryRefused}, kakunin.User,
			"利用者証明用電子証明書の暗証番号をあと1回間違えるとロックされるため、照合を行いませんでした。正しい暗証番号を確かめてください。",
			"One more mistake would lock the PIN of the authentication certificate, so it was not tried. Please make " +
				"sure that you know it.",
		},
	}
	for _, tt := range tests {
		if got := kakunin.FamilyOf(tt.err); got != tt.family {
			t.Errorf("%v: family %v, want %v", tt.err, got, tt.family)
		}
		if got := kakunin.MessageFor(tt.err, kakunin.Japanese); got != tt.ja {
			t.Errorf("%v: %s", tt.err, got)
		}
		if got := kakunin.MessageFor(tt.err, kakunin.English); got != tt.en {
			t.Errorf("%v: %s", tt.err, got)
		}
	}
}

// Every reason has a family and a text in both languages, of its own or of its family.
func TestEveryReasonSpeaks(t *testing.T) {
	tests.Reasons(t, card.ReasonReaderUnfit, func(r card.Reason) error {
		return &card.Error{Reason: r, PIN: card.AuthPIN}
	})
}
