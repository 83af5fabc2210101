package daa_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// Whatever a service remembers has a bound, also while its clock stands still; and when the time of it is over, it is
// gone.
func TestMemoryIsBounded(t *testing.T) {
	const kept, rounds = 20, 60
	now := newClock()
	knobs := daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: daa.RefreshRotating}}}
	rp := start(t, follow(t, now), daa.WithKnobs(knobs))
	rp.svc.Keep(kept)
	client, person := rp.client(func(c *authn.Config) { c.Now = now.now }), rp.svc.Visitor()
	digest := make([]byte, 32)
	for range rounds {
		if _, err := login(t.Context(), client, person, authn.Request{Scopes: authn.Attributes}); err != nil {
			t.Fatal(err)
		}
		if _, err := person.Cancel(t.Context(), rp.authorizationURL(rp.authorization())); err != nil {
			t.Fatal(err)
		}
		rp.transaction(digest)
	}
	check := func(when string, sizes map[string]int, most map[string]int) {
		for field, size := range sizes {
			if size > most[field] {
				t.Errorf("%s: %d in %s, at most %d", when, size, field, most[field])
			}
		}
	}
	bounds := map[string]int{
		"departed": kept, "codes": kept, "tokens": kept, "refreshTokens": kept, "transactions": kept,
		"assertions": 3 * rounds, "exchanges": 256, "leaves": 64,
		"visits": 0, "phones": 0, "lobby": 0, "lobby addresses": 0, // all have ended
	}
	sizes := rp.svc.Sizes()
	check("with the clock standing still", sizes, bounds)
	for _, field := range []string{"departed", "codes", "tokens", "refreshTokens", "transactions"} {
		if sizes[field] != kept {
			t.Errorf("%d in %s: the test does not fill it", sizes[field], field)
		}
	}

	now.advance(30 * time.Hour)
	if _, err := login(t.Context(), client, person, authn.Request{}); err != nil {
		t.Fatal(err)
	}
	check("when their time is over", rp.svc.Sizes(), map[string]int{
		"departed": 2, "codes": 1, "tokens": 1, "refreshTokens": 1,
		"transactions": kept, // they go with the next one
		"assertions":   1, "exchanges": 256, "leaves": 64,
	})
	rp.transaction(digest)
	if n := rp.svc.Sizes()["transactions"]; n != 1 {
		t.Errorf("%d transactions", n)
	}

	if err := rp.svc.Forget(); err != nil {
		t.Fatal(err)
	}
	check("after a reset", rp.svc.Sizes(), map[string]int{"assertions": 3, "leaves": 64})
}

// BenchmarkMemory says how much memory is in use after a tenth of the logins and after all of them, in mebibytes:
//
//	go test ./cardsim/daa -run '^$' -bench Memory -benchtime 100000x
func BenchmarkMemory(b *testing.B) {
	rp := start(b)
	client := rp.client()
	people := []*visitor.Person{}
	for range runtime.GOMAXPROCS(0) {
		people = append(people, rp.svc.Visitor())
	}
	inUse := func() float64 {
		runtime.GC()
		runtime.GC() // what the pools hold goes with the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapInuse) / (1 << 20)
	}
	request := authn.Request{Scopes: authn.Attributes}
	some := func(logins int) {
		onAllProcessors(logins, func(processor int) {
			if _, err := login(b.Context(), client, people[processor], request); err != nil {
				b.Error(err)
			}
		})
	}
	tenth := max(1, b.N/10)
	b.ResetTimer()
	some(tenth)
	early := inUse()
	some(b.N - tenth)
	late := inUse()
	b.ReportMetric(early, "MiB-after-a-tenth")
	b.ReportMetric(late, "MiB-after-all")
	if testing.Verbose() {
		fmt.Println(rp.svc.Sizes())
	}
}
