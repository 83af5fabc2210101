package law

import (
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func day(y int, m time.Month, d int) fourinfo.Date { return fourinfo.Date{Year: y, Month: m, Day: d} }

// introduction is the Digital Agency's presentation for businesses, which quotes the items of each law.
func introduction() Reference {
	return Reference{"デジタル庁「デジタル認証アプリのご紹介」", day(2025, time.July, 24)}
}

// timetable is what the authorities published of the changes that end methods by photographs and begin the mobile card.
func timetable() Reference {
	return Reference{"犯罪による収益の移転防止に関する法律施行規則・携帯電話不正利用防止法施行規則の改正（官報・警察庁・総務省の公表）", day(2025, time.June, 24)}
}

// The rules of 犯罪収益移転防止法 in their versions.
func proceedsOf2018() Reference {
	return Reference{"犯罪による収益の移転防止に関する法律施行規則（2018年11月30日施行版）", day(2018, time.November, 30)}
}

func proceedsOf2026() Reference {
	return Reference{"犯罪による収益の移転防止に関する法律施行規則（2026年8月6日施行版）", day(2026, time.August, 6)}
}

func proceedsOf2027() Reference {
	return Reference{"犯罪による収益の移転防止に関する法律施行規則（2027年4月1日施行版）", day(2027, time.April, 1)}
}

func phonesOf2026() Reference {
	return Reference{"携帯電話不正利用防止法施行規則（2026年4月1日施行版）", day(2026, time.April, 1)}
}

// Profiles returns all profiles of this release, as a copy.
func Profiles() []Profile {
	return []Profile{criminalProceeds(), mobilePhones(), secondhandGoods(), datingSites()}
}

func criminalProceeds() Profile {
	return Profile{
		ID:  CriminalProceeds,
		Law: Text{JA: "犯罪による収益の移転防止に関する法律", EN: "Act on Prevention of Transfer of Criminal Proceeds"},
		Businesses: []Text{
			{JA: "金融関連事業者", EN: "financial businesses"},
			{JA: "ファイナンスリース業者", EN: "finance leasing"},
			{JA: "クレジットカード事業者", EN: "credit card businesses"},
			{JA: "宅地建物取引業者", EN: "real estate brokers"},
			{
				JA: "貴金属等取扱事業者",
				EN: "dealers in precious metals and stones",
			},
			{JA: "電話転送サービス業者", EN: "telephone forwarding services"},
			{JA: "士業者", EN: "legal and accounting professions"},
			{JA: "カジノ事業者", EN: "casinos"},
		},
		Occasions: []Text{
			{JA: "預貯金契約", EN: "deposit contracts"}, {JA: "10万円を超える現金送金", EN: "cash remittances above 100,000 yen"},
			{JA: "保険契約", EN: "insurance contracts"}, {JA: "証券取引", EN: "securities transactions"},
			{JA: "クレジットカード契約", EN: "credit card contracts"}, {JA: "宅地建物の売買", EN: "sales of land and buildings"},
			{JA: "カジノチップの販売・換金", EN: "sale and cashing of casino chips"},
		},
		Requirements: []Requirement{
			{Item: Name, Origin: Certified}, {Item: Address, Origin: Certified}, {Item: Birthdate, Origin: Certified},
			{Item: Reason, Origin: Declared, Signed: true}, {Item: Occupation, Origin: Declared, Signed: true},
			{Item: Assets, Origin: Declared, HighRisk: true},
		},
		Methods: proceedsMethods(),
		Retentions: []Retention{
			{
				Record: Text{JA: "確認記録", EN: "record of verification"},
				Years:  7,
				Start: Text{
					JA: "契約の終了日と取引の日のいずれか遅い日",
					EN: "end of the contract or the transaction, whichever is later",
				},
				Event:      ContractEnd,
				Basis:      "法6条2項、施行規則21条",
				Confidence: Quoted,
			},
			{
				Record: Text{JA: "取引記録", EN: "record of transactions"}, Years: 7,
				Start: Text{JA: "取引の日", EN: "the transaction"}, Event: Transaction, Basis: "法7条3項", Confidence: Quoted,
			},
		},
		CertificateKept: true,
		Advice: Text{
			JA: "PF事業者に検証を全面委託する事業者が「署名検証者」に当たるかは法的な判断です。施行規則19条1項2号により電磁的記録を確認記録に添付します。",
			EN: "Whether a business that leaves verification to a platform operator altogether is a signature " +
				"verifier is a legal question. 施行規則19条1項2号 asks to attach the electronic record to the record of " +
				"verification.",
		},
		References: []Reference{
			introduction(),
			proceedsOf2018(), timetable(), proceedsOf2026(), proceedsOf2027(),
		},
	}
}

func mobilePhones() Profile {
	return Profile{
		ID:  MobilePhones,
		Law: Text{JA: "携帯電話不正利用防止法", EN: "Mobile Phone Improper Use Prevention Act"},
		Businesses: []Text{
			{JA: "携帯電話事業者（通信キャリア、MVNO）", EN: "mobile carriers and virtual operators"},
			{JA: "レンタル携帯電話事業者", EN: "mobile phone rental"}, {JA: "販売代理店", EN: "their sales agents"},
		},
		Occasions: []Text{
			{
				JA: "携帯電話端末（SIMカードを含む）の契約時",
				EN: "contracts for phones, SIM cards included",
			},
			{JA: "譲渡（名義変更）時", EN: "transfer to another holder"},
		},
		Requirements: []Requirement{
			{Item: Name, Origin: Certified},
			{Item: Address, Origin: Certified},
			{Item: Birthdate, Origin: Certified},
		},
		Methods: phonesMethods(),
		Retentions: []Retention{{
			Record: Text{JA: "本人確認記録", EN: "record of verification"}, Years: 3,
			Start: Text{JA: "契約の終了日", EN: "end of the contract"}, Event: ContractEnd, Confidence: ToBeConfirmed,
		}},
		References: []Reference{introduction(), timetable(), phonesOf2026()},
	}
}

func secondhandGoods() Profile {
	privateUse, always := beginningOfPrivateUse(), fourinfo.Date{}
	return Profile{
		ID:         SecondhandGoods,
		Law:        Text{JA: "古物営業法", EN: "Secondhand Articles Dealer Act"},
		Businesses: []Text{{JA: "古物商", EN: "dealers in secondhand goods"}},
		Occasions: []Text{
			{JA: "古物を買い受ける場合", EN: "buying"}, {JA: "古物の交換を行う場合", EN: "exchanging"},
			{JA: "古物の売却・交換の委託を受ける場合", EN: "accepting for sale or exchange on commission"},
		},
		Requirements: []Requirement{
			{Item: Name, Origin: Certified, Signed: true}, {Item: Address, Origin: Certified, Signed: true},
			{Item: Occupation, Origin: Declared, Signed: true}, {Item: Age, Origin: Derived, Signed: true},
		},
		// Whether the number was the same before the revision of 2020 is to be confirmed.
		Methods: []Method{
			{
				"施行規則15条3項（当時の号は要確認）",
				OwnVerification,
				privateUse,
				day(2020, time.March, 31),
				ToBeConfirmed,
				introduction(),
			},
			{"施行規則15条3項11号", OwnVerification, day(2020, time.April, 1), always, Secondary, introduction()},
		},
		Retentions: []Retention{{
			Record: Text{JA: "帳簿等", EN: "books"}, Years: 3,
			Start: Text{JA: "最終の記載をした日", EN: "the last entry"}, Event: LastEntry, Basis: "法18条", Confidence: Secondary,
		}},
		Advice: Text{
			JA: "署名する記録に住所・氏名・職業・年齢を含めます。",
			EN: "The signed record contains address, name, occupation and age.",
		},
		References: []Reference{introduction()},
	}
}

func datingSites() Profile {
	privateUse, always := beginningOfPrivateUse(), fourinfo.Date{}
	return Profile{
		ID:           DatingSites,
		Law:          Text{JA: "出会い系サイト規制法", EN: "Act on Regulation of Internet Dating Services"},
		Businesses:   []Text{{JA: "インターネット異性紹介事業者", EN: "internet dating services"}},
		Occasions:    []Text{{JA: "サービス利用開始時等", EN: "first use of the service and later"}},
		Requirements: []Requirement{{Item: NotAChild, Origin: Derived, MinimumAge: 18}},
		Methods: []Method{
			{"施行規則（条項は要確認）", OwnVerification, privateUse, always, ToBeConfirmed, introduction()},
			{"施行規則（条項は要確認）", ServiceAttributes, day(2024, time.June, 21), always, ToBeConfirmed, introduction()},
		},
		Advice: Text{
			JA: "記録は判定結果と日時にとどめ、基本4情報は保存しません。",
			EN: "Keep the verdict and its time, and none of the four attributes.",
		},
		References: []Reference{introduction()},
	}
}
