package middleware

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	request := func(query string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/callback", nil)
		r.URL.RawQuery = query
		return r
	}
	s := mustSealer(t, testKeys(1))
	for name, c := range map[string]struct {
		limit, beyond int
		fits          func(n int) bool
	}{
		"name of a flow": {32, 33, func(n int) bool { return validFlowName(strings.Repeat("x", n)) }},
		"query": {limits.CallbackQuery, limits.CallbackQuery + 1, func(n int) bool {
			_, err := callbackQuery(request("code=c&state=s&" + strings.Repeat("x", n-len("code=c&state=s&"))))
			return err == nil
		}},
		"state": {limits.AuthorizationParameter, limits.AuthorizationParameter + 1, func(n int) bool {
			_, err := callbackQuery(request("code=c&state=" + strings.Repeat("s", n)))
			return err == nil
		}},
		"keys to open with": {limits.SealKeys, limits.SealKeys + 1, func(n int) bool {
			keys := make([]byte, n)
			for i := range keys {
				keys[i] = byte(i + 1)
			}
			_, problem := newSealer(testKeys(keys...))
			return problem == ""
		}},
		"sealed cookie": {limits.Cookie, limits.Cookie + 2, func(n int) bool {
			for plain := n / 2; ; plain++ {
				if value := s.seal("n", make([]byte, plain)); len(value) >= n {
					_, err := s.open("n", value)
					return len(value) == n && err == nil
				}
			}
		}},
		"first visible character of a reference": {' ', ' ' - 1,
			func(n int) bool { return validReference(string(rune(n))) }},
	} {
		if !c.fits(c.limit) {
			t.Errorf("%s: %d is refused", name, c.limit)
		}
		if c.fits(c.beyond) {
			t.Errorf("%s: %d is accepted", name, c.beyond)
		}
	}
}

// The octets of names and of paths, each for itself.
func TestEveryOctet(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	for b := range 256 {
		one := string([]byte{byte(b)})
		if got, want := validFlowName(one), strings.Contains(letters, one); got != want {
			t.Errorf("octet %02X in the name of a flow: %v", b, got)
		}
		want, wantOK := one, b >= ' ' && b != 0x7f
		if b == ' ' || b == '\\' || b > 0x7f {
			want = "%" + strings.ToUpper(strconv.FormatInt(int64(b), 16))
		}
		if !wantOK {
			want = ""
		}
		for _, beside := range []string{"", "é"} {
			expected := want
			if wantOK {
				expected += url.PathEscape(beside)
			}
			if got, ok := encodeBeyondASCII(one + beside); got != expected || ok != wantOK {
				t.Errorf("octet %02X: %q, %v, want %q, %v", b, got, ok, expected, wantOK)
			}
		}
	}
}

// Requirements decide by each attribute and place, and freshness by both ends.
func TestRequirementsDecide(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	whole := fourinfo.Person{
		Name: fourinfo.NewName("確認　花子"), Address: fourinfo.NewAddress("東京都清瀬市架空町１－２－３"),
		Gender: fourinfo.NewGender("2"),
	}
	var err error
	if whole.Birthdate, err = fourinfo.ParseBirthdate("19880723"); err != nil {
		t.Fatal(err)
	}
	visit := func(p fourinfo.Person) Visit {
		return Visit{Identity: &authn.Identity{Person: p}, LoggedIn: now,
			Now: now}
	}
	without := func(change func(*fourinfo.Person)) Visit {
		p := whole
		change(&p)
		return visit(p)
	}
	after := func(age time.Duration) Visit { return Visit{LoggedIn: now, Now: now.Add(age)} }
	noName := without(func(p *fourinfo.Person) { p.Name = fourinfo.Name{} })
	noAddress := without(func(p *fourinfo.Person) { p.Address = fourinfo.Address{} })
	for name, c := range map[string]struct {
		require Requirement
		visit   Visit
		reason  Reason
	}{
		"all are shared": {RequireAttributes(authn.Name | authn.Address | authn.Birthdate | authn.Gender),
			visit(whole), 0},
		"one is not":                 {RequireAttributes(authn.Name | authn.Address), noName, ReasonAttributes},
		"one that nobody asked for":  {RequireAttributes(authn.Address), noName, 0},
		"none are asked for":         {RequireAttributes(0), visit(fourinfo.Person{}), 0},
		"a resident":                 {RequireMunicipality("13221"), visit(whole), 0},
		"a resident of the second":   {RequireMunicipality("13101", "13221"), visit(whole), 0},
		"a resident of elsewhere":    {RequireMunicipality("13101"), visit(whole), ReasonMunicipality},
		"an address that is unknown": {RequireMunicipality("13221"), noAddress, ReasonMunicipalityUnknown},
		"no municipality":            {RequireMunicipality(), visit(whole), ReasonMunicipalityUnknown},
		"just fresh":                 {RequireFresh(time.Hour), after(time.Hour), 0},
		"not fresh any more":         {RequireFresh(time.Hour), after(time.Hour + 1), ReasonNotFresh},
		"ahead within the skew":      {RequireFresh(time.Hour), after(-clockSkew), 0},
		"ahead of the skew":          {RequireFresh(time.Hour), after(-clockSkew - 1), ReasonNotFresh},
	} {
		err := c.require(t.Context(), c.visit)
		var e *Error
		if c.reason == 0 && err != nil || c.reason != 0 && (!errors.As(err, &e) || e.Reason != c.reason) {
			t.Errorf("%s: %v, want %v", name, err, c.reason)
		}
	}
}

// What a proxy takes away is taken away whole, and from no other path.
func TestPathInside(t *testing.T) {
	l := &Login{outside: outside{base: "/app"}}
	for path, want := range map[string]string{
		"/app/x": "/x", "/app/": "/", "/apple": "/apple", "/app": "/app", "/x": "/x", "/x/app/": "/x/app/",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if got := l.inside(r); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// A pending login that ends early is none.
func TestDecodePendingEnds(t *testing.T) {
	whole, err := encodePending([]byte("login"), pending{Return: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, _, err := decodePending(whole[:n]); !errors.Is(err, errSealed) {
			t.Errorf("%d octets of %d: %v", n, len(whole), err)
		}
	}
	if login, p, err := decodePending(whole); err != nil || string(login) != "login" || p.Return != "/x" {
		t.Errorf("%s, %+v, %v", login, p, err)
	}
	tooLong := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, whole...)
	if _, _, err := decodePending(tooLong); !errors.Is(err, errSealed) {
		t.Errorf("a length of more than 64 bits: %v", err)
	}
}

// Results wait for their browsers, the latest ones, each for its own attempt.
func TestWaitingResults(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	state := func(i int) string { return "state-" + strconv.Itoa(i) + "-" + strings.Repeat("x", 32) }
	var s attempts
	own := make([]*attempt, limits.WaitingResults+1)
	for i := range own {
		var mine bool
		if own[i], mine = s.claim(state(i), now); !mine {
			t.Fatalf("attempt %d is somebody else's", i)
		}
		s.end(state(i), own[i], nil, now.Add(time.Hour))
		if i == limits.WaitingResults-1 && !s.holds(state(0), own[0], now) {
			t.Error("the first was let go before there was one too many")
		}
	}
	if s.holds(state(0), own[0], now) || !s.holds(state(1), own[1], now) {
		t.Error("one too many does not let go the first alone")
	}
	if s.holds(state(1), own[2], now) || s.holds(state(1), own[1], now.Add(time.Hour)) {
		t.Error("another attempt is held, or one whose time is over")
	}
}

// A result is taken once, and its attempt is let go with it; another attempt of the state stays.
func TestResultIsTakenOnce(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	const state = "state-0123456789012345678901234567890123456789"
	var s attempts
	a, _ := s.claim(state, now)
	result := &finished{}
	s.end(state, a, result, now.Add(time.Hour))
	old := &attempt{result: &finished{}}
	if s.take(state, old) == nil || !s.holds(state, a, now) {
		t.Error("the result of an attempt that is gone lets go another one")
	}
	if s.take(state, a) != result || s.take(state, a) != nil || s.holds(state, a, now) {
		t.Error("a result is taken twice, or held on to")
	}
}

// A state that is none has the word of the unknown.
func TestConsentStatesHaveWords(t *testing.T) {
	for s, want := range map[ConsentState]string{
		-1: "unknown", 0: "unknown", ConsentWaiting: "waiting", ConsentState(len(consentStates)): "unknown",
	} {
		if got := s.String(); got != want {
			t.Errorf("%d: %s, want %s", int(s), got, want)
		}
	}
}
