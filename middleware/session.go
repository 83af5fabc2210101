package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin/authn"
)

const (
	// sessionCookie is the name of the default session cookie.
	sessionCookie = "__Host-kakunin-session"
	// idleTimeout and absoluteTimeout of the default sessions. The service keeps no session of its own that could end
	// them earlier: every login needs the card again (OWASP ASVS 5.0, 7.3.1, 7.3.2, 7.6.1).
	idleTimeout     = 30 * time.Minute
	absoluteTimeout = 12 * time.Hour
)

// newSessions returns the default session manager. It is not made by scs.New, which starts a goroutine.
func newSessions(now func() time.Time, log *slog.Logger) *scs.SessionManager {
	return &scs.SessionManager{
		IdleTimeout: idleTimeout,
		Lifetime:    absoluteTimeout,
		Store:       newMemoryStore(now),
		Codec:       sessionCodec{},
		// Used only if the application wraps handlers in LoadAndSave itself.
		ErrorFunc: func(w http.ResponseWriter, r *http.Request, _ error) {
			log.LogAttrs(r.Context(), slog.LevelError, "session store failed")
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		},
		HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name:     sessionCookie,
			Path:     "/",
			HttpOnly: true,
			Secure:   true,
			SameSite: http.SameSiteLaxMode,
			// A phone may end the browser while the person is in the app.
			Persist: true,
		},
	}
}

// checkSessions refuses settings of the caller's manager that would break or weaken the login.
func checkSessions(m *scs.SessionManager) error {
	detail := ""
	switch {
	case m.Store == nil || m.Codec == nil:
		detail = "Sessions: Store and Codec must be set"
	case m.Lifetime <= 0:
		detail = "Sessions: Lifetime must be positive"
	case !m.Cookie.Secure:
		detail = "Sessions: Cookie.Secure must be true"
	case !m.Cookie.HttpOnly:
		detail = "Sessions: Cookie.HttpOnly must be true"
	case m.Cookie.SameSite != http.SameSiteLaxMode:
		// None would send the session with every cross-site request, Strict would hold it back on the callback.
		detail = "Sessions: Cookie.SameSite must be Lax"
	case m.Cookie.Name == "":
		detail = "Sessions: Cookie.Name must be set"
	}
	if detail != "" {
		return &Error{Reason: ReasonConfiguration, Detail: detail}
	}
	return nil
}

// sessionKey is the key of the identity in the session. It names issuer and client, so that the login of one client is
// never taken for that of another which shares the session manager (sandbox and production, two businesses).
func sessionKey(issuer, clientID string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + clientID))
	return "kakunin.identity." + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// state is what one request knows of its session.
type state struct {
	login    *Login
	identity *authn.Identity
	writer   *sessionWriter // nil: somebody further out saves the session
}

type stateKey struct{}

// IdentityFrom returns the logged-in person, nil outside Require and Optional or when nobody is logged in. The value
// belongs to the request: changing it changes nothing elsewhere.
func IdentityFrom(ctx context.Context) *authn.Identity {
	if st, ok := ctx.Value(stateKey{}).(*state); ok {
		return st.identity
	}
	return nil
}

// Sessions returns the session manager in use, for values of the application's own. They can be used where the session
// is loaded: inside Require, RequireFunc, Optional, Sign and OnSigned.
func (l *Login) Sessions() *scs.SessionManager { return l.sessions }

// withSession loads the session, calls next and saves the session before the response begins.
func (l *Login) withSession(next func(http.ResponseWriter, *http.Request, *state)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if st, ok := r.Context().Value(stateKey{}).(*state); ok && st.login == l {
			next(w, r, st)
			return
		}
		w.Header().Add("Vary", "Cookie")
		// Load gives back the context it was given when the session is loaded already, by the application's own
		// LoadAndSave; then that one saves it. The state serves as the mark to recognise the context by.
		st := &state{login: l}
		marked := context.WithValue(r.Context(), stateKey{}, st)
		token := ""
		if c, err := r.Cookie(l.sessions.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := l.sessions.Load(marked, token)
		if err != nil {
			l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
			return
		}
		r = r.WithContext(ctx)
		if ctx == marked {
			st.identity = l.loadIdentity(ctx)
			next(w, r, st)
			return
		}
		st.writer = &sessionWriter{ResponseWriter: w, ctx: ctx, scs: l.sessions, log: l.log}
		st.identity = l.loadIdentity(ctx)
		next(st.writer, r, st)
		st.writer.saveLate()
	})
}

// loadIdentity returns who is logged in, nil for nobody. A login that is over, or that cannot be read, ends the whole
// session: what else is in it belongs to the same person.
func (l *Login) loadIdentity(ctx context.Context) *authn.Identity {
	stored := l.sessions.GetString(ctx, l.key)
	if stored == "" {
		return nil
	}
	id, at, err := decodeIdentity(stored)
	if err == nil && l.now().Before(at.Add(l.sessions.Lifetime)) {
		return id
	}
	if err := l.sessions.Destroy(ctx); err != nil {
		l.log.LogAttrs(ctx, slog.LevelError, "session store failed")
	}
	return nil
}

// begin makes id the logged-in person: with a new session token (OWASP ASVS 5.0, 7.2.4: against session fixation), and
// with an empty session if it was another person's.
func (l *Login) begin(ctx context.Context, st *state, id *authn.Identity) error {
	encoded, err := encodeIdentity(id, l.now())
	if err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	}
	if st.identity != nil && st.identity.Subject != id.Subject {
		err = l.sessions.Destroy(ctx)
	} else {
		err = l.sessions.RenewToken(ctx)
	}
	if err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	}
	l.sessions.Put(ctx, l.key, encoded)
	if st.writer != nil {
		// Saved before anything is answered: a person whose session could not be stored must not be told that they
		// are logged in.
		if err := st.writer.save(); err != nil {
			return err
		}
	}
	st.identity = id
	return nil
}
