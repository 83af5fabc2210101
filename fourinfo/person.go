package fourinfo

import "github.com/kakunin-go/kakunin/internal/redact"

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

// redacted closes every door by which fmt, log/slog and the encoders reach a value through its methods; an alias, so
// that the documentation of the types shows their own methods alone. What it shows is the same for absent values, so
// that a log does not even tell which attributes a person has; [Person.Attributes] tells.
type redacted = redact.Mark

// Person is what a card, a certificate or the service says of a person. Printing, logging or marshalling it shows
// nothing personal. The zero value is a person of whom nothing is known. To store one, use [Person.RevealAll].
type Person struct {
	redacted
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

// Problem is an attribute of which something could not be read. It carries no value of the person and may be logged.
type Problem struct {
	// Attribute is one of the Attribute… names.
	Attribute string
	// Reason is one of the Problem… texts of the package that read the attribute.
	Reason string
	// Warning tells that the attribute is there nevertheless: only its redundant part is odd. Otherwise the
	// attribute is absent from the person.
	Warning bool
}

// Reasons of a [Problem]. They are kept in records, so they never change.
const (
	ProblemNotText          = "not a JSON string"
	ProblemNotGender        = "neither a JSON string nor a JSON number"
	ProblemNotAddress       = "neither a JSON string nor a JSON object with a string member formatted"
	ProblemEncoding         = "not valid Unicode"
	ProblemEmpty            = "empty"
	ProblemTooLong          = "too long"
	ProblemDateForm         = "not a date form of its source"
	ProblemNoSuchDate       = "no such date"
	ProblemEra              = "era and date disagree"                 // a warning
	ProblemEraUnlisted      = "unlisted era"                          // a warning
	ProblemSubstitutes      = "malformed substitute flags"            // a warning
	ProblemSubstitutesCount = "not one substitute flag per character" // a warning
	ProblemAddressParts     = "put together from its parts"           // a warning
	ProblemSubstitutesAlone = "substitute flags without their text"   // a warning
)
