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

// readTarget decodes P1-P2: a 15-bit offset into the current file, or, when the top bit of P1 is set, a short identifier
// and an 8-bit offset; the file meant becomes the current one.
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
