package authn

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"golang.org/x/crypto/cryptobyte"
)

// The stored form of a pending login is binary, because it travels in a cookie with each request of the browser, and
// JSON with its secrets in base64 would be half as large again:
//
//	version 1 octet, flags 1 octet, milliseconds since 1970 8 octets, state, nonce and verifier 32 octets each,
//	then texts, each behind its length in 2 octets: tenant, issuer, client, redirect URL, transaction, and the scopes
//	until the end
//
// All numbers are big-endian. Version 1 was JSON and was never released.
const (
	pendingVersion = 2
	keepTokensFlag = 1
	secretSize     = 32 // octets of state, nonce and verifier: 256 random bits
	secretText     = 43 // characters of the same in base64url
)

// secretEncoding is strict, so that one secret has one text.
var secretEncoding = base64.RawURLEncoding.Strict()

// RevealBytes encodes the pending login for sealed storage: encrypt and authenticate it before it leaves the server.
// The error, for the zero Pending, has ReasonStored.
func (p Pending) RevealBytes() ([]byte, error) {
	f := p.fields()
	if f == nil {
		return nil, &Error{Reason: ReasonStored, Step: "pending"}
	}
	b, ok := f.stored()
	if !ok {
		return nil, &Error{Reason: ReasonStored, Step: "pending"}
	}
	return b, nil
}

// stored fails for what Begin does not make and ParsePending does not read.
func (f *pendingFields) stored() (b []byte, ok bool) {
	texts := [...]string{f.Tenant, f.Issuer, f.ClientID, f.RedirectURL, f.TransactionID}
	size := 2 + 8 + 3*secretSize
	for _, t := range texts {
		size += 2 + len(t)
	}
	for _, s := range f.Scopes {
		size += 2 + len(s)
	}
	if size > limits.PendingStored {
		return nil, false
	}
	b = append(make([]byte, 0, size), pendingVersion, 0)
	if f.KeepTokens {
		b[1] = keepTokensFlag
	}
	b = binary.BigEndian.AppendUint64(b, uint64(f.Created)) //nolint:gosec // ParsePending refuses negative times
	for _, secret := range [...]string{f.State, f.Nonce, f.Verifier} {
		var err error
		if b, err = secretEncoding.AppendDecode(b, []byte(secret)); err != nil || len(secret) != secretText {
			return nil, false
		}
	}
	for _, t := range texts {
		b = appendText(b, t)
	}
	for _, s := range f.Scopes {
		b = appendText(b, s)
	}
	return b, len(b) == size // base64 ignores line breaks, so that 43 characters may be fewer octets
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) //nolint:gosec // less than PendingStored
}

// ParsePending decodes what RevealBytes returned. It checks the form, not the origin: whoever stores a pending login
// where others can reach it must authenticate it. Errors have ReasonStored.
func ParsePending(b []byte) (Pending, error) {
	bad := func(check string) (Pending, error) { return Pending{}, &Error{Reason: ReasonStored, Step: check} }
	if len(b) > limits.PendingStored {
		return bad("pending size")
	}
	f, check := readPending(b)
	if check != "" {
		return bad(check)
	}
	switch {
	case len(f.Tenant) > maxTenantName || f.Issuer == "" || !isClientID(f.ClientID) || f.RedirectURL == "" ||
		len(f.RedirectURL) > limits.AuthorizationParameter:
		return bad("pending client")
	case len(f.Scopes) == 0 || len(f.Scopes) > 2*maxScopes ||
		slices.ContainsFunc(f.Scopes, func(s string) bool { return !isScopeToken(s) }):
		return bad("pending scopes")
	case f.TransactionID != "" && !isPlain(f.TransactionID):
		return bad("pending transaction")
	case f.Created <= 0:
		return bad("pending time")
	}
	return Pending{v: redact.Seal(f)}, nil
}

// readPending reads the form alone. check names what does not fit.
func readPending(b []byte) (f *pendingFields, check string) {
	s := cryptobyte.String(b)
	var version, flags uint8
	if !s.ReadUint8(&version) || version != pendingVersion {
		return nil, "pending version"
	}
	var created uint64
	var random []byte
	if !s.ReadUint8(&flags) || flags&^keepTokensFlag != 0 || !s.ReadUint64(&created) ||
		!s.ReadBytes(&random, 3*secretSize) {
		return nil, "pending"
	}
	f = &pendingFields{KeepTokens: flags != 0, Created: int64(created)} //nolint:gosec // negative ones are refused
	f.State, f.Nonce, f.Verifier = secretTexts([3 * secretSize]byte(random))
	var text cryptobyte.String
	for _, to := range [...]*string{&f.Tenant, &f.Issuer, &f.ClientID, &f.RedirectURL, &f.TransactionID} {
		if !s.ReadUint16LengthPrefixed(&text) {
			return nil, "pending"
		}
		*to = string(text)
	}
	for !s.Empty() {
		if !s.ReadUint16LengthPrefixed(&text) {
			return nil, "pending"
		}
		f.Scopes = append(f.Scopes, string(text))
	}
	return f, ""
}

// isSecret accepts what secretTexts makes.
func isSecret(s string) bool {
	return len(s) == secretText && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// secretTexts are state, nonce and verifier in base64url, which all three go over the wire in.
func secretTexts(random [3 * secretSize]byte) (state, nonce, verifier string) {
	var text [3 * secretText]byte
	for i := range 3 {
		base64.RawURLEncoding.Encode(text[i*secretText:(i+1)*secretText], random[i*secretSize:(i+1)*secretSize])
	}
	all := string(text[:])
	return all[:secretText], all[secretText : 2*secretText], all[2*secretText:]
}
