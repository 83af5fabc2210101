package cardsim

import (
	"crypto/subtle"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// secret is the value behind a reference together with its retry counter, which outlive power, and their rules, which
// never change.
type secret struct {
	*referenceState
	max int
	// changeable says which values the holder may choose; nil means none.
	changeable func([]byte) bool
	// changedBy is the instruction that changes the value.
	changedBy byte
}

func newSecret(value string, tries int, changeable func([]byte) bool) *secret {
	return &secret{
		referenceState: &referenceState{value: []byte(value), tries: tries},
		max:            tries, changeable: changeable, changedBy: insChangeReferenceData,
	}
}

// blockedForever is a reference that nothing opens.
func blockedForever() *secret { return newSecret("", 0, nil) }

// blocked reports whether no try is left.
func (s *secret) blocked() bool { return s.tries <= 0 }

// verify spends a try and gives it back with all others when the value is right. The comparison is byte by byte: the
// card does not fold case, and a value of the wrong length costs a try like any wrong value. The status is 9000, 63Cx,
// or what written answers.
//
// The counter goes down, and is written down, before the comparison, so that interrupting the command cannot save a try.
func (s *secret) verify(value []byte, written func() apdu.Status) apdu.Status {
	if s.blocked() {
		return apdu.Retry(0)
	}
	s.tries--
	if status := written(); status != apdu.OK {
		return status
	}
	if subtle.ConstantTimeCompare(s.value, value) != 1 {
		return apdu.Retry(s.tries)
	}
	left := s.tries
	s.tries = s.max
	if status := written(); status != apdu.OK {
		s.tries = left // what is on record
		return status
	}
	return apdu.OK
}

// fourDigits is the format of the authentication PIN and of the text PIN.
func fourDigits(v []byte) bool { return len(v) == 4 && digits(v) }

// signingPassword is the format of the 署名用暗証番号: 6 to 16 characters A-Z and 0-9.
func signingPassword(v []byte) bool {
	if len(v) < 6 || len(v) > 16 {
		return false
	}
	for _, c := range v {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func digits[T string | []byte](v T) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return true
}
