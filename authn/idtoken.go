package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// idClaims is what remains of an ID token that passed every check.
type idClaims struct {
	subject  string
	acr      string
	amr      []string
	authTime time.Time
	issuedAt time.Time
	codeHash *string // c_hash, if present
	problems []Problem
}

// unread notes a claim that decides nothing and cannot be read: it is unknown, and the login goes on.
func (c *idClaims) unread(name string, raw json.RawMessage) {
	c.problems = append(c.problems, newProblem(name, raw))
}

// newFloor configures go-oidc, whose Verify is the floor that the rules below stand on. Its clock is set back by the
// skew, because it has no tolerance of its own for exp.
func (c *Client) newFloor(algorithms []jose.Algorithm) *oidc.Config {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = string(a)
	}
	return &oidc.Config{
		ClientID:             c.clientID,
		SupportedSigningAlgs: names,
		Now:                  func() time.Time { return c.now().Add(-c.expSkew) },
	}
}

// tokenKeySet is the oidc.KeySet for one token. It verifies with this package's cached keys and strict parser, and
// keeps the typed error and the payload.
type tokenKeySet struct {
	c       *Client
	token   *jose.Token
	payload []byte
	members map[string]json.RawMessage // nil: the payload is no object with unique members
	err     error
}

// VerifySignature implements oidc.KeySet.
func (k *tokenKeySet) VerifySignature(ctx context.Context, _ string) ([]byte, error) {
	if k.payload, k.err = k.c.keys.verify(ctx, k.token, k.c.tokenRules); k.err != nil {
		return nil, k.err
	}
	// RFC 7519, section 4: "The Claim Names within a JWT Claims Set MUST be unique".
	m, err := strictjson.Members(k.payload)
	if err != nil {
		return k.payload, nil //nolint:nilerr // it is refused afterwards
	}
	k.members = m
	return plainClaims(k.payload, m), nil
}

// plainClaims leaves out what decides nothing if go-oidc could not decode the rest because of it: an nbf that is no
// number it can hold, which checkTimes judges, and places of distributed claims, which nothing here looks for, in a
// form that is none.
func plainClaims(payload []byte, m map[string]json.RawMessage) []byte {
	var odd []string
	if raw, present := m["nbf"]; present {
		if _, ok := strictjson.Integer(raw); !ok {
			odd = append(odd, "nbf")
		}
	}
	for _, f := range [...]struct {
		name string
		into func() any
	}{
		{"_claim_names", func() any { return new(map[string]string) }},
		{"_claim_sources", func() any { return new(map[string]map[string]any) }},
	} {
		if raw, present := m[f.name]; present && json.Unmarshal(raw, f.into()) != nil {
			odd = append(odd, f.name)
		}
	}
	if odd == nil {
		return payload
	}
	plain := maps.Clone(m)
	for _, name := range odd {
		delete(plain, name)
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return payload
	}
	return b
}

// verifyIDToken validates the ID token of a login as OpenID Connect Core 1.0, section 3.1.3.7 says. Signature, issuer,
// audience and expiry are go-oidc's; what that leaves to its caller is in checkClaims, and so are its own rules once
// more, so that a refusal has a name.
func (c *Client) verifyIDToken(ctx context.Context, raw, accessToken, nonce string) (*idClaims, error) {
	return c.openIDToken(ctx, raw, func(m map[string]json.RawMessage, _ *idClaims) string {
		// "a nonce Claim MUST be present and its value checked to verify that it is the same value as the one that was
		// sent".
		if n, ok := strictjson.String(m["nonce"]); !ok || subtle.ConstantTimeCompare([]byte(n), []byte(nonce)) != 1 {
			return "nonce"
		}
		return checkAtHash(m, accessToken, c.atHashOpt)
	})
}

// openIDToken makes the checks that do not depend on what the token was issued for, then those of rules, which returns
// the name of the first rule that does not hold.
func (c *Client) openIDToken(
	ctx context.Context,
	raw string,
	rules func(map[string]json.RawMessage, *idClaims) string,
) (*idClaims, error) {
	if c.decrypter.opens(raw) {
		// "ID Tokens MUST be signed ... and optionally both signed and then encrypted" (section 2): a JWS is inside.
		content, err := c.decrypter.open(raw)
		if err != nil {
			return nil, idTokenError(err)
		}
		raw = string(content)
	}
	token, err := jose.Parse(raw)
	if err == nil {
		err = token.Acceptable(c.tokenRules)
	}
	if err != nil {
		return nil, c.withoutKey(idTokenError(err), raw)
	}
	keys := &tokenKeySet{c: c, token: token}
	_, floorErr := oidc.NewVerifier(c.env.Issuer, keys, c.floor).Verify(ctx, detached(token.Algorithm(), raw))
	if keys.err != nil {
		return nil, idTokenError(keys.err)
	}
	if keys.payload == nil { // refused before the signature was looked at
		return nil, &Error{Reason: ReasonIDToken, Step: "form"}
	}
	claims, check := c.checkClaims(keys.members, rules)
	if check == "" && floorErr != nil {
		check = "claims"
	}
	if check != "" {
		detail := hint(check, keys.members[check])
		return nil, &Error{Reason: ReasonIDToken, Step: check, Clause: clauses[check], Detail: detail}
	}
	return claims, nil
}

// clauses are where the rules for claims are written.
var clauses = map[string]string{
	"iss":       "OpenID Connect Core 1.0, 3.1.3.7",
	"aud":       "OpenID Connect Core 1.0, 3.1.3.7",
	"azp":       "OpenID Connect Core 1.0, 3.1.3.7",
	"nonce":     "OpenID Connect Core 1.0, 3.1.3.7",
	"exp":       "OpenID Connect Core 1.0, 3.1.3.7",
	"acr":       "OpenID Connect Core 1.0, 3.1.3.7",
	"iat":       "OpenID Connect Core 1.0, 2",
	"sub":       "OpenID Connect Core 1.0, 2",
	"auth_time": "OpenID Connect Core 1.0, 2",
	"nbf":       "RFC 7519, 4.1.5",
	"at_hash":   "OpenID Connect Core 1.0, 3.1.3.6",
	"c_hash":    "OpenID Connect Core 1.0, 3.3.2.11",
}

// hint is what an operator looks at when a rule does not hold and nobody need have attacked.
func hint(check string, raw json.RawMessage) string {
	missing := len(raw) == 0 || string(raw) == "null"
	n, isNumber := strictjson.Integer(raw)
	switch isTime := isNumber && n < maxUnixTime; {
	case check == "at_hash" && missing:
		return "the ID token has none; Rules.AtHashOptional accepts that"
	case missing:
		return ""
	case check == "exp" && isTime:
		return "the token has expired on arrival: is this machine's clock ahead?"
	case (check == "iat" || check == "nbf" || check == "auth_time") && isTime:
		return "the token is from the future: is this machine's clock behind? Rules.IssuedAtSkew is the tolerance"
	case check == "exp" || check == "iat" || check == "nbf":
		return "it is no JSON number of seconds since 1970"
	}
	return ""
}

// withoutKey names the usual cause of a form with five parts.
func (c *Client) withoutKey(err error, raw string) error {
	if e, ok := err.(*Error); ok && len(c.decrypter.keys) == 0 && isEncrypted(raw) { //nolint:errorlint // unwrapped
		e.Detail = "the service encrypts, and Encryption.Keys has no key to open it"
	}
	return err
}

// detached leaves the payload out of a compact JWS (RFC 7515, appendix F), and everything but the algorithm out of its
// header. Go-oidc judges the claims that the key set answers, those that were verified; reading a second copy of them
// cost as much as a third of the signature. It also refuses a header for a certificate in it that it cannot read, and
// nobody looks at.
func detached(algorithm jose.Algorithm, token string) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + string(algorithm) + `"}`))
	return header + "." + token[strings.LastIndexByte(token, '.'):]
}

// idTokenError keeps "the token is bad" and "the keys cannot be had" apart.
func idTokenError(err error) error {
	var j *jose.Error
	if errors.As(err, &j) {
		return &Error{Reason: ReasonIDToken, Step: string(j.Check), Err: j}
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return &Error{Reason: ReasonIDToken, Step: "form"}
}

// checkClaims returns the name of the first rule that does not hold.
func (c *Client) checkClaims(
	m map[string]json.RawMessage,
	rules func(map[string]json.RawMessage, *idClaims) string,
) (*idClaims, string) {
	if m == nil { // not one object with unique members
		return nil, "claims"
	}
	// "The Issuer Identifier ... MUST exactly match the value of the iss (issuer) Claim."
	if iss, ok := strictjson.String(m["iss"]); !ok || iss != c.env.Issuer {
		return nil, "iss"
	}
	if check := checkAudience(m, c.clientID); check != "" {
		return nil, check
	}
	out := &idClaims{}
	if check := c.checkTimes(m, out); check != "" {
		return nil, check
	}
	// "sub: REQUIRED. ... MUST NOT exceed 255 ASCII characters in length" (section 2).
	sub, ok := strictjson.String(m["sub"])
	if !ok || sub == "" || len(sub) > limits.Subject ||
		strings.ContainsFunc(sub, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, "sub"
	}
	out.subject = sub
	if check := rules(m, out); check != "" {
		return nil, check
	}
	if raw, present := strictjson.Present(m, "c_hash"); present {
		s, ok := strictjson.String(raw)
		if !ok {
			return nil, "c_hash"
		}
		out.codeHash = &s
	}
	return out, c.readContext(m, out)
}

// checkAudience: the client is an audience; "If the ID Token contains multiple audiences, the Client SHOULD verify that
// an azp Claim is present"; "If an azp ... Claim is present, the Client SHOULD verify that its client_id is the Claim
// Value". A stranger beside us may only stand there if azp names us.
func checkAudience(m map[string]json.RawMessage, clientID string) string {
	audiences, ok := strictjson.Strings(m["aud"])
	if !ok {
		one, ok := strictjson.String(m["aud"])
		if !ok {
			return "aud"
		}
		audiences = []string{one}
	}
	if !slices.Contains(audiences, clientID) {
		return "aud"
	}
	raw, present := m["azp"]
	if azp, ok := strictjson.String(raw); present && (!ok || azp != clientID) {
		return "azp"
	}
	if !present && slices.ContainsFunc(audiences, func(a string) bool { return a != clientID }) {
		return "azp"
	}
	return ""
}

// checkTimes: "The current time MUST be before the time represented by the exp Claim"; iat is REQUIRED (section 2) and
// not in the future; nbf (RFC 7519, section 4.1.5) is heeded if present; nobody authenticated in the future. Each with
// the skew of the configuration.
func (c *Client) checkTimes(m map[string]json.RawMessage, out *idClaims) string {
	now := c.now()
	read := func(name string) (time.Time, bool) {
		n, ok := strictjson.Integer(m[name])
		return time.Unix(n, 0), ok && n > 0 && n < maxUnixTime
	}
	// Both may be missing, and some servers write 0 where they have nothing to say. A form that nobody can read says
	// nothing either; a time in the future does.
	optional := func(name string) (t time.Time, inFuture bool) {
		raw, present := strictjson.Present(m, name)
		if !present {
			return time.Time{}, false
		}
		n, ok := strictjson.Integer(raw)
		if !ok && raw[0] >= '0' && raw[0] <= '9' {
			n, ok = math.MaxInt64, true // a number beyond all others
		}
		switch {
		case ok && n >= maxUnixTime && name == "nbf": // after every time that anybody can write
			return time.Time{}, true
		case ok && n >= maxUnixTime: // milliseconds, say
			out.unread(name, raw)
			return time.Time{}, false
		case !ok || n < 0:
			out.unread(name, raw)
			return time.Time{}, false
		case n == 0:
			return time.Time{}, false
		}
		t = time.Unix(n, 0)
		return t, t.After(now.Add(c.iatSkew))
	}
	exp, ok := read("exp")
	if !ok || !now.Before(exp.Add(c.expSkew)) {
		return "exp"
	}
	iat, ok := read("iat")
	if !ok || iat.After(now.Add(c.iatSkew)) {
		return "iat"
	}
	out.issuedAt = iat
	if _, inFuture := optional("nbf"); inFuture {
		return "nbf"
	}
	var inFuture bool
	if out.authTime, inFuture = optional("auth_time"); inFuture {
		return "auth_time"
	}
	return ""
}

// maxUnixTime is the year 10000: beyond it, times can no longer be encoded.
const maxUnixTime = 253402300800

// checkAtHash: at_hash "is the base64url encoding of the left-most half of the hash of the octets of the ASCII
// representation of the access_token value" (section 3.1.3.6), with SHA-256 for every algorithm accepted here.
func checkAtHash(m map[string]json.RawMessage, accessToken string, optional bool) string {
	raw, present := strictjson.Present(m, "at_hash")
	if !present && optional {
		return ""
	}
	if got, ok := strictjson.String(raw); !ok || !isHalfHash(got, accessToken) {
		return "at_hash"
	}
	return ""
}

func isHalfHash(hash, of string) bool {
	sum := sha256.Sum256([]byte(of))
	want := base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
	return subtle.ConstantTimeCompare([]byte(hash), []byte(want)) == 1
}

// readContext reads acr and amr: "If the acr Claim was requested, the Client SHOULD check that the asserted Claim Value
// is appropriate" – which values are is for the configuration to say.
func (c *Client) readContext(m map[string]json.RawMessage, out *idClaims) string {
	var ok bool
	if raw, present := strictjson.Present(m, "acr"); present {
		if out.acr, ok = strictjson.String(raw); !ok {
			out.unread("acr", raw)
		}
	}
	if len(c.requireACR) > 0 && !slices.Contains(c.requireACR, out.acr) {
		return "acr"
	}
	if raw, present := strictjson.Present(m, "amr"); present {
		if out.amr, ok = strictjson.Strings(raw); !ok {
			out.unread("amr", raw)
		}
	}
	return ""
}
