package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Config configures a client of the sign API. New copies it.
type Config struct {
	// Client authenticates to the service and names its endpoints and wire profile; required.
	Client *authn.Client
	// Now is the clock for Transaction.Started and Expires; default time.Now.
	Now func() time.Time
	// Logger gets debug records without any personal data, token, signature or certificate; default: discard.
	Logger *slog.Logger
	// OpaqueTransactionIDs accepts any transaction id of visible ASCII. By default an id must have the shape of a
	// UUID (8-4-4-4-12 hexadecimal digits, any version). The wire profile's AnyTransactionID does the same.
	OpaqueTransactionIDs bool
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
	idShape  func(string) bool
}

// New validates the configuration. Its errors are [*Error] with [ReasonConfiguration].
func New(c Config) (*Client, error) {
	if c.Client == nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "client"}
	}
	return newClient(c.Client, c.Client.Wire().Sign, c)
}

func newClient(s service, names wire.Sign, c Config) (*Client, error) {
	endpoint := s.Environment().SignEndpoint
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, &Error{Reason: ReasonConfiguration, Step: "sign endpoint"}
	}
	if err := checkWire(names); err != nil {
		return nil, err
	}
	cl := &Client{service: s, endpoint: endpoint, wire: names, now: c.Now, logger: c.Logger, idShape: uuidShaped}
	if cl.now == nil {
		cl.now = time.Now
	}
	if cl.logger == nil {
		cl.logger = slog.New(slog.DiscardHandler)
	}
	if c.OpaqueTransactionIDs || names.AnyTransactionID {
		cl.idShape = opaqueID
	}
	return cl, nil
}

// checkWire refuses a wire profile under which a request or an answer would be ambiguous.
func checkWire(w wire.Sign) error {
	refuse := func(entry string) error { return &Error{Reason: ReasonConfiguration, Step: "wire profile: " + entry} }
	switch {
	case w.StartHashField == "":
		return refuse("StartHashField")
	case w.StartIDField == "":
		return refuse("StartIDField")
	case len(w.StartStatuses) == 0 || slices.Contains(w.StartStatuses, 0):
		return refuse("StartStatuses")
	case len(w.ResultStatuses) == 0 || slices.Contains(w.ResultStatuses, w.PendingStatus):
		return refuse("ResultStatuses")
	case w.ResultJWEField == "" && (w.ResultSignatureField == "" || w.ResultCertificateField == ""):
		return refuse("ResultJWEField")
	case w.ResultSignatureField != "" && w.ResultSignatureField == w.ResultCertificateField:
		return refuse("ResultCertificateField")
	case w.StartDefaultLifetime <= 0 || w.StartDefaultLifetime > limits.TransactionLifetime:
		return refuse("StartDefaultLifetime")
	}
	own := []string{w.StartClientIDField, w.StartHashField, w.StartHashAlgorithmField}
	for name := range w.StartExtraFields {
		if name == "" || slices.Contains(own, name) {
			return refuse("StartExtraFields")
		}
	}
	return nil
}

// Start hashes the document and registers the transaction. The document's reader is read to its end before anything is
// sent. The request is sent at most once: after bytes went out, whether the service registered a transaction is
// unknown, so the caller decides about another one. Errors are [*Error].
func (c *Client) Start(ctx context.Context, d Document, m Mode) (*Transaction, error) {
	const step = "start"
	if !m.Valid() {
		return nil, &Error{Reason: ReasonRequest, Step: "start: mode"}
	}
	mediaType, ok := mediaTypeOf(d.MediaType)
	if !ok {
		return nil, &Error{Reason: ReasonRequest, Step: "start: media type"}
	}
	digest, err := hashDocument(ctx, d.Reader, "start: document")
	if err != nil {
		return nil, err
	}
	body, err := c.startBody(m.encodedInput(digest))
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
	tx, err := c.parseStart(answer)
	if err != nil {
		return nil, err
	}
	tx.Mode, tx.Digest, tx.MediaType = m, digest, mediaType
	c.logger.DebugContext(ctx, "signature transaction started", slog.String("mode", m.String()), slog.Time("expires", tx.Expires))
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

func (c *Client) parseStart(answer []byte) (*Transaction, error) {
	refuse := func(what string) error { return &Error{Reason: ReasonResponse, Step: "start: " + what} }
	members, err := strictjson.Object(answer)
	if err != nil {
		return nil, refuse("answer")
	}
	id, present, ok := stringMember(members, c.wire.StartIDField)
	if !ok || !present || !c.idShape(id) {
		return nil, refuse("transaction id")
	}
	lifetime := int64(c.wire.StartDefaultLifetime)
	if raw, listed := members[c.wire.StartLifetimeField]; listed && c.wire.StartLifetimeField != "" {
		lifetime, ok = strictjson.Integer(raw)
		if !ok || lifetime <= 0 || lifetime > limits.TransactionLifetime {
			return nil, refuse("lifetime")
		}
	}
	started := c.now()
	return &Transaction{ID: id, Started: started, Expires: started.Add(time.Duration(lifetime) * time.Second)}, nil
}
