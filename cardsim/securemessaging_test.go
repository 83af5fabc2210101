package cardsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
)

// terminalSide is the other end of secure messaging, written from the published description without the card's code.
type terminalSide struct {
	card *Card
	key  []byte
	n    uint32
}

// openSecure opens a session on Hanako's card: the PIN in the clear, then a session key of 32 bytes under the key of EF
// 0006.
func openSecure(t *testing.T) *terminalSide {
	t.Helper()
	c := newCard(t)
	run(t, c, "{TEXT}=9000 \n {PIN}=9000")
	seed := bytes.Repeat([]byte{0x42}, 32)
	if got := deliver(t, c, append([]byte{0xA0, 0x22, 0x80, 0x20}, seed...)); got != "9000" {
		t.Fatalf("SET SESSION KEY: %s", got)
	}
	return &terminalSide{card: c, key: seed[:16], n: 1}
}

// deliver sends SET SESSION KEY with a message enciphered under the key that the card publishes.
func deliver(t *testing.T, c *Card, message []byte) string {
	t.Helper()
	published := data(t, c, "00B08600 000000")
	key := parseKey(t, published[4:])
	cryptogram, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, message, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%X", transmit(t, c, fmt.Sprintf("80AE0000 000100 %X", cryptogram)))
}

func (s *terminalSide) cipher(t *testing.T) (cipher.Block, []byte) {
	t.Helper()
	block, err := aes.NewCipher(s.key)
	if err != nil {
		t.Fatal(err)
	}
	iv, counter := make([]byte, 16), make([]byte, 16)
	binary.BigEndian.PutUint32(counter[12:], s.n)
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(iv, counter)
	return block, iv
}

// seal is the data object 86 of a command.
func (s *terminalSide) seal(t *testing.T, plain []byte) []byte {
	t.Helper()
	block, iv := s.cipher(t)
	padded := append(bytes.Clone(plain), 0x80)
	for len(padded)%16 != 0 {
		padded = append(padded, 0)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return append([]byte{0x86, byte(len(padded) + 1), 0x01}, padded...)
}

// open takes the response of the command that was just counted apart.
func (s *terminalSide) open(t *testing.T, response []byte) []byte {
	t.Helper()
	object, ok := bytes.CutSuffix(response, []byte{0x90, 0x00})
	if !ok || len(object) < 3 || object[0] != 0x86 {
		t.Fatalf("response %X", response)
	}
	length, start := int(object[1]), 2
	if object[1] == 0x82 {
		length, start = int(object[2])<<8|int(object[3]), 4
	}
	value := object[start:]
	if len(value) != length || value[0] != 0x01 {
		t.Fatalf("response %X", response)
	}
	s.n--
	block, iv := s.cipher(t)
	s.n++
	plain := bytes.Clone(value[1:])
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, plain)
	end := bytes.LastIndexByte(plain, 0x80)
	if end < 0 || len(bytes.Trim(plain[end+1:], "\x00")) != 0 {
		t.Fatalf("padding of %X", plain)
	}
	return plain[:end]
}

// send sends a command with data objects and counts it. An Le is appended as given.
func (s *terminalSide) send(t *testing.T, header string, objects []byte, le ...byte) []byte {
	t.Helper()
	raw := append(unhex(t, header), byte(len(objects)))
	if len(le) > 1 {
		raw = append(unhex(t, header), 0, 0, byte(len(objects)))
	}
	raw = append(append(raw, objects...), le...)
	s.n++
	return s.card.Transmit(raw)
}

func (s *terminalSide) verify(t *testing.T, p2 byte, value string) string {
	t.Helper()
	return fmt.Sprintf("%X", s.send(t, fmt.Sprintf("082000%02X", p2), s.seal(t, []byte(value))))
}

func (s *terminalSide) selectEF(t *testing.T, id uint16) string {
	t.Helper()
	return fmt.Sprintf("%X", s.send(t, "08A4020C", s.seal(t, binary.BigEndian.AppendUint16(nil, id))))
}

func (s *terminalSide) read(t *testing.T, offset, n uint16) []byte {
	t.Helper()
	return s.send(t, fmt.Sprintf("08B0%04X", offset), []byte{0x96, 0x03, 0x00, byte(n >> 8), byte(n)}, 0, 0)
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %s, want %s", what, got, want)
	}
}

// secureRows are the published rules of secure messaging, all in the text application.
var secureRows = []struct {
	name  string
	check func(t *testing.T, s *terminalSide)
}{
	{"text/0001/secured SELECT and READ BINARY", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "SELECT", s.selectEF(t, 0x0001), "9000")
		expect(t, "number", fmt.Sprintf("%X", s.open(t, s.read(t, 0, 0x11))), "FF100C373031323334303030303130FFFF")
		expect(t, "offset", string(s.open(t, s.read(t, 3, 12))), "701234000010")
	}},
	{"text/0002/secured READ BINARY of the whole file", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "SELECT", s.selectEF(t, 0x0002), "9000")
		if got, want := s.open(t, s.read(t, 0, 0)), data(t, s.card, "00B08200 000000"); !bytes.Equal(got, want) ||
			len(got) != 512 {
			t.Fatalf("%d bytes", len(got))
		}
		if got := s.open(t, s.read(t, 0x0100, 0)); len(got) != 256 {
			t.Fatalf("%d bytes from the offset on", len(got))
		}
	}},
	{"text/0004/secured READ BINARY by short identifier", func(t *testing.T, s *terminalSide) {
		t.Helper()
		if got := s.open(t, s.read(t, 0x8400, 0)); len(got) != 568 {
			t.Fatalf("%d bytes", len(got))
		}
	}},
	{"text/0003/secured READ BINARY of every length", func(t *testing.T, s *terminalSide) {
		t.Helper()
		whole := data(t, s.card, "00B08300 000000")
		for n := uint16(1); n <= 40; n++ {
			if got := s.open(t, s.read(t, 0x8300, n)); !bytes.Equal(got, whole[:n]) {
				t.Fatalf("%d bytes: %X", n, got)
			}
		}
	}},
	{"text/0014/secured VERIFY", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "照合番号A", s.verify(t, 0x94, "701234000010"), "9000")
		expect(t, "照合番号B", s.verify(t, 0x95, "63072320362285"), "9000")
	}},
	{"text/0014/secured VERIFY of the current file", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "SELECT", s.selectEF(t, 0x0014), "9000")
		expect(t, "照合番号A", s.verify(t, 0x80, "701234000010"), "9000")
	}},
	{"text/0011/secured VERIFY that fails costs a try", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "wrong", s.verify(t, 0x91, "0000"), "63C2")
		expect(t, "right", s.verify(t, 0x91, "1234"), "9000")
		run(t, s.card, "00200091=63C3")
	}},
	{"text/0012/secured command that is refused counts", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "blocked", s.verify(t, 0x92, "1234"), "6984")
		expect(t, "next", s.verify(t, 0x94, "701234000010"), "9000")
		expect(t, "no file", s.selectEF(t, 0x0099), "6A82")
		expect(t, "next", s.selectEF(t, 0x0001), "9000")
	}},
	{"text/-/plain commands in between do not count", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "00A4020C020001=9000 \n 00B0000011=#17 9000 \n 00200091=63C3 \n 00A40000=9000 \n "+
			"0084000008=#8 9000")
		expect(t, "SELECT", s.selectEF(t, 0x0001), "9000")
		expect(t, "header", fmt.Sprintf("%X", s.open(t, s.read(t, 0, 3))), "FF100C")
	}},
	{"text/-/secured command with a long length", func(t *testing.T, s *terminalSide) {
		t.Helper()
		object := s.seal(t, []byte("701234000010"))
		long := append([]byte{0x86, 0x81}, object[1:]...)
		expect(t, "81", fmt.Sprintf("%X", s.send(t, "08200094", long)), "9000")
		object = s.seal(t, []byte("701234000010"))
		long = append([]byte{0x86, 0x82, 0x00}, object[1:]...)
		expect(t, "82", fmt.Sprintf("%X", s.send(t, "08200094", long)), "9000")
	}},
	{"text/-/secured command with the wrong counter", func(t *testing.T, s *terminalSide) {
		t.Helper()
		s.n = 2
		expect(t, "counter", s.selectEF(t, 0x0001), "6988")
		s.n = 1
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
		expect(t, "afterwards", fmt.Sprintf("%X", s.read(t, 0x8400, 0)), "69FC")
		run(t, s.card, "00B0810011=#17 9000 // the references stay verified")
	}},
	{"text/-/secured SELECT after a session was ended by mistake", func(t *testing.T, s *terminalSide) {
		t.Helper()
		s.n = 2
		expect(t, "counter", s.selectEF(t, 0x0001), "6988")
		s.n = 1
		expect(t, "afterwards", s.selectEF(t, 0x0001), "69FC")
		run(t, s.card, "{ISD}=9000 \n {TEXT}=9000")
		expect(t, "after leaving the application", s.selectEF(t, 0x0001), "6882")
	}},
	{"text/-/secured command with the wrong object", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "86 on READ BINARY", fmt.Sprintf("%X", s.send(t, "08B08400", s.seal(t, []byte{0, 0}), 0, 0)), "6988")
		expect(t, "afterwards", fmt.Sprintf("%X", s.read(t, 0x8400, 0)), "69FC")
	}},
	{"text/-/secured VERIFY with an object for READ BINARY", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "96", fmt.Sprintf("%X", s.send(t, "08200094", []byte{0x96, 3, 0, 0, 0})), "6988")
		run(t, s.card, "00200094=63CA")
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
	}},
	{"text/-/secured command with a second object", func(t *testing.T, s *terminalSide) {
		t.Helper()
		object := s.seal(t, []byte("701234000010"))
		expect(t, "twice", fmt.Sprintf("%X", s.send(t, "08200094", append(object, object...))), "6988")
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
	}},
	{"text/-/secured command with another padding indicator", func(t *testing.T, s *terminalSide) {
		t.Helper()
		object := s.seal(t, []byte("701234000010"))
		object[2] = 0x02
		expect(t, "02", fmt.Sprintf("%X", s.send(t, "08200094", object)), "6988")
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
	}},
	{"text/-/secured command with half a block", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "8 bytes", fmt.Sprintf("%X", s.send(t, "08200094",
			append([]byte{0x86, 0x09, 0x01}, make([]byte, 8)...))), "6988")
	}},
	{"text/-/secured command without an object", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "08200094=6987 \n 08200094=69FC")
	}},
	{"text/-/header to be authenticated", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "0CB0840000=6987 \n 0C200094 01 AA=6987 \n 0CA4020C 02 0001=6987")
		expect(t, "the session goes on", s.selectEF(t, 0x0001), "9000")
	}},
	{"text/-/secured command that has no secured form", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "GET CHALLENGE", fmt.Sprintf("%X", s.send(t, "08840000", s.seal(t, nil), 0)), "6882")
		expect(t, "sign", fmt.Sprintf("%X", s.send(t, "882A0093", s.seal(t, []byte{1}), 0)), "6882")
		expect(t, "SELECT of an application", fmt.Sprintf("%X", s.send(t, "08A4040C", s.seal(t, unhex(t, "D392")))),
			"6882")
		expect(t, "the session goes on", s.selectEF(t, 0x0001), "9000")
	}},
	{"text/-/secured READ BINARY with a short Le for the response", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "256 for 568", fmt.Sprintf("%X", s.send(t, "08B08400", []byte{0x96, 3, 0, 0, 0}, 0)), "6700")
		if got := s.open(t, s.send(t, "08B08400", []byte{0x96, 3, 0, 0, 0x20}, 0)); len(got) != 32 {
			t.Fatalf("%d bytes", len(got))
		}
	}},
	{"text/-/SELECT of another application ends the session", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "{JPKI}=9000 \n {TEXT}=9000 \n {PIN}=9000")
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
	}},
	{"text/-/SELECT of the current application keeps the session", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "{TEXT}=9000")
		expect(t, "SELECT", s.selectEF(t, 0x0001), "9000")
		expect(t, "number", fmt.Sprintf("%X", s.open(t, s.read(t, 0, 3))), "FF100C")
	}},
	{"text/-/loss of power ends the session", func(t *testing.T, s *terminalSide) {
		t.Helper()
		run(t, s.card, "off \n {TEXT}=9000 \n {PIN}=9000")
		expect(t, "afterwards", s.verify(t, 0x94, "701234000010"), "69FC")
	}},
	{"text/0006/SET SESSION KEY again starts a new session", func(t *testing.T, s *terminalSide) {
		t.Helper()
		expect(t, "SELECT", s.selectEF(t, 0x0001), "9000")
		seed := bytes.Repeat([]byte{0x77}, 32)
		expect(t, "delivery", deliver(t, s.card, append([]byte{0xA0, 0x22, 0x80, 0x20}, seed...)), "9000")
		s.key, s.n = seed[:16], 1
		expect(t, "SELECT", s.selectEF(t, 0x0001), "9000")
	}},
	{"text/0006/SET SESSION KEY with a key for checksums", func(t *testing.T, s *terminalSide) {
		t.Helper()
		seed := bytes.Repeat([]byte{0x42}, 32)
		both := append(append([]byte{0xA0, 0x44, 0x80, 0x20}, seed...), append([]byte{0x81, 0x20}, seed...)...)
		expect(t, "81", deliver(t, s.card, append([]byte{0xA0, 0x22, 0x81, 0x20}, seed...)), "6A80")
		expect(t, "80 and 81", deliver(t, s.card, both), "6A80")
		expect(t, "short seed", deliver(t, s.card, append([]byte{0xA0, 0x12, 0x80, 0x10}, seed[:16]...)), "6A80")
		expect(t, "nothing", deliver(t, s.card, nil), "6A80")
	}},
}

// TestSecureMessaging has one subtest for each row.
func TestSecureMessaging(t *testing.T) {
	for _, row := range secureRows {
		t.Run(row.name, func(t *testing.T) { row.check(t, openSecure(t)) })
	}
}

// A session key makes nothing readable that was not.
func TestSecureMessagingGrantsNothing(t *testing.T) {
	s := openSecure(t)
	expect(t, "a wrong PIN ends its verification", s.verify(t, 0x91, "0000"), "63C2")
	expect(t, "number", fmt.Sprintf("%X", s.read(t, 0x8100, 0)), "6982")
	expect(t, "attributes", fmt.Sprintf("%X", s.read(t, 0x8200, 0)), "6982")
	expect(t, "照合番号A", s.verify(t, 0x94, "701234000010"), "9000")
	expect(t, "number", fmt.Sprintf("%X", s.open(t, s.read(t, 0x8100, 3))), "FF100C")
	expect(t, "attributes", fmt.Sprintf("%X", s.read(t, 0x8200, 0)), "6982")
}

// A trace shows no secret that was sent secured, and neither a session key.
func TestSecuredValuesAreNotInTheTrace(t *testing.T) {
	var trace bytes.Buffer
	c := customCard(t, func(c *Config) { c.Trace = &trace })
	run(t, c, "{TEXT}=9000 \n {PIN}=9000")
	seed := bytes.Repeat([]byte{0x42}, 32)
	expect(t, "delivery", deliver(t, c, append([]byte{0xA0, 0x22, 0x80, 0x20}, seed...)), "9000")
	s := &terminalSide{card: c, key: seed[:16], n: 1}
	object := s.seal(t, []byte("701234000010"))
	expect(t, "照合番号A", fmt.Sprintf("%X", s.send(t, "08200094", object)), "9000")
	for _, secret := range [][]byte{[]byte("1234"), seed[:16], object, []byte("701234000010")} {
		if bytes.Contains(trace.Bytes(), fmt.Appendf(nil, "%X", secret)) {
			t.Errorf("the trace has %X", secret)
		}
	}
}
