package mdoc

import (
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"
)

// Session is what the wallet and the relying party agree about: a wallet that answered another session, or another
// party, authenticated something else. The types of this package are [OpenID4VP], [DigitalCredentials], [AnnexC],
// [AnnexB] and [Transcript].
type Session interface {
	// Transcript returns the encoded SessionTranscript (ISO/IEC 18013-5, 9.1.5.1). The error is an *[Error] with
	// [ReasonConfig].
	Transcript() ([]byte, error)
}

// OpenID4VP is a presentation by redirects (OpenID for Verifiable Presentations 1.0, B.2.6.1).
type OpenID4VP struct {
	// ClientID and Nonce are those of the request; the nonce is fresh for each and used once.
	ClientID, Nonce string
	// ResponseURI is where the wallet posts to, or the redirect URI.
	ResponseURI string
	// Thumbprint is the RFC 7638 thumbprint (SHA-256) of the key that the response is encrypted to; nil when it is not.
	Thumbprint []byte
}

// Transcript implements [Session].
func (s OpenID4VP) Transcript() ([]byte, error) {
	return handover(s.ClientID != "" && s.Nonce != "" && s.ResponseURI != "",
		"OpenID4VPHandover", []any{s.ClientID, s.Nonce, optional(s.Thumbprint), s.ResponseURI})
}

// DigitalCredentials is OpenID for Verifiable Presentations over the Digital Credentials API of a browser (B.2.6.2).
type DigitalCredentials struct {
	// Origin is the web origin of the page, such as "https://shop.example".
	Origin string
	// Nonce is that of the request, fresh for each and used once.
	Nonce string
	// Thumbprint is that of the key that the response is encrypted to; nil when it is not.
	Thumbprint []byte
}

// Transcript implements [Session].
func (s DigitalCredentials) Transcript() ([]byte, error) {
	return handover(
		s.Origin != "" && s.Nonce != "",
		"OpenID4VPDCAPIHandover",
		[]any{s.Origin, s.Nonce, optional(s.Thumbprint)},
	)
}

// AnnexC is a presentation over the Digital Credentials API in the form of ISO/IEC 18013-7, Annex C (protocol
// org-iso-mdoc).
type AnnexC struct {
	// EncryptionInfo is the base64url text of the EncryptionInfo of the request, exactly as sent; its nonce is used
	// once.
	EncryptionInfo string
	// Origin is the web origin of the page.
	Origin string
}

// Transcript implements [Session].
func (s AnnexC) Transcript() ([]byte, error) {
	return handover(s.EncryptionInfo != "" && s.Origin != "", "dcapi", []any{s.EncryptionInfo, s.Origin})
}

// AnnexB is OpenID for Verifiable Presentations in the earlier form of ISO/IEC TS 18013-7:2024, Annex B.
type AnnexB struct {
	ClientID, Nonce, ResponseURI string
	// WalletNonce is the mdocGeneratedNonce: the apu of the encrypted response.
	WalletNonce string
}

// Transcript implements [Session].
func (s AnnexB) Transcript() ([]byte, error) {
	if s.ClientID == "" || s.Nonce == "" || s.ResponseURI == "" || s.WalletNonce == "" {
		return nil, incomplete()
	}
	client, err := digest([]any{s.ClientID, s.WalletNonce})
	if err != nil {
		return nil, err
	}
	response, err := digest([]any{s.ResponseURI, s.WalletNonce})
	if err != nil {
		return nil, err
	}
	return encoded([]any{nil, nil, []any{client, response, s.Nonce}})
}

// Transcript is a SessionTranscript that somebody else encoded, such as that of a session over NFC or Bluetooth.
type Transcript []byte

// Transcript implements [Session].
func (s Transcript) Transcript() ([]byte, error) {
	if n, ok := shortest(s, 0); !ok || n != len(s) || s[0] != 0x83 { // an array of three
		return nil, incomplete()
	}
	return s, nil
}

// handover encodes [null, null, [name, SHA-256(info)]].
func handover(complete bool, name string, info []any) ([]byte, error) {
	if !complete {
		return nil, incomplete()
	}
	hash, err := digest(info)
	if err != nil {
		return nil, err
	}
	return encoded([]any{nil, nil, []any{name, hash}})
}

func optional(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func digest(info []any) ([]byte, error) {
	b, err := encoded(info)
	hash := sha256.Sum256(b)
	return hash[:], err
}

func encoded(v []any) ([]byte, error) {
	b, err := cbor.Marshal(v)
	if err != nil {
		return nil, &Error{Reason: ReasonConfig, Step: stepConfig, Detail: "session", Err: err}
	}
	return b, nil
}

func incomplete() error {
	return &Error{Reason: ReasonConfig, Step: stepConfig, Detail: "the session is not complete"}
}
