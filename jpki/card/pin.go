package card

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/apdu"
)

// PIN names a reference: one of the secrets that the card compares. It is a name and never holds the secret.
type PIN int

// References. They are independent of each other, also in their tries: 5 for the signing password, 3 for the other PINs
// and 10 for what can be read off the card.
const (
	// AuthPIN guards the authentication key: 4 digits (利用者証明用電子証明書の暗証番号).
	AuthPIN PIN = iota + 1
	// SigningPIN guards the signing key and certificate: 6 to 16 of A-Z and 0-9 (署名用電子証明書の暗証番号).
	SigningPIN
	// TextPIN guards the four attributes and the individual number: 4 digits (券面事項入力補助用の暗証番号).
	TextPIN
	// ResidentPIN is for the resident register: 4 digits (住民基本台帳用の暗証番号).
	ResidentPIN
	// CommonPIN is that of the common-card application: 4 digits. Offices set it together with ResidentPIN, and to the same
	// value, but for the card they are two.
	CommonPIN

	// TextNumberA is 照合番号A in the text application: the 12-digit individual number.
	TextNumberA
	// TextNumberB is 照合番号B in the text application: 14 digits, see [NumberB].
	TextNumberB
	// FaceNumberA is 照合番号A in the card-face application: the 12-digit individual number.
	FaceNumberA
	// FaceNumberB is 照合番号B in the card-face application: 14 digits, see [NumberB].
	FaceNumberB
	// FaceBirthdate is the birthdate in the card-face application: 6 digits, see [EraBirthdate].
	FaceBirthdate
)

// form is what a secret consists of.
type form int

const (
	fourDigits form = iota
	password
	twelveDigits
	fourteenDigits
	eraDate
)

// digits returns the number of digits, 0 for the password.
func (f form) digits() int {
	switch f {
	case fourDigits:
		return 4
	case twelveDigits:
		return 12
	case fourteenDigits:
		return 14
	case eraDate:
		return 6
	case password:
	}
	return 0
}

// trait is what distinguishes a reference.
type trait struct {
	app  application
	ef   uint16
	form form
	name string // English, for logs
	// ja and en are for a person, as the forms of the municipal office call it.
	ja, en string
}

// traits is indexed by PIN and never written.
var traits = [...]trait{
	AuthPIN: {
		jpkiApp, efAuthPIN, fourDigits, "authentication PIN",
		"利用者証明用電子証明書の暗証番号", "PIN of the authentication certificate",
	},
	SigningPIN: {
		jpkiApp, efSigningPIN, password, "signing password",
		"署名用電子証明書の暗証番号", "password of the signing certificate",
	},
	TextPIN: {
		textApp, efTextPIN, fourDigits, "text PIN",
		"券面事項入力補助用の暗証番号", "PIN for the four attributes",
	},
	ResidentPIN: {
		residentApp, efResidentPIN, fourDigits, "resident register PIN",
		"住民基本台帳用の暗証番号", "PIN for the resident register",
	},
	CommonPIN: {
		commonApp, efCommonPIN, fourDigits, "common-card PIN",
		"カード共通の暗証番号", "common PIN of the card",
	},
	TextNumberA: {
		textApp, efTextNumberA, twelveDigits, "text number A",
		"照合番号A（個人番号）", "verification number A (the individual number)",
	},
	TextNumberB: {
		textApp, efTextNumberB, fourteenDigits, "text number B",
		"照合番号B", "verification number B",
	},
	FaceNumberA: {
		faceApp, efFaceNumberA, twelveDigits, "card-face number A",
		"照合番号A（個人番号）", "verification number A (the individual number)",
	},
	FaceNumberB: {
		faceApp, efFaceNumberB, fourteenDigits, "card-face number B",
		"照合番号B", "verification number B",
	},
	FaceBirthdate: {
		faceApp, efFaceBirthdate, eraDate, "birthdate",
		"生年月日（和暦6桁）", "birthdate (Japanese era, 6 digits)",
	},
}

// trait returns the row of the table; ok is false for a number that names no reference.
func (p PIN) trait() (t trait, ok bool) {
	if p < AuthPIN || int(p) >= len(traits) {
		return trait{}, false
	}
	return traits[p], true
}

// String returns the English name of the reference, for logs.
func (p PIN) String() string {
	if t, ok := p.trait(); ok {
		return t.name
	}
	return "unknown PIN"
}

// encode checks the format and returns the bytes to send. The card compares bytes and may count a mistyped length as a
// wrong PIN, so what cannot be right must not reach it. p must name a reference.
func (p PIN) encode(secret string) ([]byte, error) {
	bad := &Error{Op: "check the format", Reason: ReasonPINFormat, Reference: p}
	t, _ := p.trait()
	b := []byte(secret)
	if t.form == password {
		if !upperPassword(b) {
			clear(b)
			return nil, bad
		}
		return b, nil
	}
	if len(b) != t.form.digits() {
		clear(b)
		return nil, bad
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			clear(b)
			return nil, bad
		}
	}
	return b, nil
}

// upperPassword checks a signing password and turns it into capitals.
func upperPassword(b []byte) bool {
	if len(b) < 6 || len(b) > 16 {
		return false
	}
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
		case c >= 'a' && c <= 'z':
			// ASCII only: strings.ToUpper would turn the letters ſ and ı into S and I.
			b[i] = c - 'a' + 'A'
		default:
			return false
		}
	}
	return true
}

// EraBirthdate returns a birthdate in the form that the card compares: the year of the Japanese era, month and day, two
// digits each. 1980-02-17 is 550217, the 17th of February of Shōwa 55. The era itself is not written. The error is an
// *[Error] with reason [ReasonPINFormat] for a date that does not exist or lies before 1868-01-25.
func EraBirthdate(d fourinfo.Date) (string, error) {
	year, ok := eraYear(d)
	if !ok || !d.Valid() {
		return "", &Error{Op: "write birthdate", Reason: ReasonPINFormat, Reference: FaceBirthdate}
	}
	return fmt.Sprintf("%02d%02d%02d", year, int(d.Month), d.Day), nil
}

// NumberB returns 照合番号B from what is printed on the card: the birthdate, the year (西暦) in which the card expires and
// the four-digit security code. The error is an *[Error] with reason [ReasonPINFormat].
func NumberB(birthdate fourinfo.Date, expiryYear int, securityCode string) (string, error) {
	bad := &Error{Op: "write number B", Reason: ReasonPINFormat, Reference: FaceNumberB}
	day, err := EraBirthdate(birthdate)
	if err != nil || expiryYear < 1000 || expiryYear > 9999 || len(securityCode) != 4 {
		return "", bad
	}
	number := fmt.Sprintf("%s%04d%s", day, expiryYear, securityCode)
	if _, err := FaceNumberB.encode(number); err != nil {
		return "", bad
	}
	return number, nil
}

// eraYear returns the year within the era. A new era counts from its first day, also where the old one ended on it.
func eraYear(d fourinfo.Date) (int, bool) {
	for _, first := range [...]fourinfo.Date{
		{Year: 2019, Month: time.May, Day: 1},       // Reiwa
		{Year: 1989, Month: time.January, Day: 8},   // Heisei
		{Year: 1926, Month: time.December, Day: 25}, // Shōwa
		{Year: 1912, Month: time.July, Day: 30},     // Taishō
		{Year: 1868, Month: time.January, Day: 25},  // Meiji
	} {
		if d.Compare(first) >= 0 {
			year := d.Year - first.Year + 1
			return year, year <= 99
		}
	}
	return 0, false
}

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
