// Package responder reaches an OCSP responder over HTTP (RFC 6960, appendix A). It is the only part of the revocation
// engine that links an HTTP client; what it brings back is judged by revocation.OCSP:
//
//	over, err := responder.New(responder.Config{URL: "https://ocsp.example/"})
//	source, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
package responder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

const defaultTimeout = 10 * time.Second

const (
	typeRequest  = "application/ocsp-request"
	typeResponse = "application/ocsp-response"
)

// Config says where the responder is. Its URL is configured, never taken from a certificate: that URL was chosen by
// whoever made the certificate, and following it would let strangers make this program send requests.
type Config struct {
	// URL is the responder's, https or (on loopback only) http. Required.
	URL string
	// HTTPClient carries TLS settings and timeouts; nil is a client with a timeout of 10 s. Redirects are never
	// followed.
	HTTPClient *http.Client
}

// HTTP is a responder behind a URL. It is immutable and safe for concurrent use.
type HTTP struct {
	url    string
	client *http.Client
}

// New validates the configuration. Errors are [*Error] with [ReasonConfiguration].
func New(c Config) (*HTTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, &Error{Reason: ReasonConfiguration, Step: "url"}
	}
	client := &http.Client{Timeout: defaultTimeout}
	if c.HTTPClient != nil {
		copied := *c.HTTPClient
		client = &copied
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	return &HTTP{url: u.String(), client: client}, nil
}

// isLoopback accepts only addresses and the one name that RFC 6761, 6.3 reserves.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var (
	errStatus      = errors.New("responder: the HTTP status is not 200")
	errContentType = errors.New("responder: the answer is not application/ocsp-response")
	errSize        = errors.New("responder: the answer is too large")
)

// Ask posts the request and returns the answer's body (RFC 6960, A.1), unread. Errors are [*Error] with
// [ReasonUnavailable] and, as step, "request", "transport", "http-status", "content-type" or "size".
func (h *HTTP) Ask(ctx context.Context, request []byte) ([]byte, error) {
	fail := func(step string, err error) ([]byte, error) {
		return nil, &Error{Reason: ReasonUnavailable, Step: step, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(request))
	if err != nil {
		return fail("request", err)
	}
	req.Header.Set("Content-Type", typeRequest)
	req.Header.Set("Accept", typeResponse)
	req.Header.Set("Accept-Encoding", "identity") // a compressed answer could grow past the limit
	resp, err := h.client.Do(req)
	if err != nil {
		return fail("transport", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return fail("http-status", errStatus)
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != typeResponse {
		return fail("content-type", errContentType)
	}
	der, err := io.ReadAll(io.LimitReader(resp.Body, limits.OCSPResponse+1))
	if err != nil {
		return fail("transport", err)
	}
	if len(der) > limits.OCSPResponse {
		return fail("size", errSize)
	}
	return der, nil
}
