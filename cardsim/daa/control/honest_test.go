package control

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
)

// A visit whose connection the service gives up, as a knob has it, is answered with a sentence, not with another one.
func TestVisitOnABrokenNetwork(t *testing.T) {
	w := newWorld(t)
	for _, fault := range []daa.NetworkFault{daa.NetworkReset, daa.NetworkTruncated} {
		w.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{
			Fault: fault, Endpoints: []daa.Endpoint{daa.EndpointAuthorization}, Times: 1,
		}})
		visit := map[string]any{"authorization_url": w.authorization()}
		if status, answer := w.call(http.MethodPost, "/control/visits", visit); status != http.StatusBadGateway {
			t.Errorf("%s: %d %v", fault, status, answer)
		}
		w.ok(http.MethodPost, "/control/visits", visit)
	}
}

// Values with which the service could not answer are no knobs.
func TestKnobsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, knobs := range []map[string]any{
		{"network": map[string]any{"status": 42}}, {"network": map[string]any{"status": 101}},
		{"network": map[string]any{"status": -1}}, {"network": map[string]any{"status": 1000}},
		{"token": map[string]any{"id_token": map[string]any{"algorithm": "HS256"}}},
		{"token": map[string]any{"id_token": map[string]any{"algorithm": "es256"}}},
	} {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			if status, answer := w.call(method, "/control/knobs", knobs); status != http.StatusBadRequest ||
				!strings.Contains(answer["error"].(string), "must be") {
				t.Errorf("%s %v: %d %v", method, knobs, status, answer)
			}
		}
	}
	w.ok(http.MethodPatch, "/control/knobs", map[string]any{
		"network": map[string]any{"status": 599},
		"token":   map[string]any{"id_token": map[string]any{"algorithm": "PS256"}},
	})
}

// Everything at once, for the race detector and for locks that wait for each other.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 4 {
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{http.MethodPost, "/control/visits", map[string]any{"authorization_url": w.authorization()}},
			{http.MethodPost, "/control/visits", map[string]any{
				"authorization_url": w.authorization(), "action": "cancel",
			}},
			{http.MethodGet, "/control/visits", nil},
			{http.MethodGet, "/control/cards", nil},
			{http.MethodPost, "/control/cards/hanako/unlock", nil},
			{http.MethodPost, "/control/cards/taro/move", map[string]any{}},
			{http.MethodPost, "/control/cards/taro/reissue", nil},
			{http.MethodPatch, "/control/knobs", map[string]any{"subject_generation": 2}},
			{http.MethodPost, "/control/clock", map[string]any{"advance": "1s"}},
			{http.MethodPost, "/control/keys/rotate", nil},
			{http.MethodGet, "/control/transactions", nil},
			{http.MethodPost, "/control/reset", nil},
		} {
			all.Go(func() {
				// A visit may find its card replaced or everything forgotten: nothing else may be wrong.
				if status, answer := w.call(call.method, call.path, call.body); status >= 500 &&
					status != http.StatusBadGateway {
					t.Errorf("%s %s: %d %v", call.method, call.path, status, answer)
				}
			})
		}
		all.Go(func() {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet,
				w.svc.URL()+"/simulator/inspector?personal=show", http.NoBody)
			w.svc.ServeHTTP(httptest.NewRecorder(), req)
		})
	}
	all.Wait()
	w.ok(http.MethodPost, "/control/reset", nil)
	w.ok(http.MethodPost, "/control/visits", map[string]any{"authorization_url": w.authorization()})
}
