package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// PIN names a reference: one of the secrets that the card compares. It is a name and never holds the secret.
type PIN int

// References. They are independent of each other, also in their tries: 3, 5 and 3.
const (
	// AuthPIN guards the authentication key: 4 digits (利用者証明用電子証明書の暗証番号).
	AuthPIN PIN = iota + 1
	// SigningPIN guards the signing key and certificate: 6 to 16 of A-Z and 0-9 (署名用電子証明書の暗証番号).
	SigningPIN
	// TextPIN guards the four attributes: 4 digits (券面事項入力補助用の暗証番号).
	TextPIN
)

// String returns the English name of the reference, for logs.
func (p PIN) String() string {
	switch p {
	case AuthPIN:
		return "authentication PIN"
	case SigningPIN:
		return "signing password"
	case TextPIN:
		return "text PIN"
	default:
		return "unknown PIN"
	}
}

// home returns where the reference lives.
func (p PIN) home() (app application, ef uint16, ok bool) {
	switch p {
	case AuthPIN:
		return jpkiApp, efAuthPIN, true
	case SigningPIN:
		return jpkiApp, efSigningPIN, true
	case TextPIN:
		return textApp, efTextPIN, true
	default:
		return unknownApp, 0, false
	}
}

// encode checks the format and returns the bytes to send. The card compares bytes and counts a mistyped length as a
// wrong PIN, so what cannot be right must not reach it.
func (p PIN) encode(secret string) ([]byte, error) {
	bad := &Error{Op: "check the format", Reason: PINFormat, Reference: p}
	b := []byte(secret)
	if p != SigningPIN {
		if len(b) != 4 {
			return nil, bad
		}
		for _, c := range b {
			if c < '0' || c > '9' {
				return nil, bad
			}
		}
		return b, nil
	}
	if len(b) < 6 || len(b) > 16 {
		return nil, bad
	}
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
		case c >= 'a' && c <= 'z':
			// ASCII only: strings.ToUpper would turn the letters ſ and ı into S and I.
			b[i] = c - 'a' + 'A'
		default:
			return nil, bad
		}
	}
	return b, nil
}

// Tries asks for the remaining tries without spending one; 0 means blocked. A card that does not tell answers an *[Error]
// with reason [TriesNotReported]. Asking for [TextPIN] selects another application, which makes the card forget a verified
// authentication PIN and signing password.
func (c *Card) Tries(ctx context.Context, p PIN) (int, error) {
	const op = "ask for the remaining tries"
	app, ef, ok := p.home()
	if !ok {
		return 0, &Error{Op: op, Reason: BadReference}
	}
	n := 0
	err := c.s.do(ctx, op, app, 0, func(ctx context.Context) error {
		if err := c.s.mustSelectEF(ctx, op, ef); err != nil {
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
		return 0, &Error{Op: op, Reason: TriesNotReported, Reference: p, Status: uint16(r.Status), Err: r.Status}
	default:
		return 0, refused(op, r.Status)
	}
}

// VerifyAuthPIN presents the 4-digit authentication PIN. A wrong one is a *PINError; a malformed one an *[Error] with
// reason [PINFormat] that cost no try.
func (c *Card) VerifyAuthPIN(ctx context.Context, pin string) error {
	return c.present(ctx, AuthPIN, pin)
}

// VerifySigningPassword presents the 6 to 16 character signing password, upper-cased. A wrong one is a *PINError; a
// malformed one an *[Error] with reason [PINFormat] that cost no try.
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
	app, _, _ := p.home()
	return c.s.do(ctx, op, app, 0, func(ctx context.Context) error {
		return c.s.verify(ctx, op, p, value, c.lastTry)
	})
}

// verify presents a PIN in the application where it lives, which must be selected.
func (s *session) verify(ctx context.Context, op string, p PIN, value []byte, lastTry bool) error {
	_, ef, _ := p.home()
	if err := s.mustSelectEF(ctx, op, ef); err != nil {
		return err
	}
	n, err := s.tries(ctx, op, p)
	switch {
	case ReasonOf(err) == TriesNotReported:
		// Either the PIN is verified now, so that its counter is full, or it has no counter: no last try to lose.
	case err != nil:
		return err
	case n == 0:
		return &PINError{Reference: p, Remaining: 0, Reason: PINBlocked}
	case n == 1 && !lastTry:
		return &PINError{Reference: p, Remaining: 1, Reason: LastTryRefused}
	}
	// From here on the card may hold a verified PIN, even if the answer gets lost.
	s.dirty = true
	r, err := s.send(ctx, op, apdu.Command{INS: insVerify, P2: currentEF, Data: value})
	if err != nil {
		return err
	}
	if r.Status == apdu.OK {
		s.verified |= p.bit()
		return nil
	}
	// A comparison that fails also withdraws an earlier success.
	s.verified &^= p.bit()
	s.dirty = s.verified != 0
	return s.pinError(ctx, op, p, r.Status)
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
		return &PINError{Reference: p, Remaining: 0, Reason: PINBlocked}
	}
	return &PINError{Reference: p, Remaining: n, Reason: WrongPIN}
}
