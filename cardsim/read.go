package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// readBinary is READ BINARY, 00 B0, short or extended. Asking for more than there is gives what there is and 9000;
// asking from the end of the file on gives 6B00.
func (c *Card) readBinary(cmd apdu.Command) apdu.Response {
	if len(cmd.Data) > 0 || cmd.Ne == 0 {
		return status(apdu.WrongLength)
	}
	f, offset, s := c.readTarget(cmd)
	if s != apdu.OK {
		return status(s)
	}
	if f.kind != transparent {
		return status(apdu.IncompatibleFile)
	}
	if !f.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	content, err := f.content()
	if err != nil {
		return status(apdu.ExecutionError)
	}
	if offset >= len(content) {
		return status(apdu.OffsetOutsideFile)
	}
	return success(cut(content[offset:], cmd.Ne))
}

// readTarget decodes P1-P2: a 15-bit offset into the current file, or, when the top bit of P1 is set, a short
// identifier and an 8-bit offset; the file meant becomes the current one.
func (c *Card) readTarget(cmd apdu.Command) (*file, int, apdu.Status) {
	if cmd.P1&0x80 == 0 {
		if c.session.ef == nil {
			return nil, 0, apdu.NoCurrentEF
		}
		return c.session.ef, int(cmd.P1)<<8 | int(cmd.P2), apdu.OK
	}
	sfi := cmd.P1 & 0x1F
	// "bits 7 and 6 of P1 are set to 00" and a short identifier is 1 to 30 (ISO/IEC 7816-4, 11.2.2 and 5.3.1.1).
	if cmd.P1&0x60 != 0 || sfi == 0 || sfi == 0x1F {
		return nil, 0, apdu.IncorrectP1P2
	}
	f, ok := c.session.app.files[uint16(sfi)]
	if !ok {
		return nil, 0, apdu.FileNotFound
	}
	c.session.ef = f
	return f, int(cmd.P2), apdu.OK
}

// How P2 of READ RECORD uses P1 (ISO/IEC 7816-4, table 49): its three low bits.
const (
	recordByNumber  = 0x04 // "Read record P1"
	recordsByNumber = 0x05 // "Read all records from P1 up to the last"
)

// readRecord is READ RECORD, 00 B2 P1 P2: one record, or all from one to the last, of the current file or of the one
// whose short identifier stands in the high bits of P2. There is no record pointer: the other ways of P2 are not
// offered, and the record 0, which would be the current one, does not exist.
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

// getData is GET DATA, 00 CA P1 P2: the value of a data object, without tag and length. An Le that is too small, in
// particular a short one for an object of more than 256 bytes, is a wrong length; it does not cut. The objects are
// those of the issuer security domain; the answer to reset is given inside an application as well.
func (c *Card) getData(cmd apdu.Command) apdu.Response {
	if len(cmd.Data) > 0 || cmd.Ne == 0 {
		return status(apdu.WrongLength)
	}
	tag := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	object, ok := c.session.app.objects[tag]
	if tag == objectATR {
		object, ok = c.applications[0].objects[tag]
	}
	if !ok {
		return status(apdu.ReferenceNotFound)
	}
	value, err := object()
	if err != nil {
		return status(apdu.ExecutionError)
	}
	if cmd.Ne < len(value) {
		return status(apdu.WrongLength)
	}
	return success(value)
}
