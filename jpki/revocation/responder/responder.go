// Package responder reaches an OCSP responder over HTTP (RFC 6960, appendix A). It is the only part of the revocation
// engine that links an HTTP client; what it brings back is judged by revocation.OCSP:
//
//	over, err := responder.New(responder.Config{URL: "https://ocsp.example/"})
//	source, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
//
// # Examples
//
// There is an example of [New].
//
// # Compatibility
//
// The package stores nothing.
package responder

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

const (
	typeRequest  = "application/ocsp-request"
	typeResponse = "application/ocsp-response"
)

// Config says where the responder is. Its URL is configured, never taken from a certificate: that URL was chosen by
// whoever made the certificate, and following it would let strangers make this program send requests.
type Config struct {
	// URL is the responder's, https or (on loopback only) http. Required.
	URL string
	// HTTPClient carries TLS settings and timeouts; nil is a client with a timeout of 10 s. It is copied and hardened:
	// no redirects, no cookies. One that skips the verification of certificates is refused.
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
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, &Error{Reason: ReasonConfiguration, Step: "url"}
	}
	client, err := webcall.Client(c.HTTPClient)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "http-client", Err: err}
	}
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
	a, err := webcall.Do(h.client, req, limits.OCSPResponse)
	switch {
	case err != nil && webcall.Explain(err).Problem == webcall.Size:
		return fail("size", err)
	case err != nil:
		return fail("transport", err)
	case a.Status != http.StatusOK:
		return fail("http-status", errStatus)
	case a.MediaType != typeResponse:
		return fail("content-type", errContentType)
	}
	return a.Body, nil
}
