package daa

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/once"
	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// Service is the simulated service, an [http.Handler] that is safe for concurrent use. Everything it knows is in
// memory.
type Service struct {
	base       *url.URL
	env        authn.Environment
	wire       wire.Profile
	clients    atomic.Pointer[map[string]*client] // by ID; replaced as a whole
	held       atomic.Pointer[[]*hand]
	adding     sync.Mutex // of a hand or a client
	reader     *hand      // nil = simulated cards
	freshCards bool
	resetAfter time.Duration
	firstKnobs Knobs
	arrival    struct {
		mu   sync.Mutex
		next chan struct{} // closed when a visit begins; nil when nobody waits
	}
	jpki     *issuer.JPKI
	now      func() time.Time
	log      *slog.Logger
	showPINs bool
	hosts    []string // lower case
	force    atomic.Pointer[inForce]
	keys     *keyring
	strict   *jpki.Verifier // path, validity and revocation
	lenient  *jpki.Verifier // path and validity only
	pages    *pageSet
	leaves   memo[*jpki.Certificate]

	visits        *store[*visit] // by visit id
	phones        *store[*visit] // by phone id
	departed      *store[*visit] // that ended, for a while: by visit id and by phone id
	codes         *store[*grant]
	tokens        *store[*token] // by tokenName
	refreshTokens *store[*refreshToken]
	assertions    *once.Memory
	transactions  *store[*transaction]

	lobby     *lobby
	exchanges exchanges
	residents residents
	ended     []endedByMove // guarded by adding
	platform  *platform.Platform
	// operatorWire is the configured one; nil = the default
	operatorWire *operator.Wire
	http         *http.Client // fetches clients' keys

	csrf    *http.CrossOriginProtection
	handler http.Handler
}

// New validates the configuration. Errors are *[Error] with ReasonConfiguration; Check names what is wrong.
func New(c Config) (*Service, error) {
	base, err := checkBaseURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.JPKI == nil {
		return nil, configError("jpki", nil)
	}
	s := &Service{
		base: base, env: authn.Custom(c.BaseURL), jpki: c.JPKI,
		now: c.Now, log: c.Logger, showPINs: c.ShowPINs, csrf: http.NewCrossOriginProtection(),
	}
	if c.Wire != nil {
		s.wire = c.Wire.Clone()
	} else {
		s.wire = wire.Default()
	}
	if err := checkWire(s.wire); err != nil {
		return nil, err
	}
	for _, host := range c.Hosts {
		s.hosts = append(s.hosts, strings.ToLower(host))
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.clients.Store(new(map[string]*client))
	for _, r := range c.Clients {
		if err := s.Register(r); err != nil {
			return nil, err
		}
	}
	s.held.Store(new([]*hand))
	for _, card := range c.Cards {
		if _, err := s.AddCard(card); err != nil {
			return nil, configError("cards", err)
		}
	}
	if c.Reader != nil {
		if len(c.Cards) > 0 {
			return nil, configError("cards beside a reader", nil)
		}
		s.reader = &hand{label: "reader", reader: c.Reader}
	}
	s.freshCards, s.resetAfter, s.firstKnobs = c.FreshCards, c.ResetCardsAfter, c.Knobs
	s.SetKnobs(c.Knobs)
	if s.keys, err = newKeyring(s.jpki); err != nil {
		return nil, configError("keys", err)
	}
	if err := s.newVerifiers(); err != nil {
		return nil, configError("jpki", err)
	}
	if s.pages, err = newPageSet(); err != nil {
		return nil, configError("pages", err)
	}
	if c.OperatorWire != nil {
		s.operatorWire = new(*c.OperatorWire)
	}
	if s.platform, err = s.newPlatform(s.operatorWire); err != nil {
		return nil, configError("platform operator", err)
	}
	s.visits = newStore[*visit](s.now, limits.SimulatorEntries, refuses)
	s.phones = newStore[*visit](s.now, limits.SimulatorEntries, refuses)
	s.departed = newStore[*visit](s.now, limits.SimulatorKept, forgets)
	s.lobby = newLobby(limits.SimulatorVisits, limits.SimulatorVisitsPerAddress, s.giveUp)
	s.codes = newStore[*grant](s.now, limits.SimulatorKept, forgets)
	s.tokens = newStore[*token](s.now, limits.SimulatorKept, forgets)
	s.refreshTokens = newStore[*refreshToken](s.now, limits.SimulatorKept, forgets)
	s.transactions = newStore[*transaction](s.now, limits.SimulatorKept, forgets)
	s.assertions = once.New(limits.SimulatorEntries, once.Refuse)
	if s.http, err = webcall.Client(c.HTTPClient); err != nil {
		return nil, configError("http-client", err)
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP serves the documented paths, /phone/… (simulated phone screen), /simulator/jpki/… (issuer.Handler),
// /simulator/operator/… (the simulated platform operator) and a page at / that says what this is.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Environment returns the endpoints for authn.Config.
func (s *Service) Environment() authn.Environment { return s.env }

// OperatorKey is the simulated platform operator's private key (deterministic from the JPKI's seed).
func (s *Service) OperatorKey() *rsa.PrivateKey { return s.jpki.Key(operatorLabel) }

// JPKI returns the test authorities that issued the cards' certificates, e.g. to revoke one.
func (s *Service) JPKI() *issuer.JPKI { return s.jpki }

// Knobs returns a copy of the knobs in force.
func (s *Service) Knobs() Knobs { return s.force.Load().knobs }

// SetKnobs replaces the knobs; requests that are being answered may still see the old ones.
func (s *Service) SetKnobs(k Knobs) { s.force.Store(&inForce{knobs: k}) }

// inForce are knobs and how many requests met [NetworkKnobs] since they were set.
type inForce struct {
	knobs    Knobs
	affected atomic.Int64
}

// RotateKeys replaces the key that signs ID tokens. The old one disappears from the published set at once.
// After an error, which only a failing key derivation causes, the old key stays.
func (s *Service) RotateKeys() error {
	return s.keys.rotate(s.Knobs().Token.IDToken.RotationKeepsKeyID)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET "+inspectorPath, s.inspector)
	for _, e := range []struct {
		name    Endpoint
		methods []string
		path    string
		handle  http.HandlerFunc
	}{
		{EndpointAuthorization, []string{http.MethodGet}, pathOf(s.env.AuthorizationEndpoint), s.authorize},
		{EndpointToken, []string{http.MethodPost}, pathOf(s.env.TokenEndpoint), s.tokenEndpoint},
		{EndpointUserinfo, []string{http.MethodGet, http.MethodPost}, pathOf(s.env.UserinfoEndpoint), s.userinfo},
		{EndpointKeys, []string{http.MethodGet}, pathOf(s.env.JWKSEndpoint), s.certs},
		{EndpointDiscovery, []string{http.MethodGet}, pathOf(s.env.Issuer) + "/.well-known/openid-configuration",
			s.discovery},
		{EndpointSign, []string{http.MethodPost}, pathOf(s.env.SignEndpoint), s.startTransaction},
		{EndpointSign, []string{http.MethodGet}, pathOf(s.env.SignEndpoint) + "/", s.transactionResult},
	} {
		for _, method := range e.methods {
			mux.HandleFunc(method+" "+e.path, s.recording(e.name, s.faulty(e.name, e.handle)))
		}
		mux.HandleFunc(e.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Join(e.methods, ", "))
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		})
	}
	mux.HandleFunc(operatorPath+"/", s.recording(EndpointOperator, s.faulty(EndpointOperator, s.operator)))
	mux.HandleFunc("GET "+jpkiPath+"/{$}", s.jpkiIndex)
	mux.Handle(jpkiPath+"/", http.StripPrefix(jpkiPath, s.jpki.Handler()))

	mux.HandleFunc("GET "+stylePath, s.style)
	mux.HandleFunc("GET /phone/handover/{visit}", s.handoverPage)
	mux.HandleFunc("POST /phone/handover/{visit}/{action}", s.handoverAction)
	mux.HandleFunc("GET /phone/screen/{phone}", s.phonePage)
	mux.HandleFunc("POST /phone/screen/{phone}/{action}", s.phoneAction)
	mux.HandleFunc("POST /phone/screen/{phone}/{action}/{attempt}", s.phoneAction)
	// The language link and the address bar of an answer to a form lead to the address of that form.
	mux.HandleFunc("GET /phone/handover/{visit}/{action...}", func(w http.ResponseWriter, r *http.Request) {
		redirectTo(w, "/phone/handover/"+url.PathEscape(r.PathValue("visit"))+languageQuery(r))
	})
	mux.HandleFunc("GET /phone/screen/{phone}/{action...}", func(w http.ResponseWriter, r *http.Request) {
		redirectTo(w, "/phone/screen/"+url.PathEscape(r.PathValue("phone"))+languageQuery(r))
	})
	mux.HandleFunc("/", s.notFound)

	// Nothing here may be cached or framed, and no address of ours may reach another site (RFC 9700, section 4.2).
	always := http.Header{
		"Cache-Control": {"no-store"}, "Referrer-Policy": {"no-referrer"}, "X-Content-Type-Options": {"nosniff"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.KnowsHost(r.Host) {
			s.log.Warn("refused a request under a foreign host name")
			http.Error(w, ForeignHost, http.StatusMisdirectedRequest)
			return
		}
		maps.Copy(w.Header(), always)
		mux.ServeHTTP(w, r)
	})
}

// ForeignHost is the answer to a request under a name that is none of the service's.
const ForeignHost = "this simulator is not reached under that host name; see -host of cardsim service"

// KnowsHost reports whether a request's Host, with or without a port, is a name of this service. A page of another site
// that rebinds its own name to this machine's address (DNS rebinding) has another. Whatever is served beside the
// service, on the same address, asks too. It is safe for concurrent use.
func (s *Service) KnowsHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || strings.EqualFold(host, s.base.Hostname()) || slices.Contains(s.hosts, host) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

const (
	jpkiPath      = "/simulator/jpki"
	inspectorPath = "/simulator/inspector"
	stylePath     = "/phone/style.css"
)

// pathOf returns the path of one of our own endpoint URLs.
func pathOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "/"
	}
	return u.Path
}

// subject is the pairwise identifier (OpenID Connect Core 1.0, section 8.1): different for each client, the same for a
// person whatever the card.
func (s *Service) subject(clientID, personID string) string {
	generation := strconv.Itoa(s.Knobs().SubjectGeneration)
	return base64.RawURLEncoding.EncodeToString(
		s.keys.derive("subject", []byte(generation), []byte(clientID), []byte(personID)),
	)
}

// certs serves the JWK Set.
func (s *Service) certs(w http.ResponseWriter, _ *http.Request) {
	k := s.Knobs()
	body, err := s.keys.jwks(k.Token.IDToken.Algorithm, k.Keys)
	if err != nil {
		s.fail(w, "jwks", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// discovery serves OpenID Provider metadata (OpenID Connect Discovery 1.0, section 3).
func (s *Service) discovery(w http.ResponseWriter, r *http.Request) {
	k := s.Knobs()
	iss := s.env.Issuer
	grants := []string{"authorization_code", "client_credentials"}
	if k.Token.Refresh.Mode != RefreshOff {
		grants = append(grants, "refresh_token")
	}
	switch k.Discovery {
	case DiscoveryOn:
	case DiscoveryOff:
		http.NotFound(w, r)
		return
	case DiscoveryWrongIssuer:
		iss += "/"
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                           iss,
		"authorization_endpoint":                           s.env.AuthorizationEndpoint,
		"token_endpoint":                                   s.env.TokenEndpoint,
		"userinfo_endpoint":                                s.env.UserinfoEndpoint,
		"jwks_uri":                                         s.env.JWKSEndpoint,
		"scopes_supported":                                 s.supportedScopes(),
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            grants,
		"subject_types_supported":                          []string{"pairwise"},
		"id_token_signing_alg_values_supported":            idTokenAlgorithms(k.Token.IDToken),
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"ES256", "RS256", "PS256"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"claims_parameter_supported":                       false,
		"request_parameter_supported":                      false,
		"request_uri_parameter_supported":                  false,
		"authorization_response_iss_parameter_supported":   k.Authorization.Callback.Issuer != CallbackIssuerOff,
	})
}

// idTokenAlgorithms is the one in use, and RS256: "The algorithm RS256 MUST be included" (OpenID Connect Discovery 1.0,
// section 3).
func idTokenAlgorithms(k IDTokenKnobs) []string {
	used := orText(k.Algorithm, string(jose.ES256))
	if used == string(jose.RS256) {
		return []string{used}
	}
	return []string{used, string(jose.RS256)}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// fail answers a defect of the simulator itself.
func (s *Service) fail(w http.ResponseWriter, where string, err error) {
	s.log.Error("simulator failed", slog.String("where", where), slog.Any("error", err))
	http.Error(w, "internal error of the simulator", http.StatusInternalServerError)
}
