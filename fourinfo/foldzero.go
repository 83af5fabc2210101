package fourinfo

// What is written for a zero: a circle, a letter O, a digit among ideographs; and an ideograph for a dash.

// zerosAmongNumerals makes a zero, and for a guess the letter O, between two ideographs of digits one of them: 二0三番地.
func zerosAmongNumerals(t tokens, begin int) {
	isOne := func(r rune) bool { return numeralValue(r) >= 0 && numeralValue(r) < 10 }
	for i := begin; i < len(t); i++ {
		r := t.at(i)
		if (r == '0' || r == 'O') && !t[i].wild && isOne(t.at(i-1)) && isOne(t.at(i+1)) {
			t[i].set('〇', StepNumeral)
			if r == 'O' {
				t[i].guess = StepLookalike
			}
		}
	}
}

// dashesAmongDigits takes the ideograph 一 between two digits for the dash that it looks like: 1一2.
func dashesAmongDigits(t tokens, begin int) {
	for i := begin; i < len(t); i++ {
		if t.at(i) == '一' && isDigit(t.at(i-1)) && isDigit(t.at(i+1)) {
			t[i].set('-', StepDash)
			t[i].guess = StepLookalike
		}
	}
}

// zeroAmongDigits makes a circle or the letter O behind a digit a zero: 1○番地, and for a guess 1O番.
func zeroAmongDigits(t tokens, i int) bool {
	r, next := t.at(i), t.at(i+1)
	if !isDigit(t.at(i - 1)) {
		return false
	}
	switch {
	case r == '○' || r == '◯':
		t[i].set('0', StepNumeral)
	case r == 'O' && (isDigit(next) || next == '番' || next == '丁' || next == '号'):
		t[i].set('0', StepNumeral)
		t[i].guess = StepLookalike
	default:
		return false
	}
	return true
}
