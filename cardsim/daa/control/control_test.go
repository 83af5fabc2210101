package control

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

const token = "0123456789abcdef-control"

// world is a service that is steered.
type world struct {
	t     *testing.T
	svc   *daa.Running
	clock *Clock
	h     *Handler
	doc   document
}

// shared is the test JPKI of the tests that do not revoke.
var shared = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

const redirect = "https://shop.example/cb"

func newWorld(t *testing.T, opts ...daa.Option) *world {
	t.Helper()
	j, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: new(Clock)}
	opts = append([]daa.Option{
		daa.WithJPKI(j), daa.WithClock(w.clock.Now), daa.WithPersonas(person.Hanako, person.Taro),
		daa.WithClient(daa.ClientRegistration{
			ID: "RP00000001", Key: j.Key("client").Public(), RedirectURLs: []string{redirect}, OptionalPKCE: true,
		}),
	}, opts...)
	w.svc = daa.Start(t, opts...)
	if w.h, err = New(Config{Service: w.svc.Service, Token: token, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(openapi, &w.doc); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) authorization() string {
	return w.svc.Environment().AuthorizationEndpoint + "?" + url.Values{
		"response_type": {"code"}, "scope": {"openid name"}, "client_id": {"RP00000001"}, "redirect_uri": {redirect},
		"state": {"s"}, "nonce": {"n"},
	}.Encode()
}

// call sends a request and checks that the document describes it and its answer.
func (w *world) call(method, path string, body any) (int, map[string]any) {
	w.t.Helper()
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			w.t.Fatal(err)
		}
	}
	req := httptest.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1"+path, bytes.NewReader(payload))
	req.RemoteAddr = "127.0.0.1:5"
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res := httptest.NewRecorder()
	w.h.ServeHTTP(res, req)
	var answer map[string]any
	if err := json.Unmarshal(res.Body.Bytes(), &answer); err != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, res.Code, res.Body)
	}
	operation, ok := w.doc.find(method, path)
	switch {
	case !ok:
		if res.Code != http.StatusNotFound {
			w.t.Errorf("%s %s is not in the document", method, path)
		}
	case res.Code == http.StatusOK:
		operation.Responses["200"].Content["application/json"].Schema.check(w.t, method+" "+path, answer)
	default:
		w.doc.Components.Responses["Refusal"].Content["application/json"].Schema.check(w.t, method+" "+path, answer)
	}
	return res.Code, answer
}

func (w *world) ok(method, path string, body any) map[string]any {
	w.t.Helper()
	status, answer := w.call(method, path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

func TestVisits(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		order   map[string]any
		outcome string
		want    string // parameter of the callback
	}{
		"approve":        {map[string]any{}, "approved", "code"},
		"of Taro":        {map[string]any{"action": "approve", "card": "taro"}, "approved", "code"},
		"on two devices": {map[string]any{"two_devices": true}, "approved", "code"},
		"cancel":         {map[string]any{"action": "cancel"}, "cancelled", "error"},
		"mistype twice":  {map[string]any{"action": "mistype", "times": 2}, "approved", "code"},
		"block":          {map[string]any{"action": "block"}, "blocked", "error"},
	} {
		t.Run(name, func(t *testing.T) {
			w.ok(http.MethodPost, "/control/reset", nil)
			c.order["authorization_url"] = w.authorization()
			got := w.ok(http.MethodPost, "/control/visits", c.order)
			callback, err := url.Parse(got["callback_url"].(string))
			if err != nil || got["outcome"] != c.outcome || callback.Query().Get(c.want) == "" ||
				callback.Query().Get("state") != "s" {
				t.Errorf("%v", got)
			}
			if name == "mistype twice" && got["remaining_tries"] != 1.0 {
				t.Errorf("remaining tries: %v", got["remaining_tries"])
			}
		})
	}
	w.ok(http.MethodPost, "/control/reset", nil)
	got := w.ok(http.MethodPost, "/control/visits", map[string]any{
		"authorization_url": w.authorization() + "&max_age=x&prompt=none"})
	if got["outcome"] != "refused" {
		t.Errorf("a request that is refused: %v", got)
	}
	for name, c := range map[string]struct {
		order  any
		status int
		says   string
	}{
		"no URL": {map[string]any{}, http.StatusBadRequest, "authorization_url"},
		"unknown action": {map[string]any{"authorization_url": w.authorization(), "action": "sneeze"},
			http.StatusBadRequest, "mistype"},
		"unknown member": {map[string]any{"authorization_url": w.authorization(), "pin": "1234"},
			http.StatusBadRequest, "openapi.json"},
		"unknown card": {map[string]any{"authorization_url": w.authorization(), "card": "jiro"},
			http.StatusNotFound, "/control/cards"},
		"unregistered site": {map[string]any{"authorization_url": w.svc.Environment().AuthorizationEndpoint},
			http.StatusConflict, "inspector"},
		"wrong PIN": {map[string]any{"authorization_url": w.authorization(), "auth_pin": "9999"},
			http.StatusConflict, "PIN"},
		"not even an object": {[]int{1}, http.StatusBadRequest, "object"},
	} {
		status, got := w.call(http.MethodPost, "/control/visits", c.order)
		if text, _ := got["error"].(string); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
}

// A browser of a test opens the authorization URL; the test waits for it, approves in its place, and the browser
// reloads.
func TestPendingVisits(t *testing.T) {
	w := newWorld(t)
	if got := w.ok(http.MethodGet, "/control/visits", nil); len(got["visits"].([]any)) != 0 {
		t.Errorf("before anybody came: %v", got)
	}
	for _, agent := range []string{"Mobile", "PC"} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host == "shop.example" {
				return http.ErrUseLastResponse
			}
			return nil
		}}
		get := func(at string) *http.Response {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("User-Agent", agent)
			res, err := browser.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return res
		}
		waiting := make(chan map[string]any, 1)
		go func() { waiting <- w.ok(http.MethodGet, "/control/visits?wait=1m", nil) }()
		page := get(w.authorization()).Request.URL.String()
		list := (<-waiting)["visits"].([]any)
		if len(list) != 1 {
			t.Fatalf("%s: %v", agent, list)
		}
		if err := w.svc.AwaitVisit(t.Context()); err != nil { // it is there already: nothing to wait for
			t.Error(err)
		}
		one := list[0].(map[string]any)
		got := w.ok(http.MethodPost, "/control/visits/"+one["id"].(string), map[string]any{"action": "approve"})
		if !strings.Contains(got["callback_url"].(string), "code=") {
			t.Fatalf("%s: %v", agent, got)
		}
		if left := w.ok(http.MethodGet, "/control/visits", nil)["visits"].([]any); len(left) != 0 {
			t.Errorf("%s: still pending: %v", agent, left)
		}
		// the answer was given: a reload does not repeat it
		if status := get(page).StatusCode; status != http.StatusGone {
			t.Errorf("%s: reload: %d", agent, status)
		}
	}
	if status, _ := w.call(http.MethodPost, "/control/visits/nobody", nil); status != http.StatusNotFound {
		t.Errorf("nobody's visit: %d", status)
	}
	if status, _ := w.call(http.MethodGet, "/control/visits?wait=2h", nil); status != http.StatusBadRequest {
		t.Errorf("a long wait: %d", status)
	}
}

func TestCards(t *testing.T) {
	j, err := issuer.New(issuer.Config{Seed: "revoking"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, daa.WithJPKI(j))
	outcome := func() any {
		t.Helper()
		return w.ok(http.MethodPost, "/control/visits", map[string]any{
			"authorization_url": w.authorization()})["outcome"]
	}
	want := func(what string, wanted string) {
		t.Helper()
		if got := outcome(); got != wanted {
			t.Errorf("%s: %v", what, got)
		}
	}
	if names := w.ok(http.MethodGet, "/control/cards", nil)["cards"].([]any); len(names) != 2 {
		t.Errorf("cards: %v", names)
	}
	w.ok(http.MethodPost, "/control/visits", map[string]any{"authorization_url": w.authorization(), "action": "block"})
	want("blocked", "blocked")
	w.ok(http.MethodPost, "/control/cards/hanako/unlock", nil)
	want("unlocked", "approved")
	w.ok(http.MethodPost, "/control/cards/hanako/authentication/revoke", map[string]any{"reason": 6})
	want("on hold", "certificate")
	w.ok(http.MethodPost, "/control/cards/hanako/authentication/unrevoke", nil)
	want("no longer", "approved")
	w.ok(http.MethodPost, "/control/cards/hanako/authentication/revoke", nil)
	want("revoked", "certificate")
	w.ok(http.MethodPost, "/control/reset", nil)
	want("reset", "approved")
	for _, path := range []string{
		"/control/cards/nobody/unlock", "/control/cards/nobody/signing/revoke", "/control/cards/hanako/other/revoke",
	} {
		if status, _ := w.call(http.MethodPost, path, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := w.call(http.MethodPost, "/control/cards/taro/signing/unrevoke",
		nil); status != http.StatusConflict {
		t.Errorf("what was not revoked: %d", status)
	}
}

func TestKnobsClockAndKeys(t *testing.T) {
	w := newWorld(t)
	w.ok(http.MethodPatch, "/control/knobs", map[string]any{"lifetimes": map[string]any{"code": "90s"}})
	w.ok(http.MethodPatch, "/control/knobs", map[string]any{"sign": map[string]any{"bare_jwe": true}})
	if k := w.svc.Knobs(); k.Lifetimes.Code != 90*time.Second || !k.Sign.BareJWE {
		t.Errorf("%+v", k)
	}
	w.ok(http.MethodPut, "/control/knobs", map[string]any{"discovery": "off"})
	if k := w.svc.Knobs(); k.Lifetimes.Code != 0 || k.Discovery != daa.DiscoveryOff {
		t.Errorf("%+v", k)
	}
	status, got := w.call(http.MethodPatch, "/control/knobs", map[string]any{"sign": map[string]any{"bare": true}})
	if text, _ := got["error"].(string); status != http.StatusBadRequest || !strings.Contains(text, "bare_jwe") {
		t.Errorf("%d %v", status, got)
	}
	all := w.ok(http.MethodGet, "/control/knobs", nil)
	if all["discovery"] != "off" || all["lifetimes"] == nil {
		t.Errorf("%v", all)
	}

	before := w.clock.Now()
	w.ok(http.MethodPost, "/control/clock", map[string]any{"advance": "20m"})
	if d := w.clock.Now().Sub(before); d < 20*time.Minute || d > 21*time.Minute {
		t.Errorf("moved by %v", d)
	}
	for _, wrong := range []string{"", "-1h", "soon"} {
		if status, _ := w.call(http.MethodPost, "/control/clock",
			map[string]any{"advance": wrong}); status != http.StatusBadRequest {
			t.Errorf("advance %q: %d", wrong, status)
		}
	}
	w.ok(http.MethodGet, "/control/clock", nil)

	keys := func() string {
		t.Helper()
		res, err := w.svc.Client().Get(w.svc.Environment().JWKSEndpoint)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	old := keys()
	w.ok(http.MethodPost, "/control/keys/rotate", nil)
	if keys() == old {
		t.Error("the keys are the old ones")
	}
	w.ok(http.MethodGet, "/control/transactions", nil)

	w.ok(http.MethodPost, "/control/reset", nil)
	if k := w.svc.Knobs(); k.Discovery != daa.DiscoveryOn || w.clock.Now().Sub(before) > 10*time.Minute {
		t.Errorf("after the reset: %+v", k)
	}
}

// A reset also takes back what was done while the clock was ahead: no list of revocations stays in the future.
func TestResetOfTheFuture(t *testing.T) {
	var w *world
	j, err := issuer.New(issuer.Config{Now: func() time.Time {
		if w == nil {
			return time.Now()
		}
		return w.clock.Now()
	}})
	if err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, daa.WithJPKI(j))
	outcome := func() any {
		order := map[string]any{"authorization_url": w.authorization()}
		return w.ok(http.MethodPost, "/control/visits", order)["outcome"]
	}
	for name, orders := range map[string][]string{
		"revoked":     {"/control/cards/hanako/authentication/revoke"},
		"and back":    {"/control/cards/hanako/authentication/revoke", "/control/cards/hanako/authentication/unrevoke"},
		"moved":       {"/control/cards/hanako/move"},
		"a new card":  {"/control/cards/hanako/move", "/control/cards/hanako/reissue"},
		"taro's card": {"/control/cards/taro/authentication/revoke"},
	} {
		w.ok(http.MethodPost, "/control/clock", map[string]any{"advance": "36h"})
		for _, order := range orders {
			w.ok(http.MethodPost, order, nil)
		}
		if got := outcome(); got != "certificate" && name == "revoked" {
			t.Errorf("%s: %v", name, got)
		}
		w.ok(http.MethodPost, "/control/reset", nil)
		if got := outcome(); got != "approved" {
			t.Errorf("%s, then reset: %v", name, got)
		}
	}
}

// Whoever has no token, comes from another machine, or is a web page, steers nothing.
func TestWhoMaySteer(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"as it should be": {func(*http.Request) {}, http.StatusOK},
		"IPv6":            {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:80", "[::1]:9000" }, http.StatusOK},
		// A page of another site whose name leads here by now, with or without a token.
		"a rebound name": {func(r *http.Request) { r.Host = "evil.example:9000" }, http.StatusMisdirectedRequest},
		"a rebound name without a token": {func(r *http.Request) {
			r.Host = "evil.example"
			r.Header.Del("Authorization")
		}, http.StatusMisdirectedRequest},
		"no name":  {func(r *http.Request) { r.Host = "" }, http.StatusMisdirectedRequest},
		"no token": {func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized},
		"another token": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") },
			http.StatusUnauthorized},
		"token as Basic":  {func(r *http.Request) { r.SetBasicAuth("", token) }, http.StatusUnauthorized},
		"another machine": {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:80" }, http.StatusForbidden},
		"no address":      {func(r *http.Request) { r.RemoteAddr = "" }, http.StatusForbidden},
		"a web page":      {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1") }, http.StatusForbidden},
		"a form": {func(r *http.Request) { r.ContentLength = 5; r.Header.Set("Content-Type", "text/plain") },
			http.StatusUnsupportedMediaType},
		"an unknown path": {func(r *http.Request) { r.URL.Path = "/control/nothing" }, http.StatusNotFound},
		"an unknown verb": {func(r *http.Request) { r.Method = http.MethodDelete }, http.StatusNotFound},
		"too much to read": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", 1<<20) + "{}"))
			r.ContentLength = 1 << 20
			r.Method = http.MethodPatch
			r.Header.Set("Content-Type", "application/json")
			r.URL.Path = "/control/knobs"
		}, http.StatusRequestEntityTooLarge},
	} {
		req := httptest.NewRequest(http.MethodGet, "/control/cards", nil)
		req.RemoteAddr, req.Host = "127.0.0.1:80", "localhost:9000"
		req.Header.Set("Authorization", "bearer "+token)
		c.change(req)
		res := httptest.NewRecorder()
		w.h.ServeHTTP(res, req)
		if res.Code != c.status {
			t.Errorf("%s: %d %s", name, res.Code, res.Body)
		}
	}
	for name, c := range map[string]Config{"no service": {Token: token},
		"short token": {Service: w.svc.Service, Token: "short"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestAPersonMoves: the address changes, the signing certificate is gone, and a reissued card has another; a reset
// takes all of it back.
func TestAPersonMoves(t *testing.T) {
	j, err := issuer.New(issuer.Config{Seed: "moving"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, daa.WithJPKI(j))
	address := func() string {
		card, _ := w.svc.CardNamed("hanako")
		return card.Person().Reveal().Address
	}
	first := address()
	w.ok(http.MethodPost, "/control/cards/hanako/move", map[string]any{"street": "架空町７番"})
	if address() != first {
		t.Error("the card changes before it is reissued")
	}
	w.ok(http.MethodPost, "/control/cards/hanako/reissue", nil)
	if got := address(); got == first || !strings.HasSuffix(got, "架空町７番") {
		t.Errorf("the new card says %q", got)
	}
	if list := w.ok(http.MethodGet, "/control/verifications", nil)["verifications"].([]any); len(list) != 0 {
		t.Errorf("verifications: %v", list)
	}
	w.ok(http.MethodPost, "/control/reset", nil)
	if address() != first {
		t.Error("a reset does not take the move back")
	}
	status, got := w.call(http.MethodPost, "/control/cards/hanako/move", map[string]any{"municipality": "00000"})
	if text, _ := got["error"].(string); status != http.StatusBadRequest || !strings.Contains(text, "13101") {
		t.Errorf("%d %v", status, got)
	}
	for _, path := range []string{"/control/cards/nobody/move", "/control/cards/nobody/reissue"} {
		if status, _ := w.call(http.MethodPost, path, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}
