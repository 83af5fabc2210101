// Package law says what Japanese laws about identity verification (本人確認) ask of a business, as data, and checks what a
// case still lacks. It is information with its sources and dates, and no legal advice: laws change, and whether a
// business, an occasion or a method falls under one is a question for counsel.
//
//	profile, _ := law.Lookup(law.CriminalProceeds)
//	result := profile.Check(law.Case{Person: report.Certificate.Person, Stated: …, Means: …, On: …})
//	if !result.Complete() { … result.Missing, result.Review }
//
// Methods have the days on which they are in force, so that [Profile.Check] answers for the day of the transaction,
// also years later. Where the sources tell a month or no letter, the method is there for the days in question and
// marked [ToBeConfirmed].
//
// # What may not be done with attributes and subjects
//
// The terms of the service and the laws leave no room for two things that look convenient. Attributes that were
// obtained for one's own verification are not passed on to others as verified data of equal reliability: whoever relies
// on them must verify for himself or be a certified verifier. And no identifier or key for other services, databases or
// partners is derived from the subject (利用者識別子): it is pairwise on purpose, may change with a new certificate, and
// joins nothing.
//
// Every profile is a value; nothing in this package or elsewhere in the module branches on the name of a law.
//
// # Examples
//
// There is an example of [Profile.Check].
//
// # Compatibility
//
// IDs, items and the texts of letters are kept in records and stay; new methods and days are added as laws change.
package law

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// Text is a text in both languages. Names of laws and items keep their Japanese form.
type Text = kakunin.Message

// ID names a profile.
type ID string

// Profiles of this release.
const (
	// CriminalProceeds is 犯罪収益移転防止法.
	CriminalProceeds ID = "hanshu"
	// MobilePhones is 携帯電話不正利用防止法.
	MobilePhones ID = "keitai"
	// SecondhandGoods is 古物営業法.
	SecondhandGoods ID = "kobutsu"
	// DatingSites is 出会い系サイト規制法.
	DatingSites ID = "deai"
)

// Item is something that a law asks to confirm.
type Item string

// Items.
const (
	Name       Item = "name"       // 氏名
	Address    Item = "address"    // 住所, 住居
	Birthdate  Item = "birthdate"  // 生年月日
	Age        Item = "age"        // 年齢
	Occupation Item = "occupation" // 職業
	Reason     Item = "reason"     // 取引を行う目的
	Assets     Item = "assets"     // 資産及び収入の状況
	NotAChild  Item = "not-a-child"
)

// Origin says where an item comes from.
type Origin int

// Origins. The zero value is none.
const (
	// Certified: an attribute of the person, from the signing certificate or another document.
	Certified Origin = iota + 1
	// Declared: the person states it; put it into the signed text.
	Declared
	// Derived: it follows from another attribute, such as an age from the birthdate.
	Derived
)

// Requirement is one item of a profile.
type Requirement struct {
	Item   Item
	Origin Origin
	// Signed: the item must stand in the signed text.
	Signed bool
	// HighRisk: only for transactions of high risk (ハイリスク取引).
	HighRisk bool
	// MinimumAge is for NotAChild: the person must be at least that old during the day, by the everyday rule.
	MinimumAge int
}

// Means is how the person is verified.
type Means int

// Means. The zero value is none and fits no method.
const (
	// OwnVerification: a signature with the signing certificate, which the business itself may verify as a signature
	// verifier (署名検証者, 公的個人認証法17条4項).
	OwnVerification Means = iota + 1
	// AccreditedVerification: the same, verified by an accredited certification business (認定認証事業者).
	AccreditedVerification
	// SpecifiedCertification: a certificate of a business of specified certification (特定認証業務, 公的個人認証法17条1項5号).
	SpecifiedCertification
	// MobileDocument: the mobile form of the card (カード代替電磁的記録), by programs that the Prime Minister has certified.
	MobileDocument
	// DocumentImage: images of a document with a photograph and of the person's face, sent online.
	DocumentImage
	// ServiceAttributes: the four attributes from the service's userinfo, read from the card's text file and unsigned.
	ServiceAttributes
)

// Confidence says how well a statement of a profile is founded.
type Confidence int

// Confidence, from none upward.
const (
	// ToBeConfirmed: one weak source or an inference. A check that rests on it needs review.
	ToBeConfirmed Confidence = iota
	// Secondary: one good source, or several that are not the law's text.
	Secondary
	// Quoted: the text of the law or a publication of the authority.
	Quoted
)

// Method is a way of verification that a law lists.
type Method struct {
	// Letter is the item's place in the rule, such as "施行規則6条1項1号カ".
	Letter string
	Means  Means
	// From and Until are the first and the last day on which the letter is in force; a zero Date is no limit.
	From, Until fourinfo.Date
	Confidence  Confidence
	// Source is what tells the letter and its days.
	Source Reference
}

// InForce reports whether the letter is in force on the day.
func (m Method) InForce(on fourinfo.Date) bool {
	return on.Valid() && (m.From == fourinfo.Date{} || m.From.Compare(on) <= 0) &&
		(m.Until == fourinfo.Date{} || m.Until.Compare(on) >= 0)
}

// Event is what a period counts from, as a word for programs; Retention.Start says it for people.
type Event string

// Events of the profiles. A business may have others.
const (
	// Transaction is the transaction for which the verification was made.
	Transaction Event = "transaction"
	// ContractEnd is the end of the contract, or the transaction if that was later.
	ContractEnd Event = "contract-end"
	// LastEntry is the last entry in the book.
	LastEntry Event = "last-entry"
)

// Retention is a record that must be kept.
type Retention struct {
	Record Text
	// Start is the event from which the years count, in words; Event for programs.
	Start      Text
	Event      Event
	Years      int
	Basis      string
	Confidence Confidence
}

// Reference is where a profile comes from.
type Reference struct {
	Title string
	Date  fourinfo.Date // of publication or of the version
}

// Profile is what one law asks.
type Profile struct {
	ID           ID
	Law          Text
	Businesses   []Text
	Occasions    []Text
	Requirements []Requirement
	Methods      []Method
	Retentions   []Retention
	// CertificateKept: the law asks to keep the electronic record of the verification, certificate included.
	CertificateKept bool
	// Advice is what else to observe.
	Advice     Text
	References []Reference
}

// Lookup returns the profile; ok is false if there is none of that name. Changing it changes nobody else's.
func Lookup(id ID) (p Profile, ok bool) {
	for _, p := range Profiles() {
		if p.ID == id {
			return p, true
		}
	}
	return Profile{}, false
}
