package middleware

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/kakunin-go/kakunin"
)

// Problem is a Config.OnError that answers scripts and apps in JSON (RFC 9457, application/problem+json): status, title
// and detail, the text for the person in the language of the request; and of our own, family, reason where this package
// refused, and login, the path to navigate to where logging in helps:
//
//	{"status":401,"title":"Unauthorized","detail":"ログインが必要です。",
//	 "family":"user","reason":"login-required","login":"/auth/login"}
//
// An application that has pages too calls it for what lies below its /api/ and draws a page for the rest. Further
// members may come.
func Problem(w http.ResponseWriter, r *http.Request, err error) {
	status := StatusOf(err)
	p := struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Family string `json:"family"`
		Reason string `json:"reason,omitempty"`
		Login  string `json:"login,omitempty"`
	}{
		Status: status, Title: http.StatusText(status), Detail: kakunin.MessageFor(err, LanguageOf(r)),
		Family: kakunin.FamilyOf(err).String(), Login: RetryURL(r.Context()),
	}
	if e, ok := errors.AsType[*Error](err); ok {
		p.Reason = e.Reason.String()
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = json.NewEncoder(w).Encode(p) // the status is out; only a client that went away makes this fail
}
