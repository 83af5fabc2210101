package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// ChangePIN replaces a PIN: [AuthPIN], [SigningPIN], [TextPIN], [ResidentPIN] or [CommonPIN]; any other reference cannot be
// changed by the holder and is an *[Error] with reason [ReasonBadReference]. Both values are checked before anything is sent
// ([ReasonPINFormat]); a new signing password must have a letter and a digit. A wrong old value is a *[PINError].
//
// If the last answer is lost ([ReasonTransportFailed], [ReasonInterrupted]) the card has the old value or the new one: ask the person
// to try. The card forgets every verified PIN before ChangePIN returns.
func (c *Card) ChangePIN(ctx context.Context, p PIN, current, replacement string) error {
	op := "change " + p.String()
	t, ok := p.trait()
	if !ok || !t.form.changeable() {
		return &Error{Op: op, Reason: ReasonBadReference}
	}
	value, err := p.encodeNew(replacement)
	if err != nil {
		return err
	}
	defer clear(value)
	// CHANGE REFERENCE DATA with P1 01: the data are the new value only, because the old one is verified (ISO/IEC 7816-4,
	// 11.5.7). The two applications without it have CHANGE KEY of JICSAP V1.1.
	cmd := apdu.Command{INS: insChange, P1: 0x01, P2: currentEF, Data: value}
	if t.app == commonApp || t.app == residentApp {
		cmd = apdu.Command{CLA: claCard, INS: insChangeKey, P2: currentEF, Data: value}
	}
	return c.open(ctx, op, p, current, func(ctx context.Context) error {
		r, err := c.s.send(ctx, op, cmd)
		if err != nil {
			return err
		}
		switch r.Status {
		case apdu.OK:
			return nil
		case apdu.IncorrectData, apdu.WrongLength:
			return &Error{Op: op, Reason: ReasonPINFormat, Reference: p, Status: uint16(r.Status), Err: r.Status}
		default:
			return refused(op, r.Status)
		}
	})
}

// changeable reports whether the holder chooses secrets of this form; the others are printed on the card.
func (f form) changeable() bool { return f == fourDigits || f == password }

// encodeNew is encode for a value that is to be set: offices accept a signing password only with letters and digits.
func (p PIN) encodeNew(secret string) ([]byte, error) {
	b, err := p.encode(secret)
	if err != nil || p != SigningPIN {
		return b, err
	}
	letter, digit := false, false
	for _, c := range b {
		letter = letter || c >= 'A'
		digit = digit || c <= '9'
	}
	if !letter || !digit {
		clear(b)
		return nil, &Error{Op: "check the format", Reason: ReasonPINFormat, Reference: p}
	}
	return b, nil
}
