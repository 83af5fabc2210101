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
	if m := s.exactMeaning(); m != "" {
		return m
	}
	if n, ok := s.Retries(); ok {
		return fmt.Sprintf("verification failed, %d tries left", n)
	}
	// The class that SW1 alone gives (ISO/IEC 7816-4, table 5).
	switch s.SW1() {
	case 0x61:
		return "more response bytes available"
	case 0x62:
		return "warning, state unchanged"
	case 0x63:
		return "warning, state changed"
	case 0x64:
		return "execution error, state unchanged"
	case 0x65:
		return "execution error, state changed"
	case 0x66:
		return "security-related issue"
	case 0x68:
		return "function in class byte not supported"
	case 0x69:
		return "command not allowed"
	case 0x6A:
		return "wrong parameters"
	case 0x6C:
		return "wrong Le field"
	default:
		return "unknown status"
	}
}

func (s Status) exactMeaning() string {
	switch s {
	case OK:
		return "success"
	case DataMayBeCorrupted:
		return "part of the returned data may be corrupted"
	case EndOfFile:
		return "end of file reached"
	case FileDeactivated:
		return "selected file deactivated"
	case VerificationFailed:
		return "verification failed"
	case FileFilledUp:
		return "file filled up by the last write"
	case ExecutionError:
		return "execution error, state unchanged"
	case MemoryFailure:
		return "memory failure"
	case SecurityIssue:
		return "secure messaging not available here"
	case WrongLength:
		return "wrong length"
	case ChannelNotSupported:
		return "logical channel not supported"
	case SMNotSupported:
		return "secure messaging not supported"
	case IncompatibleFile:
		return "command incompatible with file structure"
	case SecurityNotSatisfied:
		return "security status not satisfied"
	case AuthMethodBlocked:
		return "authentication method blocked"
	case ReferenceDataLocked:
		return "reference data not usable"
	case ConditionsNotSatisfied:
		return "conditions of use not satisfied"
	case NoCurrentEF:
		return "no current file"
	case SMObjectMissing:
		return "expected secure messaging data objects missing"
	case SMObjectIncorrect:
		return "incorrect secure messaging data objects"
	case SMNotEstablished:
		return "no secure messaging session"
	case IncorrectData:
		return "incorrect parameters in the data field"
	case FunctionNotSupported:
		return "function not supported"
	case FileNotFound:
		return "file or application not found"
	case RecordNotFound:
		return "record not found"
	case NotEnoughSpace:
		return "not enough memory space in the file"
	case InconsistentTLV:
		return "Lc inconsistent with TLV structure"
	case IncorrectP1P2:
		return "incorrect parameters P1-P2"
	case InconsistentLc:
		return "Lc inconsistent with P1-P2"
	case ReferenceNotFound:
		return "referenced data not found"
	case OffsetOutsideFile:
		return "wrong parameters P1-P2: offset outside the file"
	case INSNotSupported:
		return "instruction not supported"
	case CLANotSupported:
		return "class not supported"
	case NoDiagnosis:
		return "no precise diagnosis"
	default:
		return ""
	}
}
