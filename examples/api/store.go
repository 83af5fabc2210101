package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

const (
	codeLife  = time.Minute
	tokenLife = 15 * time.Minute
)

type key struct {
	issuer  string
	subject authn.Subject
}

type member struct {
	name  string
	notes []string
}

// grant is a code, or, without a challenge, a token.
type grant struct {
	member    *member
	challenge string // of the app that may use the code
	until     time.Time
}

// store is the application's database.
type store struct {
	now     func() time.Time
	mu      sync.Mutex
	members map[key]*member
	grants  map[[32]byte]grant // by hash: whoever reads the store can use none
}

func newStore(now func() time.Time) *store {
	return &store{now: now, members: map[key]*member{}, grants: map[[32]byte]grant{}}
}

func hash(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// memberOf finds or creates the member, with the name that the card said.
func (s *store) memberOf(id *authn.Identity) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{id.Issuer, id.Subject}
	if s.members[k] == nil {
		s.members[k] = &member{name: id.Person.Name.Reveal()}
	}
	return s.members[k]
}

// notes returns the member's notes, with a new one unless it is empty.
func (s *store) notes(m *member, text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text != "" && len(m.notes) < 100 {
		m.notes = append(m.notes, text)
	}
	return append([]string{}, m.notes...)
}

// grant makes a code for the app whose secret has the hash, or a token if there is none.
func (s *store) grant(m *member, challenge string) (secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	life := tokenLife
	if challenge != "" {
		life = codeLife
	}
	secret = rand.Text()
	s.grants[hash(secret)] = grant{m, challenge, s.now().Add(life)}
	return secret
}

// redeem uses a code up, whatever comes of it; nil if it is none, is too old, or is another app's.
func (s *store) redeem(code, verifier string) *member {
	g := s.revoke(code)
	sum := hash(verifier)
	if g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || s.now().After(g.until) {
		return nil
	}
	return g.member
}

// bearer returns the member whose token this is, nil for nobody.
func (s *store) bearer(token string) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[hash(token)]
	if g.challenge != "" || s.now().After(g.until) {
		return nil
	}
	return g.member
}

func (s *store) revoke(secret string) grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[hash(secret)]
	delete(s.grants, hash(secret))
	return g
}
