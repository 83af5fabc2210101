package primes

import (
	"math/big"
	"testing"
)

// The sieve leaves out no prime and no number without a small factor, and the first that suits is taken.
func TestNextIsTheFirst(t *testing.T) {
	for _, from := range []string{
		"1000000000000000000000000000001", "65537000000000000000000000000000000000000000000000001",
		"179769313486231590772930519078902473361797697894230657273430081157732675805500963132708477322407536021120113",
	} {
		start, ok := new(big.Int).SetString(from, 10)
		if !ok || start.Bit(0) == 0 {
			t.Fatal(from)
		}
		want, place := new(big.Int).Set(start), 0
		for ; !want.ProbablyPrime(20); place++ {
			want.Add(want, big.NewInt(2))
		}
		p, at := Next(start, func(p *big.Int) bool { return p.ProbablyPrime(0) })
		if p == nil || p.Cmp(want) != 0 || at != place {
			t.Errorf("%s: %v at %d, want %v at %d", from, p, at, want, place)
		}
		// What the caller refuses is passed over.
		next, later := Next(start, func(n *big.Int) bool { return n.Cmp(want) > 0 && n.ProbablyPrime(0) })
		if next == nil || next.Cmp(want) <= 0 || later <= at {
			t.Errorf("%s: after the first: %v at %d", from, next, later)
		}
	}
}

func TestNextHasAnEnd(t *testing.T) {
	asked := 0
	p, _ := Next(big.NewInt(1<<40+1), func(n *big.Int) bool {
		asked++
		for _, small := range []int64{3, 5, 7, 11, 13, 65521} {
			if new(big.Int).Mod(n, big.NewInt(small)).Sign() == 0 {
				t.Errorf("%v has the factor %d", n, small)
			}
		}
		return false
	})
	if p != nil || asked == 0 || asked > Window/4 {
		t.Errorf("%v after %d", p, asked)
	}
}
