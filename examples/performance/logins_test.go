package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

// BenchmarkLogins begins many logins before it finishes the first of them, as at the opening of a sale: what one of
// them costs does not depend on how many are under way.
func BenchmarkLogins(b *testing.B) {
	for _, people := range []int{1, 10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			p := newProvider(b, "ES256")
			client := kakuninClient(b, p)
			begun := make([]authn.Begun, people)
			var took time.Duration
			n := 0
			for b.Loop() {
				took += spent(func() {
					for i := range begun {
						var err error
						begun[i], err = client.Begin(context.Background(), authn.Request{Scopes: authn.Attributes})
						if err != nil {
							b.Fatal(err)
						}
					}
				})
				for _, one := range begun {
					took += finish(b, p, client, one)
				}
				n += people
			}
			b.ReportMetric(float64(took)/float64(n), "ns/login")
		})
	}
}

func kakuninClient(tb testing.TB, p *provider) *authn.Client {
	tb.Helper()
	key, err := authn.NewKey(p.key, "")
	if err != nil {
		tb.Fatal(err)
	}
	service := authn.Environment{Issuer: opIssuer, AuthorizationEndpoint: opIssuer + "/auth",
		TokenEndpoint: opIssuer + "/token", UserinfoEndpoint: opIssuer + "/userinfo", JWKSEndpoint: opIssuer + "/jwks"}
	client, err := authn.New(authn.Config{Environment: service, ClientID: clientID, Key: key,
		RedirectURL: redirect, HTTPClient: &http.Client{Transport: p}})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// finish is the time that the second half of a login takes, without the provider's part.
func finish(tb testing.TB, p *provider, client *authn.Client, begun authn.Begun) time.Duration {
	tb.Helper()
	u, err := url.Parse(begun.URL)
	if err != nil {
		tb.Fatal(err)
	}
	p.prepare(u.Query().Get("nonce"))
	callback := url.Values{"code": {"code"}, "state": {u.Query().Get("state")}}
	return spent(func() {
		if _, err := client.Finish(context.Background(), begun.Pending, callback); err != nil {
			tb.Fatal(err)
		}
	})
}
