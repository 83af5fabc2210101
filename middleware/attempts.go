package middleware

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// attempts are the callbacks that this process is answering or has just answered, and the results that wait here for
// their browser because the shared store did not take them.
type attempts struct {
	mu     sync.Mutex
	byHash map[string]*attempt // by stateHash
	ended  []string            // hashes of attempts that are held on to, the oldest first; some may be gone
	held   atomic.Int32        // how many of byHash have ended: spares most requests the lock
}

type attempt struct {
	done   chan struct{} // closed when it has ended
	err    error         // what the browser was told instead; set before it ends
	led    string        // where the application sent the browser with a signature; set before it ends
	result *finished     // when it has ended
	until  time.Time     // when it has ended
	seen   bool          // when it has ended: a browser has shown the session
}

func (a *attempt) running() bool {
	select {
	case <-a.done:
		return false
	default:
		return true
	}
}

// claim returns the attempt for the state, and whether it is the caller's own: then the caller ends it.
func (s *attempts) claim(state string, now time.Time) (a *attempt, mine bool) {
	hash := stateHash(state)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byHash[hash]; a != nil {
		if a.running() || now.Before(a.until) {
			return a, false
		}
		s.remove(hash)
	}
	if s.byHash == nil {
		s.byHash = make(map[string]*attempt)
	}
	a = &attempt{done: make(chan struct{})}
	s.byHash[hash] = a
	return a, true
}

// find returns the attempt for the state, nil for none.
func (s *attempts) find(state string) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHash[stateHash(state)]
}

// end wakes up who waits for the attempt, which is held on to until then: the zero time lets it go.
func (s *attempts) end(state string, a *attempt, result *finished, until time.Time) {
	hash := stateHash(state)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.result, a.until = result, until
	close(a.done)
	s.held.Add(1)
	if until.IsZero() {
		s.remove(hash)
		return
	}
	if s.ended = append(s.ended, hash); len(s.ended) > limits.WaitingResults {
		s.remove(s.ended[0])
		s.ended = s.ended[1:]
	}
}

// holds reports whether the attempt, which has ended, is still held on to because its answer may not have arrived.
func (s *attempts) holds(state string, a *attempt, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHash[stateHash(state)] == a && now.Before(a.until) && !a.seen
}

// late reports whether the answer of the attempt has only just arrived.
func (s *attempts) late(state string, a *attempt, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHash[stateHash(state)] == a && now.Before(a.until) && a.seen
}

// take returns the result of an attempt that has ended, once.
func (s *attempts) take(state string, a *attempt) *finished {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := a.result
	if a.result = nil; f != nil && s.byHash[stateHash(state)] == a {
		s.remove(stateHash(state))
	}
	return f
}

// arrived notes of which attempts a browser has shown the session, and lets go of them soon.
func (s *attempts) arrived(list []visited, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range list {
		a := s.byHash[c.State]
		switch {
		case a == nil || a.running() || a.result != nil:
		case !a.seen:
			a.seen, a.until = true, now.Add(arrivedGrace)
		case !now.Before(a.until):
			s.remove(c.State)
		}
	}
}

// remove lets an attempt go that has ended.
func (s *attempts) remove(hash string) {
	if a := s.byHash[hash]; a != nil && !a.running() {
		delete(s.byHash, hash)
		s.held.Add(-1)
	}
}
