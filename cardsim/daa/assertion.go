package daa

import (
	"encoding/json"
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
	// assertionLifetime is the window that Keycloak enforces by default; the service's own limit is not published.
	assertionLifetime = 60 * time.Second
	// assertionSkew is how far ahead iat and nbf may lie: clocks of client and server differ a little.
	assertionSkew = 15 * time.Second
	// maxAssertionID bounds what the replay cache keeps of one assertion.
	maxAssertionID = 255
)

// authenticateClient makes every check on private_key_jwt (OpenID Connect Core 1.0, section 9; RFC 7523, section 3).
func (s *Service) authenticateClient(form url.Values) (*client, *protocolError) {
	invalid := func(d string) (*client, *protocolError) { return nil, &protocolError{"invalid_client", d} }
	policy := s.Knobs().Token.Assertion
	if form.Has("client_secret") {
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
	// The claims are looked at before the signature only to learn whose key must verify it.
	unverified, err := unverifiedClaims(assertion)
	if err != nil {
		return invalid("client_assertion's claims are not a JSON object")
	}
	id, _ := stringClaim(unverified, "sub")
	c := s.clients[id]
	if c == nil {
		return invalid("client_assertion's sub is not a registered client")
	}
	if header.Algorithm != c.key.Algorithm || policy.Algorithms != nil && !slices.Contains(policy.Algorithms, header.Algorithm) {
		return invalid("client_assertion's alg is not the registered one, or not accepted")
	}
	key := c.key
	switch {
	case header.KeyID == "" && policy.RequireKeyID:
		return invalid("client_assertion has no kid")
	case c.KeyID == "":
		key.KeyID = header.KeyID // a single registered key without a name answers to any name
	case header.KeyID != "" && header.KeyID != c.KeyID:
		return invalid("client_assertion's kid is not the registered one")
	}
	payload, _, err := jose.Verify(assertion, jose.KeySet{Keys: []jose.PublicKey{key}}, jose.VerifyOptions{
		Algorithms: []jose.Algorithm{jose.Algorithm(key.Algorithm)}, // any typ: see below
	})
	if err != nil {
		return invalid("client_assertion's signature does not verify")
	}
	if policy.Type != "" && !strings.EqualFold(header.Type, policy.Type) {
		return invalid("client_assertion's typ is not the required one")
	}
	claims, err := strictjson.Object(payload)
	if err != nil {
		return invalid("client_assertion's claims are not a JSON object with unique members")
	}
	if d := s.checkAssertion(claims, c.ID, policy); d != "" {
		return invalid(d)
	}
	if formID := form.Get("client_id"); formID != c.ID && (formID != "" || policy.RequireClientID) {
		return invalid("client_id in the form is not the assertion's subject")
	}
	// The last check, so that only a valid assertion is ever remembered.
	jti, _ := stringClaim(claims, "jti")
	exp, _ := timeClaim(claims, "exp")
	exp = exp.Add(s.now().Sub(s.tokenNow())) // by the clock of the cache
	if !s.assertions.First(c.ID+"\x00"+jti, s.now(), exp) {
		return invalid("client_assertion was used before")
	}
	return c, nil
}

// checkAssertion returns a description of the first fault, or "".
func (s *Service) checkAssertion(claims map[string]json.RawMessage, id string, policy AssertionKnobs) string {
	now := s.tokenNow()
	if iss, _ := stringClaim(claims, "iss"); iss != id {
		return "client_assertion's iss is not the client"
	}
	if sub, _ := stringClaim(claims, "sub"); sub != id {
		return "client_assertion's sub is not the client"
	}
	if !s.acceptsAudience(claims["aud"], policy) {
		return "client_assertion's aud must be the token endpoint as a single string"
	}
	if jti, ok := stringClaim(claims, "jti"); !ok || jti == "" || len(jti) > maxAssertionID {
		return "client_assertion's jti is missing"
	}
	exp, ok := timeClaim(claims, "exp")
	if !ok {
		return "client_assertion's exp is missing"
	}
	if !now.Before(exp) {
		return "client_assertion is expired"
	}
	iat, ok := timeClaim(claims, "iat")
	if _, present := claims["iat"]; !present && policy.OptionalIssued {
		iat, ok = now, true
	}
	if !ok {
		return "client_assertion's iat is missing"
	}
	if iat.After(now.Add(assertionSkew)) {
		return "client_assertion's iat is in the future"
	}
	if !policy.AnyLifetime && exp.Sub(iat) > orDefault(policy.MaxLifetime, assertionLifetime) {
		return "client_assertion's exp is too far in the future"
	}
	if _, present := claims["nbf"]; present {
		if nbf, ok := timeClaim(claims, "nbf"); !ok || nbf.After(now.Add(assertionSkew)) {
			return "client_assertion is not yet valid"
		}
	}
	return ""
}

func (s *Service) acceptsAudience(raw json.RawMessage, policy AssertionKnobs) bool {
	accepted := slices.Clone(policy.Audiences)
	if !policy.OnlyAudiences {
		accepted = append(accepted, s.env.TokenEndpoint)
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return slices.Contains(accepted, one)
	}
	var many []string
	if policy.AudienceArray && json.Unmarshal(raw, &many) == nil && len(many) == 1 {
		return slices.Contains(accepted, many[0])
	}
	return false
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

// timeClaim reads a NumericDate (RFC 7519, section 2).
func timeClaim(claims map[string]json.RawMessage, name string) (time.Time, bool) {
	seconds, ok := strictjson.Integer(claims[name])
	return time.Unix(seconds, 0), ok && seconds >= 0
}
