package middleware

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// outside is how browsers see this server: a proxy may take a path away or send another Host. Paths that go to a
// browser (redirects, retry links, pages to return to) are outside paths, the paths of the mux are not.
type outside struct {
	origin string // https://shop.example
	host   string // shop.example
	base   string // what a proxy takes away: "" or a plain path
}

// home is the outside path of this server's "/".
func (l *Login) home() string { return l.outside.base + "/" }

// inside returns the path of a request as the Prefix counts it: a handler in front of this one may have taken the
// outside part away or not.
func (l *Login) inside(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.URL.Path, l.outside.base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return r.URL.Path
}

// loginURL is where a login begins that returns to the page.
func (l *Login) loginURL(returnTo string) string {
	if returnTo == "" || returnTo == l.afterLogin {
		return l.outside.base + l.prefix + "/login"
	}
	return l.outside.base + l.prefix + "/login?return=" + url.QueryEscape(returnTo)
}

// requestPath is the path and query that the browser asked for, also behind http.StripPrefix, behind a proxy that
// strips, and in a router that mounts without stripping.
func (l *Login) requestPath(r *http.Request) string {
	asked := r.URL.RequestURI()
	if strings.HasPrefix(r.RequestURI, "/") {
		asked = r.RequestURI
	}
	if l.isOutside(asked) {
		return asked // stripped in this program, or by nobody: inside counts the same
	}
	return l.outside.base + asked
}

// isOutside reports whether the address has what a proxy takes away.
func (l *Login) isOutside(address string) bool {
	rest, ok := strings.CutPrefix(pathOf(address), l.outside.base)
	return ok && (rest == "" || strings.HasPrefix(rest, "/"))
}

// refererPath is the page of this site from which the request came, the first page when unknown.
func (l *Login) refererPath(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || (!strings.EqualFold(u.Host, r.Host) && browserHost(u) != l.outside.host) {
		return l.home()
	}
	return l.pagePath(u.RequestURI())
}

// pagePath is the outside path of a page of this site: a path that the application, or a visitor, named from the inside
// or from the outside, or its whole address. What is no such path becomes home.
func (l *Login) pagePath(wanted string) string {
	if n := len(l.outside.origin); n > 0 && len(wanted) > n && strings.EqualFold(wanted[:n], l.outside.origin) &&
		wanted[n] == '/' {
		wanted = wanted[n:] // what scripts call location.href
	}
	if strings.HasPrefix(wanted, "/") && !strings.HasPrefix(wanted, "//") && !l.isOutside(wanted) {
		wanted = l.outside.base + wanted
	}
	safe := safeReturn(l.outside.base+l.prefix, wanted)
	named := pathOf(safe)
	decoded, err := url.PathUnescape(named)
	switch {
	// What remains behind a proxy that takes the base away must not name a host either.
	case err != nil || strings.HasPrefix(strings.TrimPrefix(decoded, l.outside.base), "//"):
		return l.home()
	case safe == "/" || path.Clean(decoded) == l.outside.base+l.callback:
		return l.home()
	case named == l.outside.base:
		return l.home() + safe[len(named):]
	}
	return safe
}

// safeReturn returns where to send the browser after a login: the wanted path of this origin, with what is not ASCII
// and spaces percent-encoded, or "/" when wanted could leave the origin, lead back into the login itself, or is not a
// plain path.
//
// RFC 9700, section 2.1: clients "MUST NOT expose URLs that forward the user's browser to arbitrary URIs obtained from
// a query parameter". Browsers follow the WHATWG URL standard and not RFC 3986: they drop tabs and newlines and take a
// backslash for a slash. So every control character is refused, instead of being interpreted; characters beyond ASCII
// mean the same to everybody once they are encoded.
func safeReturn(prefix, wanted string) string {
	if len(wanted) > limits.ReturnPath || !strings.HasPrefix(wanted, "/") {
		return "/"
	}
	// "//host" and "/\host" name another host; a backslash after the path is a character of the query, which browsers
	// leave as it is (WHATWG URL, query percent-encode set), and is encoded below.
	if strings.HasPrefix(wanted, "//") || strings.Contains(pathOf(wanted), `\`) || !utf8.ValidString(wanted) {
		return "/"
	}
	wanted, ok := encodeBeyondASCII(wanted)
	if !ok || len(wanted) > limits.ReturnPath {
		return "/"
	}
	u, err := url.Parse(wanted)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// Dot segments are removed by browsers and proxies, each in its own way: a path that could become another one is
	// not followed. Empty segments are part of a page's address; at the beginning they would name a host.
	for segment := range strings.SplitSeq(strings.TrimPrefix(u.Path, "/"), "/") {
		if segment == "." || segment == ".." || strings.Contains(segment, `\`) {
			return "/"
		}
	}
	if strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	// Returning into the login would log in again and again, or out. Routers take empty segments away.
	if p := path.Clean(u.Path); p == prefix || strings.HasPrefix(p, prefix+"/") {
		return "/"
	}
	return wanted
}

// pathOf is the address without query and fragment.
func pathOf(address string) string {
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		return address[:i]
	}
	return address
}

// encodeBeyondASCII percent-encodes spaces, backslashes and the bytes of characters beyond ASCII (RFC 3986, section
// 2.5), as browsers do; ok is false if there is a control character.
func encodeBeyondASCII(s string) (encoded string, ok bool) {
	const hex = "0123456789ABCDEF"
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", false
		}
		plain = plain && isPlainByte(s[i])
	}
	if plain {
		return s, true
	}
	b := make([]byte, 0, 3*len(s))
	for i := range len(s) {
		if c := s[i]; isPlainByte(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b), true
}

func isPlainByte(c byte) bool { return c > ' ' && c < 0x7f && c != '\\' }
