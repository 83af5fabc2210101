package card

import (
	"fmt"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
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
	// CommonPIN is that of the common-card application: 4 digits. Offices set it together with ResidentPIN, and to the
	// same value, but for the card they are two.
	CommonPIN

	// TextNumberA is 照合番号A in the text application: the 12-digit individual number.
	TextNumberA
	// TextNumberB is 照合番号B in the text application: 14 digits, see [Printed.NumberB].
	TextNumberB
	// FaceNumberA is 照合番号A in the card-face application: the 12-digit individual number.
	FaceNumberA
	// FaceNumberB is 照合番号B in the card-face application: 14 digits, see [Printed.NumberB].
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
	bad := &Error{Step: "check the format", Reason: ReasonPINFormat, PIN: p}
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
		return nil, &Error{Step: "check the format", Reason: ReasonPINFormat, PIN: p}
	}
	return b, nil
}

// guessable reports whether a new secret can be guessed from what is printed on the card. Four digits must not be part
// of it, and a password must not hold a whole date.
func guessable(secret []byte, printed []string) bool {
	digits := func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}
	for _, p := range printed {
		p = strings.Map(digits, p)
		forms := []string{p}
		if d := cardDate([]byte(p)); d.Valid() {
			forms = append(forms, p[2:])
			if era, err := EraBirthdate(d); err == nil {
				forms = append(forms, era)
			}
		}
		for _, form := range forms {
			if len(secret) == fourDigits.digits() && strings.Contains(form, string(secret)) {
				return true
			}
			if len(form) >= eraDate.digits() && strings.Contains(string(secret), form) {
				return true
			}
		}
	}
	return false
}

// words returns how the forms of the municipal office call the PIN.
func (p PIN) words() (ja, en string) {
	if t, ok := p.trait(); ok {
		return t.ja, t.en
	}
	return "暗証番号", "PIN"
}

// formWords says what the PIN consists of.
func (p PIN) formWords() (ja, en string) {
	t, _ := p.trait()
	if t.form == password {
		return "英字と数字を組み合わせた6〜16文字", "6 to 16 characters, letters as well as digits"
	}
	return fmt.Sprintf("%d桁の数字", t.form.digits()), fmt.Sprintf("%d digits", t.form.digits())
}

// EraBirthdate returns a birthdate in the form that the card compares: the year of the Japanese era, month and day, two
// digits each. 1980-02-17 is 550217, the 17th of February of Shōwa 55. The era itself is not written. The error is an
// *[Error] with reason [ReasonPINFormat] for a date that does not exist or lies before 1868-01-25.
func EraBirthdate(d fourinfo.Date) (string, error) {
	year, ok := eraYear(d)
	if !ok || !d.Valid() {
		return "", &Error{Step: "write birthdate", Reason: ReasonPINFormat, PIN: FaceBirthdate}
	}
	return fmt.Sprintf("%02d%02d%02d", year, int(d.Month), d.Day), nil
}

// Printed is what the face of a card says. It is for one call and must not be logged.
type Printed struct {
	Birthdate fourinfo.Date
	// ExpiryYear is the year (西暦) in which the card expires.
	ExpiryYear int
	// SecurityCode has four digits.
	SecurityCode string
}

// NumberB returns 照合番号B. The error is an *[Error] with reason [ReasonPINFormat].
func (p Printed) NumberB() (string, error) {
	bad := &Error{Step: "write number B", Reason: ReasonPINFormat, PIN: FaceNumberB}
	day, err := EraBirthdate(p.Birthdate)
	if err != nil || p.ExpiryYear < 1000 || p.ExpiryYear > 9999 || len(p.SecurityCode) != 4 {
		return "", bad
	}
	number := fmt.Sprintf("%s%04d%s", day, p.ExpiryYear, p.SecurityCode)
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
