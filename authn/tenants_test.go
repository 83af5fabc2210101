package authn

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
)

// twoTenants registers a shop and a bank; the test OP knows the shop's client id and key.
func twoTenants(t *testing.T, op *testOP, change ...func(*Config)) *Tenants {
	t.Helper()
	base := Config{Environment: op.env, Now: op.clock.now}
	for _, f := range change {
		f(&base)
	}
	tenants, err := NewTenants(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []Tenant{
		{Name: "shop", ClientID: testClientID, Key: testClientKey(), RedirectURL: testRedirect},
		{Name: "bank", ClientID: "RP00000002", Key: testECKey(), RedirectURL: "https://bank.example/auth/callback",
			Profile: Government},
	} {
		if _, err := tenants.Add(n); err != nil {
			t.Fatal(err)
		}
	}
	return tenants
}

func TestTenants(t *testing.T) {
	op := newOP(t)
	tenants := twoTenants(t, op)
	ctx := context.Background()
	begun, err := tenants.Begin(ctx, "shop", Request{Scopes: Name})
	if err != nil {
		t.Fatal(err)
	}
	id, err := tenants.Finish(ctx, "shop", Callback{begun.Pending, op.authorize(begun)})
	if err != nil || id.Subject.Reveal() != testSubject {
		t.Fatal(err)
	}
	other, err := tenants.Begin(ctx, "bank", Request{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(other.URL)
	if err != nil || u.Query().Get("client_id") != "RP00000002" ||
		u.Query().Get("redirect_uri") != "https://bank.example/auth/callback" {
		t.Errorf("%s", other.URL)
	}
	if got := tenants.Names(); !slices.Equal(got, []string{"bank", "shop"}) {
		t.Errorf("%q", got)
	}
	if c, ok := tenants.Client("bank"); !ok || c.Profile() != Government {
		t.Error("the bank's profile")
	}
}

// A login begun for one tenant never finishes for another: through the registry, through the clients, after the pending
// login was stored, and with a client of the same client id and redirect URL outside the registry.
func TestLoginOfAnotherTenant(t *testing.T) {
	op := newOP(t)
	tenants := twoTenants(t, op)
	ctx := context.Background()
	alone := op.client()
	for name, finish := range map[string]func(Pending, url.Values) (*Identity, error){
		"registry": func(p Pending, q url.Values) (*Identity, error) {
			return tenants.Finish(ctx, "bank", Callback{p, q})
		},
		"client": func(p Pending, q url.Values) (*Identity, error) {
			c, _ := tenants.Client("bank")
			return c.Finish(ctx, p, q)
		},
		"stored": func(p Pending, q url.Values) (*Identity, error) {
			b, err := p.RevealBytes()
			if err != nil {
				t.Fatal(err)
			}
			if p, err = ParsePending(b); err != nil {
				t.Fatal(err)
			}
			return tenants.Finish(ctx, "bank", Callback{p, q})
		},
		"the same application without a tenant": func(p Pending, q url.Values) (*Identity, error) {
			return alone.Finish(ctx, p, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			begun, err := tenants.Begin(ctx, "shop", Request{})
			if err != nil {
				t.Fatal(err)
			}
			hits := op.tokenHits.Load()
			_, err = finish(begun.Pending, op.authorize(begun))
			wantError(t, err, ReasonStateMismatch, "pending")
			if op.tokenHits.Load() != hits {
				t.Error("the code was sent")
			}
			// The tenant who began it is not harmed.
			if _, err := tenants.Finish(ctx, "shop", Callback{begun.Pending, op.authorize(begun)}); err != nil {
				t.Error(err)
			}
		})
	}
	begun := op.begin(alone, Request{})
	_, err := tenants.Finish(ctx, "shop", Callback{begun.Pending, op.authorize(begun)})
	wantError(t, err, ReasonStateMismatch, "pending")
}

func TestTenantsComeAndGo(t *testing.T) {
	op := newOP(t)
	var events []Event
	var mu sync.Mutex
	tenants := twoTenants(t, op, func(c *Config) {
		c.Audit = func(_ context.Context, e Event) { mu.Lock(); defer mu.Unlock(); events = append(events, e) }
	})
	ctx := context.Background()
	begun, err := tenants.Begin(ctx, "shop", Request{})
	if err != nil {
		t.Fatal(err)
	}
	if !tenants.Remove("shop") || tenants.Remove("shop") {
		t.Error("removed")
	}
	_, err = tenants.Finish(ctx, "shop", Callback{begun.Pending, op.authorize(begun)})
	wantError(t, err, ReasonConfiguration, "unknown tenant")
	_, err = tenants.Begin(ctx, "shop", Request{})
	wantError(t, err, ReasonConfiguration, "unknown tenant")
	if len(events) != 3 || events[0].Kind != LoginBegun || events[1].Kind != LoginRefused ||
		events[1].Login != events[0].Login || events[2].Kind != LoginRefused {
		t.Errorf("%+v", events)
	}
	// Back again under the same name; logins and changes at the same time.
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				_, _ = tenants.Add(Tenant{Name: "shop", ClientID: testClientID, Key: testClientKey(),
					RedirectURL: testRedirect})
				_, _ = tenants.Begin(ctx, "shop", Request{})
				tenants.Names()
				tenants.Remove("shop")
			}
		})
	}
	wg.Wait()
}

func TestTenantsShareKeysOfTheService(t *testing.T) {
	op := newOP(t)
	tenants := twoTenants(t, op)
	for _, name := range tenants.Names() {
		c, _ := tenants.Client(name)
		raw := op.idToken("n", testAccess)
		_, _ = c.verifyIDToken(context.Background(), raw, testAccess, "n")
	}
	if n := op.jwksHits.Load(); n != 1 {
		t.Errorf("%d fetches for two tenants", n)
	}
}

// What the caller does to its configuration later changes no tenant.
func TestTenantsCopyTheirBase(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	base := Config{Environment: op.env, Wire: &names, Rules: Rules{ACRValues: []string{"aal3"}}}
	tenants, err := NewTenants(base)
	if err != nil {
		t.Fatal(err)
	}
	names.ScopeUserCertificate, base.Rules.ACRValues[0] = "changed", "changed"
	c, err := tenants.Add(Tenant{Name: "shop", ClientID: testClientID, Key: testClientKey(), RedirectURL: testRedirect})
	if err != nil {
		t.Fatal(err)
	}
	if begun := op.begin(c, Request{Scopes: UserCertificate}); strings.Contains(begun.URL, "changed") ||
		!strings.Contains(begun.URL, "acr_values=aal3") {
		t.Error(begun.URL)
	}
}

func TestRefusedTenants(t *testing.T) {
	op := newOP(t)
	good := Tenant{Name: "third", ClientID: "RP00000003", Key: testOtherEC(), RedirectURL: "https://third.example/cb"}
	for want, change := range map[string]func(*Tenant){
		"Name is taken":                     func(n *Tenant) { n.Name = "shop" },
		"Name must be 1 to 64":              func(n *Tenant) { n.Name = "" },
		"Name must be 1 to 64 bytes":        func(n *Tenant) { n.Name = strings.Repeat("n", 65) },
		"Name must be 1 to 64 bytes of":     func(n *Tenant) { n.Name = "a\nb" },
		"ClientID is another tenant's":      func(n *Tenant) { n.ClientID = testClientID },
		"RedirectURL is another tenant's":   func(n *Tenant) { n.RedirectURL = testRedirect },
		"ClientID must be":                  func(n *Tenant) { n.ClientID = "RP 3" },
		"Key: jose: key form: no key":       func(n *Tenant) { n.Key = Key{} },
		"RedirectURL must use https":        func(n *Tenant) { n.RedirectURL = "http://third.example/cb" },
		"RedirectURL has characters":        func(n *Tenant) { n.RedirectURL = "https://third.example/あ" },
		"Profile must be PrivateSector":     func(n *Tenant) { n.Profile = 7 },
		"Key and Keys must not both be set": func(n *Tenant) { n.Keys = ringOf(t, testOtherEC()) },
	} {
		tenants := twoTenants(t, op)
		n := good
		change(&n)
		if _, err := tenants.Add(n); kakunin.FamilyOf(err) != kakunin.Configuration ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if len(tenants.Names()) != 2 {
			t.Errorf("%s was added", want)
		}
	}
	for name, change := range map[string]func(*Config){
		"client id":   func(c *Config) { c.ClientID = testClientID },
		"key":         func(c *Config) { c.Key = testClientKey() },
		"redirect":    func(c *Config) { c.RedirectURL = testRedirect },
		"environment": func(c *Config) { c.Environment.Issuer = "" },
	} {
		base := Config{Environment: op.env}
		change(&base)
		if _, err := NewTenants(base); kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProfiles(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	names.GovernmentScopes = []string{"user_certificate", "x"}
	private := op.client(func(c *Config) { c.Wire = &names })
	government := op.client(func(c *Config) { c.Wire, c.Profile = &names, Government })
	for _, r := range []Request{{Scopes: UserCertificate}, {ExtraScopes: []string{"x"}}} {
		_, err := private.Begin(context.Background(), r)
		wantError(t, err, ReasonConfiguration, "request")
		if _, err := government.Begin(context.Background(), r); err != nil {
			t.Error(err)
		}
		// What is not published is not forbidden by default.
		if _, err := op.client().Begin(context.Background(), r); err != nil {
			t.Error(err)
		}
	}
	if PrivateSector.String() != "private sector" || Government.String() != "government" ||
		Profile(9).String() != "unknown" || private.Profile() != PrivateSector {
		t.Error("names")
	}
}
