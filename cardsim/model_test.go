package cardsim

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// model is a second, much smaller description of what a card may grant. It knows nothing of status words: it follows the
// commands that the card says it carried out and judges whether it was allowed to.
type model struct {
	app      string
	ef       uint16
	verified map[uint16]bool
	pins     map[string]map[uint16]*modelPIN
}

type modelPIN struct {
	value      string
	tries, max int
	format     func(string) bool
}

// Names of applications by AID.
const (
	modelISD  = "\xA0\x00\x00\x01\x51\x00\x00"
	modelJPKI = "\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01"
	modelText = "\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08"
)

// opens has, for every file that gives something, the references of which one must be verified; nil is free. A file that
// is missing here gives nothing.
var opens = map[string]map[uint16][]uint16{
	modelISD: {},
	modelJPKI: {
		0x01: {0x1B}, 0x02: nil, 0x06: nil, 0x08: nil, 0x0A: nil, 0x0B: nil,
		0x17: {0x18}, 0x1A: {0x1B},
	},
	modelText: {
		0x01: {0x11, 0x14}, 0x02: {0x11, 0x15}, 0x03: {0x11, 0x14, 0x15}, 0x04: nil, 0x05: nil,
		0x06: {0x11, 0x14, 0x15}, 0x07: {0x11, 0x14, 0x15}, 0x08: {0x11, 0x14, 0x15},
		0x13: nil,
	},
}

// modelKeys are the files that sign; the default key comes first.
var modelKeys = map[string][]uint16{modelJPKI: {0x17, 0x1A}, modelText: {0x13}}

func newModel() *model {
	four := func(s string) bool { return len(s) == 4 && digits(s) }
	long := func(s string) bool {
		return len(s) >= 6 && len(s) <= 16 && len(bytes.Trim([]byte(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")) == 0
	}
	m := &model{pins: map[string]map[uint16]*modelPIN{
		modelISD:  {},
		modelJPKI: {0x18: {"1234", 3, 3, four}, 0x1B: {"ABC123", 5, 5, long}},
		modelText: {0x11: {"1234", 3, 3, four}, 0x12: {"", 0, 0, nil},
			0x14: {"701234000010", 10, 10, nil}, 0x15: {"63072320362285", 10, 10, nil}},
	}}
	m.power()
	return m
}

func (m *model) power() { m.app, m.ef, m.verified = modelISD, 0, map[uint16]bool{} }

func (m *model) open(file uint16) bool {
	references, ok := opens[m.app][file]
	if !ok {
		return false
	}
	for _, r := range references {
		if m.verified[r] {
			return true
		}
	}
	return references == nil
}

// target is the file that a command means by P2 (VERIFY and its like) or P1 (READ BINARY), 0 for none.
func (m *model) target(p byte) uint16 {
	if sfi := uint16(p & 0x1F); p&0x80 != 0 && sfi != 0 {
		return sfi
	}
	return m.ef
}

// judge follows one exchange. before and after are the counters of the current application around it.
func (m *model) judge(t *testing.T, raw []byte, response []byte, before, after map[uint16]int) {
	t.Helper()
	r, err := apdu.ParseResponse(response)
	if err != nil {
		t.Fatalf("%X: answer %X: %v", raw, response, err)
	}
	if sw1 := r.Status.SW1(); sw1 == 0x61 || sw1 == 0x6C || sw1 == 0x62 || (r.Status != apdu.OK && len(r.Data) > 0) {
		t.Fatalf("%X: answer %X", raw, response)
	}
	command, err := apdu.ParseCommand(raw)
	if err != nil {
		if r.Status != apdu.WrongLength {
			t.Fatalf("%X is malformed, answer %s", raw, r.Status.Hex())
		}
		return
	}
	spent := m.judgeVerify(t, command, r.Status)
	for id, n := range after {
		if want := before[id]; spent == id && n > want && m.pins[m.app][id].tries != n {
			t.Fatalf("%X: counter of %02X went from %d to %d", raw, id, want, n)
		} else if spent != id && n != want {
			t.Fatalf("%X: counter of %02X changed from %d to %d", raw, id, want, n)
		}
		if n != m.pins[m.app][id].tries {
			t.Fatalf("%X: counter of %02X is %d, the model has %d", raw, id, n, m.pins[m.app][id].tries)
		}
	}
	m.follow(t, command, r)
}

// judgeVerify follows VERIFY and returns the reference whose counter it may change, 0 for none.
func (m *model) judgeVerify(t *testing.T, c apdu.Command, s apdu.Status) uint16 {
	t.Helper()
	plain := c.CLA == 0x00 && c.INS == insVerify && c.P1 == 0 && c.P2&0xE0 == 0x80
	id := m.target(c.P2)
	p := m.pins[m.app][id]
	if !plain || p == nil || len(c.Data) == 0 || len(c.Data) > 16 || c.Ne != 0 {
		if c.INS == insVerify && s == apdu.OK {
			t.Fatalf("%+v was a successful VERIFY", c)
		}
		return 0
	}
	right := p.tries > 0 && p.value == string(c.Data)
	if right != (s == apdu.OK) {
		t.Fatalf("VERIFY of %02X with %d tries left: right %v, status %s", id, p.tries, right, s.Hex())
	}
	switch {
	case right:
		p.tries = p.max
	case p.tries > 0:
		p.tries--
	}
	m.verified[id] = right || (m.verified[id] && s == apdu.ReferenceDataLocked)
	return id
}

// follow updates the state for a command that was carried out, and judges what it gave.
func (m *model) follow(t *testing.T, c apdu.Command, r apdu.Response) {
	t.Helper()
	if _, isEF := m.fileKnown(m.target(c.P2)); isEF && c.CLA == 0x00 && c.P2&0xE0 == 0x80 && c.P2 != 0x80 &&
		(c.INS == insVerify && c.P1 == 0 || c.INS == insChangeReferenceData && c.P1 == 1) {
		m.ef = m.target(c.P2)
	}
	if _, isEF := m.fileKnown(m.target(c.P2)); isEF && c.CLA == 0x80 && c.INS == insSign && c.P1 < 6 && c.P2&0xE0 == 0x80 && c.P2 != 0x80 {
		m.ef = m.target(c.P2)
	}
	if _, isEF := m.fileKnown(m.target(c.P1)); isEF && c.CLA == 0x00 && c.INS == insReadBinary && c.P1&0xE0 == 0x80 && c.P1 != 0x80 &&
		len(c.Data) == 0 && c.Ne > 0 {
		m.ef = m.target(c.P1)
	}
	if r.Status != apdu.OK {
		return
	}
	switch [2]byte{c.CLA, c.INS} {
	case [2]byte{0x00, insSelect}:
		m.followSelect(t, c)
	case [2]byte{0x00, insReadBinary}:
		if file := m.target(c.P1); !m.open(file) || len(r.Data) == 0 || len(r.Data) > c.Ne {
			t.Fatalf("READ BINARY gave %d bytes of file %02X", len(r.Data), file)
		}
	case [2]byte{0x80, insSign}:
		file := m.target(c.P2)
		if c.P2 == 0x00 {
			file = modelKeys[m.app][0]
		}
		if !m.open(file) || len(r.Data) != 256 {
			t.Fatalf("signed with %02X", file)
		}
	case [2]byte{0x00, insChangeReferenceData}:
		id := m.target(c.P2)
		p := m.pins[m.app][id]
		if p == nil || p.format == nil || !m.verified[id] || !p.format(string(c.Data)) {
			t.Fatalf("changed %02X", id)
		}
		p.value = string(c.Data)
	case [2]byte{0x00, insVerify}:
	case [2]byte{0x00, insGetChallenge}:
		if len(r.Data) != c.Ne {
			t.Fatalf("GET CHALLENGE gave %d bytes for Le %d", len(r.Data), c.Ne)
		}
	default:
		t.Fatalf("%02X %02X was carried out", c.CLA, c.INS)
	}
}

func (m *model) followSelect(t *testing.T, c apdu.Command) {
	t.Helper()
	switch c.P1 {
	case 0x00:
	case 0x02:
		id, ok := m.fileKnown(uint16(c.Data[0])<<8 | uint16(c.Data[1]))
		if !ok {
			t.Fatalf("selected %X", c.Data)
		}
		m.ef = id
	case 0x04:
		order := []string{modelISD, modelJPKI, modelText}
		if c.P2&0x03 == 0x02 {
			for i, a := range order {
				if a == m.app {
					order = order[i+1:]
					break
				}
			}
		}
		for _, a := range order {
			if bytes.HasPrefix([]byte(a), c.Data) {
				m.power()
				m.app = a
				return
			}
		}
		t.Fatalf("selected %X", c.Data)
	default:
		t.Fatalf("SELECT with P1 %02X", c.P1)
	}
}

// fileKnown tells whether the current application has a file, of whatever kind.
func (m *model) fileKnown(id uint16) (uint16, bool) {
	all := map[string]string{
		modelISD:  "\x1E",
		modelJPKI: "\x01\x02\x05\x06\x08\x09\x0A\x0B\x10\x16\x17\x18\x19\x1A\x1B\x1C\x1E",
		modelText: "\x01\x02\x03\x04\x05\x06\x07\x08\x10\x11\x12\x13\x14\x15\x1C\x1E",
	}
	return id, id < 0x20 && bytes.IndexByte([]byte(all[m.app]), byte(id)) >= 0
}

// counters returns the counters of the application that the model has current.
func counters(c *Card, app string) map[uint16]int {
	out := map[uint16]int{}
	for _, a := range c.applications {
		if string(a.aid) != app {
			continue
		}
		for id, f := range a.files {
			if f.secret != nil {
				out[id] = f.secret.tries
			}
		}
	}
	return out
}

// play sends commands that the bytes choose: mostly ones that make sense, so that deep states are reached, and raw bytes.
func play(t *testing.T, c *Card, tape []byte) {
	t.Helper()
	next := func() byte {
		if len(tape) == 0 {
			return 0
		}
		b := tape[0]
		tape = tape[1:]
		return b
	}
	take := func(n int) []byte {
		n = min(n, len(tape))
		b := tape[:n]
		tape = tape[n:]
		return b
	}
	aids := []string{modelISD, modelJPKI, modelText}
	values := []string{"1234", "ABC123", "701234000010", "63072320362285", "9999", "XYZ789", "0000", ""}
	references := []byte{0x98, 0x9B, 0x91, 0x92, 0x94, 0x95, 0x80, 0x97}
	right := []struct {
		p2    byte
		value string
	}{
		{0x98, "1234"}, {0x9B, "ABC123"}, {0x91, "1234"}, {0x94, values[2]}, {0x95, values[3]}, {0x98, "9999"}, {0x9B, "XYZ789"},
	}
	m := newModel()
	signatures := 0
	for len(tape) > 0 {
		var raw []byte
		with := func(cla, ins, p1, p2 byte, data string, le ...byte) {
			raw = append([]byte{cla, ins, p1, p2}, append(append([]byte{byte(len(data))}, data...), le...)...)
			if data == "" {
				raw = append(raw[:4], le...)
			}
		}
		switch op := next(); op % 16 {
		case 0:
			with(0x00, insSelect, 0x04, 0x0C, aids[int(next())%len(aids)])
		case 2:
			aid := aids[int(next())%len(aids)]
			with(0x00, insSelect, 0x04, next()&0x0F, aid[:int(next())%(len(aid)+1)], 0)
		case 3:
			with(0x00, insSelect, 0x02, 0x0C, string([]byte{0, next() & 0x1F}))
		case 1, 4, 5, 6:
			v := right[int(next())%len(right)]
			with(0x00, insVerify, 0x00, v.p2, v.value)
		case 7:
			with(0x00, insVerify, 0x00, references[int(next())%len(references)], values[int(next())%len(values)])
		case 8:
			with(0x00, insChangeReferenceData, 0x01, references[int(next())%len(references)], values[int(next())%len(values)])
		case 9, 10:
			with(0x00, insReadBinary, 0x80|next()&0x1F, 0x00, "", next())
		case 11:
			with(0x00, insReadBinary, next()&0x81, next(), "", next())
		case 12:
			if signatures == 8 {
				continue // they take most of the time
			}
			with(0x80, insSign, next()%7, []byte{0x97, 0x9A, 0x93, 0x80, 0x00, 0x98}[int(next())%6], "0123456789ABCDEF0123456789ABCDEF", 0)
		case 13:
			switch next() % 3 {
			case 0:
				c.PowerOn()
			case 1:
				c.PowerOff()
			default:
				c.Reset()
			}
			m.power()
			continue
		case 14:
			with(0x00, insGetChallenge, 0, 0, "", next())
		default:
			raw = append([]byte(nil), take(int(next())%24)...)
			if len(raw) >= 4 && raw[1] == insSign {
				raw[3] = 0x80 // at most the current key: the count above is the limit of the time
			}
		}
		before := counters(c, m.app)
		app := m.app
		response := c.Transmit(raw)
		if len(response) == 256+2 {
			signatures++
		}
		m.judge(t, raw, response, before, counters(c, app))
	}
}

func FuzzCard(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 1, 0, 12, 0, 0, 9, 1, 16})                                  // JPKI, PIN, sign, read the signing certificate
	f.Add([]byte{0, 1, 1, 1, 9, 1, 0, 12, 0, 1})                                   // JPKI, password, certificate, sign
	f.Add([]byte{0, 2, 4, 2, 9, 1, 17, 9, 2, 0, 5, 3, 6, 4})                       // text
	f.Add([]byte{0, 1, 7, 0, 6, 7, 0, 6, 7, 0, 6, 7, 0, 0})                        // block
	f.Add([]byte{0, 1, 4, 0, 8, 0, 4, 4, 5, 13, 0, 0, 1, 12, 0, 0})                // change, power
	f.Add([]byte{2, 1, 2, 2, 2, 2, 2, 2, 15, 5, 0x00, 0xA4, 0x04, 0x0C, 0, 15, 1}) // prefixes, raw
	f.Add([]byte("**\xef\xef***"))                                                 // shorter than a header
	f.Fuzz(func(t *testing.T, tape []byte) {
		if len(tape) > 2000 {
			return
		}
		play(t, newCard(t), tape)
	})
}

// The same with pseudo-random tapes, so that every run of the tests goes through some ten thousand commands.
func TestRandomCommandSequences(t *testing.T) {
	source := rand.NewChaCha8([32]byte([]byte("random commands for the software")))
	tape := make([]byte, 1200)
	for range 25 {
		_, _ = source.Read(tape)
		play(t, newCard(t), tape)
	}
}
