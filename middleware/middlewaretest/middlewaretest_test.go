package middlewaretest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

func page(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, "Hello %s", middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
}

// A handler behind Require, in one line.
func ExampleWithIdentity() {
	var t testing.T // the test's own
	shop := middlewaretest.New(&t, middleware.Config{}).RequireFunc(page, middleware.AgeAtLeast(20))

	for _, birthdate := range []string{"19880723", "20200101"} {
		w := httptest.NewRecorder()
		shop.ServeHTTP(w, middlewaretest.WithIdentity(httptest.NewRequest(http.MethodGet, "/sake", nil),
			middlewaretest.Identity(middlewaretest.Attributes{Name: "試験　花子", Birthdate: birthdate})))
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 403
}

func TestRequirementsAreCheckedAsForEverybody(t *testing.T) {
	login := middlewaretest.New(t, middleware.Config{})
	everything := middlewaretest.Attributes{
		Name: "試験　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
	}
	elsewhere, unknown := everything, everything
	elsewhere.Address, unknown.Address = "東京都東久留米市架空町１", "架空町１"
	without := func(change func(*middlewaretest.Attributes)) middlewaretest.Attributes {
		a := everything
		change(&a)
		return a
	}
	for name, c := range map[string]struct {
		attributes middlewaretest.Attributes
		require    middleware.Requirement
		status     int
	}{
		"all shared":    {everything, middleware.RequireAttributes(authn.Attributes), http.StatusOK},
		"nothing asked": {middlewaretest.Attributes{}, middleware.RequireAttributes(0), http.StatusOK},
		"no name": {without(func(a *middlewaretest.Attributes) { a.Name = "" }),
			middleware.RequireAttributes(authn.Name), http.StatusForbidden},
		"no address": {without(func(a *middlewaretest.Attributes) { a.Address = "" }),
			middleware.RequireAttributes(authn.Attributes), http.StatusForbidden},
		"no birthdate": {without(func(a *middlewaretest.Attributes) { a.Birthdate = "" }),
			middleware.RequireAttributes(authn.Birthdate), http.StatusForbidden},
		"no gender": {without(func(a *middlewaretest.Attributes) { a.Gender = "" }),
			middleware.RequireAttributes(authn.Gender), http.StatusForbidden},
		"no gender, not asked": {without(func(a *middlewaretest.Attributes) { a.Gender = "" }),
			middleware.RequireAttributes(authn.Name), http.StatusOK},
		"resident":             {everything, middleware.RequireMunicipality("13222", "13221"), http.StatusOK},
		"resident, six digits": {everything, middleware.RequireMunicipality("132217"), http.StatusOK},
		"elsewhere":            {elsewhere, middleware.RequireMunicipality("13221"), http.StatusForbidden},
		"nowhere known":        {unknown, middleware.RequireMunicipality("13221"), http.StatusForbidden},
		"no codes":             {everything, middleware.RequireMunicipality(), http.StatusForbidden},
		"old enough":           {everything, middleware.AgeAtLeast(20), http.StatusOK},
	} {
		w := httptest.NewRecorder()
		r := middlewaretest.WithIdentity(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil),
			middlewaretest.Identity(c.attributes))
		login.RequireFunc(page, c.require).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", name, w.Code, c.status)
		}
	}
}

func TestRequireFresh(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	login := middlewaretest.New(t, middleware.Config{Now: func() time.Time { return now }})
	h := login.Middleware(middleware.RequireFresh(5 * time.Minute))(http.HandlerFunc(page))
	for age, fresh := range map[time.Duration]bool{
		0: true, 5 * time.Minute: true, 5*time.Minute + time.Second: false, 11 * time.Hour: false,
		-30 * time.Second: true, -2 * time.Minute: false,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), method, "/pay?amount=1", nil)
			h.ServeHTTP(w, middlewaretest.WithIdentityAt(r, middlewaretest.Identity(middlewaretest.Attributes{}),
				now.Add(-age)))
			want := http.StatusOK
			switch {
			case !fresh && method == http.MethodGet:
				want = http.StatusSeeOther
			case !fresh:
				want = http.StatusUnauthorized
			}
			if w.Code != want {
				t.Errorf("%s %v after the login: %d, want %d", method, age, w.Code, want)
			}
			if want == http.StatusSeeOther && w.Header().Get("Location") != "/auth/login?return=%2Fpay%3Famount%3D1" {
				t.Errorf("sent to %q", w.Header().Get("Location"))
			}
		}
	}
}

func TestNobody(t *testing.T) {
	login := middlewaretest.New(t, middleware.Config{})
	w := httptest.NewRecorder()
	login.RequireFunc(page).ServeHTTP(w, middlewaretest.WithIdentity(
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), nil))
	if w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
}

// A birthdate that nobody can have is a mistake of the test, which hears of it at once.
func TestBirthdatesThatCannotBe(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("30 February was taken for a birthdate")
		}
	}()
	middlewaretest.Identity(middlewaretest.Attributes{Birthdate: "19900230"})
}
