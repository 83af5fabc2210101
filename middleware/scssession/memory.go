package scssession

import (
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// memoryStore is the default session store (scs.IterableStore). It differs from the scs memstore in five points: it has
// no goroutine that somebody must stop, it takes its clock from the configuration, it has a bound, when it is full
// sessions in which nobody is logged in give way, and a token that was deleted stays deleted. The last one matters
// because a session with an idle timeout is written back at the end of every request: a request that is still running
// while the person logs out would otherwise bring the session back (OWASP ASVS 5.0, 7.4.1).
type memoryStore struct {
	now func() time.Time

	mu        sync.Mutex
	items     map[string]*storedSession
	anonymous *list.List // tokens of sessions in which nobody logged in, and of their graves; the oldest first
	swept     time.Time
	limit     int
}

var errStoreFull = errors.New("scssession: too many sessions")

type storedSession struct {
	data    []byte
	deleted bool
	expires time.Time
	place   *list.Element // in anonymous; nil: somebody is logged in
}

const (
	sweepInterval = time.Minute
	// graveTime is how long a deleted token is remembered: longer than any request runs.
	graveTime = time.Hour
)

func newMemoryStore(now func() time.Time) *memoryStore {
	return &memoryStore{
		now: now, items: make(map[string]*storedSession), anonymous: list.New(), swept: now(), limit: limits.Sessions,
	}
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
	if !known {
		if len(s.items) >= s.limit && !s.evict() {
			// Giving up somebody's login instead would let a flood log everybody out.
			return errStoreFull
		}
		item = &storedSession{place: s.anonymous.PushBack(token)}
		s.items[token] = item
	}
	if item.deleted {
		return nil
	}
	item.data, item.expires = b, now.Add(lifetime)
	switch {
	case begun(b):
		s.unlist(item)
	case item.place == nil:
		item.place = s.anonymous.PushBack(token)
	default:
		s.anonymous.MoveToBack(item.place)
	}
	return nil
}

// evict gives up the session that was idle longest among those in which nobody is logged in, and reports whether there
// was one. Whoever logs in therefore always finds a place, until that many people are logged in.
func (s *memoryStore) evict() bool {
	oldest := s.anonymous.Front()
	if oldest == nil {
		return false
	}
	token, _ := s.anonymous.Remove(oldest).(string)
	delete(s.items, token)
	return true
}

func (s *memoryStore) unlist(item *storedSession) {
	if item.place != nil {
		s.anonymous.Remove(item.place)
		item.place = nil
	}
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
		item.data, item.deleted, item.expires = nil, true, now.Add(graveTime)
	}
	return nil
}

// ended reports whether the session of the token was deleted; the store knows the tokens by their hashes.
func (s *memoryStore) ended(token string) bool {
	sum := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[base64.RawURLEncoding.EncodeToString(sum[:])]
	return ok && item.deleted
}

// All implements scs.IterableStore.
func (s *memoryStore) All() (map[string][]byte, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]byte, len(s.items))
	for token, item := range s.items {
		if !item.deleted && now.Before(item.expires) {
			all[token] = item.data
		}
	}
	return all, nil
}

// sweep removes what has expired, at most once per interval: the work is done by whoever writes.
func (s *memoryStore) sweep(now time.Time) {
	if d := now.Sub(s.swept); d >= 0 && d < sweepInterval {
		return
	}
	s.swept = now
	for token, item := range s.items {
		if !now.Before(item.expires) {
			s.unlist(item)
			delete(s.items, token)
		}
	}
}
