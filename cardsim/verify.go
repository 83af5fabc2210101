package cardsim

import (
	"bytes"
	"crypto/subtle"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// maxReference is the longest value that VERIFY compares.
const maxReference = 16

// referenceFile is the file that P2 means, if it holds a reference.
func (c *Card) referenceFile(p2 byte) (*file, apdu.Status) {
	f, s := c.referenced(p2)
	if s != apdu.OK {
		return nil, s
	}
	if f.kind != reference {
		return nil, apdu.IncompatibleFile
	}
	return f, apdu.OK
}

// verify is VERIFY, 00 20 00 P2. Without data it only reports the remaining tries, 63Cx, verified or not and also when
// none is left (63C0).
func (c *Card) verify(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0 {
		return status(apdu.IncorrectP1P2)
	}
	f, s := c.referenceFile(cmd.P2)
	if s != apdu.OK {
		return status(s)
	}
	// The command has no response data: a Le field, also the single 00 of "00 20 00 80 00", is a wrong length.
	if cmd.Ne != 0 || len(cmd.Data) > maxReference {
		return status(apdu.WrongLength)
	}
	if len(cmd.Data) == 0 {
		return status(apdu.Retry(f.secret.tries))
	}
	if f.secret.blocked() {
		return status(c.blockedStatus)
	}
	switch s := f.secret.verify(cmd.Data, c.written); s {
	case apdu.OK:
		c.session.verified |= bit(f.id)
		return status(apdu.OK)
	default:
		// A failed attempt also ends an earlier success: whoever types now is not the one who was verified.
		c.session.verified &^= bit(f.id)
		return status(s)
	}
}

// changeReferenceData is CHANGE REFERENCE DATA, 00 24 01 P2, of the JPKI and the text application.
func (c *Card) changeReferenceData(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0x01 {
		return status(apdu.IncorrectP1P2)
	}
	return c.change(cmd, insChangeReferenceData)
}

// changeKey is CHANGE KEY of JICSAP, 80 32 00 P2, with which the other two applications that have a PIN change it.
func (c *Card) changeKey(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0x00 {
		return status(apdu.IncorrectP1P2)
	}
	return c.change(cmd, insChangeKey)
}

// change sets a reference to the new value, which is all that the data field has: the old one must be verified.
func (c *Card) change(cmd apdu.Command, ins byte) apdu.Response {
	f, s := c.referenceFile(cmd.P2)
	if s != apdu.OK {
		return status(s)
	}
	if f.secret.changedBy != ins {
		return status(apdu.INSNotSupported)
	}
	if cmd.Ne != 0 || len(cmd.Data) == 0 {
		return status(apdu.WrongLength)
	}
	if !openedBy(f.id).grants(c.session.verified) || f.secret.changeable == nil {
		return status(apdu.SecurityNotSatisfied)
	}
	if !f.secret.changeable(cmd.Data) {
		return status(apdu.IncorrectData)
	}
	old := f.secret.value
	f.secret.value = bytes.Clone(cmd.Data)
	if s := c.written(); s != apdu.OK {
		f.secret.value = old
		return status(s)
	}
	return status(apdu.OK)
}

// secret is the value behind a reference together with its retry counter, which outlive power, and their rules, which
// never change.
type secret struct {
	*referenceState
	max int
	// changeable says which values the holder may choose; nil means none.
	changeable func([]byte) bool
	// changedBy is the instruction that changes the value.
	changedBy byte
}

func newSecret(value string, tries int, changeable func([]byte) bool) *secret {
	return &secret{
		referenceState: &referenceState{value: []byte(value), tries: tries},
		max:            tries, changeable: changeable, changedBy: insChangeReferenceData,
	}
}

// blockedForever is a reference that nothing opens.
func blockedForever() *secret { return newSecret("", 0, nil) }

// blocked reports whether no try is left.
func (s *secret) blocked() bool { return s.tries <= 0 }

// verify spends a try and gives it back with all others when the value is right. The comparison is byte by byte: the
// card does not fold case, and a value of the wrong length costs a try like any wrong value. The status is 9000, 63Cx,
// or what written answers.
//
// The counter goes down, and is written down, before the comparison, so that interrupting the command cannot save a
// try.
func (s *secret) verify(value []byte, written func() apdu.Status) apdu.Status {
	if s.blocked() {
		return apdu.Retry(0)
	}
	s.tries--
	if status := written(); status != apdu.OK {
		return status
	}
	if subtle.ConstantTimeCompare(s.value, value) != 1 {
		return apdu.Retry(s.tries)
	}
	left := s.tries
	s.tries = s.max
	if status := written(); status != apdu.OK {
		s.tries = left // what is on record
		return status
	}
	return apdu.OK
}
