package jpki

import "fmt"

// Environment tells production from test; the zero value is Production, which refuses test anchors and policies.
type Environment int

// Environments.
const (
	// Production is the real JPKI.
	Production Environment = iota
	// Test is a test JPKI (O=JPKI-TEST).
	Test
)

// String returns "production", "test" or "unknown".
func (e Environment) String() string {
	switch e {
	case Production:
		return "production"
	case Test:
		return "test"
	default:
		return "unknown"
	}
}

// Kind is what a certificate is for, decided by its policy OID and key usage.
type Kind int

// Kinds. The policies of certificates on phones (スマホ用電子証明書) are not published: such a certificate is
// UnknownKind, and is refused, except for those of a simulator (VerifierConfig.AssumedPhonePolicies).
const (
	// UnknownKind matches no profile. It is never accepted.
	UnknownKind Kind = iota
	// SigningCard is a signing certificate (署名用電子証明書) on a card.
	SigningCard
	// AuthenticationCard is an authentication certificate (利用者証明用電子証明書) on a card.
	AuthenticationCard
	// SigningPhone is a signing certificate on a phone.
	SigningPhone
	// AuthenticationPhone is an authentication certificate on a phone.
	AuthenticationPhone
)

func kindNames() [5]string {
	return [...]string{"unknown", "signing-card", "authentication-card", "signing-phone", "authentication-phone"}
}

// String returns "unknown", "signing-card", "authentication-card", "signing-phone" or "authentication-phone".
func (k Kind) String() string {
	names := kindNames()
	if k < 0 || int(k) >= len(names) {
		return names[UnknownKind]
	}
	return names[k]
}

// MarshalText returns String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote and refuses anything else.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames() {
		if name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("jpki: not a kind of certificate")
}
