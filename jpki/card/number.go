package card

import (
	"context"
	"crypto/sha256"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

const (
	tagNumber tlv.Tag = 0xFF10
	// numberSize is the physical size of the individual number's file: the object and two filler bytes, over which the
	// signed hash runs as well.
	numberSize = 17
)

// IndividualNumber verifies the text PIN and reads the individual number (個人番号). The law allows to obtain it only for
// the purposes that package fourinfo names; the result can be used for that purpose alone and shows itself nowhere. An
// invalid purpose is an *[Error] with reason [ReasonPurposeMissing], and nothing is sent.
//
// Options.SecureMessaging keeps the number from whoever listens to reader or radio. Options.Roots checks that it is the
// number that the municipality signed, with the errors of [Card.Attributes].
//
// The card forgets every verified PIN, the text PIN included, before IndividualNumber returns.
func (c *Card) IndividualNumber(ctx context.Context, pin string, purpose fourinfo.Purpose) (fourinfo.IndividualNumber, error) {
	const op = "read individual number"
	if !purpose.Valid() {
		return fourinfo.IndividualNumber{}, &Error{Op: op, Reason: ReasonPurposeMissing}
	}
	var number fourinfo.IndividualNumber
	err := c.open(ctx, op, TextPIN, pin, func(ctx context.Context) error {
		read, err := c.textReader(ctx, op)
		if err != nil {
			return err
		}
		file, err := read(ctx, op, efNumber, numberSize, exactly(numberSize))
		if err != nil {
			return err
		}
		defer clear(file)
		if number, err = parseNumber(file, purpose); err != nil {
			return &Error{Op: op, Reason: ReasonMalformed, Err: err}
		}
		if c.opts.Roots == nil {
			return nil
		}
		return c.checkText(ctx, op, read, func(h textHashes) bool { return h.number == sha256.Sum256(file) })
	})
	if err != nil {
		return fourinfo.IndividualNumber{}, err
	}
	return number, nil
}

// parseNumber reads FF10 { 12 digits } and the filler behind it.
func parseNumber(file []byte, purpose fourinfo.Purpose) (fourinfo.IndividualNumber, error) {
	el, _, err := tlv.Next(file)
	if err != nil {
		return fourinfo.IndividualNumber{}, err
	}
	if el.Tag != tagNumber || len(file) != numberSize {
		return fourinfo.IndividualNumber{}, &Error{Op: "parse individual number", Reason: ReasonMalformed}
	}
	for _, b := range el.Value {
		if b < '0' || b > '9' { // the card has half-width digits only
			return fourinfo.IndividualNumber{}, &Error{Op: "parse individual number", Reason: ReasonMalformed}
		}
	}
	return fourinfo.NewIndividualNumber(string(el.Value), purpose)
}

// ConfirmIndividualNumber lets the card compare an individual number with its own, so that none is read. A number that
// differs is a *[PINError] about [TextNumberA] and costs one of its ten tries, which nobody but the municipality restores
// once they are spent.
//
// The number travels encrypted, whatever Options say; the card wants the text PIN before it offers that. The card forgets
// every verified PIN before ConfirmIndividualNumber returns.
func (c *Card) ConfirmIndividualNumber(ctx context.Context, pin string, number fourinfo.IndividualNumber) error {
	const op = "confirm individual number"
	digits, err := number.Reveal(number.Purpose())
	if err != nil {
		return &Error{Op: op, Reason: ReasonPurposeMissing, Err: err}
	}
	value := []byte(digits)
	defer clear(value)
	return c.open(ctx, op, TextPIN, pin, func(ctx context.Context) error {
		ch, err := c.s.openChannel(ctx, op)
		if err != nil {
			return err
		}
		return ch.verify(ctx, op, TextNumberA, value, c.opts.AllowLastTry)
	})
}
