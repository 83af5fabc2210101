package daa

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"time"
)

// idTokenClaims makes the claims of OpenID Connect Core 1.0, section 2, and spoils what the knobs say.
func (s *Service) idTokenClaims(g *grant, access string, k Knobs) map[string]any {
	now := s.tokenNow()
	claims := map[string]any{
		"iss": s.env.Issuer, "sub": g.subject, "aud": g.client.ID, "azp": g.client.ID, "typ": "ID", "jti": newUUID(),
		"iat": now.Unix(), "exp": now.Add(k.Lifetimes.idToken()).Unix(), "auth_time": g.authTime.Unix(),
		"nonce": g.nonce, "at_hash": accessTokenHash(access), "acr": "aal3", "sid": g.session,
	}
	if k.IDToken.AudienceArray {
		claims["aud"] = []string{g.client.ID}
	}
	switch k.IDToken.Fault {
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
	case FaultNone, FaultForeignKey, FaultSignature, FaultAlgNone, FaultAlgHS256, FaultKeyType, FaultUnknownKeyID, FaultAccessTokenType:
	}
	maps.Copy(claims, k.IDToken.SetClaims)
	for _, name := range k.IDToken.OmitClaims {
		delete(claims, name)
	}
	return claims
}

// accessTokenHash is at_hash for ES256, RS256 and PS256: the left half of the SHA-256 (section 3.1.3.6).
func accessTokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
