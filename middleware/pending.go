package middleware

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// pendingPrefix begins the name of every cookie of a pending login. The __Host- prefix makes browsers refuse the cookie
// unless it is Secure, has Path=/ and no Domain: a sibling subdomain cannot plant one (OWASP ASVS 5.0, 3.3.3).
const pendingPrefix = "__Host-kakunin-login-"

// pending is what must be remembered between the redirect to the service and the callback. It lives in one sealed
// cookie per login under way, so that parallel tabs do not overwrite each other and nothing is kept on the server for
// visitors who never come back.
type pending struct {
	Return string       // outside path; checked when sealed and again when used
	Sign   *pendingSign // nil: a login
}

// pendingSign makes a pending login one that carries a signature.
type pendingSign struct {
	Name        string            `json:"n"` // of the SignConfig
	Reference   string            `json:"f"` // the application's
	Transaction *sign.Transaction `json:"t"`
	// Subject is the SHA-256 of the subject who was logged in when the signature was begun.
	Subject []byte `json:"u"`
	Terms   string `json:"c,omitempty"` // see flow
}

// pendingName derives the cookie's name from the state. The state is in the URL anyway; hashing it keeps the name short
// and within the characters of a cookie name whatever the state is.
func pendingName(state string) string {
	sum := sha256.Sum256([]byte("kakunin cookie name\x00" + state))
	return pendingPrefix + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// subjectHash keeps the subject itself out of the cookie.
func subjectHash(s authn.Subject) []byte {
	sum := sha256.Sum256([]byte("kakunin subject\x00" + s.Reveal()))
	return sum[:]
}

// encodePending writes the parts one after the other, each with its length: JSON in JSON would make the cookie half as
// large again.
func encodePending(login []byte, p pending) ([]byte, error) {
	var flow []byte
	if p.Sign != nil {
		var err error
		if flow, err = json.Marshal(p.Sign); err != nil {
			return nil, err
		}
	}
	var b []byte
	for _, part := range [...][]byte{login, []byte(p.Return), flow} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	return b, nil
}

func decodePending(b []byte) (login []byte, p pending, err error) {
	var parts [3][]byte
	for i := range parts {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, pending{}, errSealed
		}
		parts[i], b = b[size:size+int(n)], b[size+int(n):] //nolint:gosec // n is at most the length of b
	}
	if len(b) != 0 {
		return nil, pending{}, errSealed
	}
	p.Return = string(parts[1])
	if len(parts[2]) > 0 {
		if err := json.Unmarshal(parts[2], &p.Sign); err != nil {
			return nil, pending{}, errSealed
		}
		if p.Sign == nil || p.Sign.Transaction == nil || len(p.Sign.Subject) != sha256.Size {
			return nil, pending{}, errSealed
		}
	}
	return parts[0], p, nil
}

// sealPending returns the cookie for a login under way. address is the length of the service's URL, which travels in
// the same header.
func (l *Login) sealPending(login authn.Pending, p pending, address int) (*http.Cookie, error) {
	b, err := login.RevealBytes()
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Err: err}
	}
	c := l.pendingCookie(pendingName(login.State())) //nolint:gosec // the attributes are set there
	c.MaxAge = l.cookieSeconds()
	for {
		plain, err := encodePending(b, p)
		if err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Err: err}
		}
		size := len(c.Name) + l.seal.sealedSize(len(plain))
		if size <= limits.Cookie && (size+address+headerOverhead <= limits.LoginHeader || p.Return == "") {
			c.Value = l.seal.seal(c.Name, plain)
			return c, nil
		}
		// The page to return to is the visitor's text. Without it the login still works.
		if p.Return == "" {
			return nil, &Error{Reason: ReasonConfiguration, Detail: "the pending login does not fit into a cookie"}
		}
		p.Return = ""
	}
}

// cookieGrace is how much longer than its pending login a cookie lives, so that somebody who took too long, or whose
// page at the service was left open for too long, is told so and finds the way back: without the cookie, all that could
// be said is that this browser began nothing.
const cookieGrace = time.Hour

func (l *Login) cookieSeconds() int { return int((l.ttl + cookieGrace) / time.Second) }

// headerOverhead is what the answer's header holds besides the cookie's name and value and the address: status line,
// Location:, Set-Cookie:, attributes of the cookie, Date, Content-Length, Cache-Control, Referrer-Policy.
const headerOverhead = 352

// openPending opens the value of the cookie name.
func (l *Login) openPending(name, value string) (authn.Pending, pending, error) {
	plain, err := l.seal.open(name, value)
	if err != nil {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: err}
	}
	b, p, err := decodePending(plain)
	if err != nil {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: err}
	}
	login, err := authn.ParsePending(b)
	if err != nil {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: err}
	}
	// The name was authenticated together with the value, yet a cookie must also be where its own state puts it.
	if pendingName(login.State()) != name {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: errSealed}
	}
	return login, p, nil
}

// pendingCookie returns a cookie with the attributes that every pending login has. SameSite=Lax and not Strict: the
// callback is a cross-site navigation, for which browsers hold Strict cookies back.
func (*Login) pendingCookie(name string) *http.Cookie {
	return &http.Cookie{Name: name, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// deletePending makes the browser forget a pending login.
func (l *Login) deletePending(w http.ResponseWriter, name string) {
	c := l.pendingCookie(name) //nolint:gosec // the attributes are set there
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// trimPending leaves room for one more pending login: cookies that do not open or are expired go, then the oldest ones.
// Without a bound, abandoned logins would fill the Cookie header until servers answer 400 or 431; and since another
// site can link here, with long pages to return to, it could lock the person out like that. The answer's own header is
// bounded, too: what does not fit into it this time goes the next time.
func (l *Login) trimPending(w http.ResponseWriter, r *http.Request, added *http.Cookie, address int) {
	type open struct {
		name    string
		size    int
		created time.Time
	}
	size := len(added.Name) + len(added.Value)
	room := limits.LoginHeader - size - address - headerOverhead
	remove := func(name string) {
		if room -= len(name) + deletionOverhead; room >= 0 {
			l.deletePending(w, name)
		}
	}
	var live []open
	var dead []string
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, pendingPrefix) {
			continue
		}
		if len(live)+len(dead) >= limits.PendingCookies {
			dead = append(dead, c.Name)
			continue
		}
		login, _, err := l.openPending(c.Name, c.Value)
		if err != nil || l.expired(login) {
			dead = append(dead, c.Name)
			continue
		}
		live = append(live, open{c.Name, len(c.Name) + len(c.Value), login.Created()})
		size += len(c.Name) + len(c.Value)
	}
	for len(live) >= limits.PendingLogins || (size > limits.PendingBytes && len(live) > 0) {
		oldest := 0
		for i := range live {
			if live[i].created.Before(live[oldest].created) {
				oldest = i
			}
		}
		remove(live[oldest].name)
		size -= live[oldest].size
		live = append(live[:oldest], live[oldest+1:]...)
	}
	for _, name := range dead {
		remove(name)
	}
}

// deletionOverhead is what the deletion of a cookie takes in the header besides the cookie's name.
const deletionOverhead = 80

// dropPending makes the browser forget every pending login.
func (l *Login) dropPending(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, pendingPrefix) {
			l.deletePending(w, c.Name)
		}
	}
}

func (l *Login) expired(p authn.Pending) bool {
	return l.now().Sub(p.Created()) > l.ttl
}

// findPending finds this browser's pending login for the state of the callback and uses nothing up. An expired one is
// returned with the error: it still says where the person wanted to go.
func (l *Login) findPending(r *http.Request, state string) (authn.Pending, pending, error) {
	name := pendingName(state)
	cookies := r.CookiesNamed(name)
	switch {
	case len(cookies) == 0:
		return authn.Pending{}, pending{}, &Error{Reason: ReasonLostLogin}
	case len(cookies) > 1:
		// A browser holds one cookie of a __Host- name. Two come from somewhere else.
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: errSealed}
	}
	login, p, err := l.openPending(name, cookies[0].Value)
	if err != nil {
		return authn.Pending{}, pending{}, err
	}
	if p.Return == "" {
		p.Return = l.afterLogin
	} else {
		p.Return = l.pagePath(p.Return)
	}
	if l.expired(login) {
		return authn.Pending{}, p, &Error{Reason: ReasonExpired}
	}
	return login, p, nil
}
