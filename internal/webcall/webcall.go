// Package webcall is how this module calls services over the web: with a limit on time and size, without following
// redirects, without cookies, and not at all for a while once a service has stopped answering.
//
// [Client] hardens the caller's *http.Client, [Guard] adds the circuits, [Get], [Do], [Read] and [Body] read an answer
// whole within its limit. Every error is an [*Error] whose text is constant; [Explain] makes one of what an
// *http.Client returned.
package webcall

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

const (
	// DefaultTimeout is the time that one call may take, from connecting to the last byte.
	DefaultTimeout = 10 * time.Second
	// MaxAttempts bounds the repetition of requests where it is safe: once, at once.
	MaxAttempts = 2
)

// Problem says why there is no answer; the values are stable names.
type Problem string

// The problems.
const (
	// Connection: none could be had, or it broke.
	Connection Problem = "connection"
	// Timeout: the service or the caller's deadline was too slow.
	Timeout Problem = "timeout"
	// Cancelled: the caller gave up.
	Cancelled Problem = "cancelled"
	// Size: the answer is larger than its limit.
	Size Problem = "size"
	// CircuitOpen: nothing was sent, because the service did not answer a moment ago.
	CircuitOpen Problem = "circuit open"
	// BadURL: the address is none.
	BadURL Problem = "URL"
)

// Error is every error of a call. Its text is the problem; Err is the cause, without the URL that package net/http
// wraps around it.
type Error struct {
	Problem Problem
	Err     error
}

// Error implements error.
func (e *Error) Error() string { return "webcall: " + string(e.Problem) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var errTooLarge = errors.New("webcall: the answer is too large")

// Explain classifies what an HTTP client, or the reader of a body, returned.
func Explain(err error) *Error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	problem := Connection
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			problem = Timeout
		}
		err = u.Err
	}
	switch {
	case errors.Is(err, context.Canceled):
		problem = Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		problem = Timeout
	case errors.Is(err, errTooLarge):
		problem = Size
	}
	return &Error{problem, err}
}

var (
	errInsecureTLS      = errors.New("webcall: must not skip the verification of TLS certificates")
	errForeignTransport = errors.New("webcall: needs a Transport, because http.DefaultTransport has been replaced")
)

// Client copies the given client, nil meaning a new one, and closes what a client of tokens must not do: wait for ever,
// follow a redirect (which would carry code and assertion to another host: RFC 9700, section 4.12), keep cookies, read
// more than limits.HTTPBody. The text of an error is constant and says what the client must not do.
func Client(given *http.Client) (*http.Client, error) {
	var own http.Client
	if given != nil {
		own = *given
	}
	if own.Transport == nil {
		// A pool of our own: closing idle connections elsewhere must not touch it.
		t, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			return nil, errForeignTransport
		}
		t = t.Clone()
		t.MaxResponseHeaderBytes = limits.HTTPHeader
		own.Transport = t
	}
	if t, ok := own.Transport.(*http.Transport); ok && t.TLSClientConfig != nil &&
		t.TLSClientConfig.InsecureSkipVerify {
		return nil, errInsecureTLS
	}
	if _, capped := own.Transport.(cappedTransport); !capped {
		own.Transport = cappedTransport{own.Transport}
	}
	if own.Timeout <= 0 {
		own.Timeout = DefaultTimeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own, nil
}

// cappedTransport ends every body at limits.HTTPBody, whoever reads it; callers have lower limits.
type cappedTransport struct{ base http.RoundTripper }

func (t cappedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: limits.HTTPBody}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport inside.
func (t cappedTransport) CloseIdleConnections() { closeIdle(t.base) }

func closeIdle(t http.RoundTripper) {
	if c, ok := t.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 { // one byte more than allowed tells "exactly the limit" from "too much"
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// Answer is a response that has been read.
type Answer struct {
	Status    int
	Header    http.Header
	MediaType string // lower case, without parameters; empty if there is none that can be read
	Body      []byte
}

// IsJSON accepts application/json, types of the +json family (RFC 6839, section 3.1), text/json, which was never
// registered and is sent, and an object about whose type nothing was said: then a recipient may "examine the data to
// determine its type" (RFC 9110, section 8.3).
func (a Answer) IsJSON() bool {
	return a.MediaType == "application/json" || a.MediaType == "text/json" ||
		(strings.HasPrefix(a.MediaType, "application/") && strings.HasSuffix(a.MediaType, "+json")) ||
		(a.Header.Values("Content-Type") == nil && bytes.HasPrefix(bytes.TrimLeft(a.Body, " \t\r\n"), []byte("{")))
}

// Query is a GET request.
type Query struct {
	URL    string
	Limit  int64  // of the body, in bytes
	Accept string // media types
	Bearer string // a token; empty sends none
}

// Get asks, and asks once more if no connection could be had.
func Get(ctx context.Context, client *http.Client, q Query) (Answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := GetOnce(ctx, client, q)
		if err == nil || attempt >= MaxAttempts || !NeverSent(ctx, err) {
			return a, err
		}
	}
}

// GetOnce asks once.
func GetOnce(ctx context.Context, client *http.Client, q Query) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL, http.NoBody)
	if err != nil {
		return Answer{}, &Error{BadURL, err}
	}
	req.Header.Set("Accept", q.Accept)
	if q.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+q.Bearer)
	}
	return Do(client, req, q.Limit)
}

// Do sends the request once and reads the answer.
func Do(client *http.Client, req *http.Request, limit int64) (Answer, error) {
	resp, err := client.Do(req) //nolint:gosec // the URL is one of the configuration
	if err != nil {
		return Answer{}, Explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return Read(resp, limit)
}

// Read reads the body of a response, which the caller closes.
func Read(resp *http.Response, limit int64) (Answer, error) {
	body, err := Body(resp, limit)
	if err != nil {
		return Answer{}, Explain(err)
	}
	// "implementations that parse JSON texts MAY ignore the presence of a byte order mark rather than treating it as an
	// error" (RFC 8259, section 8.1); nothing else that is read here begins like one.
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	mediaType := mediaTypeOf(resp.Header.Get("Content-Type"))
	return Answer{Status: resp.StatusCode, Header: resp.Header, MediaType: mediaType, Body: body}, nil
}

// mediaTypeOf reads the type and forgives its parameters: odd ones, one that is there twice because two programs each
// added it, and a whole second type behind a comma (RFC 9110, section 8.3, tells how such lists come about).
func mediaTypeOf(contentType string) string {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err == nil || errors.Is(err, mime.ErrInvalidMediaParameter) {
		return mediaType
	}
	if end := strings.IndexAny(contentType, ";,"); end >= 0 {
		if mediaType, _, err = mime.ParseMediaType(contentType[:end]); err == nil {
			return mediaType
		}
	}
	return ""
}

// maxAnnounced is how much room is made in advance for what a header announces.
const maxAnnounced = 64 << 10

// Body reads the body of a response, which the caller closes. Errors are those of the connection, or that the body is
// larger than the limit.
func Body(resp *http.Response, limit int64) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), limit, maxAnnounced)) + bytes.MinRead) // the end needs no more room
	_, err := body.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(body.Len()) > limit {
		err = errTooLarge
	}
	return body.Bytes(), err
}

// NeverSent reports whether it is certain that nothing of the request left: the connection was not established. A reset
// or a timeout proves nothing of the kind, and neither does an error of a transport that is not package net/http's.
func NeverSent(ctx context.Context, err error) bool {
	var op *net.OpError
	return ctx.Err() == nil && errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}
