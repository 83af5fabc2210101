package daa

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// userinfo serves the claims of the granted scopes as plain JSON (OpenID Connect Core 1.0, section 5.3).
func (s *Service) userinfo(w http.ResponseWriter, r *http.Request) {
	t, code := s.bearer(r)
	if code == "" && t.grant == nil {
		code = "insufficient_scope"
	}
	if code != "" {
		bearerChallenge(w, code)
		writeJSON(w, bearerStatus(code), map[string]string{"error": code})
		return
	}
	k := s.Knobs().Userinfo
	claims := map[string]any{"sub": t.grant.subject}
	for name, value := range t.grant.claims {
		claims[name] = value
	}
	if k.SubjectMismatch {
		claims["sub"] = t.grant.subject + "x"
	}
	maps.Copy(claims, k.SetClaims)
	for _, name := range k.OmitClaims {
		delete(claims, name)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		s.fail(w, "userinfo", err)
		return
	}
	w.Header().Set("Content-Type", orText(k.ContentType, "application/json"))
	_, _ = w.Write(body)
}

// bearer finds the access token of a request (RFC 6750, section 2.1: the Authorization header only). The second result
// is an error code, "" when the token is good.
func (s *Service) bearer(r *http.Request) (*token, string) {
	if r.URL.Query().Has("access_token") {
		return nil, "invalid_request" // section 5.3: tokens do not belong in URLs
	}
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return nil, "invalid_token"
	}
	scheme, value, ok := strings.Cut(headers[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, "invalid_token"
	}
	jti, ok := s.keys.openAccessToken(value)
	if !ok {
		return nil, "invalid_token"
	}
	t, ok := s.tokens.get(jti)
	if !ok || !t.valid() {
		return nil, "invalid_token"
	}
	return t, ""
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
	return t.grant != nil && slices.Contains(t.grant.scopes, scope)
}
