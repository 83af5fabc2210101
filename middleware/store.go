package middleware

import (
	"errors"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// memoryStore is the default session store (scs.Store). It differs from the scs memstore in four points: it has no
// goroutine that somebody must stop, it takes its clock from the configuration, it has a bound, and a token that was
// deleted stays deleted. The last one matters because a session with an idle timeout is written back at the end of every request: a
// request that is still running while the person logs out would otherwise bring the session back (OWASP ASVS 5.0,
// 7.4.1).
type memoryStore struct {
	now func() time.Time

	mu    sync.Mutex
	items map[string]storedSession
	swept time.Time
	limit int
}

var errStoreFull = errors.New("middleware: too many sessions")

type storedSession struct {
	data    []byte
	deleted bool
	expires time.Time
}

const (
	sweepInterval = time.Minute
	// graveTime is how long a deleted token is remembered: longer than any request runs.
	graveTime = time.Hour
)

func newMemoryStore(now func() time.Time) *memoryStore {
	return &memoryStore{now: now, items: make(map[string]storedSession), swept: now(), limit: limits.Sessions}
}

// Find implements scs.Store.
func (s *memoryStore) Find(token string) ([]byte, bool, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[token]
	if !ok || item.deleted || !now.Before(item.expires) {
		return nil, false, nil
	}
	return item.data, true, nil
}

// Commit implements scs.Store. expiry was computed by the session manager from the system clock; only the duration is
// taken from it, so that the configured clock decides.
func (s *memoryStore) Commit(token string, b []byte, expiry time.Time) error {
	lifetime := time.Until(expiry)
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	item, known := s.items[token]
	if item.deleted {
		return nil
	}
	if !known && len(s.items) >= s.limit {
		// Giving up somebody else's session instead would let a flood log everybody out.
		return errStoreFull
	}
	s.items[token] = storedSession{data: b, expires: now.Add(lifetime)}
	return nil
}

// Delete implements scs.Store.
func (s *memoryStore) Delete(token string) error {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	// Only tokens that exist leave a grave: a client must not be able to fill the memory by logging out of sessions
	// that it makes up.
	if item, ok := s.items[token]; ok && !item.deleted {
		s.items[token] = storedSession{deleted: true, expires: now.Add(graveTime)}
	}
	return nil
}

// sweep removes what has expired, at most once per interval: the work is done by whoever writes.
func (s *memoryStore) sweep(now time.Time) {
	if d := now.Sub(s.swept); d >= 0 && d < sweepInterval {
		return
	}
	s.swept = now
	for token, item := range s.items {
		if !now.Before(item.expires) {
			delete(s.items, token)
		}
	}
}
