package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware/internal/pretend"
)

// Sessions keep texts for a browser, on the server, under a token in a cookie. Package scssession implements it on scs;
// any other session library will do that can renew its token, and middlewaretest.CheckSessions tests the adapter. Safe
// for concurrent use.
//
// The cookie should be Secure, HttpOnly, SameSite=Lax (Strict would be held back on the callback) and have the __Host-
// prefix. Several cookies of its name count as none. The texts are personal data.
type Sessions interface {
	// Do calls next with the session of the request, and saves what changed before the response begins. The other
	// methods are called inside next, with its writer and request or with ones derived from them. An error means that
	// next was not called.
	Do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) error
	// Get returns a text of the session, "" for none.
	Get(r *http.Request, key string) string
	// Begin puts texts into the session and gives it a new token, so that a token that somebody knew before is worth
	// nothing. Everything is stored when it returns.
	Begin(w http.ResponseWriter, r *http.Request, values map[string]string) error
	// End ends the session on the server with everything in it.
	End(w http.ResponseWriter, r *http.Request) error
}

// SessionEnder is what Sessions also implement if they can end sessions of browsers that are not asking; see
// [Login.EndSessions].
type SessionEnder interface {
	// EndWhere ends every session whose text under key is accepted, and returns how many there were.
	EndWhere(ctx context.Context, key string, accept func(value string) bool) (int, error)
}

// sessionKey is the key of the identity in the session. It names issuer and client, so that the login of one client is
// never taken for that of another which shares the sessions (sandbox and production, two businesses).
func sessionKey(issuer, clientID string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + clientID))
	return "kakunin.identity." + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Visit is one request of somebody who is logged in, as a [Requirement] sees it.
type Visit struct {
	Identity *authn.Identity
	LoggedIn time.Time // when the person came back from the service
	Now      time.Time
}

// visit is what one request knows of its session.
type visit struct {
	login *Login
	Visit // Identity is nil if nobody is logged in
}

type visitKey struct{}

// IdentityFrom returns the logged-in person, nil outside Require and Optional or when nobody is logged in. The value
// belongs to the request: changing it changes nothing elsewhere.
func IdentityFrom(ctx context.Context) *authn.Identity {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.Identity
	}
	return nil
}

// withSession loads the session, calls next and has the session saved before the response begins.
func (l *Login) withSession(
	w http.ResponseWriter,
	r *http.Request,
	next func(http.ResponseWriter, *http.Request, *visit),
) {
	if v, ok := r.Context().Value(visitKey{}).(*visit); ok && v.login == l {
		next(w, r, v)
		return
	}
	w.Header().Add("Vary", "Cookie")
	err := l.sessions.Do(w, r, func(w http.ResponseWriter, r *http.Request) {
		v := &visit{login: l}
		l.load(w, r, v)
		next(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)), v)
	})
	if err != nil {
		l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
	}
}

// load finds out who is logged in. A login that is over, or that cannot be read, ends the whole session: what else is
// in it belongs to the same person.
func (l *Login) load(w http.ResponseWriter, r *http.Request, v *visit) {
	if p, ok := pretend.From(r.Context()); ok {
		v.Visit = Visit{Identity: p.Identity, LoggedIn: p.LoggedIn, Now: l.now()}
		if v.LoggedIn.IsZero() {
			v.LoggedIn = v.Now
		}
		return
	}
	stored := l.sessions.Get(r, l.key)
	if stored == "" {
		return
	}
	id, at, err := decodeIdentity(stored)
	// A clock that is set back by a little ends nothing; a login of next year must not stay until then.
	if now := l.now(); err == nil && now.Before(at.Add(l.lifetime)) && now.After(at.Add(-l.lifetime)) {
		v.Visit = Visit{Identity: id, LoggedIn: at, Now: now}
		if l.attempts.held.Load() > 0 {
			l.attempts.arrived(l.visitedIn(r), l.now())
		}
		return
	}
	if err := l.sessions.End(w, r); err != nil {
		l.log.LogAttrs(r.Context(), slog.LevelError, "session store failed")
	}
}

// begin makes id the logged-in person. What is in the session stays: the caller ended another person's session.
func (l *Login) begin(w http.ResponseWriter, r *http.Request, v *visit, id *authn.Identity, came visited) error {
	now := l.now()
	encoded, err := encodeIdentity(id, now)
	if err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	}
	list := append(l.visitedIn(r), came)
	if len(list) > maxVisited {
		list = list[len(list)-maxVisited:]
	}
	callbacks, err := json.Marshal(list)
	if err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	}
	err = l.sessions.Begin(w, r, map[string]string{l.key: encoded, l.key + visitedSuffix: string(callbacks)})
	if err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	}
	v.Visit = Visit{Identity: id, LoggedIn: now, Now: now}
	return nil
}

// maxVisited is as many callbacks as one browser may have logins under way.
const maxVisited = 5

// EndSessions ends every session of a person, in all browsers, and returns how many there were: for an administrator
// who blocks an account, or a person who lost a phone. It reads all sessions. The error is an [*Error]:
// ReasonConfiguration when Config.Sessions are no [SessionEnder], ReasonSession when the store fails.
func (l *Login) EndSessions(ctx context.Context, subject authn.Subject) (int, error) {
	ender, ok := l.sessions.(SessionEnder)
	if !ok {
		return 0, &Error{Reason: ReasonConfiguration, Detail: "Sessions cannot end sessions of other browsers"}
	}
	n, err := ender.EndWhere(ctx, l.key, func(value string) bool {
		id, _, err := decodeIdentity(value)
		return err == nil && id.Subject == subject
	})
	if err != nil {
		return n, &Error{Reason: ReasonSession, Err: err}
	}
	return n, nil
}

// storedLogin is the login as the session keeps it, on the server. It IS personal data; the access token is not in it.
type storedLogin struct {
	Version  int             `json:"v"`
	At       int64           `json:"at"` // seconds since 1970: when the person came back from the service
	Identity json.RawMessage `json:"id"` // of authn.Identity.RevealBytes
}

const storedLoginVersion = 1

var errStoredLogin = errors.New("middleware: the stored login cannot be read")

func encodeIdentity(id *authn.Identity, at time.Time) (string, error) {
	plain, err := id.RevealBytes()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(storedLogin{Version: storedLoginVersion, At: at.Unix(), Identity: plain})
	return string(b), err
}

func decodeIdentity(s string) (*authn.Identity, time.Time, error) {
	var v storedLogin
	if err := json.Unmarshal([]byte(s), &v); err != nil || v.Version != storedLoginVersion {
		return nil, time.Time{}, errStoredLogin
	}
	id, err := authn.ParseIdentity(v.Identity)
	if err != nil {
		return nil, time.Time{}, errStoredLogin
	}
	return id, time.Unix(v.At, 0), nil
}
