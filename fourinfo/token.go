package fourinfo

// token is one code point of a match key with the code points of the raw value that it comes from, so that findings and
// the positions of substitute characters always refer to the raw value.
type token struct {
	key     rune   // after all steps
	plain   rune   // after the steps that leave the meaning alone
	from    int32  // the code points of the raw value that it comes from: [from, to)
	to      int32  //
	end     int32  // after to, as far as code points were dropped
	steps   uint32 // steps that changed it, as bits
	drops   uint32 // steps that dropped what lies between to and end
	doubts  uint32 // steps with a doubt that made key of plain
	unit    unit   // of the number before it
	wild    bool   // a substitute character
	spaced  bool   // a space was dropped behind it
	numeral bool   // a digit that was written as an ideograph
	guess   Step   // the doubt about how it was read, such as StepLookalike; 0 for none
}

// unit is what a number of an address counts.
type unit uint8

const (
	noUnit     unit = iota
	unitChome       // 丁目
	unitBanchi      // 番地, 番
	unitGo          // 号
	unitLot         // 地割
	unitRoom        // 号室, where no building is named before
)

// tokens is a value on its way to its match key. The first token stands before the value and holds what is dropped
// there.
type tokens []token

// bit is the place of a step in a mask.
func bit(s Step) uint32 { return 1 << (uint32(s) % 100) }

// tokenise starts with one token for each code point. A flagged position becomes wild and no step changes it.
func tokenise(raw []rune, flagged []int) tokens {
	// Spelling out a character makes more of it; some room spares copying.
	t := make(tokens, 1, len(raw)+8)
	for i, r := range raw {
		t = append(t, token{key: r, plain: r, from: int32(i), to: int32(i + 1), end: int32(i + 1)})
	}
	for _, i := range flagged {
		t[i+1].wild = true
	}
	return t
}

// set changes what a token means by a step that leaves the meaning alone.
func (t *token) set(r rune, s Step) {
	if r != t.plain {
		t.plain, t.key = r, r
		t.steps |= bit(s)
	}
}

// doubt changes the match key alone.
func (t *token) doubt(r rune, s Step) {
	if r != t.key {
		t.key = r
		t.doubts |= bit(s)
	}
}

// drop removes the tokens for which the condition holds; those before them take over their places. The condition sees
// all tokens as they were.
func (t tokens) drop(s Step, condition func(t tokens, i int) bool) tokens {
	dropped := false
	for i := 1; i < len(t) && !dropped; i++ {
		dropped = !t[i].wild && condition(t, i)
	}
	if !dropped {
		return t
	}
	before := append(make(tokens, 0, len(t)), t...)
	out := t[:1]
	for i := 1; i < len(before); i++ {
		gone := before[i]
		if gone.wild || !condition(before, i) {
			out = append(out, gone)
			continue
		}
		last := &out[len(out)-1]
		last.end = gone.end
		last.drops |= gone.drops | bit(s)
		last.spaced = last.spaced || gone.spaced || s == StepSpace
	}
	return out
}

// replace puts one token in the place of [i, j).
func (t tokens) replace(i, j int, r rune, s Step, u unit) tokens {
	n := token{
		key:    r,
		plain:  r,
		from:   t[i].from,
		to:     t[j-1].to,
		end:    t[j-1].end,
		drops:  t[j-1].drops,
		spaced: t[j-1].spaced,
		unit:   u,
		steps:  bit(s),
	}
	t[i] = n
	return append(t[:i+1], t[j:]...)
}

// absorb drops [i, j) behind the token before.
func (t tokens) absorb(i, j int, s Step) tokens {
	last := &t[i-1]
	last.end, last.spaced = t[j-1].end, last.spaced || t[j-1].spaced
	last.drops |= t[j-1].drops | bit(s)
	return append(t[:i], t[j:]...)
}

// at returns the plain character at i, or 0 outside and at substitute characters.
func (t tokens) at(i int) rune {
	if i < 1 || i >= len(t) || t[i].wild {
		return 0
	}
	return t[i].plain
}

// keys returns the match key.
func (t tokens) keys() string {
	out := make([]rune, 0, len(t))
	for _, x := range t[1:] {
		out = append(out, x.key)
	}
	return string(out)
}

// span returns the raw places of the tokens [i, j), without what was dropped behind them.
func (t tokens) span(i, j int) Span {
	if i >= j {
		return Span{int(t[i-1].end), int(t[i-1].end)}
	}
	return Span{int(t[i].from), int(t[j-1].to)}
}
