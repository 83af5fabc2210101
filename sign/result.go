package sign

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Result is what the service answered for a finished transaction. Exactly one of Sealed and Opened is set: Sealed for
// private relying parties, Opened for government ones. Nothing in it is verified yet.
type Result struct {
	Transaction *Transaction
	Sealed      *Sealed
	Opened      *Opened
}

// Sealed is the JWE addressed to the platform operator. It redacts itself.
type Sealed struct{ jwe string }

// ParseSealed checks that jwe is a compact JWE (RFC 7516, 7.1): five base64url parts, within the size limit. It does
// not look inside, because the header speaks to the recipient. Errors are [*Error] with [ReasonResponse].
func ParseSealed(jwe string) (*Sealed, error) {
	if !compactJWE(jwe) {
		return nil, &Error{Reason: ReasonResponse, Step: "sealed result"}
	}
	return &Sealed{jwe: jwe}, nil
}

// RevealJWE returns the compact JWE for hand-over to the platform operator.
func (s *Sealed) RevealJWE() string { return s.jwe }

// String shows nothing of the content.
func (Sealed) String() string { return redacted("Sealed") }

// GoString shows nothing of the content.
func (Sealed) GoString() string { return redacted("Sealed") }

// Format shows nothing of the content, whatever the verb.
func (Sealed) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted("Sealed"))) }

// MarshalText shows nothing of the content.
func (Sealed) MarshalText() ([]byte, error) { return []byte(redacted("Sealed")), nil }

// LogValue shows nothing of the content.
func (Sealed) LogValue() slog.Value { return slog.StringValue(redacted("Sealed")) }

// Opened is a signature value with its signing certificate; nothing is verified yet. It redacts itself, because the
// certificate holds the four attributes of a person.
type Opened struct {
	// Signature is the raw signature value, big-endian (RFC 8017, 4.1).
	Signature []byte
	// Certificate is the DER signing certificate.
	Certificate []byte
}

// String shows nothing of the content.
func (Opened) String() string { return redacted("Opened") }

// GoString shows nothing of the content.
func (Opened) GoString() string { return redacted("Opened") }

// Format shows nothing of the content, whatever the verb.
func (Opened) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted("Opened"))) }

// MarshalText shows nothing of the content.
func (Opened) MarshalText() ([]byte, error) { return []byte(redacted("Opened")), nil }

// LogValue shows nothing of the content.
func (Opened) LogValue() slog.Value { return slog.StringValue(redacted("Opened")) }

// Result fetches the result with the access token of the login that carried the transaction. [ReasonPending] means
// that the person has not signed yet; asking again is then allowed, see [Error.RetryAfter]. A result may be given only
// once by the service. Errors are [*Error].
func (c *Client) Result(ctx context.Context, tx *Transaction, id *authn.Identity) (*Result, error) {
	const step = "result"
	switch {
	case tx == nil || !tx.Mode.Valid() || !c.idShape(tx.ID):
		return nil, &Error{Reason: ReasonRequest, Step: "result: transaction"}
	case id == nil:
		return nil, &Error{Reason: ReasonRequest, Step: "result: identity"}
	// A result belongs to the person of this very flow: another login's token must not fetch it.
	case id.TransactionID != tx.ID:
		return nil, &Error{Reason: ReasonOtherFlow, Step: step}
	}
	return c.fetch(ctx, tx, id.AccessToken().Reveal())
}

func (c *Client) fetch(ctx context.Context, tx *Transaction, bearer string) (*Result, error) {
	const step = "result"
	if bearer == "" {
		return nil, &Error{Reason: ReasonUserToken, Step: step}
	}
	address := strings.TrimSuffix(c.endpoint, "/") + "/" + url.PathEscape(tx.ID) + c.wire.ResultSuffix
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: step, Err: err}
	}
	answer, err := c.do(req, bearer, exchange{step: step, success: c.wire.ResultStatuses, token: ReasonUserToken, missing: ReasonNotFound})
	if err != nil {
		return nil, err
	}
	copied := *tx
	res := &Result{Transaction: &copied}
	if err := c.parseResult(answer, res); err != nil {
		return nil, err
	}
	c.logger.DebugContext(ctx, "signature result fetched", slog.Bool("sealed", res.Sealed != nil))
	return res, nil
}

// parseResult reads the three shapes: a bare compact JWE, JSON with a JWE, JSON with signature and certificate.
func (c *Client) parseResult(answer []byte, res *Result) error {
	refuse := func(what string) error { return &Error{Reason: ReasonResponse, Step: "result: " + what} }
	if bare := string(bytes.TrimSpace(answer)); compactJWE(bare) {
		res.Sealed = &Sealed{jwe: bare}
		return nil
	}
	members, err := strictjson.Object(answer)
	if err != nil {
		return refuse("answer")
	}
	jwe, isSealed, ok := stringMember(members, c.wire.ResultJWEField)
	if !ok {
		return refuse("sealed result")
	}
	_, hasSignature := members[c.wire.ResultSignatureField]
	switch {
	case isSealed && hasSignature: // two answers in one; choosing would be guessing
		return refuse("answer")
	case isSealed:
		res.Sealed, err = ParseSealed(jwe)
	default:
		res.Opened, err = parseOpened(members, c.wire, "result: ")
	}
	return err
}

// compactJWE checks five base64url parts. The encrypted key may be empty (RFC 7518, 4.6: ECDH-ES used directly).
func compactJWE(s string) bool {
	if len(s) > limits.SealedResult {
		return false
	}
	parts := strings.Split(s, ".")
	if len(parts) != 5 {
		return false
	}
	for i, part := range parts {
		if part == "" && i != 1 {
			return false
		}
		for j := range len(part) {
			c := part[j]
			if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
