package authn

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Pending is a login under way. It must be kept, bound to the browser that began it, until Finish: it holds state, nonce
// and PKCE verifier. It is secret and redacts itself; [Pending.RevealBytes] encodes it for sealed storage.
type Pending struct{ sealed *sealed[*pendingFields] }

// fields is nil for the zero Pending.
func (p Pending) fields() *pendingFields { return p.sealed.value() }

// pendingFields are bound together: the callback must fit all of them.
type pendingFields struct {
	Version       int      `json:"v"`
	Tenant        string   `json:"w,omitempty"`
	Issuer        string   `json:"i"`
	ClientID      string   `json:"c"`
	RedirectURL   string   `json:"r"`
	State         string   `json:"s"`
	Nonce         string   `json:"n"`
	Verifier      string   `json:"p"`
	Scopes        []string `json:"o"`
	TransactionID string   `json:"t,omitempty"`
	KeepTokens    bool     `json:"k,omitempty"`
	Created       int64    `json:"at"` // milliseconds since 1970
}

const (
	pendingVersion = 1
	secretSize     = 32 // bytes of state, nonce and verifier: 256 random bits
	secretText     = 43 // the same in base64url
)

// State is the key under which a pending login is kept; it is in the URL anyway. Empty for the zero Pending.
func (p Pending) State() string {
	if f := p.fields(); f != nil {
		return f.State
	}
	return ""
}

// Created is when the login was begun; the zero time for the zero Pending.
func (p Pending) Created() time.Time {
	if f := p.fields(); f != nil {
		return time.UnixMilli(f.Created)
	}
	return time.Time{}
}

// TransactionID is the signature transaction that the login carries; empty if none.
func (p Pending) TransactionID() string {
	if f := p.fields(); f != nil {
		return f.TransactionID
	}
	return ""
}

// RevealBytes encodes the pending login for sealed storage: encrypt and authenticate it before it leaves the server.
func (p Pending) RevealBytes() ([]byte, error) {
	if f := p.fields(); f != nil {
		return json.Marshal(f)
	}
	return nil, &Error{Reason: ReasonStored, Check: "pending"}
}

// ParsePending decodes what RevealBytes returned. It checks the form, not the origin: whoever stores a pending login where
// others can reach it must authenticate it. Errors have ReasonStored.
func ParsePending(b []byte) (Pending, error) {
	bad := func(check string) (Pending, error) { return Pending{}, &Error{Reason: ReasonStored, Check: check} }
	if len(b) > limits.IdentityStored {
		return bad("pending size")
	}
	if _, err := strictjson.Object(b); err != nil {
		return bad("pending")
	}
	f := new(pendingFields)
	if json.Unmarshal(b, f) != nil {
		return bad("pending")
	}
	switch {
	case f.Version != pendingVersion:
		return bad("pending version")
	case !isSecret(f.State) || !isSecret(f.Nonce) || !isSecret(f.Verifier):
		return bad("pending secrets")
	case len(f.Tenant) > maxTenantName || f.Issuer == "" || !isClientID(f.ClientID) || f.RedirectURL == "" || len(f.RedirectURL) > limits.AuthorizationParameter:
		return bad("pending client")
	case len(f.Scopes) == 0 || len(f.Scopes) > 2*maxScopes || slices.ContainsFunc(f.Scopes, func(s string) bool { return !isScopeToken(s) }):
		return bad("pending scopes")
	case f.TransactionID != "" && !isPlain(f.TransactionID):
		return bad("pending transaction")
	case f.Created <= 0:
		return bad("pending time")
	}
	return Pending{seal(f)}, nil
}

// isSecret accepts what randomText(secretSize) makes.
func isSecret(s string) bool {
	return len(s) == secretText && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// isPlain accepts 1 to 255 printable ASCII characters without space.
func isPlain(s string) bool {
	return s != "" && len(s) <= limits.AuthorizationParameter &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r > 0x7e })
}

// isUUIDShape accepts 8-4-4-4-12 hexadecimal digits. Version and variant are not looked at: the service's own example
// has none that RFC 9562 knows.
func isUUIDShape(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
