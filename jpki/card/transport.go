package card

import "context"

// Transport carries one command APDU to a card and brings back the response APDU. An error is a broken transport, never
// a status word. Implementations need not be safe for concurrent use; Card serialises.
//
// An implementation should return ctx's error when ctx ends first, and must then not deliver that answer to a later
// command. It must not keep command after it returns: Card overwrites the bytes of a PIN. It may return an *[Error] to
// choose the reason, such as [ReasonCardAbsent]; any other error becomes [ReasonTransportFailed]. A signature takes a real card
// seconds: an implementation that has a time limit of its own must allow at least five.
type Transport interface {
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// Transactor is optionally implemented by a transport that can hold the card exclusively (PC/SC transactions). Begin
// waits until the card is free or ctx ends; end gives it back. What other programs left selected is unknown after Begin.
type Transactor interface {
	Begin(ctx context.Context) (end func() error, err error)
}

// PowerCycler is optionally implemented by a transport that can remove power, which alone clears verified PINs: a real
// card keeps them over a warm reset and over a new connection. An open transaction may end with it; the end function of
// Begin must then do nothing.
type PowerCycler interface {
	PowerOff(ctx context.Context) error
}
