package middleware

import (
	"net/url"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// safeReturn is safeReturn for the paths of this Login.
func (l *Login) safeReturn(wanted string) string {
	safe := safeReturn(l.prefix, wanted)
	if path, _, _ := strings.Cut(safe, "?"); path == l.callback {
		return "/"
	}
	return safe
}

// safeReturn returns where to send the browser after a login: the wanted path of this origin, or "/" when wanted could
// leave the origin, lead back into the login itself, or is not a plain path.
//
// RFC 9700, section 2.1: clients "MUST NOT expose URLs that forward the user's browser to arbitrary URIs obtained from a
// query parameter". Browsers follow the WHATWG URL standard and not RFC 3986: they drop tabs and newlines and take a
// backslash for a slash. So whatever is not a visible ASCII character is refused, instead of being interpreted.
func safeReturn(prefix, wanted string) string {
	if len(wanted) > limits.ReturnPath || !strings.HasPrefix(wanted, "/") {
		return "/"
	}
	// "//host" and "/\host" name another host.
	if strings.HasPrefix(wanted, "//") || strings.Contains(wanted, `\`) {
		return "/"
	}
	for i := range len(wanted) {
		if wanted[i] <= ' ' || wanted[i] >= 0x7f {
			return "/"
		}
	}
	u, err := url.Parse(wanted)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// Dot segments and empty segments are removed by browsers and proxies, each in its own way: a path that could
	// become another one is not followed.
	for segment := range strings.SplitSeq(strings.TrimPrefix(u.Path, "/"), "/") {
		if segment == "." || segment == ".." || strings.Contains(segment, `\`) {
			return "/"
		}
	}
	if strings.Contains(u.Path, "//") {
		return "/"
	}
	// Returning into the login would log in again and again, or out.
	if u.Path == prefix || strings.HasPrefix(u.Path, prefix+"/") {
		return "/"
	}
	return wanted
}
