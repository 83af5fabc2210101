package visitor_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// A service of another make that needs no pages: the visitor follows its redirects to the callback and no further.
func TestVisitorFollowsRedirectsOfAnotherService(t *testing.T) {
	const redirectURL = "http://localhost:1/auth/callback" // nothing listens there: it must not be opened
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, "/login?state="+url.QueryEscape(r.URL.Query().Get("state")), http.StatusFound)
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil {
			http.Error(w, "no cookie", http.StatusForbidden)
			return
		}
		http.Redirect(w, r, redirectURL+"?code=c&state="+url.QueryEscape(r.URL.Query().Get("state")), http.StatusFound)
	})
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<h1>Log in</h1>"))
	})
	service := httptest.NewServer(mux)
	t.Cleanup(service.Close)

	person := &visitor.Person{}
	query := "?state=s1&redirect_uri=" + url.QueryEscape(redirectURL)
	callback, err := person.Approve(t.Context(), service.URL+"/auth"+query)
	if want := redirectURL + "?code=c&state=s1"; err != nil || callback != want {
		t.Errorf("callback %q, error %v, want %q", callback, err, want)
	}
	for _, path := range []string{"/loop", "/page"} {
		callback, err := person.Approve(t.Context(), service.URL+path+query)
		if e, ok := errors.AsType[*visitor.Error](err); !ok || e.Reason != visitor.ReasonUnexpectedPage ||
			callback != "" {
			t.Errorf("%s: callback %q, error %v", path, callback, err)
		}
	}
}

// A browser keeps the site's cookies over all its pages, sends forms, and ends where the site does.
func TestBrowserAtASite(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "hanako", Path: "/", HttpOnly: true,
			SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, "/page", http.StatusFound)
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("who")
		if err != nil {
			http.Error(w, "nobody", http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(c.Value + r.FormValue("word") + r.Header.Get("Origin")))
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusSeeOther)
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	b := &visitor.Browser{Person: new(visitor.Person)}
	page, err := b.Login(t.Context(), site.URL+"/start")
	if err != nil || page.Body != "hanako" || page.Status != http.StatusOK || page.URL.Path != "/page" {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = b.Submit(t.Context(), site.URL+"/page", url.Values{"word": {"-agrees-"}})
	if err != nil || page.Body != "hanako-agrees-"+site.URL {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := b.Login(t.Context(), site.URL+"/loop"); !errors.Is(err,
		&visitor.Error{Reason: visitor.ReasonUnexpectedPage}) {
		t.Errorf("a loop: %v", err)
	}
	if _, err := b.Login(t.Context(), "nowhere"); !errors.Is(err, &visitor.Error{Reason: visitor.ReasonConfiguration}) {
		t.Errorf("no address: %v", err)
	}
	site.Close()
	if _, err := b.Login(t.Context(), site.URL+"/start"); !errors.Is(err,
		&visitor.Error{Reason: visitor.ReasonTransport}) {
		t.Errorf("no site: %v", err)
	}
}
