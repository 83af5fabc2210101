// Package routers shows the middleware in chi, echo and gin, and with sessions of gorilla/sessions. Its tests log in
// with each of them.
package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/labstack/echo/v4"
)

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("Hello " + middleware.IdentityFrom(r.Context()).Person.Name.Reveal()))
}

// Chi takes the middleware as it is.
func Chi(login *middleware.Login) http.Handler {
	r := chi.NewRouter()
	r.Mount("/auth", login)
	r.With(login.Middleware(middleware.AgeAtLeast(20))).Get("/account", hello)
	return r
}

// Echo has an adapter for it.
func Echo(login *middleware.Login) http.Handler {
	e := echo.New()
	e.Any("/auth/*", echo.WrapHandler(login))
	e.GET(
		"/account",
		echo.WrapHandler(http.HandlerFunc(hello)),
		echo.WrapMiddleware(login.Middleware(middleware.AgeAtLeast(20))),
	)
	return e
}

// Gin needs [Wrap].
func Gin(login *middleware.Login) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.Any("/auth/*path", gin.WrapH(login))
	g.GET("/account", Wrap(login.Middleware(middleware.AgeAtLeast(20))), func(c *gin.Context) {
		c.String(http.StatusOK, "Hello %s", middleware.IdentityFrom(c.Request.Context()).Person.Name.Reveal())
	})
	return g
}

// Wrap makes a middleware of net/http one of gin.
func Wrap(m func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		own := c.Writer
		m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request, c.Writer = r, &through{own, w}
			c.Next()
		})).ServeHTTP(own, c.Request)
		if c.Writer = own; !passed {
			c.Abort()
		}
	}
}

// through writes through the middleware's writer, which sets the session's cookie before the header is out.
type through struct {
	gin.ResponseWriter
	w http.ResponseWriter
}

func (t *through) Write(b []byte) (int, error)       { return t.w.Write(b) }
func (t *through) WriteString(s string) (int, error) { return t.w.Write([]byte(s)) }

func (t *through) WriteHeaderNow() {
	t.w.WriteHeader(t.Status())
	t.ResponseWriter.WriteHeaderNow()
}

func (t *through) Flush() {
	t.WriteHeaderNow()
	t.ResponseWriter.Flush()
}
