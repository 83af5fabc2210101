package middleware

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/once"
	"github.com/kakunin-go/kakunin/sign"
)

// Config configures the middleware; New validates and copies it.
type Config struct {
	Client   *authn.Client // required; the callback is served at the path of its RedirectURL
	Scopes   authn.Scopes  // asked for at every login; ask only for what is needed
	SealKeys SealKeys      // required; see NewSealKeys

	// Sessions is the application's own session manager. It must set Cookie.Secure, Cookie.HttpOnly and SameSite=Lax,
	// and its Lifetime also bounds a login. HashTokenInStore is recommended, and so is a store that does not bring a
	// deleted token back (see the package documentation).
	// Default: sessions in memory, cookie __Host-kakunin-session, idle timeout 30 minutes, absolute timeout 12 hours.
	Sessions *scs.SessionManager

	Prefix      string       // default "/auth"; paths {Prefix}/login and {Prefix}/logout
	Signer      *sign.Client // needed for Sign
	AfterLogout string       // path to go to after logging out; default "/"

	// OnError answers every request that failed; StatusOf gives the status, kakunin.MessageFor a text for the person,
	// RetryURL a place to try again. The error must not be shown as it is. Default: a page in Japanese and English.
	OnError func(w http.ResponseWriter, r *http.Request, err error)

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discard. Never sees personal data, tokens or the URL of the callback.
}

// Login is the middleware; it is an http.Handler for the Prefix. It is safe for concurrent use.
type Login struct {
	client      *authn.Client
	scopes      authn.Scopes
	seal        *sealer
	sessions    *scs.SessionManager
	prefix      string
	callback    string // path of the redirect URL
	signer      *sign.Client
	afterLogout string
	onError     func(http.ResponseWriter, *http.Request, error)
	now         func() time.Time
	log         *slog.Logger

	key string // of the identity in the session
	ttl time.Duration
	// used remembers the states whose callback was processed: a cookie is held by the client, so deleting it does not
	// prevent a replay by a client that keeps a copy. The memory is per process. Behind a load balancer a replay may reach
	// an instance that does not know the state; there the authorization code stops it, which the service accepts once (RFC
	// 6749, section 4.1.2), and a callback without a code gives no session anyway.
	used *once.Memory
	csrf *http.CrossOriginProtection

	mu    sync.RWMutex
	flows map[string]SignConfig // by name
}

// New validates and copies the configuration. Every error is an [*Error] with ReasonConfiguration.
func New(c Config) (*Login, error) {
	if c.Client == nil {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Client is missing"}
	}
	seal, err := newSealer(c.SealKeys)
	if err != nil {
		return nil, err
	}
	l := &Login{
		client: c.Client, scopes: c.Scopes, seal: seal, sessions: c.Sessions, prefix: c.Prefix, signer: c.Signer,
		afterLogout: c.AfterLogout, onError: c.OnError, now: c.Now, log: c.Logger,
		key:  sessionKey(c.Client.Environment().Issuer, c.Client.ClientID()),
		ttl:  c.Client.PendingTTL(),
		used: once.New(limits.UsedLogins, once.Forget), csrf: http.NewCrossOriginProtection(), flows: make(map[string]SignConfig),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.prefix == "" {
		l.prefix = "/auth"
	}
	if !strings.HasPrefix(l.prefix, "/") || l.prefix == "/" || path.Clean(l.prefix) != l.prefix ||
		safeReturn("/\x00", l.prefix) != l.prefix || strings.ContainsAny(l.prefix, "?#%{}") {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Prefix must be a plain path such as /auth"}
	}
	if l.callback, err = callbackPath(c.Client, l.prefix); err != nil {
		return nil, err
	}
	if l.afterLogout == "" {
		l.afterLogout = "/"
	}
	if l.safeReturn(l.afterLogout) != l.afterLogout {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "AfterLogout must be a path of this site"}
	}
	if l.sessions == nil {
		l.sessions = newSessions(l.now, l.log)
	} else if err := checkSessions(l.sessions); err != nil {
		return nil, err
	}
	if l.onError == nil {
		l.onError = l.errorPage
	}
	return l, nil
}

// callbackPath returns the path at which the service sends browsers back. It is the registered one, whatever that is; it
// only must not stand in the way of the other paths.
func callbackPath(c *authn.Client, prefix string) (string, error) {
	u, err := url.Parse(c.RedirectURL())
	if err != nil || u.Path == "" || u.Path == "/" || u.Path == prefix+"/login" || u.Path == prefix+"/logout" {
		return "", &Error{Reason: ReasonConfiguration, Detail: "the Client's RedirectURL needs a path of its own for the callback"}
	}
	return u.Path, nil
}
