// Package tsa asks a timestamp authority (時刻認証業務) over HTTP (RFC 3161, 3.4), and gives back only what
// timestamp.Verifier verified:
//
//	client, err := tsa.New(tsa.Config{URL: "https://tsa.example/", Verifier: verifier})
//	stamped, err := client.Stamp(ctx, signatureValue)
//
// # Examples
//
// There is an example of the package as a whole.
//
// # Compatibility
//
// The package stores nothing. Tokens stay as the authority made them.
package tsa

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// Config configures a [Client].
type Config struct {
	// URL is the authority's; https, or http to a loopback address. Required. Authorities that are reached over http
	// alone need AllowHTTP.
	URL string
	// AllowHTTP allows http to any host. What is stamped is a hash, and the answer is signed: who listens learns that
	// something was stamped, and who interferes can only prevent it.
	AllowHTTP bool
	// Verifier judges the answers; required.
	Verifier *timestamp.Verifier
	// Hash is that of the messages: SHA-256 (the default), SHA-384 or SHA-512.
	Hash crypto.Hash
	// Policy is the one that is asked for; nil leaves it to the authority.
	Policy asn1.ObjectIdentifier
	// Authorize puts credentials into a request; nil when the authority wants none.
	Authorize func(*http.Request) error
	// HTTPClient makes the calls; default one with a timeout of ten seconds. Redirects are never followed.
	HTTPClient *http.Client
	// Random makes the nonces; default crypto/rand.Reader.
	Random io.Reader
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets what the circuit does; default: discard.
	Logger *slog.Logger
}

// Client asks one authority. It is immutable and safe for concurrent use. When the authority has not answered five
// times in a row, it is not asked for half a minute.
type Client struct {
	config Config
	client *http.Client
}

const (
	typeQuery = "application/timestamp-query"
	typeReply = "application/timestamp-reply"

	// nonceBytes is the length of a nonce.
	nonceBytes = 16
	// skew is how far the authority's clock may be behind ours.
	skew = 5 * time.Minute
)

// New validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration].
func New(c Config) (*Client, error) {
	wrong := func(step, detail string, err error) (*Client, error) {
		return nil, &Error{Reason: ReasonConfiguration, Step: step, Detail: detail, Err: err}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !c.AllowHTTP && !loopback(u.Hostname())) {
		return wrong("url", "URL must be https, or http to a loopback address", err)
	}
	if c.Verifier == nil {
		return wrong("verifier", "Verifier is missing", nil)
	}
	if c.Hash == 0 {
		c.Hash = crypto.SHA256
	}
	if signeddata.OIDOf(c.Hash) == nil {
		return wrong("hash", "Hash must be SHA-256, SHA-384 or SHA-512", nil)
	}
	client, err := webcall.Client(c.HTTPClient)
	if err != nil {
		return wrong("http-client", "", err)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	guarded := *client
	guarded.Transport = webcall.Guard(client.Transport,
		webcall.Breaker{After: 5, Pause: 30 * time.Second, Now: c.Now, Log: c.Logger},
		webcall.Endpoint{Name: "timestamp authority", URL: c.URL})
	return &Client{c, &guarded}, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Stamp hashes the message and has the hash stamped. For a signature the message is the signature value. The request is
// sent once more only when it is certain that it did not leave. Errors are [*Error] when there is no answer, and
// *timestamp.Error when the authority refuses or its answer does not hold.
func (c *Client) Stamp(ctx context.Context, message []byte) (*timestamp.Timestamp, error) {
	nonce := make([]byte, nonceBytes)
	if _, err := io.ReadFull(c.config.Random, nonce); err != nil {
		return nil, &Error{Reason: ReasonUnavailable, Step: "nonce", Err: err}
	}
	nonce[0] = nonce[0]&0x7f | 0x40 // of full length, and positive
	request := timestamp.Request{
		Hash: c.config.Hash, Digest: signeddata.Sum(c.config.Hash, message), Policy: c.config.Policy,
		Nonce: new(big.Int).SetBytes(nonce),
	}
	encoded, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	asked := c.config.Now()
	response, err := c.ask(ctx, encoded)
	for attempt := 1; err != nil && attempt < webcall.MaxAttempts && webcall.NeverSent(ctx, err); attempt++ {
		response, err = c.ask(ctx, encoded)
	}
	if err != nil {
		return nil, err
	}
	token, err := timestamp.ParseResponse(response)
	if err != nil {
		return nil, err
	}
	return c.config.Verifier.Verify(ctx, token, timestamp.Expect{Request: request, NotBefore: asked.Add(-skew)})
}

func (c *Client) ask(ctx context.Context, query []byte) ([]byte, error) {
	fail := func(step string, err error) ([]byte, error) {
		return nil, &Error{Reason: ReasonUnavailable, Step: step, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL, bytes.NewReader(query))
	if err != nil {
		return fail("request", err)
	}
	req.Header.Set("Content-Type", typeQuery)
	req.Header.Set("Accept", typeReply)
	req.Header.Set("Accept-Encoding", "identity") // a compressed answer could grow past the limit
	if c.config.Authorize != nil {
		if err := c.config.Authorize(req); err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Step: "authorize", Err: err}
		}
	}
	a, err := webcall.Do(c.client, req, limits.TimestampResponse)
	switch {
	case err != nil:
		return fail(string(webcall.Explain(err).Problem), err)
	case a.Status != http.StatusOK:
		return fail("http-status", nil)
	case a.MediaType != typeReply:
		return fail("content-type", nil)
	}
	return a.Body, nil
}
