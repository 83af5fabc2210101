package card

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
