package middleware

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// ServeHTTP serves {Prefix}/login (GET or POST, with return=), {Prefix}/logout (POST) and the callback (GET) at the path
// of the client's redirect URL. Where that path is not below the Prefix, mount the Login there as well.
func (l *Login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
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
	if l.csrf.Check(r) != nil || !navigation(r) {
		l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
		return
	}
	var wanted string
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
		wanted = r.PostFormValue("return")
	}
	if wanted == "" {
		wanted = r.URL.Query().Get("return")
	}
	p := pending{Return: l.safeReturn(wanted)}
	r = withRetry(r, l.loginURL(p.Return))
	l.redirectToService(w, r, authn.Request{Scopes: l.scopes}, p)
}

// redirectToService begins the login at the service and keeps what the callback needs in a cookie.
func (l *Login) redirectToService(w http.ResponseWriter, r *http.Request, req authn.Request, p pending) {
	begun, err := l.client.Begin(r.Context(), req)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	cookie, err := l.sealPending(begun.Pending, p)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.trimPending(w, r, len(cookie.Name)+len(cookie.Value))
	http.SetCookie(w, cookie)
	l.log.LogAttrs(r.Context(), slog.LevelDebug, "login begun", slog.Bool("sign", p.Sign != nil))
	redirect(w, begun.URL)
}

// loginURL is where a login begins that returns to the path.
func (l *Login) loginURL(returnTo string) string {
	if returnTo == "" || returnTo == "/" {
		return l.prefix + "/login"
	}
	return l.prefix + "/login?return=" + url.QueryEscape(returnTo)
}

// navigation reports whether a browser sent the request because a person goes to a page, as far as the browser says
// (Fetch Metadata Request Headers). Images, frames, scripts and prefetches begin no login and use up no callback.
// Browsers and apps that send no such headers are not refused: this is hygiene, not the protection.
func navigation(r *http.Request) bool {
	if strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Mode") {
	case "", "navigate", "same-origin":
	default:
		return false
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "empty": // empty: a service worker that passes the navigation on
		return true
	default:
		return false
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
