package card

import (
	"context"
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// Option changes one call that presents a secret.
type Option func(*call)

type call struct {
	lastTry   bool
	guessable bool
	avoid     []string
}

func callOf(options []Option) call {
	var c call
	for _, o := range options {
		o(&c)
	}
	return c
}

// AllowLastTry lets a call spend the last try of a PIN, for use after the person was warned and agreed. Without it the
// error is [ReasonLastTryRefused] and nothing is sent.
func AllowLastTry() Option { return func(c *call) { c.lastTry = true } }

// Tries asks for the remaining tries without spending one; 0 means blocked. A card that does not tell answers an
// *[Error] with reason [ReasonTriesNotReported]. Any reference but [AuthPIN] and [SigningPIN] is in another
// application, which makes the card forget a verified authentication PIN and signing password.
func (c *Card) Tries(ctx context.Context, p PIN) (int, error) {
	const op = "ask for the remaining tries"
	t, ok := p.trait()
	if !ok {
		return 0, &Error{Step: op, Reason: ReasonBadReference}
	}
	n := 0
	err := c.s.do(ctx, op, t.app, 0, func(ctx context.Context) error {
		if err := c.s.mustSelectEF(ctx, op, t.ef); err != nil {
			return err
		}
		var err error
		n, err = c.s.tries(ctx, op, p)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// tries asks the selected reference for its counter with an empty VERIFY: no Lc and no Le field, because a card answers
// 6700 to the form with an Le of 00. Not every reader carries a command of four bytes; neither form costs a try.
func (s *session) tries(ctx context.Context, op string, p PIN) (int, error) {
	r, err := s.send(ctx, op, apdu.Command{INS: insVerify, P2: currentEF})
	if err != nil {
		return 0, err
	}
	if refusesCase1(r.Status) {
		with, err := s.send(ctx, op, apdu.Command{INS: insVerify, P2: currentEF, Ne: maxShort})
		if err != nil {
			return 0, err
		}
		if tellsTries(with.Status) {
			r = with
		}
	}
	if n, ok := r.Status.Retries(); ok {
		return n, nil
	}
	switch r.Status {
	case apdu.AuthMethodBlocked, apdu.ReferenceDataLocked:
		return 0, nil
	case apdu.OK, apdu.VerificationFailed:
		// 9000: verified already, and the card keeps the number to itself. 6300: the reference counts no tries.
		return 0, &Error{Step: op, Reason: ReasonTriesNotReported, PIN: p, Status: uint16(r.Status), Err: r.Status}
	default:
		return 0, s.refused(op, r.Status)
	}
}

// tellsTries reports whether a status answers the question for the tries.
func tellsTries(status apdu.Status) bool {
	_, counted := status.Retries()
	switch status {
	case apdu.AuthMethodBlocked, apdu.ReferenceDataLocked, apdu.OK, apdu.VerificationFailed:
		return true
	default:
		return counted
	}
}

// refusesCase1 reports whether a status is one with which readers and cards answer a command without length fields that
// should have one.
func refusesCase1(status apdu.Status) bool {
	_, le := status.CorrectLe()
	return le || status == apdu.WrongLength || status == apdu.InconsistentLc || status == apdu.IncorrectP1P2
}

// Verify presents a secret to the card, which compares it: a PIN, or what is printed on the card. A wrong one is an
// *[Error] with reason [ReasonWrongPIN] and the remaining tries; one that cannot be right is [ReasonPINFormat] and
// costs no try. A signing password is turned into capitals.
//
// The card keeps it verified until another application is selected, [Card.Release] or [Card.Close]; of [AuthPIN] and
// [SigningPIN] both stay verified side by side. The other secrets open nothing by themselves: [Card.Attributes],
// [Card.Face] and their like present them again.
func (c *Card) Verify(ctx context.Context, p PIN, secret string, options ...Option) error {
	t, ok := p.trait()
	if !ok {
		return &Error{Step: "verify", Reason: ReasonBadReference}
	}
	op := "verify " + t.name
	value, err := p.encode(secret)
	if err != nil {
		return err
	}
	defer clear(value)
	return c.s.do(ctx, op, t.app, 0, func(ctx context.Context) error {
		return c.s.verify(ctx, op, p, value, callOf(options).lastTry)
	})
}

// open presents a reference, runs use in its application and makes the card forget before it returns.
func (c *Card) open(
	ctx context.Context, op string, p PIN, secret string, options []Option, use func(context.Context) error,
) error {
	t, ok := p.trait()
	if !ok {
		return &Error{Step: op, Reason: ReasonBadReference}
	}
	value, err := p.encode(secret)
	if err != nil {
		return err
	}
	defer clear(value)
	return c.s.do(ctx, op, t.app, 0, func(ctx context.Context) error {
		if err := c.s.verify(ctx, op, p, value, callOf(options).lastTry); err != nil {
			return err
		}
		err := use(ctx)
		// If this fails the transaction stays until the card can be cleared; what was done is good all the same.
		_ = c.s.forget(ctx, op)
		return namePIN(err, p)
	})
}

// verify presents a PIN in the application where it lives, which must be selected.
func (s *session) verify(ctx context.Context, op string, p PIN, value []byte, lastTry bool) error {
	if err := s.mayTry(ctx, op, p, lastTry); err != nil {
		return err
	}
	// From here on the card may hold a verified PIN, even if the answer gets lost.
	s.dirty = true
	r, err := s.send(ctx, op, apdu.Command{INS: insVerify, P2: currentEF, Data: value})
	if err != nil {
		return err
	}
	return s.judge(ctx, op, p, r.Status)
}

// mayTry selects a reference and looks at its tries: an error means that VERIFY must not be sent.
func (s *session) mayTry(ctx context.Context, op string, p PIN, lastTry bool) error {
	t, _ := p.trait()
	if err := s.mustSelectEF(ctx, op, t.ef); err != nil {
		return err
	}
	n, err := s.tries(ctx, op, p)
	switch {
	case errors.Is(err, &Error{Reason: ReasonTriesNotReported}):
		// Either the PIN is verified now, so that its counter is full, or it has no counter: no last try to lose.
	case err != nil:
		return err
	case n == 0:
		return &Error{Step: op, Reason: ReasonPINBlocked, PIN: p}
	case n == 1 && !lastTry:
		return &Error{Step: op, Reason: ReasonLastTryRefused, PIN: p, Remaining: 1}
	}
	return nil
}

// judge reads the answer to VERIFY.
func (s *session) judge(ctx context.Context, op string, p PIN, status apdu.Status) error {
	if status == apdu.OK {
		s.verified |= p.bit()
		return nil
	}
	// The card may withdraw an earlier success or keep it: here it counts no more, and others do not get the card with
	// it. A status that does not say that the PIN is wrong leaves open what the card made of it.
	if tellsTries(status) {
		s.dirty = s.verified != 0
	}
	s.verified &^= p.bit()
	n, ok := status.Retries()
	switch {
	case ok:
	case status == apdu.AuthMethodBlocked, status == apdu.ReferenceDataLocked:
		n = 0
	case status == apdu.VerificationFailed:
		var err error
		if n, err = s.tries(ctx, op, p); err != nil {
			n = -1 // the PIN was wrong, whatever became of the question
		}
	case status == apdu.NoDiagnosis:
		// Nobody knows whether this one has cost a try, so it is not sent again.
		return refused(op, status)
	default:
		return s.refused(op, status)
	}
	if n == 0 {
		return &Error{Step: op, Reason: ReasonPINBlocked, PIN: p}
	}
	return &Error{Step: op, Reason: ReasonWrongPIN, PIN: p, Remaining: n}
}

// Avoid tells [Card.ChangePIN] what else is printed on the card or known of its holder and must not be the new PIN, as
// digits: a birthdate as 19800217 or 1980-02-17, the security code, a telephone number.
func Avoid(printed ...string) Option { return func(c *call) { c.avoid = append(c.avoid, printed...) } }

// AllowGuessablePIN lets [Card.ChangePIN] set a PIN that can be guessed, after the person was warned and insists.
func AllowGuessablePIN() Option { return func(c *call) { c.guessable = true } }

// Replacement is a PIN or password and the one that comes in its place.
type Replacement struct {
	redacted
	values redact.Value[[2]string]
}

// Replace makes a Replacement of the current value and the new one.
func Replace(current, value string) Replacement {
	return Replacement{values: redact.Seal([2]string{current, value})}
}

// ChangePIN replaces a PIN: [AuthPIN], [SigningPIN], [TextPIN], [ResidentPIN] or [CommonPIN]; any other reference
// cannot be changed by the holder and is an *[Error] with reason [ReasonBadReference]. Both values are checked before
// anything is sent ([ReasonPINFormat]); a new signing password must have a letter and a digit. A wrong current value is
// [ReasonWrongPIN].
//
// A new PIN that is part of what is printed on the card is [ReasonGuessablePIN], and nothing is changed: who finds a
// card has three tries, and tries the birthday first. The client knows the card's expiry, which is on the holder's
// birthday, for the text PIN the birthdate, and what [Avoid] names; a password must not contain such a date. The person
// may insist: [AllowGuessablePIN].
//
// If the last answer is lost ([ReasonTransportFailed], [ReasonInterrupted]) the card has the old value or the new one:
// ask the person to try. The card forgets every verified PIN before ChangePIN returns.
func (c *Card) ChangePIN(ctx context.Context, p PIN, r Replacement, options ...Option) error {
	current, replacement := r.values.Reveal()[0], r.values.Reveal()[1]
	t, ok := p.trait()
	if !ok || !t.form.changeable() {
		return &Error{Step: "change a PIN", Reason: ReasonBadReference}
	}
	op := "change " + t.name
	old, err := p.encode(current)
	if err != nil {
		return err
	}
	clear(old)
	value, err := p.encodeNew(replacement)
	if err != nil {
		return err
	}
	defer clear(value)
	with := callOf(options)
	bad := &Error{Step: op, Reason: ReasonGuessablePIN, PIN: p}
	if !with.guessable {
		record, err := c.CardRecord(ctx)
		if err != nil && kakunin.FamilyOf(err) != kakunin.Account && reasonOf(err) != ReasonMalformed {
			return err // a broken reader, say; that there is no record, as on phones, turns nobody away
		}
		if guessable(value, append(with.avoid, record.Expiry.String())) {
			return bad
		}
	}
	// CHANGE REFERENCE DATA with P1 01: the data are the new value only, because the old one is verified (ISO/IEC
	// 7816-4, 11.5.7). The two applications without it have CHANGE KEY of JICSAP V1.1.
	cmd := apdu.Command{INS: insChange, P1: 0x01, P2: currentEF, Data: value}
	if t.app == commonApp || t.app == residentApp {
		cmd = apdu.Command{CLA: claCard, INS: insChangeKey, P2: currentEF, Data: value}
	}
	return c.open(ctx, op, p, current, options, func(ctx context.Context) error {
		if p == TextPIN && !with.guessable {
			born, err := c.s.birthdate(ctx, op)
			if err != nil {
				return err
			}
			if guessable(value, []string{born}) {
				return bad
			}
		}
		r, err := c.s.send(ctx, op, cmd)
		if err != nil {
			return err
		}
		switch r.Status {
		case apdu.OK:
			return nil
		case apdu.IncorrectData, apdu.WrongLength:
			return &Error{Step: op, Reason: ReasonPINFormat, PIN: p, Status: uint16(r.Status), Err: r.Status}
		case apdu.NoCurrentEF, apdu.FileNotFound:
			return c.s.refused(op, r.Status) // it lost its state, and the old value is good
		default:
			return refused(op, r.Status) // it may have the new value, so the old one is not presented again
		}
	})
}
