package middleware_test

import (
	"net/http"

	"github.com/kakunin-go/kakunin/middleware"
)

// A page for the residents of two cities (清瀬市 and 東久留米市).
func ExampleRequireMunicipality() {
	var (
		login *middleware.Login // its Config.Scopes has authn.Address
		mux   *http.ServeMux
		pool  http.HandlerFunc
	)
	setUp := func() {
		mux.Handle("/pool", login.RequireFunc(pool, middleware.RequireMunicipality("13221", "13222")))
	}
	_ = setUp
}
