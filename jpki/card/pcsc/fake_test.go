//go:build pcsc

package pcsc

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/ebfe/scard"
)

// fakeService is a PC/SC service with readers that a test fills. GetStatusChange never waits.
type fakeService struct {
	t  *testing.T
	mu sync.Mutex
	// readers in order; a nil card is an empty reader.
	names []string
	cards map[string]*fakeCard
	// looked is called in every GetStatusChange, without the lock.
	looked   func()
	listErr  error
	released int
}

// fakeCard is a card and what happened to it.
type fakeCard struct {
	flags      scard.StateFlag // besides present
	connectErr error
	beginErrs  []error // one for each BeginTransaction to come
	transmit   func(command []byte) ([]byte, error)
	// selects answers the question for the JPKI application; nil is yes. It is not among the commands.
	selects func() ([]byte, error)
	block   chan struct{} // BeginTransaction waits for it
	blocked chan struct{} // closed when it does

	connects, begins, ends int
	modes                  []scard.ShareMode
	disconnects            []scard.Disposition
	commands               [][]byte
}

func newFake(t *testing.T, cards map[string]*fakeCard, names ...string) *fakeService {
	return &fakeService{t: t, names: names, cards: cards}
}

func (f *fakeService) establish() (system, error) { return f, nil }

func (f *fakeService) ListReaders() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listErr != nil {
		return nil, f.listErr
	}
	if len(f.names) == 0 {
		return nil, scard.ErrNoReadersAvailable
	}
	return append([]string(nil), f.names...), nil
}

func (f *fakeService) GetStatusChange(states []scard.ReaderState, _ time.Duration) error {
	if f.looked != nil {
		f.looked()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range states {
		states[i].EventState = scard.StateEmpty | scard.StateChanged
		if c := f.cards[states[i].Reader]; c != nil {
			states[i].EventState = scard.StatePresent | scard.StateChanged | c.flags
		}
	}
	return nil
}

func (f *fakeService) Connect(reader string, mode scard.ShareMode) (handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cards[reader]
	if c == nil {
		return nil, scard.ErrNoSmartcard
	}
	if c.connectErr != nil {
		return nil, c.connectErr
	}
	c.connects++
	c.modes = append(c.modes, mode)
	return &fakeHandle{f, c}, nil
}

func (f *fakeService) Release() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released++
	return nil
}

// put changes what is in a reader.
func (f *fakeService) put(name string, c *fakeCard) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cards[name] = c
}

// see runs check with the lock held.
func (f *fakeService) see(check func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	check()
}

type fakeHandle struct {
	f *fakeService
	c *fakeCard
}

func (h *fakeHandle) Transmit(command []byte) ([]byte, error) {
	h.f.mu.Lock()
	selects, transmit := h.c.selects, h.c.transmit
	probe := bytes.Equal(command, selectJPKI[:])
	if !probe {
		h.c.commands = append(h.c.commands, bytes.Clone(command))
	}
	h.f.mu.Unlock()
	if probe {
		if selects != nil {
			return selects()
		}
		return []byte{0x90, 0x00}, nil
	}
	if transmit != nil {
		return transmit(command)
	}
	return []byte{0x90, 0x00}, nil
}

func (h *fakeHandle) BeginTransaction() error {
	if h.c.block != nil {
		close(h.c.blocked)
		<-h.c.block
	}
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if len(h.c.beginErrs) > 0 {
		err := h.c.beginErrs[0]
		h.c.beginErrs = h.c.beginErrs[1:]
		if err != nil {
			return err
		}
	}
	h.c.begins++
	return nil
}

func (h *fakeHandle) EndTransaction(scard.Disposition) error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	h.c.ends++
	return nil
}

func (h *fakeHandle) Disconnect(d scard.Disposition) error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	h.c.disconnects = append(h.c.disconnects, d)
	return nil
}
