package daa

import (
	"crypto/ecdsa"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// userinfo serves the claims of the granted scopes as plain JSON (OpenID Connect Core 1.0, section 5.3).
func (s *Service) userinfo(w http.ResponseWriter, r *http.Request) {
	t, code := s.bearer(w, r)
	if t != nil {
		exchangeOf(r).client = t.client.ID
	}
	if code == "" && t.grant == nil {
		code = "insufficient_scope"
	}
	if code != "" {
		exchangeOf(r).refused(code, bearerDescriptions[code])
		bearerChallenge(w, code)
		writeJSON(w, bearerStatus(code), map[string]string{"error": code})
		return
	}
	k := s.Knobs().Userinfo
	if k.Error != "" {
		bearerChallenge(w, k.Error)
		writeJSON(w, bearerStatus(k.Error), map[string]string{"error": k.Error})
		return
	}
	claims := map[string]any{"sub": t.grant.subject}
	for name, c := range t.grant.claims {
		if t.granted(c.scope) {
			claims[name] = c.value
		}
	}
	s.Knobs().Userinfo.Attributes.apply(claims, s.wire)
	if k.SubjectMismatch {
		claims["sub"] = t.grant.subject + "x"
	}
	if k.Form == UserinfoSigned || k.Form == UserinfoSignedEncrypted || k.Form == UserinfoForged {
		claims["iss"], claims["aud"] = s.env.Issuer, t.client.ID // section 5.3.2
	}
	maps.Copy(claims, k.SetClaims)
	for _, name := range k.OmitClaims {
		delete(claims, name)
	}
	body, err := s.wrapUserinfo(claims, t.client, k.Form)
	if err != nil {
		s.fail(w, "userinfo", err)
		return
	}
	contentType := "application/json"
	if k.Form != UserinfoJSON {
		contentType = "application/jwt"
	}
	w.Header().Set("Content-Type", orText(k.ContentType, contentType))
	_, _ = w.Write(body)
}

// bearerDescriptions are what the inspector says of a refusal of userinfo.
var bearerDescriptions = map[string]string{
	"invalid_request":    "the access token belongs in the Authorization header",
	"invalid_token":      "the access token is missing, unknown, expired or revoked",
	"insufficient_scope": "userinfo is asked with the access token of a login, not with a service's own",
}

// wrapUserinfo encodes, signs and encrypts: "If both signing and encryption are performed, it MUST be signed then
// encrypted, with the result being a Nested JWT" (section 5.3.2).
func (s *Service) wrapUserinfo(claims map[string]any, c *client, form UserinfoForm) ([]byte, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	var signed string
	switch form {
	case UserinfoSigned, UserinfoSignedEncrypted:
		signed, err = jose.Sign(s.keys.idTokenKey(s.Knobs().Token.IDToken), "JWT", body)
	case UserinfoForged:
		signed, err = s.keys.forge(s.keys.idTokenKey(s.Knobs().Token.IDToken), body)
	case UserinfoJSON, UserinfoEncrypted:
		signed = string(body)
	}
	if err != nil || form != UserinfoEncrypted && form != UserinfoSignedEncrypted {
		return []byte(signed), err
	}
	if c.EncryptionKey == nil {
		return nil, configError("encryption-key", nil)
	}
	alg := "RSA-OAEP-256"
	if _, isEC := c.EncryptionKey.(*ecdsa.PublicKey); isEC {
		alg = "ECDH-ES"
	}
	to := jose.PublicKey{Key: c.EncryptionKey, KeyID: c.EncryptionKeyID, Use: "enc"}
	var sealed string
	if form == UserinfoSignedEncrypted {
		sealed, err = jose.EncryptJWT(to, alg, "A256GCM", signed)
	} else {
		sealed, err = jose.Encrypt(to, alg, "A256GCM", []byte(signed))
	}
	return []byte(sealed), err
}

// bearer finds the access token of a request: in the Authorization header, or in the form of a POST (RFC 6750, sections
// 2.1 and 2.2). The second result is an error code, "" when the token is good.
func (s *Service) bearer(w http.ResponseWriter, r *http.Request) (*token, string) {
	if r.URL.Query().Has("access_token") {
		return nil, "invalid_request" // section 5.3: tokens do not belong in URLs
	}
	headers := r.Header.Values("Authorization")
	value := ""
	if mt, _, err := mime.ParseMediaType(
		r.Header.Get("Content-Type"),
	); err == nil &&
		mt == "application/x-www-form-urlencoded" {
		r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
		if r.ParseForm() != nil {
			return nil, "invalid_request"
		}
		sent := slices.DeleteFunc(slices.Clone(r.PostForm["access_token"]), func(one string) bool { return one == "" })
		if len(sent) > 1 || len(sent) == 1 && len(headers) > 0 { // section 2: not more than one method
			return nil, "invalid_request"
		}
		if len(sent) == 1 {
			value = sent[0]
		}
	}
	if value == "" {
		if len(headers) != 1 {
			return nil, "invalid_token"
		}
		if value = bearerToken(headers[0]); value == "" {
			return nil, "invalid_token"
		}
	}
	t, ok := s.tokens.get(tokenName(value))
	if !ok || !t.valid() {
		return nil, "invalid_token"
	}
	return t, ""
}

// bearerToken is the token of an Authorization header; "" without one. There may be several spaces before it (RFC 6750,
// section 2.1: 1*SP), and the scheme is written as anybody likes.
func bearerToken(header string) string {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(rest, " ")
}

func bearerStatus(code string) int {
	switch code {
	case "invalid_request":
		return http.StatusBadRequest
	case "insufficient_scope":
		return http.StatusForbidden
	default:
		return http.StatusUnauthorized
	}
}

func bearerChallenge(w http.ResponseWriter, code string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="main", error="`+code+`"`)
}

func (t *token) granted(scope string) bool {
	return t.grant != nil && slices.Contains(t.scopes, scope)
}

// unlistedGender is a code that neither the card nor a known document has.
const unlistedGender = "7"

// apply rewrites the attributes that are among the claims.
func (k AttributeKnobs) apply(claims map[string]any, w wire.Profile) {
	rewrite := func(name string, f func(string) any) {
		if s, ok := claims[name].(string); ok && name != "" {
			claims[name] = f(s)
		}
	}
	rewrite(w.ClaimAddress, k.address)
	rewrite(w.ClaimBirthdate, k.birthdate)
	rewrite(w.ClaimGender, k.gender)
	rewrite(w.ClaimName, k.name)
}

func (k AttributeKnobs) address(s string) any {
	if k.Address == AddressObject {
		return map[string]string{"formatted": s, "country": "JP"}
	}
	return s
}

func (k AttributeKnobs) birthdate(s string) any {
	if len(s) != len("YYYYMMDD") {
		return s
	}
	switch k.Birthdate {
	case BirthdateISO:
		return s[:4] + "-" + s[4:6] + "-" + s[6:]
	case BirthdateUnknownDay:
		return s[:6] + "00"
	case BirthdateUnknownMonth:
		return s[:4] + "0000"
	case BirthdateCompact:
	}
	return s
}

func (k AttributeKnobs) gender(s string) any {
	switch {
	case k.Gender == GenderUnlisted:
		return unlistedGender
	case k.Gender == GenderWord && s == "1":
		return "male"
	case k.Gender == GenderWord && s == "2":
		return "female"
	}
	return s
}

func (k AttributeKnobs) name(s string) any {
	switch k.NameSeparator {
	case NameHalfWidth:
		return strings.ReplaceAll(s, "\u3000", " ")
	case NameUnseparated:
		return strings.ReplaceAll(s, "\u3000", "")
	case NameFullWidth:
	}
	return s
}
