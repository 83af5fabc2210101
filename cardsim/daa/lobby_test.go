package daa

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// A flood of visits costs the oldest ones of its own address, and nobody with whom a person went on.
func TestLobby(t *testing.T) {
	var given []string
	l := newLobby(10, 4, func(v *visit) { given = append(given, v.id) })
	person := &visit{id: "typing"}
	l.enter(person, "flood")
	l.enter(&visit{id: "another's"}, "quiet")
	l.leave(person) // went on
	for i := range 8 {
		l.enter(&visit{id: strconv.Itoa(i)}, "flood")
	}
	if got := strings.Join(given, " "); got != "0 1 2 3" {
		t.Errorf("given up: %s", got)
	}
	given = nil
	for i := range 6 {
		l.enter(&visit{id: "x" + strconv.Itoa(i)}, "address"+strconv.Itoa(i))
	}
	if got := strings.Join(given, " "); got != "another's" { // the house is full: the oldest of all
		t.Errorf("given up: %s", got)
	}
	l.leave(person) // twice does no harm
	if l.all.Len() != 10 || len(l.byAddress) != 7 {
		t.Errorf("%d visits of %d addresses", l.all.Len(), len(l.byAddress))
	}
}

// Over HTTP: the first of too many is gone, the one whose person typed something is not.
func TestFloodOfVisits(t *testing.T) {
	j, err := issuer.New(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := start(Config{JPKI: j, Clients: []ClientRegistration{{
		ID: "RP00000001", Key: j.Key("client").Public(), RedirectURLs: []string{"https://shop.example/cb"},
		OptionalPKCE: true,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	r.lobby.mostPerAddress = 3
	q := url.Values{
		"response_type": {"code"}, "scope": {"openid"}, "client_id": {"RP00000001"},
		"redirect_uri": {"https://shop.example/cb"},
		"state":        {"s"}, "nonce": {"n"},
	}
	send := func(method, path string, cookies []*http.Cookie) *http.Response {
		t.Helper()
		req := httptest.NewRequest(method, r.URL()+path, strings.NewReader("pin=12"))
		req.Header.Set("User-Agent", "Mobile")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range cookies {
			req.AddCookie(c)
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		return w.Result()
	}
	begin := func() (path string, cookies []*http.Cookie) {
		t.Helper()
		res := send(http.MethodGet, pathOf(r.env.AuthorizationEndpoint)+"?"+q.Encode(), nil)
		return res.Header.Get("Location"), res.Cookies()
	}
	typing, hers := begin()
	if res := send(http.MethodPost, typing+"/auth-pin/0", hers); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("typing: %d", res.StatusCode)
	}
	idle, his := begin()
	for range 3 {
		begin()
	}
	if res := send(http.MethodGet, idle, his); res.StatusCode != http.StatusGone {
		t.Errorf("the oldest that nobody touched: %d", res.StatusCode)
	}
	if res := send(http.MethodGet, typing, hers); res.StatusCode != http.StatusOK {
		t.Errorf("the one under way: %d", res.StatusCode)
	}
}

// A page whose own name leads to this machine (DNS rebinding) reaches nothing.
func TestForeignHostNames(t *testing.T) {
	j, err := issuer.New(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{BaseURL: "https://daa.example:8443", JPKI: j, Hosts: []string{"Simulator"}})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"daa.example:8443": 200, "DAA.example": 200, "localhost:9": 200, "127.0.0.1": 200, "127.1.2.3:80": 200,
		"[::1]:9000": 200,
		"localhost.": 200, "daa.example.:8443": 200, "evil.example.": 421, ".": 421, "[evil.example]": 421,
		"simulator:9000": 200, "evil.example": 421, "192.168.1.1": 421, "localhost.evil.example": 421, "": 421,
		"2130706433": 421,
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Host = host
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}
