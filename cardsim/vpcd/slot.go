package vpcd

import (
	"context"
	"log/slog"
	"sync"
)

// Slot is one virtual reader into which a card is put and from which it is taken while programs use it. The zero value
// is not usable; [NewSlot] makes one. Safe for concurrent use.
//
// A driver with several readers listens on one port for each, so there is a Slot for each port and [RunSlots] runs
// them.
type Slot struct {
	config Config

	mu      sync.Mutex
	card    Card
	changed chan struct{} // closed and replaced whenever card changes
}

// NewSlot makes a slot for the reader at c.Address. Config.Card is the card that is in it from the beginning; nil
// leaves it empty.
func NewSlot(c Config) *Slot {
	return &Slot{config: c.withDefaults(), card: c.Card, changed: make(chan struct{})}
}

// Address is where the slot's reader listens.
func (s *Slot) Address() string { return s.config.Address }

// Insert puts a card into the slot; one that is already there is taken out first. It does not wait until the reader
// driver has noticed.
func (s *Slot) Insert(card Card) { s.set(card) }

// Remove takes the card out of the slot: the connection to the driver ends, which is how a reader is empty, and the
// card loses power. It does not wait until the driver has noticed. Nothing happens when the slot is empty.
func (s *Slot) Remove() { s.set(nil) }

// Occupied reports whether a card is in the slot.
func (s *Slot) Occupied() bool {
	card, _ := s.current()
	return card != nil
}

func (s *Slot) set(card Card) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if card == nil && s.card == nil {
		return
	}
	s.card = card
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Slot) current() (Card, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.card, s.changed
}

// Run serves the slot until ctx ends and returns ctx's error. It may be called once at a time.
func (s *Slot) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		card, changed := s.current()
		if card == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		s.serve(ctx, card, changed)
	}
	return ctx.Err()
}

// serve keeps card connected until the slot's content changes or ctx ends. When it returns the card has no power.
func (s *Slot) serve(ctx context.Context, card Card, changed <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	c := s.config
	c.Card = card
	_ = Run(ctx, c) // ends by ctx only: the configuration has a card
	cancel()
	<-watched
	s.config.Logger.LogAttrs(ctx, slog.LevelInfo, "virtual reader: card removed")
}

// RunSlots serves several slots at once until ctx ends, and returns ctx's error when all have ended. Without slots it
// returns an *[Error] with [ReasonInvalidConfig].
func RunSlots(ctx context.Context, slots ...*Slot) error {
	if len(slots) == 0 {
		return &Error{Reason: ReasonInvalidConfig}
	}
	var all sync.WaitGroup
	for _, s := range slots {
		all.Go(func() { _ = s.Run(ctx) })
	}
	all.Wait()
	return ctx.Err()
}
