package fourinfo

// Step is one way of writing the same thing that comparing takes into account, or one doubt that it reports. The steps that
// transform a text can be tried alone with [Step.Apply].
type Step int

// Steps that leave the meaning alone: values that differ in nothing else are [SameAfterNormalisation].
const (
	// StepSelector drops variation selectors (IVS and SVS), which choose the glyph of the character before them.
	StepSelector Step = iota + 1
	// StepCompatibility replaces CJK compatibility ideographs (U+F900 and U+2F800 blocks) by the unified ones, as any Unicode
	// normalisation does silently.
	StepCompatibility
	// StepWidth makes full-width letters, digits and signs half-width, half-width kana full-width and U+3000 a space.
	StepWidth
	// StepSymbol spells out other compatibility characters: ① is 1, ㈱ is (株), a Kangxi radical is its ideograph.
	StepSymbol
	// StepComposition joins a letter with the combining mark after it: か and U+3099 are が.
	StepComposition
	// StepDash makes every dash and hyphen "-", a long-vowel mark only between digits, and every wave dash "~".
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
	// StepKana makes hiragana katakana.
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
	// StepAmbiguousMunicipality: one side leaves out the prefecture or county, and several municipalities have the name.
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
)

// Differences: values with one are [Different].
const (
	// StepDifference: the characters differ and no step explains it.
	StepDifference Step = iota + 201
	// StepMunicipality: the addresses lie in different municipalities.
	StepMunicipality
)
