package daa

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// exchange is one request of a relying party and its answer, for the inspector. It is filled while it is answered, by
// one goroutine, and does not change afterwards.
type exchange struct {
	number   uint64
	at       time.Time
	endpoint Endpoint
	method   string
	path     string
	query    string
	form     url.Values
	bearer   string
	body     []byte // of the request, when it is no form
	status   int
	location string
	answer   []byte

	client     string
	problem    *protocolError
	registered []string // beside what was received, e.g. the redirect URLs
	warnings   []string // what a stricter service would refuse
}

func (e *exchange) warn(text string) { e.warnings = append(e.warnings, text) }

func (e *exchange) refused(code, description string) {
	e.problem = &protocolError{code: code, description: description}
}

type exchangeKey struct{}

// exchangeOf returns the record of a request; one that nobody reads when there is none.
func exchangeOf(r *http.Request) *exchange {
	if e, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		return e
	}
	return new(exchange)
}

// exchanges are the last ones, and how many there were.
type exchanges struct {
	mu    sync.Mutex
	ring  [256]*exchange
	count uint64
}

func (x *exchanges) keep(e *exchange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.count++
	e.number = x.count
	x.ring[x.count%uint64(len(x.ring))] = e
}

// last lists them, the newest first.
func (x *exchanges) last() []*exchange {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []*exchange
	for i := range uint64(len(x.ring)) {
		if e := x.ring[(x.count-i)%uint64(len(x.ring))]; e != nil && i < x.count {
			list = append(list, e)
		}
	}
	return list
}

func (x *exchanges) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ring = [256]*exchange{}
}

// recording keeps what an endpoint was asked and what it answered.
func (s *Service) recording(name Endpoint, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e := &exchange{
			at: s.now(), endpoint: name, method: r.Method, path: r.URL.Path, query: r.URL.RawQuery,
			bearer: r.Header.Get("Authorization"),
		}
		defer s.exchanges.keep(e) // also when the answer is given up
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
		out := &overheard{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			e.form, e.status, e.answer, e.location = r.PostForm, out.status, out.body.Bytes(), w.Header().Get(
				"Location",
			)
		}()
		next(out, r)
	}
}

// overheardBytes is how much of an answer the inspector shows.
const overheardBytes = 8 << 10

// overheard is an http.ResponseWriter that remembers the answer.
type overheard struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection.
func (o *overheard) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (o *overheard) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *overheard) Write(b []byte) (int, error) {
	if room := overheardBytes - o.body.Len(); room > 0 {
		o.body.Write(b[:min(room, len(b))])
	}
	return o.ResponseWriter.Write(b)
}
