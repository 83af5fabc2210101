package cardsim

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestReadyPersonsFitOnACard(t *testing.T) {
	seen := map[string]Persona{}
	for _, name := range Personas() {
		p, err := LookupAt(name, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if other, ok := seen[p.IndividualNumber]; ok {
			t.Errorf("%s and %s share an individual number", name, other)
		}
		seen[p.IndividualNumber] = name
		if n := len(p.Subject.NameSubstitutes); n != 0 && n != utf8.RuneCountInString(p.Subject.Name) {
			t.Errorf("%s: %d flags for %d characters", name, n, utf8.RuneCountInString(p.Subject.Name))
		}
		if utf8.RuneCountInString(p.Name) != utf8.RuneCountInString(p.Subject.Name) {
			t.Errorf("%s: a substitute character stands for one character", name)
		}
	}
	if _, err := Lookup("nobody"); reason(err) != UnknownPersona {
		t.Errorf("unknown person: %v", err)
	}
}

func TestDefaultPersonHasTheDocumentedPINs(t *testing.T) {
	p, err := Lookup(Hanako)
	if err != nil {
		t.Fatal(err)
	}
	if p.AuthPIN != "1234" || p.TextPIN != "1234" || p.SigningPassword != "ABC123" || p.Subject.Gender != "2" {
		t.Error("Hanako is documented with PINs 1234, 1234 and ABC123")
	}
}

func TestTaroHasASubstituteCharacter(t *testing.T) {
	p := taro()
	if []rune(p.Name)[0] != '\u9AD9' || []rune(p.Subject.Name)[0] != '\u9AD8' || p.Subject.NameSubstitutes[0] != '1' {
		t.Error("髙 (U+9AD9) on the card must be 高 (U+9AD8) with a flag in the certificate")
	}
}

func TestMinorIsSeventeen(t *testing.T) {
	for day := range 800 {
		at := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		birth := minor(at).Subject.Birthdate
		if !validBirthdate(birth) {
			t.Fatalf("%s is no date", birth)
		}
		born, err := time.Parse("20060102", birth)
		if err != nil {
			t.Fatal(err)
		}
		if born.AddDate(17, 4, 0).After(at) || !born.AddDate(17, 8, 0).After(at) {
			t.Errorf("on %s a person born %s is not half way between 17 and 18", at.Format(time.DateOnly), birth)
		}
	}
}

func TestPersonValidation(t *testing.T) {
	for field, spoil := range map[string]func(*Person){
		"ID":                       func(p *Person) { p.ID = "" },
		"Name":                     func(p *Person) { p.Name = "" },
		"Address":                  func(p *Person) { p.Address = "\xFF" },
		"Subject.Gender":           func(p *Person) { p.Subject.Gender = "4" },
		"Subject.Birthdate":        func(p *Person) { p.Subject.Birthdate = "20260230" },
		"Subject.MunicipalityCode": func(p *Person) { p.Subject.MunicipalityCode = "131" },
		"IndividualNumber":         func(p *Person) { p.IndividualNumber = "701234000011" },
		"AuthPIN":                  func(p *Person) { p.AuthPIN = "12345" },
		"TextPIN":                  func(p *Person) { p.TextPIN = "12a4" },
		"SigningPassword":          func(p *Person) { p.SigningPassword = "abc123" },
		"SecurityCode":             func(p *Person) { p.SecurityCode = "1" },
		"CardExpiry":               func(p *Person) { p.CardExpiry = "20360000" },
	} {
		p := hanako()
		spoil(&p)
		err := p.validate()
		if reason(err) != InvalidPerson || !strings.HasSuffix(err.Error(), ": "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, ok := range []string{"00000000", "19800000", "19800200", "20240229"} {
		if !validBirthdate(ok) {
			t.Errorf("birthdate %s refused", ok)
		}
	}
	for _, bad := range []string{"", "1980021", "1980022a", "00000217", "19800017", "20230229", "19801301"} {
		if validBirthdate(bad) {
			t.Errorf("birthdate %q accepted", bad)
		}
	}
}

func TestPrintingAPersonShowsNothingPersonal(t *testing.T) {
	p := hanako()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, p); got != "cardsim.Person(hanako)" {
			t.Errorf("%s: %s", format, got)
		}
	}
	if got := p.LogValue().String(); got != "cardsim.Person(hanako)" {
		t.Error(got)
	}
}

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return UnknownReason
}
