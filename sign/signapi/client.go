// Package signapi is the client of the 署名API: it has documents signed by people with their My Number Card or phone.
//
// Most relying parties call three functions of a [Keeper]: [Keeper.Start] before the person is sent to the service (the
// transaction goes into authn.Request.Sign), [Keeper.Fetch] after authn.Client.Finish, and [Keeper.Close] when the
// application has verified and recorded what it got. What comes back is not verified: a sign.Sealed JWE that only the
// platform operator (PF事業者) can open, or, for government relying parties, the plain values for a sign.Verifier. See
// the example of [Keeper]; package middleware does the part in the browser. A [Client] does the same without keeping
// anything.
//
// # A result may be given once
//
// The service does not say how often it gives a result, so this package takes it for once. A Keeper therefore asks in
// this order:
//
//  1. it claims the transaction in its [Store], together with the key that the answer will be encrypted with, and the
//     access token, encrypted with that key: so the key service works and the store takes writes before anything is
//     asked, and no other instance asks;
//  2. it asks, and does not stop when the caller goes away;
//  3. it keeps the answer as it came, encrypted, durably; the token is deleted in the same write;
//  4. only then it is read, and returned.
//
// What the store has is found again after every crash by [Keeper.Unfinished] and [Keeper.Result]; a second Fetch
// returns it without a request. An instance that is killed in steps 2 and 3 leaves a claim without an answer
// ([Kept.Interrupted]), which is never taken for something else: when its time is over, [Keeper.AskAgain] asks with the
// token that stands there. That saves the result if the request had not come to the service, or if the service gives
// it again. Lost, and named so ([ReasonLost]), is what the service had sent and does not send again: the moment from
// its sending until the store has the answer. That is the way over the network, and one message to a database, which
// finishes it without the instance; a file of the instance's own would be written no sooner, and be gone with the
// instance's disk. If the store fails in step 3, Fetch returns the result and [ReasonNotKept].
//
// # Asking again
//
// Start is sent at most once: after bytes went out nobody knows whether the service registered a transaction. Another
// Start is harmless, because a transaction that nobody signs expires; [Request.Key] makes it the same one.
//
// [Client.Wait] and [Keeper.Wait] ask again for a result after [ReasonPending], [ReasonBusy] and [ReasonClaimed], and
// after [ReasonTransport] when no answer had begun: every 2 seconds, or when Retry-After says, until the transaction
// expires or the context ends. Everything else is final: [ReasonCancelled], [ReasonExpired], [ReasonConsumed] and
// [ReasonNotFound] end the transaction, a refused token ([ReasonUserToken], [ReasonScope], [ReasonConflict]) needs
// another login, and an answer that broke off has been given: [Keeper.AskAgain] finds out whether it is given again.
//
// # Whose signature
//
// A signature is over the document alone, so one signature value fits every transaction of the same document and mode.
// Whoever must tell two of them apart puts a line into the document that no other one has, such as a number and the
// time, as the example does; package sign/evidence refuses a signature value that is recorded under another
// transaction.
//
// # Examples
//
// There are examples of [Client], [Keeper] and [Keeper.Unfinished].
//
// # Compatibility
//
// Transactions are package sign's, and their JSON form stays readable. What a Keeper wrote into a store, later versions
// read.
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
	"github.com/kakunin-go/kakunin/internal/fault"
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
		return nil, misconfigured(fault.Mistakes{"Client is missing"})
	}
	return newClient(c.Client, c.Client.Wire().Sign, c)
}

func newClient(s service, w wire.Sign, c Config) (*Client, error) {
	cl := &Client{
		service: s, endpoint: s.Environment().SignEndpoint, wire: w, now: c.Now, logger: c.Logger, validID: uuidShaped,
	}
	list := wireMistakes(w)
	u, err := url.Parse(cl.endpoint)
	list.Add(
		err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "",
		"Client: Environment.SignEndpoint is no address",
	)
	if err := misconfigured(list); err != nil {
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
func wireMistakes(w wire.Sign) (list fault.Mistakes) {
	add := func(wrong bool, entry string) { list.Add(wrong, "Client: Wire.Sign."+entry) }
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
	tx, err := prepare(ctx, d, m)
	if err != nil {
		return nil, err
	}
	if err := c.register(ctx, tx); err != nil {
		return nil, err
	}
	return tx, nil
}

// prepare hashes the document.
func prepare(ctx context.Context, d sign.Document, m sign.Mode) (*sign.Transaction, error) {
	tx, err := sign.Prepare(ctx, d, m)
	if err != nil {
		reason := ReasonDocument
		if errors.Is(err, &sign.Error{Reason: sign.ReasonRequest}) {
			reason = ReasonRequest
		}
		if ctx.Err() != nil {
			reason = ReasonTransport
		}
		return nil, &Error{Reason: reason, Step: stepStart, Err: err}
	}
	return tx, nil
}

// register makes the transaction known to the service, which gives it an id and a time.
func (c *Client) register(ctx context.Context, tx *sign.Transaction) error {
	body, err := c.startBody(base64.StdEncoding.EncodeToString(tx.Padded()))
	if err != nil {
		return err
	}
	token, err := c.service.ServiceToken(ctx)
	if err != nil {
		return &Error{Reason: ReasonServiceToken, Step: stepStart, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return &Error{Reason: ReasonConfiguration, Step: stepStart, Err: err}
	}
	// Without GetBody net/http cannot send the body a second time by itself.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	x := exchange{
		step: stepStart, success: c.wire.StartStatuses, token: ReasonServiceToken,
		missing: ReasonRejected, // there is no transaction yet: the address is wrong
	}
	a, err := c.do(req, token.Reveal(), x)
	if err != nil {
		return err
	}
	if err := c.judge(a, x); err != nil {
		return err
	}
	if err := c.parseStart(a.body, tx); err != nil {
		return err
	}
	c.logger.DebugContext(
		ctx,
		"signature transaction started",
		slog.String("mode", tx.Mode.String()),
		slog.Time("expires", tx.Expires),
	)
	return nil
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
		return nil, &Error{Reason: ReasonConfiguration, Step: stepStart, Err: err}
	}
	return body, nil
}

func (c *Client) parseStart(answer []byte, tx *sign.Transaction) error {
	refuse := func(detail string) error { return &Error{Reason: ReasonResponse, Step: stepStart, Detail: detail} }
	members, err := strictjson.Object(answer)
	if err != nil {
		return refuse("not an object")
	}
	id, ok := strictjson.String(members[c.wire.StartIDField])
	if !ok || !c.validID(id) {
		return refuse("transaction id")
	}
	lifetime := int64(c.wire.StartDefaultLifetime)
	name := c.wire.StartLifetimeField
	if raw, listed := strictjson.Present(members, name); listed && name != "" {
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
