package authn

import (
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
	// defaultTimeout is the time that one call to the service may take, from connecting to the last byte.
	defaultTimeout = 10 * time.Second
	// maxAttempts bounds the repetition of requests where it is safe: once, at once.
	maxAttempts = 2
)

var (
	errTooLarge         = errors.New("authn: the answer is too large")
	errInsecureTLS      = mistake("HTTPClient must not skip the verification of TLS certificates")
	errForeignTransport = mistake("http.DefaultTransport has been replaced: set HTTPClient.Transport")
)

// harden copies the caller's client and closes what a token client must not do: wait for ever, follow a redirect (which
// would carry code and assertion to another host: RFC 9700, section 4.12), keep cookies, read without bound.
func harden(c *http.Client) (*http.Client, error) {
	var own http.Client
	if c != nil {
		own = *c
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
	if t, ok := own.Transport.(*http.Transport); ok && t.TLSClientConfig != nil && t.TLSClientConfig.InsecureSkipVerify {
		return nil, errInsecureTLS
	}
	if _, capped := own.Transport.(cappedTransport); !capped {
		own.Transport = cappedTransport{own.Transport}
	}
	if own.Timeout <= 0 {
		own.Timeout = defaultTimeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own, nil
}

// cappedTransport ends every body at limits.HTTPBody, whoever reads it; the readers of this package have lower limits.
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
func (t cappedTransport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
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

// answer is a response that has been read.
type answer struct {
	status    int
	mediaType string // lower case, without parameters
	body      []byte
}

// get fetches target; bearer may be empty. It is repeated once if no connection could be had. Errors are ReasonTransport,
// or errTooLarge inside one.
func get(ctx context.Context, client *http.Client, target string, limit int64, accept, bearer string) (answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := getOnce(ctx, client, target, limit, accept, bearer)
		if err == nil || attempt >= maxAttempts || !neverSent(ctx, err) {
			return a, err
		}
	}
}

// neverSent reports whether it is certain that nothing of the request left: the connection was not established. A reset or
// a timeout proves nothing of the kind, and neither does an error of a transport that is not package net/http's.
func neverSent(ctx context.Context, err error) bool {
	var op *net.OpError
	return ctx.Err() == nil && errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}

func getOnce(ctx context.Context, client *http.Client, target string, limit int64, accept, bearer string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return answer{}, &Error{Reason: ReasonConfiguration, Check: "URL"}
	}
	req.Header.Set("Accept", accept)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, transportError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	a, err := readAnswer(resp, limit)
	if err != nil {
		return answer{}, transportError(err)
	}
	return a, nil
}

// readAnswer reads the body; the caller closes it.
func readAnswer(resp *http.Response, limit int64) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return answer{}, err
	}
	if int64(len(body)) > limit {
		return answer{}, errTooLarge
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) { // odd parameters are forgiven, the type is there
		mediaType = ""
	}
	return answer{status: resp.StatusCode, mediaType: mediaType, body: body}, nil
}

// isJSON accepts application/json and types of the +json family (RFC 6839, section 3.1).
func (a answer) isJSON() bool {
	return a.mediaType == "application/json" ||
		(strings.HasPrefix(a.mediaType, "application/") && strings.HasSuffix(a.mediaType, "+json"))
}

// transportError classifies what an HTTP client returned. The *url.Error around the cause is dropped: it holds the URL.
func transportError(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	check := "connection"
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			check = "timeout"
		}
		err = u.Err
	}
	switch {
	case errors.Is(err, context.Canceled):
		check = "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		check = "timeout"
	case errors.Is(err, errTooLarge):
		check = "size"
	}
	return &Error{Reason: ReasonTransport, Check: check, Err: err}
}
