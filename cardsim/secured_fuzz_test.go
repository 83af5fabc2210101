package cardsim

import (
	"bytes"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// FuzzSecured sends anything in the secured class while a session is open: the card neither panics nor gives tries
// back, nothing leaves it unenciphered, and a mistake in the data objects ends the session for good.
func FuzzSecured(f *testing.F) {
	f.Add([]byte{0x20, 0x00, 0x94}, []byte{0x86, 0x11, 0x01, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 0)
	f.Add([]byte{0xB0, 0x84, 0x00}, []byte{0x96, 0x03, 0x00, 0x00, 0x00}, 65536)
	f.Add([]byte{0xB0, 0x81, 0x00}, []byte{0x96, 0x03, 0x00, 0x00, 0x11}, 256)
	f.Add([]byte{0xA4, 0x02, 0x0C}, []byte{0x86, 0x81, 0x11, 0x01, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15}, 0)
	f.Add([]byte{0x20, 0x00, 0x91}, []byte{0x86, 0x82}, 0)
	f.Add([]byte{0x2A, 0x00, 0x93}, []byte{0x87, 0x01, 0x01}, 256)
	f.Fuzz(func(t *testing.T, header, objects []byte, ne int) {
		if len(header) != 3 || len(objects) > 1000 || ne < 0 || ne > 65536 {
			return
		}
		raw, err := apdu.Command{CLA: 0x08, INS: header[0], P1: header[1], P2: header[2], Data: objects, Ne: ne}.Bytes()
		if err != nil {
			return
		}
		c := newCard(t)
		run(t, c, "{TEXT}=9000 \n {PIN}=9000")
		session, err := newSecureSession(bytes.Repeat([]byte{0x42}, seedSize))
		if err != nil {
			t.Fatal(err)
		}
		c.session.secure = session
		before, verified := counters(c), c.session.verified
		response, err := apdu.ParseResponse(c.Transmit(raw))
		if err != nil {
			t.Fatal(err)
		}
		for app, all := range counters(c) {
			for id, n := range all {
				if n > before[app][id] {
					t.Fatalf("counter of %s/%02X rose", app, id)
				}
			}
		}
		if c.session.verified&^verified != 0 {
			t.Fatal("verified without the value")
		}
		if len(response.Data) > 0 && (response.Data[0] != 0x86 || len(response.Data) > ne) {
			t.Fatalf("response %X", response.Data)
		}
		broken := response.Status == apdu.SMObjectIncorrect || response.Status == apdu.SMObjectMissing
		if broken != (c.session.secure == nil) {
			t.Fatalf("status %s, session left: %v", response.Status.Hex(), c.session.secure != nil)
		}
		if broken {
			run(t, c, "08200094 01 AA=69FC")
		}
	})
}
