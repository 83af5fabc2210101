package card_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Every PIN that the holder has chosen can be changed, and the other ones stay.
func TestChangePIN(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	pins := map[card.PIN][2]string{
		card.AuthPIN: {p.AuthPIN, "8642"}, card.TextPIN: {p.TextPIN, "7531"},
		card.SigningPIN:  {p.SigningPassword, "new9pass"},
		card.ResidentPIN: {p.TextPIN, "9753"}, card.CommonPIN: {p.TextPIN, "1357"},
	}
	for pin, values := range pins {
		if err := c.ChangePIN(t.Context(), pin, card.Replace(values[0], values[1])); err != nil {
			t.Fatal(pin, err)
		}
	}
	for pin, values := range pins {
		// Changing back proves the new value, and the old one is refused.
		err := c.ChangePIN(t.Context(), pin, card.Replace(values[0], values[1]))
		most := map[bool]int{true: 4, false: 2}[pin == card.SigningPIN]
		wantPINError(t, err, card.Error{PIN: pin, Remaining: most, Reason: card.ReasonWrongPIN})
		if err := c.ChangePIN(t.Context(), pin, card.Replace(values[1], values[0])); err != nil {
			t.Error(pin, err)
		}
		if n, err := c.Tries(t.Context(), pin); n != most+1 || err != nil {
			t.Error(pin, n, err)
		}
	}
}

// The card forgets what was verified, and the client knows.
func TestChangePINForgets(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	if err := c.Verify(t.Context(), card.AuthPIN, p.AuthPIN); err != nil {
		t.Fatal(err)
	}
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ChangePIN(t.Context(), card.AuthPIN, card.Replace(p.AuthPIN, "8642")); err != nil {
		t.Fatal(err)
	}
	_, err = key.SignContext(t.Context(), make([]byte, 32), card.WithoutDigestInfo)
	wantReason(t, err, card.ReasonNotVerified)
}

// What cannot be right is not sent.
func TestChangePINFormat(t *testing.T) {
	for _, tt := range []struct {
		pin              card.PIN
		old, replacement string
		want             card.Reason
	}{
		{card.AuthPIN, "1234", "123", card.ReasonPINFormat},
		{card.AuthPIN, "1234", "12345", card.ReasonPINFormat},
		{card.AuthPIN, "1234", "12a4", card.ReasonPINFormat},
		{card.AuthPIN, "123", "1234", card.ReasonPINFormat},
		{card.SigningPIN, "ABC123", "ABCDEF", card.ReasonPINFormat},
		{card.SigningPIN, "ABC123", "123456", card.ReasonPINFormat},
		{card.SigningPIN, "ABC123", "AB12!?", card.ReasonPINFormat},
		{card.SigningPIN, "ABC123", strings.Repeat("A1", 9), card.ReasonPINFormat},
		{card.TextNumberA, "123456789012", "1234", card.ReasonBadReference},
		{card.FaceBirthdate, "550217", "550218", card.ReasonBadReference},
		{0, "1234", "5678", card.ReasonBadReference},
		{99, "1234", "5678", card.ReasonBadReference},
	} {
		c, _ := open(t, card.Config{}) // nothing may be sent
		err := c.ChangePIN(t.Context(), tt.pin, card.Replace(tt.old, tt.replacement))
		wantReason(t, err, tt.want)
		for _, secret := range []string{tt.old, tt.replacement} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q holds a PIN", err)
			}
		}
	}
}

// A new PIN that can be read off the card is not set, unless the person insists. Nothing is changed, and no try is
// spent.
func TestChangePINGuessable(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	born := p.Subject.Birthdate // YYYYMMDD
	_, era := printedOn(t, sim)
	for _, tt := range []struct {
		pin     card.PIN
		value   string
		options []card.Option
		refused bool
	}{
		{card.AuthPIN, born[4:], nil, true},         // the card expires on the birthday
		{card.AuthPIN, p.CardExpiry[:4], nil, true}, // the year in which it does
		{card.CommonPIN, born[4:], nil, true},
		{card.TextPIN, born[:4], nil, true}, // the year of birth, which the text PIN opens
		{card.TextPIN, era[:4], nil, true},  // the same of the era
		{card.AuthPIN, born[:4], []card.Option{card.Avoid(born)}, true},
		{card.AuthPIN, era[:4], []card.Option{card.Avoid(born[:4] + "-" + born[4:6] + "-" + born[6:])}, true},
		{card.AuthPIN, p.SecurityCode, []card.Option{card.Avoid(p.SecurityCode)}, true},
		{card.SigningPIN, "TARO" + born, []card.Option{card.Avoid(born)}, true},
		{card.SigningPIN, "x" + era, []card.Option{card.Avoid(born)}, true},
		{card.SigningPIN, "X" + born[4:] + "Y", []card.Option{card.Avoid(born)}, false}, // no whole date
		{card.AuthPIN, "8642", []card.Option{card.Avoid("", born, "no digits")}, false},
		{card.AuthPIN, born[4:], []card.Option{card.AllowGuessablePIN()}, false},
		{card.TextPIN, born[:4], []card.Option{card.AllowGuessablePIN()}, false},
	} {
		current := map[card.PIN]string{card.AuthPIN: p.AuthPIN, card.SigningPIN: p.SigningPassword}[tt.pin]
		if current == "" {
			current = p.TextPIN
		}
		err := c.ChangePIN(t.Context(), tt.pin, card.Replace(current, tt.value), tt.options...)
		if tt.refused {
			if !errors.Is(err, &card.Error{Reason: card.ReasonGuessablePIN, PIN: tt.pin}) ||
				kakunin.FamilyOf(err) != kakunin.User {
				t.Errorf("%v as %s: %v", tt.pin, tt.value, err)
			}
			if err != nil && strings.Contains(err.Error(), tt.value) {
				t.Errorf("%q holds a PIN", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v as %s: %v", tt.pin, tt.value, err)
			continue
		}
		if err := c.ChangePIN(t.Context(), tt.pin, card.Replace(tt.value, current)); err != nil {
			t.Error(err)
		}
	}
	fullTries(t, sim)
}

// The two forms of the command, and what the card may answer.
func TestChangePINCommands(t *testing.T) {
	const common = "> 00A4040C0AD3921000310001010100"
	noRecord := []string{common, "< 6A82", selectJPKI, ok} // a phone
	verified := []string{"> 00200080", "< 63C3", "> 002000800431323334", ok}
	jpki := slices.Concat(noRecord, []string{"> 00A4020C020018", ok}, verified)
	for name, tt := range map[string]struct {
		pin   card.PIN
		lines []string
		want  card.Reason
	}{
		"changed": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", ok, leave, ok), 0},
		"format": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "< 6A80", leave, ok),
			card.ReasonPINFormat},
		"not verified": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "< 6982", leave, ok),
			card.ReasonNotVerified},
		"not supported": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "< 6D00", leave, ok),
			card.ReasonRefused},
		"taken away": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "! gone", leave,
			"! gone"), card.ReasonTransportFailed},
		"wrong old PIN": {card.AuthPIN, append(jpki[:9:9], "< 63C2"), card.ReasonWrongPIN},
		"last try": {card.AuthPIN, append(noRecord[:4:4], "> 00A4020C020018", ok, "> 00200080", "< 63C1"),
			card.ReasonLastTryRefused},
		"common": {card.CommonPIN, append(append(
			[]string{common, ok, "> 00B2010C00", "< 6A83", "> 00A4020C02001C", ok}, verified...),
			"> 803200800435363738", ok, leave, ok), 0},
		"never sent again": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "< 6110", leave, ok),
			card.ReasonRefused},
		"never sent again 2": {card.AuthPIN, append(slices.Clone(jpki), "> 002401800435363738", "< 6C10", leave, ok),
			card.ReasonRefused},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, tt.lines...)
			err := c.ChangePIN(t.Context(), tt.pin, card.Replace("1234", "5678"))
			if tt.want == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantReason(t, err, tt.want)
		})
	}
}

// The rules about tries hold for each of the ten references: a wrong value costs one, the right one restores them all,
// the last is not spent without being told, and then nothing helps any more.
func TestTriesOfEveryReference(t *testing.T) {
	for p := card.AuthPIN; p <= card.FaceBirthdate; p++ {
		t.Run(p.String(), func(t *testing.T) {
			sim, c := openSim(t)
			full := map[bool]int{true: 10, false: 3}[p >= card.TextNumberA]
			if p == card.SigningPIN {
				full = 5
			}
			wantTries := func(want int) {
				t.Helper()
				if n, err := c.Tries(t.Context(), p); n != want || err != nil {
					t.Errorf("%d tries, want %d, %v", n, want, err)
				}
			}
			wrong := func(remaining int, reason card.Reason, options ...card.Option) {
				t.Helper()
				wantPINError(t, present(t, c, sim, p, false, options...),
					card.Error{PIN: p, Remaining: remaining, Reason: reason})
			}
			wantTries(full)
			wrong(full-1, card.ReasonWrongPIN)
			if err := present(t, c, sim, p, true); err != nil {
				t.Fatal(err)
			}
			wantTries(full)
			for left := full - 1; left > 0; left-- {
				wrong(left, card.ReasonWrongPIN)
			}
			wrong(1, card.ReasonLastTryRefused)
			wantTries(1)
			wrong(0, card.ReasonPINBlocked, card.AllowLastTry())
			wantTries(0)
			wantPINError(t, present(t, c, sim, p, true, card.AllowLastTry()),
				card.Error{PIN: p, Remaining: 0, Reason: card.ReasonPINBlocked})
			for other := card.AuthPIN; other <= card.FaceBirthdate; other++ {
				if n, err := c.Tries(t.Context(), other); other != p && (n < 3 || err != nil) {
					t.Errorf("%v has %d tries, %v", other, n, err)
				}
			}
		})
	}
}

// present presents a reference, right or wrong, in the way that a program does.
func present(t *testing.T, c *card.Card, sim *cardsim.Card, p card.PIN, right bool, options ...card.Option) error {
	t.Helper()
	person := sim.Person().Reveal()
	numberB, birthdate := printedOn(t, sim)
	pick := func(value, wrong string) string {
		if right {
			return value
		}
		return wrong
	}
	var err error
	switch p {
	case card.AuthPIN:
		err = c.Verify(t.Context(), card.AuthPIN, pick(person.AuthPIN, "0000"), options...)
	case card.SigningPIN:
		err = c.Verify(t.Context(), card.SigningPIN, pick(person.SigningPassword, "WRONG0"), options...)
	case card.TextPIN:
		_, err = c.Attributes(t.Context(), card.TextPIN, pick(person.TextPIN, "0000"), options...)
	case card.ResidentPIN, card.CommonPIN:
		err = c.ChangePIN(t.Context(), p, card.Replace(pick(person.TextPIN, "0000"), person.TextPIN), options...)
	case card.TextNumberA:
		err = confirm(t, c, sim, pick(person.IndividualNumber, wrongNumber(t)), options...)
	case card.TextNumberB:
		_, err = c.Attributes(t.Context(), card.TextNumberB, pick(numberB, "00000000000000"), options...)
	case card.FaceNumberA:
		_, err = c.Face(t.Context(), p, pick(person.IndividualNumber, "000000000000"), options...)
	case card.FaceNumberB:
		_, err = c.Face(t.Context(), p, pick(numberB, "00000000000000"), options...)
	case card.FaceBirthdate:
		_, err = c.AgeCheck(t.Context(), pick(birthdate, "000000"), options...)
	}
	return err
}
