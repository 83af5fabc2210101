package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// How P2 of READ RECORD uses P1 (ISO/IEC 7816-4, table 49): its three low bits.
const (
	recordByNumber  = 0x04 // "Read record P1"
	recordsByNumber = 0x05 // "Read all records from P1 up to the last"
)

// readRecord is READ RECORD, 00 B2 P1 P2: one record, or all from one to the last, of the current file or of the one whose
// short identifier stands in the high bits of P2. There is no record pointer: the other ways of P2 are not offered, and
// the record 0, which would be the current one, does not exist.
func (c *Card) readRecord(cmd apdu.Command) apdu.Response {
	if len(cmd.Data) > 0 || cmd.Ne == 0 {
		return status(apdu.WrongLength)
	}
	f, s := c.recordFile(cmd.P2 >> 3)
	if s != apdu.OK {
		return status(s)
	}
	if !f.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	how := cmd.P2 & 0x07
	if how != recordByNumber && how != recordsByNumber {
		return status(apdu.FunctionNotSupported)
	}
	if cmd.P1 == 0 {
		return status(apdu.IncorrectP1P2)
	}
	first := int(cmd.P1)
	if first > len(f.records) {
		return status(apdu.RecordNotFound)
	}
	if how == recordByNumber {
		return success(cut(f.records[first-1], cmd.Ne))
	}
	var all []byte
	for _, r := range f.records[first-1:] {
		all = append(all, r...)
	}
	return success(cut(all, cmd.Ne))
}

// recordFile finds the record file with a short identifier, which becomes the current one; 0 is the current one.
func (c *Card) recordFile(sfi byte) (*file, apdu.Status) {
	f := c.session.ef
	switch {
	case sfi == 0x1F:
		return nil, apdu.IncorrectP1P2
	case sfi != 0:
		var ok bool
		if f, ok = c.session.app.files[uint16(sfi)]; !ok {
			return nil, apdu.FileNotFound
		}
		c.session.ef = f
	case f == nil:
		return nil, apdu.NoCurrentEF
	}
	if f.kind != records {
		return nil, apdu.IncompatibleFile
	}
	return f, apdu.OK
}
