package apdu

import "fmt"

// Status is the status word SW1-SW2. It is an error whose text is the meaning in ISO/IEC 7816-4 and never holds data.
// The zero value is no status word, and not success.
//
// Because it is an error, fmt prints the text also for %x: use [Status.Hex] for the four digits.
type Status uint16

// Status words of ISO/IEC 7816-4, table 6, and of JICSAP IC card specification V1.1, table 25.
const (
	OK                     Status = 0x9000
	DataMayBeCorrupted     Status = 0x6281
	EndOfFile              Status = 0x6282
	FileDeactivated        Status = 0x6283
	VerificationFailed     Status = 0x6300
	FileFilledUp           Status = 0x6381
	ExecutionError         Status = 0x6400
	MemoryFailure          Status = 0x6581
	SecurityIssue          Status = 0x66F1 // card specific: secure messaging is not offered by this application
	WrongLength            Status = 0x6700
	ChannelNotSupported    Status = 0x6881
	SMNotSupported         Status = 0x6882
	IncompatibleFile       Status = 0x6981
	SecurityNotSatisfied   Status = 0x6982
	AuthMethodBlocked      Status = 0x6983
	ReferenceDataLocked    Status = 0x6984 // JICSAP: the IEF is locked
	ConditionsNotSatisfied Status = 0x6985
	NoCurrentEF            Status = 0x6986
	SMObjectMissing        Status = 0x6987
	SMObjectIncorrect      Status = 0x6988
	SMNotEstablished       Status = 0x69FC // card specific: a secure messaging class without a session
	IncorrectData          Status = 0x6A80
	FunctionNotSupported   Status = 0x6A81
	FileNotFound           Status = 0x6A82
	RecordNotFound         Status = 0x6A83
	NotEnoughSpace         Status = 0x6A84
	InconsistentTLV        Status = 0x6A85
	IncorrectP1P2          Status = 0x6A86
	InconsistentLc         Status = 0x6A87
	ReferenceNotFound      Status = 0x6A88
	OffsetOutsideFile      Status = 0x6B00
	INSNotSupported        Status = 0x6D00
	CLANotSupported        Status = 0x6E00
	NoDiagnosis            Status = 0x6F00
)

// Retry returns 63Cx: verification failed, n tries remain. n is cut to 0..15.
func Retry(n int) Status {
	return 0x63C0 | Status(min(max(n, 0), 15)) //nolint:gosec // cut to four bits
}

// SW1 returns the first byte.
func (s Status) SW1() byte { return byte(s >> 8) }

// SW2 returns the second byte.
func (s Status) SW2() byte { return byte(s & 0xFF) }

// Hex returns the four hexadecimal digits, in capitals.
func (s Status) Hex() string { return fmt.Sprintf("%04X", uint16(s)) }

// Retries returns x of 63Cx; ok is false for any other status word.
func (s Status) Retries() (n int, ok bool) {
	if s&0xFFF0 != 0x63C0 {
		return 0, false
	}
	return int(s & 0x0F), true
}

// Available returns the number of bytes that GET RESPONSE may fetch after 61xx (00 means 256 or more); ok is false for
// any other status word.
func (s Status) Available() (n int, ok bool) {
	if s.SW1() != 0x61 {
		return 0, false
	}
	return expected(int(s.SW2()), shortExpected), true
}

// CorrectLe returns the Ne with which the command must be repeated after 6Cxx; ok is false for any other status word.
func (s Status) CorrectLe() (n int, ok bool) {
	if s.SW1() != 0x6C {
		return 0, false
	}
	return expected(int(s.SW2()), shortExpected), true
}

// Err returns nil for 9000 and s itself for anything else.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return s
}

// Error returns the four digits and their meaning.
func (s Status) Error() string { return "status " + s.Hex() + ": " + s.meaning() }

func (s Status) meaning() string {
	if m, ok := meanings[s]; ok {
		return m
	}
	if n, ok := s.Retries(); ok {
		return fmt.Sprintf("verification failed, %d tries left", n)
	}
	if m, ok := classes[s.SW1()]; ok {
		return m
	}
	return "unknown status"
}

// classes is what SW1 alone says (ISO/IEC 7816-4, table 5), and never written.
var classes = map[byte]string{
	0x61: "more response bytes available",
	0x62: "warning, state unchanged",
	0x63: "warning, state changed",
	0x64: "execution error, state unchanged",
	0x65: "execution error, state changed",
	0x66: "security-related issue",
	0x68: "function in class byte not supported",
	0x69: "command not allowed",
	0x6A: "wrong parameters",
	0x6C: "wrong Le field",
}

// meanings is never written.
var meanings = map[Status]string{
	OK:                     "success",
	DataMayBeCorrupted:     "part of the returned data may be corrupted",
	EndOfFile:              "end of file reached",
	FileDeactivated:        "selected file deactivated",
	VerificationFailed:     "verification failed",
	FileFilledUp:           "file filled up by the last write",
	ExecutionError:         "execution error, state unchanged",
	MemoryFailure:          "memory failure",
	SecurityIssue:          "secure messaging not available here",
	WrongLength:            "wrong length",
	ChannelNotSupported:    "logical channel not supported",
	SMNotSupported:         "secure messaging not supported",
	IncompatibleFile:       "command incompatible with file structure",
	SecurityNotSatisfied:   "security status not satisfied",
	AuthMethodBlocked:      "authentication method blocked",
	ReferenceDataLocked:    "reference data not usable",
	ConditionsNotSatisfied: "conditions of use not satisfied",
	NoCurrentEF:            "no current file",
	SMObjectMissing:        "expected secure messaging data objects missing",
	SMObjectIncorrect:      "incorrect secure messaging data objects",
	SMNotEstablished:       "no secure messaging session",
	IncorrectData:          "incorrect parameters in the data field",
	FunctionNotSupported:   "function not supported",
	FileNotFound:           "file or application not found",
	RecordNotFound:         "record not found",
	NotEnoughSpace:         "not enough memory space in the file",
	InconsistentTLV:        "Lc inconsistent with TLV structure",
	IncorrectP1P2:          "incorrect parameters P1-P2",
	InconsistentLc:         "Lc inconsistent with P1-P2",
	ReferenceNotFound:      "referenced data not found",
	OffsetOutsideFile:      "wrong parameters P1-P2: offset outside the file",
	INSNotSupported:        "instruction not supported",
	CLANotSupported:        "class not supported",
	NoDiagnosis:            "no precise diagnosis",
}
