package visitor_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// TestOddPages: a page that the simulated service does not show ends the visit with the step at which it was odd; what
// the page says never comes into the error.
func TestOddPages(t *testing.T) {
	t.Parallel()
	const here = `<main data-kakunin-page="handover"><form method="post" action="/phone/1" data-kakunin-form="here"></form></main>`
	form := func(name, attributes, inputs string) string {
		return `<main data-kakunin-page="` + name + `"><form method="post" ` + attributes + ` data-kakunin-form="` + name +
			`">` + inputs + `</form></main>`
	}
	const odd, refused = visitor.ReasonUnexpectedPage, visitor.ReasonPINRefused
	const pin, to = `<input name="pin" type="password">`, `action="/phone/1"`
	person := visitor.Person{AuthPIN: "1234", TextPIN: "5678", SigningPassword: "ABCDEF", Card: "hanako"}
	pc := person
	pc.TwoDevices = true
	for what, c := range map[string]struct {
		person visitor.Person
		page   string
		reason visitor.Reason
		step   string
		unsaid string // what the page says and the error must not
	}{
		"a refusal": {person, `<main data-kakunin-page="error" data-kakunin-error="taro">`, visitor.ReasonRefused, "unknown",
			"taro"},
		"another page":    {person, form("news", to, ""), odd, "page", "news"},
		"no form":         {person, `<main data-kakunin-page="auth-pin">`, odd, "form", ""},
		"no field":        {person, form("auth-pin", to, ""), odd, "field", "1234"},
		"odd tries":       {person, form("auth-pin", to+` data-kakunin-remaining="two"`, pin), odd, "remaining tries", "two"},
		"another service": {person, form("auth-pin", `action="https://evil.example/"`, pin), odd, "action", "evil"},
		"a refused text PIN": {person, form("text-pin", to+` data-kakunin-remaining="2"`, pin), refused,
			"text-pin", "5678"},
		"a refused password": {person, form("signing-password", to+` data-kakunin-remaining="4"`, `<input name="password">`),
			refused, "signing-password", "ABCDEF"},
		"a PIN that is refused again": {person, form("auth-pin", to, pin), refused, "auth-pin", "1234"},
		"another's cards": {person, form("auth-pin", to, pin+`<input name="card" value="1" data-kakunin-card="taro">`),
			visitor.ReasonConfiguration, "card", "taro"},
		"a test card of another's": {person, form("test-card", to, `<input name="card" value="1" data-kakunin-card="taro">`),
			visitor.ReasonConfiguration, "card", "taro"},
		"no end":                {person, here, odd, "too many pages", ""},
		"no handover":           {pc, `<main data-kakunin-page="handover">`, odd, "form", ""},
		"a phone of somebody's": {pc, strings.Replace(here, "method", `data-kakunin-phone="https://evil.example/" method`, 1), odd, "phone address", "evil"},
		"a phone without a number": {pc, strings.Replace(here, "method", `data-kakunin-phone="/phone/2" method`, 1),
			odd, "phone address", ""},
		"no markers": {person, "<h1>Log in</h1>", odd, "form of the page", ""},
	} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(c.page))
		}))
		callback, err := c.person.Approve(t.Context(), service.URL+"/auth")
		service.Close()
		e, ok := errors.AsType[*visitor.Error](err)
		if !ok || callback != "" || e.Reason != c.reason || e.Step != c.step {
			t.Errorf("%s: callback %q, error %v", what, callback, err)
			continue
		}
		if c.unsaid != "" && strings.Contains(e.Error(), c.unsaid) {
			t.Errorf("%s: %q is in the error %q", what, c.unsaid, e)
		}
	}
}

// TestOddAnswers: what is no page at all.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		answer func(http.ResponseWriter)
		reason visitor.Reason
		step   string
	}{
		"no address to go to": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusFound) },
			visitor.ReasonUnexpectedPage, "location"},
		"no HTML": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		}, visitor.ReasonUnexpectedPage, "content type"},
		"less than it said": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("<main>"))
		}, visitor.ReasonTransport, "body"},
	} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) }))
		person := new(visitor.Person)
		_, err := person.Approve(t.Context(), service.URL+"/auth")
		service.Close()
		if e, ok := errors.AsType[*visitor.Error](err); !ok || e.Reason != c.reason || e.Step != c.step {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := new(visitor.Person).Approve(t.Context(), "::"); !errors.Is(err,
		&visitor.Error{Reason: visitor.ReasonConfiguration}) {
		t.Errorf("no address: %v", err)
	}
}
