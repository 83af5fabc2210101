package authn

import (
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Sandbox and production may know the same client id, key and redirect URL; nothing that one of them said is ever taken
// to the other (RFC 9700, section 4.4).
func TestSandboxAndProductionDoNotMix(t *testing.T) {
	sandbox, production := newOP(t), newOP(t)
	production.idKey = testOtherEC()
	production.publish(testOtherEC())
	for name, row := range map[string]struct {
		finish func(t *testing.T) (*Identity, error)
		want   string
	}{
		"a login begun at the sandbox, finished with the client of production": {func(t *testing.T) (*Identity, error) {
			begun := sandbox.begin(sandbox.client(), Request{})
			return production.client().Finish(t.Context(), begun.Pending, sandbox.authorize(begun))
		}, "rejects (state mismatch: pending)"},
		"the same, stored and read back": {func(t *testing.T) (*Identity, error) {
			begun := sandbox.begin(sandbox.client(), Request{})
			b, err := begun.Pending.RevealBytes()
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParsePending(b)
			if err != nil {
				t.Fatal(err)
			}
			return production.client().Finish(t.Context(), p, sandbox.authorize(begun))
		}, "rejects (state mismatch: pending)"},
		"the callback of the sandbox for a login at production": {func(t *testing.T) (*Identity, error) {
			c := production.client()
			mine, theirs := production.begin(c, Request{}), sandbox.begin(sandbox.client(), Request{})
			return c.Finish(t.Context(), mine.Pending, sandbox.authorize(theirs))
		}, "rejects (state mismatch: state)"},
		"the sandbox answers the request for production, and says who it is": {func(t *testing.T) (*Identity, error) {
			c := production.client()
			begun := production.begin(c, Request{})
			q := production.authorize(begun)
			q.Set("iss", sandbox.env.Issuer)
			return c.Finish(t.Context(), begun.Pending, q)
		}, "rejects (issuer mismatch: iss)"},
		"a code of the sandbox under the state of production": {func(t *testing.T) (*Identity, error) {
			c := production.client()
			mine, theirs := production.begin(c, Request{}), sandbox.begin(sandbox.client(), Request{})
			q := sandbox.authorize(theirs)
			q.Set("state", mine.Pending.State())
			return c.Finish(t.Context(), mine.Pending, q)
		}, "rejects (token rejected: token endpoint)"},
		"an ID token of the sandbox from production": {func(t *testing.T) (*Identity, error) {
			production.alterID = func(string) string { return sandbox.idToken("n", testAccess) }
			defer func() { production.alterID = nil }()
			return production.login(production.client(), Request{})
		}, "rejects (ID token: key)"},
	} {
		t.Run(name, func(t *testing.T) {
			before := sandbox.tokenHits.Load()
			id, err := row.finish(t)
			if got := verdict(err); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
			if id != nil || sandbox.tokenHits.Load() != before {
				t.Error("something was sent to the sandbox or came of it")
			}
		})
	}
	if Sandbox().Issuer == Production().Issuer || Sandbox().JWKSEndpoint == Production().JWKSEndpoint {
		t.Error("the environments share an issuer or keys")
	}
}

// A code that an attacker obtained from another browser is put into a callback of his own: PKCE ends that at the
// service, and with a service that does not check it the nonce does here (RFC 9700, section 4.5).
func TestCodeInjectionAcrossBrowsers(t *testing.T) {
	for name, row := range map[string]struct {
		withoutPKCE bool
		want        string
	}{
		"PKCE":                   {false, "rejects (token rejected: token endpoint)"},
		"a service without PKCE": {true, "rejects (ID token: nonce)"},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			op.withoutPKCE = row.withoutPKCE
			c := op.client()
			victim, attacker := op.begin(c, Request{Scopes: Attributes}), op.begin(c, Request{Scopes: Attributes})
			q := op.authorize(attacker)
			q.Set("code", op.authorize(victim).Get("code"))
			id, err := c.Finish(t.Context(), attacker.Pending, q)
			if got := verdict(err); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
			if id != nil || op.infoHits.Load() != 0 {
				t.Error("somebody else's attributes were read")
			}
		})
	}
}

// A callback that is delivered fifty times at once (reload, back button, a prefetching browser, a thief) is worth one
// login and one token request.
func TestReplayedCallbackAtTheSameTime(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	var finished, replayed atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			switch got := verdict(func() error {
				_, err := c.Finish(t.Context(), begun.Pending,
					q)
				return err
			}()); got {
			case accepts:
				finished.Add(1)
			case "rejects (replayed: state)":
				replayed.Add(1)
			default:
				t.Error(got)
			}
		})
	}
	wg.Wait()
	if finished.Load() != 1 || replayed.Load() != 49 || op.tokenHits.Load() != 1 {
		t.Errorf("%d finished, %d replayed, %d token requests", finished.Load(), replayed.Load(), op.tokenHits.Load())
	}
}

// Two tabs of one browser: the callback of one does not fit the login of the other, does not use it up, and both
// finish, in whatever order.
func TestStateFromAnotherTab(t *testing.T) {
	op := newOP(t)
	c := op.client()
	first, second := op.begin(c, Request{Scopes: Name}), op.begin(c, Request{Scopes: Gender})
	q1, q2 := op.authorize(first), op.authorize(second)
	for _, swapped := range []struct {
		p Pending
		q url.Values
	}{{first.Pending, q2}, {second.Pending, q1}} {
		id, err := c.Finish(t.Context(), swapped.p, swapped.q)
		wantError(t, err, ReasonStateMismatch, "state")
		if id != nil || op.tokenHits.Load() != 0 {
			t.Error("something came of it")
		}
	}
	for _, own := range []struct {
		p    Pending
		q    url.Values
		want string
	}{{second.Pending, q2, "gender"}, {first.Pending, q1, "name"}} {
		id, err := c.Finish(t.Context(), own.p, own.q)
		if err != nil || id.Asked[1] != own.want {
			t.Errorf("%s: %v", own.want, err)
		}
	}
}
