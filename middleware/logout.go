package middleware

import (
	"log/slog"
	"net/http"
)

// serveLogout ends the session on the server (OWASP ASVS 5.0, 7.4.1) and forgets the logins under way. The service is
// not told: it keeps no session of its own.
func (l *Login) serveLogout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		l.failMethod(w, r, "POST")
		return
	}
	if l.csrf.Check(r) != nil {
		l.fail(w, r, &Error{Reason: ReasonCrossOrigin})
		return
	}
	l.withSession(func(w http.ResponseWriter, r *http.Request, st *state) {
		if err := l.sessions.Destroy(r.Context()); err != nil {
			l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
			return
		}
		if st.identity != nil {
			l.log.LogAttrs(r.Context(), slog.LevelInfo, "logged out")
		}
		st.identity = nil
		l.dropPending(w, r)
		redirect(w, l.afterLogout)
	}).ServeHTTP(w, r)
}
