package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// Tries asks for the remaining tries without spending one; 0 means blocked. A card that does not tell answers an *[Error]
// with reason [ReasonTriesNotReported]. Any reference but [AuthPIN] and [SigningPIN] is in another application, which makes the
// card forget a verified authentication PIN and signing password.
func (c *Card) Tries(ctx context.Context, p PIN) (int, error) {
	const op = "ask for the remaining tries"
	t, ok := p.trait()
	if !ok {
		return 0, &Error{Op: op, Reason: ReasonBadReference}
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

// AuthPINTries is Tries for the authentication PIN.
func (c *Card) AuthPINTries(ctx context.Context) (int, error) { return c.Tries(ctx, AuthPIN) }

// tries asks the selected reference for its counter with an empty VERIFY: no Lc and no Le field, because a card answers
// 6700 to the form with an Le of 00.
func (s *session) tries(ctx context.Context, op string, p PIN) (int, error) {
	r, err := s.send(ctx, op, apdu.Command{INS: insVerify, P2: currentEF})
	if err != nil {
		return 0, err
	}
	if n, ok := r.Status.Retries(); ok {
		return n, nil
	}
	switch r.Status {
	case apdu.AuthMethodBlocked, apdu.ReferenceDataLocked:
		return 0, nil
	case apdu.OK, apdu.VerificationFailed:
		// 9000: verified already, and the card keeps the number to itself. 6300: the reference counts no tries.
		return 0, &Error{Op: op, Reason: ReasonTriesNotReported, Reference: p, Status: uint16(r.Status), Err: r.Status}
	default:
		return 0, refused(op, r.Status)
	}
}

// VerifyAuthPIN presents the 4-digit authentication PIN. A wrong one is a *PINError; a malformed one an *[Error] with
// reason [ReasonPINFormat] that cost no try.
func (c *Card) VerifyAuthPIN(ctx context.Context, pin string) error {
	return c.present(ctx, AuthPIN, pin)
}

// VerifySigningPassword presents the 6 to 16 character signing password, upper-cased. A wrong one is a *PINError; a
// malformed one an *[Error] with reason [ReasonPINFormat] that cost no try.
func (c *Card) VerifySigningPassword(ctx context.Context, password string) error {
	return c.present(ctx, SigningPIN, password)
}

// present verifies a PIN and leaves it verified.
func (c *Card) present(ctx context.Context, p PIN, secret string) error {
	op := "verify " + p.String()
	value, err := p.encode(secret)
	if err != nil {
		return err
	}
	defer clear(value)
	t, _ := p.trait()
	return c.s.do(ctx, op, t.app, 0, func(ctx context.Context) error {
		return c.s.verify(ctx, op, p, value, c.opts.AllowLastTry)
	})
}

// open presents a reference, runs use in its application and makes the card forget before it returns.
func (c *Card) open(ctx context.Context, op string, p PIN, secret string, use func(context.Context) error) error {
	t, ok := p.trait()
	if !ok {
		return &Error{Op: op, Reason: ReasonBadReference}
	}
	value, err := p.encode(secret)
	if err != nil {
		return err
	}
	defer clear(value)
	return c.s.do(ctx, op, t.app, 0, func(ctx context.Context) error {
		if err := c.s.verify(ctx, op, p, value, c.opts.AllowLastTry); err != nil {
			return err
		}
		err := use(ctx)
		// If this fails the transaction stays until the card can be cleared; what was done is good all the same.
		_ = c.s.reselectApp(ctx, op, jpkiApp)
		return nameReference(err, p)
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
	case ReasonOf(err) == ReasonTriesNotReported:
		// Either the PIN is verified now, so that its counter is full, or it has no counter: no last try to lose.
	case err != nil:
		return err
	case n == 0:
		return &PINError{Reference: p, Remaining: 0, Reason: ReasonPINBlocked}
	case n == 1 && !lastTry:
		return &PINError{Reference: p, Remaining: 1, Reason: ReasonLastTryRefused}
	}
	return nil
}

// judge reads the answer to VERIFY.
func (s *session) judge(ctx context.Context, op string, p PIN, status apdu.Status) error {
	if status == apdu.OK {
		s.verified |= p.bit()
		return nil
	}
	// The card may withdraw an earlier success or keep it: here it counts no more, and others do not get the card with it.
	s.dirty = s.verified != 0
	s.verified &^= p.bit()
	return s.pinError(ctx, op, p, status)
}

// pinError reads the answer to a VERIFY that failed.
func (s *session) pinError(ctx context.Context, op string, p PIN, status apdu.Status) error {
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
	default:
		return refused(op, status)
	}
	if n == 0 {
		return &PINError{Reference: p, Remaining: 0, Reason: ReasonPINBlocked}
	}
	return &PINError{Reference: p, Remaining: n, Reason: ReasonWrongPIN}
}
