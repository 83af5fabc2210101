package middleware

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// serveCallback takes the browser back from the service. The order matters: first the query is parsed strictly, then
// the pending login of this browser is found by the state and used up, and only then does anything go to the service.
func (l *Login) serveCallback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		l.failMethod(w, r, "GET")
		return
	}
	if !navigation(r) {
		l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
		return
	}
	r = withRetry(r, l.loginURL("/"))
	query, err := callbackQuery(r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	login, p, err := l.takePending(w, r, query.Get("state"))
	p.Return = l.safeReturn(p.Return)
	if p.Sign != nil {
		r = withRetry(r, p.Return)
	} else {
		r = withRetry(r, l.loginURL(p.Return))
	}
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.withSession(func(w http.ResponseWriter, r *http.Request, st *state) {
		if p.Sign != nil {
			l.finishSign(w, r, st, login, p.Sign, query)
			return
		}
		l.finishLogin(w, r, st, login, p, query)
	}).ServeHTTP(w, r)
}

func (l *Login) finishLogin(w http.ResponseWriter, r *http.Request, st *state, login authn.Pending, p pending, query url.Values) {
	id, err := l.client.Finish(r.Context(), login, query)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	if err := l.begin(r.Context(), st, id); err != nil {
		l.fail(w, r, err)
		return
	}
	// Successes are logged as well as failures (OWASP ASVS 5.0, 16.3.1), without saying who.
	l.log.LogAttrs(r.Context(), slog.LevelInfo, "logged in", slog.String("acr", id.ACR))
	redirect(w, p.Return)
}

// callbackQuery parses the query of the callback. Only the state is looked at here; the rest is authn's.
func callbackQuery(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > limits.CallbackQuery {
		return nil, &Error{Reason: ReasonCallback, Detail: "query too long"}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &Error{Reason: ReasonCallback, Detail: "malformed query"}
	}
	// RFC 6749, section 3.1: "parameters MUST NOT be included more than once".
	if states := query["state"]; len(states) != 1 || states[0] == "" || len(states[0]) > limits.AuthorizationParameter {
		return nil, &Error{Reason: ReasonCallback, Detail: "not exactly one state"}
	}
	return query, nil
}
