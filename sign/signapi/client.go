// Package signapi is the client of the 署名API: it has documents signed by people with their My Number Card or phone.
//
// Most relying parties call two functions: [Client.Start] before the person is sent to the service (the returned
// transaction goes into authn.Request.Sign), and [Client.Fetch] after authn.Client.Finish. What comes back is not
// verified: a sign.Sealed JWE that only the platform operator (PF事業者) can open, or, for government relying parties, the
// plain values for a sign.Verifier. See the example of [Client]; package middleware does the part in the browser.
//
// # Asking once, asking again
//
// Start is sent at most once: after bytes went out nobody knows whether the service registered a transaction, so the
// caller decides about another one. Fetch may be repeated while it says [ReasonPending]; a result may be given only
// once by the service, so keep it before doing anything else with it.
//
// # Compatibility
//
// The package stores nothing. Transactions are package sign's, and their JSON form stays readable.
package signapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/sign"
)

// Config configures a client of the sign API. New copies it.
type Config struct {
	// Client authenticates to the service and names its endpoints and wire profile; required. A transaction id must
	// have the shape of a UUID unless the profile says AnyTransactionID.
	Client *authn.Client
	// Now is the clock for Transaction.Started and Expires; default time.Now.
	Now func() time.Time
	// Logger gets debug records without any personal data, token, signature or certificate; default: discard.
	Logger *slog.Logger
}

// service is what the client needs of authn.Client.
type service interface {
	Environment() authn.Environment
	ClientID() string
	HTTPClient() *http.Client
	ServiceToken(ctx context.Context) (authn.Token, error)
}

// Client starts transactions and fetches their results. It is immutable and safe for concurrent use.
type Client struct {
	service  service
	endpoint string
	wire     wire.Sign
	now      func() time.Time
	logger   *slog.Logger
	validID  func(string) bool
}

// New validates the configuration. Its error is an [*Error] with [ReasonConfiguration] whose Detail lists every mistake
// by the name of its field.
func New(c Config) (*Client, error) {
	if c.Client == nil {
		return nil, mistakes{"Client is missing"}.err()
	}
	return newClient(c.Client, c.Client.Wire().Sign, c)
}

func newClient(s service, w wire.Sign, c Config) (*Client, error) {
	cl := &Client{
		service: s, endpoint: s.Environment().SignEndpoint, wire: w, now: c.Now, logger: c.Logger, validID: uuidShaped,
	}
	list := wireMistakes(w)
	u, err := url.Parse(cl.endpoint)
	list.add(
		err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "",
		"Client: Environment.SignEndpoint is no address",
	)
	if err := list.err(); err != nil {
		return nil, err
	}
	if cl.now == nil {
		cl.now = time.Now
	}
	if cl.logger == nil {
		cl.logger = slog.New(slog.DiscardHandler)
	}
	if w.AnyTransactionID {
		cl.validID = sign.ValidTransactionID
	}
	return cl, nil
}

// wireMistakes lists what would make a request or an answer ambiguous.
func wireMistakes(w wire.Sign) (list mistakes) {
	add := func(wrong bool, entry string) { list.add(wrong, "Client: Wire.Sign."+entry) }
	add(w.StartHashField == "", "StartHashField is missing")
	add(w.StartIDField == "", "StartIDField is missing")
	add(len(w.StartStatuses) == 0 || slices.Contains(w.StartStatuses, 0), "StartStatuses is empty or holds 0")
	add(len(w.ResultStatuses) == 0 || slices.Contains(w.ResultStatuses, w.PendingStatus),
		"ResultStatuses is empty or holds PendingStatus")
	add(
		w.ResultJWEField == "" && (w.ResultSignatureField == "" || w.ResultCertificateField == ""),
		"ResultJWEField is missing",
	)
	add(w.ResultSignatureField != "" && w.ResultSignatureField == w.ResultCertificateField,
		"ResultCertificateField must not be ResultSignatureField")
	add(w.StartDefaultLifetime <= 0 || w.StartDefaultLifetime > limits.TransactionLifetime,
		"StartDefaultLifetime must be from 1 second to a day")
	own := []string{w.StartClientIDField, w.StartHashField, w.StartHashAlgorithmField, ""}
	for name := range w.StartExtraFields {
		if slices.Contains(own, name) {
			add(true, "StartExtraFields has no name, or one of the other fields'")
			break
		}
	}
	return list
}

// Start hashes the document and registers the transaction. The document's reader is read to its end before anything is
// sent. The request is sent at most once: after bytes went out, whether the service registered a transaction is
// unknown, so the caller decides about another one. Errors are [*Error].
func (c *Client) Start(ctx context.Context, d sign.Document, m sign.Mode) (*sign.Transaction, error) {
	const step = "start"
	tx, err := sign.Prepare(ctx, d, m)
	if err != nil {
		reason := ReasonDocument
		if errors.Is(err, &sign.Error{Reason: sign.ReasonRequest}) {
			reason = ReasonRequest
		}
		if ctx.Err() != nil {
			reason = ReasonTransport
		}
		return nil, &Error{Reason: reason, Step: step, Err: err}
	}
	body, err := c.startBody(base64.StdEncoding.EncodeToString(tx.Padded()))
	if err != nil {
		return nil, err
	}
	token, err := c.service.ServiceToken(ctx)
	if err != nil {
		return nil, &Error{Reason: ReasonServiceToken, Step: step, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: step, Err: err}
	}
	// Without GetBody net/http cannot send the body a second time by itself.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	answer, err := c.do(req, token.Reveal(), exchange{
		step: step, success: c.wire.StartStatuses, token: ReasonServiceToken,
		missing: ReasonRejected, // there is no transaction yet: the address is wrong
	})
	if err != nil {
		return nil, err
	}
	if err := c.parseStart(answer, tx); err != nil {
		return nil, err
	}
	c.logger.DebugContext(
		ctx,
		"signature transaction started",
		slog.String("mode", m.String()),
		slog.Time("expires", tx.Expires),
	)
	return tx, nil
}

func (c *Client) startBody(input string) ([]byte, error) {
	fields := make(map[string]string, len(c.wire.StartExtraFields)+3)
	for name, value := range c.wire.StartExtraFields {
		fields[name] = value
	}
	if c.wire.StartClientIDField != "" {
		fields[c.wire.StartClientIDField] = c.service.ClientID()
	}
	if c.wire.StartHashAlgorithmField != "" {
		fields[c.wire.StartHashAlgorithmField] = c.wire.StartHashAlgorithmValue
	}
	fields[c.wire.StartHashField] = input
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "start", Err: err}
	}
	return body, nil
}

func (c *Client) parseStart(answer []byte, tx *sign.Transaction) error {
	refuse := func(detail string) error { return &Error{Reason: ReasonResponse, Step: "start", Detail: detail} }
	members, err := strictjson.Object(answer)
	if err != nil {
		return refuse("not an object")
	}
	id, ok := strictjson.String(members[c.wire.StartIDField])
	if !ok || !c.validID(id) {
		return refuse("transaction id")
	}
	lifetime := int64(c.wire.StartDefaultLifetime)
	if raw, listed := members[c.wire.StartLifetimeField]; listed && c.wire.StartLifetimeField != "" {
		lifetime, ok = strictjson.Integer(raw)
		if !ok || lifetime <= 0 || lifetime > limits.TransactionLifetime {
			return refuse("lifetime")
		}
	}
	tx.ID, tx.Started = id, c.now()
	tx.Expires = tx.Started.Add(time.Duration(lifetime) * time.Second)
	return nil
}

// uuidShaped checks 8-4-4-4-12 hexadecimal digits and nothing more: a published sample has the version nibble "e",
// which a check of RFC 9562's versions would refuse.
func uuidShaped(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}
