package authn

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// Times of an ID token: the last that can be written, and one beyond; "0" says nothing.
func TestTimesOfAnIDToken(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	c := &Client{}
	c.now = func() time.Time { return now }
	read := func(exp, nbf string) (string, *idClaims) {
		out := &idClaims{}
		m := map[string]json.RawMessage{"exp": json.RawMessage(exp), "iat": json.RawMessage("1793577600")}
		if nbf != "" {
			m["nbf"] = json.RawMessage(nbf)
		}
		return c.checkTimes(m, out), out
	}
	last, beyond := json.Number(jsonInt(maxUnixTime-1)), json.Number(jsonInt(maxUnixTime))
	for name, tc := range map[string]struct{ exp, nbf, check string }{
		"the last time":     {last.String(), "", ""},
		"beyond the last":   {beyond.String(), "", "exp"},
		"no beginning":      {last.String(), "0", ""},
		"from the first":    {last.String(), "1", ""},
		"begins at the end": {last.String(), beyond.String(), "nbf"},
	} {
		if got, _ := read(tc.exp, tc.nbf); got != tc.check {
			t.Errorf("%s: %q, want %q", name, got, tc.check)
		}
	}
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n) //nolint:errchkjson // an integer
	return string(b)
}

// Beyond the last time that can be written everything is in the future, however far the clock is ahead. A time of 0
// says nothing, and is no time.
func TestTimesNobodyCanWrite(t *testing.T) {
	c := &Client{}
	c.now = func() time.Time { return time.Unix(maxUnixTime, 0) }
	c.expSkew = time.Minute
	last, beyond := json.RawMessage(jsonInt(maxUnixTime-1)), json.RawMessage(jsonInt(maxUnixTime))
	m := map[string]json.RawMessage{"exp": last, "iat": last, "nbf": beyond}
	if check := c.checkTimes(m, &idClaims{}); check != "nbf" {
		t.Errorf("%q", check)
	}
	out := &idClaims{}
	m = map[string]json.RawMessage{"exp": last, "iat": last, "auth_time": json.RawMessage("0")}
	if check := c.checkTimes(m, out); check != "" || !out.authTime.IsZero() || len(out.problems) > 0 {
		t.Errorf("%q, %v, %d problems", check, out.authTime, len(out.problems))
	}
}

// A login may be begun as far in the future as two clocks may differ, and what is refused beyond says so; one that is
// too old has nothing to do with clocks.
func TestAgesOfALogin(t *testing.T) {
	for name, tc := range map[string]struct {
		passed  time.Duration
		refused bool
		detail  bool
	}{
		"at the skew":     {-defaultSkew, false, false},
		"beyond the skew": {-defaultSkew - 1, true, true},
		"at the end":      {defaultPendingTTL, false, false},
		"after the end":   {defaultPendingTTL + 1, true, false},
	} {
		op := newOP(t)
		c := op.client()
		begun := op.begin(c, Request{})
		q := op.authorize(begun)
		op.clock.advance(tc.passed)
		_, err := c.checkCallback(begun.Pending.fields(), q)
		if !tc.refused {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e := wantError(t, err, ReasonExpired, "created"); strings.Contains(e.Detail, "future") != tc.detail {
			t.Errorf("%s: %q", name, e.Detail)
		}
	}
}

// Keys end after a day, not a moment later.
func TestKeysEndAfterADay(t *testing.T) {
	for passed, usable := range map[time.Duration]bool{keysUsable - 1: true, keysUsable: false} {
		op := newOP(t)
		c := op.client()
		if err := op.verifyOne(c); err != nil {
			t.Fatal(err)
		}
		op.setKeys(reply(http.StatusServiceUnavailable, jsonType, "{}"))
		op.clock.advance(passed)
		if err := op.verifyOne(c); (err == nil) != usable {
			t.Errorf("after %v: %v", passed, err)
		}
	}
}

// Newer keys that someone else fetched are used at once, in the pause as well.
func TestNewerKeysInThePause(t *testing.T) {
	k := newKeyCache("", nil, newClock().now, nil)
	seen, fetched := &keySnapshot{}, &keySnapshot{fetched: k.now()}
	k.cur.Store(fetched)
	k.quiet.Store(k.now().UnixNano())
	if got, err := k.newer(t.Context(), seen); got != fetched || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	// And whoever has seen these does not wait for one who fetches.
	k.turn <- struct{}{}
	ended, end := context.WithCancel(t.Context())
	end()
	if got, err := k.newer(ended, fetched); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// Clocks may differ by what an assertion is dated back and an answer takes.
func TestClocksDifferBeyondTheAllowance(t *testing.T) {
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	const most = assertionBackdate + webcall.DefaultTimeout
	for by, want := range map[time.Duration]bool{most: false, -most: false, most + 1: true, -most - 1: true} {
		if clocksDiffer(now.Format(http.TimeFormat), now.Add(by)) != want {
			t.Errorf("%v", by)
		}
	}
}

// A token that lives for no second has ended; one whose lifetime is unknown has no end. Of refresh tokens 0 says that
// they do not end.
func TestLifetimesOfNothing(t *testing.T) {
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	w := wire.Default()
	answer, err := tokenAnswerWith("expires_in", 0)
	if err != nil || !answer.access(now).Expires().Equal(now) {
		t.Errorf("expires %v, %v", answer.access(now).Expires(), err)
	}
	if answer, err = tokenAnswerWith("x", 0); err != nil || !answer.access(now).Expires().IsZero() {
		t.Errorf("expires %v, %v", answer.access(now).Expires(), err)
	}
	answer.members["refresh_token"] = json.RawMessage(`"r"`)
	for text, want := range map[string]time.Time{"0": {}, "1": now.Add(time.Second)} {
		answer.members[w.RefreshLifetimeField] = json.RawMessage(text)
		got, err := answer.tokens(now, &w)
		if err != nil || !got.refreshExpires.Equal(want) {
			t.Errorf("%s: %v, %v", text, got.refreshExpires, err)
		}
	}
	_, err = tokenAnswerWith("expires_in", -1)
	wantError(t, err, ReasonTokenResponse, "expires_in")
}
