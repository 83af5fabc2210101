package main

import (
	"context"
	"crypto"
	"errors"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v2/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
)

// BenchmarkIDToken verifies one ID token with warm keys, each library as its documentation says: signature, opIssuer,
// audience, expiry, and the nonce where the library looks at it. That of this module checks about twenty rules more;
// see the documentation of package authn.
func BenchmarkIDToken(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		p := newProvider(b, algorithm)
		raw := p.idToken("nonce")
		bare := p.verification(raw)
		for name, verify := range map[string]func() error{
			"go-oidc": goOIDC(p, raw), "jwx": jwx(b, p, raw), "golang-jwt": golangJWT(p, raw),
			"zitadel": zitadelRP(p, raw),
		} {
			b.Run(name+"/"+algorithm, func(b *testing.B) {
				inTurns(b, bare, func() {
					if err := verify(); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

func goOIDC(p *provider, raw string) func() error {
	keys := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{p.key.Public()}}
	v := oidc.NewVerifier(opIssuer, keys, &oidc.Config{ClientID: clientID,
		SupportedSigningAlgs: []string{p.method.Alg()}})
	return func() error {
		token, err := v.Verify(context.Background(), raw)
		if err == nil && token.Nonce != "nonce" {
			err = errors.New("nonce")
		}
		if err != nil {
			return err
		}
		return token.VerifyAccessToken(access)
	}
}

func jwx(b *testing.B, p *provider, raw string) func() error {
	set, err := jwk.Parse(p.keys)
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		_, err := jwxjwt.Parse([]byte(raw), jwxjwt.WithKeySet(set), jwxjwt.WithValidate(true),
			jwxjwt.WithIssuer(opIssuer),
			jwxjwt.WithAudience(clientID), jwxjwt.WithClaimValue("nonce", "nonce"))
		return err
	}
}

func golangJWT(p *provider, raw string) func() error {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{p.method.Alg()}), jwt.WithIssuer(opIssuer),
		jwt.WithAudience(clientID), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	return func() error {
		claims := jwt.MapClaims{}
		_, err := parser.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return p.key.Public(), nil })
		if err == nil && claims["nonce"] != "nonce" {
			err = errors.New("nonce")
		}
		return err
	}
}

// oneKey is a key set of zitadel's kind.
type oneKey struct{ key crypto.PublicKey }

func (k oneKey) VerifySignature(_ context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	return jws.Verify(k.key)
}

func zitadelRP(p *provider, raw string) func() error {
	v := rp.NewIDTokenVerifier(opIssuer, clientID, oneKey{p.key.Public()},
		rp.WithNonce(func(context.Context) string { return "nonce" }), rp.WithIssuedAtOffset(time.Second),
		rp.WithSupportedSigningAlgorithms(p.method.Alg()))
	return func() error {
		_, err := rp.VerifyTokens[*zitadel.IDTokenClaims](context.Background(), access, raw, v)
		return err
	}
}
