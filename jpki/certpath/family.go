package certpath

import "github.com/kakunin-go/kakunin/internal/fault"

// Family says what the application should do about an error.
type Family = fault.Family

// Language selects the language of a message.
type Language = fault.Language

// The families of errors and the languages of messages; those of the other packages are the same.
const (
	Unclassified  = fault.Unclassified
	User          = fault.User
	Account       = fault.Account
	Configuration = fault.Configuration
	Unavailable   = fault.Unavailable
	Untrusted     = fault.Untrusted

	Japanese = fault.Japanese
	English  = fault.English
)

// FamilyOf says what the application should do about an error of any package of this module.
func FamilyOf(err error) Family { return fault.FamilyOf(err) }

// MessageFor returns a text to show to a person, in Japanese or English.
func MessageFor(err error, l Language) string { return fault.MessageFor(err, l) }
