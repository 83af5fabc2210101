package fourinfo

import (
	"strconv"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

// The steps that know how the part of an address behind the municipality is written. Each takes the index at which that part
// begins; nothing before it changes, because 四日市市 counts nothing and 大字 is no locality there.

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

// foldNumerals makes ideographs of numbers digits where an address counts: before 丁目, 番, 号 and their like, and around の and
// dashes. 三田, 八千代 and 六本木 are left alone.
func foldNumerals(t tokens, begin int) tokens {
	for i := begin; i < len(t); i++ {
		if numeralValue(t.at(i)) < 0 {
			continue
		}
		j := i + 1
		for j < len(t) && numeralValue(t.at(j)) >= 0 {
			j++
		}
		if !countsBefore(t, i) && !countsAfter(t, j) || isDigit(t.at(i-1)) || isDigit(t.at(j)) {
			i = j
			continue
		}
		number, ok := readNumeral(t[i:j])
		if !ok {
			i = j
			continue
		}
		run := t[i]
		run.to, run.end, run.drops, run.spaced = t[j-1].to, t[j-1].end, 0, false
		last := t[j-1]
		rest := append(make(tokens, 0, len(t)-j), t[j:]...)
		t = t[:i]
		for n, c := range number {
			d := token{key: c, plain: c, from: run.from, to: run.to, end: run.to, steps: run.steps | bit(StepNumeral), numeral: true}
			if n == len(number)-1 {
				d.end, d.drops, d.spaced = last.end, last.drops, last.spaced
			}
			t = append(t, d)
		}
		i = len(t) - 1
		t = append(t, rest...)
	}
	return t
}

// countsBefore reports whether a number may begin at i because another one and a joint stand before it.
func countsBefore(t tokens, i int) bool {
	return isJoint(t.at(i-1)) && (isDigit(t.at(i-2)) || numeralValue(t.at(i-2)) >= 0)
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
	case '条', '線': // of Hokkaido: 北一条西二丁目
		return number || next == '東' || next == '西' || next == '南' || next == '北'
	case '階':
		return true
	default:
		return isJoint(t.at(j)) && number
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
	'〇': 0, '零': 0, '一': 1, '壱': 1, '壹': 1, '二': 2, '弐': 2, '貳': 2, '三': 3, '参': 3, '參': 3, '四': 4, '五': 5, '伍': 5,
	'六': 6, '七': 7, '八': 8, '九': 9, '十': 10, '拾': 10, '百': 100, '千': 1000,
}

// numeralValue is the value of an ideograph of a number, or -1. Tens are 10, 100 and 1000.
func numeralValue(r rune) int {
	if r < '〇' {
		return -1
	}
	if v, ok := numerals[r]; ok {
		return v
	}
	return -1
}

// readNumeral reads 二十三 as well as 二三. It refuses what is neither, such as 十十.
func readNumeral(t tokens) (string, bool) {
	positional := make([]byte, 0, len(t))
	total, digit, last := 0, -1, 10000
	for _, x := range t {
		switch v := numeralValue(x.plain); {
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
	if last == 10000 {
		return string(positional), true
	}
	return strconv.Itoa(total + max(digit, 0)), true
}

// foldOaza drops the words for the level of a locality: 大字, 小字 and 字. 十文字町 and 名字 keep theirs.
func foldOaza(t tokens, begin int) tokens {
	for i := begin; i+1 < len(t); i++ {
		width := 0
		switch {
		case t.at(i+1) == '字' && (t.at(i) == '大' || t.at(i) == '小'):
			width = 2
		case t.at(i) == '字' && t.at(i-1) != '文' && t.at(i-1) != '名':
			width = 1
		}
		if next := t.at(i + width); width > 0 && (kanji.IsIdeograph(next) || isHiragana(next) || isKatakana(next)) {
			t = t.absorb(i, i+width, StepOaza)
			i--
		}
	}
	return t
}

// foldUnits joins the numbers of an address: 1丁目2番3号, 1丁目2番地の3 and 1の2の3 become 1-2-3.
func foldUnits(t tokens, begin int) tokens {
	for i := max(begin, 2); i < len(t); i++ {
		if !isDigit(t.at(i - 1)) {
			continue
		}
		if t.at(i) == 'ー' && isDigit(t.at(i+1)) { // after numerals became digits
			t[i].set('-', StepDash)
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
		case next == '目':
			width = 2
		case isDigit(next): // as the city of Sakai writes it: 1丁2番
			return 1, unitChome
		default:
			return 0, noUnit
		}
		return width + joiner(t, i+width), unitChome
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
