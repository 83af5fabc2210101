package authn

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
)

func TestServiceTokenIsCached(t *testing.T) {
	op := newOP(t)
	c := op.client()
	get := func() Token {
		t.Helper()
		tok, err := c.ServiceToken(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	first := get()
	if first.Reveal() == "" || !first.Expires().Equal(op.clock.now().Add(300*time.Second)) {
		t.Errorf("expires %v", first.Expires())
	}
	op.clock.advance(300*time.Second - serviceTokenMargin - time.Second)
	if get() != first {
		t.Error("not cached")
	}
	op.clock.advance(time.Second)
	second := get()
	if second == first || op.tokenHits.Load() != 2 {
		t.Error("kept for too long")
	}
	c.ForgetServiceToken(context.Background(), first) // not the cached one
	if get() != second {
		t.Error("forgotten by mistake")
	}
	c.ForgetServiceToken(context.Background(), second)
	if get() == second {
		t.Error("not forgotten")
	}
}

func TestServiceTokenWithoutLifetimeIsNotCached(t *testing.T) {
	op := newOP(t)
	op.answer = without("expires_in")
	c := op.client()
	for range 2 {
		tok, err := c.ServiceToken(context.Background())
		if err != nil || !tok.Expires().IsZero() {
			t.Fatal(tok.Expires(), err)
		}
	}
	if op.tokenHits.Load() != 2 {
		t.Error("cached")
	}
}

func TestServiceTokenSingleFlight(t *testing.T) {
	op := newOP(t)
	c := op.client()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.ServiceToken(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := op.tokenHits.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestServiceTokenScope(t *testing.T) {
	op := newOP(t)
	for want, scope := range map[string]string{"": "", "sign extra": "sign extra"} {
		names := wire.Default()
		names.ServiceTokenScope = scope
		op.token = func(w http.ResponseWriter, r *http.Request) {
			if r.PostForm.Get("scope") != want || r.PostForm.Has("scope") != (want != "") {
				t.Errorf("scope %q", r.PostForm.Get("scope"))
			}
			writeJSON(w, 200, claimsMap{"access_token": "a", "token_type": "Bearer"})
		}
		if _, err := op.client(func(c *Config) { c.Wire = &names }).ServiceToken(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestServiceTokenErrors(t *testing.T) {
	op := newOP(t)
	c := op.client()
	op.token = reply(401, jsonType, `{"error":"invalid_client"}`)
	_, err := c.ServiceToken(context.Background())
	wantError(t, err, ReasonRequestRefused, "token endpoint")
	op.token = reply(200, jsonType, `{"access_token":"a","token_type":"mac"}`)
	_, err = c.ServiceToken(context.Background())
	wantError(t, err, ReasonTokenResponse, "token_type")
	op.token = nil
	if _, err := c.ServiceToken(context.Background()); err != nil {
		t.Errorf("an error was cached: %v", err)
	}
	c.service.turn <- struct{}{} // someone else is fetching
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.ServiceToken(ctx)
	wantError(t, err, ReasonTransport, "cancelled")
	c.ForgetServiceToken(ctx, Token{}) // returns
	<-c.service.turn
}
