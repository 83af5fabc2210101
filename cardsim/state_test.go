package cardsim

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// ownCard is a card of its own for Hanako, for tests that would leave traces on the shared one.
func ownCard(t *testing.T) *Card {
	t.Helper()
	return customCard(t, func(*Config) {})
}

// Whoever keeps the state sees the spent try before the values are compared: a program that ends there, at the worst
// moment, has lost a try and not won one.
func TestCounterIsWrittenBeforeTheComparison(t *testing.T) {
	for _, value := range []string{"31323334", "30303030"} {
		c := ownCard(t)
		var kept []state
		c.persist = func(s state) error {
			kept = append(kept, s)
			return nil
		}
		transmit(t, c, "{JPKI}")
		transmit(t, c, "00200098 04 "+value)
		if len(kept) == 0 || kept[0].find("JPKI", jpkiAuthPIN).tries != authTries-1 {
			t.Fatalf("%s: first write %v", value, kept)
		}
		again := ownCard(t)
		if !again.state.restore(kept[0]) {
			t.Fatal("the state does not fit")
		}
		run(t, again, "{JPKI}=9000 \n 00200098=63C2")
	}
}

// A state that cannot be written down stops the command: no success, no try won, no value changed.
func TestUnwritableState(t *testing.T) {
	full := errors.New("no space left")
	c := ownCard(t)
	run(t, c, "{JPKI}=9000 \n {AUTH}=9000")
	c.persist = func(state) error { return full }
	run(t, c, `00240198 04 39393939=6581
		00200098 04 30303030=6581
		00200098=63C2
		802A0097 01 AA 00=6982
		00200098 04 31323334=6581
		00200098=63C1`)
	c.persist = nil
	run(t, c, "00200098 04 39393939=63C0 \n 00200098 04 31323334=6984")

	// The second write of a successful VERIFY fails: what is on record is the spent try.
	c = ownCard(t)
	writes := 0
	c.persist = func(state) error {
		if writes++; writes == 2 {
			return full
		}
		return nil
	}
	run(t, c, "{JPKI}=9000 \n 00200098 04 31323334=6581 \n 00200098=63C2 \n 802A0097 01 AA 00=6982")
}

func TestStateHasEveryReference(t *testing.T) {
	c := ownCard(t)
	n := 0
	for _, row := range fileRows {
		if row.kind != reference {
			continue
		}
		n++
		r := c.state.find(row.app, row.id)
		if r == nil || r.tries != row.tries || string(r.value) != rightValues[row.app][row.id] {
			t.Errorf("%s/%04X: %v", row.app, row.id, r != nil)
		}
	}
	if n != len(c.state) {
		t.Errorf("%d references, want %d", len(c.state), n)
	}
	run(t, c, "{COMMON}=9000 \n 0020009C 04 31323334=9000 \n 8032009C 04 37373737=9000 \n {TEXT}=9000 \n 00200094 01 "+
		"31=63C9")
	other := ownCard(t)
	snapshot := c.state.snapshot()
	if !other.state.restore(snapshot) {
		t.Fatal("the state does not fit")
	}
	snapshot.find("common", cardPIN).value[0] = 0 // the snapshot shares nothing
	run(t, other, "{COMMON}=9000 \n 0020009C 04 37373737=9000 \n {TEXT}=9000 \n 00200094=63C9")
	foreign := state{{application: "common", file: cardPIN, tries: 1}, {application: "nowhere", file: 1}}
	if other.state.restore(foreign) || other.state.find("common", cardPIN).tries != cardPINTries {
		t.Error("a state of another card was taken over")
	}
}

// The value of a reference stays the card's own: neither a command buffer nor a snapshot reaches it.
func TestReferenceValuesAreCopies(t *testing.T) {
	c := ownCard(t)
	run(t, c, "{JPKI}=9000 \n {AUTH}=9000")
	command := unhex(t, "00240198 04 39393939")
	if got := c.Transmit(command); !bytes.Equal(got, []byte{0x90, 0x00}) {
		t.Fatalf("%X", got)
	}
	clear(command)
	run(t, c, fmt.Sprintf("00200098 04 %X=9000", "9999"))
}
