package cardface

// mqCoder is the arithmetic encoder of ISO/IEC 15444-1, annex C.2. The names of the registers are those of the
// standard.
type mqCoder struct {
	a, c  uint32
	ct    int
	out   []byte // begins with a byte that only carries are looked for in
	state [19]struct{ index, mps byte }
}

// mqRow is a row of the probability table (table C.2).
type mqRow struct {
	qe               uint32
	nextMPS, nextLPS byte
	switchMPS        bool
}

var mqTable = [47]mqRow{
	{0x5601, 1, 1, true}, {0x3401, 2, 6, false}, {0x1801, 3, 9, false}, {0x0AC1, 4, 12, false},
	{0x0521, 5, 29, false}, {0x0221, 38, 33, false}, {0x5601, 7, 6, true}, {0x5401, 8, 14, false},
	{0x4801, 9, 14, false}, {0x3801, 10, 14, false}, {0x3001, 11, 17, false}, {0x2401, 12, 18, false},
	{0x1C01, 13, 20, false}, {0x1601, 29, 21, false}, {0x5601, 15, 14, true}, {0x5401, 16, 14, false},
	{0x5101, 17, 15, false}, {0x4801, 18, 16, false}, {0x3801, 19, 17, false}, {0x3401, 20, 18, false},
	{0x3001, 21, 19, false}, {0x2801, 22, 19, false}, {0x2401, 23, 20, false}, {0x2201, 24, 21, false},
	{0x1C01, 25, 22, false}, {0x1801, 26, 23, false}, {0x1601, 27, 24, false}, {0x1401, 28, 25, false},
	{0x1201, 29, 26, false}, {0x1101, 30, 27, false}, {0x0AC1, 31, 28, false}, {0x09C1, 32, 29, false},
	{0x08A1, 33, 30, false}, {0x0521, 34, 31, false}, {0x0441, 35, 32, false}, {0x02A1, 36, 33, false},
	{0x0221, 37, 34, false}, {0x0141, 38, 35, false}, {0x0111, 39, 36, false}, {0x0085, 40, 37, false},
	{0x0049, 41, 38, false}, {0x0025, 42, 39, false}, {0x0015, 43, 40, false}, {0x0009, 44, 41, false},
	{0x0005, 45, 42, false}, {0x0001, 45, 43, false}, {0x5601, 46, 46, false},
}

// newMQCoder is INITENC (C.2.8) with the initial states of the contexts (table D.7).
func newMQCoder() *mqCoder {
	m := &mqCoder{a: 0x8000, ct: 12, out: []byte{0}}
	m.state[0].index = 4
	m.state[runContext].index = 3
	m.state[uniformContext].index = 46
	return m
}

// encode is ENCODE (C.2.2) with CODEMPS and CODELPS.
func (m *mqCoder) encode(context int, bit byte) {
	s := &m.state[context]
	row := &mqTable[s.index]
	m.a -= row.qe
	if bit == s.mps {
		if m.a&0x8000 != 0 {
			m.c += row.qe
			return
		}
		if m.a < row.qe {
			m.a = row.qe
		} else {
			m.c += row.qe
		}
		s.index = row.nextMPS
	} else {
		if m.a < row.qe {
			m.c += row.qe
		} else {
			m.a = row.qe
		}
		if row.switchMPS {
			s.mps ^= 1
		}
		s.index = row.nextLPS
	}
	// RENORME (C.2.6)
	for {
		m.a <<= 1
		m.c <<= 1
		m.ct--
		if m.ct == 0 {
			m.byteOut()
		}
		if m.a&0x8000 != 0 {
			return
		}
	}
}

// byteOut is BYTEOUT (C.2.7): after a byte FF comes one with seven bits, so that a carry stops there.
func (m *mqCoder) byteOut() {
	last := &m.out[len(m.out)-1]
	if *last != 0xFF && m.c >= 0x8000000 {
		*last++
		if *last == 0xFF {
			m.c &= 0x7FFFFFF
		}
	}
	if *last == 0xFF {
		m.out = append(m.out, byte(m.c>>20))
		m.c &= 0xFFFFF
		m.ct = 7
		return
	}
	m.out = append(m.out, byte(m.c>>19))
	m.c &= 0x7FFFF
	m.ct = 8
}

// flush is FLUSH (C.2.9); a final FF is not sent.
func (m *mqCoder) flush() []byte {
	limit := m.c + m.a
	m.c |= 0xFFFF
	if m.c >= limit {
		m.c -= 0x8000
	}
	for range 2 {
		m.c <<= m.ct
		m.byteOut()
	}
	out := m.out[1:]
	if n := len(out); n > 0 && out[n-1] == 0xFF {
		out = out[:n-1]
	}
	return out
}
