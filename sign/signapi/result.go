package signapi

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/sign"
)

// Unverified is what the service answered for a finished transaction. Exactly one of Sealed and Opened is set: Sealed
// for private relying parties, Opened for government ones. Nothing in it is verified: sign.Verifier does that, or the
// platform operator behind a sign.PlatformVerifier.
type Unverified struct {
	Transaction *sign.Transaction
	Sealed      *sign.Sealed
	Opened      *sign.Opened
}

// Fetch fetches the result with the access token of the login that carried the transaction. [ReasonPending] means
// that the person has not signed yet; asking again is then allowed, see [Error.RetryAfter]. A result may be given only
// once by the service. Errors are [*Error].
func (c *Client) Fetch(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*Unverified, error) {
	const step = "result"
	switch {
	case tx == nil || !tx.Mode.Valid() || !c.validID(tx.ID):
		return nil, &Error{Reason: ReasonRequest, Step: step, Detail: "transaction"}
	case id == nil:
		return nil, &Error{Reason: ReasonRequest, Step: step, Detail: "no identity"}
	// A result belongs to the person of this very flow: another login's token must not fetch it.
	case id.TransactionID != tx.ID:
		return nil, &Error{Reason: ReasonOtherFlow, Step: step}
	}
	return c.fetch(ctx, tx, id.AccessToken().Reveal())
}

func (c *Client) fetch(ctx context.Context, tx *sign.Transaction, bearer string) (*Unverified, error) {
	const step = "result"
	if bearer == "" {
		return nil, &Error{Reason: ReasonUserToken, Step: step}
	}
	address := strings.TrimSuffix(c.endpoint, "/") + "/" + url.PathEscape(tx.ID) + c.wire.ResultSuffix
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: step, Err: err}
	}
	answer, err := c.do(req, bearer, exchange{
		step: step, success: c.wire.ResultStatuses, token: ReasonUserToken, missing: ReasonNotFound,
	})
	if err != nil {
		return nil, err
	}
	copied := *tx
	res := &Unverified{Transaction: &copied}
	if err := c.parseResult(answer, res); err != nil {
		return nil, err
	}
	c.logger.DebugContext(ctx, "signature result fetched", slog.Bool("sealed", res.Sealed != nil))
	return res, nil
}

// parseResult reads the three shapes: a bare compact JWE, JSON with a JWE, JSON with signature and certificate.
func (c *Client) parseResult(answer []byte, res *Unverified) error {
	refuse := func(detail string, err error) error {
		return &Error{Reason: ReasonResponse, Step: "result", Detail: detail, Err: err}
	}
	if bare, err := sign.ParseSealed(string(bytes.TrimSpace(answer))); err == nil {
		res.Sealed = bare
		return nil
	}
	members, err := strictjson.Object(answer)
	if err != nil {
		return refuse("not an object", err)
	}
	raw, isSealed := members[c.wire.ResultJWEField]
	isSealed = isSealed && c.wire.ResultJWEField != ""
	_, hasSignature := members[c.wire.ResultSignatureField]
	if isSealed && hasSignature { // two answers in one; choosing would be guessing
		return refuse("sealed and plain", nil)
	}
	if !isSealed {
		if res.Opened, err = sign.ParseOpened(answer, &c.wire); err != nil {
			return refuse("signature and certificate", err)
		}
		return nil
	}
	jwe, ok := strictjson.String(raw)
	if !ok {
		return refuse("sealed result", nil)
	}
	if res.Sealed, err = sign.ParseSealed(jwe); err != nil {
		return refuse("sealed result", err)
	}
	return nil
}
