package apdu

// Reason says what is wrong with an APDU.
type Reason int

// Reasons. The zero value is Unknown and is never returned.
const (
	Unknown Reason = iota
	// TooShort: a command of fewer than 4 bytes, or a response of fewer than 2.
	TooShort
	// LengthMismatch: the length fields do not agree with the number of bytes.
	LengthMismatch
	// ZeroLc: an extended Lc field says that no data follow.
	ZeroLc
	// DataTooLong: the data field exceeds what extended length fields can express.
	DataTooLong
	// BadNe: Ne is negative or exceeds 65536.
	BadNe
	// BadStatus: SW1-SW2 is no status word (not 61xx to 6Fxx, not 9xxx).
	BadStatus
)

// String returns a short description.
func (r Reason) String() string {
	switch r {
	case TooShort:
		return "too short"
	case LengthMismatch:
		return "length fields do not match the length"
	case ZeroLc:
		return "extended Lc field is zero"
	case DataTooLong:
		return "data field too long"
	case BadNe:
		return "expected length out of range"
	case BadStatus:
		return "invalid status word"
	case Unknown:
	}
	return "unknown reason"
}

// Error reports an APDU that cannot be decoded or encoded. It never holds bytes of the APDU, which may be a PIN.
type Error struct{ Reason Reason }

// Error describes the reason.
func (e *Error) Error() string { return "apdu: " + e.Reason.String() }
