package cardsim

import (
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Persona names a ready synthetic person.
type Persona string

// Ready synthetic persons. None of them exists; the municipalities do, the streets do not.
const (
	// Hanako is the default: adult woman, PIN 1234, text PIN 1234, signing password ABC123.
	Hanako Persona = "hanako"
	// Taro is an adult man whose name has the character 髙, for which the certificate has the substitute character 高
	// and a flag at the first position.
	Taro Persona = "taro"
	// Minor is 17 years old at the time of the look-up.
	Minor Persona = "minor"
)

// Personas returns the names of the ready persons.
func Personas() []Persona { return []Persona{Hanako, Taro, Minor} }

// Person describes a synthetic person and the PINs of the card. Printing one shows its ID only; %#v and slog likewise.
type Person struct {
	// ID is a short ASCII name; the keys of the card derive from it.
	ID string
	// Subject is what the certificates say. Its gender and birthdate are those of the text application, too.
	Subject issuer.Subject
	// Name and Address are what the text application says, UTF-8; they may be wider than the certificate's.
	Name, Address string
	// IndividualNumber has 12 digits with a valid check digit.
	IndividualNumber string
	// AuthPIN and TextPIN have 4 digits, SigningPassword 6 to 16 characters A-Z and 0-9.
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

var (
	_ fmt.GoStringer = Person{}
	_ slog.LogValuer = Person{}
)

// Lookup returns a ready person as of now. The error is an *[Error].
func Lookup(p Persona) (Person, error) { return LookupAt(p, time.Now()) }

// LookupAt returns a ready person as of a time, which only matters for [Minor]: 17 years old from five months before
// that time to five months after it. Programs with a clock of their own use this one. The error is an *[Error].
func LookupAt(p Persona, at time.Time) (Person, error) {
	switch p {
	case Hanako:
		return hanako(), nil
	case Taro:
		return taro(), nil
	case Minor:
		return minor(at), nil
	default:
		return Person{}, &Error{Reason: UnknownPersona}
	}
}

func hanako() Person {
	return Person{
		ID:   string(Hanako),
		Name: "確認　花子", Address: "東京都千代田区架空町１丁目２番３号",
		Subject: issuer.Subject{
			Name: "確認　花子", Address: "東京都千代田区架空町１丁目２番３号",
			Gender: "2", Birthdate: "19880723",
			PrefectureRomaji: "Tokyo-to", CityRomaji: "Chiyoda-ku", MunicipalityCode: "13101",
		},
		IndividualNumber: "701234000010",
		AuthPIN:          "1234", TextPIN: "1234", SigningPassword: "ABC123",
		SecurityCode: "2285",
	}
}

func taro() Person {
	return Person{
		ID:   string(Taro),
		Name: "髙確　太郎", Address: "京都府宇治市架空４５番地の６",
		Subject: issuer.Subject{
			// One flag for each character, the space included: the first stands for 髙, which JIS X 0208 and
			// JIS X 0212 do not have.
			Name: "高確　太郎", NameSubstitutes: "10000",
			Address: "京都府宇治市架空４５番地の６",
			Gender:  "1", Birthdate: "19750102",
			PrefectureRomaji: "Kyoto-fu", CityRomaji: "Uji-shi", MunicipalityCode: "26204",
		},
		IndividualNumber: "701234000029",
		AuthPIN:          "2345", TextPIN: "3456", SigningPassword: "TARO2345",
		SecurityCode: "0417",
	}
}

func minor(at time.Time) Person {
	// The fifteenth of the month seventeen and a half years ago.
	at = at.In(jst())
	birth := time.Date(at.Year()-17, at.Month()-6, 15, 0, 0, 0, 0, jst()).Format("20060102")
	return Person{
		ID:   string(Minor),
		Name: "確認　未成", Address: "福岡県飯塚市架空７－８",
		Subject: issuer.Subject{
			Name: "確認　未成", Address: "福岡県飯塚市架空７－８",
			Gender: "1", Birthdate: birth,
			PrefectureRomaji: "Fukuoka-ken", CityRomaji: "Iizuka-shi", MunicipalityCode: "40205",
		},
		IndividualNumber: "701234000037",
		AuthPIN:          "3456", TextPIN: "4567", SigningPassword: "MINOR3456",
		SecurityCode: "9630",
	}
}

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
