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
	bearer, err := c.bearerFor(tx, id)
	if err != nil {
		return nil, err
	}
	return c.fetch(ctx, tx, bearer)
}

// bearerFor returns the access token of the login that carried the transaction.
func (c *Client) bearerFor(tx *sign.Transaction, id *authn.Identity) (string, error) {
	switch {
	case tx == nil || !tx.Mode.Valid() || !c.validID(tx.ID):
		return "", &Error{Reason: ReasonRequest, Step: stepResult, Detail: "transaction"}
	case id == nil:
		return "", &Error{Reason: ReasonRequest, Step: stepResult, Detail: "no identity"}
	// A result belongs to the person of this very flow: another login's token must not fetch it.
	case id.TransactionID != tx.ID:
		return "", &Error{Reason: ReasonOtherFlow, Step: stepResult}
	}
	return id.AccessToken().Reveal(), nil
}

func (c *Client) fetch(ctx context.Context, tx *sign.Transaction, bearer string) (*Unverified, error) {
	a, err := c.ask(ctx, tx, bearer)
	if err != nil {
		return nil, err
	}
	return c.read(ctx, a, tx)
}

// ask asks for the result once.
func (c *Client) ask(ctx context.Context, tx *sign.Transaction, bearer string) (reply, error) {
	if bearer == "" {
		return reply{}, &Error{Reason: ReasonUserToken, Step: stepResult}
	}
	address := strings.TrimSuffix(c.endpoint, "/") + "/" + url.PathEscape(tx.ID) + c.wire.ResultSuffix
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return reply{}, &Error{Reason: ReasonConfiguration, Step: stepResult, Err: err}
	}
	return c.do(req, bearer, c.resultExchange())
}

func (c *Client) resultExchange() exchange {
	return exchange{
		step: stepResult, success: c.wire.ResultStatuses, token: ReasonUserToken, missing: ReasonNotFound,
	}
}

// read makes of an answer what it says.
func (c *Client) read(ctx context.Context, a reply, tx *sign.Transaction) (*Unverified, error) {
	if err := c.judge(a, c.resultExchange()); err != nil {
		return nil, err
	}
	copied := *tx
	res := &Unverified{Transaction: &copied}
	if err := c.parseResult(a.body, res); err != nil {
		return nil, err
	}
	c.logger.DebugContext(ctx, "signature result fetched", slog.Bool("sealed", res.Sealed != nil))
	return res, nil
}

// parseResult reads the three shapes: a bare compact JWE, JSON with a JWE, JSON with signature and certificate.
func (c *Client) parseResult(answer []byte, res *Unverified) error {
	refuse := func(detail string, err error) error {
		return &Error{Reason: ReasonResponse, Step: stepResult, Detail: detail, Err: err}
	}
	if bare, err := sign.ParseSealed(string(bytes.TrimSpace(answer))); err == nil {
		res.Sealed = bare
		return nil
	}
	members, err := strictjson.Object(answer)
	if err != nil {
		return refuse("not an object", err)
	}
	raw, isSealed := strictjson.Present(members, c.wire.ResultJWEField)
	isSealed = isSealed && c.wire.ResultJWEField != ""
	_, hasSignature := strictjson.Present(members, c.wire.ResultSignatureField)
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
