//go:build pcsc

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// openFake opens a Reader and waits for a card, whose counts then start anew.
func openFake(t *testing.T, f *fakeService, options ...Option) *Reader {
	t.Helper()
	r, err := open(t.Context(), f.establish, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if err := r.WaitCard(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		for _, c := range f.cards {
			if c != nil {
				c.begins, c.ends = 0, 0
			}
		}
	})
	return r
}

func wantReason(t *testing.T, err error, want card.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	if got := reasonOf(err); got != want {
		t.Errorf("reason %v (%v), want %v", got, err, want)
	}
	if kakunin.FamilyOf(err) != kakunin.Unavailable && want != card.ReasonClosed {
		t.Errorf("family %v", kakunin.FamilyOf(err))
	}
}

func TestShareModes(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		c := &fakeCard{}
		f := newFake(t, map[string]*fakeCard{"A": c}, "A")
		var options []Option
		if exclusive {
			options = append(options, Exclusive())
		}
		openFake(t, f, options...)
		want := scard.ShareShared
		if exclusive {
			want = scard.ShareExclusive
		}
		f.see(func() {
			if !slices.Equal(c.modes, []scard.ShareMode{want}) {
				t.Errorf("exclusive %v: modes %v", exclusive, c.modes)
			}
		})
	}
}

func TestTransactions(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	end, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time does nothing
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	f.see(func() {
		if c.begins != 1 || c.ends != 1 {
			t.Errorf("begun %d, ended %d", c.begins, c.ends)
		}
	})
	// The end of a transaction that went with the power does not end the next one.
	old, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := old(); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if c.begins != 3 || c.ends != 1 || c.connects != 2 {
			t.Errorf("begun %d, ended %d, connected %d", c.begins, c.ends, c.connects)
		}
		if !slices.Equal(c.disconnects, []scard.Disposition{scard.UnpowerCard}) {
			t.Errorf("disconnected %v", c.disconnects)
		}
	})
}

// Another program reset the card: connect again, and the transaction begins.
func TestBeginAfterReset(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	f.see(func() { c.beginErrs = []error{scard.ErrResetCard} })
	if _, err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if c.connects != 2 || c.begins != 1 {
			t.Errorf("connected %d, begun %d", c.connects, c.begins)
		}
	})
	f.see(func() { c.beginErrs = []error{scard.ErrResetCard, scard.ErrResetCard} })
	_, err := r.Begin(t.Context())
	wantReason(t, err, card.ReasonCardReset)
}

// Another program, or Windows after five idle seconds, resets the card in the middle of a transaction, as a card.Card
// has it while a PIN is verified: the command fails, the next one goes through in the same transaction, and its end
// ends it.
func TestTransactionGoesOnAfterReset(t *testing.T) {
	reset := true
	c := &fakeCard{transmit: func([]byte) ([]byte, error) {
		if reset {
			return nil, scard.ErrResetCard
		}
		return []byte{0x90, 0x00}, nil
	}}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	end, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	command := []byte{0x00, 0xA4, 0x00, 0x00}
	_, err = r.Transmit(t.Context(), command)
	wantReason(t, err, card.ReasonCardReset)
	f.see(func() { reset, c.connectErr = false, scard.ErrSharingViolation })
	_, err = r.Transmit(t.Context(), command)
	wantReason(t, err, card.ReasonCardBusy)
	f.see(func() { c.connectErr = nil })
	if _, err := r.Transmit(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if c.connects != 2 || c.begins != 2 || c.ends != 0 {
			t.Errorf("connected %d, begun %d, ended %d", c.connects, c.begins, c.ends)
		}
	})
	if err := end(); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if c.ends != 1 {
			t.Errorf("ended %d", c.ends)
		}
	})

	// A transaction that ended while it was broken is not taken up again.
	if end, err = r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.see(func() { reset = true })
	_, err = r.Transmit(t.Context(), command)
	wantReason(t, err, card.ReasonCardReset)
	f.see(func() { reset = false })
	if err := end(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Transmit(t.Context(), command)
	wantReason(t, err, card.ReasonCardAbsent)
	f.see(func() {
		if c.begins != 3 {
			t.Errorf("begun %d", c.begins)
		}
	})
}

// The same through card.Card: what needs no PIN goes on as if nothing had been, and what does says that the PIN must be
// presented again.
func TestVerifiedPINAfterReset(t *testing.T) {
	sim := cardsim.New(t, person.Hanako)
	reset := false
	c := &fakeCard{transmit: func(command []byte) ([]byte, error) {
		if reset {
			reset = false
			sim.Reset()
			return nil, scard.ErrResetCard
		}
		return sim.Transmit(command), nil
	}}
	c.selects = func() ([]byte, error) { return sim.Transmit(selectJPKI[:]), nil }
	r := openFake(t, newFake(t, map[string]*fakeCard{"A": c}, "A"))
	client, err := card.Open(t.Context(), r, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	key, err := client.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reset = true
	if n, err := client.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Errorf("%d tries, %v", n, err)
	}
	_, err = key.SignContext(t.Context(), make([]byte, 32), card.WithoutDigestInfo)
	if !errors.Is(err, &card.Error{Reason: card.ReasonNotVerified, PIN: card.AuthPIN}) {
		t.Errorf("got %v", err)
	}
	if err := client.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if err := client.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.begins == 0 || c.begins != c.ends+1 { // the reset ended one
		t.Errorf("begun %d, ended %d", c.begins, c.ends)
	}
}

// What the client of one card learned about a reader the next one knows; another reader is another matter.
func TestReaderRemembersThatItIsShort(t *testing.T) {
	sim := cardsim.New(t, person.Hanako)
	long := 0
	c := &fakeCard{transmit: func(command []byte) ([]byte, error) {
		if len(command) > 5 && command[4] == 0 {
			long++
			return []byte{0x67, 0x00}, nil
		}
		return sim.Transmit(command), nil
	}}
	c.selects = func() ([]byte, error) { return sim.Transmit(selectJPKI[:]), nil }
	r := openFake(t, newFake(t, map[string]*fakeCard{"A": c}, "A"))
	for range 2 {
		client, err := card.Wait(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.AuthCertificate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := client.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if long != 1 || !r.ShortOnly() {
		t.Errorf("%d commands with extended lengths", long)
	}
	other := "B"
	r.name.Store(&other)
	if r.ShortOnly() {
		t.Error("remembered of another reader")
	}
}

// A transaction that is granted after its caller has gone is given back.
func TestAbandonedBeginIsUndone(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	f.see(func() { c.block, c.blocked = make(chan struct{}), make(chan struct{}) })
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := r.Begin(ctx)
		result <- err
	}()
	<-c.blocked
	cancel()
	wantReason(t, <-result, card.ReasonInterrupted)
	close(c.block)
	if _, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0}); err != nil { // behind the abandoned call
		t.Fatal(err)
	}
	f.see(func() {
		if c.begins != 1 || c.ends != 1 {
			t.Errorf("begun %d, ended %d", c.begins, c.ends)
		}
	})
}

// The answer to an abandoned command is not the answer to the next one, and the reader keeps a copy of what it sends.
func TestAbandonedTransmit(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	first := true
	c := &fakeCard{}
	c.transmit = func(cmd []byte) ([]byte, error) {
		if first {
			first = false
			close(started)
			<-release
			return append([]byte("late"), cmd[0]), nil
		}
		return []byte{0x90, 0x00}, nil
	}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	command := []byte{1, 2, 3, 4}
	go func() {
		_, err := r.Transmit(ctx, command)
		clear(command)
		result <- err
	}()
	<-started
	cancel()
	wantReason(t, <-result, card.ReasonInterrupted)
	close(release)
	answer, err := r.Transmit(t.Context(), []byte{5, 6, 7, 8})
	if err != nil || !bytes.Equal(answer, []byte{0x90, 0x00}) {
		t.Errorf("got %X, %v", answer, err)
	}
	f.see(func() {
		if !bytes.Equal(c.commands[0], []byte{1, 2, 3, 4}) {
			t.Errorf("sent %X", c.commands[0])
		}
	})
}

// The card that is there after one was taken away may be another person's.
func TestRemovedCardIsNotReplacedSilently(t *testing.T) {
	c := &fakeCard{transmit: func([]byte) ([]byte, error) { return nil, scard.ErrRemovedCard }}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	_, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonCardAbsent)
	f.put("A", &fakeCard{})
	_, err = r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonCardAbsent)
	_, err = r.Begin(t.Context())
	wantReason(t, err, card.ReasonCardAbsent)
	if err := r.PowerOff(t.Context()); err != nil { // the end of the old client
		t.Fatal(err)
	}
	if _, err := r.Begin(t.Context()); err != nil {
		t.Error(err)
	}
}

// If the connection broke with a PIN verified, PowerOff connects again to remove power.
func TestPowerOffAfterLostConnection(t *testing.T) {
	c := &fakeCard{transmit: func([]byte) ([]byte, error) { return nil, scard.ErrResetCard }}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	_, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonCardReset)
	if err := r.PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if !slices.Equal(c.disconnects, []scard.Disposition{scard.LeaveCard, scard.UnpowerCard}) {
			t.Errorf("disconnected %v", c.disconnects)
		}
	})
}

func TestServiceRestart(t *testing.T) {
	c := &fakeCard{transmit: func([]byte) ([]byte, error) { return nil, scard.ErrInvalidHandle }}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	_, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonTransportFailed)
	if err := r.PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Begin(t.Context()); err != nil {
		t.Error(err)
	}
	f.see(func() {
		if f.released != 1 || c.connects != 2 {
			t.Errorf("released %d, connected %d", f.released, c.connects)
		}
	})
}

func TestCloseRemovesPowerAndReleases(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	for range 2 {
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.see(func() {
		if !slices.Equal(c.disconnects, []scard.Disposition{scard.UnpowerCard}) || f.released != 1 {
			t.Errorf("disconnected %v, released %d", c.disconnects, f.released)
		}
	})
	_, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonClosed)
	wantReason(t, r.WaitCard(t.Context(), nil), card.ReasonClosed)
	_, err = r.Begin(t.Context())
	wantReason(t, err, card.ReasonClosed)
	wantReason(t, r.PowerOff(t.Context()), card.ReasonClosed)
}

// Close does not wait for ever for a driver that hangs.
func TestCloseHonoursTheContext(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	f.see(func() { c.block, c.blocked = make(chan struct{}), make(chan struct{}) })
	ended, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := r.Begin(ended)
		result <- err
	}()
	<-c.blocked
	cancel()
	<-result
	wantReason(t, r.Close(ended), card.ReasonInterrupted)
	close(c.block)
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReaderErrors(t *testing.T) {
	for code, want := range map[scard.Error]card.Reason{
		scard.ErrNoService:          card.ReasonReaderUnavailable,
		scard.ErrServiceStopped:     card.ReasonReaderUnavailable,
		scard.ErrNoReadersAvailable: card.ReasonReaderUnavailable,
		scard.ErrUnknownReader:      card.ReasonReaderUnavailable,
		scard.ErrNoSmartcard:        card.ReasonCardAbsent,
		scard.ErrRemovedCard:        card.ReasonCardAbsent,
		scard.ErrUnresponsiveCard:   card.ReasonCardAbsent,
		scard.ErrSharingViolation:   card.ReasonCardBusy,
		scard.ErrResetCard:          card.ReasonCardReset,
		scard.ErrCommError:          card.ReasonTransportFailed,
	} {
		err := readerError("test", code)
		wantReason(t, err, want)
		if !errors.Is(err, code) {
			t.Errorf("%v: the cause is lost", want)
		}
	}
}
