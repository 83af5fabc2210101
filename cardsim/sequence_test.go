package cardsim

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	mathrand "math/rand/v2"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

func (a appRow) bytes() string {
	b, err := hex.DecodeString(a.aid)
	if err != nil {
		return ""
	}
	return string(b)
}

// tape chooses commands: mostly ones that make sense, so that deep states are reached, and raw bytes.
type tape []byte

func (b *tape) next() byte {
	if len(*b) == 0 {
		return 0
	}
	c := (*b)[0]
	*b = (*b)[1:]
	return c
}

func (b *tape) take(n int) []byte {
	n = min(n, len(*b))
	out := bytes.Clone((*b)[:n])
	*b = (*b)[n:]
	return out
}

func pick[T any](b *tape, from []T) T { return from[int(b.next())%len(from)] }

// player plays a tape to a card, with the model and the other end of secure messaging beside it.
type player struct {
	card   *Card
	model  *model
	secure *terminalSide // nil without a session
	tape   tape
	// expensive is how many more signatures and decryptions there may be: they take most of the time.
	expensive int
}

var (
	tapeValues = []string{"1234", "ABC123", "701234000010", "63072320362285", "630723", "9999", "XYZ789", "0000",
		""}
	tapeReferences = []byte{0x98, 0x9B, 0x91, 0x92, 0x93, 0x94, 0x95, 0x9C, 0x80, 0x97}
	tapeDelivery   = sync.OnceValues(func() ([]byte, error) {
		j, err := sharedJPKI()
		if err != nil {
			return nil, err
		}
		key := keyring{jpki: j, person: hanako().ID()}.own("text/secure-messaging")()
		message := append([]byte{0xA0, 0x22, 0x80, 0x20}, bytes.Repeat([]byte{0x42}, 32)...)
		return rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, message, nil)
	})
	tapeCertificate = sync.OnceValues(func() ([]byte, error) {
		j, err := sharedJPKI()
		if err != nil {
			return nil, err
		}
		keys := keyring{jpki: j}
		return cardVerifiableCertificate(issuerKeyID("6000016"), issuerKeyID("6000099"),
			&keys.issuers("terminal")().PublicKey, keys.issuers("terminal-ca")())
	})
)

func plainCommand(cla, ins, p1, p2 byte, data string, ne int) apdu.Command {
	return apdu.Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: []byte(data), Ne: ne}
}

func play(t *testing.T, c *Card, bytes []byte) {
	t.Helper()
	p := &player{card: c, model: newModel(), tape: bytes, expensive: 6}
	for len(p.tape) > 0 {
		p.step(t)
	}
}

func (p *player) step(t *testing.T) {
	t.Helper()
	b := &p.tape
	ne := func() int { return int(b.next()) + 1 }
	switch b.next() % 22 {
	case 0:
		p.send(t, plainCommand(0x00, insSelect, 0x04, 0x0C, pick(b, appRows).bytes(), 0))
	case 1:
		aid := pick(b, appRows).bytes()
		p.send(t, plainCommand(0x00, insSelect, 0x04, b.next()&0x0F, aid[:int(b.next())%(len(aid)+1)], 256))
	case 2:
		p.send(t, plainCommand(0x00, insSelect, 0x02, 0x0C, string([]byte{0, b.next() & 0x1F}), 0))
	case 3, 4, 5, 6: // the right value of a reference of the current application, if it was not changed
		ids := keysOf(rightValues[p.model.app])
		if len(ids) == 0 {
			return
		}
		id := pick(b, ids)
		p.send(t, plainCommand(0x00, insVerify, 0x00, 0x80|byte(id), p.model.pins[p.model.app][id].value, 0))
	case 7:
		p.send(t, plainCommand(0x00, insVerify, 0x00, pick(b, tapeReferences), pick(b, tapeValues), 0))
	case 8:
		p.send(t, plainCommand(0x00, insChangeReferenceData, 0x01, pick(b, tapeReferences), pick(b, tapeValues), 0))
	case 9:
		p.send(t, plainCommand(0x80, insChangeKey, 0x00, pick(b, tapeReferences), pick(b, tapeValues), 0))
	case 10:
		p.send(t, plainCommand(0x00, insReadBinary, 0x80|b.next()&0x1F, 0x00, "", ne()))
	case 11: // a file that there is
		p.send(t, plainCommand(0x00, insReadBinary, 0x80|p.file(), 0x00, "", ne()))
	case 12:
		p.send(t, plainCommand(0x00, insReadBinary, b.next()&0x81, b.next(), "", ne()))
	case 13:
		p.send(t, plainCommand(0x00, insReadRecord, b.next()&0x03, b.next(), "", ne()))
	case 14:
		p.send(t, plainCommand(0x80, insSign, b.next()%7, pick(b, []byte{0x97, 0x9A, 0x93, 0x99, 0x80, 0x00, 0x98}),
			"0123456789ABCDEF0123456789ABCDEF", 256))
	case 15:
		p.send(t, plainCommand(0x00, insInternalAuthenticate, 0x00, pick(b, []byte{0x99, 0x97, 0x9A, 0x93, 0x80}),
			"challenge", 256))
	case 16:
		object := pick(b, []uint16{0x0042, 0x0045, 0x0066, 0x00F0, 0x00F2, 0x00F7, 0x00F8, 0x7F21, 0x5F51, 0x0000})
		p.send(t, plainCommand(0x00, insGetData, byte(object>>8), byte(object), "", ne()*4))
	case 17:
		p.power(b.next())
	case 18:
		p.deliver(t)
	case 19:
		p.sendSecured(t)
	case 20:
		p.terminal(t, b.next())
	default:
		raw := b.take(int(b.next()) % 24)
		p.transmit(t, raw, nil)
	}
}

// file is one of the files of the current application.
func (p *player) file() byte {
	var ids []byte
	for _, row := range fileRows {
		if row.app == p.model.app {
			ids = append(ids, byte(row.id))
		}
	}
	if ids == nil {
		ids = []byte{0x1E} // the issuer security domain has none
	}
	return pick(&p.tape, ids)
}

func (p *player) power(how byte) {
	switch how % 3 {
	case 0:
		p.card.PowerOn()
	case 1:
		p.card.PowerOff()
	default:
		p.card.Reset() // changes nothing
		return
	}
	p.model.power()
	p.secure = nil
}

func (p *player) send(t *testing.T, c apdu.Command) {
	t.Helper()
	raw, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p.transmit(t, raw, nil)
}

// deliver sends the session key in any state.
func (p *player) deliver(t *testing.T) {
	t.Helper()
	cryptogram, err := tapeDelivery()
	if err != nil {
		t.Fatal(err)
	}
	p.send(t, plainCommand(0x80, insSetSessionKey, 0, 0, string(cryptogram), 0))
}

// terminal sends one half of a certificate that holds.
func (p *player) terminal(t *testing.T, half byte) {
	t.Helper()
	certificate, err := tapeCertificate()
	if err != nil {
		t.Fatal(err)
	}
	if half%2 == 0 {
		p.send(t, plainCommand(0x80, insSetPublicICKey, 0x06, 0xC1, string(certificate[:307]), 0))
	} else {
		p.send(t, plainCommand(0x80, insSetPublicICKey, 0x00, 0xC1, string(certificate[307:]), 0))
	}
}

// sendSecured sends a command through the session that is open, or one of its own making without one.
func (p *player) sendSecured(t *testing.T) {
	t.Helper()
	s := p.secure
	if s == nil {
		s = &terminalSide{key: make([]byte, 16), n: 1}
	}
	var plain, secured apdu.Command
	switch b := &p.tape; b.next() % 3 {
	case 0:
		plain = plainCommand(0x00, insVerify, 0x00, pick(b, tapeReferences), pick(b, tapeValues), 0)
	case 1:
		plain = plainCommand(0x00, insSelect, 0x02, 0x0C, string([]byte{0, b.next() & 0x1F}), 0)
	default:
		plain = plainCommand(0x00, insReadBinary, 0x80|p.file(), 0x00, "", int(b.next())+1)
	}
	secured = plain
	secured.CLA = 0x08
	secured.Data = s.seal(t, plain.Data)
	if plain.INS == insReadBinary {
		secured.Data = []byte{0x96, 0x03, 0x00, byte(plain.Ne >> 8), byte(plain.Ne)}
		secured.Ne, secured.Extended = 65536, true
	}
	raw, err := secured.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	s.n++
	p.transmit(t, raw, &plain)
}

// transmit sends a command and has the model judge the answer. plain is what a secured command means.
func (p *player) transmit(t *testing.T, raw []byte, plain *apdu.Command) {
	t.Helper()
	command, malformed := apdu.ParseCommand(raw)
	if malformed == nil && costly(command) {
		if p.expensive == 0 {
			return
		}
		p.expensive--
	}
	before := counters(p.card)
	sent := bytes.Clone(raw)
	answer := p.card.Transmit(raw)
	if !bytes.Equal(raw, sent) {
		t.Fatalf("%X: the card changed the command", sent)
	}
	response, err := apdu.ParseResponse(answer)
	if err != nil {
		t.Fatalf("%X: answer %X: %v", raw, answer, err)
	}
	if malformed != nil {
		command = apdu.Command{CLA: 0xFF} // nothing that is ever carried out
		if response.Status != apdu.WrongLength {
			t.Fatalf("%X is malformed, answer %s", raw, response.Status.Hex())
		}
	}
	switch secured := command.CLA&0x0C == 0x08 && command.CLA&0x73 == 0; {
	case secured && p.secure == nil && response.Status == apdu.OK:
		t.Fatalf("%X was carried out without a session", raw)
	case secured && p.secure != nil && plain == nil:
		p.catchUp(t, raw, before)
		return
	case secured && p.secure != nil:
		command = *plain
		if response.Status == apdu.OK && len(response.Data) > 0 {
			response.Data = p.secure.open(t, answer)
		}
	}
	from := p.model.app
	p.model.judge(t, command, response, before, counters(p.card))
	p.followSession(command, response)
	if p.model.app != from {
		p.secure = nil
	}
}

// costly tells which commands calculate with a private key.
func costly(c apdu.Command) bool {
	return c.INS == insSign || c.INS == insInternalAuthenticate || c.INS == insSetSessionKey
}

func (p *player) followSession(c apdu.Command, r apdu.Response) {
	switch {
	case r.Status != apdu.OK:
	case c.CLA == 0x80 && c.INS == insSetSessionKey:
		p.secure = &terminalSide{card: p.card, key: bytes.Repeat([]byte{0x42}, 16), n: 1}
	}
}

// catchUp follows raw bytes in the secured class while a session is open. They may by chance decipher to something,
// which is then a wrong value or some file: the model takes over what it cannot know, after it has checked that nothing
// was won.
func (p *player) catchUp(t *testing.T, raw []byte, before map[string]map[uint16]int) {
	t.Helper()
	for app, after := range counters(p.card) {
		for id, n := range after {
			if n > before[app][id] {
				t.Fatalf("%X: counter of %s/%02X rose", raw, app, id)
			}
			p.model.pins[app][id].tries = n
		}
	}
	for id := range uint16(0x20) {
		if id != 0 && p.card.session.verified&bit(id) != 0 && !p.model.verified[id] {
			t.Fatalf("%X: verified %02X", raw, id)
		}
		p.model.verified[id] = id != 0 && p.card.session.verified&bit(id) != 0
	}
	p.model.ef = 0
	if p.card.session.ef != nil {
		p.model.ef = p.card.session.ef.id
	}
	if p.card.session.secure == nil {
		p.secure = nil
	} else {
		p.secure.n++
	}
}

func FuzzCard(f *testing.F) {
	f.Add([]byte{})
	// JPKI, PIN, sign, read the signing certificate
	f.Add([]byte{0, 1, 3, 0, 14, 0, 0, 10, 1, 16})
	// JPKI, password, certificate, sign
	f.Add([]byte{0, 1, 3, 1, 10, 1, 0, 14, 0, 1})
	f.Add([]byte{0, 2, 3, 0, 10, 1, 17, 10, 2, 0, 3, 1, 4, 2})                                // text
	f.Add([]byte{0, 1, 7, 0, 7, 7, 0, 7, 7, 0, 7, 3, 0, 0, 1, 3, 0})                          // block
	f.Add([]byte{0, 1, 3, 0, 8, 0, 5, 3, 0, 17, 0, 0, 1, 3, 0, 14, 0, 0})                     // change, power
	f.Add([]byte{1, 1, 2, 2, 1, 2, 2, 2, 21, 5, 0x00, 0xA4, 0x04, 0x0C, 0, 21, 1})            // prefixes, raw
	f.Add([]byte{0, 3, 3, 0, 10, 1, 0, 10, 2, 0, 3, 1, 10, 2, 0, 3, 2, 10, 5, 0, 14, 0, 5})   // surface
	f.Add([]byte{0, 4, 13, 1, 12, 30, 15, 0, 3, 0, 9, 7, 5, 3, 0})                            // common
	f.Add([]byte{16, 0, 4, 16, 6, 255, 16, 7, 255, 0, 5, 16, 0, 4})                           // data objects
	f.Add([]byte{0, 2, 18, 3, 0, 18, 19, 0, 5, 2, 19, 1, 1, 19, 2, 1, 16, 19, 0, 2, 5})       // secure messaging
	f.Add([]byte{0, 1, 20, 0, 20, 1, 20, 1, 10, 9, 16})                                       // terminal
	f.Add([]byte{0, 2, 3, 0, 18, 21, 23, 8, 0x20, 0, 0x94, 0x12, 0x86, 0x11, 1, 1, 2, 3, 19}) // raw and secured
	f.Add([]byte("**\xef\xef***"))                                                            // shorter than a header
	f.Fuzz(func(t *testing.T, tape []byte) {
		if len(tape) > 2000 {
			return
		}
		play(t, newCard(t), tape)
	})
}

// The same with pseudo-random tapes, so that every run of the tests goes through some ten thousand commands.
func TestRandomCommandSequences(t *testing.T) {
	source := mathrand.NewChaCha8([32]byte([]byte("random commands for the software")))
	bytes := make([]byte, 1200)
	for range 60 {
		_, _ = source.Read(bytes)
		play(t, newCard(t), bytes)
	}
}
