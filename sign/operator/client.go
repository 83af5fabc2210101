package operator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
)

// Config configures a [Client].
type Config struct {
	// URL is the operator's address for verifications; https, or http to a loopback address. Required.
	URL string
	// Authorize puts the operator's credentials into a request; required. It is called once for each attempt.
	Authorize func(*http.Request) error
	// Method is the check that is asked for, "OCSP" or "CRL"; default "OCSP".
	Method string
	// IdentifyUser asks for the operator's user id.
	IdentifyUser bool
	// HTTPClient makes the calls; default one with a timeout of ten seconds. Redirects are never followed.
	HTTPClient *http.Client
	// BreakAfter is the number of failures in a row after which nothing is sent for BreakFor: default 5, -1 never.
	// BreakFor is by default 30 seconds.
	BreakAfter int
	BreakFor   time.Duration
	// Wire is the wire profile; nil means [DefaultWire].
	Wire *Wire
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets records without any personal data; default: discard.
	Logger *slog.Logger
}

// Client asks a platform operator for verdicts. It implements sign.PlatformVerifier, is immutable and safe for
// concurrent use.
type Client struct {
	config Config
	wire   Wire
	client *http.Client
}

var _ sign.PlatformVerifier = (*Client)(nil)

// How far a verdict's time may be off the client's clock. A verdict that was given earlier is a repetition.
const verdictSkew = 5 * time.Minute

// verdictAge is how old a verdict on a repeated request may be; it is the time for which a [Handler] remembers.
const verdictAge = 24 * time.Hour

// New validates and copies the configuration. Its error is an [*Error] with [ReasonConfiguration] whose Detail lists
// every mistake by the name of its field.
func New(c Config) (*Client, error) { return newClient(c, nil) }

// newClient makes a client for the URL, or for paths below it, each with a circuit of its own.
func newClient(c Config, paths func(*Wire) []string) (*Client, error) {
	cl := &Client{config: c, wire: DefaultWire()}
	if c.Wire != nil {
		cl.wire = *c.Wire
	}
	list := cl.wire.mistakes()
	u, err := url.Parse(c.URL)
	list.Add(err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !loopback(u),
		"URL must be https, or http to a loopback address")
	list.Add(c.Authorize == nil, "Authorize is missing")
	list.Add(c.Method != "" && c.Method != "OCSP" && c.Method != "CRL", "Method must be OCSP or CRL")
	list.Add(c.BreakAfter < -1, "BreakAfter must be at least -1")
	list.Add(c.BreakFor < 0, "BreakFor must not be negative")
	list.Add(c.IdentifyUser && (cl.wire.IdentifyField == "" || cl.wire.UserIDField == ""),
		"IdentifyUser needs Wire.IdentifyField and Wire.UserIDField")
	if paths != nil {
		cl.wire.Latest.check(&list)
	}
	client, err := webcall.Client(c.HTTPClient)
	if err != nil {
		list.Add(true, "HTTPClient: "+err.Error()) // constant texts
	}
	if err := misconfigured("client", list); err != nil {
		return nil, err
	}
	d := &cl.config
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Method == "" {
		d.Method = "OCSP"
	}
	breaker := webcall.Breaker{After: 5, Pause: 30 * time.Second, Now: d.Now, Log: d.Logger}
	if d.BreakAfter != 0 {
		breaker.After = max(d.BreakAfter, 0)
	}
	if d.BreakFor > 0 {
		breaker.Pause = d.BreakFor
	}
	endpoints := []webcall.Endpoint{{Name: "operator", URL: d.URL}}
	if paths != nil {
		endpoints = nil
		for _, path := range paths(&cl.wire) {
			endpoints = append(endpoints, webcall.Endpoint{Name: "operator" + path, URL: d.URL + path})
		}
	}
	guarded := *client
	guarded.Transport = webcall.Guard(client.Transport, breaker, endpoints...)
	cl.client = &guarded
	return cl, nil
}

func loopback(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1")
}

// Verify asks for a verdict on a sealed result. The error is nil exactly when the verdict is good; with [ReasonExpired]
// and [ReasonRevoked] the verdict comes along, because the operator judged. Errors are [*Error].
func (c *Client) Verify(ctx context.Context, s *sign.Sealed, tx *sign.Transaction) (*sign.Verdict, error) {
	jwe := s.RevealJWE()
	if jwe == "" {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Detail: "nothing sealed"}
	}
	return c.verify(ctx, map[string]any{c.wire.SealedField: jwe}, tx)
}

// VerifyOpened asks for a verdict on a signature with its certificate, as from a card in a reader. Otherwise it is
// [Client.Verify].
func (c *Client) VerifyOpened(ctx context.Context, o *sign.Opened, tx *sign.Transaction) (*sign.Verdict, error) {
	signature, certificate := o.RevealSignature(), o.RevealCertificate()
	if len(signature) == 0 || len(certificate) == 0 {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Detail: "nothing opened"}
	}
	return c.verify(ctx, map[string]any{
		c.wire.SignatureField:   base64.StdEncoding.EncodeToString(signature),
		c.wire.CertificateField: base64.StdEncoding.EncodeToString(certificate),
	}, tx)
}

func (c *Client) verify(ctx context.Context, members map[string]any, tx *sign.Transaction) (*sign.Verdict, error) {
	if !c.usable(tx) {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Detail: "transaction"}
	}
	w := c.wire
	for name, value := range map[string]any{
		w.HashAlgorithmField: hashAlgorithm, w.DigestField: base64.StdEncoding.EncodeToString(tx.Digest[:]),
		w.ModeField: tx.Mode.String(), w.TransactionField: tx.ID, w.MethodField: c.config.Method,
		w.IdentifyField: c.config.IdentifyUser,
	} {
		members[name] = value
	}
	delete(members, "") // what the profile does not have
	body, err := json.Marshal(members)
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Err: err}
	}
	answer, err := c.ask(ctx, "", body, c.wire.IdempotencyHeader)
	if err != nil {
		return nil, err
	}
	verdict, err := c.read(answer, tx)
	c.config.Logger.DebugContext(
		ctx,
		"operator answered",
		slog.Int("status", answer.Status),
		slog.Bool("good", err == nil),
	)
	return verdict, err
}

func (c *Client) usable(tx *sign.Transaction) bool {
	return tx != nil && tx.Mode.Valid() && (c.wire.TransactionField == "" || sign.ValidTransactionID(tx.ID))
}

// idempotent stands in for the name of a header where asking again changes nothing.
const idempotent = "-"

// ask sends the request, and once more when that is safe: nothing left, or the operator recognises a repetition by a
// header, or nothing comes of one.
func (c *Client) ask(ctx context.Context, path string, body []byte, header string) (webcall.Answer, error) {
	repeatable := header != ""
	sum := sha256.Sum256(body)
	for attempt := 1; ; attempt++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+path, bytes.NewReader(body))
		if err != nil {
			return webcall.Answer{}, &Error{Reason: ReasonConfiguration, Step: "verify", Err: err}
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		switch {
		case !repeatable:
			req.GetBody = nil // without it net/http cannot send the body a second time by itself
		case header != idempotent:
			req.Header.Set(header, hex.EncodeToString(sum[:]))
		}
		if err := c.config.Authorize(req); err != nil {
			return webcall.Answer{}, &Error{Reason: ReasonCredentials, Step: "verify", Err: err}
		}
		answer, err := webcall.Do(c.client, req, limits.OperatorAnswer)
		again := attempt < webcall.MaxAttempts && ctx.Err() == nil
		switch {
		case err != nil && again && (webcall.NeverSent(ctx, err) || repeatable && broke(err)):
		case err != nil && webcall.Explain(err).Problem == webcall.Size:
			return webcall.Answer{}, &Error{Reason: ReasonResponse, Step: "verify", Detail: "size"}
		case err != nil:
			return webcall.Answer{}, &Error{
				Reason: ReasonTransport, Step: "verify", Detail: string(webcall.Explain(err).Problem), Err: err,
			}
		case answer.Status >= http.StatusInternalServerError && again && repeatable &&
			answer.Status != http.StatusServiceUnavailable: // which asks to wait
		default:
			return answer, nil
		}
	}
}

// broke reports whether a call failed on its way. A slow operator is not asked again at once.
func broke(err error) bool { return webcall.Explain(err).Problem == webcall.Connection }

// read judges an answer.
func (c *Client) read(a webcall.Answer, tx *sign.Transaction) (*sign.Verdict, error) {
	refuse := func(reason Reason, detail string) error {
		return &Error{Reason: reason, Step: "verify", Detail: detail}
	}
	members, err := strictjson.Object(a.Body)
	if a.Status != http.StatusOK && a.Status != http.StatusCreated { // a verification is a thing that was made
		return nil, c.readError(a, members)
	}
	if err != nil {
		return nil, refuse(ReasonResponse, "not an object")
	}
	text := func(name string) string {
		s, _ := strictjson.String(members[name])
		return s
	}
	code := text(c.wire.CodeField)
	if code == "" {
		if _, isError := members[c.wire.ErrorField]; isError {
			return nil, c.readError(a, members)
		}
		return nil, refuse(ReasonResponse, "no code")
	}
	if said, ok := optional(members, c.wire.ErrorField); !ok || said != "" {
		return nil, refuse(ReasonResponse, "a code and an error")
	}
	if c.wire.Echo {
		digest := base64.StdEncoding.EncodeToString(tx.Digest[:])
		if !same(text(c.wire.DigestField), digest) ||
			c.wire.TransactionField != "" && !same(text(c.wire.TransactionField), tx.ID) {
			return nil, refuse(ReasonOtherVerdict, "")
		}
	}
	status, reason := c.judged(code)
	if reason != ReasonUnknown && status == jpki.Unknown {
		return nil, refuse(reason, "")
	}
	v := &sign.Verdict{VerificationID: text(c.wire.VerificationIDField), Status: status, Method: c.config.Method}
	if !sign.ValidTransactionID(v.VerificationID) { // as opaque as a transaction's id
		return nil, refuse(ReasonResponse, "verification id")
	}
	var ok bool
	if v.VerifiedAt, ok = moment(text(c.wire.VerifiedAtField)); !ok || v.VerifiedAt.IsZero() {
		return nil, refuse(ReasonResponse, "time of verification")
	}
	now := c.config.Now()
	if v.VerifiedAt.After(now.Add(verdictSkew)) || v.VerifiedAt.Before(now.Add(-verdictAge-verdictSkew)) {
		return nil, refuse(ReasonOtherVerdict, "of another time")
	}
	updated, ok := optional(members, c.wire.SourceUpdatedAtField)
	if v.SourceUpdatedAt, ok = within(updated, ok); !ok {
		return nil, refuse(ReasonResponse, "time of the source")
	}
	switch method, ok := optional(members, c.wire.MethodField); {
	case method == "OCSP", method == "CRL":
		v.Method = method
	case !ok || method != "":
		return nil, refuse(ReasonResponse, "check method")
	}
	if c.config.IdentifyUser {
		switch id, ok := optional(members, c.wire.UserIDField); {
		case !ok || id != "" && !sign.ValidTransactionID(id):
			return nil, refuse(ReasonResponse, "user id")
		case id != "":
			v.UserID = sign.NewUserID(id)
		}
	}
	if reason != ReasonUnknown {
		return v, refuse(reason, "")
	}
	return v, nil
}

// judged is what a code of the answer means. A code that is none of ours is no verdict; those about consents are no
// verdicts either.
func (c *Client) judged(code string) (jpki.Status, Reason) {
	codes := c.wire.Codes
	for _, known := range []struct {
		code   string
		status jpki.Status
		reason Reason
	}{
		{codes.OK, jpki.Good, ReasonUnknown},
		{codes.Expired, jpki.Expired, ReasonExpired},
		{codes.Revoked, jpki.Revoked, ReasonRevoked},
		{codes.Mismatch, jpki.Unknown, ReasonSignature},
		{codes.Unsupported, jpki.Unknown, ReasonUnsupported},
		{codes.Sealed, jpki.Unknown, ReasonSealed},
		{codes.Reused, jpki.Unknown, ReasonReused},
		{codes.Request, jpki.Unknown, ReasonRequest},
		{codes.Unavailable, jpki.Unknown, ReasonBusy},
		{c.wire.Latest.NoConsentCode, jpki.Unknown, ReasonConsent},
		{c.wire.Latest.DocumentCode, jpki.Unknown, ReasonDocument},
	} {
		if code == known.code {
			return known.status, known.reason
		}
	}
	return jpki.Unknown, ReasonResponse
}

// readError judges an answer without a verdict. A code that is known wins over the status, because a proxy in between
// can change the status but does not invent codes; a code of a verdict is none here.
func (c *Client) readError(a webcall.Answer, members map[string]json.RawMessage) error {
	e := &Error{Step: "verify", RetryAfter: webcall.RetryAfter(a.Header.Get("Retry-After"), c.config.Now())}
	if code, ok := strictjson.String(members[c.wire.ErrorField]); ok && code != "" {
		status, reason := c.judged(code)
		if status == jpki.Unknown && reason != ReasonResponse {
			e.Reason = reason
			return e
		}
	}
	switch {
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		e.Reason = ReasonCredentials
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable:
		e.Reason = ReasonBusy
	case a.Status >= http.StatusInternalServerError:
		e.Reason, e.Detail = ReasonTransport, "server error"
	case a.Status >= http.StatusBadRequest:
		e.Reason = ReasonRequest
	default: // a redirect, or an unlisted success
		e.Reason, e.Detail = ReasonResponse, "status"
	}
	return e
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// optional returns the text of a member that may be left out, or be null. ok is false for one of another type: what
// cannot be read must not be taken for what was not said.
func optional(members map[string]json.RawMessage, name string) (text string, ok bool) {
	raw, present := strictjson.Present(members, name)
	if !present || name == "" {
		return "", true
	}
	return strictjson.String(raw)
}

// within is [moment] of an [optional] text.
func within(text string, ok bool) (time.Time, bool) {
	t, read := moment(text)
	return t, ok && read
}

// moment reads an RFC 3339 time; the empty string is the zero time.
func moment(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil
}
