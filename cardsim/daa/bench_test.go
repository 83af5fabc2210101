package daa_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
)

// BenchmarkLogin is a whole login over HTTP on loopback: authorization request, PIN, card, consent, code, ID token and
// userinfo, the relying party included. x-bare is the processor time as a multiple of the two RSA signatures in it, the
// card's and the access token's.
func BenchmarkLogin(b *testing.B) {
	j, err := shared()
	if err != nil {
		b.Fatal(err)
	}
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		b.Fatal(err)
	}
	svc := daa.Start(b, daa.WithJPKI(j), daa.WithClient(rpID, key.Public(), redirect))
	client, err := authn.New(authn.Config{
		Environment: svc.Environment(), ClientID: rpID, Key: key, RedirectURL: redirect, HTTPClient: svc.Client(),
	})
	if err != nil {
		b.Fatal(err)
	}
	signer := j.Key("bench")
	bare := processorTime(func() {
		for range 50 {
			digest := sha256.Sum256([]byte("x"))
			if _, err := rsa.SignPKCS1v15(rand.Reader, signer, crypto.SHA256, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	}) / 25
	b.ResetTimer()
	spent := processorTime(func() {
		b.RunParallel(func(pb *testing.PB) {
			v := svc.Visitor()
			for pb.Next() {
				if _, err := login(b.Context(), client, v, authn.Request{}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	each := spent / time.Duration(b.N)
	b.ReportMetric(float64(each)/float64(bare), "x-bare")
	b.ReportMetric(float64(each.Microseconds())/1000, "cpu-ms/login")
	b.ReportMetric(float64(runtime.NumCPU())*float64(time.Second)/float64(each), "logins/s-of-all-cores")
}

// processorTime is what this process spends on f, whatever else the machine does.
func processorTime(f func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}
