package cardsim

import "crypto/subtle"

// secret is the value behind a reference together with its retry counter, which outlives power.
type secret struct {
	value      []byte
	tries, max int
	// changeable says which values the holder may choose with CHANGE REFERENCE DATA; nil means none.
	changeable func([]byte) bool
}

func newSecret(value string, tries int, changeable func([]byte) bool) *secret {
	return &secret{value: []byte(value), tries: tries, max: tries, changeable: changeable}
}

// blockedForever is a reference that nothing opens.
func blockedForever() *secret { return &secret{} }

// blocked reports whether no try is left.
func (s *secret) blocked() bool { return s.tries <= 0 }

// verify spends a try and gives it back with all others when the value is right. The comparison is byte by byte: the
// card does not fold case, and a value of the wrong length costs a try like any wrong value.
func (s *secret) verify(value []byte) bool {
	if s.blocked() {
		return false
	}
	// The counter goes down before the comparison, so that interrupting the command cannot save a try.
	s.tries--
	if subtle.ConstantTimeCompare(s.value, value) != 1 {
		return false
	}
	s.tries = s.max
	return true
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
