package control

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// What is not one object with known members, each once, changes nothing and is refused with a sentence.
func TestBodiesThatAreNone(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		"[]", "7", `"approve"`, "true", "{", "}", "{}]", "{}}", "{}{}", "{} x", "\ufeff{", "{'a':1}", "{\"action\":}",
		`{"action":"cancel","action":"approve"}`, `{"action":"cancel","Action":"approve"}`, `{"actions":"cancel"}`,
		`{"action":7}`, `{"times":"2"}`, `{"times":1e99}`, `{"two_devices":"yes"}`, "{\"action\":\"\xff\"}",
		`{"action":"sing"}`, `{"card":"nobody"}`, `{"authorization_url":"no address"}`, "not JSON", "a=b",
		strings.Repeat("[", 100_000), `{"action":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`,
	} {
		if strings.HasPrefix(body, "{\"") && !strings.Contains(body, "authorization_url") {
			address, err := json.Marshal(w.authorization())
			if err != nil {
				t.Fatal(err)
			}
			body = `{"authorization_url":` + string(address) + "," + body[1:]
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/control/visits",
			strings.NewReader(body))
		req.RemoteAddr = "127.0.0.1:5"
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		res := httptest.NewRecorder()
		w.h.ServeHTTP(res, req)
		var refused struct{ Error string }
		if res.Code < 400 || res.Code >= 500 || json.Unmarshal(res.Body.Bytes(), &refused) != nil ||
			refused.Error == "" {
			t.Errorf("%.80s: %d %s", body, res.Code, res.Body)
		}
	}
	if visits := w.ok(http.MethodGet, "/control/visits", nil)["visits"]; len(visits.([]any)) > 0 {
		t.Errorf("visits were begun: %v", visits)
	}
}

// Knobs that several programs turn at once are all turned.
func TestKnobsAtOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	const turns = 30
	for i := range turns {
		all.Go(func() {
			w.ok(http.MethodPatch, "/control/knobs", map[string]any{"token": map[string]any{
				"set_members": map[string]any{}, // of another program's change nothing is lost
			}})
		})
		all.Go(func() {
			w.ok(http.MethodPatch, "/control/knobs", map[string]any{"lifetimes": map[string]any{
				[]string{"code", "access_token", "id_token"}[i%3]: fmt.Sprintf("%ds", 100+i%3),
			}})
		})
	}
	all.Wait()
	if k := w.svc.Knobs().Lifetimes; k.Code != 100*time.Second || k.AccessToken != 101*time.Second ||
		k.IDToken != 102*time.Second {
		t.Errorf("%+v", k)
	}
}

// However far it is moved, the clock does not turn back.
func TestClockAtItsEnd(t *testing.T) {
	c := new(Clock)
	for range 3 {
		before := c.Now()
		if c.Advance(math.MaxInt64 / 2); c.Now().Before(before) {
			t.Fatalf("from %v to %v", before, c.Now())
		}
	}
	if c.Reset(); c.Now().After(time.Now().Add(time.Minute)) {
		t.Error("the reset")
	}
}
