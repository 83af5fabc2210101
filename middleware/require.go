package middleware

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

// Requirement is something beyond being logged in. It returns nil to let the person through; its error reaches OnError
// inside an *Error with ReasonRequirement, unless it is an *Error already. Being logged in says who somebody is; what
// they may do is for requirements like this one to say. Safe for concurrent use.
type Requirement func(ctx context.Context, id *authn.Identity, now time.Time) error

// Require lets only logged-in people through who meet all requirements. Everybody else is sent to log in and comes back
// to the same address; requests that cannot be repeated that way (not GET or HEAD, or made by a script) are answered by
// OnError with ReasonLoginRequired, status 401. A requirement that is not met goes to OnError, status 403.
//
// Responses get "Cache-Control: no-store", since they are made for one person; the handler may set another value.
func (l *Login) Require(next http.Handler, reqs ...Requirement) http.Handler {
	reqs = append([]Requirement(nil), reqs...)
	return l.withSession(func(w http.ResponseWriter, r *http.Request, st *state) {
		if st.identity == nil {
			l.demandLogin(w, r)
			return
		}
		for _, req := range reqs {
			if err := req(r.Context(), st.identity, l.now()); err != nil {
				l.refuse(w, r, err)
				return
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// RequireFunc is Require for a function.
func (l *Login) RequireFunc(next http.HandlerFunc, reqs ...Requirement) http.Handler {
	return l.Require(next, reqs...)
}

// Optional makes the identity available without requiring one. Responses to somebody who is logged in get
// "Cache-Control: no-store", as with Require.
func (l *Login) Optional(next http.Handler) http.Handler {
	return l.withSession(func(w http.ResponseWriter, r *http.Request, st *state) {
		if st.identity != nil {
			w.Header().Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// demandLogin answers a request of somebody who is not logged in.
func (l *Login) demandLogin(w http.ResponseWriter, r *http.Request) {
	repeatable := r.Method == http.MethodGet || r.Method == http.MethodHead
	if repeatable && navigation(r) {
		redirect(w, l.loginURL(l.safeReturn(requestPath(r))))
		return
	}
	back := "/"
	if repeatable {
		back = l.safeReturn(requestPath(r))
	}
	l.fail(w, withRetry(r, l.loginURL(back)), &Error{Reason: ReasonLoginRequired})
}

// refuse answers a request of somebody who does not meet a requirement.
func (l *Login) refuse(w http.ResponseWriter, r *http.Request, err error) {
	own, ok := errors.AsType[*Error](err)
	if !ok {
		own = &Error{Reason: ReasonRequirement, Err: err}
	}
	if own.Reason == ReasonAgeUnknown {
		// Another login may grant the birthdate.
		back := "/"
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			back = l.safeReturn(requestPath(r))
		}
		r = withRetry(r, l.loginURL(back))
	}
	l.fail(w, r, own)
}

// requestPath is the path and query that the browser asked for, also behind http.StripPrefix.
func requestPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}
