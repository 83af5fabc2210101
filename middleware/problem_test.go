package middleware_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

// A back end for scripts and apps answers in JSON, with where to log in.
func ExampleProblem() {
	login, err := middleware.New(middleware.Config{
		Client: exampleClient(), SealKeys: middleware.NewSealKeys(), OnError: middleware.Problem,
	})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/me", nil)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Language", "en")
	w := httptest.NewRecorder()
	login.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	var problem struct {
		Status        int
		Reason, Login string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Header().Get("Content-Type"), problem.Status, problem.Reason, problem.Login)
	// Output: application/problem+json 401 login-required /auth/login
}

// What a refusal says to a program: where logging in does not help there is no address, and HEAD has no body.
func TestProblem(t *testing.T) {
	login := middlewaretest.New(t, middleware.Config{OnError: middleware.Problem})
	page := func(http.ResponseWriter, *http.Request) { t.Error("let through") }
	sake := login.RequireFunc(page, middleware.AgeAtLeast(20))
	for _, c := range []struct{ method, birthdate, reason, login string }{
		{http.MethodGet, "20200101", `"reason":"too-young"`, ""},
		{http.MethodGet, "", `"reason":"age-unknown"`, `"login":"/auth/login?return=%2Fsake"`},
		{http.MethodPost, "", `"reason":"age-unknown"`, `"login":"/auth/login"`},
		{http.MethodHead, "20200101", "", ""},
	} {
		id := middlewaretest.Identity(middlewaretest.Attributes{Birthdate: c.birthdate})
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/sake", nil)
		w := httptest.NewRecorder()
		sake.ServeHTTP(w, middlewaretest.WithIdentity(r, id))
		body := w.Body.String()
		if w.Code != http.StatusForbidden || !strings.Contains(body, c.reason) || !strings.Contains(body, c.login) ||
			(c.login == "" && strings.Contains(body, `"login"`)) || (c.method == http.MethodHead) != (body == "") {
			t.Errorf("%s, born %q: %d %s", c.method, c.birthdate, w.Code, body)
		}
	}
}
