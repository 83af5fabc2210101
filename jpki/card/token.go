package card

import (
	"context"
	"strings"
)

// TokenKind says on what the application lives, read from the token label.
type TokenKind int

// Kinds of token. A label that is not listed reads as UnknownToken.
const (
	UnknownToken TokenKind = iota
	Plastic
	AndroidPhone
	IPhone
	Juki
)

// String returns a stable lower-case name for logs.
func (k TokenKind) String() string {
	switch k {
	case Plastic:
		return "plastic"
	case AndroidPhone:
		return "android"
	case IPhone:
		return "iphone"
	case Juki:
		return "juki"
	case UnknownToken:
	}
	return "unknown"
}

// tokenKind reads the label of the token information file, padded with spaces to 32 bytes (PKCS #11, CK_TOKEN_INFO).
func tokenKind(label []byte) TokenKind {
	switch field(label) {
	case "JPKIAPICCTOKEN2":
		return Plastic
	case "JPKIAPGPSETOKEN":
		return AndroidPhone
	case "JPKIAPIOSTOKEN":
		return IPhone
	case "JPKIAPICCTOKEN":
		return Juki
	default:
		return UnknownToken
	}
}

// field reads a text field of the token information, padded with spaces.
func field(b []byte) string { return strings.TrimRight(string(b), " ") }

// readTokenKind reads the label. A card that does not show it is of unknown kind, which is no reason to refuse it.
func (s *session) readTokenKind(ctx context.Context) (TokenKind, error) {
	const op = "read token information"
	label, end, err := s.readStart(ctx, op, efTokenInfo, tokenLabelSize)
	if err == nil && !end && len(label) < tokenLabelSize {
		var more []byte
		more, err = s.readEF(ctx, op, len(label), tokenLabelSize-len(label))
		label = append(label, more...)
	}
	switch ReasonOf(err) {
	case ReasonRefused, ReasonNotVerified, ReasonFileMissing:
		return UnknownToken, nil
	default:
		return tokenKind(label), err
	}
}

// TokenInformation is how the JPKI application describes itself: the CK_TOKEN_INFO of PKCS #11. It is the same for all
// cards of a batch and says nothing of the holder.
type TokenInformation struct {
	// Label tells the kind, see [Card.Kind].
	Label        string
	Manufacturer string
	Model        string
	Serial       string
	// HardwareVersion and FirmwareVersion are two characters each.
	HardwareVersion, FirmwareVersion string
}

// tokenInformationSize is the length of CK_TOKEN_INFO with numbers of four bytes.
const tokenInformationSize = 160

// TokenInformation reads the description of the JPKI application; no PIN is needed.
func (c *Card) TokenInformation(ctx context.Context) (TokenInformation, error) {
	const op = "read token information"
	var b []byte
	err := c.s.do(ctx, op, jpkiApp, 0, func(ctx context.Context) (err error) {
		b, err = c.s.readFile(ctx, op, efTokenInfo, tokenInformationSize, exactly(tokenInformationSize))
		return err
	})
	if err != nil {
		return TokenInformation{}, err
	}
	return TokenInformation{
		Label: field(b[:32]), Manufacturer: field(b[32:64]), Model: field(b[64:80]), Serial: field(b[80:96]),
		HardwareVersion: field(b[0x8C:0x8E]), FirmwareVersion: field(b[0x8E:0x90]),
	}, nil
}

// Availability tells which certificates are on the card.
type Availability struct{ Signing, Authentication bool }

// Availability reads which certificates are on the card; no PIN is needed. Children under 15 have no signing certificate.
func (c *Card) Availability(ctx context.Context) (Availability, error) {
	const op = "read certificate availability"
	const size, present = 3, 0x8F
	var b []byte
	err := c.s.do(ctx, op, jpkiApp, 0, func(ctx context.Context) (err error) {
		b, err = c.s.readFile(ctx, op, efAvailability, size, exactly(size))
		return err
	})
	if err != nil {
		return Availability{}, err
	}
	return Availability{Signing: b[0] == present, Authentication: b[1] == present}, nil
}
