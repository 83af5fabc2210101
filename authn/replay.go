package authn

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// replays remembers which pending logins were finished, so that one is finished only once (reload, back button, a stolen
// callback). It knows only this process; across processes the service's own rule that a code is used once remains, and
// an application may delete the pending login atomically where it stores it.
type replays struct {
	mu    sync.Mutex
	seen  map[[16]byte]struct{}
	queue []replayEntry // in the order of expiry, as the lifetime is the same for all
}

type replayEntry struct {
	id      [16]byte
	expires time.Time
}

func newReplays() *replays { return &replays{seen: make(map[[16]byte]struct{})} }

// first reports whether the state is seen for the first time, and remembers it until expires. Old entries go, and the
// oldest one when there are too many.
func (r *replays) first(state string, now, expires time.Time) bool {
	sum := sha256.Sum256([]byte(state))
	id := [16]byte(sum[:16])
	r.mu.Lock()
	defer r.mu.Unlock()
	drop := 0
	for drop < len(r.queue) && (r.queue[drop].expires.Before(now) || len(r.queue)-drop >= limits.FinishedLogins) {
		delete(r.seen, r.queue[drop].id)
		drop++
	}
	r.queue = r.queue[drop:]
	if _, again := r.seen[id]; again {
		return false
	}
	r.seen[id] = struct{}{}
	r.queue = append(r.queue, replayEntry{id, expires})
	return true
}
