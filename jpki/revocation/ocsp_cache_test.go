package revocation

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// counting counts the requests that reach the responder.
func counting(h http.Handler, n *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h.ServeHTTP(rw, r)
	})
}

func TestOCSPCache(t *testing.T) {
	w := newOCSPWorld(t)
	var asked atomic.Int32
	clock, status := now, statusGood
	client, _ := w.client(t, counting(w.handler(func() []byte { return status }), &asked), func(c *OCSPConfig) {
		c.CacheEntries = 2
		c.Now = func() time.Time { return clock }
	})
	check := func(step string, at time.Time, want Status, requests int32) {
		t.Helper()
		answer, err := w.ca.ask(t, client, w.leaf, at)
		if err != nil || answer.Status != want || asked.Load() != requests {
			t.Fatalf("%s: %v, %v after %d requests; want %v after %d", step, answer, err, asked.Load(), want, requests)
		}
		if len(answer.Evidence) == 0 {
			t.Errorf("%s: no evidence", step)
		}
	}
	check("first", now, Good, 1)
	status = statusRevoked(now.Add(-day), 1)
	check("while fresh the revocation is not seen", now, Good, 1)
	check("a time that the kept answer does not cover", now.Add(-day), Revoked, 2)
	check("the newer answer has taken its place", now, Revoked, 2)
	clock = now.Add(time.Hour) // the test responder's answers are of the time now; MaxAge is 20 minutes
	if _, err := w.ca.ask(t, client, w.leaf, clock); !errors.Is(err,
		&Error{Reason: ReasonResponseStale, Step: "ocsp.this-update"}) || asked.Load() != 3 {
		t.Errorf("an answer that is no longer fresh must not be given again: %v after %d requests", err, asked.Load())
	}
	clock = now.Add(-time.Hour)
	if _, err := w.ca.ask(t, client, w.leaf, clock); err == nil || asked.Load() != 4 {
		t.Errorf("the clock went back before the answer was accepted: %v after %d requests", err, asked.Load())
	}
}

func TestOCSPCacheRefusals(t *testing.T) {
	w := newOCSPWorld(t)
	t.Run("unknown is not kept", func(t *testing.T) {
		var asked atomic.Int32
		client, _ := w.client(t, counting(w.handler(func() []byte { return statusUnknown }), &asked),
			func(c *OCSPConfig) { c.CacheEntries = 2 })
		for want := int32(1); want <= 2; want++ {
			answer, err := w.ca.ask(t, client, w.leaf, now)
			wantUnknown(t, answer, err)
			if asked.Load() != want {
				t.Errorf("%d requests", asked.Load())
			}
		}
	})
	t.Run("no entries", func(t *testing.T) {
		var asked atomic.Int32
		client, _ := w.client(t, counting(w.handler(func() []byte { return statusGood }), &asked))
		for range 2 {
			if _, err := w.ca.ask(t, client, w.leaf, now); err != nil {
				t.Fatal(err)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("%d requests", asked.Load())
		}
	})
	t.Run("configuration", func(t *testing.T) {
		for _, n := range []int{-1, 1<<20 + 1} {
			if _, err := NewOCSP(OCSPConfig{Responder: silent{}, CacheEntries: n}); !errors.Is(err,
				&Error{Reason: ReasonConfiguration, Step: "ocsp.cache-entries"}) {
				t.Errorf("%d: %v", n, err)
			}
		}
	})
}

// The oldest entry makes room, a renewed one takes no second place, and another authority's key is another entry.
func TestOCSPCacheIsBounded(t *testing.T) {
	c := newOCSPCache(2)
	p := acceptance{now: now, maxAge: time.Hour}
	response := &acceptedResponse{single: &singleResponse{thisUpdate: now}, producedAt: now}
	keys := []cacheKey{{1}, {2}, {3}}
	c.put(keys[0], response, p)
	c.put(keys[1], response, p)
	c.put(keys[1], response, p)
	c.put(keys[2], response, p)
	for i, want := range []bool{false, true, true} {
		if got := c.get(keys[i], now) != nil; got != want {
			t.Errorf("entry %d kept: %v", i, got)
		}
	}
	if len(c.entries) != 2 {
		t.Errorf("%d entries", len(c.entries))
	}
	id := &certID{serial: []byte{1}}
	if a, b := signingAuthority(t, "ca"), signingAuthority(t, "another"); c.key(id, a.asked().known()) == c.key(id,
		b.asked().known()) {
		t.Error("two authorities with one name share their entries")
	}
}

func TestOCSPRecord(t *testing.T) {
	w := newOCSPWorld(t)
	type question struct {
		RecordedOCSP
		Query
	}
	record := func(der []byte, change ...func(*question)) (Answer, error) {
		r := question{RecordedOCSP{Response: der}, Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now}}
		for _, c := range change {
			c(&r)
		}
		return r.Check(t.Context(), r.Query)
	}
	direct, delegated := w.direct(), w.delegated()
	old := w.direct()
	old.producedAt = generalizedTime(now.Add(-10 * day))
	old.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-10*day), now.Add(day))}
	endless := w.direct()
	endless.producedAt = generalizedTime(now.Add(-day))
	endless.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-day), time.Time{})}
	revoked := w.direct()
	revoked.singles = [][]byte{single(w.id.der(), statusRevoked(now.Add(-day), 1), now, now.Add(day))}

	for name, tc := range map[string]struct {
		der    []byte
		change func(*question)
		status Status
		step   string
	}{
		"signed by the authority":   {der: direct.sign(), status: Good},
		"signed by a responder":     {der: delegated.sign(), status: Good},
		"revoked":                   {der: revoked.sign(), status: Revoked},
		"days old, with nextUpdate": {der: old.sign(), status: Good},
		"days old, with an age limit": {der: old.sign(), change: func(r *question) { r.MaxAge = time.Hour },
			step: "ocsp.this-update"},
		"a day old, without nextUpdate": {der: endless.sign(), step: "ocsp.this-update"},
		"at a time before it": {der: direct.sign(),
			change: func(r *question) { r.At = now.Add(-time.Hour) }, step: "ocsp.this-update"},
		"at a time after it": {der: direct.sign(),
			change: func(r *question) { r.At = now.Add(time.Hour) }, step: "ocsp.next-update"},
		"within the skew": {der: direct.sign(),
			change: func(r *question) { r.At = now.Add(11 * time.Minute) }, status: Good},
		"beyond the skew": {der: direct.sign(),
			change: func(r *question) { r.At, r.Skew = now.Add(11*time.Minute), -1 }, step: "ocsp.next-update"},
		"another authority with that name": {der: direct.sign(),
			change: func(r *question) { r.Issuer = signingAuthority(t, "another").asked() }, step: "ocsp.cert-id"},
		"another certificate": {der: direct.sign(),
			change: func(r *question) { r.Certificate = w.ca.asked() }, step: "ocsp.cert-id"},
		"no certificate": {der: direct.sign(), change: func(r *question) { r.Certificate = nil },
			step: "revocation.query"},
		"no time": {der: direct.sign(), change: func(r *question) { r.At = time.Time{} },
			step: "revocation.query"},
		"nil source for the responder": {der: direct.sign(),
			change: func(r *question) { r.ResponderRevocation = (*Store)(nil) }, step: "ocsp.record"},
		"no response":                        {step: "ocsp.der"},
		"a response that ends in the middle": {der: direct.sign()[:100], step: "ocsp.der"},
	} {
		t.Run(name, func(t *testing.T) {
			var change []func(*question)
			if tc.change != nil {
				change = append(change, tc.change)
			}
			answer, err := record(tc.der, change...)
			if tc.step == "" {
				if err != nil || answer.Status != tc.status {
					t.Errorf("%v, %v", answer, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Step != tc.step || answer.Status != Unknown {
				t.Errorf("%v, %v; want a refusal at %s", answer, err, tc.step)
			}
		})
	}
	// An ended context stops a responder's check that would ask elsewhere.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.responder.Extensions = w.responder.Extensions[:3] // no id-pkix-ocsp-nocheck
	unsure := w.delegated()
	r := RecordedOCSP{Response: unsure.sign(), ResponderRevocation: new(Store)}
	if _, err := r.Check(ctx, Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now}); !errors.Is(err,
		&Error{Reason: ReasonStatusUnknown}) {
		t.Error(err)
	}
}
