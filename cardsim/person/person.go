// Package person has the synthetic persons whom cards are made for: ready ones, each with something that programs
// stumble over, made-up ones from a seed, and those that a resident record describes.
//
//	p, err := person.Lookup(person.Taro, time.Now())   // a ready one
//	p := person.Random("customer 17", time.Now())      // the same one for the same seed and day
//	p, err := person.Description{…}.Person()           // from a resident record: see its example
//	fmt.Println(p.Reveal().AuthPIN)                    // printing p itself shows nothing
//
// None of them exists. Municipalities do, streets do not, and every individual number begins with 70.
//
// # Examples
//
// There are examples of [Description.Person], [Lookup] and [Random].
//
// # Compatibility
//
// A ready person, and the one of a seed and a day, stay the same in every later release: keys, numbers and PINs of
// other people's tests hang on them. New fields of [Details] may come.
package person

import (
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

type redacted = redact.Mark

// Person is a synthetic person who fits on a card. It shows nothing of itself when it is printed, logged or encoded.
// The zero value is nobody, for whom no card is made.
type Person struct {
	redacted
	details redact.Value[Details]
}

// Details are the texts on the card and the PINs. They are plain data: keep the [Person], and reveal them where they
// are used.
type Details struct {
	// ID is a short ASCII name; the keys of the card derive from it.
	ID string
	// Subject is what the certificates say. Its gender and birthdate are those of the text application, too.
	Subject issuer.Subject
	// Name and Address are what the text application says, UTF-8; they may be wider than the certificate's.
	Name, Address string
	// IndividualNumber has 12 digits with a valid check digit.
	IndividualNumber string
	// AuthPIN and TextPIN have 4 digits, SigningPassword 6 to 16 characters A-Z and 0-9. TextPIN is also the first
	// value of the two PINs of the common card and the resident application (個人番号カード用PIN).
	AuthPIN, TextPIN, SigningPassword string
	// SecurityCode has 4 digits; it is the end of 照合番号B.
	SecurityCode string
	// CardExpiry is the day YYYYMMDD on which the card expires. Empty: the tenth birthday after the issue of the card,
	// the fifth if the holder is under 18 then.
	CardExpiry string
}

// New makes a person, after a check that every field fits the place on the card that it goes into. The error is an
// *[Error] with [ReasonInvalid] and names the field.
func New(d Details) (Person, error) {
	for _, check := range []struct {
		field string
		ok    bool
	}{
		{"ID", d.ID != ""},
		{"Name", text(d.Name)},
		{"Address", text(d.Address)},
		{"Subject.Gender", d.Subject.Gender == "1" || d.Subject.Gender == "2" || d.Subject.Gender == "3"},
		{"Subject.Birthdate", validBirthdate(d.Subject.Birthdate)},
		{"Subject.MunicipalityCode", len(d.Subject.MunicipalityCode) == 5 && digits(d.Subject.MunicipalityCode)},
		{"IndividualNumber", validIndividualNumber(d.IndividualNumber)},
		{"AuthPIN", IsPIN([]byte(d.AuthPIN))},
		{"TextPIN", IsPIN([]byte(d.TextPIN))},
		{"SigningPassword", IsSigningPassword([]byte(d.SigningPassword))},
		{"SecurityCode", len(d.SecurityCode) == 4 && digits(d.SecurityCode)},
		{"CardExpiry", d.CardExpiry == "" || validBirthdate(d.CardExpiry) && d.CardExpiry[6:] != "00"},
	} {
		if !check.ok {
			return Person{}, &Error{Reason: ReasonInvalid, Detail: check.field}
		}
	}
	return Person{details: redact.Seal(d)}, nil
}

func text(s string) bool { return s != "" && len(s) <= limits.Attribute && utf8.ValidString(s) }

// Moved is the same person at another address: same ID, name, numbers and PINs. The error is an *[Error] with
// [ReasonInvalid].
func (p Person) Moved(to Municipality, street string) (Person, error) {
	d := p.Reveal()
	d.Address = to.Prefecture + to.City + fullWidth(street)
	s := &d.Subject
	s.Address, s.AddressSubstitutes = certificateText(d.Address)
	s.PrefectureRomaji, s.CityRomaji, s.MunicipalityCode = to.PrefectureRomaji, to.CityRomaji, to.Code
	d.CardExpiry = "" // of the card, not of the person
	return New(d)
}

// ID is the short ASCII name that the person was made with; "" for nobody.
func (p Person) ID() string { return p.details.Reveal().ID }

// Reveal returns what is on the card and its PINs; all is empty for nobody.
func (p Person) Reveal() Details { return p.details.Reveal() }

// IsPIN reports whether a value has the format of the PINs: 4 digits.
func IsPIN(v []byte) bool { return len(v) == 4 && digits(v) }

// IsSigningPassword reports whether a value has the format of the 署名用暗証番号: 6 to 16 characters A-Z and 0-9.
func IsSigningPassword(v []byte) bool {
	if len(v) < 6 || len(v) > 16 {
		return false
	}
	for _, c := range v {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func digits[T string | []byte](v T) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return true
}
