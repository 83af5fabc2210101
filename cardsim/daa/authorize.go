package daa

import (
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// authorizationRequest is a request whose every parameter passed.
type authorizationRequest struct {
	client      *client
	redirectURI string
	scopes      []string
	state       string
	nonce       string
	challenge   string
	transaction *transaction // nil without the sign scope
}

func (a *authorizationRequest) asks(scope string) bool { return slices.Contains(a.scopes, scope) }

// protocolError is an OAuth error: a code and a text of ours, never a value that somebody sent. Neither may hold a
// quote or a backslash (RFC 6749, sections 4.1.2.1 and 5.2).
type protocolError struct {
	code, description string
	says              string // the description in Japanese, for the inspector, when it is none of the lessons
	status            int    // HTTP status; 0 = what RFC 6749 says
}

func (e *protocolError) Error() string { return e.code + ": " + e.description }

// Constraints of the published reference: state and nonce 1..255 of [\x20-\x7E], code_challenge 1..128 of
// [0-9a-zA-Z_-].
var (
	printable       = form{1, 255, func(c byte) bool { return ' ' <= c && c <= '~' }}
	codeChallenge   = form{1, 128, func(c byte) bool { return isLetterOrDigit(c) || c == '_' || c == '-' }}
	transactionUUID = regexp.MustCompile(
		`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`,
	)
)

// form is so many bytes, at least and at most, each of which is allowed.
type form struct {
	least, most int
	allows      func(byte) bool
}

func (f form) fits(s string) bool {
	for i := range len(s) {
		if i >= f.most || !f.allows(s[i]) {
			return false
		}
	}
	return len(s) >= f.least
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetterOrDigit(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) }

// challengeLength is the length of an unpadded base64url SHA-256, the only value that S256 can match.
const challengeLength = 43

// authorize is the authorization endpoint.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		s.errorPage(w, r, http.StatusBadRequest, page.RefusedQuery)
		return
	}
	// Client and redirect URL first: before both are known to be right, an error must not be sent anywhere
	// (RFC 6749, section 4.1.2.1).
	id, ok := only(q, "client_id")
	c := s.client(id)
	if !ok || c == nil {
		exchangeOf(r).problem = &protocolError{code: "invalid_request", description: "the website is not registered"}
		s.errorPage(w, r, http.StatusBadRequest, page.RefusedClient)
		return
	}
	exchangeOf(r).client = c.ID
	redirect, ok := only(q, "redirect_uri")
	if !ok || !slices.Contains(c.RedirectURLs, redirect) {
		exchangeOf(r).registered = c.RedirectURLs
		exchangeOf(r).problem = &protocolError{
			code:        "invalid_request",
			description: "redirect_uri is not exactly a registered one",
		}
		s.errorPage(w, r, http.StatusBadRequest, page.RefusedRedirect)
		return
	}
	req, perr := s.parseAuthorization(q, c, redirect)
	if perr != nil {
		exchangeOf(r).problem = perr
		s.log.Warn("authorization request refused", slog.String("client", c.ID),
			slog.String("error", perr.code), slog.String("reason", perr.description))
		params := url.Values{"error": {perr.code}, "error_description": {perr.description}}
		if state, ok := only(q, "state"); ok && printable.fits(state) {
			params.Set("state", state)
		}
		s.nameIssuer(params)
		redirectTo(w, withQuery(redirect, params)) // redirect equals a registered URL
		return
	}
	s.log.Info("authorization request", slog.String("client", c.ID), slog.Any("scopes", req.scopes))
	s.beginVisit(w, r, req)
}

// only returns a parameter that occurs exactly once and is not empty (RFC 6749, section 3.1: parameters must not be
// included more than once; a parameter without a value is treated as omitted).
func only(q url.Values, name string) (string, bool) {
	v := q[name]
	if len(v) != 1 || v[0] == "" {
		return "", false
	}
	return v[0], true
}

func (s *Service) parseAuthorization(q url.Values, c *client, redirect string) (*authorizationRequest, *protocolError) {
	invalid := func(d string) (*authorizationRequest, *protocolError) {
		return nil, &protocolError{code: "invalid_request", description: d}
	}
	idParam := s.wire.Sign.AuthorizationIDParam
	for name := range q {
		if len(q[name]) > 1 {
			return invalid("a parameter occurs more than once")
		}
	}
	for name, code := range map[string]string{
		"request": "request_not_supported", "request_uri": "request_uri_not_supported",
		"registration": "registration_not_supported",
	} {
		if q.Get(name) != "" {
			return nil, &protocolError{code: code, description: name + " is not supported"}
		}
	}
	if mode := q.Get("response_mode"); mode != "" && mode != "query" {
		return invalid("response_mode is not supported")
	}
	req := &authorizationRequest{client: c, redirectURI: redirect}
	var ok bool
	if req.state, ok = only(q, "state"); !ok || !printable.fits(req.state) {
		return invalid("state must be 1 to 255 printable ASCII characters")
	}
	switch q.Get("response_type") {
	case "code":
	case "":
		return invalid("response_type is required")
	default:
		return nil, &protocolError{code: "unsupported_response_type", description: "only code is supported"}
	}
	if req.nonce, ok = only(q, "nonce"); !ok || !printable.fits(req.nonce) {
		return invalid("nonce must be 1 to 255 printable ASCII characters")
	}
	if !c.OptionalPKCE || q.Get("code_challenge_method") != "" || q.Get("code_challenge") != "" {
		if q.Get("code_challenge_method") != "S256" {
			return invalid("code_challenge_method must be S256")
		}
		if req.challenge, ok = only(q, "code_challenge"); !ok || !codeChallenge.fits(req.challenge) ||
			len(req.challenge) > limits.CodeChallenge || len(req.challenge) != challengeLength {
			return invalid("code_challenge must be the unpadded base64url SHA-256 of the verifier")
		}
	}
	if acr := q.Get("acr_values"); acr != "" && !printable.fits(acr) {
		return invalid("acr_values must be printable ASCII")
	}
	if slices.Contains(strings.Fields(q.Get("prompt")), "none") {
		// OpenID Connect Core 1.0, section 3.1.2.1: nothing may be shown, but every authentication needs the card.
		return nil, &protocolError{code: "interaction_required", description: "the card is needed"}
	}
	scope, ok := only(q, "scope")
	if !ok {
		return invalid("scope is required")
	}
	var perr *protocolError
	if req.scopes, perr = s.parseScope(scope); perr != nil {
		return nil, perr
	}
	id, hasID := only(q, idParam)
	switch {
	case req.asks(scopeSign) != hasID:
		return invalid("the sign scope and a signature transaction need each other")
	case hasID && !transactionUUID.MatchString(id):
		return invalid("the signature transaction id is not a UUID")
	case hasID:
		t, ok := s.transactions.get(strings.ToLower(id))
		if !ok || t.client != c || !t.open(s.now()) {
			return invalid("no open signature transaction of this client has this id")
		}
		req.transaction = t
	}
	return req, nil
}

// Scopes of the published reference.
const (
	scopeOpenID    = "openid"
	scopeName      = "name"
	scopeAddress   = "address"
	scopeBirthdate = "birthdate"
	scopeGender    = "gender"
	scopeSign      = "sign"
)

func (s *Service) supportedScopes() []string {
	all := []string{scopeOpenID, scopeName, scopeAddress, scopeBirthdate, scopeGender, scopeSign}
	if s.Knobs().Authorization.Scopes.UserCertificate && s.wire.ScopeUserCertificate != "" {
		all = append(all, s.wire.ScopeUserCertificate)
	}
	if s.Knobs().Authorization.Scopes.IndividualNumber && s.wire.ScopeIndividualNumber != "" &&
		s.wire.ClaimIndividualNumber != "" {
		all = append(all, s.wire.ScopeIndividualNumber)
	}
	return all
}

// parseScope splits by single spaces (RFC 6749, section 3.3) and knows every value.
func (s *Service) parseScope(scope string) ([]string, *protocolError) {
	scopes := strings.Split(scope, " ")
	supported := s.supportedScopes()
	for i, one := range scopes {
		if !slices.Contains(supported, one) {
			return nil, &protocolError{code: "invalid_scope", description: "an unknown scope value was asked"}
		}
		if slices.Contains(scopes[:i], one) {
			return nil, &protocolError{code: "invalid_scope", description: "a scope value was asked twice"}
		}
	}
	if !slices.Contains(scopes, scopeOpenID) {
		return nil, &protocolError{code: "invalid_scope", description: "openid is mandatory"}
	}
	return scopes, nil
}

// redirectTo sends the browser on with 303, so that no form is repeated elsewhere (RFC 9700, section 4.12). The target
// is a registered URL or a page of ours, never a value of the request.
func redirectTo(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// withQuery adds parameters to a registered URL, keeping its own query (RFC 6749, section 4.1.2).
func withQuery(redirect string, params url.Values) string {
	sep := "?"
	if strings.Contains(redirect, "?") {
		sep = "&"
	}
	return redirect + sep + params.Encode()
}
