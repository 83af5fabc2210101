package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/tests"
)

// Every reason has a name, a family that tells what to do, and a message in both languages.
func TestEveryReasonIsClassified(t *testing.T) {
	tests.Reasons(t, ReasonKey, func(r Reason) error { return &Error{Reason: r} })
}

func TestStateMismatchMentionsPrivateBrowsing(t *testing.T) {
	e := &Error{Reason: ReasonStateMismatch}
	if !strings.Contains(kakunin.MessageFor(e, kakunin.English), "private browsing") ||
		!strings.Contains(kakunin.MessageFor(e, kakunin.Japanese), "プライベートブラウズ") {
		t.Error("the person does not learn the usual cause")
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("secret")
	for want, e := range map[string]*Error{
		"authn: unknown":         {},
		"authn: ID token: nonce": {Reason: ReasonIDToken, Step: "nonce", Err: cause},
		"authn: provider error: error (server_error)": {Reason: ReasonProviderError, Step: "error",
			Code: "server_error"},
		"authn: provider error: error":        {Reason: ReasonProviderError, Step: "error", Code: "<script>"},
		"authn: configuration: request: a; b": {Reason: ReasonConfiguration, Step: "request", Detail: "a; b"},
		"authn: configuration: key file":      {Reason: ReasonConfiguration, Step: "key file", Err: cause},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
	if !errors.Is(&Error{Err: cause}, cause) {
		t.Error("the cause is lost")
	}
	if kakunin.FamilyOf(fmt.Errorf("wrapped: %w", &Error{Reason: ReasonTransport})) != kakunin.Unavailable ||
		kakunin.FamilyOf(context.DeadlineExceeded) != kakunin.Unavailable {
		t.Error("families of wrapped errors")
	}
}

// The service's own words about a refusal reach the developer, bounded and quoted, and nobody else.
func TestDescription(t *testing.T) {
	long := strings.Repeat("あ", 200)
	for name, row := range map[string]struct {
		token, info http.HandlerFunc
		want        string
		status      int
	}{
		"token endpoint": {
			token: reply(401, jsonType, `{"error":"invalid_client","error_description":"Unable to load public key"}`),
			want:  `"Unable to load public key"`, status: 401},
		"in Japanese": {token: reply(400, jsonType, `{"error":"invalid_request","error_description":"不正な要求"}`),
			want: `"不正な要求"`, status: 400},
		"an unknown code": {token: reply(400, jsonType, `{"error":"not_allowed"}`), want: `"not_allowed"`, status: 400},
		"control characters and bidirectional marks": {token: reply(400, jsonType,
			`{"error":"invalid_grant","error_description":"a\u001b[31m\u202e\"\n"}`),
			want: `"a\x1b[31m\u202e\"\n"`, status: 400},
		"too long": {token: reply(400, jsonType, `{"error":"invalid_grant","error_description":"`+long+`"}`),
			want: `"` + long[:255] + `…"`, status: 400},
		"no string": {token: reply(400, jsonType, `{"error":"invalid_grant","error_description":{}}`),
			want: `"invalid_grant"`, status: 400},
		"null": {token: reply(400, jsonType, `{"error":"invalid_grant","error_description":null}`),
			want: `"invalid_grant"`, status: 400},
		"error page": {token: reply(502, "text/html", "<html>"), status: 502},
		"of another type": {token: reply(400, "text/html", `{"error":"invalid_grant","error_description":"spent twice"}`),
			want: `"spent twice"`, status: 400},
		"of no type": {token: reply(401, "?", `{"error":"invalid_client","error_description":"no key"}`),
			want: `"no key"`, status: 401},
		"of an outage": {token: reply(503, jsonType, `{"error":"temporarily_unavailable","error_description":"04:00"}`),
			want: `"04:00"`, status: 503},
		"not in UTF-8": {token: reply(400, "application/json;charset=Shift_JIS",
			`{"error":"invalid_grant","error_description":"`+"\x83\x52"+` x"}`), want: `"�R x"`, status: 400},
		"in the token endpoint's challenge": {token: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_client", error_description="no key"`)
			w.WriteHeader(http.StatusUnauthorized)
		}, want: `"no key"`, status: 401},
		"userinfo, in JSON": {info: reply(403, jsonType, `{"error":"insufficient_scope","error_description":"scope"}`),
			want: `"scope"`, status: 403},
		"userinfo, challenged": {info: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate",
				`Bearer realm="main", error="invalid_token", error_description="Token verification failed"`)
			w.WriteHeader(401)
		}, want: `"Token verification failed"`, status: 401},
		"userinfo, half a challenge": {info: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error_description="Token`)
			w.WriteHeader(401)
		}, status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			op.token, op.info = row.token, row.info
			var quiet, verbose bytes.Buffer
			var event Event
			c := op.client(func(c *Config) {
				c.Audit = func(ctx context.Context, e Event) {
					event = e
					AuditLog(slog.New(slog.NewTextHandler(&quiet, nil)))(ctx, e)
					AuditLog(slog.New(slog.NewTextHandler(&verbose, &slog.HandlerOptions{Level: slog.LevelDebug})))(ctx,
						e)
				}
			})
			_, err := op.login(c, Request{Scopes: Name})
			var e *Error
			if !errors.As(err, &e) || e.Description() != row.want || e.Status != row.status {
				t.Fatalf("%s with status %d, %v", e.Description(), e.Status, err)
			}
			if !strings.Contains(e.Error(), fmt.Sprint(row.status)) {
				t.Errorf("%v does not name the status", e)
			}
			if event.Description != row.want || event.Status != row.status {
				t.Errorf("%+v", event)
			}
			if row.want == "" {
				return
			}
			inner := strings.Trim(row.want, `"`)
			for where, text := range map[string]string{
				"the error": e.Error(), "its print": fmt.Sprintf("%+v", e), "the log": quiet.String(),
				"the message": kakunin.MessageFor(e, kakunin.English) + kakunin.MessageFor(e, kakunin.Japanese),
			} {
				if strings.Contains(text, inner) && e.Code != inner {
					t.Errorf("it is in %s: %s", where, text)
				}
			}
			if !strings.Contains(verbose.String(), "description=") {
				t.Error("it is not in the debug log")
			}
		})
	}
}

// What is most often no attack says what to look at.
func TestHints(t *testing.T) {
	later := newClock().now().Add(time.Hour).Unix()
	for name, row := range map[string]struct {
		odd  func(*testOP)
		hint string
	}{
		"no at_hash":          {noClaim("at_hash"), "Rules.AtHashOptional"},
		"a wrong at_hash":     {claim("at_hash", "x"), ""},
		"iat ahead":           {claim("iat", later), "clock"},
		"no iat":              {noClaim("iat"), ""},
		"nbf ahead":           {claim("nbf", later), "clock"},
		"auth_time ahead":     {claim("auth_time", later), "clock"},
		"expired on arrival":  {claim("exp", newClock().now().Add(-time.Hour).Unix()), "clock"},
		"no exp":              {noClaim("exp"), ""},
		"exp a text":          {claim("exp", "9999999999"), "seconds"},
		"iat a text":          {claim("iat", "1764579540"), "seconds"},
		"iat in milliseconds": {claim("iat", int64(1764579540000)), "seconds"},
		"nbf in milliseconds": {claim("nbf", int64(1764579540000)), "seconds"},
		"another nonce":       {claim("nonce", "x"), ""},
		"encrypted": {func(op *testOP) { op.alterID = func(string) string { return "a.b.c.d.e" } },
			"Encryption.Keys"},
	} {
		op := newOP(t)
		row.odd(op)
		var events []Event
		_, err := op.login(op.client(func(c *Config) {
			c.Audit = func(_ context.Context, e Event) {
				events = append(events, e)
			}
		}), Request{})
		var e *Error
		if !errors.As(err, &e) || (e.Detail == "") != (row.hint == "") || !strings.Contains(e.Error(), row.hint) {
			t.Errorf("%s: %v", name, err)
		} else if events[len(events)-1].Detail != e.Detail {
			t.Errorf("%s: the operator does not read it", name)
		}
	}
	// An assertion is refused by a service whose clock differs from ours.
	for ahead, want := range map[time.Duration]bool{0: false, -time.Minute: true, time.Minute: true} {
		op := newOP(t)
		op.token = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", op.clock.now().Add(ahead).UTC().Format(http.TimeFormat))
			writeJSON(w, 401, claimsMap{"error": "invalid_client"})
		}
		_, err := op.login(op.client(), Request{})
		if e := wantError(t, err, ReasonRequestRefused, "token endpoint"); strings.Contains(e.Detail, "clock") != want {
			t.Errorf("%v ahead: %v", ahead, e)
		}
	}
}

// errors.Is compares by reason, and by step where one is named.
func TestIs(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &Error{Reason: ReasonIDToken, Step: "nonce"})
	if !errors.Is(err, &Error{Reason: ReasonIDToken}) || !errors.Is(err, &Error{Reason: ReasonIDToken, Step: "nonce"}) {
		t.Error("not recognised")
	}
	if errors.Is(err, &Error{Reason: ReasonIDToken, Step: "iss"}) || errors.Is(err, &Error{Reason: ReasonUserinfo}) {
		t.Error("taken for another")
	}
}
