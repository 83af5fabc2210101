//go:build pcsc

package pcsc

import (
	"time"

	"github.com/ebfe/scard"
)

// system is what this package needs of a PC/SC context; handle of a connected card. A test puts its own in their place.
type system interface {
	ListReaders() ([]string, error)
	GetStatusChange(states []scard.ReaderState, timeout time.Duration) error
	Connect(reader string, mode scard.ShareMode) (handle, error)
	Release() error
}

type handle interface {
	Transmit(command []byte) ([]byte, error)
	BeginTransaction() error
	EndTransaction(scard.Disposition) error
	Disconnect(scard.Disposition) error
}

// establish opens the PC/SC service of the machine.
func establish() (system, error) {
	ctx, err := scard.EstablishContext()
	if err != nil {
		return nil, err
	}
	return service{ctx}, nil
}

type service struct{ *scard.Context }

// Connect takes whichever protocol the card speaks: with T=0 the answer of a long READ arrives by GET RESPONSE, which
// package card handles.
func (s service) Connect(reader string, mode scard.ShareMode) (handle, error) {
	h, err := s.Context.Connect(reader, mode, scard.ProtocolAny)
	if err != nil {
		return nil, err
	}
	return h, nil
}
