package daa

import (
	"errors"
	"math/big"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki"
)

// Reasons of RFC 5280, section 5.3.1.
const (
	affiliationChanged = 3
	superseded         = 4
)

// endedByMove is a certificate that is good again once a move is taken back.
type endedByMove struct {
	ca     *issuer.CA
	serial *big.Int
}

// Residence is where a person lives.
type Residence struct {
	Municipality person.Municipality
	Street       string
}

// Move gives the holder of a card another address, as a notification of a move does: the signing certificates of all
// cards of that person are revoked, and there is none until [Service.Reissue]. What is printed on the card and in its
// text application stays until then. The error is an *[Error].
func (s *Service) Move(name string, to Residence) error {
	h := s.handOf(name)
	if h == nil {
		return configError("no card of that name", nil)
	}
	moved, err := h.resident().Moved(to.Municipality, to.Street)
	if err != nil {
		return configError("address", err)
	}
	for _, other := range s.hands() {
		if other.held().Person().ID() != moved.ID() {
			continue
		}
		if err := s.end(other.held(), affiliationChanged, false); err != nil {
			return err
		}
		other.mu.Lock()
		other.moved = &moved
		other.mu.Unlock()
	}
	return nil
}

// Reissue gives a person a new card in place of one, with new keys, certificates and PIN tries, and with what the
// resident record says now; the old certificates are revoked. The card keeps its name. The error is an *[Error].
func (s *Service) Reissue(name string) error {
	h := s.handOf(name)
	if h == nil {
		return configError("no card of that name", nil)
	}
	old := h.held()
	card, err := cardsim.NewCard(cardsim.Config{
		Person: h.resident(), Kind: old.Kind(), JPKI: s.jpki, Now: s.now, Issue: old.Issue() + 1, ATR: old.ATR(),
	})
	if err != nil {
		return configError("card", err)
	}
	image, err := card.Image()
	if err != nil {
		return configError("card", err)
	}
	if err := s.end(old, superseded, true); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		h.first = h.image
	}
	h.card.Store(card)
	h.image, h.moved = image, nil
	s.residents.enter(card)
	return nil
}

// end revokes the certificates of a card; what is revoked already stays as it is.
func (s *Service) end(c *cardsim.Card, reason int, both bool) error {
	signing, authentication := c.Certificates()
	list := [][]byte{signing}
	if both {
		list = append(list, authentication)
	}
	for i, der := range list {
		if len(der) == 0 {
			continue // a child's card has no signing certificate
		}
		leaf, err := jpki.ParseCertificate(der)
		if err != nil {
			return configError("certificate", err)
		}
		ca := c.JPKI().SigningCA()
		if i == 1 {
			ca = c.JPKI().AuthenticationCA()
		}
		err = ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: reason, At: s.now()})
		switch {
		case err == nil:
			s.adding.Lock()
			s.ended = append(s.ended, endedByMove{ca, leaf.X509().SerialNumber})
			s.adding.Unlock()
		case !errors.Is(err, &issuer.Error{Reason: issuer.ReasonAlreadyRevoked}):
			return configError("revocation", err)
		}
	}
	return nil
}

// moveBack undoes every move and reissue.
func (s *Service) moveBack() error {
	s.adding.Lock()
	ended := s.ended
	s.ended = nil
	s.adding.Unlock()
	for _, one := range ended {
		_ = one.ca.Reinstate(one.serial) // an error means that it was taken back already
	}
	for _, h := range s.hands() {
		h.mu.Lock()
		h.moved = nil
		reissued := h.first != nil
		if reissued {
			h.image, h.first = h.first, nil
		}
		err := error(nil)
		if reissued {
			err = h.whole(s.now)
		}
		h.mu.Unlock()
		if err != nil {
			return err
		}
		if reissued {
			s.residents.enter(h.held())
		}
	}
	return nil
}

// resident is who the holder is by the resident record.
func (h *hand) resident() person.Person {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.moved != nil {
		return *h.moved
	}
	return h.held().Person()
}
