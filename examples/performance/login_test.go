package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/kakunin-go/kakunin/authn"
)

// BenchmarkLogin is what a login with attributes costs the relying party's processor: beginning it, the client
// assertion, the code exchange, the ID token, userinfo. Network and provider do not count. By hand is what the
// documentation of go-oidc and x/oauth2 leads to, with an assertion by golang-jwt.
func BenchmarkLogin(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		for name, start := range map[string]func(testing.TB, *provider) func() time.Duration{
			"kakunin": withKakunin, "by-hand": byHand, "zitadel": withZitadel,
		} {
			b.Run(name+"/"+algorithm, func(b *testing.B) {
				p := newProvider(b, algorithm)
				verification := p.verification(p.idToken("n"))
				login := start(b, p)
				login() // fetches the keys
				b.ReportAllocs()
				for b.Loop() {
					login()
				}
				timed(b, func() time.Duration {
					return spent(func() { p.signature(); verification() })
				}, login)
			})
		}
	}
}

func withKakunin(tb testing.TB, p *provider) func() time.Duration {
	client := kakuninClient(tb, p)
	return func() time.Duration {
		var begun authn.Begun
		took := spent(func() {
			var err error
			if begun, err = client.Begin(context.Background(), authn.Request{Scopes: authn.Attributes}); err != nil {
				tb.Fatal(err)
			}
		})
		return took + finish(tb, p, client, begun)
	}
}

// assertion is a client assertion (RFC 7523, 2.2).
func assertion(p *provider) (string, error) {
	now := time.Now().Unix()
	return jwt.NewWithClaims(p.method, jwt.MapClaims{"iss": clientID, "sub": clientID, "aud": opIssuer,
		"jti": rand.Text(),
		"iat": now, "exp": now + 60}).SignedString(p.key)
}

func byHand(tb testing.TB, p *provider) func() time.Duration {
	ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: p})
	found, err := oidc.NewProvider(ctx, opIssuer)
	if err != nil {
		tb.Fatal(err)
	}
	config := &oauth2.Config{ClientID: clientID, RedirectURL: redirect, Endpoint: found.Endpoint(),
		Scopes: []string{"openid", "name", "address", "birthdate", "gender"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	verifier := found.Verifier(&oidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{p.method.Alg()}})
	return func() time.Duration {
		var state, nonce, code string
		took := spent(func() {
			state, nonce, code = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
			_ = config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(code))
		})
		p.prepare(nonce)
		return took + spent(func() {
			if err := finishByHand(ctx, p, found, config, verifier, nonce, code); err != nil {
				tb.Fatal(err)
			}
		})
	}
}

func finishByHand(ctx context.Context, p *provider, found *oidc.Provider, config *oauth2.Config,
	verifier *oidc.IDTokenVerifier, nonce, code string,
) error {
	signed, err := assertion(p)
	if err != nil {
		return err
	}
	token, err := config.Exchange(ctx, "code", oauth2.VerifierOption(code),
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", signed))
	if err != nil {
		return err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return err
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return err
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return err
	}
	var claims struct{ Name, Birthdate, Gender string }
	if err := info.Claims(&claims); err != nil {
		return err
	}
	if id.Nonce != nonce || info.Subject != id.Subject || claims.Name == "" {
		return errors.New("not the login that was begun")
	}
	return nil
}

func withZitadel(tb testing.TB, p *provider) func() time.Duration {
	ctx := context.Background()
	type wanted struct{}
	algorithm := rp.WithVerifierOpts(rp.WithSupportedSigningAlgorithms(p.method.Alg()),
		rp.WithNonce(func(ctx context.Context) string { n, _ := ctx.Value(wanted{}).(string); return n }))
	party, err := rp.NewRelyingPartyOIDC(ctx, opIssuer, clientID, "", redirect,
		[]string{"openid", "name", "address", "birthdate", "gender"},
		rp.WithHTTPClient(&http.Client{Transport: p}), rp.WithAuthStyle(oauth2.AuthStyleInParams), algorithm)
	if err != nil {
		tb.Fatal(err)
	}
	return func() time.Duration {
		var nonce, code string
		took := spent(func() {
			nonce, code = rand.Text(), oauth2.GenerateVerifier()
			_ = rp.AuthURL(rand.Text(), party, rp.WithCodeChallenge(oauth2.S256ChallengeFromVerifier(code)),
				rp.AuthURLOpt(rp.WithURLParam("nonce", nonce)))
		})
		p.prepare(nonce)
		return took + spent(func() {
			signed, err := assertion(p)
			if err != nil {
				tb.Fatal(err)
			}
			tokens, err := rp.CodeExchange[*zitadel.IDTokenClaims](context.WithValue(ctx, wanted{}, nonce), "code",
				party,
				rp.WithCodeVerifier(code), rp.WithClientAssertionJWT(signed))
			if err != nil {
				tb.Fatal(err)
			}
			info, err := rp.Userinfo[*zitadel.UserInfo](ctx, tokens.AccessToken, tokens.TokenType,
				tokens.IDTokenClaims.Subject,
				party)
			if err != nil || info.Name == "" {
				tb.Fatal(err)
			}
		})
	}
}
