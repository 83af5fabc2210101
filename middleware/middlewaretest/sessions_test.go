package middlewaretest_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

func TestDefaultSessionsPass(t *testing.T) {
	s, err := scssession.New(scssession.Config{})
	if err != nil {
		t.Fatal(err)
	}
	middlewaretest.CheckSessions(t, s)
}

// plain keeps sessions in a map. Each field makes it faulty in one way.
type plain struct {
	data                                                           map[string]map[string]string
	fixed, forgetful, tolerant, staying, failing, domain, scripted bool
}

const cookieName = "__Host-plain"

func (p *plain) token(r *http.Request) string {
	cookies := r.CookiesNamed(cookieName)
	if len(cookies) == 1 || (p.tolerant && len(cookies) > 0) {
		return cookies[0].Value
	}
	return ""
}

func (p *plain) Do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) error {
	next(w, r)
	return nil
}

func (p *plain) Get(r *http.Request, key string) string { return p.data[p.token(r)][key] }

func (p *plain) Begin(w http.ResponseWriter, r *http.Request, values map[string]string) error {
	token, old := rand.Text(), p.token(r)
	if p.fixed && p.data[old] != nil {
		token = old
	}
	session := map[string]string{}
	if !p.forgetful {
		maps.Copy(session, p.data[old])
	}
	maps.Copy(session, values)
	delete(p.data, old)
	p.data[token] = session
	c := &http.Cookie{
		Name: cookieName, Value: token, Path: "/", Secure: true, HttpOnly: !p.scripted, SameSite: http.SameSiteLaxMode,
	}
	if p.domain {
		c.Domain = "shop.test"
	}
	http.SetCookie(w, c)
	return nil
}

func (p *plain) End(w http.ResponseWriter, r *http.Request) error {
	if p.failing {
		return errors.New("the store is away")
	}
	if !p.staying {
		delete(p.data, p.token(r))
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
	return nil
}

// recorder is a testing.TB that notes what a test would have said.
type recorder struct {
	testing.TB
	said []string
}

func (*recorder) Helper()             {}
func (r *recorder) Error(args ...any) { r.said = append(r.said, fmt.Sprintln(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

// Each fault of an adapter is found, and a good one has none.
func TestFaultyAdaptersAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		sessions plain
		insecure []string
		want     string
	}{
		"good":             {plain{}, nil, ""},
		"fixation":         {plain{fixed: true}, nil, "fixation"},
		"forgets":          {plain{forgetful: true}, nil, "after a second Begin"},
		"two cookies":      {plain{tolerant: true}, nil, "two cookies"},
		"never ends":       {plain{staying: true}, nil, "of before End"},
		"End fails":        {plain{failing: true}, nil, "the store is away"},
		"domain":           {plain{domain: true}, nil, "Domain"},
		"domain, accepted": {plain{domain: true}, []string{"Domain"}, ""},
		"scripts read it":  {plain{scripted: true}, nil, "HttpOnly"},
	} {
		c.sessions.data = map[string]map[string]string{}
		r := &recorder{TB: t}
		middlewaretest.CheckSessions(r, &c.sessions, c.insecure...)
		if said := strings.Join(r.said, "\n"); (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q", name, said)
		}
	}
}
