// Command saas is one program with many customers, each with its own registration at the service: libraries, here.
//
//	go run ./examples/saas
//	go run ./examples/saas -hosts
//
// starts it with a simulated service and two libraries, by path (http://localhost:8080/kumo) or by host
// (http://kumo.localhost:8080, which Chromium and Firefox look for on this machine); the staff page adds more while it
// runs. What is to be learned:
//
//   - A tenant is one authn.Client and one middleware.Login. [platform.tenantOf] is all the routing there is; for a
//     list that never changes there are middleware.ByHost and middleware.ByPath.
//   - The tenants share routes, sessions and seal keys, and nothing that a login is made of: whoever is logged in to
//     one is nobody to the others, in the same browser too, and a callback of one is refused by the rest. By path
//     they share the browser's session, too: logging out of one ends the others; by host they do not.
//   - Subjects are pairwise: the same person has another one in each library. They are no key across tenants, and none
//     can be found out.
package main

import (
	"cmp"
	"context"
	_ "embed" // for the pages
	"flag"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

//go:embed pages.html
var pagesHTML string

func main() { stage.Main(example()) }

func example() stage.Example {
	var hosts bool
	return stage.Example{
		Name: "saas", About: "One program with many customers, each with its own registration.",
		Cards: []person.Persona{person.Hanako, person.Taro},
		Flags: func(f *flag.FlagSet) { f.BoolVar(&hosts, "hosts", false, "a host for each tenant instead of a path") },
		New:   func(s *stage.Stage) (http.Handler, error) { return newPlatform(s, hosts) },
	}
}

// tenant is one library.
type tenant struct {
	Name  string // in its address
	Title string
	URL   string // where browsers find it
	login *middleware.Login

	mu     sync.Mutex
	visits map[authn.Subject]int // the tenant's own users; nobody else's subject is in here
}

type platform struct {
	*stage.Stage
	pages    *stage.Pages
	hosts    bool
	keys     middleware.SealKeys
	sessions *scssession.Sessions

	mu      sync.RWMutex
	tenants map[string]*tenant

	site *http.ServeMux // of every tenant
}

func newPlatform(s *stage.Stage, hosts bool) (http.Handler, error) {
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	sessions, err := scssession.New(scssession.Config{Now: s.Now, Logger: s.Logger})
	if err != nil {
		return nil, err
	}
	p := &platform{
		Stage: s, pages: pages, hosts: hosts,
		keys: middleware.NewSealKeys(), sessions: sessions, tenants: map[string]*tenant{},
	}
	for _, t := range [][2]string{{"kumo", "雲の図書館 / Cloud Library"}, {"mori", "森の図書館 / Forest Library"}} {
		if err := p.add(t[0], t[1]); err != nil {
			return nil, err
		}
	}
	// One set of routes for all tenants.
	logins := middleware.Tenants(func(r *http.Request) *middleware.Login { return tenantFrom(r).login })
	p.site = http.NewServeMux()
	p.site.Handle("/auth/", logins)
	p.site.Handle("GET /{$}", logins.Optional(http.HandlerFunc(p.front)))
	p.site.Handle("GET /card", logins.Require(http.HandlerFunc(p.card), middleware.RequireAttributes(authn.Name)))

	own := http.NewServeMux()
	own.HandleFunc("GET /{$}", p.home)
	staff := http.NewServeMux()
	staff.HandleFunc("GET /tenants", func(w http.ResponseWriter, r *http.Request) { pages.Show(w, r, "tenants", nil) })
	staff.HandleFunc("POST /tenants", p.addTenant)
	own.Handle("/tenants", s.Staff("/tenants", staff))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, inside := p.tenantOf(r)
		if t == nil {
			own.ServeHTTP(w, r)
			return
		}
		p.site.ServeHTTP(w, inside)
	}), nil
}

type tenantKey struct{}

func tenantFrom(r *http.Request) *tenant { return r.Context().Value(tenantKey{}).(*tenant) }

// Names is what the library is called in each language: a title is one name, or "Japanese / English".
func (t *tenant) Names() kakunin.Message {
	ja, en, two := strings.Cut(t.Title, " / ")
	if !two {
		en = ja
	}
	return kakunin.Message{JA: ja, EN: en}
}

// tenantOf finds the tenant that a request is for, nil for none, and returns the request as the tenant's routes see it:
// without the tenant's path. The Login of a tenant knows that its redirect URL has more in front.
func (p *platform) tenantOf(r *http.Request) (*tenant, *http.Request) {
	var name string
	rest := r.URL.Path
	if p.hosts {
		host, _, _ := strings.Cut(r.Host, ":")
		name, _, _ = strings.Cut(strings.ToLower(host), ".")
	} else {
		name, rest, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		rest = "/" + rest
	}
	p.mu.RLock()
	t := p.tenants[name]
	p.mu.RUnlock()
	if t == nil {
		return nil, nil
	}
	r = r.Clone(context.WithValue(r.Context(), tenantKey{}, t))
	r.URL.Path, r.URL.RawPath = rest, ""
	return t, r
}

// add makes a tenant. A real one comes with the client id and key of its own registration, from a table.
func (p *platform) add(name, title string) error {
	t := &tenant{Name: name, Title: title, URL: p.addressOf(name), visits: map[authn.Subject]int{}}
	client, err := p.Client(title, authn.Config{RedirectURL: t.URL + "/auth/callback"})
	if err != nil {
		return err
	}
	t.login, err = middleware.New(middleware.Config{
		Client: client, SealKeys: p.keys, Sessions: p.sessions, OnError: p.pages.Error, Now: p.Now, Logger: p.Logger,
		Scopes: authn.Name, AfterLogin: "/card", OnLogin: t.arrive,
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tenants[name] = t
	return nil
}

// addressOf is where browsers find a tenant: http://localhost:8080/kumo, or http://kumo.localhost:8080.
func (p *platform) addressOf(name string) string {
	u, err := url.Parse(p.URL)
	if err != nil || !p.hosts {
		return p.URL + "/" + name
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		host = "localhost"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = name + "." + host
	return u.String()
}

// arrive is OnLogin: the tenant's own user table.
func (t *tenant) arrive(_ http.ResponseWriter, _ *http.Request, id *authn.Identity) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits[id.Subject]++
	return nil
}

func (t *tenant) visitsOf(subject authn.Subject) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.visits[subject]
}

func (p *platform) home(w http.ResponseWriter, r *http.Request) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	list := slices.SortedFunc(maps.Values(p.tenants), func(a, b *tenant) int { return cmp.Compare(a.Name, b.Name) })
	p.pages.Show(w, r, "home", list)
}

func (p *platform) front(w http.ResponseWriter, r *http.Request) {
	p.pages.Show(w, r, "front", map[string]any{
		"Tenant": tenantFrom(r), "LoggedIn": middleware.IdentityFrom(r.Context()) != nil,
	})
}

func (p *platform) card(w http.ResponseWriter, r *http.Request) {
	t, id := tenantFrom(r), middleware.IdentityFrom(r.Context())
	p.pages.Show(w, r, "card", map[string]any{
		"Tenant": t, "Name": id.Person.Name.Reveal(), "Subject": id.Subject.Reveal(), "Visits": t.visitsOf(id.Subject),
	})
}

var tenantName = regexp.MustCompile(`^[a-z][a-z0-9]{1,30}$`)

// addTenant is the platform's own administration.
func (p *platform) addTenant(w http.ResponseWriter, r *http.Request) {
	name, title := r.PostFormValue("name"), r.PostFormValue("title")
	p.mu.RLock()
	_, taken := p.tenants[name]
	p.mu.RUnlock()
	if !tenantName.MatchString(name) || name == "tenants" || taken || title == "" {
		p.pages.Status(http.StatusBadRequest).Show(w, r, "tenants", "refused")
		return
	}
	if err := p.add(name, title); err != nil {
		p.pages.Error(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
