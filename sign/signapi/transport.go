package signapi

import (
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// exchange says how one request to the sign API is judged.
type exchange struct {
	step    string
	success []int
	token   Reason // what a refused access token means
	missing Reason // what status 404 without a known code means
}

// do sends the request once and returns the body of a successful answer. A known error code wins over the status,
// because a proxy in between can change the status but does not invent codes.
func (c *Client) do(req *http.Request, bearer string, x exchange) ([]byte, error) {
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Accept", "application/json, application/jose")
	// The transport asks for gzip by itself; a compressed answer would be expanded before the size limit counts.
	req.Header.Set("Accept-Encoding", "identity")

	resp, err := c.service.HTTPClient().Do(req) //nolint:gosec // the URL is the configured endpoint, checked in New
	if err != nil {
		return nil, &Error{Reason: ReasonTransport, Step: x.step, Err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limits.SignResponse+1))
	if err != nil {
		return nil, &Error{Reason: ReasonTransport, Step: x.step, Err: err}
	}
	if len(body) > limits.SignResponse {
		return nil, &Error{Reason: ReasonResponse, Step: x.step, Detail: "size"}
	}
	c.logger.DebugContext(
		req.Context(),
		"sign API answered",
		slog.String("step", x.step),
		slog.Int("status", resp.StatusCode),
	)

	success := slices.Contains(x.success, resp.StatusCode)
	reason, hasCode := c.codeReason(body, x)
	switch {
	case reason != ReasonUnknown:
	case success && !hasCode:
		return body, nil
	case success:
		reason = ReasonResponse // a success status with an error that nobody knows
	default:
		reason = c.statusReason(resp.StatusCode, x)
	}
	refused := &Error{
		Reason:     reason,
		Step:       x.step,
		Status:     resp.StatusCode,
		RetryAfter: webcall.RetryAfter(resp.Header.Get("Retry-After"), c.now()),
	}
	if members, err := strictjson.Object(body); err == nil {
		if s := webcall.Describe(members); s != "" {
			refused.description = redact.Seal(s)
		}
	}
	return nil, refused
}

// codeReason looks for an error code; hasCode is true when the answer has the error member at all.
func (c *Client) codeReason(body []byte, x exchange) (reason Reason, hasCode bool) {
	members, err := strictjson.Object(body)
	if err != nil || c.wire.ErrorField == "" {
		return ReasonUnknown, false
	}
	if _, hasCode = members[c.wire.ErrorField]; !hasCode {
		return ReasonUnknown, false
	}
	code, ok := strictjson.String(members[c.wire.ErrorField])
	if !ok || code == "" {
		return ReasonUnknown, true
	}
	codes := c.wire.ErrorCodes
	for _, known := range []struct {
		code   string
		reason Reason
	}{
		{codes.InvalidRequest, ReasonRejected}, {codes.InvalidToken, x.token}, {codes.InsufficientScope, ReasonScope},
		{codes.Pending, ReasonPending}, {codes.NotFound, ReasonNotFound}, {codes.Cancelled, ReasonCancelled},
		{codes.Conflict, ReasonConflict}, {codes.Expired, ReasonExpired}, {codes.Consumed, ReasonConsumed},
	} {
		if code == known.code {
			return known.reason, true
		}
	}
	return ReasonUnknown, true
}

func (c *Client) statusReason(status int, x exchange) Reason {
	switch {
	case status == c.wire.PendingStatus && status != 0:
		return ReasonPending
	case status == http.StatusUnauthorized:
		return x.token
	case status == http.StatusForbidden:
		return ReasonScope
	case status == http.StatusNotFound:
		return x.missing
	case status == http.StatusConflict:
		return ReasonCancelled
	case status == http.StatusGone:
		return ReasonExpired
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return ReasonBusy
	case status >= 500:
		return ReasonTransport
	case status >= 400:
		return ReasonRejected
	default: // a redirect or an unlisted success: not an answer of this API
		return ReasonResponse
	}
}
