package routers

import (
	"net/http"
	"net/http/httptest"

	"github.com/gorilla/sessions"
)

// Gorilla keeps logins in sessions of gorilla/sessions. The store must keep them on the server: a session in a cookie
// cannot be ended. It implements middleware.Sessions.
type Gorilla struct {
	Store sessions.Store
	Name  string // of the cookie: begin it with __Host-
}

// Do installs gorilla's registry in the request. Several cookies of the name count as none.
func (g Gorilla) Do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) error {
	if len(r.CookiesNamed(g.Name)) > 1 {
		r = r.Clone(r.Context())
		r.Header.Del("Cookie")
	}
	// An error means a cookie that does not open: the session is then new and empty.
	_, _ = g.Store.Get(r, g.Name)
	next(w, r)
	return nil
}

func (g Gorilla) session(r *http.Request) *sessions.Session {
	s, _ := g.Store.Get(r, g.Name)
	return s
}

// Get returns a text of the session.
func (g Gorilla) Get(r *http.Request, key string) string {
	text, _ := g.session(r).Values[key].(string)
	return text
}

// Begin stores the texts under a new id. The old one is removed from the store; only its cookie, which the new one
// replaces, goes nowhere.
func (g Gorilla) Begin(w http.ResponseWriter, r *http.Request, values map[string]string) error {
	s := g.session(r)
	if s.ID != "" {
		if err := g.remove(httptest.NewRecorder(), r, s); err != nil {
			return err
		}
		s.ID = ""
	}
	for key, value := range values {
		s.Values[key] = value
	}
	return s.Save(r, w)
}

// End removes the session from the store and its cookie from the browser.
func (g Gorilla) End(w http.ResponseWriter, r *http.Request) error {
	s := g.session(r)
	clear(s.Values)
	if s.ID == "" {
		return nil
	}
	err := g.remove(w, r, s)
	s.ID = ""
	return err
}

func (Gorilla) remove(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	age := s.Options.MaxAge
	s.Options.MaxAge = -1
	defer func() { s.Options.MaxAge = age }()
	return s.Save(r, w)
}
