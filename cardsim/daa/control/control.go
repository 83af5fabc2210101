package control

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // for openapi.json
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Path is below which the handler serves.
const Path = "/control/"

//go:embed openapi.json
var openapi []byte

// minToken is the shortest token, in bytes.
const minToken = 16

// Config configures the handler.
type Config struct {
	Service *daa.Service // required
	Token   string       // required, at least 16 bytes: whoever has it may do everything
	Clock   *Clock       // what the service's Now is; nil = the clock cannot be moved
	Remote  bool         // serve other machines, too; dangerous outside of a closed network
	Logger  *slog.Logger // default: discard
}

// Handler serves the control API below [Path]. It is safe for concurrent use.
type Handler struct {
	service *daa.Service
	token   [sha256.Size]byte
	clock   *Clock           // nil: it cannot be moved
	now     func() time.Time // the clock's, or the system's
	remote  bool
	log     *slog.Logger
	mux     *http.ServeMux
	turning sync.Mutex // of knobs: a change reads what it changes
	revoked revocations
	browser *http.Client
}

// New validates the configuration. The error joins a *daa.Error for everything that is wrong with it.
func New(c Config) (*Handler, error) {
	var wrong []error
	if c.Service == nil {
		wrong = append(wrong, &daa.Error{Reason: daa.ReasonConfiguration, Step: "control", Detail: "no service"})
	}
	if len(c.Token) < minToken {
		wrong = append(
			wrong,
			&daa.Error{Reason: daa.ReasonConfiguration, Step: "control", Detail: "the token is shorter than 16 bytes"},
		)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		service: c.Service, token: sha256.Sum256([]byte(c.Token)), clock: c.Clock, remote: c.Remote, log: c.Logger,
		mux: http.NewServeMux(), browser: &http.Client{Transport: direct{c.Service}},
	}
	h.now = time.Now
	if c.Clock != nil {
		h.now = c.Clock.Now
	}
	h.routes()
	return h, nil
}

func (h *Handler) routes() {
	for pattern, do := range h.operations() {
		h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := do(r)
			if err != nil {
				h.refuse(w, r, err)
				return
			}
			write(w, http.StatusOK, v)
		})
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, &refusal{http.StatusNotFound, "no such path; see /control/openapi.json"})
	})
}

// operations are the methods and paths of openapi.json.
func (h *Handler) operations() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"POST /control/visits":                              h.visit,
		"GET /control/visits":                               h.visits,
		"POST /control/visits/{id}":                         h.continueVisit,
		"GET /control/cards":                                h.cards,
		"POST /control/cards/{name}/unlock":                 h.unlock,
		"POST /control/cards/{name}/move":                   h.move,
		"POST /control/cards/{name}/reissue":                h.reissue,
		"POST /control/cards/{name}/{certificate}/revoke":   h.revoke,
		"POST /control/cards/{name}/{certificate}/unrevoke": h.unrevoke,
		"GET /control/knobs":                                h.knobs,
		"PUT /control/knobs":                                h.putKnobs,
		"PATCH /control/knobs":                              h.patchKnobs,
		"GET /control/clock":                                h.time,
		"POST /control/clock":                               h.advance,
		"POST /control/keys/rotate":                         h.rotate,
		"GET /control/transactions":                         h.transactions,
		"GET /control/verifications":                        h.verifications,
		"POST /control/reset":                               h.reset,
		"GET /control/openapi.json": func(*http.Request) (any, error) {
			return json.RawMessage(openapi), nil
		},
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case !h.service.KnowsHost(r.Host): // before the token: nobody tries one through a page that rebinds its name
		h.refuse(w, r, &refusal{http.StatusMisdirectedRequest, daa.ForeignHost})
	case !h.remote && !fromHere(r):
		h.refuse(w, r, &refusal{http.StatusForbidden, "the control API serves this machine only"})
	case !h.authorized(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="control"`)
		h.refuse(
			w,
			r,
			&refusal{
				http.StatusUnauthorized,
				"the header Authorization: Bearer with the control token is missing or wrong",
			},
		)
	case r.Header.Get("Origin") != "":
		h.refuse(w, r, &refusal{http.StatusForbidden, "web pages may not steer the simulator"})
	case r.ContentLength != 0 && !isJSON(r):
		h.refuse(w, r, &refusal{http.StatusUnsupportedMediaType, "the body must be application/json"})
	default:
		r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
		h.mux.ServeHTTP(w, r)
	}
}

// fromHere reports whether the request came over the loopback interface.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func (h *Handler) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.Trim(token, " "))) // RFC 6750, section 2.1: 1*SP before it
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], h.token[:]) == 1
}

func isJSON(r *http.Request) bool {
	mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mt == "application/json"
}

// refusal is an answer that says what to change.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, "the simulator failed"
	var known *refusal
	var config *daa.Error
	switch {
	case errors.As(err, &known):
		status, text = known.status, known.text
	case errors.As(err, &config):
		status, text = http.StatusBadRequest, config.Error()
	}
	h.log.Warn("control request refused", slog.String("method", r.Method), slog.Int("status", status))
	write(w, status, map[string]string{"error": text})
}

func write(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // people copy a callback_url out of a terminal
	if err := e.Encode(v); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// read decodes a body strictly; without a body, v stays as it is.
func read(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return &refusal{http.StatusRequestEntityTooLarge, "the body is too large"}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	malformed := &refusal{
		http.StatusBadRequest, "the body must be one JSON object with the members of /control/openapi.json, each once",
	}
	if _, err := strictjson.Object(body); err != nil { // of a member that is there twice encoding/json takes the last
		return malformed
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var config *daa.Error
		if errors.As(err, &config) {
			return config
		}
		return malformed
	}
	return nil
}

// direct hands requests to the service without a network.
type direct struct{ service http.Handler }

// errNoAnswer stands for a connection that the service gave up, as a knob of the network has it.
var errNoAnswer = errors.New("control: the service gave no answer")

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	defer func() {
		if gone := recover(); gone == http.ErrAbortHandler { //nolint:errorlint // it is panicked with as it is
			err = errNoAnswer
		} else if gone != nil {
			panic(gone)
		}
	}()
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "127.0.0.1:0", r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &answer{header: make(http.Header), status: http.StatusOK}
	d.service.ServeHTTP(w, in)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

// answer is an http.ResponseWriter in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
