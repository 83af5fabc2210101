package daa

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

const (
	// assertionURN is the client_assertion_type of RFC 7523, section 2.2.
	assertionURN = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionWindow is the window that Keycloak enforces by default; the service's own limit is not published.
	assertionWindow = 60 * time.Second
	// assertionSkew is how far ahead iat and nbf may lie: clocks of client and server differ a little.
	assertionSkew = 15 * time.Second
	// maxAssertionID bounds what the replay cache keeps of one assertion.
	maxAssertionID = 255
)

// assertionRules is what an [AssertionProfile] stands for.
type assertionRules struct {
	audience     audienceForm
	issuerOnly   bool          // the token endpoint is no audience
	needsIssued  bool          // iat must be there
	unissued     time.Duration // without iat, how far ahead exp may lie; 0 = any
	age          time.Duration // how old iat may be; 0 = any
	lifetime     time.Duration // exp - iat at most; 0 = any
	futureIssued bool          // iat may lie ahead
	textTimes    bool          // exp, iat and nbf may be JSON strings
	algorithms   []string      // nil = what the client is registered with
	status       int           // of the refusals
}

type audienceForm int

const (
	audienceAmong audienceForm = iota // a string, or an array in which an accepted one is
	audienceOne                       // a string, or an array of one
	audienceText                      // a string
)

// profiles: what Keycloak does was measured side by side, see the table of TestAssertionProfiles.
var profiles = map[AssertionProfile]assertionRules{
	AssertionKeycloak260: {audience: audienceAmong, futureIssued: true, textTimes: true, status: http.StatusBadRequest},
	AssertionKeycloak264: {
		audience:  audienceOne,
		unissued:  assertionWindow,
		age:       assertionWindow,
		textTimes: true,
		status:    http.StatusBadRequest,
	},
	// FAPI 2.0 Security Profile, section 5.3.2.1: "shall only accept its issuer identifier value ... as a string in the
	// aud claim received in client authentication assertions"; RFC 10070 says the same.
	AssertionStrictFAPI2: {
		audience:    audienceText,
		issuerOnly:  true,
		needsIssued: true,
		lifetime:    assertionWindow,
		// Section 5.4.1: "shall use PS256, ES256, or EdDSA".
		algorithms: []string{string(jose.PS256), string(jose.ES256)},
		status:     http.StatusUnauthorized,
	},
}

func (k AssertionKnobs) rules() assertionRules {
	if rules, known := profiles[k.Profile]; known {
		if k.MaxLifetime > 0 {
			rules.lifetime, rules.unissued = k.MaxLifetime, k.MaxLifetime
		}
		return rules
	}
	k.Profile = AssertionKeycloak260
	return k.rules()
}

// authenticateClient makes every check on private_key_jwt (OpenID Connect Core 1.0, section 9; RFC 7523, section 3).
func (s *Service) authenticateClient(r *http.Request, form url.Values) (*client, *protocolError) {
	knobs := s.Knobs().Token.Assertion
	rules := knobs.rules()
	c, claims, perr := s.verifyAssertion(r, form, knobs)
	if perr != nil {
		perr.status = rules.status
		return nil, perr
	}
	invalid := func(d string) (*client, *protocolError) {
		return nil, &protocolError{code: "invalid_client", description: d, status: rules.status}
	}
	accepted := knobs.Audiences
	if accepted == nil {
		accepted = s.audiences(rules)
	}
	if d := s.checkAssertion(claims, c.ID, rules, accepted); d != "" {
		return invalid(d)
	}
	if formID := form.Get("client_id"); formID != c.ID && (formID != "" || knobs.RequireClientID) {
		return invalid("client_id in the form is not the assertion's subject")
	}
	// The last check, so that only a valid assertion is ever remembered.
	jti, _ := stringClaim(claims, "jti")
	exp, _ := timeClaim(claims, "exp", rules.textTimes)
	exp = exp.Add(s.now().Sub(s.tokenNow())) // by the clock of the cache
	if !s.assertions.First(c.ID+"\x00"+jti, s.now(), exp) {
		return invalid("client_assertion was used before")
	}
	if d := s.strictComplaint(claims, c.ID); d != "" {
		s.log.Info(
			"accepted, but a stricter service would refuse",
			slog.String("client", c.ID),
			slog.String("reason", d),
		)
		exchangeOf(r).warn(d)
	}
	return c, nil
}

// strictComplaint is what a service of the strictest profile would say.
func (s *Service) strictComplaint(claims map[string]json.RawMessage, id string) string {
	strict := profiles[AssertionStrictFAPI2]
	return s.checkAssertion(claims, id, strict, s.audiences(strict))
}

// audiences are this service's names.
func (s *Service) audiences(rules assertionRules) []string {
	if rules.issuerOnly {
		return []string{s.env.Issuer}
	}
	return []string{s.env.TokenEndpoint, s.env.Issuer}
}

// verifyAssertion finds the client and verifies the signature.
func (s *Service) verifyAssertion(r *http.Request, form url.Values, knobs AssertionKnobs) (
	*client, map[string]json.RawMessage, *protocolError,
) {
	invalid := func(d string) (*client, map[string]json.RawMessage, *protocolError) {
		return nil, nil, &protocolError{code: "invalid_client", description: d}
	}
	if form.Get("client_secret") != "" { // "without a value ... as if they were omitted" (RFC 6749, section 3.2)
		return invalid("client secrets are not accepted, only private_key_jwt")
	}
	if form.Get("client_assertion_type") != assertionURN {
		return invalid("client_assertion_type must be the jwt-bearer URN")
	}
	assertion := form.Get("client_assertion")
	header, err := jose.ParseHeader(assertion)
	if err != nil || strings.Count(assertion, ".") != 2 {
		return invalid("client_assertion is not a compact JWS")
	}
	// The claims are looked at before the signature only to learn whose key must verify it. What it then covers are
	// these very bytes.
	claims, err := unverifiedClaims(assertion)
	if err != nil {
		return invalid("client_assertion's claims are not a JSON object")
	}
	id, _ := stringClaim(claims, "sub")
	c := s.client(id)
	if c == nil {
		return invalid("client_assertion's sub is not a registered client")
	}
	exchangeOf(r).client = c.ID
	algorithms := knobs.Algorithms
	if algorithms == nil {
		algorithms = knobs.rules().algorithms
	}
	if algorithms != nil && !slices.Contains(algorithms, header.Algorithm) {
		return invalid("client_assertion's alg is not accepted")
	}
	if header.KeyID == "" && knobs.RequireKeyID {
		return invalid("client_assertion has no kid")
	}
	keys, perr := s.clientKeys(r.Context(), c, header)
	if perr != nil {
		return nil, nil, perr
	}
	err = errNoKey
	for _, key := range keys {
		key.KeyID = header.KeyID // chosen already
		_, _, err = jose.Verify(assertion, jose.KeySet{Keys: []jose.PublicKey{key}}, jose.VerifyOptions{
			Algorithms: []jose.Algorithm{jose.Algorithm(header.Algorithm)}, // any typ: see below
		})
		if err == nil {
			break
		}
	}
	if err != nil {
		return invalid("client_assertion's signature does not verify")
	}
	if knobs.Type != "" && !strings.EqualFold(header.Type, knobs.Type) {
		return invalid("client_assertion's typ is not the required one")
	}
	return c, claims, nil
}

// checkAssertion returns a description of the first fault, or "".
func (s *Service) checkAssertion(
	claims map[string]json.RawMessage,
	id string,
	rules assertionRules,
	accepted []string,
) string {
	now := s.tokenNow()
	if iss, _ := stringClaim(claims, "iss"); iss != id {
		return "client_assertion's iss is not the client"
	}
	if sub, _ := stringClaim(claims, "sub"); sub != id {
		return "client_assertion's sub is not the client"
	}
	if !acceptsAudience(claims["aud"], rules.audience, accepted) {
		if rules.issuerOnly {
			return "client_assertion's aud must be the issuer as a single string"
		}
		return "client_assertion's aud must be the token endpoint or the issuer, and nothing beside it"
	}
	if jti, ok := stringClaim(claims, "jti"); !ok || jti == "" || len(jti) > maxAssertionID {
		return "client_assertion's jti is missing"
	}
	exp, ok := timeClaim(claims, "exp", rules.textTimes)
	if !ok {
		return "client_assertion's exp is missing or no number"
	}
	if !now.Before(exp) {
		return "client_assertion is expired"
	}
	if _, present := claims["nbf"]; present {
		if nbf, ok := timeClaim(claims, "nbf", rules.textTimes); !ok || nbf.After(now.Add(assertionSkew)) {
			return "client_assertion is not yet valid"
		}
	}
	_, present := claims["iat"]
	if !present {
		if rules.needsIssued {
			return "client_assertion's iat is missing"
		}
		if limit := cmp.Or(rules.unissued, rules.lifetime); limit > 0 && exp.Sub(now) > limit {
			return "client_assertion's exp is too far in the future and iat is missing"
		}
		return ""
	}
	iat, ok := timeClaim(claims, "iat", rules.textTimes)
	switch {
	case !ok:
		return "client_assertion's iat is no number"
	case !rules.futureIssued && iat.After(now.Add(assertionSkew)):
		return "client_assertion's iat is in the future"
	case rules.age > 0 && now.Sub(iat) > rules.age:
		return "client_assertion was issued too far in the past"
	case rules.lifetime > 0 && exp.Sub(iat) > rules.lifetime:
		return "client_assertion's exp is too far in the future"
	}
	return ""
}

func acceptsAudience(raw json.RawMessage, form audienceForm, accepted []string) bool {
	if one, ok := strictjson.String(raw); ok {
		return slices.Contains(accepted, one)
	}
	many, ok := strictjson.Strings(raw)
	if !ok || form == audienceText || form == audienceOne && len(many) != 1 {
		return false
	}
	return slices.ContainsFunc(many, func(one string) bool { return slices.Contains(accepted, one) })
}

// unverifiedClaims decodes the payload of a token whose signature is not checked yet.
func unverifiedClaims(token string) (map[string]json.RawMessage, error) {
	parts := strings.Split(token, ".")
	payload, err := rawBase64URL(parts[1])
	if err != nil {
		return nil, err
	}
	return strictjson.Object(payload)
}

func stringClaim(claims map[string]json.RawMessage, name string) (string, bool) {
	raw, present := claims[name]
	if !present {
		return "", false
	}
	return strictjson.String(raw)
}

// timeClaim reads a NumericDate (RFC 7519, section 2), also one in quotes when text is accepted.
func timeClaim(claims map[string]json.RawMessage, name string, text bool) (time.Time, bool) {
	raw := claims[name]
	if quoted, ok := strictjson.String(raw); ok && text {
		raw = json.RawMessage(quoted)
	}
	seconds, ok := strictjson.Integer(raw)
	return time.Unix(seconds, 0), ok && seconds >= 0
}

// keyName is the name under which Keycloak knows a key that was registered as PEM.
func keyName(k jose.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(k.Key)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
