package fourinfo

import "github.com/kakunin-go/kakunin"

// Step is one way of writing the same thing that comparing takes into account, or one doubt that it reports. The steps
// that transform a text can be tried alone with [Step.Apply].
type Step int

// Steps that leave the meaning alone: values that differ in nothing else are [SameAfterNormalisation].
const (
	// StepSelector drops variation selectors (IVS and SVS), which choose the glyph of the character before them.
	StepSelector Step = iota + 1
	// StepCompatibility replaces CJK compatibility ideographs (U+F900 and U+2F800 blocks) by the unified ones, as any
	// Unicode normalisation does silently.
	StepCompatibility
	// StepWidth makes full-width letters, digits and signs half-width, half-width kana full-width and U+3000 a space.
	StepWidth
	// StepSymbol spells out other compatibility characters: ① is 1, ㈱ is (株), a Kangxi radical is its ideograph.
	StepSymbol
	// StepComposition joins a letter with the combining mark after it: か and U+3099 are が.
	StepComposition
	// StepDash makes every dash and hyphen "-", a long-vowel mark only between digits or Latin letters, and every wave
	// dash "~".
	StepDash
	// StepCase makes Latin letters capital.
	StepCase
	// StepSpace drops spaces; between two digits of an address it makes them "-".
	StepSpace
	// StepPostcode drops a postcode before an address.
	StepPostcode
	// StepNumeral makes the ideographs of numbers digits where an address counts.
	StepNumeral
	// StepUnit makes 丁目, 番地, 番, 号 and の between numbers "-" and drops them after the last.
	StepUnit
	// StepKe makes ケ, ヵ, が and ガ between ideographs of an address ヶ; カ, which may count lots, is up to StepSmallKana.
	StepKe
	// StepOaza drops 大字, 小字 and 字 before the name of a locality.
	StepOaza
	// StepPrefecture is a prefecture that one side leaves out; the rest of the address tells it.
	StepPrefecture
	// StepCounty is a county (郡), or the island in its place, that one side leaves out.
	StepCounty
	// StepIgnorable drops what shows nothing: format characters, joiners, directional marks and fillers.
	StepIgnorable
	// StepApostrophe makes every apostrophe, quotation mark and prime "'".
	StepApostrophe
	// StepBracketKind makes every pair of brackets round ones.
	StepBracketKind
	// StepSeparator drops commas between the parts of an address.
	StepSeparator
	// StepOrdinal drops 第 before a number that an address counts.
	StepOrdinal
)

// Steps that leave a doubt: values that differ in nothing graver are [NeedsReview].
const (
	// StepSubstitute is a substitute character (代替文字) in a certificate, which stands for any character.
	StepSubstitute Step = iota + 101
	// StepSubstitutesUnusable: the flags of a certificate do not fit their text, so any character may be a substitute.
	StepSubstitutesUnusable
	// StepVariant makes variants of an ideograph one: 髙 and 高, 邉 and 辺, 國 and 国; 々 repeats the character before it.
	StepVariant
	// StepParticle makes の, 之 and 乃 ノ, and つ, っ and ッ ツ, between ideographs of an address.
	StepParticle
	// StepNameKe is [StepKe] in a name: 八ケ代 and 八ヶ代 may be two families.
	StepNameKe
	// StepKana makes hiragana katakana, and ゐ and ゑ い and え.
	StepKana
	// StepSmallKana makes small kana large: キヨウコ may be キョウコ, and カ between ideographs of an address ヵ.
	StepSmallKana
	// StepLongVowel makes a dash after kana the long-vowel mark ー.
	StepLongVowel
	// StepDiacritic drops the marks of Latin letters: é is e.
	StepDiacritic
	// StepFamilySplit: both names have a space, in different places.
	StepFamilySplit
	// StepOrder: the same words stand in another order.
	StepOrder
	// StepBracket: one name has a part in brackets, such as a former name, and the other does not.
	StepBracket
	// StepOtherName: the name agrees with the other person's alias (通称) or former name (旧氏) only.
	StepOtherName
	// StepReading: the one is the other in Latin letters, as far as sounds tell.
	StepReading
	// StepScript: the values are written in different scripts and cannot be compared.
	StepScript
	// StepAmbiguousMunicipality: one side leaves out the prefecture or county, and several municipalities have the
	// name.
	StepAmbiguousMunicipality
	// StepWard: one side leaves out the ward of a designated city.
	StepWard
	// StepUnitConflict: the numbers agree and their units do not, as in 1丁目2番 and 1番2号.
	StepUnitConflict
	// StepRemainder: one address goes on after the house number where the other ends.
	StepRemainder
	// StepBuilding: the house numbers agree, the names of the building do not.
	StepBuilding
	// StepUnknownPart: a part of a date or a gender is unknown.
	StepUnknownPart
	// StepLost is a character that a system lost (●, 〓, ■, U+FFFD) or that is private to one system (行政事務標準文字 among
	// them).
	StepLost
	// StepNameMark: one name has hyphens, apostrophes or dots between letters where the other has not.
	StepNameMark
	// StepStreet is the part of an address in Kyoto that names streets (上る, 東入), left out or written otherwise.
	StepStreet
	// StepLocality is a 大字 or 字 that one address names and the other leaves out.
	StepLocality
	// StepLookalike reads a character that looks like the ideograph of a number as one: ニ丁目, ハ番地.
	StepLookalike
)

// Differences: values with one are [Different].
const (
	// StepDifference: the characters differ and no step explains it.
	StepDifference Step = iota + 201
	// StepMunicipality: the addresses lie in different municipalities.
	StepMunicipality
)

// stepText is how a step is called in records and how it is explained to a person.
type stepText struct {
	step    Step
	name    string
	wording kakunin.Message
}

// stepTexts are all steps in the order in which they are applied or tried.
var stepTexts = [...]stepText{
	{StepSelector, "selector", kakunin.Message{JA: "異体字セレクタの有無", EN: "a variation selector"}},
	{StepIgnorable, "ignorable", kakunin.Message{JA: "見えない文字の有無", EN: "a character that shows nothing"}},
	{
		StepCompatibility,
		"compatibility-ideograph",
		kakunin.Message{JA: "互換漢字と統合漢字", EN: "a compatibility ideograph and the unified one"},
	},
	{StepWidth, "width", kakunin.Message{JA: "全角と半角", EN: "full and half width"}},
	{StepApostrophe, "apostrophe", kakunin.Message{JA: "アポストロフィの種類", EN: "the kind of apostrophe"}},
	{StepSymbol, "symbol", kakunin.Message{JA: "囲み文字・組文字・部首文字", EN: "an enclosed or squared character or a radical"}},
	{
		StepComposition,
		"composition",
		kakunin.Message{JA: "濁点・半濁点などの結合の仕方", EN: "a letter and its mark, joined or apart"},
	},
	{StepDash, "dash", kakunin.Message{JA: "ハイフン・ダッシュの種類", EN: "the kind of dash"}},
	{StepBracketKind, "bracket-kind", kakunin.Message{JA: "括弧の種類", EN: "the kind of brackets"}},
	{StepCase, "case", kakunin.Message{JA: "大文字と小文字", EN: "capital and small letters"}},
	{StepSpace, "space", kakunin.Message{JA: "空白の有無・種類", EN: "spaces"}},
	{StepPostcode, "postcode", kakunin.Message{JA: "郵便番号の有無", EN: "a postcode"}},
	{StepSeparator, "separator", kakunin.Message{JA: "読点・コンマの有無", EN: "commas"}},
	{StepKe, "ke", kakunin.Message{JA: "「ヶ」「ケ」「が」などの表記", EN: "the letter written for が"}},
	{StepOaza, "oaza", kakunin.Message{JA: "「大字」「字」の有無", EN: "the words 大字 and 字"}},
	{StepOrdinal, "ordinal", kakunin.Message{JA: "数字の前の「第」の有無", EN: "the word 第 before a number"}},
	{StepNumeral, "numeral", kakunin.Message{JA: "漢数字と算用数字", EN: "ideographs of numbers and digits"}},
	{StepUnit, "unit", kakunin.Message{JA: "「丁目」「番地」「号」「の」とハイフン", EN: "丁目, 番地, 号 or の and dashes"}},
	{StepPrefecture, "prefecture", kakunin.Message{JA: "都道府県名の省略", EN: "the prefecture left out"}},
	{StepCounty, "county", kakunin.Message{JA: "郡・島名の省略", EN: "the county or island left out"}},

	{StepSubstitute, "substitute", kakunin.Message{JA: "代替文字", EN: "a substitute character"}},
	{
		StepSubstitutesUnusable,
		"substitutes-unusable",
		kakunin.Message{JA: "代替文字の位置が不明", EN: "substitute characters at unknown places"},
	},
	{StepLost, "lost", kakunin.Message{JA: "文字化け・外字", EN: "a character that was lost or is private to a system"}},
	{StepVariant, "variant", kakunin.Message{JA: "異体字・新旧字体", EN: "variants of a character, old and new forms"}},
	{StepParticle, "particle", kakunin.Message{JA: "「ノ」「の」「之」、「ツ」「つ」の表記", EN: "the letters written for の and つ"}},
	{StepNameKe, "name-ke", kakunin.Message{JA: "氏名の「ヶ」「ケ」「が」などの表記", EN: "the letter written for が in a name"}},
	{StepLongVowel, "long-vowel", kakunin.Message{JA: "長音記号とハイフン", EN: "a long-vowel mark and a dash"}},
	{StepKana, "kana", kakunin.Message{JA: "ひらがなとカタカナ", EN: "hiragana and katakana"}},
	{StepSmallKana, "small-kana", kakunin.Message{JA: "小書きのかな", EN: "small and large kana"}},
	{StepDiacritic, "diacritic", kakunin.Message{JA: "ラテン文字の付加記号", EN: "marks on Latin letters"}},
	{
		StepNameMark,
		"name-mark",
		kakunin.Message{JA: "氏名の中のハイフン・アポストロフィ・中点の有無", EN: "hyphens, apostrophes or dots in a name"},
	},
	{StepFamilySplit, "family-split", kakunin.Message{JA: "氏と名の区切りの位置", EN: "where family and given name part"}},
	{StepBracket, "bracket", kakunin.Message{JA: "括弧書き（旧氏など）の有無", EN: "a part in brackets, such as a former name"}},
	{StepOrder, "order", kakunin.Message{JA: "語順", EN: "the order of the words"}},
	{StepReading, "reading", kakunin.Message{JA: "読みのローマ字表記", EN: "the sounds in Latin letters"}},
	{StepScript, "script", kakunin.Message{JA: "文字の種類が違うため比較できません", EN: "different scripts, which cannot be compared"}},
	{StepOtherName, "other-name", kakunin.Message{JA: "通称または旧氏と一致", EN: "agrees with the alias or former name"}},
	{
		StepAmbiguousMunicipality,
		"ambiguous-municipality",
		kakunin.Message{
			JA: "都道府県・郡の省略により市区町村が特定できません",
			EN: "prefecture or county left out, and more than one municipality possible",
		},
	},
	{
		StepWard,
		"ward",
		kakunin.Message{JA: "政令指定都市の区の有無・再編", EN: "the ward of a designated city left out or reorganised"},
	},
	{StepStreet, "street", kakunin.Message{JA: "通り名（上る・東入など）の有無・表記", EN: "the streets of an address in Kyoto"}},
	{StepLocality, "locality", kakunin.Message{JA: "大字・字の名の省略", EN: "a locality left out"}},
	{StepLookalike, "look-alike", kakunin.Message{JA: "数字に似た文字（ニ・ハなど）", EN: "a character that looks like a number"}},
	{
		StepUnitConflict,
		"unit-conflict",
		kakunin.Message{JA: "数字は同じで「丁目」「番地」「号」が違います", EN: "equal numbers with different units"},
	},
	{
		StepRemainder,
		"remainder",
		kakunin.Message{JA: "番地より後（建物名・部屋番号など）の有無", EN: "one address goes on behind the house number"},
	},
	{StepBuilding, "building", kakunin.Message{JA: "建物名の表記", EN: "the name of the building"}},
	{StepUnknownPart, "unknown-part", kakunin.Message{JA: "不明な部分", EN: "an unknown part"}},

	{StepDifference, "difference", kakunin.Message{JA: "文字が違います", EN: "different characters"}},
	{StepMunicipality, "municipality", kakunin.Message{JA: "市区町村が違います", EN: "different municipalities"}},
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
	return stepText{name: "unknown", wording: kakunin.Message{JA: "不明", EN: "unknown"}}
}

// String returns the step's name in records, such as "width"; "unknown" for the zero value.
func (s Step) String() string { return s.text().name }

// Wording explains the step to a person.
func (s Step) Wording() kakunin.Message { return s.text().wording }

// Outcome is what values come to that differ in this step alone. Only in the name of a municipality, which the table of
// municipalities knows, the steps from [StepVariant] to [StepSmallKana] leave no doubt.
func (s Step) Outcome() Outcome {
	switch {
	case s >= StepDifference && s <= StepMunicipality:
		return Different
	case s >= StepSubstitute && s <= StepLookalike:
		return NeedsReview
	case s >= StepSelector && s <= StepOrdinal:
		return SameAfterNormalisation
	default:
		return OutcomeUnknown
	}
}

// Apply transforms a text by this step alone; the steps for addresses expect what stands behind the municipality. A
// step that does not transform characters, such as [StepSubstitute], returns the text as it is. The result is a key for
// comparing and nothing to store or show in the place of the raw text.
func (s Step) Apply(text string) string {
	t := tokenise([]rune(text), nil)
	switch s {
	case StepSelector:
		t = foldSelectors(t)
	case StepIgnorable:
		t = foldIgnorable(t)
	case StepApostrophe:
		foldRunes(t, apostrophes, StepApostrophe)
	case StepBracketKind:
		foldRunes(t, brackets, StepBracketKind)
	case StepSeparator:
		t = foldSeparators(t)
	case StepOrdinal:
		t = foldOrdinals(t, 1)
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
