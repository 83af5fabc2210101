// Command api is a JSON back end: for a page that is a script (SPA) on the same origin, and for an app on a phone.
//
//	go run ./examples/api
//
// starts it with a simulated service; open the address that it prints. What is to be learned:
//
//   - The page holds no token. It has the session's cookie, which scripts cannot read, and asks /api/me who it is; a
//     401 says where to log in. Logging in is a navigation, never a fetch. Other origins may neither read (there is
//     no CORS) nor send (net/http.CrossOriginProtection).
//   - Requirements work as for pages; middleware.Problem answers programs in JSON.
//   - An app opens the system's browser (ASWebAuthenticationSession, Custom Tabs) at /app/start with the hash of a
//     secret of its own. After the login a button leads back with a code that is good for a minute, once, and only
//     with the secret: another app that catches the link has nothing. The app gets a token of this back end. Tokens
//     of the service never leave the server.
package main

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed pages.html app.js
var files embed.FS

// appLink is what the app has registered with the phone. A claimed https link is better where there is one.
const appLink = "jp.example.notes:/signed-in"

func main() { stage.Main(example()) }

func example() stage.Example {
	return stage.Example{
		Name: "api", About: "A JSON back end for a page that is a script, and for an app on a phone.",
		Cards: []person.Persona{person.Hanako, person.Minor}, New: newAPI,
	}
}

type api struct {
	pages *stage.Pages
	store *store
}

func newAPI(s *stage.Stage) (http.Handler, error) {
	text, err := files.ReadFile("pages.html")
	if err != nil {
		return nil, err
	}
	pages, err := stage.ParsePages(string(text))
	if err != nil {
		return nil, err
	}
	client, err := s.Client("架空のノート / Notes", authn.Config{RedirectURL: s.URL + "/auth/callback"})
	if err != nil {
		return nil, err
	}
	a := &api{pages: pages, store: newStore(s.Now)}
	login, err := middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), OnError: a.failed, Now: s.Now, Logger: s.Logger,
		Scopes: authn.Name | authn.Birthdate,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { pages.Show(w, r, "spa", nil) })
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "app.js")
	})

	// What the page asks, with the cookie, and the app, with its token.
	session := login.Middleware(middleware.RequireAttributes(authn.Name), middleware.AgeAtLeast(18))
	mux.Handle("GET /api/me", a.either(session, a.me))
	mux.Handle("POST /api/notes", a.either(session, a.addNote))

	// How the app gets a token: the system's browser comes here, used its card a minute ago, and goes back to the app.
	mux.Handle("GET /app/start", login.RequireFunc(a.start, middleware.AgeAtLeast(18),
		middleware.RequireFresh(time.Minute)))
	mux.HandleFunc("POST /api/token", a.token)
	mux.HandleFunc("DELETE /api/token", a.revoke)
	return mux, nil
}

// either lets through who has a token of ours, or a session.
func (a *api) either(
	session func(http.Handler) http.Handler, next func(http.ResponseWriter, *http.Request, *member),
) http.Handler {
	inside := session(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next(w, r, a.store.memberOf(middleware.IdentityFrom(r.Context())))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			inside.ServeHTTP(w, r)
			return
		}
		m := a.store.bearer(token)
		if m == nil {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750, section 3
			http.Error(w, "invalid_token", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next(w, r, m)
	})
}

// failed is OnError: a page for people, JSON for programs.
func (a *api) failed(w http.ResponseWriter, r *http.Request, err error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		middleware.Problem(w, r, err)
	} else {
		a.pages.Error(w, r, err)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// read reads a small JSON body of exactly the expected members.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil || d.More() {
		http.Error(w, "malformed", http.StatusBadRequest)
		return false
	}
	return true
}

func (a *api) me(w http.ResponseWriter, _ *http.Request, m *member) {
	answer(w, http.StatusOK, map[string]any{"name": m.name, "notes": a.store.notes(m, "")})
}

func (a *api) addNote(w http.ResponseWriter, r *http.Request, m *member) {
	var body struct {
		Text string `json:"text"`
	}
	if read(w, r, &body) {
		answer(w, http.StatusCreated, map[string][]string{"notes": a.store.notes(m, body.Text)})
	}
}

// start shows a button: what opens an app is a person.
func (a *api) start(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("challenge")
	if len(challenge) != 43 { // base64url of SHA-256
		a.pages.Status(http.StatusBadRequest).Show(w, r, "app", nil)
		return
	}
	code := a.store.grant(a.store.memberOf(middleware.IdentityFrom(r.Context())), challenge)
	a.pages.Show(w, r, "app", template.URL(appLink+"?code="+url.QueryEscape(code))) //nolint:gosec // a link of ours
}

func (a *api) token(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Code     string `json:"code"`
		Verifier string `json:"verifier"`
	}
	if !read(w, r, &body) {
		return
	}
	m := a.store.redeem(body.Code, body.Verifier)
	if m == nil {
		http.Error(w, "invalid_grant", http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, http.StatusOK, map[string]any{
		"access_token": a.store.grant(m, ""), "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
	})
}

func (a *api) revoke(w http.ResponseWriter, r *http.Request) {
	a.store.revoke(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	w.WriteHeader(http.StatusNoContent)
}
