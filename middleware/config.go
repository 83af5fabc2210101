package middleware

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// Config configures the middleware; New validates and copies it.
type Config struct {
	Client   *authn.Client // required; the callback is served at the path of its RedirectURL
	Scopes   authn.Scopes  // asked for at every login; ask only for what is needed
	SealKeys SealKeys      // required; see NewSealKeys

	// Sessions keep who is logged in. Default: in memory, for one instance; see package scssession, which also adapts
	// an application's own session manager.
	Sessions Sessions
	// Lifetime is how long a login lasts at most, however the session lives on. Default: 12 hours.
	Lifetime time.Duration
	// Shared is what several instances know together. Default: in memory, for one instance.
	Shared Shared

	Prefix string // as this server sees it; default "/auth"; paths {Prefix}/login and {Prefix}/logout
	// OutsideURL is where browsers find this server's "/", such as "https://shop.example/app" behind a proxy that takes
	// /app away or sends another Host. Redirects, retry links and cross-origin checks use it.
	// Default: the origin of the Client's RedirectURL, and what stands before Prefix in the RedirectURL's path.
	OutsideURL  string
	AfterLogin  string // page to go to after a login that nobody asked to end elsewhere; default "/"
	AfterLogout string // page to go to after logging out; default "/"

	// OnLogin is called with each login before the session begins, to find or create the user. An error refuses the
	// login: OnError gets it inside an *Error with ReasonOnLogin, and no session begins. OnLogin may write the response
	// itself (a page of its own, a redirect); the session then begins before the first byte. If it writes nothing, the
	// browser goes back to where it wanted to go. What it puts into the session stays there, and so does a cookie that
	// it sets. An error after it wrote comes too late to refuse, and is only logged.
	OnLogin func(w http.ResponseWriter, r *http.Request, id *authn.Identity) error
	// OnLogout is called when a session has been ended by its owner; id is nil if nobody was logged in. It may write
	// the response itself.
	OnLogout func(w http.ResponseWriter, r *http.Request, id *authn.Identity)
	// OnError answers every request that failed; StatusOf gives the status, kakunin.MessageFor a text for the person,
	// RetryURL a place to try again. The error must not be shown as it is. Default: a page in Japanese and English.
	OnError func(w http.ResponseWriter, r *http.Request, err error)

	// Keeper has documents signed and loses no result: instances share its store. Sign needs it, or a Signer.
	Keeper *signapi.Keeper
	Signer *signapi.Client  // for Sign without a Keeper: a crash, or a lost session, costs the person another signature
	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discard. Never sees personal data, tokens or the URL of the callback.
}

// Login is the middleware; it is an http.Handler for the Prefix. It is safe for concurrent use.
type Login struct {
	client     *authn.Client
	scopes     authn.Scopes
	seal       *sealer
	sessions   Sessions
	lifetime   time.Duration
	shared     Shared
	prefix     string
	callback   string // path of the redirect URL as this server sees it
	outside    outside
	service    string // origin of the service's pages
	afterLogin string
	afterOut   string
	onLogin    func(http.ResponseWriter, *http.Request, *authn.Identity) error
	onLogout   func(http.ResponseWriter, *http.Request, *authn.Identity)
	onError    func(http.ResponseWriter, *http.Request, error)
	signer     *signapi.Client
	keeper     *signapi.Keeper
	now        func() time.Time
	log        *slog.Logger

	key  string // of the identity in the session
	ttl  time.Duration
	csrf *http.CrossOriginProtection

	mu       sync.RWMutex
	flows    map[string]flow // by name
	attempts attempts
}

// absoluteTimeout is the default of Config.Lifetime (OWASP ASVS 5.0, 7.3.2).
const absoluteTimeout = 12 * time.Hour

// New validates and copies the configuration. The error is an [*Error] with ReasonConfiguration that names every
// mistake.
func New(c Config) (*Login, error) {
	l := &Login{
		client:   c.Client,
		scopes:   c.Scopes,
		sessions: c.Sessions,
		lifetime: c.Lifetime,
		shared:   c.Shared,
		prefix:   c.Prefix,
		onLogin:  c.OnLogin,
		onLogout: c.OnLogout,
		onError:  c.OnError,
		signer:   c.Signer,
		keeper:   c.Keeper,
		now:      c.Now,
		log:      c.Logger,
		csrf:     http.NewCrossOriginProtection(),
		flows:    make(map[string]flow),
	}
	l.setDefaults()
	var m fault.Mistakes
	seal, problem := newSealer(c.SealKeys)
	m.Add(problem != "", problem)
	l.seal = seal
	m.Add(c.Lifetime < 0, "Lifetime must not be negative")
	plain := isPlainPath(l.prefix)
	m.Add(!plain, "Prefix must be a plain path such as /auth")
	if c.Client == nil {
		m.Add(true, "Client is missing")
	} else {
		l.key = sessionKey(c.Client.Environment().Issuer, c.Client.ClientID())
		l.ttl = c.Client.PendingTTL()
		if u, err := url.Parse(c.Client.Environment().AuthorizationEndpoint); err == nil {
			l.service = u.Scheme + "://" + u.Host
		}
		problem = l.setPlace(c.Client.RedirectURL(), c.OutsideURL)
		m.Add(problem != "", problem)
		if plain {
			l.afterLogin, l.afterOut = l.pagePath(c.AfterLogin), l.pagePath(c.AfterLogout)
			m.Add(
				c.AfterLogin != "" && c.AfterLogin != "/" && l.afterLogin == l.home(),
				"AfterLogin must be a path of this site",
			)
			m.Add(
				c.AfterLogout != "" && c.AfterLogout != "/" && l.afterOut == l.home(),
				"AfterLogout must be a path of this site",
			)
		}
	}
	if l.sessions == nil {
		s, err := scssession.New(scssession.Config{Now: l.now, Logger: l.log})
		if err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Err: err}
		}
		l.sessions = s
	}
	if len(m) > 0 {
		return nil, &Error{Reason: ReasonConfiguration, Detail: m.Detail()}
	}
	return l, nil
}

func (l *Login) setDefaults() {
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.prefix == "" {
		l.prefix = "/auth"
	}
	if l.lifetime == 0 {
		l.lifetime = absoluteTimeout
	}
	if l.shared == nil {
		l.shared = newMemory(l.now)
	}
	if l.onError == nil {
		l.onError = errorPage
	}
}

func isPlainPath(p string) bool {
	return strings.HasPrefix(p, "/") && p != "/" && path.Clean(p) == p && !strings.ContainsAny(p, "?#%{}") &&
		safeReturn("/\x00", p) == p
}

// setPlace finds out where the callback is served and how browsers see this server. The callback's path is the
// registered one, whatever that is; it only must not stand in the way of the other paths.
func (l *Login) setPlace(redirectURL, outsideURL string) string {
	u, err := url.Parse(redirectURL)
	if err != nil || u.Path == "" || u.Path == "/" {
		return "the Client's RedirectURL needs a path of its own for the callback"
	}
	host := browserHost(u)
	l.outside = outside{origin: u.Scheme + "://" + host, host: host}
	switch {
	case outsideURL != "":
		o, err := url.Parse(outsideURL)
		if err != nil {
			return "OutsideURL cannot be parsed"
		}
		base := strings.TrimSuffix(o.EscapedPath(), "/")
		if (o.Scheme != "https" && o.Scheme != "http") || o.Host == "" || o.User != nil || o.RawQuery != "" ||
			o.Fragment != "" ||
			(base != "" && !isPlainPath(base)) {
			return "OutsideURL must be an origin with or without a plain path, such as https://shop.example/app"
		}
		if o.Scheme != u.Scheme || browserHost(o) != host || (base != "" && !strings.HasPrefix(u.Path, base+"/")) {
			return "the Client's RedirectURL must be below OutsideURL"
		}
		l.outside.base = base
	default:
		// https://shop.example/app/auth/callback with the Prefix /auth: a proxy takes /app away.
		if before, ok := strings.CutSuffix(path.Dir(u.Path), l.prefix); ok && isPlainPath(before) {
			l.outside.base = before
		}
	}
	l.callback = strings.TrimPrefix(u.Path, l.outside.base)
	if l.callback == l.prefix+"/login" || l.callback == l.prefix+"/logout" {
		return "the Client's RedirectURL needs a path of its own for the callback"
	}
	if err := l.csrf.AddTrustedOrigin(l.outside.origin); err != nil {
		return "the Client's RedirectURL has no origin that a browser could have"
	}
	return ""
}

// browserHost is the host as browsers write it in Origin and Referer: in small letters, without the port that the
// scheme has anyway (HTML Living Standard, "Origin"; WHATWG URL, "host parsing").
func browserHost(u *url.URL) string {
	host, port := strings.ToLower(u.Host), u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return strings.TrimSuffix(host, ":")
}
