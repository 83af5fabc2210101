package fourinfo

import (
	"slices"
	"strconv"
	"unicode"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

// The steps that know how the part of an address behind the municipality is written. Each takes the index at which that
// part begins; nothing before it changes, because 四日市市 counts nothing and 大字 is no locality there.

// foldPostcode drops a postcode before the address: 〒 and digits, or seven digits with or without a dash.
func foldPostcode(t tokens) tokens {
	i, mark, digits := 1, false, 0
	for i < len(t) && (t.at(i) == '〒' || t.at(i) == ':') {
		mark = true
		i++
	}
	for i < len(t) && (isDigit(t.at(i)) || digits == 3 && t.at(i) == '-') {
		if t[i].plain != '-' {
			digits++
		}
		i++
	}
	complete := digits == 7 || mark && digits == 0
	if !complete || i >= len(t) {
		return t
	}
	return t.absorb(1, i, StepPostcode)
}

// foldSeparators drops commas between the parts of an address; between two digits one may part thousands.
func foldSeparators(t tokens) tokens {
	return t.drop(StepSeparator, func(t tokens, i int) bool {
		return (t[i].plain == ',' || t[i].plain == '、') && (!isDigit(t.at(i-1)) || !isDigit(t.at(i+1)))
	})
}

// foldOrdinals drops 第 before a number that counts: 第1地割, 第三番地.
func foldOrdinals(t tokens, begin int) tokens {
	return t.drop(StepOrdinal, func(t tokens, i int) bool {
		if i < begin || t[i].plain != '第' {
			return false
		}
		j := i + 1
		for isDigit(t.at(j)) || numeralValue(t.at(j)) >= 0 {
			j++
		}
		switch t.at(j) {
		case '地', '丁', '番', '号', '線', '条', '区', '組', '部':
			return j > i+1
		default:
			return false
		}
	})
}

// foldNumerals makes ideographs of numbers digits where an address counts: before 丁目, 番, 号 and their like, and around の
// and dashes, and behind 第. 三田, 八千代 and 六本木 are left alone. It drops zeros that begin a number.
func foldNumerals(t tokens, begin int) tokens {
	dashesAmongDigits(t, begin)
	zerosAmongNumerals(t, begin)
	for i := begin; i < len(t); i++ {
		if zeroAmongDigits(t, i) {
			continue
		}
		j, guess := numeralRun(t, i)
		if j == i {
			continue
		}
		number, ok := "", false
		if guess ||
			(countsBefore(t, i) || countsAfter(t, j) || endsLot(t, i, j) || onGrid(t, i, j) || t.at(i-1) == '第') &&
				!isDigit(t.at(i-1)) && !isDigit(t.at(j)) {
			number, ok = readNumeral(t[i:j])
		}
		if !ok {
			i = j
			continue
		}
		doubt := t[i].guess
		if guess || slices.ContainsFunc(t[i:j], func(x token) bool { return x.guess == StepLookalike }) {
			doubt = StepLookalike
		}
		run := t[i]
		run.to, run.end, run.drops, run.spaced = t[j-1].to, t[j-1].end, 0, false
		last := t[j-1]
		rest := append(make(tokens, 0, len(t)-j), t[j:]...)
		t = t[:i]
		for n, c := range number {
			d := token{
				key:     c,
				plain:   c,
				from:    run.from,
				to:      run.to,
				end:     run.to,
				steps:   run.steps | bit(StepNumeral),
				numeral: true,
				guess:   doubt,
			}
			if n == len(number)-1 {
				d.end, d.drops, d.spaced = last.end, last.drops, last.spaced
			}
			t = append(t, d)
		}
		i = len(t) - 1
		t = append(t, rest...)
	}
	return t.drop(StepNumeral, func(t tokens, i int) bool {
		for k := i; k >= begin && k > 0 && isDigit(t.at(k)); k-- {
			if t[k].plain != '0' {
				return false
			}
		}
		return i >= begin && t[i].plain == '0' && isDigit(t.at(i+1))
	})
}

// endsLot reports whether an ideograph of a number at the end is the branch of a lot: 27番地二.
func endsLot(t tokens, i, j int) bool {
	return j == len(t) && t.at(i-1) == '地' && t.at(i-2) == '番' && (isDigit(t.at(i-3)) || numeralValue(t.at(i-3)) >= 0)
}

// numeralRun returns the end of the ideographs of numbers that begin at i. Before 丁目, 番 and 号 it takes for a guess what
// looks like one: ニ丁目, ー丁目.
func numeralRun(t tokens, i int) (end int, guess bool) {
	end = i
	for numeralValue(t.at(end)) >= 0 {
		end++
	}
	j := end
	for lookalikeValue(t.at(j)) >= 0 || numeralValue(t.at(j)) >= 0 {
		j++
	}
	if before := t.at(
		i - 1,
	); j == end || isKatakana(before) || isHiragana(before) || isDigit(before) ||
		isJoint(before) {
		return end, false
	}
	switch unit := t.at(j); {
	case unit == '丁' && t.at(j+1) == '目', unit == '番' && !namesPlace(t.at(j+1)) && t.at(i) != 'ー' && t.at(i) != '-',
		unit == '番' && t.at(j+1) == '地':
		return j, true
	default:
		return end, false
	}
}

// lookalikeValue is the value of the ideograph that r looks like, or -1.
func lookalikeValue(r rune) int {
	switch r {
	case 'ー', '-':
		return 1
	case 'ニ':
		return 2
	case 'ミ':
		return 3
	case 'ハ':
		return 8
	default:
		return -1
	}
}

// countsBefore reports whether a number may begin at i because another one and a joint stand before it.
func countsBefore(t tokens, i int) bool {
	return isJoint(t.at(i-1)) && (isDigit(t.at(i-2)) || numeralValue(t.at(i-2)) >= 0)
}

// onGrid reports whether a number stands between two directions of the grid of a town in Hokkaido, 条 left out: 南十二西2.
func onGrid(t tokens, i, j int) bool {
	next := t.at(j + 1)
	return isDirection(t.at(i-1)) && isDirection(t.at(j)) && (isDigit(next) || numeralValue(next) >= 0)
}

// countsAfter reports whether what begins at j follows a number.
func countsAfter(t tokens, j int) bool {
	next := t.at(j + 1)
	number := isDigit(next) || numeralValue(next) >= 0
	switch t.at(j) {
	case '丁', '番', '号':
		return true
	case '地': // 第3地割
		return next == '割'
	case '町': // 一町目
		return next == '目'
	case '条', '線': // of Hokkaido: 北一条西二丁目
		return number || next == '東' || next == '西' || next == '南' || next == '北'
	case '階':
		return true
	default:
		return isJoint(t.at(j)) && number || t.at(j) == '-' && isBranch(t, j+1)
	}
}

// isJoint reports whether r stands between two numbers of an address.
func isJoint(r rune) bool {
	switch r {
	case '-', 'ー', 'の', 'ノ', '之':
		return true
	default:
		return false
	}
}

// numerals are the ideographs of numbers, plain and as in deeds.
var numerals = map[rune]int{
	'〇': 0,
	'○': 0,
	'◯': 0,
	'零': 0,
	'一': 1,
	'壱': 1,
	'壹': 1,
	'弌': 1,
	'二': 2,
	'弐': 2,
	'貳': 2,
	'弍': 2,
	'三': 3,
	'参': 3,
	'參': 3,
	'弎': 3,
	'四': 4,
	'五': 5,
	'伍': 5,
	'六': 6,
	'七': 7,
	'八': 8,
	'九': 9,
	'十': 10,
	'拾': 10,
	'百': 100,
	'千': 1000,
	'廿': 20,
	'卅': 30,
}

// numeralValue is the value of an ideograph of a number, or -1. Tens are 10, 100 and 1000.
func numeralValue(r rune) int {
	if r < '○' {
		return -1
	}
	if v, ok := numerals[r]; ok {
		return v
	}
	return -1
}

// readNumeral reads 二十三 and 廿三 as well as 二三. It refuses what is neither, such as 十十, and circles alone.
func readNumeral(t tokens) (string, bool) {
	positional := make([]byte, 0, len(t))
	total, digit, last, circles := 0, -1, 10000, 0
	for _, x := range t {
		v := numeralValue(x.plain)
		if v < 0 {
			v = lookalikeValue(x.plain)
		}
		if x.plain == '○' || x.plain == '◯' {
			circles++
		}
		if v == 20 || v == 30 {
			if digit >= 0 || last <= 10 {
				return "", false
			}
			digit, v = v/10, 10
		}
		switch {
		case v < 10:
			if digit >= 0 && last != 10000 {
				return "", false // 二十三四
			}
			digit = v
			positional = append(positional, byte('0'+v))
		case v >= last || len(positional) > 1 && last == 10000:
			return "", false
		default:
			if digit == 0 {
				return "", false
			}
			total += max(digit, 1) * v
			digit, last = -1, v
		}
	}
	if circles == len(t) {
		return "", false
	}
	if last == 10000 {
		return string(positional), true
	}
	return strconv.Itoa(total + max(digit, 0)), true
}

// foldLines drops 条 between the numbers of Hokkaido: 北1条西2丁目 is 北1西2, and 1条2丁目 is 1-2.
func foldLines(t tokens, begin int) tokens {
	for i := max(begin, 2); i < len(t); i++ {
		if t.at(i) != '条' || !isDigit(t.at(i-1)) {
			continue
		}
		width := 1
		if t.at(i+1) == '通' { // 4条通9丁目 of Asahikawa
			width = 2
		}
		switch next := t.at(i + width); {
		case isDirection(next):
			t = t.absorb(i, i+width, StepUnit)
			i--
		case isDigit(next):
			t = t.replace(i, i+width, '-', StepUnit, noUnit)
		}
	}
	return t
}

func isDirection(r rune) bool { return r == '東' || r == '西' || r == '南' || r == '北' }

// foldUnits joins the numbers of an address: 1丁目2番3号, 1丁目2番地の3 and 1の2の3 become 1-2-3. A dash that joins a number with
// what is none says nothing: 1-2-3-架空荘, 6-ロ.
func foldUnits(t tokens, begin int) tokens {
	for i := max(begin, 2); i < len(t); i++ {
		if !isDigit(t.at(i - 1)) {
			t = foldBuildingMarks(t, begin, i)
			continue
		}
		if t.at(i) == 'ー' && isDigit(t.at(i+1)) { // after numerals became digits
			t[i].set('-', StepDash)
			continue
		}
		if r := t.at(i); r == '-' && joinsNothing(t, i) || isJoint(r) && isBranch(t, i+1) {
			t = t.absorb(i, i+1, StepUnit)
			i--
			continue
		}
		switch t.at(i) {
		case '階':
			t[i].set('F', StepUnit)
			continue
		case '#', '.', '・', '/', '_':
			if isDigit(t.at(i + 1)) {
				t[i].set('-', StepUnit)
			}
			continue
		}
		width, u := readUnit(t, i)
		if width == 0 {
			continue
		}
		if u == unitRoom && inBuilding(t, begin, i) {
			u = unitGo // 架空荘101号 is a room, too
		}
		switch next := t.at(i + width); {
		case isDigit(next):
			t = t.replace(i, i+width, '-', StepUnit, u)
		case u == noUnit: // の that joins nothing
		default:
			t = t.absorb(i, i+width, StepUnit)
			t[i-1].unit = u
			i--
		}
	}
	return t
}

// foldBuildingMarks handles what stands between a word and the number behind it: 6ロの1 and 6-ロ-1, 架空荘-101 and 架空荘#101.
func foldBuildingMarks(t tokens, begin, i int) tokens {
	if !isDigit(t.at(i + 1)) {
		return t
	}
	r := t.at(i)
	switch {
	case isJoint(r) && isDigit(t.at(i-2)) && isBranchLetter(t.at(i-1)):
		t[i].set('-', StepUnit)
		t[i].doubt('-', StepUnit)
		t[i].doubts = 0
	case isLotLetter(t, begin, i) && !inBuilding(t, begin, i):
		return t.absorb(i, i+1, StepUnit)
	case (r == '-' || r == '#') && isWord(t.at(i-1)) && inBuilding(t, begin, i):
		return t.absorb(i, i+1, StepUnit)
	}
	return t
}

// joinsNothing reports whether a dash behind a number joins it with no other: a word or nothing follows.
func joinsNothing(t tokens, i int) bool { return i+1 == len(t) || isWord(t.at(i+1)) }

// isWord reports whether r belongs to a word.
func isWord(r rune) bool {
	return kanji.IsIdeograph(r) || isHiragana(r) || isKatakana(r) && r != '・' || r >= 'A' && r <= 'Z' ||
		r >= 0xC0 && unicode.IsLetter(r)
}

// inBuilding reports whether the name of a building, or anything else behind a number, stands before i.
func inBuilding(t tokens, begin, i int) bool {
	for k := begin + 1; k < i; k++ {
		if isDigit(t.at(k-1)) && beginsBuilding(t, k) && !isJoint(t.at(k)) {
			return true
		}
	}
	return false
}

// readUnit reads the unit that begins at i, behind a digit; the width is 0 if there is none.
func readUnit(t tokens, i int) (width int, u unit) {
	next := t.at(i + 1)
	switch t.at(i) {
	case '丁':
		switch {
		case next == '目', next == 'メ', next == 'め':
			width = 2
		case isDigit(next): // as the city of Sakai writes it: 1丁2番
			return 1, unitChome
		default:
			return 0, noUnit
		}
		return width + joiner(t, i+width), unitChome
	case '町': // for 丁, as some cities write it
		if next == '目' {
			return 2 + joiner(t, i+2), unitChome
		}
		return 0, noUnit
	case 'ち', 'チ':
		if written := string([]rune{t.at(i), next, t.at(i + 2), t.at(i + 3)}); chomeInKana[written] {
			return 4 + joiner(t, i+4), unitChome
		}
		return 0, noUnit
	case '地':
		if next == '割' {
			return 2 + joiner(t, i+2), unitLot
		}
		return 0, noUnit
	case '番':
		if next == '地' && t.at(i+2) != '割' {
			return 2 + joiner(t, i+2), unitBanchi
		}
		if namesPlace(next) {
			return 0, noUnit
		}
		return 1 + joiner(t, i+1), unitBanchi
	case '号':
		switch {
		case next == '室':
			return 2, unitRoom
		case namesPlace(next):
			return 0, noUnit
		}
		return 1 + joiner(t, i+1), unitGo
	case 'の', 'ノ', '之':
		return 1, noUnit
	default:
		return 0, noUnit
	}
}

// chomeInKana is 丁目 as people write it who look for no ideograph.
var chomeInKana = map[string]bool{"ちょうめ": true, "チョウメ": true, "ちようめ": true, "チヨウメ": true}

// joiner is 1 if の or a dash stands at i between two numbers.
func joiner(t tokens, i int) int {
	if isJoint(t.at(i)) && isDigit(t.at(i+1)) {
		return 1
	}
	return 0
}

// namesPlace reports whether 番 or 号 before r belongs to a name: 一番町, 十二番丁, 3号棟, 2番館.
func namesPlace(r rune) bool {
	switch r {
	case '町', '丁', '街', '館', '棟', '線', '沢', '通', '組', '外', '舎', '車', '地', '堀', '坂':
		return true
	default:
		return false
	}
}
