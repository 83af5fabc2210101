package cardsim

import (
	"bytes"
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// maxAID is the longest application identifier (ISO/IEC 7816-4, 12.2.3: up to 16 bytes).
const maxAID = 16

// selectFile is SELECT, 00 A4. A SELECT that fails changes nothing.
func (c *Card) selectFile(cmd apdu.Command) apdu.Response {
	if bytes.Equal(cmd.Data, []byte{0x3F, 0x00}) {
		return status(apdu.FileNotFound) // there is no master file, whichever way it is asked for
	}
	switch cmd.P1 {
	case 0x00:
		return c.selectMF(cmd)
	case 0x02:
		return c.selectEF(cmd)
	case 0x04:
		return c.selectApplication(cmd)
	default:
		return status(apdu.IncorrectP1P2)
	}
}

// selectMF answers as if there were no master file: without data 6A86, or 9000 and no effect when an application is
// current; every identifier is not found.
func (c *Card) selectMF(cmd apdu.Command) apdu.Response {
	if len(cmd.Data) > 0 {
		return status(apdu.FileNotFound)
	}
	if c.session.app.domain {
		return status(apdu.IncorrectP1P2)
	}
	return status(apdu.OK)
}

// selectEF selects a file of the current application; the verified references stay.
func (c *Card) selectEF(cmd apdu.Command) apdu.Response {
	if cmd.P2 != 0x0C && cmd.P2 != 0x00 {
		return status(apdu.IncorrectP1P2)
	}
	if len(cmd.Data) != 2 {
		return status(apdu.WrongLength)
	}
	f, ok := c.session.app.files[binary.BigEndian.Uint16(cmd.Data)]
	if !ok {
		return status(apdu.FileNotFound)
	}
	c.session.ef = f
	if cmd.P2 == 0x0C {
		return status(apdu.OK)
	}
	return success(cut(tlv.Append(nil, 0x6F, tlv.Append(nil, 0x83, cmd.Data)), cmd.Ne))
}

// selectApplication selects by AID or by the beginning of one. P2: 00 first occurrence with FCI, 0C first without, 02
// next occurrence with FCI, 0E next without (ISO/IEC 7816-4, table 40). Leaving an application takes its verified
// references and its secure messaging away; selecting the one that is already current keeps both, as measured on real
// cards: a program that wants a card to forget selects another application, or the issuer security domain.
func (c *Card) selectApplication(cmd apdu.Command) apdu.Response {
	switch cmd.P2 {
	case 0x00, 0x02, 0x0C, 0x0E:
	default:
		return status(apdu.IncorrectP1P2)
	}
	if len(cmd.Data) == 0 || len(cmd.Data) > maxAID {
		return status(apdu.WrongLength)
	}
	candidates := c.applications
	if next := cmd.P2&0x03 == 0x02; next {
		for i, a := range c.applications {
			if a == c.session.app {
				candidates = c.applications[i+1:]
				break
			}
		}
	}
	for _, a := range candidates {
		if !bytes.HasPrefix(a.aid, cmd.Data) {
			continue
		}
		if a == c.session.app {
			c.session.ef, c.session.terminal = nil, nil
		} else {
			c.session = session{app: a}
		}
		if cmd.P2&0x0C == 0x0C {
			return status(apdu.OK)
		}
		// The contents of the real FCI are not published: the name is what ISO/IEC 7816-4, 7.4.2 asks for at least.
		return success(cut(tlv.Append(nil, 0x6F, tlv.Append(nil, 0x84, a.aid)), cmd.Ne))
	}
	return status(apdu.FileNotFound)
}

// cut shortens data to a given Ne; an absent Le field (0) asks for whatever there is.
func cut(data []byte, ne int) []byte {
	if ne > 0 && ne < len(data) {
		return data[:ne]
	}
	return data
}
