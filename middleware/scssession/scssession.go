// Package scssession keeps logins in [github.com/alexedwards/scs/v2] sessions: it is what package middleware uses when
// Config.Sessions is empty, and the adapter for an application that has a session manager of its own.
//
//	sessions, err := scssession.New(scssession.Config{Manager: manager})
//	login, err := middleware.New(middleware.Config{Sessions: sessions, …})
//
// Handlers may run inside the manager's LoadAndSave or not. With an idle timeout scs writes the session back at the end
// of each request, so a request that is still running at a logout can bring the session back in stores that do not
// remember deletions; the store in memory does.
//
// # Examples
//
// There is an example of [New].
//
// # Compatibility
//
// The store in memory does not outlive the process. What an own manager stores is written by that manager's codec.
package scssession

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/kakunin-go/kakunin/internal/fault"
)

const (
	// cookieName is the name of the default session cookie.
	cookieName = "__Host-kakunin-session"
	// idleTimeout and absoluteTimeout of the default sessions. The service keeps no session of its own that could end
	// them earlier: every login needs the card again (OWASP ASVS 5.0, 7.3.1, 7.3.2, 7.6.1).
	idleTimeout     = 30 * time.Minute
	absoluteTimeout = 12 * time.Hour
)

// Config configures Sessions; New validates it.
type Config struct {
	// Manager is the application's own session manager. Its cookie must be Secure, HttpOnly and SameSite=Lax, with a
	// name that begins with __Host-, Path=/ and no Domain. HashTokenInStore is recommended. Default: sessions in
	// memory, at most 131,072, cookie __Host-kakunin-session, idle timeout 30 minutes, absolute timeout 12 hours. When
	// they are too many, sessions in which nobody is logged in give way, the oldest first.
	Manager *scs.SessionManager

	// InsecureSharedCookie accepts a cookie without the __Host- prefix or with a Domain. Then every host below the
	// domain can set the cookie, and a session can be pushed onto a browser by the weakest of them (OWASP ASVS 5.0,
	// 3.3.3).
	InsecureSharedCookie bool

	Now    func() time.Time // of the sessions in memory; default time.Now
	Logger *slog.Logger     // default: discard. Never sees what is in a session.
}

// Sessions implements middleware.Sessions. It is safe for concurrent use and starts no goroutine.
type Sessions struct {
	manager *scs.SessionManager
	log     *slog.Logger
}

// New validates the configuration. The error is an [*Error] with ReasonConfiguration that names every mistake.
func New(c Config) (*Sessions, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Manager == nil {
		return &Sessions{inMemory(c.Now, c.Logger), c.Logger}, nil
	}
	if detail := mistakes(c.Manager, c.InsecureSharedCookie); detail != "" {
		return nil, &Error{Reason: ReasonConfiguration, Detail: detail}
	}
	return &Sessions{c.Manager, c.Logger}, nil
}

// inMemory is not made by scs.New, which starts a goroutine.
func inMemory(now func() time.Time, log *slog.Logger) *scs.SessionManager {
	return &scs.SessionManager{
		IdleTimeout: idleTimeout,
		Lifetime:    absoluteTimeout,
		Store:       newMemoryStore(now),
		Codec:       codec{},
		// Used only if the application wraps handlers in LoadAndSave itself.
		ErrorFunc: func(w http.ResponseWriter, r *http.Request, _ error) {
			log.LogAttrs(r.Context(), slog.LevelError, "session store failed")
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		},
		HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name:     cookieName,
			Path:     "/",
			HttpOnly: true,
			Secure:   true,
			SameSite: http.SameSiteLaxMode,
			// A phone may end the browser while the person is in the app.
			Persist: true,
		},
	}
}

// mistakes lists the settings of the caller's manager that would break or weaken the login.
func mistakes(m *scs.SessionManager, shared bool) string {
	var list fault.Mistakes
	list.Add(m.Store == nil || m.Codec == nil, "Store and Codec must be set")
	list.Add(m.Lifetime <= 0, "Lifetime must be positive")
	list.Add(!m.Cookie.Secure, "Cookie.Secure must be true")
	list.Add(!m.Cookie.HttpOnly, "Cookie.HttpOnly must be true")
	// None would send the session with every cross-site request, Strict would hold it back on the callback.
	list.Add(m.Cookie.SameSite != http.SameSiteLaxMode, "Cookie.SameSite must be Lax")
	list.Add(m.Cookie.Name == "", "Cookie.Name must be set")
	list.Add(
		!shared && (!strings.HasPrefix(m.Cookie.Name, "__Host-") || m.Cookie.Domain != "" || m.Cookie.Path != "/"),
		`the cookie needs a name that begins with __Host-, Path "/" and no Domain; see InsecureSharedCookie`,
	)
	return list.Detail()
}

// Manager returns the session manager, for values of the application's own. They can be used where the session is
// loaded: in every handler that runs inside the middleware.
func (s *Sessions) Manager() *scs.SessionManager { return s.manager }

// begunKey marks a session in which somebody logged in: the store in memory gives up the others first.
const begunKey = "kakunin.begun"

// request is what Do knows of one request; the context carries it.
type request struct {
	writer *sessionWriter // nil: the application's own LoadAndSave, further out, saves the session
	tossed bool           // there were several session cookies
}

type requestKey struct{ manager *scs.SessionManager }

func (s *Sessions) request(ctx context.Context) *request {
	v, _ := ctx.Value(requestKey{s.manager}).(*request)
	return v
}

// Do loads the session, calls next and saves the session before the response begins.
func (s *Sessions) Do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) error {
	if s.request(r.Context()) != nil {
		next(w, r)
		return nil
	}
	req := &request{}
	token := ""
	switch cookies := r.CookiesNamed(s.manager.Cookie.Name); len(cookies) {
	case 0:
	case 1:
		token = cookies[0].Value
	default:
		// A browser sends one cookie of a __Host- name. Which of several is the owner's cannot be told, so none is
		// taken: the other one may have been pushed onto the browser together with an attacker's session.
		req.tossed = true
	}
	// Load gives back the context it was given when the session is loaded already, by the application's own
	// LoadAndSave; then that one saves it. The request serves as the mark to recognise the context by.
	marked := context.WithValue(r.Context(), requestKey{s.manager}, req)
	ctx, err := s.manager.Load(marked, token)
	if err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	if ctx == marked {
		next(w, r.WithContext(ctx))
		return nil
	}
	req.writer = &sessionWriter{ResponseWriter: w, ctx: ctx, scs: s.manager, log: s.log}
	next(req.writer, r.WithContext(ctx))
	req.writer.saveLate()
	return nil
}

// Get returns a text of the session, "" for none.
func (s *Sessions) Get(r *http.Request, key string) string {
	if req := s.request(r.Context()); req == nil || req.tossed {
		return ""
	}
	return s.manager.GetString(r.Context(), key)
}

// Begin puts values into the session under a new token (OWASP ASVS 5.0, 7.2.4: against session fixation) and saves it.
func (s *Sessions) Begin(_ http.ResponseWriter, r *http.Request, values map[string]string) error {
	req := s.request(r.Context())
	if req == nil {
		return &Error{Reason: ReasonConfiguration, Detail: "Begin outside Do"}
	}
	if err := s.manager.RenewToken(r.Context()); err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	s.manager.Put(r.Context(), begunKey, true)
	for key, value := range values {
		s.manager.Put(r.Context(), key, value)
	}
	req.tossed = false
	if req.writer == nil {
		return nil
	}
	// Saved before anything is answered: a person whose session could not be stored must not be told that they are
	// logged in.
	req.writer.saved = false
	return req.writer.save()
}

// End ends the session on the server (OWASP ASVS 5.0, 7.4.1) with everything in it.
func (s *Sessions) End(_ http.ResponseWriter, r *http.Request) error {
	req := s.request(r.Context())
	if req == nil {
		return &Error{Reason: ReasonConfiguration, Detail: "End outside Do"}
	}
	if err := s.manager.Destroy(r.Context()); err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	if req.writer != nil {
		req.writer.saved = false
	}
	return nil
}

// EndWhere ends every stored session whose text under key the function accepts, and returns how many. The store must be
// iterable (scs.IterableStore or scs.IterableCtxStore, as most stores for scs are): it reads all sessions.
func (s *Sessions) EndWhere(ctx context.Context, key string, accept func(value string) bool) (int, error) {
	all, err := s.all(ctx)
	if err != nil {
		return 0, err
	}
	ended := 0
	for token, b := range all {
		_, values, err := s.manager.Codec.Decode(b)
		if err != nil {
			continue // not a session of this manager's: it lets nobody in either
		}
		if value, ok := values[key].(string); !ok || !accept(value) {
			continue
		}
		// Not by the manager, which would hash the token that the store names once more.
		if err := s.remove(ctx, token); err != nil {
			return ended, &Error{Reason: ReasonStore, Err: err}
		}
		ended++
	}
	return ended, nil
}

func (s *Sessions) all(ctx context.Context) (all map[string][]byte, err error) {
	switch store := s.manager.Store.(type) {
	case scs.IterableCtxStore:
		all, err = store.AllCtx(ctx)
	case scs.IterableStore:
		all, err = store.All()
	default:
		return nil, &Error{Reason: ReasonConfiguration, Detail: "the session store cannot list its sessions"}
	}
	if err != nil {
		return nil, &Error{Reason: ReasonStore, Err: err}
	}
	return all, nil
}

func (s *Sessions) remove(ctx context.Context, token string) error {
	if store, ok := s.manager.Store.(scs.CtxStore); ok {
		return store.DeleteCtx(ctx, token)
	}
	return s.manager.Store.Delete(token)
}
