//go:build pcsc

package pcsc

import (
	"errors"
	"time"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
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

// readerError turns an error of PC/SC into the errors of package card, all of the family Unavailable.
func readerError(op string, err error) error {
	reason := card.ReasonTransportFailed
	var code scard.Error
	if errors.As(err, &code) {
		switch code { //nolint:exhaustive // every other code is a failed transport
		case scard.ErrNoService, scard.ErrServiceStopped, scard.ErrNoReadersAvailable, scard.ErrUnknownReader,
			scard.ErrReaderUnavailable:
			reason = card.ReasonReaderUnavailable
		case scard.ErrNoSmartcard, scard.ErrRemovedCard, scard.ErrUnresponsiveCard, scard.ErrUnpoweredCard,
			scard.ErrUnsupportedCard:
			reason = card.ReasonCardAbsent
		case scard.ErrSharingViolation:
			reason = card.ReasonCardBusy
		case scard.ErrResetCard:
			reason = card.ReasonCardReset
		default:
		}
	}
	return &card.Error{Step: op, Reason: reason, Err: err}
}

// reasonOf returns the reason of an error of package card.
func reasonOf(err error) card.Reason {
	var e *card.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return card.ReasonUnknown
}

// is reports whether err is one of the codes.
func is(err error, codes ...scard.Error) bool {
	for _, c := range codes {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}
