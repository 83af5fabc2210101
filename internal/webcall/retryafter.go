package webcall

import (
	"net/http"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// RetryAfter reads both forms of Retry-After (RFC 9110, 10.2.3), up to limits.RetryAfter; 0 when the header is absent,
// unreadable or in the past.
func RetryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second //nolint:gosec // at most 2^31 seconds
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), limits.RetryAfter*time.Second)
}
