package daa_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// fetchKeys is the simplest request there is: the body, how it ended, and the answer's header.
func (rp *relyingParty) fetchKeys(ctx context.Context) (*http.Response, []byte, error) {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rp.svc.Environment().JWKSEndpoint, http.NoBody)
	if err != nil {
		rp.t.Fatal(err)
	}
	res, err := rp.svc.Client().Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

func TestNetworkKnobs(t *testing.T) {
	rp := start(t)
	set := func(k daa.NetworkKnobs) { rp.svc.SetKnobs(daa.Knobs{Network: k}) }
	_, whole, err := rp.fetchKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("status", func(t *testing.T) {
		for _, status := range []int{0, 429, 500, 502, 503} {
			set(daa.NetworkKnobs{Fault: daa.NetworkStatus, Status: status, RetryAfter: "120"})
			res, body, err := rp.fetchKeys(t.Context())
			if status == 0 {
				status = http.StatusServiceUnavailable
			}
			if err != nil || res.StatusCode != status || res.Header.Get("Retry-After") != "120" ||
				!strings.Contains(string(body), `"error"`) {
				t.Errorf("%d: %v %s", status, err, body)
			}
		}
	})
	t.Run("HTML page", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkHTMLPage, Status: 200})
		res, body, err := rp.fetchKeys(t.Context())
		if err != nil || res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") ||
			!strings.HasPrefix(string(body), "<!DOCTYPE") {
			t.Errorf("%v %s", err, body)
		}
	})
	t.Run("reset", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkReset})
		if _, _, err := rp.fetchKeys(t.Context()); err == nil {
			t.Error("an answer came")
		}
	})
	t.Run("truncated", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkTruncated})
		res, body, err := rp.fetchKeys(t.Context())
		if err == nil || res.StatusCode != 200 || len(body) != len(whole)/2 {
			t.Errorf("%d of %d bytes, %v", len(body), len(whole), err)
		}
	})
	t.Run("oversize", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkOversize})
		_, body, err := rp.fetchKeys(t.Context())
		if err != nil || len(body) <= limits.HTTPBody || strings.TrimSpace(string(body)) != string(whole) {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
	t.Run("slow, until the client gives up", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkSlow})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, rp.svc.Environment().JWKSEndpoint, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := rp.svc.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		one := make([]byte, 1)
		if _, err := io.ReadFull(res.Body, one); err != nil || res.ContentLength != int64(len(whole)) {
			t.Fatalf("first byte: %v, of %d", err, res.ContentLength)
		}
		cancel()
		if rest, err := io.ReadAll(res.Body); err == nil || len(rest) != 0 {
			t.Errorf("%d more bytes, %v", len(rest), err)
		}
	})
	t.Run("slow, byte by byte", func(t *testing.T) {
		var waits atomic.Int64
		set(daa.NetworkKnobs{Fault: daa.NetworkSlow, Wait: func(context.Context, daa.Endpoint) { waits.Add(1) }})
		_, body, err := rp.fetchKeys(t.Context())
		if err != nil || string(body) != string(whole) || waits.Load() != int64(len(whole)) {
			t.Errorf("%d waits for %d bytes, %v", waits.Load(), len(body), err)
		}
	})
	t.Run("only so many", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkStatus, Times: 2})
		for i, want := range []int{503, 503, 200, 200} {
			if res, _, err := rp.fetchKeys(t.Context()); err != nil || res.StatusCode != want {
				t.Errorf("request %d: want %d, %v", i, want, err)
			}
		}
	})
	t.Run("only some endpoints", func(t *testing.T) {
		set(daa.NetworkKnobs{Fault: daa.NetworkStatus, Endpoints: []daa.Endpoint{daa.EndpointDiscovery,
			daa.EndpointAuthorization}})
		if res, _, err := rp.fetchKeys(t.Context()); err != nil || res.StatusCode != 200 {
			t.Error("keys are affected")
		}
		for _, target := range []string{rp.svc.Environment().Issuer + "/.well-known/openid-configuration",
			rp.authorizationURL(rp.authorization())} {
			if a := rp.do(http.MethodGet, target, "", "", ""); a.status != 503 {
				t.Errorf("%d", a.status)
			}
		}
		set(daa.NetworkKnobs{Fault: daa.NetworkStatus})
		if a := rp.do(http.MethodGet, rp.authorizationURL(rp.authorization()), "", "",
			""); a.status != http.StatusSeeOther {
			t.Errorf("the browser's endpoint is affected: %d", a.status)
		}
		for _, target := range []string{rp.svc.Environment().TokenEndpoint, rp.svc.Environment().SignEndpoint} {
			if a := rp.do(http.MethodPost, target, "", formType, ""); a.status != 503 {
				t.Errorf("%d", a.status)
			}
		}
		if a := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, "", "", ""); a.status != 503 {
			t.Errorf("%d", a.status)
		}
	})
}

// Whatever happens on the way, the SDK's client gives the service or the network the fault, and works when it is over.
func TestClientMeetsNetworkFaults(t *testing.T) {
	rp := start(t)
	for name, fault := range map[string]daa.NetworkFault{
		"status": daa.NetworkStatus, "HTML page": daa.NetworkHTMLPage, "reset": daa.NetworkReset,
		"truncated": daa.NetworkTruncated, "oversize": daa.NetworkOversize,
	} {
		for _, e := range []daa.Endpoint{daa.EndpointToken, daa.EndpointKeys, daa.EndpointUserinfo} {
			c := rp.client()
			rp.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{Fault: fault, Endpoints: []daa.Endpoint{e}}})
			id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name})
			if f := kakunin.FamilyOf(err); id != nil || f != kakunin.Unavailable &&
				(f != kakunin.Untrusted || fault != daa.NetworkOversize) {
				t.Errorf("%s at %s: %v", name, e, err)
			}
			rp.svc.SetKnobs(daa.Knobs{})
			if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name}); err != nil {
				t.Errorf("%s at %s, and over: %v", name, e, err)
			}
		}
	}
}

// Latency is a clock that moves while the service answers: no test waits.
func TestLatency(t *testing.T) {
	clock := newClock()
	rp := start(t, daa.WithClock(clock.now), daa.WithKnobs(daa.Knobs{Network: daa.NetworkKnobs{
		Endpoints: []daa.Endpoint{daa.EndpointToken}, Wait: func(context.Context, daa.Endpoint) {
			clock.advance(20 * time.Second)
		},
	},
	}))
	c := rp.client(func(c *authn.Config) { c.Now = clock.now })
	before := clock.now()
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Fatal(err)
	}
	if d := clock.now().Sub(before); d != 20*time.Second {
		t.Errorf("%v passed", d)
	}
	// An assertion that was 30 s young when it was sent has expired when it arrives.
	rp.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{
		Endpoints: []daa.Endpoint{daa.EndpointToken}, Wait: func(context.Context, daa.Endpoint) {
			clock.advance(time.Minute)
		},
	},
	})
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); !hasReason(err, authn.ReasonRequestRefused) {
		t.Errorf("%v", err)
	}
}
