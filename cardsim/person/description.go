package person

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

// Description says who a synthetic person is, as the resident record (住民票) has it. [Description.Person] derives from it
// what the certificates and the card say. Everything but ID, a name, Municipality, Street and Birth may be empty.
// Printing, logging or encoding one shows nothing; its fields are in the open for a program to fill in, so keep the
// [Person] made from it and not the Description.
type Description struct {
	redacted
	// ID is a short ASCII name; keys, numbers and PINs that are not given derive from it.
	ID string
	// Family and Given are the two parts of the name (姓, 名); who has one name has one of them. Characters that the
	// certificates cannot have are substituted and flagged there.
	Family, Given string
	// FormerFamily is a former family name on the record (旧氏), which stands in brackets behind the present one.
	FormerFamily string
	// Latin is the name of a foreign resident in Latin letters, in place of Family and Given: ASCII, or full-width.
	Latin string
	// Alias is the everyday name of a foreign resident on the record (通称), which stands in brackets behind Latin.
	Alias string
	// Municipality and Street are the address.
	Municipality Municipality
	Street       string
	// Birth is the date of birth.
	Birth Birth
	// Gender is "1" 男, "2" 女 or "3" その他; empty means "3".
	Gender string
	// IndividualNumber, AuthPIN, TextPIN, SigningPassword, SecurityCode and CardExpiry are as in [Details].
	IndividualNumber, AuthPIN, TextPIN, SigningPassword, SecurityCode, CardExpiry string
}

// Era is a Japanese era. The zero value counts years as the Gregorian calendar does.
type Era int

// Eras.
const (
	Gregorian Era = iota
	Meiji         // 明治, from 1868-01-25
	Taisho        // 大正, from 1912-07-30
	Showa         // 昭和, from 1926-12-25
	Heisei        // 平成, from 1989-01-08
	Reiwa         // 令和, from 2019-05-01
)

// Birth is a date of birth: the year in an era, and parts that may be unknown, which are 0. Without Day the month or
// the day is unknown, without Year all of it.
type Birth struct {
	Era   Era
	Year  int
	Month time.Month
	Day   int
}

// date returns the date as YYYYMMDD, Gregorian, unknown parts 00, and whether it is one that lies in the era. The last
// day of one era is the first of the next in 1912 and 1926, so both are right then.
func (b Birth) date() (string, bool) {
	year := b.Year
	if b.Era < Gregorian || b.Era > Reiwa || year < 0 || b.Era != Gregorian && year == 0 {
		return "", false
	}
	first, last := "00000101", "99991231"
	if b.Era != Gregorian {
		i := int(Reiwa - b.Era) // eras has the newest first
		year += eras[i].year - 1
		first = eras[i].start
		if i > 0 {
			last = eras[i-1].start
		}
	}
	date := fmt.Sprintf("%04d%02d%02d", year, int(b.Month), b.Day)
	if !validBirthdate(date) {
		return "", false
	}
	if year == 0 {
		return date, true
	}
	// With unknown parts it is enough that the era had begun by the end of the time meant, and had not ended before it.
	earliest := strings.ReplaceAll(date[4:6], "00", "01") + strings.ReplaceAll(date[6:], "00", "01")
	latest := strings.ReplaceAll(date[4:6], "00", "12") + strings.ReplaceAll(date[6:], "00", "31")
	if date[:4]+latest < first || date[:4]+earliest > last {
		return "", false
	}
	// Heisei and Reiwa began the day after the era before them had ended.
	if date[4:] == earliest && date == last && (b.Era == Showa || b.Era == Heisei) {
		return "", false
	}
	return date, true
}

// Brackets around a former family name or an everyday name. How the certificates write them is not published: this is
// an assumption, made here only.
const (
	openBracket  = "［"
	closeBracket = "］"
)

// name is the name as the record has it: family name, ideographic space, given name.
func (d Description) name() (string, bool) {
	bracketed := func(s string) string {
		if s == "" {
			return ""
		}
		return openBracket + fullWidth(s) + closeBracket
	}
	if d.Latin != "" {
		return fullWidth(d.Latin) + bracketed(d.Alias), d.Family+d.Given+d.FormerFamily == ""
	}
	if d.FormerFamily != "" && d.Family == "" || d.Alias != "" {
		return "", false
	}
	parts := make([]string, 0, 2)
	for _, part := range []string{d.Family + bracketed(d.FormerFamily), d.Given} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\u3000"), len(parts) > 0
}

// Person derives the person. The error is an *[Error] with [ReasonInvalid] that names the field.
func (d Description) Person() (Person, error) {
	bad := func(field string) (Person, error) { return Person{}, &Error{Reason: ReasonInvalid, Detail: field} }
	if d.ID == "" {
		return bad("ID")
	}
	name, ok := d.name()
	if !ok {
		return bad("Family, Given, FormerFamily, Latin, Alias")
	}
	birthdate, ok := d.Birth.date()
	if !ok {
		return bad("Birth")
	}
	m := d.Municipality
	address := m.Prefecture + m.City + fullWidth(d.Street)
	p := Details{
		ID: d.ID, Name: name, Address: address,
		Subject: issuer.Subject{
			Gender: or(d.Gender, "3"), Birthdate: birthdate,
			PrefectureRomaji: m.PrefectureRomaji, CityRomaji: m.CityRomaji, MunicipalityCode: m.Code,
		},
		IndividualNumber: or(d.IndividualNumber, numberFor(d.ID)),
		AuthPIN:          or(d.AuthPIN, digitsFor(d.ID, "authentication PIN")),
		TextPIN:          or(d.TextPIN, digitsFor(d.ID, "text PIN")),
		SigningPassword:  or(d.SigningPassword, passwordFor(d.ID)),
		SecurityCode:     or(d.SecurityCode, digitsFor(d.ID, "security code")),
		CardExpiry:       d.CardExpiry,
	}
	p.Subject.Name, p.Subject.NameSubstitutes = certificateText(name)
	p.Subject.Address, p.Subject.AddressSubstitutes = certificateText(address)
	return New(p)
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// drawn is a number below a bound that follows from an ID and a purpose.
func drawn(id, purpose string, below uint64) uint64 {
	h := sha256.Sum256([]byte("kakunin person " + purpose + " " + id))
	return binary.BigEndian.Uint64(h[:]) % below
}

// numberFor is an individual number with a valid check digit. All numbers of synthetic persons begin with 70.
func numberFor(id string) string {
	eleven := fmt.Sprintf("70%09d", drawn(id, "individual number", 1e9))
	return eleven + string(checkDigit(eleven))
}

func digitsFor(id, purpose string) string { return fmt.Sprintf("%04d", drawn(id, purpose, 1e4)) }

// passwordFor is the ID, as far as its characters may be in a password, and four digits.
func passwordFor(id string) string {
	letters := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(id))
	if len(letters) > 12 {
		letters = letters[:12]
	}
	if len(letters) < 2 {
		letters = "PASS" + letters
	}
	return letters + digitsFor(id, "signing password")
}

// individualNumberDigits is the length of an individual number (個人番号) with its check digit.
const individualNumberDigits = 12

// validIndividualNumber checks length, digits and check digit.
func validIndividualNumber(s string) bool {
	return len(s) == individualNumberDigits && digits(s) &&
		s[individualNumberDigits-1] == checkDigit(s[:individualNumberDigits-1])
}

// checkDigit is the last digit of an individual number, from the first eleven.
func checkDigit(eleven string) byte {
	digit, _ := mynumber.CheckDigit(eleven)
	return digit
}
