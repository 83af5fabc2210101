package fourinfo

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	// UnknownVersion: a stored form is of a version that this release does not read.
	UnknownVersion Reason = iota + 1
	// Malformed: a value that the application supplied cannot be read.
	Malformed
)

// String returns "unknown version", "malformed" or "unknown".
func (r Reason) String() string {
	switch r {
	case UnknownVersion:
		return "unknown version"
	case Malformed:
		return "malformed"
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
