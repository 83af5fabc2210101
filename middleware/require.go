package middleware

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// Requirement is something beyond being logged in. It returns nil to let the person through; its error reaches OnError
// inside an *Error with ReasonRequirement, unless it is an *Error already. Being logged in says who somebody is; what
// they may do is for requirements like this one to say. Safe for concurrent use.
type Requirement func(ctx context.Context, v Visit) error

// Require lets only logged-in people through who meet all requirements. Everybody else is sent to log in and comes
// back to the same address; requests that cannot be repeated that way (not GET or HEAD, made by a script, or by an
// app that accepts JSON and no HTML) are answered by OnError with ReasonLoginRequired, status 401. A requirement that
// is not met goes to OnError, status 403.
//
// Responses get "Cache-Control: no-store", since they are made for one person; the handler may set another value.
func (l *Login) Require(next http.Handler, reqs ...Requirement) http.Handler {
	reqs = append([]Requirement(nil), reqs...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.withSession(w, r, func(w http.ResponseWriter, r *http.Request, v *visit) {
			if v.Identity == nil {
				l.demandLogin(w, r)
				return
			}
			for _, req := range reqs {
				if err := req(r.Context(), v.Visit); err != nil {
					l.refuse(w, r, err)
					return
				}
			}
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r)
		})
	})
}

// RequireFunc is Require for a function.
func (l *Login) RequireFunc(next http.HandlerFunc, reqs ...Requirement) http.Handler {
	return l.Require(next, reqs...)
}

// Middleware is Require in the form that routers take:
//
//	router.Use(login.Middleware(middleware.AgeAtLeast(20)))                      // chi
//	e.Use(echo.WrapMiddleware(login.Middleware()))                               // echo
func (l *Login) Middleware(reqs ...Requirement) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return l.Require(next, reqs...) }
}

// Optional makes the identity available without requiring one. Responses to somebody who is logged in get
// "Cache-Control: no-store", as with Require.
func (l *Login) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.withSession(w, r, func(w http.ResponseWriter, r *http.Request, v *visit) {
			if v.Identity != nil {
				w.Header().Set("Cache-Control", "no-store")
			}
			next.ServeHTTP(w, r)
		})
	})
}

// AgeAtLeast requires an age in completed years by the everyday rule (a person turns twenty on the birthday), on
// today's date in Japan. It needs the birthdate: ask for authn.Birthdate in Config.Scopes. Whoever is not certainly old
// enough is refused: ReasonTooYoung, or ReasonAgeUnknown when the birthdate was not granted, could not be read, or
// lacks the month or day that would decide. Both are in the family Account.
func AgeAtLeast(years int) Requirement {
	return func(_ context.Context, v Visit) error {
		switch v.Identity.Person.Birthdate.IsAtLeast(years, fourinfo.DateOf(v.Now)) {
		case fourinfo.Yes:
			return nil
		case fourinfo.No:
			return &Error{Reason: ReasonTooYoung}
		case fourinfo.Unknown:
		}
		return &Error{Reason: ReasonAgeUnknown}
	}
}

// RequireAttributes requires that the person shared all of the four attributes named (authn.Name, Address, Birthdate,
// Gender): the service lets people choose. Otherwise ReasonAttributes, family Account; logging in again may help.
func RequireAttributes(scopes authn.Scopes) Requirement {
	return func(_ context.Context, v Visit) error {
		p := &v.Identity.Person
		for _, a := range [...]struct {
			scope  authn.Scopes
			shared bool
		}{
			{authn.Name, p.Name.Present()},
			{authn.Address, p.Address.Present()},
			{authn.Birthdate, p.Birthdate.Present()},
			{authn.Gender, p.Gender.Present()},
		} {
			if scopes&a.scope != 0 && !a.shared {
				return &Error{Reason: ReasonAttributes}
			}
		}
		return nil
	}
}

// RequireMunicipality requires an address in one of the municipalities, by their codes (全国地方公共団体コード, five digits, or
// six with the check digit): for residents only. It needs authn.Address. Whoever certainly lives elsewhere is refused
// with ReasonMunicipality, and whose address was not shared or does not tell with ReasonMunicipalityUnknown; both are
// in the family Account.
func RequireMunicipality(codes ...string) Requirement {
	codes = append([]string(nil), codes...)
	return func(_ context.Context, v Visit) error {
		known := len(codes) > 0
		for _, code := range codes {
			switch v.Identity.Person.Address.InMunicipality(code) {
			case fourinfo.Yes:
				return nil
			case fourinfo.No:
			case fourinfo.Unknown:
				known = false
			}
		}
		if known {
			return &Error{Reason: ReasonMunicipality}
		}
		return &Error{Reason: ReasonMunicipalityUnknown}
	}
}

// RequireFresh requires that the person used the card at most d ago (step-up before a payment or a change of data,
// OWASP ASVS 5.0, 7.5.3). Everybody else is sent to log in once more and comes back; a request that cannot be repeated
// is refused with ReasonNotFresh, status 401.
func RequireFresh(d time.Duration) Requirement {
	return func(_ context.Context, v Visit) error {
		// A clock that was set back must not make an old login fresh.
		if age := v.Now.Sub(v.LoggedIn); age < -clockSkew || age > d {
			return &Error{Reason: ReasonNotFresh}
		}
		return nil
	}
}

// clockSkew is how far the clocks of two instances may be apart.
const clockSkew = time.Minute

// demandLogin answers a request of somebody who is not logged in.
func (l *Login) demandLogin(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) {
		redirect(w, l.loginURL(l.pagePath(l.requestPath(r))))
		return
	}
	l.fail(w, l.withRetryHere(r), &Error{Reason: ReasonLoginRequired})
}

// refuse answers a request of somebody who does not meet a requirement.
func (l *Login) refuse(w http.ResponseWriter, r *http.Request, err error) {
	own, ok := errors.AsType[*Error](err)
	if !ok {
		own = &Error{Reason: ReasonRequirement, Err: err}
	}
	switch own.Reason { //nolint:exhaustive // the others cannot be helped by logging in
	case ReasonNotFresh:
		if wantsPage(r) {
			redirect(w, l.loginURL(l.pagePath(l.requestPath(r))))
			return
		}
		r = l.withRetryHere(r)
	case ReasonAgeUnknown, ReasonAttributes, ReasonMunicipalityUnknown:
		// Another login may grant what was missing.
		r = l.withRetryHere(r)
	}
	l.fail(w, r, own)
}

// wantsPage reports whether a redirect to the service would be followed by somebody who sees its pages.
func wantsPage(r *http.Request) bool {
	return repeatable(r) && notNavigation(r) == nil && !wantsData(r)
}

// wantsData reports whether the request is one of an app, which is no browser's script and sends no header that says
// so, but accepts JSON and no HTML.
func wantsData(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return (strings.Contains(accept, "application/json") || strings.Contains(accept, "+json")) &&
		!strings.Contains(accept, "text/html")
}

func repeatable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// withRetryHere has the person log in and come back to the page that was asked for, if it is one and can be asked for
// again, or to the page with the form.
func (l *Login) withRetryHere(r *http.Request) *http.Request {
	back := ""
	switch page := l.refererPath(r); {
	case wantsData(r):
	case repeatable(r):
		back = l.pagePath(l.requestPath(r))
	case page != l.home():
		back = page
	}
	return withRetry(r, l.loginURL(back))
}
