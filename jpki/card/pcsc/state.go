//go:build pcsc

package pcsc

import (
	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// service returns the PC/SC service, which may have been restarted.
func (s *state) service(op string) (system, error) {
	if s.sys == nil {
		sys, err := s.establish()
		if err != nil {
			return nil, readerError(op, err)
		}
		s.sys = sys
	}
	return s.sys, nil
}

// connect connects to the card in the reader.
func (s *state) connect(op, reader string) error {
	sys, err := s.service(op)
	if err != nil {
		return err
	}
	mode := scard.ShareShared
	if s.cfg.exclusive {
		mode = scard.ShareExclusive
	}
	h, err := sys.Connect(reader, mode)
	if err != nil {
		s.drop(err)
		return readerError(op, err)
	}
	s.card, s.name, s.lost, s.broken = h, reader, false, 0
	return nil
}

// drop gives up what an error has made useless.
func (s *state) drop(err error) {
	switch {
	case is(err, scard.ErrInvalidHandle, scard.ErrNoService, scard.ErrServiceStopped):
		s.disconnect()
		if s.sys != nil {
			_ = s.sys.Release()
			s.sys = nil
		}
		s.lost = true
	case is(err, scard.ErrRemovedCard, scard.ErrNoSmartcard, scard.ErrUnresponsiveCard, scard.ErrUnpoweredCard,
		scard.ErrReaderUnavailable, scard.ErrUnknownReader):
		s.disconnect()
		s.lost = true
	case is(err, scard.ErrResetCard):
		// Another program has reset the card. It is still the same card, but the connection must be made anew.
		s.disconnect()
	}
}

// disconnect leaves the card as it is.
func (s *state) disconnect() {
	if s.card != nil {
		_ = s.card.Disconnect(scard.LeaveCard)
	}
	s.card, s.transaction, s.broken = nil, 0, 0
}

func (s *state) transmit(command []byte) ([]byte, error) {
	const op = "transmit"
	if err := s.resume(); err != nil {
		return nil, err
	}
	if s.card == nil || len(command) == 0 {
		return nil, &card.Error{Step: op, Reason: card.ReasonCardAbsent}
	}
	s.used = true
	answer, err := s.card.Transmit(command)
	if err != nil {
		number := s.transaction
		s.drop(err)
		if is(err, scard.ErrResetCard) {
			s.broken = number
		}
		return nil, readerError(op, err)
	}
	return answer, nil
}

// begin starts a transaction and returns its number. It connects where that is safe.
func (s *state) begin() (uint64, error) {
	const op = "begin transaction"
	if s.lost || s.name == "" {
		return 0, &card.Error{Step: op, Reason: card.ReasonCardAbsent}
	}
	// Twice, because a reset by another program shows only here and means no more than to connect again.
	for again := true; ; again = false {
		if s.card == nil {
			if err := s.connect(op, s.name); err != nil {
				return 0, err
			}
		}
		err := s.card.BeginTransaction()
		if err == nil {
			s.count++
			s.transaction = s.count
			return s.transaction, nil
		}
		s.drop(err)
		if !again || !is(err, scard.ErrResetCard) {
			return 0, readerError(op, err)
		}
	}
}

// resume connects again after a reset in the middle of a transaction, which then goes on under its number: whoever has
// it knows from the error that nothing is selected or verified any more. Without this a card.Card that holds the card
// for a verified PIN, which Windows resets after five idle seconds, could not be used again.
func (s *state) resume() error {
	number := s.broken
	if number == 0 {
		return nil
	}
	if _, err := s.begin(); err != nil {
		if s.name != "" && !s.lost {
			s.broken = number // busy, for example
		}
		return err
	}
	s.transaction = number
	return nil
}

// end ends transaction n, if that is still the one.
func (s *state) end(n uint64) error {
	if s.broken == n {
		s.broken = 0
	}
	if s.transaction != n || s.card == nil {
		return nil
	}
	s.transaction = 0
	if err := s.card.EndTransaction(scard.LeaveCard); err != nil {
		s.drop(err)
		return readerError("end transaction", err)
	}
	return nil
}

func (s *state) powerOff() error {
	const op = "power off"
	s.broken = 0
	if s.lost {
		// A card that is not in the reader has no power.
		s.lost, s.used = false, false
		return nil
	}
	if s.card == nil && s.used {
		// The connection broke, the card may still be there with a PIN verified.
		err := s.connect(op, s.name)
		if s.lost {
			s.lost, s.used = false, false
			return nil
		}
		if err != nil {
			return err
		}
	}
	if s.card == nil {
		return nil
	}
	err := s.card.Disconnect(scard.UnpowerCard)
	s.card, s.transaction, s.used = nil, 0, false
	if err != nil && !is(err, scard.ErrRemovedCard, scard.ErrNoSmartcard) {
		return readerError(op, err)
	}
	return nil
}

// close is the last thing that the owner does.
func (s *state) close() {
	_ = s.powerOff()
	if s.sys != nil {
		_ = s.sys.Release()
		s.sys = nil
	}
}
