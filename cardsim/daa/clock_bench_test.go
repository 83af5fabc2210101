package daa_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// BenchmarkClock is how many logins end in a second by the clock on the wall while people with a card of their own keep
// every processor busy: two for each, so that there is always somebody to go on with. The relying party is in the same
// process. bare/s is how often the cryptography of such a login, and nothing else, is done in a second by as many
// processors. It is measured in turns with the logins, and x-bare, the median over the turns, is how much longer a
// login takes: that says on a busy machine what logins/s does not. busy is the part of the processors' time that the
// logins had: below 1 something waited, or other programs took the rest.
//
//	go test ./cardsim/daa -run '^$' -bench Clock -benchtime 10000x
func BenchmarkClock(b *testing.B) {
	b.Run("ES256", func(b *testing.B) { benchmarkClock(b, daa.AccessTokenES256) })
	b.Run("RS256", func(b *testing.B) { benchmarkClock(b, "") }) // access tokens, the default
}

func benchmarkClock(b *testing.B, accessTokens daa.AccessTokenAlgorithm) {
	b.Helper()
	processors := runtime.GOMAXPROCS(0)
	personas := person.Personas()
	personas = personas[:min(2*processors, len(personas))]
	rp := start(b, daa.WithPersonas(personas...),
		daa.WithKnobs(daa.Knobs{Token: daa.TokenKnobs{AccessTokens: accessTokens}}))
	client := rp.client()
	people := []*visitor.Person{}
	for _, card := range rp.svc.Cards() {
		people = append(people, rp.svc.VisitorWith(card))
	}
	bare := newBareLogin(b, rp.svc.JPKI().Key("bench"), accessTokens)
	var logins, bares, busy time.Duration
	var ratios []float64
	done := 0
	b.ReportAllocs()
	b.ResetTimer()
	for done < b.N {
		const turn = 100
		some := min(turn, b.N-done)
		started := time.Now()
		busy += processorTime(func() {
			onWorkers(len(people), some, func(worker int) {
				if _, err := login(b.Context(), client, people[worker], authn.Request{}); err != nil {
					b.Error(err)
				}
			})
		})
		spent := time.Since(started)
		b.StopTimer()
		started = time.Now()
		onWorkers(processors, some, func(int) { bare.do(b) })
		spentBare := time.Since(started)
		logins, bares, done = logins+spent, bares+spentBare, done+some
		ratios = append(ratios, spent.Seconds()/spentBare.Seconds())
		b.StartTimer()
	}
	slices.Sort(ratios)
	b.ReportMetric(float64(done)/logins.Seconds(), "logins/s")
	b.ReportMetric(float64(done)/bares.Seconds(), "bare/s")
	b.ReportMetric(ratios[len(ratios)/2], "x-bare")
	b.ReportMetric(busy.Seconds()/logins.Seconds()/float64(processors), "busy")
}

// bareLogin is what a login cannot do without: the signature of the card over the challenge, those of client assertion,
// access token and ID token, and the verification of each but the access token, which nobody but the service reads.
// That the certificate was signed by its authority need not be verified again for each login, and is not counted.
type bareLogin struct {
	card          *rsa.PrivateKey
	party         *ecdsa.PrivateKey
	signsWithRSA  int
	signsWithECC  int
	verifiesByECC int
}

func newBareLogin(b *testing.B, card *rsa.PrivateKey, accessTokens daa.AccessTokenAlgorithm) bareLogin {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	bare := bareLogin{card: card, party: key, signsWithRSA: 1, signsWithECC: 3, verifiesByECC: 2}
	if accessTokens != daa.AccessTokenES256 {
		bare.signsWithRSA, bare.signsWithECC = 2, 2
	}
	return bare
}

func (l bareLogin) do(b *testing.B) {
	b.Helper()
	digest := sha256.Sum256([]byte("x"))
	var signature []byte
	var err error
	for range l.signsWithRSA {
		if signature, err = rsa.SignPKCS1v15(rand.Reader, l.card, crypto.SHA256, digest[:]); err != nil {
			b.Error(err)
		}
	}
	if err := rsa.VerifyPKCS1v15(&l.card.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		b.Error(err)
	}
	for range l.signsWithECC {
		if signature, err = ecdsa.SignASN1(rand.Reader, l.party, digest[:]); err != nil {
			b.Error(err)
		}
	}
	for range l.verifiesByECC {
		if !ecdsa.VerifyASN1(&l.party.PublicKey, digest[:], signature) {
			b.Error("not verified")
		}
	}
}
