package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

// A requirement of the application's own, in its own words.
func ExampleRefuse() {
	errFull := middleware.Refuse(kakunin.Message{JA: "定員に達しました。", EN: "There is no place left."})
	placesLeft := func(context.Context, middleware.Visit) error { return errFull }
	err := placesLeft(context.Background(), middleware.Visit{})
	fmt.Println(kakunin.MessageFor(err, kakunin.English), middleware.StatusOf(err), kakunin.FamilyOf(err))
	// Output: There is no place left. 403 account
}

func TestRefuseReachesThePerson(t *testing.T) {
	refusal := middleware.Refuse(kakunin.Message{JA: "定員に達しました。", EN: "There is no place left."})
	login := middlewaretest.New(t, middleware.Config{})
	page := login.RequireFunc(func(http.ResponseWriter, *http.Request) { t.Error("let through") },
		func(context.Context, middleware.Visit) error { return refusal })
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	page.ServeHTTP(w, middlewaretest.WithIdentity(r, middlewaretest.Identity(middlewaretest.Attributes{})))
	body := w.Body.String()
	if w.Code != http.StatusForbidden || !strings.Contains(body, "定員に達しました。") ||
		!strings.Contains(body, "no place left") {
		t.Errorf("%d %s", w.Code, body)
	}
	// What OnLogin refuses with is said as well, and is a refusal, not a fault of the server.
	err := &middleware.Error{Reason: middleware.ReasonOnLogin, Err: refusal}
	if kakunin.MessageFor(err, kakunin.Japanese) != "定員に達しました。" || middleware.StatusOf(err) != http.StatusForbidden ||
		!errors.Is(err, &middleware.Error{Reason: middleware.ReasonRequirement}) {
		t.Errorf("%d %v", middleware.StatusOf(err), err)
	}
	if strings.Contains(err.Error(), "place") {
		t.Error("the message is in the operators' text")
	}
}

// An app that wants JSON is told that nobody is logged in; it could do nothing with the service's page.
func TestAppsAreNotSentToTheService(t *testing.T) {
	login := middlewaretest.New(t, middleware.Config{})
	through := func(http.ResponseWriter, *http.Request) { t.Error("let through") }
	page := login.RequireFunc(through)
	fresh := login.RequireFunc(through, middleware.RequireFresh(time.Minute))
	for accept, want := range map[string]int{
		"": http.StatusSeeOther, "*/*": http.StatusSeeOther,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": http.StatusSeeOther,
		"text/html, application/ld+json":                                  http.StatusSeeOther,
		"image/png":                                                       http.StatusSeeOther,
		"application/json":                                                http.StatusUnauthorized,
		"Application/JSON, text/plain, */*":                               http.StatusUnauthorized,
		"application/problem+json":                                        http.StatusUnauthorized,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		again := httptest.NewRecorder()
		id := middlewaretest.Identity(middlewaretest.Attributes{})
		fresh.ServeHTTP(again, middlewaretest.WithIdentityAt(r, id, time.Now().Add(-time.Hour)))
		if w.Code != want || again.Code != want {
			t.Errorf("%q: %d, and %d when not fresh; want %d", accept, w.Code, again.Code, want)
		}
	}
}
