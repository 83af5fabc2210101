package jose

import "github.com/kakunin-go/kakunin"

// Check names the rule that a token or key broke. The names are stable.
type Check string

// The rules.
const (
	// CheckSize: the token, header, key or key set exceeds its limit.
	CheckSize Check = "size"
	// CheckForm: not a compact serialization with the right number of strictly base64url-encoded parts.
	CheckForm Check = "form"
	// CheckHeader: the protected header is not a well-formed object with unique members of the right types.
	CheckHeader Check = "header"
	// CheckCritical: "crit", "b64" or "zip" is present.
	CheckCritical Check = "crit"
	// CheckAlgorithm: "alg" or "enc" is not on the allow-list.
	CheckAlgorithm Check = "alg"
	// CheckType: "typ" is not the expected one.
	CheckType Check = "typ"
	// CheckKey: no key, or more than one key, fits the header.
	CheckKey Check = "key"
	// CheckSignature: the signature does not verify.
	CheckSignature Check = "signature"
	// CheckDecryption: the token cannot be opened. It is deliberately the only answer to anything wrong past the
	// header.
	CheckDecryption Check = "decryption"
	// CheckKeyForm: a key or key set cannot be read, or is weak, or does not fit its algorithm. The key is our own or
	// the service's registered one, so this is a matter of configuration.
	CheckKeyForm Check = "key form"
)

// Error is every error of this package. Its text is made of constants only.
type Error struct {
	Check  Check
	Detail string // constant text, never data
}

// Error implements error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "jose: " + string(e.Check)
	}
	return "jose: " + string(e.Check) + ": " + e.Detail
}

// Family implements [kakunin.Classified].
func (e *Error) Family() kakunin.Family {
	if e.Check == CheckKeyForm {
		return kakunin.Configuration
	}
	return kakunin.Untrusted
}

// UserMessage implements [kakunin.Classified]; the family's message serves.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }

func fail(c Check, detail string) *Error { return &Error{Check: c, Detail: detail} }

// IsKeyMiss reports whether err means that a newer key set might verify the token: no key fits, or the signature does
// not verify (an issuer may re-use a key id when it rotates).
func IsKeyMiss(err error) bool {
	e, ok := err.(*Error) //nolint:errorlint // this package returns *Error unwrapped
	return ok && (e.Check == CheckKey || e.Check == CheckSignature)
}
