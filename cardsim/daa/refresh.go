package daa

import (
	"crypto/rand"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// RefreshMode says whether and how refresh tokens are issued.
type RefreshMode int

// Values of RefreshMode.
const (
	// RefreshOff issues none and refuses the grant type.
	RefreshOff RefreshMode = iota
	// RefreshOn issues one with each code; it can be used until it expires, and no answer brings another.
	RefreshOn
	// RefreshRotating answers every use with a new one and ends the old one.
	RefreshRotating
	// RefreshReuseDetection rotates, and takes the use of an ended one for theft: all tokens of the login are revoked
	// (RFC 9700, section 4.14.2).
	RefreshReuseDetection
)

// RefreshKnobs change the refreshing of tokens.
type RefreshKnobs struct {
	Mode RefreshMode
	// OmitIDToken leaves the ID token out of refresh answers, as OpenID Connect Core 1.0, section 12.2 allows.
	OmitIDToken bool
	// SetClaims are added to or replaced in the ID tokens of refresh answers, e.g. another iss or sub.
	SetClaims map[string]any
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
		return &protocolError{"temporarily_unavailable", "too many refresh tokens"}
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
	refuse := func(d string) (map[string]any, *protocolError) { return nil, &protocolError{"invalid_grant", d} }
	k := s.Knobs()
	if k.Refresh.Mode == RefreshOff {
		return nil, &protocolError{"unsupported_grant_type", "only authorization_code and client_credentials"}
	}
	if form.Get("refresh_token") == "" {
		return nil, &protocolError{"invalid_request", "refresh_token is missing"}
	}
	t, ok := s.refreshTokens.get(form.Get("refresh_token"))
	if !ok || t.client != c || t.grant.revoked.Load() {
		return refuse("the refresh token is unknown, expired, revoked or not this client's")
	}
	// "The requested scope MUST NOT include any scope not originally granted by the resource owner."
	scopes := t.grant.scopes
	if asked := form.Get("scope"); asked != "" {
		scopes = strings.Split(asked, " ")
		if slices.ContainsFunc(scopes, func(one string) bool { return !slices.Contains(t.grant.scopes, one) }) {
			return nil, &protocolError{"invalid_scope", "a scope that was not granted"}
		}
	}
	rotates := k.Refresh.Mode != RefreshOn
	if rotates && !t.used.CompareAndSwap(false, true) {
		if k.Refresh.Mode == RefreshReuseDetection {
			t.grant.revoked.Store(true)
			s.log.Warn("refresh token used twice, the tokens of its login are revoked", slog.String("client", c.ID))
		}
		return refuse("the refresh token was used before")
	}
	access, perr := s.issueAccessToken(&token{client: c, grant: t.grant, scopes: scopes}, t.grant.subject, k.Lifetimes.accessToken())
	if perr != nil {
		return nil, perr
	}
	response := s.tokenResponse(access, k.Lifetimes.accessToken())
	if !k.Scopes.OmitFromResponse {
		response["scope"] = strings.Join(scopes, " ")
	}
	if !k.Refresh.OmitIDToken {
		claims := s.idTokenClaims(t.grant, access, k)
		// "it SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original authentication
		// contained nonce".
		if k.IDToken.Fault != FaultNonce {
			delete(claims, "nonce")
		}
		maps.Copy(claims, k.Refresh.SetClaims)
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
	id, err := s.keys.signIDToken(claims, k.IDToken)
	if err != nil {
		s.log.Error("ID token not signed", slog.Any("error", err))
		return &protocolError{"server_error", "the simulator could not sign"}
	}
	response["id_token"] = id
	return nil
}

func (l Lifetimes) refreshToken() time.Duration { return orDefault(l.RefreshToken, 30*time.Minute) }
