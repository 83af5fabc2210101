package authn

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523, section 2.2

	// assertionBackdate is how far "iat" lies in the past, so that a service whose clock is a little slow does not see an
	// assertion from the future.
	assertionBackdate = 5 * time.Second

	defaultAssertionLifetime = 30 * time.Second
	minAssertionLifetime     = 10 * time.Second
	maxAssertionLifetime     = 60 * time.Second // the largest that the service's software is known to accept

	jtiSize = 16 // 128 random bits (OWASP ASVS 5.0, 11.5.1)
)

// assertionClaims are the claims of RFC 7523, section 3 and OpenID Connect Core 1.0, section 9. A fixed struct: no
// caller's string becomes a claim name. The audience is one string: arrays have been refused and have been abused.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// assertion signs a new client assertion with the key that is active now; one for every request and every repetition of
// one, because the service accepts each only once.
func (c *Client) assertion() (string, error) {
	issued := c.now().Add(-assertionBackdate)
	claims, err := json.Marshal(assertionClaims{
		Issuer:   c.clientID,
		Subject:  c.clientID,
		Audience: c.assertionAudience,
		ID:       randomText(jtiSize),
		IssuedAt: issued.Unix(),
		Expires:  issued.Add(c.assertionLifetime).Unix(),
	})
	if err != nil {
		return "", &Error{Reason: ReasonKey, Check: "assertion", Err: err}
	}
	token, err := jose.Sign(c.ring.Active().signing(), c.assertionHeaderType, claims)
	if err != nil {
		return "", &Error{Reason: ReasonKey, Check: "assertion", Err: err}
	}
	return token, nil
}

// randomText returns n random bytes in base64url, an alphabet that every known round trip preserves. crypto/rand.Read
// never fails.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
