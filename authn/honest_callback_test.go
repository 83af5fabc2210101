package authn

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
)

// A page that was left open for too long means "start again", whatever code comes with it; a cancellation stays one.
func TestHonestCallbacks(t *testing.T) {
	answer := func(code, description string) func(url.Values) {
		return func(q url.Values) {
			q.Del("code")
			q.Set("error", code)
			q.Set("error_description", description)
		}
	}
	parsed := func(query string) func(url.Values) {
		return func(q url.Values) {
			state := q.Get("state")
			clear(q)
			more, _ := url.ParseQuery(strings.ReplaceAll(query, "STATE", state)) // as http.Request.URL.Query does
			maps.Copy(q, more)
		}
	}
	for _, row := range []struct {
		name   string
		change func(url.Values)
		reason Reason
		family kakunin.Family
	}{
		{"authentication_expired", answer("temporarily_unavailable", "authentication_expired"), ReasonExpired,
			kakunin.User},
		{"authentication_expired as a server error", answer("server_error", "authentication_expired"), ReasonExpired,
			kakunin.User},
		{"authentication_expired as the code", answer("authentication_expired", ""), ReasonExpired, kakunin.User},
		{"authentication_expired with login_required", answer("login_required", "authentication_expired"),
			ReasonExpired, kakunin.User},
		{"authentication_expired in capitals", answer("temporarily_unavailable", "AUTHENTICATION_EXPIRED"),
			ReasonExpired, kakunin.User},
		{"authentication_expired with a line end", answer("temporarily_unavailable", "authentication_expired\r\n"),
			ReasonExpired, kakunin.User},
		{"authentication_expired in quotes", answer("server_error", ` "Authentication_Expired".`), ReasonExpired,
			kakunin.User},
		{"authentication_expired in other quotes", answer("temporarily_unavailable", "'authentication_expired'!"),
			ReasonExpired, kakunin.User},
		{"authentication_expired, the code in capitals", answer("Temporarily_Unavailable ", "authentication_expired"),
			ReasonExpired, kakunin.User},
		{"cancelled in capitals", answer("ACCESS_DENIED", ""), ReasonUserCancelled, kakunin.User},
		{"cancelled with a space behind it", answer("access_denied ", ""), ReasonUserCancelled, kakunin.User},
		{"cancelled with a line end", answer("access_denied\r\n", ""), ReasonUserCancelled, kakunin.User},
		{"cancelled in quotes", answer(`"access_denied"`, ""), ReasonUserCancelled, kakunin.User},
		{"something like a cancellation", answer("access_denied_not", ""), ReasonProviderError, kakunin.Unavailable},
		{"to be logged in, in capitals", answer("Login_Required", ""), ReasonInteractionRequired, kakunin.User},
		{"our own fault with a space", answer("invalid_scope ", ""), ReasonRequestRefused, kakunin.Configuration},
		{"two words of the description", answer("temporarily_unavailable", "authentication_expired maintenance"),
			ReasonProviderError, kakunin.Unavailable},
		{"temporarily unavailable for another reason", answer("temporarily_unavailable", "maintenance"),
			ReasonProviderError, kakunin.Unavailable},
		{"something like it", answer("temporarily_unavailable", "authentication_expired_not"), ReasonProviderError,
			kakunin.Unavailable},
		{"our own fault stays ours", answer("invalid_scope", "authentication_expired"), ReasonRequestRefused,
			kakunin.Configuration},
		{"cancelled, with two descriptions", func(q url.Values) {
			answer("access_denied", "a")(q)
			q.Add("error_description", "b")
		}, ReasonUserCancelled, kakunin.User},
		{"cancelled, with everything twice that is not read", func(q url.Values) {
			answer("access_denied", "")(q)
			for _, name := range []string{"error_uri", "session_state", "response", "x", "kc_action_status"} {
				q[name] = []string{"a", "b"}
			}
		}, ReasonUserCancelled, kakunin.User},
		{"cancelled, with a semicolon", parsed("error=access_denied&state=STATE&error_description=the;user;left"),
			ReasonUserCancelled, kakunin.User},
		{"cancelled, with a stray percent sign",
			parsed("error=access_denied&state=STATE&error_description=100%&error_uri=%zz"), ReasonUserCancelled,
			kakunin.User},
		{"cancelled, with an empty code", parsed("error=access_denied&code=&state=STATE"), ReasonUserCancelled,
			kakunin.User},
		{"cancelled, with an empty pair", parsed("&&error=access_denied&state=STATE&=&x"), ReasonUserCancelled,
			kakunin.User},
	} {
		t.Run(row.name, func(t *testing.T) {
			op := newOP(t)
			_, err := finishWith(op, op.client(), row.change)
			wantError(t, err, row.reason, "error")
			if kakunin.FamilyOf(err) != row.family {
				t.Errorf("family %v", kakunin.FamilyOf(err))
			}
		})
	}
}

// A callback that is malformed uses nothing up: the browser may come back with the real one.
func TestMalformedCallbacksUseNothingUp(t *testing.T) {
	for name, spoil := range map[string]func(url.Values){
		"code missing":         func(q url.Values) { q.Del("code") },
		"code empty":           func(q url.Values) { q.Set("code", "") },
		"error empty, no code": func(q url.Values) { q.Del("code"); q.Set("error", "") },
		"code twice":           func(q url.Values) { q.Add("code", "x") },
		"state twice":          func(q url.Values) { q.Add("state", "x") },
		"iss twice":            func(q url.Values) { q["iss"] = []string{"a", "b"} },
		"error twice":          func(q url.Values) { q["error"] = []string{"access_denied", "x"} },
		"too large":            func(q url.Values) { q.Set("x", strings.Repeat("x", 1<<14)) },
		"of another":           func(q url.Values) { q.Set("state", "x") },
	} {
		op := newOP(t)
		c := op.client()
		begun := op.begin(c, Request{})
		good := op.authorize(begun)
		bad := maps.Clone(good)
		for k, v := range good {
			bad[k] = slices.Clone(v)
		}
		spoil(bad)
		if _, err := c.Finish(t.Context(), begun.Pending, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := c.Finish(t.Context(), begun.Pending, good); err != nil {
			t.Errorf("%s: the real callback afterwards: %v", name, err)
		}
	}
}

// A parameter without a value was not sent (RFC 6749, section 3.1): an empty error beside a code is no error.
func TestEmptyErrorIsNone(t *testing.T) {
	op := newOP(t)
	id, err := finishWith(op, op.client(), func(q url.Values) {
		q["error"], q["error_description"] = []string{""},
			[]string{""}
	})
	if err != nil || id == nil {
		t.Error(err)
	}
}
