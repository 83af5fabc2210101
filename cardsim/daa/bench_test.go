package daa_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// BenchmarkLogin is a whole login over HTTP on loopback: authorization request, PIN, card, consent, code and ID token,
// the relying party included; assertion and ID token are ES256. x-bare is the processor time as a multiple of the two
// RSA signatures in it, the card's and the access token's, which are measured between the logins and on as many
// processors: whatever else the machine does slows down both.
func BenchmarkLogin(b *testing.B) { benchmarkLogins(b, daa.Knobs{}, 2) }

// BenchmarkLoginES256 is the same where access tokens are ES256, too: only the card signs with RSA.
func BenchmarkLoginES256(b *testing.B) {
	benchmarkLogins(b, daa.Knobs{Token: daa.TokenKnobs{AccessTokens: daa.AccessTokenES256}}, 1)
}

func benchmarkLogins(b *testing.B, knobs daa.Knobs, signaturesOfEach int) {
	b.Helper()
	rp := start(b, daa.WithKnobs(knobs))
	client := rp.client()
	signer := rp.svc.JPKI().Key("bench")
	digest := sha256.Sum256([]byte("x"))
	sign := func() {
		if _, err := rsa.SignPKCS1v15(rand.Reader, signer, crypto.SHA256, digest[:]); err != nil {
			b.Error(err)
		}
	}
	visitors := []*visitor.Person{}
	for range runtime.GOMAXPROCS(0) {
		visitors = append(visitors, rp.svc.Visitor())
	}
	const round = 100
	var logins, signatures time.Duration
	signed := 0
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += round {
		logins += processorTime(func() {
			onAllProcessors(min(round, b.N-done), func(processor int) {
				if _, err := login(b.Context(), client, visitors[processor], authn.Request{}); err != nil {
					b.Error(err)
				}
			})
		})
		b.StopTimer()
		signatures += processorTime(func() { onAllProcessors(round/4, func(int) { sign() }) })
		signed += round / 4
		b.StartTimer()
	}
	each := logins / time.Duration(b.N)
	b.ReportMetric(float64(each)/(float64(signaturesOfEach)*float64(signatures)/float64(signed)), "x-bare")
	b.ReportMetric(float64(each.Microseconds())/1000, "cpu-ms/login")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0))*float64(time.Second)/float64(each), "logins/s-of-all-processors")
}

// onAllProcessors calls f so often, from one goroutine for each processor.
func onAllProcessors(times int, f func(processor int)) { onWorkers(runtime.GOMAXPROCS(0), times, f) }

// onWorkers calls f so often, from so many goroutines.
func onWorkers(workers, times int, f func(worker int)) {
	var left atomic.Int64
	left.Store(int64(times))
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				f(worker)
			}
		})
	}
	group.Wait()
}
