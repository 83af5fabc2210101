package authn

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin/internal/fault"
)

// maxTenantName is the longest name of a tenant, in bytes; it travels in every Pending.
const maxTenantName = 64

// Tenant is one registered application among several that one program serves.
type Tenant struct {
	// Name is the application's own: 1 to 64 bytes. It is bound into every login.
	Name string
	// ClientID, Key or Keys, RedirectURL and Profile are as in [Config]. No two tenants may have the same client id or
	// redirect URL.
	ClientID    string
	Key         Key
	Keys        *KeyRing
	RedirectURL string
	Profile     Profile
}

// Tenants is a registry of clients for the tenants of one service. They share connections, circuits and the service's
// signing keys, and nothing that a login is made of: a login begun for one tenant cannot be finished for another,
// because the tenant is bound into the [Pending] and compared. Tenants come and go at run time; it is safe for
// concurrent use.
type Tenants struct {
	base   Config
	shared *shared

	mu      sync.RWMutex
	clients map[string]*Client
}

// NewTenants makes a registry. base holds what the tenants have in common; its ClientID, Key, Keys, RedirectURL and
// Profile must be empty. One registry is for one environment: production and test environment need two, at different
// redirect URLs. Errors have ReasonConfiguration and name every mistake.
func NewTenants(base Config) (*Tenants, error) {
	s, list := newShared(base)
	if base.ClientID != "" || base.Key.signing().Signer != nil || base.Keys != nil || base.RedirectURL != "" ||
		base.Profile != PrivateSector {
		list = append(list, "ClientID, Key, Keys, RedirectURL and Profile belong to the tenants")
	}
	if err := misconfigured("tenants", list...); err != nil {
		return nil, err
	}
	if base.Wire != nil {
		w := base.Wire.Clone()
		base.Wire = &w
	}
	base.Rules.ACRValues, base.Rules.RequireACR = slices.Clone(
		base.Rules.ACRValues,
	), slices.Clone(
		base.Rules.RequireACR,
	)
	base.Rules.Algorithms, base.Encryption.Keys = slices.Clone(
		base.Rules.Algorithms,
	), slices.Clone(
		base.Encryption.Keys,
	)
	base.Encryption.KeyAlgorithms, base.Encryption.ContentAlgorithms = slices.Clone(
		base.Encryption.KeyAlgorithms,
	), slices.Clone(
		base.Encryption.ContentAlgorithms,
	)
	return &Tenants{base: base, shared: s, clients: make(map[string]*Client)}, nil
}

// Add registers a tenant and returns its client. Errors have ReasonConfiguration and name every mistake, a name, client
// id or redirect URL that is taken among them.
func (t *Tenants) Add(n Tenant) (*Client, error) {
	c := t.base
	c.ClientID, c.Key, c.Keys, c.RedirectURL, c.Profile = n.ClientID, n.Key, n.Keys, n.RedirectURL, n.Profile
	ring, keyMistakes := c.ring()
	l := fault.Mistakes(slices.Concat(c.registrationMistakes(), keyMistakes))
	l.Add(
		n.Name == "" || len(n.Name) > maxTenantName ||
			strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }),
		"Name must be 1 to 64 bytes of text",
	)
	t.mu.Lock()
	defer t.mu.Unlock()
	_, taken := t.clients[n.Name]
	l.Add(taken, "Name is taken")
	for _, other := range t.clients {
		l.Add(other.clientID == n.ClientID, "ClientID is another tenant's")
		// RFC 9700, section 2.1: a callback belongs to one client, or a code could be delivered to the wrong one.
		l.Add(other.redirectURL == n.RedirectURL, "RedirectURL is another tenant's")
	}
	if err := misconfigured("tenant", l...); err != nil {
		return nil, err
	}
	client := newClient(c, ring, t.shared, n.Name)
	t.clients[n.Name] = client
	return client, nil
}

// Remove takes a tenant out and reports whether there was one. Its logins under way can no longer be finished through
// the registry.
func (t *Tenants) Remove(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, found := t.clients[name]
	delete(t.clients, name)
	return found
}

// Client returns a tenant's client.
func (t *Tenants) Client(name string) (*Client, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c, ok := t.clients[name]
	return c, ok
}

// Names returns the names of all tenants in order.
func (t *Tenants) Names() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.clients))
}

// Begin is [Client.Begin] of the tenant. An unknown tenant is ReasonConfiguration.
func (t *Tenants) Begin(ctx context.Context, name string, r Request) (Begun, error) {
	c, ok := t.Client(name)
	if !ok {
		return Begun{}, t.unknown(ctx, nil)
	}
	return c.Begin(ctx, r)
}

// Callback is what a browser brings back, and the login it belongs to.
type Callback struct {
	Pending Pending
	Query   url.Values
}

// Finish is [Client.Finish] of the tenant, whose name comes from the callback's own address: never from the Pending, or
// any tenant's callback would do. An unknown tenant is ReasonConfiguration; a Pending of another tenant is
// ReasonStateMismatch.
func (t *Tenants) Finish(ctx context.Context, name string, b Callback) (*Identity, error) {
	c, ok := t.Client(name)
	if !ok {
		return nil, t.unknown(ctx, b.Pending.fields())
	}
	return c.Finish(ctx, b.Pending, b.Query)
}

// unknown is reported like every other refusal, without a client to report it for.
func (t *Tenants) unknown(ctx context.Context, f *pendingFields) error {
	err := &Error{Reason: ReasonConfiguration, Step: "unknown tenant"}
	nobody := Client{env: t.base.Environment, now: t.shared.now, audit: t.base.auditHook()}
	nobody.report(ctx, LoginRefused, f, err)
	return err
}
