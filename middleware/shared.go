package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/once"
)

// Shared is what the instances of one application know together: which callbacks were used, and what became of a login
// or a signature whose browser went away while the code was being redeemed. Implement it on what all instances reach:
// each method is one command of Redis (SET NX EX, EXISTS, SET EX, GETDEL) or one statement on a table with a primary
// key. Keys are short printable ASCII and hold no secret; values are sealed with Config.SealKeys before they come here.
// Safe for concurrent use.
//
// An error ends the login with ReasonSession: whether a callback was used before must be known.
type Shared interface {
	// Use reports whether the key is used for the first time, and remembers it for the given time. Of concurrent calls
	// exactly one gets true.
	Use(ctx context.Context, key string, ttl time.Duration) (first bool, err error)
	// Used reports whether the key was used and is still remembered.
	Used(ctx context.Context, key string) (bool, error)
	// Put keeps a value, at most 64 KiB, for the given time.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Take returns what was put under the key and removes it, nil for nothing. Of concurrent calls at most one gets it.
	Take(ctx context.Context, key string) ([]byte, error)
}

// sharedKey makes the key for a state of this Login's client: what waits for one client is nothing to another, which
// may share store, sessions and keys. The state itself is in the browser's address line, and need not be in a database.
func (l *Login) sharedKey(kind, state string) string {
	sum := sha256.Sum256([]byte("kakunin shared\x00" + l.key + "\x00" + state))
	return "kakunin:" + kind + ":" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// memory is the Shared of one instance. A cookie is held by the client, so deleting it does not prevent a replay by a
// client that keeps a copy; with several instances that each have a memory of their own, the service's single use of
// the code is what remains (RFC 6749, section 4.1.2), and a callback without a code gives no session anyway.
type memory struct {
	now func() time.Time
	// Refusing in a flood of cancelled logins would shut everybody out; forgetting the oldest costs only the
	// process-local half of its replay protection.
	used *once.Memory

	mu     sync.Mutex
	values map[string]memoryValue
	order  []string // keys of values, the oldest first; a key that was taken may still be in it
}

type memoryValue struct {
	value   []byte
	expires time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, used: once.New(limits.UsedLogins, once.Forget), values: make(map[string]memoryValue)}
}

// Use implements Shared.
func (m *memory) Use(_ context.Context, key string, ttl time.Duration) (bool, error) {
	now := m.now()
	return m.used.First(key, now, now.Add(ttl)), nil
}

// Used implements Shared.
func (m *memory) Used(_ context.Context, key string) (bool, error) {
	return m.used.Used(key, m.now()), nil
}

// Put implements Shared. Every value took somebody a card and a PIN, so the bound is not a visitor's to fill.
func (m *memory) Put(_ context.Context, key string, value []byte, ttl time.Duration) error {
	expires := m.now().Add(ttl)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = memoryValue{value, expires}
	if m.order = append(m.order, key); len(m.order) > limits.WaitingResults {
		delete(m.values, m.order[0])
		m.order = m.order[1:]
	}
	return nil
}

// Take implements Shared.
func (m *memory) Take(_ context.Context, key string) ([]byte, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[key]
	delete(m.values, key)
	if !ok || !now.Before(v.expires) {
		return nil, nil
	}
	return v.value, nil
}
