package fourinfo

// Purpose is the lawful ground on which an individual number (個人番号) may be handled. The law knows three; whatever is
// none of them, identity verification (本人確認) among the rest, is no reason to obtain, keep or show one. The zero value
// names no purpose and is refused everywhere.
type Purpose int

// The lawful purposes of the Number Use Act (行政手続における特定の個人を識別するための番号の利用等に関する法律).
const (
	// PurposeAdministration is 個人番号利用事務 (番号法2条12項, 9条1項): the work of a public body that the act lists, such
	// as taxation, health insurance and pensions.
	PurposeAdministration Purpose = iota + 1
	// PurposeReporting is 個人番号関係事務 (番号法2条13項, 9条4項): the work of whoever must by law file documents that bear
	// the numbers of others, such as withholding statements (源泉徴収票) and payment records (支払調書).
	PurposeReporting
	// PurposeOrdinance is 条例による独自利用事務 (番号法9条2項): welfare, tax or disaster work of a local government under
	// its own ordinance.
	PurposeOrdinance
)

// Valid reports whether p is one of the three purposes.
func (p Purpose) Valid() bool { return p >= PurposeAdministration && p <= PurposeOrdinance }

// String returns "administration", "reporting", "ordinance" or "none", for logs and records of access.
func (p Purpose) String() string {
	switch p {
	case PurposeAdministration:
		return "administration"
	case PurposeReporting:
		return "reporting"
	case PurposeOrdinance:
		return "ordinance"
	default:
		return "none"
	}
}
