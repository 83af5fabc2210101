package signapi

import (
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

// The steps that errors name.
const (
	stepStart    = "start"
	stepHandOver = "hand over"
	stepResult   = "result"
	stepKeep     = "keep"
)

// reply is what the service answered, whole.
type reply struct {
	status     int
	retryAfter string
	body       []byte
}

// do sends the request once and returns the answer, whatever its status.
func (c *Client) do(req *http.Request, bearer string, x exchange) (reply, error) {
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Accept", "application/json, application/jose")
	// The transport asks for gzip by itself; a compressed answer would be expanded before the size limit counts.
	req.Header.Set("Accept-Encoding", "identity")

	resp, err := c.service.HTTPClient().Do(req)
	if err != nil {
		return reply{}, &Error{Reason: ReasonTransport, Step: x.step, Err: webcall.Explain(err), unanswered: true}
	}
	defer func() { _ = resp.Body.Close() }()
	read, err := webcall.Read(resp, limits.SignResponse)
	if err != nil {
		if webcall.Explain(err).Problem == webcall.Size {
			return reply{}, &Error{Reason: ReasonResponse, Step: x.step, Detail: "size"}
		}
		return reply{}, &Error{Reason: ReasonTransport, Step: x.step, Err: err}
	}
	c.logger.DebugContext(
		req.Context(),
		"sign API answered",
		slog.String("step", x.step),
		slog.Int("status", read.Status),
	)
	return reply{read.Status, read.Header.Get("Retry-After"), read.Body}, nil
}

// judge says what an answer means; nil is success. A known error code wins over the status, because a proxy in between
// can change the status but does not invent codes.
func (c *Client) judge(a reply, x exchange) error {
	success := slices.Contains(x.success, a.status)
	reason, hasCode := c.codeReason(a.body, x)
	switch {
	case reason != ReasonUnknown:
	case success && !hasCode:
		return nil
	case success:
		reason = ReasonResponse // a success status with an error that nobody knows
	default:
		reason = c.statusReason(a.status, x)
	}
	refused := &Error{
		Reason:     reason,
		Step:       x.step,
		Status:     a.status,
		RetryAfter: webcall.RetryAfter(a.retryAfter, c.now()),
	}
	if members, err := strictjson.Object(a.body); err == nil {
		if s := webcall.Describe(members); s != "" {
			refused.description = redact.Seal(s)
		}
	}
	return refused
}

// codeReason looks for an error code; hasCode is true when the answer has the error member at all: null and "" say
// that there is none.
func (c *Client) codeReason(body []byte, x exchange) (reason Reason, hasCode bool) {
	members, err := strictjson.Object(body)
	if err != nil || c.wire.ErrorField == "" {
		return ReasonUnknown, false
	}
	raw, hasCode := strictjson.Present(members, c.wire.ErrorField)
	if !hasCode || string(raw) == `""` {
		return ReasonUnknown, false
	}
	code, ok := strictjson.String(raw)
	if !ok {
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
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable,
		status == http.StatusRequestTimeout, status == http.StatusTooEarly: // the request was not looked at
		return ReasonBusy
	case status >= 500:
		return ReasonTransport
	case status >= 400:
		return ReasonRejected
	default: // a redirect or an unlisted success: not an answer of this API
		return ReasonResponse
	}
}
