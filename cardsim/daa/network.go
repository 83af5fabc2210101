package daa

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// affects reports whether a request suffers, and counts it.
func (f *inForce) affects(e Endpoint) bool {
	k := f.knobs.Network
	if k.Fault == NetworkNormal && k.Wait == nil || k.Endpoints == nil && e == EndpointAuthorization ||
		k.Endpoints != nil && !slices.Contains(k.Endpoints, e) {
		return false
	}
	return k.Times == 0 || f.affected.Add(1) <= int64(k.Times)
}

// faulty puts the network knobs in front of an endpoint.
func (s *Service) faulty(e Endpoint, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		force := s.force.Load()
		if !force.affects(e) {
			next(w, r)
			return
		}
		k := force.knobs.Network
		if err := bufferBody(w, r, e); err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		if k.Wait != nil {
			k.Wait(r.Context(), e)
		}
		k.suffer(w, r, e, next)
	}
}

// bufferBody reads the body in advance: only then does the server notice that a client has left while nothing is
// answered.
func bufferBody(w http.ResponseWriter, r *http.Request, e Endpoint) error {
	most := int64(limits.FormBody)
	if e == EndpointOperator {
		most = limits.OperatorRequest
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

func (k NetworkKnobs) suffer(w http.ResponseWriter, r *http.Request, e Endpoint, next http.HandlerFunc) {
	switch k.Fault {
	case NetworkNormal:
		next(w, r)
	case NetworkStatus:
		k.answer(w, "application/json", `{"error":"temporarily_unavailable"}`)
	case NetworkHTMLPage:
		k.answer(
			w,
			"text/html; charset=utf-8",
			"<!DOCTYPE html><title>Error</title><p>This is not the page you are looking for.",
		)
	case NetworkReset:
		reset(w)
	case NetworkTruncated:
		body := announce(w, record(w, r, next))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case NetworkOversize:
		rec := record(w, r, next)
		maps.Copy(w.Header(), rec.header)
		w.Header().Del("Content-Length") // more follows
		w.WriteHeader(rec.status)
		_, _ = w.Write(rec.body.Bytes())
		space := bytes.Repeat([]byte{' '}, 64<<10)
		for sent := 0; sent <= limits.HTTPBody; sent += len(space) {
			if _, err := w.Write(space); err != nil {
				return
			}
		}
	case NetworkSlow:
		k.dribble(w, r, e, announce(w, record(w, r, next)))
	}
}

func (k NetworkKnobs) answer(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	if k.RetryAfter != "" {
		w.Header().Set("Retry-After", k.RetryAfter)
	}
	status := k.Status
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// dribble sends byte by byte until the client has had enough.
func (k NetworkKnobs) dribble(w http.ResponseWriter, r *http.Request, e Endpoint, body []byte) {
	out := http.NewResponseController(w)
	for i := range body {
		if i > 0 {
			if k.Wait == nil {
				<-r.Context().Done()
			} else {
				k.Wait(r.Context(), e)
			}
		}
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(body[i : i+1]); err != nil || out.Flush() != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

// record lets the endpoint answer into memory.
func record(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) *recorded {
	rec := &recorded{header: w.Header().Clone(), status: http.StatusOK}
	next(rec, r)
	return rec
}

// announce sends the header of a recorded answer with its full length, and returns the body that is to follow.
func announce(w http.ResponseWriter, rec *recorded) []byte {
	maps.Copy(w.Header(), rec.header)
	w.Header().Set("Content-Length", strconv.Itoa(rec.body.Len()))
	w.WriteHeader(rec.status)
	_ = http.NewResponseController(w).Flush()
	return rec.body.Bytes()
}

// reset closes the connection with unsent data dropped, which TCP tells the client as a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 has no connection of its own to give
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// tokenNow is the service's clock where it writes or checks the times of tokens.
func (s *Service) tokenNow() time.Time { return s.now().Add(s.Knobs().ClockSkew) }
