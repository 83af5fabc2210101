package daa

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// grant is what a person approved. It is immutable but for its two flags.
type grant struct {
	client      *client
	redirectURI string
	challenge   string
	nonce       string
	scopes      []string // granted
	session     string
	subject     string
	authTime    time.Time
	claims      map[string]grantedClaim // by name
	transaction *transaction

	used, revoked atomic.Bool
}

// grantedClaim is an attribute and the scope that it belongs to.
type grantedClaim struct{ scope, value string }

// token is an access token that was issued.
type token struct {
	client *client
	grant  *grant // nil for client_credentials
	scopes []string
}

func (t *token) valid() bool { return t.grant == nil || !t.grant.revoked.Load() }

// tokenName is the name under which the service knows an access token that it issued: the hash of the whole text, so
// that one with another signature, or none, is unknown.
func tokenName(access string) string {
	sum := sha256.Sum256([]byte(access))
	return string(sum[:])
}

// newGrant collects what was approved, within the scopes that the knobs let through.
func (s *Service) newGrant(v *visit) *grant {
	g := &grant{
		client: v.req.client, redirectURI: v.req.redirectURI, challenge: v.req.challenge, nonce: v.req.nonce,
		session: newUUID(), subject: s.subject(v.req.client.ID, v.personID), authTime: v.authTime,
		transaction: v.req.transaction, claims: make(map[string]grantedClaim),
	}
	only := s.Knobs().Authorization.Scopes.GrantOnly
	for _, scope := range v.req.scopes {
		if scope == scopeOpenID || only == nil || slices.Contains(only, scope) {
			g.scopes = append(g.scopes, scope)
		}
	}
	number, certificate := "", ""
	if v.hand != nil && v.hand.reader == nil {
		number = v.hand.held().Person().Reveal().IndividualNumber
	}
	if slices.Contains(g.scopes, s.wire.ScopeUserCertificate) {
		certificate = base64.StdEncoding.EncodeToString(v.authCertificate)
	}
	// The forms of the service, which are not those of OpenID Connect Core 1.0, section 5.1: address is a plain string,
	// birthdate YYYYMMDD, gender a one-character code, and the name has U+3000 between its parts.
	for _, c := range []struct{ scope, claim, value string }{
		{scopeName, s.wire.ClaimName, v.person.Name.Reveal()},
		{scopeAddress, s.wire.ClaimAddress, v.person.Address.Reveal()},
		{scopeBirthdate, s.wire.ClaimBirthdate, v.person.Birthdate.RevealRaw()},
		{scopeGender, s.wire.ClaimGender, v.person.Gender.RevealRaw()},
		{s.wire.ScopeUserCertificate, s.wire.ClaimUserCertificate, certificate},
		{s.wire.ScopeIndividualNumber, s.wire.ClaimIndividualNumber, number},
	} {
		if c.scope != "" && c.claim != "" && c.value != "" && slices.Contains(g.scopes, c.scope) {
			g.claims[c.claim] = grantedClaim{c.scope, c.value}
		}
	}
	return g
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// tokenEndpoint serves authorization_code, client_credentials and refresh_token.
func (s *Service) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	form, perr := s.tokenForm(w, r)
	if perr != nil {
		s.tokenError(w, r, perr)
		return
	}
	c, perr := s.authenticateClient(r, form)
	if perr != nil {
		s.tokenError(w, r, perr)
		return
	}
	var response map[string]any
	switch form.Get("grant_type") {
	case "authorization_code":
		response, perr = s.exchangeCode(form, c)
	case "client_credentials":
		response, perr = s.serviceToken(form, c)
	case "refresh_token":
		response, perr = s.refresh(form, c)
	case "":
		perr = &protocolError{code: "invalid_request", description: "grant_type is missing"}
	default:
		perr = &protocolError{
			code:        "unsupported_grant_type",
			description: "only authorization_code and client_credentials",
		}
	}
	if perr != nil {
		s.tokenError(w, r, perr)
		return
	}
	k := s.Knobs().Token
	maps.Copy(response, k.SetMembers)
	for _, name := range k.OmitMembers {
		delete(response, name)
	}
	s.log.Info("token issued", slog.String("client", c.ID))
	w.Header().Set("Pragma", "no-cache") // RFC 6749, section 5.1
	writeJSON(w, http.StatusOK, response)
}

// tokenForm reads the form and refuses what makes it ambiguous.
func (s *Service) tokenForm(w http.ResponseWriter, r *http.Request) (url.Values, *protocolError) {
	invalid := func(d string) (url.Values, *protocolError) {
		return nil, &protocolError{code: "invalid_request", description: d}
	}
	if r.Header.Get("Authorization") != "" {
		// RFC 6749, section 2.3: not more than one method; and here only private_key_jwt is one.
		return nil, &protocolError{
			code:        "invalid_client",
			description: "an Authorization header is not accepted, only private_key_jwt",
		}
	}
	if mt, _, err := mime.ParseMediaType(
		r.Header.Get("Content-Type"),
	); err != nil ||
		mt != "application/x-www-form-urlencoded" {
		return invalid("the body must be application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return invalid("parameters belong in the body")
	}
	r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
	if err := r.ParseForm(); err != nil {
		return invalid("the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) != 1 {
			return invalid("a parameter occurs more than once")
		}
	}
	return r.PostForm, nil
}

// codeVerifier: RFC 7636, section 4.1.
var codeVerifier = form{43, 128, func(c byte) bool {
	return isLetterOrDigit(c) || c == '.' || c == '_' || c == '~' || c == '-'
}}

// provenBy checks the verifier (RFC 7636, section 4.6). One for which there was no challenge is refused too: "the
// authorization server MUST" mitigate PKCE downgrade attacks (RFC 9700, section 2.1.1).
func (g *grant) provenBy(verifier string) bool {
	if g.challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	return codeVerifier.fits(verifier) && subtle.ConstantTimeCompare([]byte(challenge), []byte(g.challenge)) == 1
}

func (s *Service) exchangeCode(form url.Values, c *client) (map[string]any, *protocolError) {
	refuse := func(d string) (map[string]any, *protocolError) {
		return nil, &protocolError{code: "invalid_grant", description: d}
	}
	for _, name := range []string{"code", "redirect_uri"} {
		if form.Get(name) == "" {
			return nil, &protocolError{code: "invalid_request", description: name + " is missing"}
		}
	}
	g, ok := s.codes.get(form.Get("code"))
	if !ok || g.client != c {
		return refuse("the code is unknown, expired or not this client's")
	}
	if !g.used.CompareAndSwap(false, true) {
		g.revoked.Store(true) // RFC 6749, section 4.1.2: what was issued for the code should be revoked
		s.log.Warn("code used twice, its tokens are revoked", slog.String("client", c.ID))
		return refuse("the code was used before")
	}
	if form.Get("redirect_uri") != g.redirectURI {
		return refuse("redirect_uri is not that of the authorization request")
	}
	if g.challenge != "" && !form.Has("code_verifier") {
		return refuse("code_verifier is missing") // Keycloak and the suite of FAPI 2.0 call it invalid_grant
	}
	if !g.provenBy(form.Get("code_verifier")) {
		return refuse("code_verifier does not match the code_challenge")
	}
	k := s.Knobs()
	access, perr := s.issueAccessToken(
		&token{client: c, grant: g, scopes: g.scopes},
		g.subject,
		k.Lifetimes.accessToken(),
	)
	if perr != nil {
		return nil, perr
	}
	response := s.tokenResponse(access, k.Lifetimes.accessToken())
	if perr := s.addIDToken(response, s.idTokenClaims(g, access, k), k); perr != nil {
		return nil, perr
	}
	if k.Token.Refresh.Mode != RefreshOff {
		if perr := s.addRefreshToken(response, &refreshToken{client: c, grant: g}); perr != nil {
			return nil, perr
		}
	}
	response["session_state"] = g.session
	if !k.Token.OmitScope {
		response["scope"] = strings.Join(g.scopes, " ")
	}
	return response, nil
}

// serviceToken serves client_credentials, which exists for starting signature transactions only.
func (s *Service) serviceToken(form url.Values, c *client) (map[string]any, *protocolError) {
	k := s.Knobs()
	scope := form.Get("scope")
	if k.Sign.RequireServiceScope {
		required := strings.Fields(orText(s.wire.ServiceTokenScope, scopeSign))
		if slices.ContainsFunc(
			required,
			func(one string) bool { return !slices.Contains(strings.Fields(scope), one) },
		) {
			return nil, &protocolError{
				code:        "invalid_scope",
				description: "the scope for starting signature transactions is missing",
			}
		}
	}
	var scopes []string
	if scope != "" {
		scopes = strings.Fields(scope)
	}
	access, perr := s.issueAccessToken(
		&token{client: c, scopes: scopes},
		"service-account-"+c.ID,
		k.Lifetimes.serviceToken(),
	)
	if perr != nil {
		return nil, perr
	}
	response := s.tokenResponse(access, k.Lifetimes.serviceToken())
	if scope != "" {
		response["scope"] = scope
	}
	return response, nil
}

func (s *Service) tokenResponse(access string, lifetime time.Duration) map[string]any {
	response := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "not-before-policy": 0,
	}
	s.setRefreshLifetime(response, 0)
	return response
}

// accessClaims are those of an access token, in the order of their names.
type accessClaims struct {
	Audience string `json:"aud"`
	Party    string `json:"azp"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	Issuer   string `json:"iss"`
	ID       string `json:"jti"`
	Scope    string `json:"scope"`
	Session  string `json:"sid,omitempty"` // of a person's login
	Subject  string `json:"sub"`
	Type     string `json:"typ"`
}

func (s *Service) issueAccessToken(t *token, subject string, lifetime time.Duration) (string, *protocolError) {
	now := s.tokenNow()
	claims := accessClaims{
		Issuer: s.env.Issuer, Subject: subject, Party: t.client.ID, Audience: "account", Type: "Bearer", ID: newUUID(),
		IssuedAt: now.Unix(), Expires: now.Add(lifetime).Unix(), Scope: strings.Join(t.scopes, " "),
	}
	if t.grant != nil {
		claims.Session = t.grant.session
	}
	access, err := s.keys.signAccessToken(claims, s.Knobs().Token.AccessTokens)
	if err != nil {
		s.log.Error("access token not signed", slog.Any("error", err))
		return "", &protocolError{code: "server_error", description: "the simulator could not sign"}
	}
	if !s.tokens.add(tokenName(access), t, s.now().Add(lifetime)) {
		return "", &protocolError{code: "temporarily_unavailable", description: "too many tokens"}
	}
	return access, nil
}

// tokenError answers as RFC 6749, section 5.2 says.
func (s *Service) tokenError(w http.ResponseWriter, r *http.Request, e *protocolError) {
	exchangeOf(r).problem = e
	s.log.Warn("token request refused", slog.String("error", e.code), slog.String("reason", e.description))
	status := http.StatusBadRequest
	switch e.code {
	case "invalid_client":
		status = http.StatusUnauthorized
	case "server_error":
		status = http.StatusInternalServerError
	case "temporarily_unavailable":
		status = http.StatusServiceUnavailable
	}
	if e.status != 0 {
		status = e.status
	}
	writeJSON(w, status, map[string]string{"error": e.code, "error_description": e.description})
}

func rawBase64URL(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }

// idTokenClaims makes the claims of OpenID Connect Core 1.0, section 2, and spoils what the knobs say.
func (s *Service) idTokenClaims(g *grant, access string, k Knobs) map[string]any {
	now := s.tokenNow()
	claims := map[string]any{
		"iss": s.env.Issuer, "sub": g.subject, "aud": g.client.ID, "azp": g.client.ID, "typ": "ID", "jti": newUUID(),
		"iat": now.Unix(), "exp": now.Add(k.Lifetimes.idToken()).Unix(), "auth_time": g.authTime.Unix(),
		"nonce": g.nonce, "at_hash": accessTokenHash(access), "acr": "aal3", "sid": g.session,
	}
	if k.Token.IDToken.AudienceArray {
		claims["aud"] = []string{g.client.ID}
	}
	switch k.Token.IDToken.Fault {
	case FaultNonce:
		claims["nonce"] = g.nonce + "x"
	case FaultIssuer:
		claims["iss"] = s.env.Issuer + "/"
	case FaultAudience:
		claims["aud"] = g.client.ID + "x"
	case FaultAccessTokenHash:
		claims["at_hash"] = accessTokenHash(access + "x")
	case FaultExpired:
		claims["iat"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
	case FaultFutureIssuedAt:
		claims["iat"], claims["exp"] = now.Add(time.Hour).Unix(), now.Add(2*time.Hour).Unix()
	case FaultNone,
		FaultForeignKey,
		FaultSignature,
		FaultAlgNone,
		FaultAlgHS256,
		FaultKeyType,
		FaultUnknownKeyID,
		FaultAccessTokenType:
	}
	maps.Copy(claims, k.Token.IDToken.SetClaims)
	for _, name := range k.Token.IDToken.OmitClaims {
		delete(claims, name)
	}
	return claims
}

// accessTokenHash is at_hash for ES256, RS256 and PS256: the left half of the SHA-256 (section 3.1.3.6).
func accessTokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// refreshToken is one that was issued. All those of a login share its grant.
type refreshToken struct {
	client *client
	grant  *grant
	used   atomic.Bool
}

// addRefreshToken issues a refresh token into a token response.
func (s *Service) addRefreshToken(response map[string]any, t *refreshToken) *protocolError {
	lifetime := s.Knobs().Lifetimes.refreshToken()
	text := rand.Text() + rand.Text()
	if !s.refreshTokens.add(text, t, s.now().Add(lifetime)) {
		return &protocolError{code: "temporarily_unavailable", description: "too many refresh tokens"}
	}
	response["refresh_token"] = text
	s.setRefreshLifetime(response, lifetime)
	return nil
}

// setRefreshLifetime goes by the wire profile; 0 means that there is no refresh token or no end of it is known.
func (s *Service) setRefreshLifetime(response map[string]any, lifetime time.Duration) {
	if name := s.wire.RefreshLifetimeField; name != "" {
		response[name] = int(lifetime.Seconds())
	}
}

// refresh serves the grant type refresh_token (RFC 6749, section 6; OpenID Connect Core 1.0, section 12).
func (s *Service) refresh(form url.Values, c *client) (map[string]any, *protocolError) {
	refuse := func(d string) (map[string]any, *protocolError) {
		return nil, &protocolError{code: "invalid_grant", description: d}
	}
	k := s.Knobs()
	if k.Token.Refresh.Mode == RefreshOff {
		return nil, &protocolError{
			code:        "unsupported_grant_type",
			description: "only authorization_code and client_credentials",
		}
	}
	if form.Get("refresh_token") == "" {
		return nil, &protocolError{code: "invalid_request", description: "refresh_token is missing"}
	}
	t, ok := s.refreshTokens.get(form.Get("refresh_token"))
	if !ok || t.client != c || t.grant.revoked.Load() {
		return refuse("the refresh token is unknown, expired, revoked or not this client's")
	}
	// "The requested scope MUST NOT include any scope not originally granted by the resource owner."
	scopes := t.grant.scopes
	if asked := form.Get("scope"); asked != "" {
		scopes = strings.Fields(asked)
		if slices.ContainsFunc(scopes, func(one string) bool { return !slices.Contains(t.grant.scopes, one) }) {
			return nil, &protocolError{code: "invalid_scope", description: "a scope that was not granted"}
		}
	}
	rotates := k.Token.Refresh.Mode != RefreshOn
	if rotates && !t.used.CompareAndSwap(false, true) {
		if k.Token.Refresh.Mode == RefreshReuseDetection {
			t.grant.revoked.Store(true)
			s.log.Warn("refresh token used twice, the tokens of its login are revoked", slog.String("client", c.ID))
		}
		return refuse("the refresh token was used before")
	}
	access, perr := s.issueAccessToken(
		&token{client: c, grant: t.grant, scopes: scopes},
		t.grant.subject,
		k.Lifetimes.accessToken(),
	)
	if perr != nil {
		return nil, perr
	}
	response := s.tokenResponse(access, k.Lifetimes.accessToken())
	if !k.Token.OmitScope {
		response["scope"] = strings.Join(scopes, " ")
	}
	if !k.Token.Refresh.OmitIDToken {
		claims := s.idTokenClaims(t.grant, access, k)
		// "it SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original authentication
		// contained nonce".
		if k.Token.IDToken.Fault != FaultNonce {
			delete(claims, "nonce")
		}
		maps.Copy(claims, k.Token.Refresh.SetClaims)
		if perr := s.addIDToken(response, claims, k); perr != nil {
			return nil, perr
		}
	}
	if rotates {
		perr = s.addRefreshToken(response, &refreshToken{client: c, grant: t.grant})
	}
	return response, perr
}

// addIDToken signs an ID token into a token response.
func (s *Service) addIDToken(response, claims map[string]any, k Knobs) *protocolError {
	id, err := s.keys.signIDToken(claims, k.Token.IDToken)
	if err != nil {
		s.log.Error("ID token not signed", slog.Any("error", err))
		return &protocolError{code: "server_error", description: "the simulator could not sign"}
	}
	response["id_token"] = id
	return nil
}
