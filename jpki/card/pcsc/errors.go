//go:build pcsc

package pcsc

import (
	"errors"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
)

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
		default:
		}
	}
	return &card.Error{Op: op, Reason: reason, Err: err}
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
