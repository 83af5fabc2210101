package cardsim

import (
	"bytes"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// state is all that changes on a card after personalisation and outlives power: the values and counters of its
// references. Nothing else does, so a card can be made again from what it was made of and its state.
type state []*referenceState

// referenceState is one reference: the application and the file that hold it, its value and the tries that are left.
type referenceState struct {
	application string
	file        uint16
	value       []byte
	tries       int
}

// gather collects the state of the references of some applications, in the order of the tables.
func gather(applications []*application) state {
	var out state
	for _, a := range applications {
		for _, f := range a.order {
			if f.secret == nil {
				continue
			}
			f.secret.application, f.secret.file = a.name, f.id
			out = append(out, f.secret.referenceState)
		}
	}
	return out
}

// snapshot is a copy that shares nothing with the card.
func (s state) snapshot() state {
	out := make(state, len(s))
	for i, r := range s {
		c := *r
		c.value = bytes.Clone(r.value)
		out[i] = &c
	}
	return out
}

// restore takes values and counters over from a snapshot; a reference that the snapshot does not have stays as it is.
// It reports whether the card has every reference of the snapshot, and changes nothing if not.
func (s state) restore(from state) bool {
	to := make([]*referenceState, len(from))
	for i, r := range from {
		if to[i] = s.find(r.application, r.file); to[i] == nil {
			return false
		}
	}
	for i, r := range from {
		to[i].value, to[i].tries = bytes.Clone(r.value), r.tries
	}
	return true
}

func (s state) find(application string, file uint16) *referenceState {
	for _, r := range s {
		if r.application == application && r.file == file {
			return r
		}
	}
	return nil
}

// written hands the state over to whoever keeps it, before the command goes on: what cannot be written did not happen,
// or, for a try, is spent. It runs with the card's lock held.
func (c *Card) written() apdu.Status {
	if c.persist == nil {
		return apdu.OK
	}
	if err := c.persist(c.state.snapshot()); err != nil {
		return apdu.MemoryFailure
	}
	return apdu.OK
}
