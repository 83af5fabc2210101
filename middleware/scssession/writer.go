package scssession

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// sessionWriter saves the session and sets its cookie just before the header of the response goes out, whichever way it
// goes out: by writing, by flushing or by taking the connection over.
//
// It implements http.Flusher, http.Hijacker and io.ReaderFrom itself, so that code which asks for them by a type
// assertion works as it does without the middleware, and Unwrap for http.ResponseController.
type sessionWriter struct {
	http.ResponseWriter
	ctx   context.Context // of the request whose session it saves; the writer does not outlive it
	scs   *scs.SessionManager
	log   *slog.Logger
	saved bool
}

// save stores the session and sets the cookie, once.
func (w *sessionWriter) save() error {
	if w.saved {
		return nil
	}
	w.saved = true
	switch w.scs.Status(w.ctx) {
	case scs.Modified:
		token, expiry, err := w.scs.Commit(w.ctx)
		if err != nil {
			return &Error{Reason: ReasonStore, Err: err}
		}
		if store, ok := w.scs.Store.(*memoryStore); ok && store.ended(token) {
			// Another request of this browser logged in or out meanwhile. The cookie that it set must not be replaced
			// by this one, which is worth nothing any more.
			return nil
		}
		w.scs.WriteSessionCookie(w.ctx, w.ResponseWriter, token, expiry)
	case scs.Destroyed:
		w.scs.WriteSessionCookie(w.ctx, w.ResponseWriter, "", time.Time{})
	case scs.Unmodified:
	}
	return nil
}

// saveLate is save where the response has begun and nobody can be told of a failure: the session keeps its former
// content, and the next request tries again. Login and logout do not come here with anything unsaved.
func (w *sessionWriter) saveLate() {
	if err := w.save(); err != nil {
		w.log.LogAttrs(w.ctx, slog.LevelError, "session not saved", slog.String("reason", ReasonStore.String()))
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *sessionWriter) WriteHeader(code int) {
	// 1xx responses precede the response; its header is still to come (RFC 9110, section 15.2).
	if code >= 200 || code == http.StatusSwitchingProtocols {
		w.saveLate()
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *sessionWriter) Write(b []byte) (int, error) {
	w.saveLate()
	return w.ResponseWriter.Write(b)
}

// ReadFrom implements io.ReaderFrom.
func (w *sessionWriter) ReadFrom(r io.Reader) (int64, error) {
	w.saveLate()
	return io.Copy(w.ResponseWriter, r)
}

// FlushError is what http.ResponseController.Flush calls.
func (w *sessionWriter) FlushError() error {
	w.saveLate()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *sessionWriter) Flush() { _ = w.FlushError() }

// Hijack implements http.Hijacker.
func (w *sessionWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.saveLate()
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *sessionWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
