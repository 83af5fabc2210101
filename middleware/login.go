package middleware

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// ServeHTTP serves {Prefix}/login (GET or POST, with return=), {Prefix}/logout (POST) and the callback (GET) at the
// path of the client's redirect URL. Where that path is not below the Prefix, mount the Login there as well.
func (l *Login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch l.inside(r) {
	case l.prefix + "/login":
		l.serveLogin(w, r)
	case l.callback:
		l.serveCallback(w, r)
	case l.prefix + "/logout":
		l.serveLogout(w, r)
	default:
		l.fail(w, r, &Error{Reason: ReasonNotFound})
	}
}

// serveLogin begins a login. It accepts GET, because a login begins with a link or with the redirect of Require. That
// another site can link here too is harmless: all that happens is a redirect to the service, where the person has to
// hold the card to the phone and type the PIN. There is no session without that (OWASP ASVS 5.0, 7.6.2), and it will be
// the session of whoever did it, in the browser that began it.
func (l *Login) serveLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		l.failMethod(w, r, "GET, POST")
		return
	}
	if l.csrf.Check(r) != nil {
		l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
		return
	}
	if err := notNavigation(r); err != nil {
		l.fail(w, r, err)
		return
	}
	var wanted string
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
		wanted = r.PostFormValue("return")
	}
	if wanted == "" {
		wanted = wantedPage(r.URL.RawQuery)
	}
	p := pending{Return: l.afterLogin}
	if wanted != "" {
		p.Return = l.pagePath(wanted)
	}
	r = withRetry(r, l.loginURL(p.Return))
	l.redirectToService(w, r, authn.Request{Scopes: l.scopes}, p)
}

// wantedPage finds return= in a link that somebody may have written by hand: net/url drops a parameter with a semicolon
// or a stray percent sign in it. One that cannot be unescaped is taken as it is.
func wantedPage(query string) string {
	for pair := range strings.SplitSeq(query, "&") {
		raw, ok := strings.CutPrefix(pair, "return=")
		if !ok {
			continue
		}
		if page, err := url.QueryUnescape(raw); err == nil {
			return page
		}
		return raw
	}
	return ""
}

// redirectToService begins the login at the service and keeps what the callback needs in a cookie.
func (l *Login) redirectToService(w http.ResponseWriter, r *http.Request, req authn.Request, p pending) {
	begun, err := l.client.Begin(r.Context(), req)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	cookie, err := l.sealPending(begun.Pending, p, len(begun.URL))
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.trimPending(w, r, cookie, len(begun.URL))
	http.SetCookie(w, cookie)
	l.log.LogAttrs(r.Context(), slog.LevelDebug, "login begun", slog.Bool("sign", p.Sign != nil))
	redirect(w, begun.URL)
}

// serveLogout ends the session on the server (OWASP ASVS 5.0, 7.4.1) and forgets the logins under way. The service is
// not told: it keeps no session of its own.
func (l *Login) serveLogout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		l.failMethod(w, r, "POST")
		return
	}
	if l.csrf.Check(r) != nil {
		l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
		return
	}
	l.withSession(w, r, func(w http.ResponseWriter, r *http.Request, v *visit) {
		if err := l.sessions.End(w, r); err != nil {
			l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
			return
		}
		id := v.Identity
		if id != nil {
			l.log.LogAttrs(r.Context(), slog.LevelInfo, "logged out")
		}
		v.Identity = nil
		l.dropPending(w, r)
		own := &ownResponse{ResponseWriter: w}
		if l.onLogout != nil {
			l.onLogout(own, r, id)
		}
		if !own.written {
			redirect(w, l.afterOut)
		}
	})
}

// notNavigation returns an error unless a person's browser goes to a page with this request, as far as the browser says
// (Fetch Metadata Request Headers). Images, frames, scripts, prefetches and previews begin no login and use up no
// callback. Browsers and apps that send no such headers are not refused: this is hygiene, not the protection.
func notNavigation(r *http.Request) error {
	// Prefetch and preview announce themselves under a name for each generation of browsers: Sec-Purpose (Fetch),
	// Purpose (Chromium, Safari), X-Moz (Firefox), X-Purpose (Safari, iOS).
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		for _, value := range r.Header[name] {
			value = strings.ToLower(value)
			for _, kind := range [...]string{"prefetch", "prerender", "preview"} {
				if strings.Contains(value, kind) {
					return &Error{Reason: ReasonPreview}
				}
			}
		}
	}
	switch r.Header.Get("Sec-Fetch-Mode") {
	case "", "navigate", "same-origin":
	default:
		return &Error{Reason: ReasonCrossOrigin}
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "empty": // empty: a service worker that passes the navigation on
		return nil
	default:
		return &Error{Reason: ReasonCrossOrigin}
	}
}

// redirect sends the browser on. 303 makes it a GET whatever the request was (RFC 9700, section 4.12); nothing is
// cached, and the next site does not learn the address of this one (RFC 9700, section 4.2.4: the callback's holds a
// code).
func redirect(w http.ResponseWriter, location string) {
	secureHeaders(w)
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

func secureHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
}

// ownResponse is the writer of OnLogin, OnLogout and OnSigned. It tells whether they answered, and what must happen
// before the first byte happens then. It is no http.Flusher and no http.Hijacker, which nobody needs for a page.
type ownResponse struct {
	http.ResponseWriter
	before  func(code int) error // may be nil; after an error, which it answered itself, nothing is written
	written bool
	failed  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *ownResponse) WriteHeader(code int) {
	if code >= 200 && !w.written {
		w.written = true
		w.failed = w.before != nil && w.before(code) != nil
	}
	if !w.failed {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write implements http.ResponseWriter.
func (w *ownResponse) Write(b []byte) (int, error) {
	if !w.written {
		w.WriteHeader(http.StatusOK)
	}
	if w.failed {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
