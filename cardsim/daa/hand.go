package daa

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// hand is one card in the simulated phone's hand. A card has one selection and verification state, so that one visit at
// a time may talk to it.
type hand struct {
	label  string // the person's ID, with a number when several cards are of the same person
	reader Reader // nil = a simulated card; with a reader the fields below are not used

	// card is replaced while mu is held, and looked at without: whoever only wants to know whose it is does not wait
	// for the signature that somebody else is having made.
	card atomic.Pointer[cardsim.Card]

	mu    sync.Mutex
	image []byte         // as it was handed in, for a card that is to be whole again
	moved *person.Person // who the holder is since a move; nil: as on the card
	first []byte         // the image before anything was reissued; nil: nothing was
	used  time.Time      // last
}

// isPhone reports whether it is the certificate function of a phone.
func (h *hand) isPhone() bool {
	k := h.held().Kind()
	return k == cardsim.Android || k == cardsim.IPhone
}

func (h *hand) held() *cardsim.Card { return h.card.Load() }

func newHand(label string, c *cardsim.Card, image []byte) *hand {
	h := &hand{label: label, image: image}
	h.card.Store(c)
	return h
}

// whole replaces the card by what it was when it was handed in: tries, PINs and all.
func (h *hand) whole(now func() time.Time) error {
	card, err := cardsim.FromImage(h.image, cardsim.Config{JPKI: h.held().JPKI(), Now: now})
	if err != nil {
		return configError("card", err)
	}
	h.card.Store(card)
	return nil
}

// touch makes the card whole after a pause, when the configuration says so.
func (h *hand) touch(now func() time.Time, after time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := now()
	idle := !h.used.IsZero() && t.Sub(h.used) >= after
	h.used = t
	if after > 0 && idle {
		return h.whole(now)
	}
	return nil
}

// hands returns the simulated cards of the moment.
func (s *Service) hands() []*hand { return *s.held.Load() }

// AddCard puts a card into the phone's hand, beside those that are there, and returns the name under which the pages
// and a visitor know it: its person's ID, with a number when that is taken. A card that is there already keeps its
// name. The error is an *[Error] when the card is of another JPKI, whose certificates the service cannot check.
func (s *Service) AddCard(c *cardsim.Card) (name string, err error) {
	if c == nil || c.JPKI() == nil || c.JPKI().Seed() != s.jpki.Seed() {
		return "", configError("card of another JPKI", nil)
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	old := s.hands()
	taken := make(map[string]bool)
	for _, h := range old {
		if h.held() == c {
			return h.label, nil
		}
		taken[h.label] = true
	}
	image, err := c.Image()
	if err != nil {
		return "", configError("card", err)
	}
	id := c.Person().ID()
	name = id
	for n := 2; taken[name]; n++ {
		name = id + "-" + strconv.Itoa(n)
	}
	//nolint:gocritic // a new slice: the capacity is cut
	list := append(old[:len(old):len(old)], newHand(name, c, image))
	s.held.Store(&list)
	s.residents.enter(c)
	return name, nil
}

// CardNames lists the names of the cards in the phone's hand; the first is the default.
func (s *Service) CardNames() []string {
	var names []string
	for _, h := range s.hands() {
		names = append(names, h.label)
	}
	return names
}

// CardNamed returns the card of that name.
func (s *Service) CardNamed(name string) (*cardsim.Card, bool) {
	if h := s.handOf(name); h != nil {
		return h.held(), true
	}
	return nil, false
}

func (s *Service) handOf(name string) *hand {
	for _, h := range s.hands() {
		if h.label == name {
			return h
		}
	}
	return nil
}

// Unlock makes a card whole again: all tries, and the PINs that it was handed in with. Visits under way go on with the
// new one.
func (s *Service) Unlock(name string) error {
	h := s.handOf(name)
	if h == nil {
		return configError("no card of that name", nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.whole(s.now)
}

// ofVisit is the hand that a visit uses: a copy of its own with FreshCards.
func (s *Service) ofVisit(h *hand) (*hand, error) {
	if s.freshCards {
		h.mu.Lock()
		fresh := newHand(h.label, h.held(), h.image)
		h.mu.Unlock()
		return fresh, fresh.whole(s.now)
	}
	return h, h.touch(s.now, s.resetAfter)
}
