package daa

import "sync"

// memo keeps what was made of the last few byte strings: certificates and lists that come again with every login. Its
// zero value is empty. It is safe for concurrent use.
type memo[V any] struct {
	mu   sync.Mutex
	made map[string]V
}

// memoSize is more than the certificates of the cards in a hand, and more than the lists of two authorities.
const memoSize = 64

// get returns what was made of these bytes before, or makes it. A failure is not kept.
func (m *memo[V]) get(of []byte, produce func([]byte) (V, error)) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.made[string(of)]; ok {
		return v, nil
	}
	v, err := produce(of)
	if err != nil {
		return v, err
	}
	if len(m.made) >= memoSize || m.made == nil {
		m.made = make(map[string]V)
	}
	m.made[string(of)] = v
	return v, nil
}
