package quirks

import (
	"context"
	"sync"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Device is a card as the driver of a virtual reader sees it; *cardsim.Card is one, and package vpcd takes one.
type Device interface {
	Transmit(command []byte) []byte
	PowerOn()
	PowerOff()
	Reset()
	ATR() []byte
}

// Over puts a reader with quirks in front of a card, for package vpcd. It is used by one goroutine at a time.
func Over(inner Device, quirks ...Quirk) Device { return &device{inner, newHabits(quirks)} }

type device struct {
	Device
	habits habits
}

// Transmit passes a command on and its answer back, as far as the reader does.
func (d *device) Transmit(command []byte) []byte {
	answer, err := d.habits.exchange(command, func(c []byte) ([]byte, error) { return d.Device.Transmit(c), nil })
	if err != nil {
		if d.habits.resets {
			d.PowerOff()
			d.PowerOn()
		}
		return status(d.habits.refusal)
	}
	return answer
}

// PowerOn gives the card power.
func (d *device) PowerOn() {
	d.habits.powerUp()
	d.Device.PowerOn()
}

// Reset is a warm reset.
func (d *device) Reset() {
	d.habits.powerUp()
	d.Device.Reset()
}

// Transport puts a reader with quirks in front of a card in process, such as that of cardsim.Card.Transport. It
// implements [card.Transactor] and [card.PowerCycler] by those of inner, where it has them, and [card.LengthMemory].
// Safe for concurrent use. The error of an exchange that a quirk makes fail is an *[Error].
func Transport(inner card.Transport, quirks ...Quirk) card.Transport {
	return &transport{inner: inner, habits: newHabits(quirks)}
}

type transport struct {
	inner card.Transport

	mu        sync.Mutex
	habits    habits
	shortOnly bool
}

var (
	_ card.Transactor   = (*transport)(nil)
	_ card.PowerCycler  = (*transport)(nil)
	_ card.LengthMemory = (*transport)(nil)
)

// Transmit implements card.Transport.
func (t *transport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer, err := t.habits.exchange(command, func(c []byte) ([]byte, error) { return t.inner.Transmit(ctx, c) })
	if err != nil && t.habits.resets {
		_ = t.powerOff(ctx)
	}
	return answer, err
}

// Begin implements card.Transactor.
func (t *transport) Begin(ctx context.Context) (end func() error, err error) {
	if tr, ok := t.inner.(card.Transactor); ok {
		return tr.Begin(ctx)
	}
	return func() error { return nil }, nil
}

// PowerOff implements card.PowerCycler.
func (t *transport) PowerOff(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.powerOff(ctx)
}

func (t *transport) powerOff(ctx context.Context) error {
	t.habits.powerUp()
	if p, ok := t.inner.(card.PowerCycler); ok {
		return p.PowerOff(ctx)
	}
	return nil
}

// RememberShort implements card.LengthMemory.
func (t *transport) RememberShort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shortOnly = true
}

// ShortOnly implements card.LengthMemory.
func (t *transport) ShortOnly() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shortOnly
}

// habits are what the quirks of a reader come to, and its state.
type habits struct {
	row
	extended bool // passes
	waking   int  // commands that are still lost
	rest     []byte
	last     apdu.Status // the status that belongs to rest
}

func newHabits(quirks []Quirk) habits {
	h := habits{extended: true}
	shorter := func(a, b int) int {
		if a == 0 || (b > 0 && b < a) {
			return b
		}
		return a
	}
	for _, q := range quirks {
		if q <= 0 || int(q) >= len(rows) {
			continue
		}
		r := rows[q]
		if r.refusal != 0 {
			h.extended, h.refusal, h.fails, h.resets = false, r.refusal, r.fails, r.resets
		}
		h.cut, h.piece = shorter(h.cut, r.cut), shorter(h.piece, r.piece)
		h.exact = h.exact || r.exact
		h.asleep = max(h.asleep, r.asleep)
	}
	h.powerUp()
	return h
}

func (h *habits) powerUp() { h.waking, h.rest = h.asleep, nil }

const (
	insReadBinary  = 0xB0
	insReadRecord  = 0xB2
	insGetResponse = 0xC0
)

// exchange carries one command and its answer.
func (h *habits) exchange(command []byte, next func([]byte) ([]byte, error)) ([]byte, error) {
	if h.waking > 0 {
		h.waking--
		return status(apdu.NoDiagnosis), nil
	}
	cmd, err := apdu.ParseCommand(command)
	if err != nil {
		return next(command) // the card says what is wrong with it
	}
	if cmd.Extended && !h.extended {
		if h.fails {
			return nil, &Error{Reason: ReasonNoAnswer}
		}
		return status(h.refusal), nil
	}
	if cmd.INS == insGetResponse && len(h.rest) > 0 {
		return h.give(h.rest, h.last, cmd.Ne), nil
	}
	h.rest = nil
	raw, err := next(command)
	if err != nil {
		return nil, err
	}
	r, err := apdu.ParseResponse(raw)
	if err != nil {
		return raw, nil //nolint:nilerr // passed on as it is
	}
	n := len(r.Data)
	reads := cmd.CLA == 0 && (cmd.INS == insReadBinary || cmd.INS == insReadRecord)
	if h.exact && reads && n > 0 && n < cmd.Ne && n <= 0x100 {
		return status(0x6C00 | apdu.Status(n&0xFF)), nil
	}
	if h.cut > 0 && n > h.cut {
		r.Data = r.Data[:h.cut]
	}
	if h.piece > 0 && n > h.piece {
		return h.give(r.Data, r.Status, h.piece), nil
	}
	return r.Bytes(), nil
}

// give answers with at most n bytes and keeps the rest for GET RESPONSE.
func (h *habits) give(data []byte, last apdu.Status, n int) []byte {
	n = min(n, h.piece, len(data))
	h.rest, h.last = data[n:], last
	if len(h.rest) > 0 {
		last = 0x6100 | apdu.Status(
			min(len(h.rest), h.piece)&0xFF,
		) //nolint:gosec // at most 256, which is written as 00
	}
	return apdu.Response{Data: data[:n], Status: last}.Bytes()
}

func status(s apdu.Status) []byte { return apdu.Response{Status: s}.Bytes() }
