package fourinfo

// stepText is how a step is called in records and how it is explained to a person.
type stepText struct {
	step    Step
	name    string
	wording Wording
}

// stepTexts are all steps in the order in which they are applied or tried.
var stepTexts = [...]stepText{
	{StepSelector, "selector", Wording{"異体字セレクタの有無", "a variation selector"}},
	{StepCompatibility, "compatibility-ideograph", Wording{"互換漢字と統合漢字", "a compatibility ideograph and the unified one"}},
	{StepWidth, "width", Wording{"全角と半角", "full and half width"}},
	{StepSymbol, "symbol", Wording{"囲み文字・組文字・部首文字", "an enclosed or squared character or a radical"}},
	{StepComposition, "composition", Wording{"濁点・半濁点などの結合の仕方", "a letter and its mark, joined or apart"}},
	{StepDash, "dash", Wording{"ハイフン・ダッシュの種類", "the kind of dash"}},
	{StepCase, "case", Wording{"大文字と小文字", "capital and small letters"}},
	{StepSpace, "space", Wording{"空白の有無・種類", "spaces"}},
	{StepPostcode, "postcode", Wording{"郵便番号の有無", "a postcode"}},
	{StepKe, "ke", Wording{"「ヶ」「ケ」「が」などの表記", "the letter written for が"}},
	{StepOaza, "oaza", Wording{"「大字」「字」の有無", "the words 大字 and 字"}},
	{StepNumeral, "numeral", Wording{"漢数字と算用数字", "ideographs of numbers and digits"}},
	{StepUnit, "unit", Wording{"「丁目」「番地」「号」「の」とハイフン", "丁目, 番地, 号 or の and dashes"}},
	{StepPrefecture, "prefecture", Wording{"都道府県名の省略", "the prefecture left out"}},
	{StepCounty, "county", Wording{"郡・島名の省略", "the county or island left out"}},

	{StepSubstitute, "substitute", Wording{"代替文字", "a substitute character"}},
	{StepSubstitutesUnusable, "substitutes-unusable", Wording{"代替文字の位置が不明", "substitute characters at unknown places"}},
	{StepVariant, "variant", Wording{"異体字・新旧字体", "variants of a character, old and new forms"}},
	{StepParticle, "particle", Wording{"「ノ」「の」「之」、「ツ」「つ」の表記", "the letters written for の and つ"}},
	{StepNameKe, "name-ke", Wording{"氏名の「ヶ」「ケ」「が」などの表記", "the letter written for が in a name"}},
	{StepLongVowel, "long-vowel", Wording{"長音記号とハイフン", "a long-vowel mark and a dash"}},
	{StepKana, "kana", Wording{"ひらがなとカタカナ", "hiragana and katakana"}},
	{StepSmallKana, "small-kana", Wording{"小書きのかな", "small and large kana"}},
	{StepDiacritic, "diacritic", Wording{"ラテン文字の付加記号", "marks on Latin letters"}},
	{StepFamilySplit, "family-split", Wording{"氏と名の区切りの位置", "where family and given name part"}},
	{StepBracket, "bracket", Wording{"括弧書き（旧氏など）の有無", "a part in brackets, such as a former name"}},
	{StepOrder, "order", Wording{"語順", "the order of the words"}},
	{StepReading, "reading", Wording{"読みのローマ字表記", "the sounds in Latin letters"}},
	{StepScript, "script", Wording{"文字の種類が違うため比較できません", "different scripts, which cannot be compared"}},
	{StepOtherName, "other-name", Wording{"通称または旧氏と一致", "agrees with the alias or former name"}},
	{StepAmbiguousMunicipality, "ambiguous-municipality", Wording{"都道府県・郡の省略により市区町村が特定できません", "prefecture or county left out, and more than one municipality possible"}},
	{StepWard, "ward", Wording{"政令指定都市の区の有無・再編", "the ward of a designated city left out or reorganised"}},
	{StepUnitConflict, "unit-conflict", Wording{"数字は同じで「丁目」「番地」「号」が違います", "equal numbers with different units"}},
	{StepRemainder, "remainder", Wording{"番地より後（建物名・部屋番号など）の有無", "one address goes on behind the house number"}},
	{StepBuilding, "building", Wording{"建物名の表記", "the name of the building"}},
	{StepUnknownPart, "unknown-part", Wording{"不明な部分", "an unknown part"}},

	{StepDifference, "difference", Wording{"文字が違います", "different characters"}},
	{StepMunicipality, "municipality", Wording{"市区町村が違います", "different municipalities"}},
}

// Steps returns all steps, in the order in which they are applied or tried.
func Steps() []Step {
	steps := make([]Step, len(stepTexts))
	for i, t := range stepTexts {
		steps[i] = t.step
	}
	return steps
}

func (s Step) text() stepText {
	for i := range stepTexts {
		if stepTexts[i].step == s {
			return stepTexts[i]
		}
	}
	return stepText{name: "unknown", wording: Wording{"不明", "unknown"}}
}

// String returns the step's name in records, such as "width"; "unknown" for the zero value.
func (s Step) String() string { return s.text().name }

// Wording explains the step to a person.
func (s Step) Wording() Wording { return s.text().wording }

// Outcome is what values come to that differ in this step alone. Only in the name of a municipality, which the table of
// municipalities knows, the steps from [StepVariant] to [StepSmallKana] leave no doubt.
func (s Step) Outcome() Outcome {
	switch {
	case s >= StepDifference && s <= StepMunicipality:
		return Different
	case s >= StepSubstitute && s <= StepUnknownPart:
		return NeedsReview
	case s >= StepSelector && s <= StepCounty:
		return SameAfterNormalisation
	default:
		return OutcomeUnknown
	}
}

// Apply transforms a text by this step alone; the steps for addresses expect what stands behind the municipality. A step that
// does not transform characters, such as [StepSubstitute], returns the text as it is. The result is a key for comparing and
// nothing to store or show in the place of the raw text.
func (s Step) Apply(text string) string {
	t := tokenise([]rune(text), nil)
	switch s {
	case StepSelector:
		t = foldSelectors(t)
	case StepCompatibility:
		t = foldCompatibility(t)
	case StepWidth:
		t = foldWidth(t)
	case StepSymbol:
		t = foldSymbols(t)
	case StepComposition:
		t = foldComposition(t)
	case StepDash:
		t = foldDashes(t)
	case StepCase:
		t = foldCase(t)
	case StepSpace:
		t = foldSpaces(t, true)
	case StepPostcode:
		t = foldPostcode(t)
	case StepKe, StepNameKe:
		foldKe(t, s)
	case StepOaza:
		t = foldOaza(t, 1)
	case StepNumeral:
		t = foldNumerals(t, 1)
	case StepUnit:
		t = foldUnits(t, 1)
	case StepVariant:
		foldVariants(t)
	case StepParticle:
		foldParticles(t)
	case StepLongVowel:
		foldLongVowels(t)
	case StepKana:
		foldKana(t)
	case StepSmallKana:
		foldSmallKana(t)
	case StepDiacritic:
		foldDiacritics(t)
	default:
		return text
	}
	return t.keys()
}
