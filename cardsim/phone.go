package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// lastCommand is 80 FC 00 00, with which a program tells an iPhone that its session is over. Published is that it exists,
// and that a plastic card answers 6700; on the phone this simulator accepts it and changes nothing.
func (c *Card) lastCommand(cmd apdu.Command) apdu.Response {
	switch {
	case !personalities[c.kind].lastCommand:
		return status(apdu.WrongLength)
	case cmd.P1 != 0 || cmd.P2 != 0:
		return status(apdu.IncorrectP1P2)
	case len(cmd.Data) > 0 || cmd.Ne != 0:
		return status(apdu.WrongLength)
	default:
		return status(apdu.OK)
	}
}
