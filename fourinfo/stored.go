package fourinfo

import (
	"fmt"
	"log/slog"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// The versions of the stored form. Version 2 adds furigana, former_name and alias; without them version 1 is written,
// which earlier releases read.
const (
	storedVersion1 = 1
	storedVersion2 = 2
)

// Stored is the explicit, versioned plain form of a [Person] for an application's own storage.
//
// It IS personal data: its fields and its JSON form are in the clear; encrypt, restrict and delete it accordingly.
// Printing or logging the struct itself still shows "[redacted]". The fields are nil when the source had no value. The
// JSON form of a value that is not valid UTF-8 does not keep its bytes; no source of this package yields one.
type Stored struct {
	Version            int     `json:"v"`
	Name               *string `json:"name,omitempty"`
	NameSubstitutes    *string `json:"name_substitutes,omitempty"`
	Address            *string `json:"address,omitempty"`
	AddressSubstitutes *string `json:"address_substitutes,omitempty"`
	Birthdate          *string `json:"birthdate,omitempty"` // raw as received
	// BirthdateForm is "compact" (YYYYMMDD), "iso" (YYYY-MM-DD or YYYY) or "era" (EYYYYMMDD).
	BirthdateForm string  `json:"birthdate_form,omitempty"`
	Gender        *string `json:"gender,omitempty"` // raw as received
	Furigana      *string `json:"furigana,omitempty"`
	FormerName    *string `json:"former_name,omitempty"`
	Alias         *string `json:"alias,omitempty"`
}

// RevealAll returns the plain form. Reading it back with [Stored.Person] gives an equal person.
func (p Person) RevealAll() Stored {
	s := Stored{Version: storedVersion1}
	s.Name, s.NameSubstitutes = p.Name.stored()
	s.Address, s.AddressSubstitutes = p.Address.stored()
	if v, ok := p.Birthdate.value.Open(); ok {
		s.Birthdate, s.BirthdateForm = &v.raw, string(v.form)
	}
	if raw, ok := p.Gender.raw.Open(); ok {
		s.Gender = &raw
	}
	s.Furigana, _ = p.Furigana.stored()
	s.FormerName, _ = p.FormerName.stored()
	s.Alias, _ = p.Alias.stored()
	if s.Furigana != nil || s.FormerName != nil || s.Alias != nil {
		s.Version = storedVersion2
	}
	return s
}

// stored returns copies, so that writing to the stored form cannot change the immutable value.
func (t text) stored() (raw, substitutes *string) {
	v, ok := t.value.Open()
	if !ok {
		return nil, nil
	}
	return &v.raw, clone(v.substitutes)
}

// Person reads a stored form back. The error is an *[Error]: the version is unknown or a value cannot be read.
func (s Stored) Person() (Person, error) {
	switch {
	case s.Version != storedVersion1 && s.Version != storedVersion2:
		return Person{}, &Error{Reason: ReasonVersion}
	case s.Version == storedVersion1 && (s.Furigana != nil || s.FormerName != nil || s.Alias != nil):
		return Person{}, &Error{Reason: ReasonMalformed}
	}
	var p Person
	var err error
	if p.Name.text, err = restore(AttributeName, s.Name, s.NameSubstitutes); err != nil {
		return Person{}, err
	}
	if p.Address.text, err = restore(AttributeAddress, s.Address, s.AddressSubstitutes); err != nil {
		return Person{}, err
	}
	if s.Birthdate != nil {
		b, reason := readBirthdate(*s.Birthdate, birthdateForm(s.BirthdateForm))
		if reason != "" {
			return Person{}, &Error{Reason: ReasonMalformed, Step: AttributeBirthdate}
		}
		p.Birthdate = b
	}
	if s.Gender != nil {
		if len(*s.Gender) > limits.Attribute {
			return Person{}, &Error{Reason: ReasonMalformed, Step: AttributeGender}
		}
		p.Gender = NewGender(*s.Gender)
	}
	for _, name := range []struct {
		attribute string
		value     *string
		to        *Name
	}{
		{AttributeFurigana, s.Furigana, &p.Furigana}, {AttributeFormerName, s.FormerName, &p.FormerName},
		{AttributeAlias, s.Alias, &p.Alias},
	} {
		if name.to.text, err = restore(name.attribute, name.value, nil); err != nil {
			return Person{}, err
		}
	}
	return p, nil
}

func restore(attribute string, raw, substitutes *string) (text, error) {
	switch {
	case raw == nil && substitutes == nil:
		return text{}, nil
	case raw == nil, len(*raw) > limits.Attribute, substitutes != nil && !wellFormedFlags(*substitutes):
		return text{}, &Error{Reason: ReasonMalformed, Step: attribute}
	default:
		return newText(*raw, clone(substitutes)), nil
	}
}

func clone(s *string) *string {
	if s == nil {
		return nil
	}
	c := *s
	return &c
}

// String returns "[redacted]".
func (Stored) String() string { return redacted{}.String() }

// GoString returns "[redacted]".
func (Stored) GoString() string { return redacted{}.GoString() }

// Format writes "[redacted]" for every verb and flag.
func (Stored) Format(s fmt.State, verb rune) { redacted{}.Format(s, verb) }

// LogValue implements slog.LogValuer and shows "[redacted]".
func (Stored) LogValue() slog.Value { return redacted{}.LogValue() }
