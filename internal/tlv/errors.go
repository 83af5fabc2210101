package tlv

// Reason says what is wrong with an encoding.
type Reason int

// Reasons. The zero value is Unknown and is never returned.
const (
	Unknown Reason = iota
	// Truncated: the input ends inside a tag, a length or a value.
	Truncated
	// BadTag: the tag is 00, longer than three bytes or not minimal.
	BadTag
	// Indefinite: the indefinite length form.
	Indefinite
	// TooLarge: the value exceeds limits.TLVValue.
	TooLarge
	// TooDeep: the nesting exceeds limits.TLVDepth.
	TooDeep
	// TooMany: there are more objects than limits.TLVElements.
	TooMany
)

// String returns a short description.
func (r Reason) String() string {
	switch r {
	case Truncated:
		return "truncated"
	case BadTag:
		return "invalid tag"
	case Indefinite:
		return "indefinite length"
	case TooLarge:
		return "value too large"
	case TooDeep:
		return "nested too deeply"
	case TooMany:
		return "too many data objects"
	case Unknown:
	}
	return "unknown reason"
}

// Error reports an encoding that is refused. It never holds bytes of the input, which may be personal data.
type Error struct{ Reason Reason }

// Error describes the reason.
func (e *Error) Error() string { return "tlv: " + e.Reason.String() }
