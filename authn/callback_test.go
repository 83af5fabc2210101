package authn

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// finishWith begins a login, lets change alter the callback, and finishes it.
func finishWith(op *testOP, c *Client, change func(url.Values)) (*Identity, error) {
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	change(q)
	return c.Finish(context.Background(), begun.Pending, q)
}

func TestRefusedCallbacks(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(url.Values)
		reason Reason
		check  string
		family kakunin.Family
	}{
		{"state of another login", func(q url.Values) { q.Set("state", randomText(32)) }, ReasonStateMismatch, "state",
			kakunin.Untrusted},
		{"state missing", func(q url.Values) { q.Del("state") }, ReasonStateMismatch, "state", kakunin.Untrusted},
		{"state extended", func(q url.Values) { q.Set("state", q.Get("state")+"A") }, ReasonStateMismatch, "state",
			kakunin.Untrusted},
		{"cancel with a foreign state", func(q url.Values) { q.Set("state", "x"); q.Set("error", "access_denied") },
			ReasonStateMismatch, "state", kakunin.Untrusted},
		{"duplicate state", func(q url.Values) { q.Add("state", q.Get("state")) }, ReasonCallback, "duplicate state",
			kakunin.Untrusted},
		{"duplicate code", func(q url.Values) { q.Add("code", "x") }, ReasonCallback, "duplicate code",
			kakunin.Untrusted},
		{"duplicate iss", func(q url.Values) { q["iss"] = []string{"a", "b"} }, ReasonCallback, "duplicate iss",
			kakunin.Untrusted},
		{"duplicate error", func(q url.Values) { q["error"] = []string{"access_denied", "x"} }, ReasonCallback,
			"duplicate error", kakunin.Untrusted},
		{"iss of another issuer", func(q url.Values) { q.Set("iss", Production().Issuer) }, ReasonIssuerMismatch, "iss",
			kakunin.Untrusted},
		{"iss empty", func(q url.Values) { q.Set("iss", "") }, ReasonIssuerMismatch, "iss", kakunin.Untrusted},
		{"iss of another issuer before the error", func(q url.Values) {
			q.Set("iss", "x")
			q.Set("error", "access_denied")
		}, ReasonIssuerMismatch, "iss", kakunin.Untrusted},
		{"code missing", func(q url.Values) { q.Del("code") }, ReasonCallback, "code", kakunin.Untrusted},
		{"code empty", func(q url.Values) { q.Set("code", "") }, ReasonCallback, "code", kakunin.Untrusted},
		{"too large", func(q url.Values) { q.Set("x", strings.Repeat("x", limits.CallbackQuery)) }, ReasonCallback,
			"size", kakunin.Untrusted},
		{"cancelled", func(q url.Values) { q.Set("error", "access_denied") }, ReasonUserCancelled, "error",
			kakunin.User},
		{"cancelled, with a code as well", func(q url.Values) {
			q.Set("error", "access_denied")
			q.Set("error_description", "<b>")
		}, ReasonUserCancelled, "error", kakunin.User},
		{"login required", func(q url.Values) { q.Set("error", "login_required") }, ReasonInteractionRequired, "error",
			kakunin.User},
		{"invalid scope", func(q url.Values) { q.Set("error", "invalid_scope") }, ReasonRequestRefused, "error",
			kakunin.Configuration},
		{"server error", func(q url.Values) { q.Set("error", "server_error") }, ReasonProviderError, "error",
			kakunin.Unavailable},
		{"temporarily unavailable", func(q url.Values) { q.Set("error", "temporarily_unavailable") },
			ReasonProviderError, "error", kakunin.Unavailable},
		{"unknown code", func(q url.Values) { q.Set("error", "<script>alert(1)</script>") }, ReasonProviderError,
			"error", kakunin.Unavailable},
		{"empty error and no code", func(q url.Values) { q.Set("error", ""); q.Del("code") }, ReasonCallback, "code",
			kakunin.Untrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := newOP(t)
			id, err := finishWith(op, op.client(), c.change)
			e := wantError(t, err, c.reason, c.check)
			if id != nil || op.tokenHits.Load() != 0 {
				t.Error("the token endpoint was called")
			}
			if kakunin.FamilyOf(err) != c.family {
				t.Errorf("family %s, want %s", kakunin.FamilyOf(err), c.family)
			}
			if strings.Contains(e.Error(), "script") || e.Code != knownCode(e.Code) {
				t.Errorf("attacker's text in %q", e)
			}
		})
	}
}

func TestAcceptedCallbacks(t *testing.T) {
	for name, change := range map[string]func(*testOP, url.Values){
		"plain":                    func(*testOP, url.Values) {},
		"without session_state":    func(_ *testOP, q url.Values) { q.Del("session_state") },
		"with our iss":             func(op *testOP, q url.Values) { q.Set("iss", op.env.Issuer) },
		"with unknown parameters":  func(_ *testOP, q url.Values) { q["x"] = []string{"1", "2"} },
		"with a description alone": func(_ *testOP, q url.Values) { q.Set("error_description", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			if _, err := finishWith(op, op.client(), func(q url.Values) { change(op, q) }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelCodesAreConfigurable(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	names.CancelCodes = []string{"user_cancelled"}
	c := op.client(func(c *Config) { c.Wire = &names })
	_, err := finishWith(op, c, func(q url.Values) { q.Set("error", "user_cancelled") })
	if e := wantError(t, err, ReasonUserCancelled, "error"); e.Code != "" {
		t.Errorf("an unregistered code is repeated: %q", e.Code)
	}
	_, err = finishWith(op, c, func(q url.Values) { q.Set("error", "access_denied") })
	if e := wantError(t, err, ReasonAccessDenied, "error"); e.Code != "access_denied" ||
		kakunin.FamilyOf(e) != kakunin.Account {
		t.Errorf("%v", e)
	}
}

func TestReplayedCallback(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	if _, err := c.Finish(context.Background(), begun.Pending, q); err != nil {
		t.Fatal(err)
	}
	id, err := c.Finish(context.Background(), begun.Pending, q)
	e := wantError(t, err, ReasonReplayed, "state")
	if id != nil || kakunin.FamilyOf(e) != kakunin.User || op.tokenHits.Load() != 1 {
		t.Error("the code was sent again")
	}
	// In another process the service's own single use of codes remains.
	_, err = op.client().Finish(context.Background(), begun.Pending, q)
	if e := wantError(t, err, ReasonTokenRejected, "token endpoint"); e.Code != "invalid_grant" ||
		kakunin.FamilyOf(e) != kakunin.User {
		t.Errorf("%v", e)
	}
}

// A forged callback must not use up the login of the person it was sent to.
func TestForgedCallbackLeavesTheLoginAlive(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	_, err := c.Finish(context.Background(), begun.Pending, url.Values{"state": {"forged"}, "code": {"stolen"}})
	wantError(t, err, ReasonStateMismatch, "state")
	if _, err := c.Finish(context.Background(), begun.Pending, q); err != nil {
		t.Error(err)
	}
}

// A code that was obtained in another browser fails: its challenge belongs to the other login's verifier.
func TestInjectedCode(t *testing.T) {
	op := newOP(t)
	c := op.client()
	attacker, victim := op.begin(c, Request{}), op.begin(c, Request{})
	stolen := op.authorize(attacker).Get("code")
	_, err := c.Finish(context.Background(), victim.Pending,
		url.Values{"state": {victim.Pending.State()}, "code": {stolen}})
	wantError(t, err, ReasonTokenRejected, "token endpoint")
}

func TestPendingExpires(t *testing.T) {
	op := newOP(t)
	c := op.client()
	for _, age := range []time.Duration{15*time.Minute + time.Second, -2 * time.Minute} {
		begun := op.begin(c, Request{})
		q := op.authorize(begun)
		op.clock.advance(age)
		_, err := c.Finish(context.Background(), begun.Pending, q)
		if e := wantError(t, err, ReasonExpired, "created"); kakunin.FamilyOf(e) != kakunin.User {
			t.Errorf("family %s", kakunin.FamilyOf(e))
		}
	}
	begun := op.begin(c, Request{})
	op.clock.advance(15 * time.Minute)
	if _, err := c.Finish(context.Background(), begun.Pending, op.authorize(begun)); err != nil {
		t.Error(err)
	}
	if c.PendingTTL() != 15*time.Minute {
		t.Error("default lifetime")
	}
}

// A login begun for the test environment, for another client or for another callback never finishes here.
func TestPendingOfAnotherClient(t *testing.T) {
	op, other := newOP(t), newOP(t)
	c := op.client()
	for name, foreign := range map[string]*Client{
		"issuer":       other.client(),
		"client id":    op.client(func(c *Config) { c.ClientID = "RP00000002" }),
		"redirect URL": op.client(func(c *Config) { c.RedirectURL = "https://shop.example/other" }),
	} {
		t.Run(name, func(t *testing.T) {
			begun, err := foreign.Begin(context.Background(), Request{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Finish(context.Background(), begun.Pending,
				url.Values{"state": {begun.Pending.State()}, "code": {"x"}})
			wantError(t, err, ReasonStateMismatch, "pending")
		})
	}
	_, err := c.Finish(context.Background(), Pending{}, url.Values{"state": {""}, "code": {"x"}})
	wantError(t, err, ReasonStateMismatch, "pending")
}

func TestReplayMemoryIsBounded(t *testing.T) {
	r := newOP(t).client().finished
	at := time.Unix(1_000_000, 0)
	expires := at.Add(time.Minute)
	if !r.First("first", at, expires) || r.First("first", at, expires) {
		t.Fatal("first")
	}
	for range limits.FinishedLogins {
		r.First(randomText(8), at, expires)
	}
	if r.Len() != limits.FinishedLogins {
		t.Errorf("%d remembered", r.Len())
	}
	if !r.First("later", at.Add(2*time.Minute), at.Add(3*time.Minute)) || r.Len() != 1 {
		t.Errorf("%d remembered after their time", r.Len())
	}
}

func FuzzCallback(f *testing.F) {
	op := newOP(f)
	c := op.client(func(c *Config) { c.Environment.TokenEndpoint = "http://127.0.0.1:1/token" })
	begun := op.begin(c, Request{})
	state := begun.Pending.State()
	for _, s := range []string{"state=" + state, "error=access_denied&state=" + state, "state=a&state=b",
		"iss=x&code=y", "%zz", "a;b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		code, err := c.checkCallback(begun.Pending.fields(), q)
		if (err == nil) != (code != "") {
			t.Fatalf("code %q, %v", code, err)
		}
		if err == nil && (q.Get("state") != state || q.Get("error") != "") {
			t.Fatal("accepted")
		}
		if err != nil && kakunin.FamilyOf(err).String() == "unclassified" {
			t.Fatal(err)
		}
	})
}

// RFC 9207, section 2.4: where the metadata promises iss, a callback without it is refused before the code is sent.
func TestPromisedIssuerMustBeThere(t *testing.T) {
	for promised, want := range map[any]bool{true: true, false: false, "true": false, nil: false} {
		op := newOP(t)
		op.metadata = set("authorization_response_iss_parameter_supported", promised)
		env, err := Discover(t.Context(), nil, op.env.Issuer)
		if err != nil || env.IssuerInCallback != want {
			t.Fatalf("%v: %v, %v", promised, env.IssuerInCallback, err)
		}
		c := op.client(func(c *Config) { c.Environment = env })
		_, err = finishWith(op, c, func(q url.Values) { q.Del("iss") })
		if want {
			wantError(t, err, ReasonIssuerMismatch, "iss")
			if op.tokenHits.Load() != 0 {
				t.Error("the code was sent")
			}
		} else if err != nil {
			t.Error(err)
		}
		if _, err = finishWith(op, c, func(q url.Values) { q.Set("iss", op.env.Issuer) }); err != nil {
			t.Error(err)
		}
	}
}
