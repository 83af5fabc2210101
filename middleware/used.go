package middleware

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// usedStates remembers the states whose callback was processed. A cookie is held by the client, so deleting it does not
// prevent a replay by a client that keeps a copy.
//
// The memory is per process. Behind a load balancer a replay may reach an instance that does not know the state; there
// the authorization code stops it, which the service accepts once (RFC 6749, section 4.1.2), and a callback without a
// code gives no session anyway.
type usedStates struct {
	mu    sync.Mutex
	seen  map[[sha256.Size]byte]struct{}
	queue []usedState // in order of insertion, which is the order of expiry: the lifetime is constant
	limit int
}

type usedState struct {
	key     [sha256.Size]byte
	expires time.Time
}

func newUsedStates() *usedStates {
	return &usedStates{seen: make(map[[sha256.Size]byte]struct{}), limit: limits.UsedLogins}
}

// contains reports whether the state was used and is still remembered.
func (u *usedStates) contains(state string, now time.Time) bool {
	key := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(now)
	_, ok := u.seen[key]
	return ok
}

// add remembers the state and reports whether it was new: of two concurrent callbacks exactly one gets true.
func (u *usedStates) add(state string, now, expires time.Time) bool {
	key := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(now)
	if _, ok := u.seen[key]; ok {
		return false
	}
	if len(u.queue) >= u.limit {
		// Refusing would let a flood of cancelled logins shut everybody out; forgetting the oldest costs only the
		// process-local half of its replay protection.
		u.drop(1)
	}
	u.seen[key] = struct{}{}
	u.queue = append(u.queue, usedState{key, expires})
	return true
}

// forget drops what has expired: the pending login would be refused as expired anyway.
func (u *usedStates) forget(now time.Time) {
	n := 0
	for n < len(u.queue) && !now.Before(u.queue[n].expires) {
		n++
	}
	u.drop(n)
}

func (u *usedStates) drop(n int) {
	for _, s := range u.queue[:n] {
		delete(u.seen, s.key)
	}
	u.queue = u.queue[n:]
	if len(u.queue) == 0 {
		u.queue = nil // gives the backing array back
	}
}
