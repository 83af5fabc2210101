package fourinfo

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	// UnknownVersion: a stored form is of a version that this release does not read.
	UnknownVersion Reason = iota + 1
	// Malformed: a value that the application supplied cannot be read.
	Malformed
	// WrongCheckDigit: the check digit of a number does not fit the other digits.
	WrongCheckDigit
	// PurposeMissing: an individual number was asked for without one of the lawful purposes.
	PurposeMissing
	// PurposeMismatch: an individual number was asked for another purpose than it was obtained for.
	PurposeMismatch
	// Absent: there is no value to return.
	Absent
)

// String returns a few words in lower case, such as "malformed"; "unknown" for the zero value.
func (r Reason) String() string {
	switch r {
	case UnknownVersion:
		return "unknown version"
	case Malformed:
		return "malformed"
	case WrongCheckDigit:
		return "wrong check digit"
	case PurposeMissing:
		return "no lawful purpose named"
	case PurposeMismatch:
		return "obtained for another purpose"
	case Absent:
		return "absent"
	default:
		return "unknown"
	}
}

// Error is every error of this package. It means that data in the application's own hands is defective; what a service or
// a card sends is never an error here but a [Problem]. It contains no personal data.
type Error struct {
	Reason    Reason
	Attribute string // one of the Attribute… names; "" when the error concerns the whole
}

// Error names the reason and the attribute, never a value.
func (e *Error) Error() string {
	if e.Attribute == "" {
		return "fourinfo: " + e.Reason.String()
	}
	return "fourinfo: " + e.Attribute + ": " + e.Reason.String()
}
