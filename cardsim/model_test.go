package cardsim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// model is a second, much smaller description of what a card may grant. It knows nothing of status words: it follows
// the commands that the card says it carried out and judges whether it was allowed to. Its rules are those of fileRows.
type model struct {
	app      string
	ef       uint16
	verified map[uint16]bool
	pins     map[string]map[uint16]*modelPIN
	// terminal is set while the first half of a terminal's certificate waits for the second.
	terminal bool
}

type modelPIN struct {
	value      string
	tries, max int
	// change is the instruction that may change the value, 0 for none, and format what the new value must look like.
	change byte
	format func(string) bool
}

func newModel() *model {
	m := &model{pins: map[string]map[uint16]*modelPIN{}}
	for _, a := range appRows {
		m.pins[a.name] = map[uint16]*modelPIN{}
	}
	four := func(s string) bool { return len(s) == 4 && strings.Trim(s, "0123456789") == "" }
	long := func(s string) bool {
		return len(s) >= 6 && len(s) <= 16 && len(bytes.Trim([]byte(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")) == 0
	}
	for _, row := range fileRows {
		if row.kind == reference {
			m.pins[row.app][row.id] = &modelPIN{value: rightValues[row.app][row.id], tries: row.tries, max: row.tries}
		}
	}
	for _, changeable := range []struct {
		app    string
		id     uint16
		ins    byte
		format func(string) bool
	}{
		{"JPKI", 0x18, 0x24, four}, {"JPKI", 0x1B, 0x24, long}, {"text", 0x11, 0x24, four},
		{"common", 0x1C, 0x32, four}, {"resident", 0x1C, 0x32, four},
	} {
		p := m.pins[changeable.app][changeable.id]
		p.change, p.format = changeable.ins, changeable.format
	}
	m.power()
	return m
}

func (m *model) power() { m.enter("ISD") }

func (m *model) enter(app string) {
	m.app, m.ef, m.verified, m.terminal = app, 0, map[uint16]bool{}, false
}

func (m *model) row(id uint16) (fileRow, bool) {
	for _, r := range fileRows {
		if r.app == m.app && r.id == id {
			return r, true
		}
	}
	return fileRow{}, false
}

// open tells whether a file of one of some kinds may be used now.
func (m *model) open(id uint16, kinds ...kind) bool {
	row, ok := m.row(id)
	if !ok {
		return false
	}
	fits := false
	for _, k := range kinds {
		fits = fits || k == row.kind
	}
	for _, r := range row.opens {
		if fits && (r == 0 || m.verified[r]) {
			return true
		}
	}
	return false
}

// target is the file that a command means by the byte that may hold a short identifier, 0 for none.
func (m *model) target(p byte) uint16 {
	if sfi := uint16(p & 0x1F); p&0x80 != 0 && sfi != 0 {
		return sfi
	}
	return m.ef
}

// judge follows one exchange: the command in its plain form, also if it was sent secured. before and after are the
// counters of all references around it.
func (m *model) judge(t *testing.T, c apdu.Command, r apdu.Response, before, after map[string]map[uint16]int) {
	t.Helper()
	if sw1 := r.Status.SW1(); sw1 == 0x61 || sw1 == 0x6C || sw1 == 0x62 || (r.Status != apdu.OK && len(r.Data) > 0) {
		t.Fatalf("%+v: answer %s with %d bytes", c, r.Status.Hex(), len(r.Data))
	}
	spent := m.judgeVerify(t, c, r.Status)
	for app, counters := range after {
		for id, n := range counters {
			was := before[app][id]
			if n > was && (app != m.app || id != spent || r.Status != apdu.OK) {
				t.Fatalf("%+v: counter of %s/%02X rose from %d to %d", c, app, id, was, n)
			}
			if want := m.pins[app][id].tries; n != want {
				t.Fatalf("%+v: counter of %s/%02X is %d, the model has %d", c, app, id, n, want)
			}
		}
	}
	m.followFile(c)
	if r.Status == apdu.OK {
		m.followSuccess(t, c, r)
	}
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
		t.Fatalf("VERIFY of %s/%02X with %d tries left: right %v, status %s", m.app, id, p.tries, right, s.Hex())
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

// followFile updates the current file: a short identifier of a file that exists makes it current, also when the command
// then fails.
func (m *model) followFile(c apdu.Command) {
	var sfi byte
	reads := len(c.Data) == 0 && c.Ne > 0
	switch key := [2]byte{c.CLA, c.INS}; {
	case key == [2]byte{0x00, insVerify} && c.P1 == 0 && c.P2&0xE0 == 0x80,
		key == [2]byte{0x00, insChangeReferenceData} && c.P1 == 1 && c.P2&0xE0 == 0x80,
		key == [2]byte{0x80, insChangeKey} && c.P1 == 0 && c.P2&0xE0 == 0x80,
		key == [2]byte{0x00, insInternalAuthenticate} && c.P1 == 0 && c.P2&0xE0 == 0x80,
		key == [2]byte{0x80, insSign} && c.P1 < 6 && c.P2&0xE0 == 0x80:
		sfi = c.P2 & 0x1F
	case key == [2]byte{0x00, insReadBinary} && reads && c.P1&0xE0 == 0x80:
		sfi = c.P1 & 0x1F
	case key == [2]byte{0x00, insReadRecord} && reads && c.P2>>3 != 0x1F:
		sfi = c.P2 >> 3
	}
	if _, ok := m.row(uint16(sfi)); ok {
		m.ef = uint16(sfi)
	}
}

// followSuccess updates the state for a command that was carried out, and judges what it gave.
func (m *model) followSuccess(t *testing.T, c apdu.Command, r apdu.Response) {
	t.Helper()
	allowed := false
	switch [2]byte{c.CLA, c.INS} {
	case [2]byte{0x00, insSelect}:
		allowed = m.followSelect(c)
	case [2]byte{0x00, insReadBinary}:
		allowed = m.open(m.target(c.P1), transparent) && len(r.Data) > 0 && len(r.Data) <= c.Ne
	case [2]byte{0x00, insReadRecord}:
		allowed = m.open(m.ef, records) && len(r.Data) > 0 && len(r.Data) <= c.Ne
	case [2]byte{0x00, insGetData}:
		reset := c.P1 == 0x5F && c.P2 == 0x51
		allowed = (m.app == "ISD" || reset) && len(r.Data) > 0 && len(r.Data) <= c.Ne
	case [2]byte{0x80, insSign}:
		file := m.target(c.P2)
		if c.P2 == 0x00 {
			file = map[string]uint16{"JPKI": 0x17, "text": 0x13, "surface": 0x1A}[m.app]
		}
		allowed = m.open(file, signingKey) && len(r.Data) == 256
	case [2]byte{0x00, insInternalAuthenticate}:
		allowed = m.open(m.target(c.P2), authenticationKey) && len(r.Data) == 256
	case [2]byte{0x00, insChangeReferenceData}, [2]byte{0x80, insChangeKey}:
		id := m.target(c.P2)
		p := m.pins[m.app][id]
		if allowed = p != nil && p.change == c.INS && m.verified[id] && p.format(string(c.Data)); allowed {
			p.value = string(c.Data)
		}
	case [2]byte{0x00, insVerify}:
		allowed = true // judged already
	case [2]byte{0x00, insGetChallenge}:
		allowed = len(r.Data) == c.Ne
	case [2]byte{0x80, insSetSessionKey}:
		allowed = m.app == "text" && m.verified[0x11]
	case [2]byte{0x80, insSetPublicICKey}:
		first := c.P1 == 0x06
		allowed = m.app == "JPKI" && (first || m.terminal)
		m.terminal = first
	}
	if !allowed {
		t.Fatalf("%02X%02X%02X%02X in %s with file %02X was carried out and gave %d bytes", c.CLA, c.INS, c.P1, c.P2,
			m.app, m.ef, len(r.Data))
	}
}

func (m *model) followSelect(c apdu.Command) bool {
	switch c.P1 {
	case 0x00:
		return m.app != "ISD"
	case 0x02:
		id := uint16(c.Data[0])<<8 | uint16(c.Data[1])
		if _, ok := m.row(id); !ok {
			return false
		}
		m.ef = id
		return true
	case 0x04:
		order := appRows
		if c.P2&0x03 == 0x02 {
			for i, a := range order {
				if a.name == m.app {
					order = order[i+1:]
					break
				}
			}
		}
		for _, a := range order {
			if !bytes.HasPrefix([]byte(a.bytes()), c.Data) {
				continue
			}
			if a.name == m.app { // leaving is what makes a card forget
				m.ef, m.terminal = 0, false
			} else {
				m.enter(a.name)
			}
			return true
		}
	}
	return false
}

// counters returns the counters of all references.
func counters(c *Card) map[string]map[uint16]int {
	out := map[string]map[uint16]int{}
	for _, r := range c.state {
		if out[r.application] == nil {
			out[r.application] = map[uint16]int{}
		}
		out[r.application][r.file] = r.tries
	}
	return out
}
