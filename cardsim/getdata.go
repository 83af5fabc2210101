package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// getData is GET DATA, 00 CA P1 P2: the value of a data object, without tag and length. An Le that is too small, in
// particular a short one for an object of more than 256 bytes, is a wrong length; it does not cut.
func (c *Card) getData(cmd apdu.Command) apdu.Response {
	if len(cmd.Data) > 0 || cmd.Ne == 0 {
		return status(apdu.WrongLength)
	}
	object, ok := c.session.app.objects[uint16(cmd.P1)<<8|uint16(cmd.P2)]
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
