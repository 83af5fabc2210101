// Package middlewaretest tests handlers behind package middleware without a service, a card or a cookie:
//
//	hanako := middlewaretest.Identity(middlewaretest.Attributes{Birthdate: "19880723"})
//	page.ServeHTTP(w, middlewaretest.WithIdentity(r, hanako))
//
// The handler may be wrapped in Login.Require with any requirements, which are checked as for everybody. [New] makes a
// Login where a test has none. [CheckSessions] tests an application's own sessions. For whole logins there is package
// cardsim/daa.
//
// It works in tests only: [WithIdentity] panics in any other program.
//
// # Examples
//
// There are examples of [CheckSessions] and [WithIdentity].
//
// # Compatibility
//
// The package stores nothing. Checks of [CheckSessions] may become more.
package middlewaretest

import (
	"net/http"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/internal/pretend"
)

// WithIdentity returns the request as if it came from somebody who logged in just now; a nil identity is nobody.
func WithIdentity(r *http.Request, id *authn.Identity) *http.Request {
	return WithIdentityAt(r, id, time.Time{})
}

// WithIdentityAt is WithIdentity for somebody who logged in at the given time, for middleware.RequireFresh; the zero
// time is now.
func WithIdentityAt(r *http.Request, id *authn.Identity, loggedIn time.Time) *http.Request {
	if !testing.Testing() {
		panic("middlewaretest: used outside a test")
	}
	return r.WithContext(pretend.With(r.Context(), pretend.Visit{Identity: id, LoggedIn: loggedIn}))
}

// Attributes are the four attributes as the service sends them; what is empty was not shared.
type Attributes struct {
	Subject   string // default "test-subject"
	Name      string
	Address   string
	Birthdate string // YYYYMMDD
	Gender    string // 1 male, 2 female, 3 other
}

// Identity makes a fictitious person who is logged in.
func Identity(a Attributes) *authn.Identity {
	if a.Subject == "" {
		a.Subject = "test-subject"
	}
	id := &authn.Identity{
		Subject: authn.NewSubject(a.Subject), Issuer: "https://service.test", ACR: "aal3",
	}
	if a.Name != "" {
		id.Person.Name = fourinfo.NewName(a.Name)
	}
	if a.Address != "" {
		id.Person.Address = fourinfo.NewAddress(a.Address)
	}
	if a.Birthdate != "" {
		b, err := fourinfo.ParseBirthdate(a.Birthdate)
		if err != nil {
			panic("middlewaretest: the birthdate cannot be read")
		}
		id.Person.Birthdate = b
	}
	if a.Gender != "" {
		id.Person.Gender = fourinfo.NewGender(a.Gender)
	}
	return id
}

// New returns a Login for a test. What the configuration lacks is filled in: a client of nobody, whose redirect URL is
// https://rp.test/auth/callback, and keys.
func New(t testing.TB, c middleware.Config) *middleware.Login {
	t.Helper()
	if c.Client == nil {
		key, err := authn.GenerateKey(authn.ES256)
		if err != nil {
			t.Fatal(err)
		}
		c.Client, err = authn.New(authn.Config{
			Environment: authn.Custom("https://service.test"), ClientID: "RP00000000", Key: key,
			RedirectURL: "https://rp.test/auth/callback",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if c.SealKeys == nil {
		c.SealKeys = middleware.NewSealKeys()
	}
	login, err := middleware.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return login
}
