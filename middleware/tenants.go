package middleware

import (
	"net"
	"net/http"
	"strings"
)

// Tenants serve several businesses from one program: the function chooses the Login that a request belongs to, nil for
// none, which is answered with ReasonNotFound. [ByHost] and [ByPath] make one for a fixed list; an application whose
// tenants come and go writes its own, for example on authn.Tenants. It must be safe for concurrent use.
//
// The Logins may share their Sessions, SealKeys and Shared: a login belongs to one client, and nobody who logged in to
// one tenant is logged in to another.
type Tenants func(r *http.Request) *Login

// ByHost chooses by the host that the browser asked for, without the port unless the key has one. A proxy in front must
// pass the Host on.
func ByHost(logins map[string]*Login) Tenants {
	byHost := make(map[string]*Login, len(logins))
	for host, l := range logins {
		byHost[strings.ToLower(host)] = l
	}
	return func(r *http.Request) *Login {
		host := strings.ToLower(r.Host)
		if l, ok := byHost[host]; ok {
			return l
		}
		if name, _, err := net.SplitHostPort(host); err == nil {
			return byHost[name]
		}
		return nil
	}
}

// ByPath chooses by the first segment of the path: the key "acme" stands for /acme and everything below. Each Login
// needs a Prefix below its path, such as /acme/auth.
func ByPath(logins map[string]*Login) Tenants {
	byName := make(map[string]*Login, len(logins))
	for name, l := range logins {
		byName[strings.Trim(name, "/")] = l
	}
	return func(r *http.Request) *Login {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		return byName[name]
	}
}

// ServeHTTP is [Login.ServeHTTP] of the tenant.
func (t Tenants) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.serve(w, r, func(l *Login) http.Handler { return l })
}

// Require is [Login.Require] of the tenant.
func (t Tenants) Require(next http.Handler, reqs ...Requirement) http.Handler {
	reqs = append([]Requirement(nil), reqs...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.serve(w, r, func(l *Login) http.Handler { return l.Require(next, reqs...) })
	})
}

// Optional is [Login.Optional] of the tenant.
func (t Tenants) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.serve(w, r, func(l *Login) http.Handler { return l.Optional(next) })
	})
}

func (t Tenants) serve(w http.ResponseWriter, r *http.Request, handler func(*Login) http.Handler) {
	l := t(r)
	if l == nil {
		secureHeaders(w)
		errorPage(w, r, &Error{Reason: ReasonNotFound})
		return
	}
	handler(l).ServeHTTP(w, r)
}
