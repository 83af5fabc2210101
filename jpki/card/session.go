package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// application is an application of the card. The zero value means that none or an unknown one is selected.
type application int

const (
	unknownApp application = iota
	jpkiApp
	textApp
	faceApp      // 券面事項確認AP
	commonApp    // 共通カードAP
	residentApp  // 住基AP
	issuerDomain // GlobalPlatform issuer security domain
)

// aid returns the application identifier.
func (a application) aid() []byte {
	switch a {
	case jpkiApp:
		return []byte{0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}
	case textApp:
		return []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08}
	case faceApp:
		return []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02}
	case commonApp:
		return []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00}
	case residentApp:
		return []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01}
	case issuerDomain:
		return []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00}
	case unknownApp:
	}
	return nil
}

// session is the state that all views of one card share. Everything below mu belongs to whoever holds it.
type session struct {
	t  Transport
	mu chan struct{} // a lock that a context can stop waiting for

	kind   TokenKind // written by Open only
	closed bool
	app    application
	// verified are the PINs that the card accepted in the selected application, one bit each.
	verified pinSet
	// dirty says that the card may hold a verified PIN, also when an interrupted command left that open. The transaction
	// is kept as long.
	dirty bool
	// short says that the card, the reader or something between them does not carry extended lengths.
	short bool
	end   func() error // ends the transaction; nil outside one
}

// pinSet is a set of PIN references.
type pinSet uint16

func (p PIN) bit() pinSet { return 1 << p }

func newSession(t Transport) *session { return &session{t: t, mu: make(chan struct{}, 1)} }

func (s *session) lock(ctx context.Context) error {
	// Without this a free lock could win over a context that has already ended.
	if ctx.Err() != nil {
		return &Error{Reason: ReasonInterrupted, Err: context.Cause(ctx)}
	}
	select {
	case s.mu <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &Error{Reason: ReasonInterrupted, Err: context.Cause(ctx)}
	}
}

func (s *session) unlock() { <-s.mu }

// do runs one use of the card in application app: alone, inside a transaction where the transport has them, and only if
// the PIN need (0 = none) is verified.
func (s *session) do(ctx context.Context, op string, app application, need PIN, use func(context.Context) error) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.closed {
		return &Error{Op: op, Reason: ReasonClosed}
	}
	// Selecting an application makes the card forget, so this is decided before anything is sent.
	if need != 0 && s.verified&need.bit() == 0 {
		return &Error{Op: op, Reason: ReasonNotVerified, Reference: need}
	}
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	// An error of the end of a transaction must not take away a result that the card has already given; if the transport
	// is broken the next begin says so.
	defer func() { _ = s.endUnlessDirty() }()
	if err := s.selectApp(ctx, op, app); err != nil {
		return err
	}
	err := use(ctx)
	if need != 0 && ReasonOf(err) == ReasonNotVerified {
		// The card forgot without our doing, for example because it lost power.
		s.verified &^= need.bit()
	}
	return err
}

func (s *session) begin(ctx context.Context, op string) error {
	tr, ok := s.t.(Transactor)
	if !ok || s.end != nil {
		return nil
	}
	end, err := tr.Begin(ctx)
	if err != nil {
		return transportError(ctx, op, err)
	}
	// Another program may have selected something else in the meantime.
	s.end, s.app, s.verified = end, unknownApp, 0
	return nil
}

func (s *session) endUnlessDirty() error {
	if s.dirty || s.end == nil {
		return nil
	}
	end := s.end
	s.end = nil
	return end()
}

// selectApp makes app the current application.
func (s *session) selectApp(ctx context.Context, op string, app application) error {
	if s.app == app {
		return nil
	}
	return s.reselectApp(ctx, op, app)
}

// reselectApp selects app even if it is current, which clears the verified PINs.
func (s *session) reselectApp(ctx context.Context, op string, app application) error {
	s.app, s.verified = unknownApp, 0
	// P1-P2 040C: by AID, no answer data. Every client of this card uses this form.
	cmd := apdu.Command{INS: insSelect, P1: 0x04, P2: 0x0C, Data: app.aid()}
	r, err := s.send(ctx, op, cmd)
	if err == nil && r.Status == apdu.NoDiagnosis {
		// Some cards answer 6F00 to the first command after power-up, and this is the first one.
		r, err = s.send(ctx, op, cmd)
	}
	if err != nil {
		return err
	}
	switch {
	case r.Status == apdu.OK:
		s.app, s.dirty = app, false
		return nil
	case r.Status == apdu.FileNotFound && app == jpkiApp:
		return &Error{Op: op, Reason: ReasonNotMyNumberCard, Status: uint16(r.Status), Err: r.Status}
	case r.Status == apdu.FileNotFound:
		return &Error{Op: op, Reason: ReasonApplicationMissing, Status: uint16(r.Status), Err: r.Status}
	default:
		return refused(op, r.Status)
	}
}

// release clears the verified PINs by software and ends the transaction.
func (s *session) release(ctx context.Context) error {
	const op = "release"
	if s.dirty {
		if err := s.reselectApp(ctx, op, jpkiApp); err != nil {
			return err
		}
	}
	if err := s.endUnlessDirty(); err != nil {
		return transportError(ctx, op, err)
	}
	return nil
}

// announceEnd tells an iPhone that no command follows, so that it does not wait for more. Nothing depends on the answer.
func (s *session) announceEnd(ctx context.Context) {
	const op = "close"
	if s.kind != IPhone || s.begin(ctx, op) != nil || s.selectApp(ctx, op, jpkiApp) != nil {
		return
	}
	_, _ = s.send(ctx, op, apdu.Command{CLA: claCard, INS: insLastCommand})
}

// powerOff clears the card for good. The transaction ends last, so that no other program finds the PIN verified.
func (s *session) powerOff(ctx context.Context) error {
	const op = "close"
	pc, ok := s.t.(PowerCycler)
	if !ok {
		err := s.release(ctx)
		s.dirty = false
		if endErr := s.endUnlessDirty(); err == nil && endErr != nil {
			err = transportError(ctx, op, endErr)
		}
		return err
	}
	err := pc.PowerOff(ctx)
	if err != nil && s.dirty {
		_ = s.reselectApp(ctx, op, jpkiApp) // second best
	}
	s.app, s.verified, s.dirty = unknownApp, 0, false
	if endErr := s.endUnlessDirty(); err == nil {
		err = endErr
	}
	if err != nil {
		return transportError(ctx, op, err)
	}
	return nil
}
