package card

import (
	"context"
	"errors"

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

// aids has the application identifiers and is never written.
var aids = [...][]byte{
	jpkiApp:      {0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
	textApp:      {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08},
	faceApp:      {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02},
	commonApp:    {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00},
	residentApp:  {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01},
	issuerDomain: {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00},
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
	// dirty says that the card may hold a verified PIN, also when an interrupted command left that open. The
	// transaction is kept as long.
	dirty bool
	// short says that the card, the reader or something between them does not carry extended lengths.
	short bool
	end   func() error // ends the transaction; nil outside one
}

// pinSet is a set of PIN references.
type pinSet uint16

func (p PIN) bit() pinSet { return 1 << p }

func newSession(t Transport) *session {
	m, remembers := t.(LengthMemory)
	return &session{t: t, mu: make(chan struct{}, 1), short: remembers && m.ShortOnly()}
}

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

// attempts is how often a use of the card is begun when the card turns out to have lost what was selected.
const attempts = 2

// slipped marks the error of a command that met a card without its state: it lost power, or was taken away and put
// back. The command was not executed.
type slipped struct{ error }

func (e slipped) Unwrap() error { return e.error }

// lost reports whether a status is one with which a card answers that has nothing selected, or that has just been given
// power: some answer 6F00 to the first command then.
func lost(status apdu.Status) bool {
	switch status {
	case apdu.FileNotFound, apdu.NoCurrentEF, apdu.INSNotSupported, apdu.CLANotSupported, apdu.NoDiagnosis:
		return true
	default:
		return false
	}
}

// refused is the error of a status word that is no success, from a command that a card with its state would know.
func (s *session) refused(op string, status apdu.Status) error {
	err := refused(op, status)
	if lost(status) {
		return s.slip(err)
	}
	return err
}

// slip marks an error, and forgets the state that the card seems to have lost.
func (s *session) slip(err error) error {
	s.app, s.verified = unknownApp, 0
	return slipped{err}
}

// do runs one use of the card in application app: alone, inside a transaction where the transport has them, and only if
// the PIN need (0 = none) is verified. A use that needs none is begun again when the card has lost its state meanwhile:
// it selects and verifies everything itself, and only a PIN that the card accepted is presented twice.
func (s *session) do(ctx context.Context, op string, app application, need PIN, use func(context.Context) error) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.closed {
		return &Error{Step: op, Reason: ReasonClosed}
	}
	// Selecting an application makes the card forget, so this is decided before anything is sent.
	if need != 0 && s.verified&need.bit() == 0 {
		return &Error{Step: op, Reason: ReasonNotVerified, PIN: need}
	}
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	// An error of the end of a transaction must not take away a result that the card has already given; if the
	// transport is broken the next begin says so.
	defer func() { _ = s.endUnlessDirty() }()
	for left := attempts; ; left-- {
		err := s.selectApp(ctx, op, app)
		if err == nil {
			err = use(ctx)
		}
		var slip slipped
		switch {
		case !errors.As(err, &slip):
			if need != 0 && reasonOf(err) == ReasonNotVerified {
				// The card forgot without our doing, for example because it lost power.
				s.verified &^= need.bit()
			}
			return err
		case need != 0:
			return &Error{Step: op, Reason: ReasonNotVerified, PIN: need, Status: slip.status(), Err: slip.error}
		case left == 1:
			return slip.error
		}
	}
}

// status is that of the command, 0 if the transport knew.
func (e slipped) status() uint16 {
	var cause *Error
	if errors.As(e.error, &cause) {
		return cause.Status
	}
	return 0
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

// selectApp makes app the current application. Where it is not known which one is, and a PIN may be verified there, the
// card forgets first: real cards keep the security status when the application that is current is selected again.
func (s *session) selectApp(ctx context.Context, op string, app application) error {
	if s.app == unknownApp && s.dirty {
		if err := s.forget(ctx, op); err != nil {
			return err
		}
	}
	if s.app == app {
		return nil
	}
	if err := s.sendSelect(ctx, op, app); err != nil {
		return err
	}
	s.dirty = false // it was another one before
	return nil
}

// wakingAttempts is how often a SELECT is sent: some cards answer 6F00 to the first command after power-up, some
// readers to the first two, and a SELECT is the first one.
const wakingAttempts = 3

// sendSelect selects app, also if it is current.
func (s *session) sendSelect(ctx context.Context, op string, app application) error {
	s.app, s.verified = unknownApp, 0
	var status apdu.Status
	for range wakingAttempts {
		// P1-P2 040C: by AID, no answer data. Every client of this card uses this form.
		r, err := s.send(ctx, op, apdu.Command{INS: insSelect, P1: 0x04, P2: 0x0C, Data: aids[app]})
		if err != nil {
			return err
		}
		if status = r.Status; status != apdu.NoDiagnosis {
			break
		}
	}
	// 61xx announces data that nobody asked for, as transports for T=0 do.
	if _, more := status.Available(); status == apdu.OK || more {
		s.app = app
		return nil
	}
	switch {
	case status == apdu.FileNotFound && app == jpkiApp:
		return &Error{Step: op, Reason: ReasonNotMyNumberCard, Status: uint16(status), Err: status}
	case status == apdu.FileNotFound:
		return &Error{Step: op, Reason: ReasonApplicationMissing, Status: uint16(status), Err: status}
	default:
		return refused(op, status)
	}
}

// forget makes the card forget what was verified, and succeeds only if the card says that it has left the application.
// To select the application that is current would not do: real cards keep its security status then. The issuer security
// domain is on every card; should one not let it be selected, any other application does, if it is another.
func (s *session) forget(ctx context.Context, op string) error {
	current := s.app
	err := s.sendSelect(ctx, op, issuerDomain)
	for _, app := range [...]application{textApp, faceApp, commonApp, residentApp, jpkiApp} {
		if _, refused := statusOf(err); !refused || current == unknownApp {
			break
		}
		if app != current && s.sendSelect(ctx, op, app) == nil {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// statusOf returns the status word with which the card refused, if that is what the error is.
func statusOf(err error) (apdu.Status, bool) {
	var status apdu.Status
	ok := errors.As(err, &status)
	return status, ok
}

// release clears the verified PINs and ends the transaction.
func (s *session) release(ctx context.Context) error {
	const op = "release"
	if s.dirty {
		if err := s.forget(ctx, op); err != nil {
			return err
		}
	}
	if err := s.endUnlessDirty(); err != nil {
		return transportError(ctx, op, err)
	}
	return nil
}

// shutDown leaves nothing behind on the card: it forgets, and loses power where the transport can do that. The
// transaction ends last, so that no other program finds the PIN verified.
func (s *session) shutDown(ctx context.Context) error {
	const op = "close"
	var err error
	if s.dirty {
		err = s.forget(ctx, op)
	}
	s.announceEnd(ctx)
	if pc, ok := s.t.(PowerCycler); ok {
		// Without power the card has forgotten, whatever it answered before.
		if err = pc.PowerOff(ctx); err != nil {
			err = transportError(ctx, op, err)
		}
	}
	s.app, s.verified, s.dirty = unknownApp, 0, false
	if endErr := s.endUnlessDirty(); err == nil && endErr != nil {
		err = transportError(ctx, op, endErr)
	}
	return err
}

// announceEnd tells an iPhone that no command follows, so that it does not wait for more. Nothing depends on the
// answer.
func (s *session) announceEnd(ctx context.Context) {
	const op = "close"
	if s.kind != IPhone || s.begin(ctx, op) != nil || s.selectApp(ctx, op, jpkiApp) != nil {
		return
	}
	_, _ = s.send(ctx, op, apdu.Command{CLA: claCard, INS: insLastCommand})
}
