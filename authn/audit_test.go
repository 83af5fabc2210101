package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
)

// audited is a client whose events are collected.
func audited(op *testOP, change ...func(*Config)) (*Client, *[]Event) {
	var events []Event
	c := op.client(append(change, func(c *Config) {
		c.Audit = func(_ context.Context, e Event) { events = append(events, e) }
	})...)
	return c, &events
}

func TestEveryLoginIsReportedOnce(t *testing.T) {
	op := newOP(t)
	c, events := audited(op)
	if _, err := op.login(c, Request{Scopes: Name, Sign: testTx}); err != nil {
		t.Fatal(err)
	}
	if len(*events) != 2 {
		t.Fatalf("%d events", len(*events))
	}
	begun, finished := (*events)[0], (*events)[1]
	if begun.Kind != LoginBegun || finished.Kind != LoginFinished || begun.Login == "" ||
		begun.Login != finished.Login || len(begun.Login) != 16 {
		t.Errorf("%+v", *events)
	}
	if begun.ClientID != testClientID || begun.Issuer != op.env.Issuer || !begun.Sign ||
		!slices.Equal(begun.Asked, []string{"openid", "name", "sign"}) || !begun.Time.Equal(op.clock.now()) {
		t.Errorf("%+v", begun)
	}
	if _, err := op.login(c, Request{}); err != nil || (*events)[2].Login == begun.Login {
		t.Error("two logins have the same name")
	}
}

// Refused before any request, by the service, and after every request: each exactly once, with the error's own words.
func TestEveryRefusalIsReportedOnce(t *testing.T) {
	for name, row := range map[string]struct {
		run    func(*testOP, *Client) error
		begun  bool
		reason Reason
		check  string
		code   string
		family kakunin.Family
	}{
		"request that cannot be sent": {func(_ *testOP, c *Client) error {
			_, err := c.Begin(context.Background(), Request{Scopes: SignScope})
			return err
		}, false, ReasonConfiguration, "request", "", kakunin.Configuration},
		"no pending login": {func(_ *testOP, c *Client) error {
			_, err := c.Finish(context.Background(), Pending{}, url.Values{})
			return err
		}, false, ReasonStateMismatch, "pending", "", kakunin.Untrusted},
		"forged state": {func(op *testOP, c *Client) error {
			_, err := finishWith(op, c, func(q url.Values) { q.Set("state", "x") })
			return err
		}, true, ReasonStateMismatch, "state", "", kakunin.Untrusted},
		"cancelled": {func(op *testOP, c *Client) error {
			_, err := finishWith(op, c, func(q url.Values) { q.Set("error", "access_denied") })
			return err
		}, true, ReasonUserCancelled, "error", "access_denied", kakunin.User},
		"text in place of a code": {func(op *testOP, c *Client) error {
			_, err := finishWith(op, c, func(q url.Values) { q.Set("error", "evil\ntext") })
			return err
		}, true, ReasonProviderError, "error", "", kakunin.Unavailable},
		"refused by the token endpoint": {func(op *testOP, c *Client) error {
			op.token = reply(400, jsonType, `{"error":"invalid_grant"}`)
			_, err := op.login(c, Request{})
			return err
		}, true, ReasonTokenRejected, "token endpoint", "invalid_grant", kakunin.User},
		"bad ID token": {func(op *testOP, c *Client) error {
			op.claims = set("aud", "x")
			_, err := op.login(c, Request{})
			return err
		}, true, ReasonIDToken, "aud", "", kakunin.Untrusted},
		"bad userinfo": {func(op *testOP, c *Client) error {
			op.person = with(op.person, "sub", "x")
			_, err := op.login(c, Request{Scopes: Name})
			return err
		}, true, ReasonUserinfo, "sub", "", kakunin.Untrusted},
		"service down": {func(op *testOP, c *Client) error {
			op.token = reply(503, jsonType, "{}")
			_, err := op.login(c, Request{})
			return err
		}, true, ReasonTransport, "status", "", kakunin.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c, events := audited(op)
			err := row.run(op, c)
			var own *Error
			if !errors.As(err, &own) {
				t.Fatal(err)
			}
			want := 1
			if row.begun {
				want = 2
			}
			if len(*events) != want {
				t.Fatalf("%d events, want %d: %+v", len(*events), want, *events)
			}
			e := (*events)[want-1]
			if e.Kind != LoginRefused || e.Reason != row.reason || e.Step != row.check || e.Code != row.code ||
				e.Family != row.family || e.Reason != own.Reason {
				t.Errorf("%+v", e)
			}
			if row.begun && (e.Login == "" || e.Login != (*events)[0].Login) {
				t.Error("the refusal does not say which login")
			}
		})
	}
}

func TestRefreshesAreReported(t *testing.T) {
	op := newOP(t)
	c, events := audited(op)
	id := keepTokens(t, op, c)
	op.clock.advance(time.Minute)
	op.claims = without("auth_time")
	if _, err := c.Refresh(context.Background(), id.RefreshToken()); err != nil {
		t.Fatal(err)
	}
	op.claims = set("sub", "x")
	if _, err := c.Refresh(context.Background(), id.RefreshToken()); err == nil {
		t.Fatal("accepted")
	}
	list := (*events)[2:]
	if len(list) != 2 || list[0].Kind != TokensRefreshed || list[1].Kind != RefreshRefused || list[1].Step != "sub" ||
		list[1].Family != kakunin.Untrusted {
		t.Errorf("%+v", list)
	}
}

// The adapter's records say the same, and none of them holds a secret or anything of the person.
func TestAuditLog(t *testing.T) {
	var out bytes.Buffer
	op := newOP(t)
	hook := AuditLog(slog.New(slog.NewTextHandler(&out, nil)))
	c := op.client(func(c *Config) { c.Audit = hook })
	begun := op.begin(c, Request{Scopes: Attributes, Sign: testTx})
	op.clock.advance(3 * time.Second)
	if _, err := c.Finish(context.Background(), begun.Pending, op.authorize(begun)); err != nil {
		t.Fatal(err)
	}
	if _, err := finishWith(op, c, func(q url.Values) { q.Set("error", "access_denied") }); err == nil {
		t.Fatal("accepted")
	}
	login := loginName(begun.Pending.State())
	for _, want := range []string{
		`level=INFO msg="login begun" client=RP00000001 login=` + login + ` sign=true`,
		`level=INFO msg="login finished" client=RP00000001 login=` + login + ` sign=true took=3s`,
		`level=WARN msg="login refused" reason="user cancelled" step=error oauth_error=access_denied family=user client=RP00000001 login=`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
	f := begun.Pending.fields()
	fmt.Fprintf(&out, "%v", Event{Kind: LoginRefused, Reason: ReasonIDToken}.LogValue())
	for _, secret := range []string{f.State, f.Nonce, f.Verifier, testSubject, testAccess, "花子", "清瀬"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(out.String(), "event=login refused") {
		t.Error(out.String())
	}
	for kind := EventKind(0); kind <= RefreshRefused+1; kind++ {
		if (kind.String() == "unknown") != (kind == 0 || kind > RefreshRefused) {
			t.Errorf("%d is %s", kind, kind)
		}
	}
}
