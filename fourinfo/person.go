package fourinfo

import (
	"fmt"
	"log/slog"
)

// Names of the attributes in [Problem], [FieldMatch] and [Person.Attributes]. The first four are the same as the
// scopes that the service defines for them.
const (
	AttributeName      = "name"
	AttributeAddress   = "address"
	AttributeBirthdate = "birthdate"
	AttributeGender    = "gender"

	AttributeFurigana   = "furigana"
	AttributeFormerName = "former_name"
	AttributeAlias      = "alias"
)

// Names of what is no part of a [Person], in [Error].
const (
	AttributeIndividualNumber = "individual number"
	AttributeCorporateNumber  = "corporate number"
)

// Person is what a card, a certificate or the service says of a person. Printing, logging or marshalling it shows
// nothing personal. The zero value is a person of whom nothing is known.
type Person struct {
	Name      Name
	Address   Address
	Birthdate Birthdate
	Gender    Gender
	// Furigana (氏名の振り仮名), FormerName (旧氏) and Alias (通称) are present only when a source tells them apart. FormerName
	// may be the former family name alone.
	Furigana, FormerName, Alias Name
}

// Attributes returns the names of the attributes that the source had, in the order name, address, birthdate, gender,
// furigana, former_name, alias.
// It tells nothing of their values.
func (p Person) Attributes() []string {
	var present []string
	for _, a := range []struct {
		name    string
		present bool
	}{
		{AttributeName, p.Name.Present()},
		{AttributeAddress, p.Address.Present()},
		{AttributeBirthdate, p.Birthdate.Present()},
		{AttributeGender, p.Gender.Present()},
		{AttributeFurigana, p.Furigana.Present()},
		{AttributeFormerName, p.FormerName.Present()},
		{AttributeAlias, p.Alias.Present()},
	} {
		if a.present {
			present = append(present, a.name)
		}
	}
	return present
}

// String returns "[redacted]".
func (Person) String() string { return redaction }

// GoString returns "[redacted]".
func (Person) GoString() string { return redaction }

// Format writes "[redacted]" for every verb and flag.
func (Person) Format(s fmt.State, _ rune) { writeRedaction(s) }

// LogValue implements slog.LogValuer and shows "[redacted]".
func (Person) LogValue() slog.Value { return redacted{}.LogValue() }

// MarshalText returns "[redacted]".
func (Person) MarshalText() ([]byte, error) { return redacted{}.MarshalText() }

// MarshalJSON returns the JSON string "[redacted]"; to store a person, use [Person.RevealAll].
func (Person) MarshalJSON() ([]byte, error) { return redacted{}.MarshalJSON() }

// Problem is an attribute of which something could not be read. It carries no value of the person and may be logged.
type Problem struct {
	// Attribute is one of the Attribute… names.
	Attribute string
	// Reason is one of the Reason… texts of this package.
	Reason string
	// Warning tells that the attribute is there nevertheless: only its redundant part is odd. Otherwise the
	// attribute is absent from the person.
	Warning bool
}

// Reasons of a [Problem].
const (
	ReasonNotText          = "not a JSON string"
	ReasonNotGender        = "neither a JSON string nor a JSON number"
	ReasonNotAddress       = "neither a JSON string nor a JSON object with a string member formatted"
	ReasonEncoding         = "not valid Unicode"
	ReasonEmpty            = "empty"
	ReasonTooLong          = "too long"
	ReasonDateForm         = "not a date form of its source"
	ReasonNoSuchDate       = "no such date"
	ReasonEra              = "era and date disagree"                 // a warning
	ReasonEraUnlisted      = "unlisted era"                          // a warning
	ReasonSubstitutes      = "malformed substitute flags"            // a warning
	ReasonSubstitutesCount = "not one substitute flag per character" // a warning
	ReasonSubstitutesAlone = "substitute flags without their text"   // a warning
)
