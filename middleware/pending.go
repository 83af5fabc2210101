package middleware

import (
	"crypto/sha256"
	"encoding/base64"
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

// pending is what must be remembered between the redirect to the service and the callback. It lives in one sealed cookie
// per login under way, so that parallel tabs do not overwrite each other and nothing is kept on the server for visitors
// who never come back.
type pending struct {
	Login  []byte       `json:"l"`           // authn.Pending
	Return string       `json:"r,omitempty"` // checked when sealed and again when used
	Sign   *pendingSign `json:"s,omitempty"` // nil: a login
}

// pendingSign makes a pending login one that carries a signature.
type pendingSign struct {
	Name        string            `json:"n"` // of the SignConfig
	Reference   string            `json:"f"` // the application's
	Transaction *sign.Transaction `json:"t"`
	// Subject is the SHA-256 of the subject who was logged in when the signature was begun.
	Subject []byte `json:"u"`
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

// sealPending returns the cookie for a login under way.
func (l *Login) sealPending(login authn.Pending, p pending) (*http.Cookie, error) {
	b, err := login.RevealBytes()
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Err: err}
	}
	p.Login = b
	c := l.pendingCookie(pendingName(login.State())) //nolint:gosec // the attributes are set there
	c.MaxAge = int(l.ttl / time.Second)
	for {
		plain, err := json.Marshal(p)
		if err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Err: err}
		}
		c.Value = l.seal.seal(c.Name, plain)
		if len(c.Name)+len(c.Value) <= limits.Cookie {
			return c, nil
		}
		// The page to return to is the visitor's text, and some characters take six times their size in JSON.
		if p.Return == "" {
			return nil, &Error{Reason: ReasonConfiguration, Detail: "the pending login does not fit into a cookie"}
		}
		p.Return = ""
	}
}

// openPending opens the value of the cookie name.
func (l *Login) openPending(name, value string) (authn.Pending, pending, error) {
	var p pending
	plain, err := l.seal.open(name, value)
	if err != nil {
		return authn.Pending{}, p, &Error{Reason: ReasonTampered, Err: err}
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return authn.Pending{}, p, &Error{Reason: ReasonTampered, Err: errSealed}
	}
	login, err := authn.ParsePending(p.Login)
	if err != nil {
		return authn.Pending{}, p, &Error{Reason: ReasonTampered, Err: err}
	}
	// The name was authenticated together with the value, yet a cookie must also be where its own state puts it.
	if pendingName(login.State()) != name {
		return authn.Pending{}, p, &Error{Reason: ReasonTampered, Err: errSealed}
	}
	if s := p.Sign; s != nil && (s.Transaction == nil || len(s.Subject) != sha256.Size) {
		return authn.Pending{}, p, &Error{Reason: ReasonTampered, Err: errSealed}
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

// trimPending leaves room for one more pending login of the given size: cookies that do not open or are expired go, then
// the oldest ones. Without a bound, abandoned logins would fill the Cookie header until servers answer 400 or 431; and
// since another site can link here, with long pages to return to, it could lock the person out like that.
func (l *Login) trimPending(w http.ResponseWriter, r *http.Request, size int) {
	type open struct {
		name    string
		size    int
		created time.Time
	}
	var live []open
	examined := 0
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, pendingPrefix) {
			continue
		}
		if examined++; examined > limits.PendingCookies {
			l.deletePending(w, c.Name)
			continue
		}
		login, _, err := l.openPending(c.Name, c.Value)
		if err != nil || l.expired(login) {
			l.deletePending(w, c.Name)
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
		l.deletePending(w, live[oldest].name)
		size -= live[oldest].size
		live = append(live[:oldest], live[oldest+1:]...)
	}
}

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

// takePending finds this browser's pending login for the state of the callback and uses it up. The cookie is deleted and
// the state remembered before anything is sent to the service: whatever happens next, the callback works once.
func (l *Login) takePending(w http.ResponseWriter, r *http.Request, state string) (authn.Pending, pending, error) {
	if l.used.Used(state, l.now()) {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonReplayed}
	}
	name := pendingName(state)
	cookies := r.CookiesNamed(name)
	if len(cookies) == 0 {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonLostLogin}
	}
	l.deletePending(w, name)
	if len(cookies) > 1 {
		// A browser holds one cookie of a __Host- name. Two come from somewhere else.
		return authn.Pending{}, pending{}, &Error{Reason: ReasonTampered, Err: errSealed}
	}
	login, p, err := l.openPending(name, cookies[0].Value)
	if err != nil {
		return authn.Pending{}, pending{}, err
	}
	if l.expired(login) {
		return authn.Pending{}, p, &Error{Reason: ReasonExpired}
	}
	now := l.now()
	if !l.used.First(state, now, now.Add(l.ttl)) {
		return authn.Pending{}, pending{}, &Error{Reason: ReasonReplayed}
	}
	return login, p, nil
}
