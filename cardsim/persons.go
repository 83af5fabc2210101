package cardsim

import (
	"fmt"
	"log/slog"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Person is a synthetic person with the texts on the card and the PINs. [Lookup] has ready ones, [Random] makes them up,
// and [Description.Person] derives the texts from who it is. Printing one shows its ID only; %#v, slog and encoding/json
// likewise.
type Person struct {
	// ID is a short ASCII name; the keys of the card derive from it.
	ID string
	// Subject is what the certificates say. Its gender and birthdate are those of the text application, too.
	Subject issuer.Subject
	// Name and Address are what the text application says, UTF-8; they may be wider than the certificate's.
	Name, Address string
	// IndividualNumber has 12 digits with a valid check digit.
	IndividualNumber string
	// AuthPIN and TextPIN have 4 digits, SigningPassword 6 to 16 characters A-Z and 0-9. TextPIN is also the first value of
	// the two PINs of the common card and the resident application (個人番号カード用PIN).
	AuthPIN, TextPIN, SigningPassword string
	// SecurityCode has 4 digits; it is the end of 照合番号B.
	SecurityCode string
	// CardExpiry is the day YYYYMMDD on which the card expires. Empty: the tenth birthday after the issue of the card, the
	// fifth if the holder is under 18 then.
	CardExpiry string
}

// String returns the ID.
func (p Person) String() string { return "cardsim.Person(" + p.ID + ")" }

// GoString returns the ID.
func (p Person) GoString() string { return p.String() }

// LogValue returns the ID.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText returns the ID: encoding a person with encoding/json shows nothing more. [Card.Save] stores one.
func (p Person) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

var (
	_ fmt.GoStringer = Person{}
	_ slog.LogValuer = Person{}
)

// validate checks that every field fits the file that it goes into. The error is an *[Error] and names the field.
func (p Person) validate() error {
	for _, check := range []struct {
		field string
		ok    bool
	}{
		{"ID", p.ID != ""},
		{"Name", text(p.Name)},
		{"Address", text(p.Address)},
		{"Subject.Gender", p.Subject.Gender == "1" || p.Subject.Gender == "2" || p.Subject.Gender == "3"},
		{"Subject.Birthdate", validBirthdate(p.Subject.Birthdate)},
		{"Subject.MunicipalityCode", len(p.Subject.MunicipalityCode) == 5 && digits(p.Subject.MunicipalityCode)},
		{"IndividualNumber", validIndividualNumber(p.IndividualNumber)},
		{"AuthPIN", fourDigits([]byte(p.AuthPIN))},
		{"TextPIN", fourDigits([]byte(p.TextPIN))},
		{"SigningPassword", signingPassword([]byte(p.SigningPassword))},
		{"SecurityCode", len(p.SecurityCode) == 4 && digits(p.SecurityCode)},
		{"CardExpiry", p.CardExpiry == "" || validBirthdate(p.CardExpiry) && p.CardExpiry[6:] != "00"},
	} {
		if !check.ok {
			return &Error{Reason: InvalidPerson, Field: check.field}
		}
	}
	return nil
}

func text(s string) bool { return s != "" && len(s) <= limits.Attribute && utf8.ValidString(s) }
