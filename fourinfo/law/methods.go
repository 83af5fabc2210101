package law

import (
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// beginningOfPrivateUse is the day from which businesses may verify signatures of cards (公的個人認証法17条).
func beginningOfPrivateUse() fourinfo.Date { return day(2016, time.January, 1) }

// The mobile card became a method in June 2025. That it was there on the day of the service's start is told by more
// than one source; for the days of that month before it, none is clear.
var (
	mobileMonth     = day(2025, time.June, 1)
	mobileMonthEnd  = day(2025, time.June, 23)
	mobileBeginning = day(2025, time.June, 24)
)

// proceedsMethods are those of 施行規則6条1項1号. The letters moved when the mobile card came in between (June 2025), and
// again when the methods by photographs went (April 2027). What is in force comes first, what was last.
func proceedsMethods() []Method {
	var (
		online  = day(2018, time.November, 30)
		before  = day(2018, time.November, 29)
		photos  = day(2027, time.March, 31)
		now     = day(2027, time.April, 1)
		private = beginningOfPrivateUse()
		always  fourinfo.Date
		old     = proceedsOf2018()
		current = proceedsOf2026()
		next    = proceedsOf2027()
	)
	return []Method{
		{"施行規則6条1項1号カ", OwnVerification, mobileBeginning, photos, Quoted, current},
		{"施行規則6条1項1号ヌ（2027年4月1日以後）", OwnVerification, now, always, Quoted, next},
		{"施行規則6条1項1号ワ又はカ（2025年6月）", OwnVerification, mobileMonth, mobileMonthEnd, Secondary, timetable()},
		{"施行規則6条1項1号ワ（2025年6月前）", OwnVerification, online, day(2025, time.May, 31), Secondary, old},
		{"施行規則6条1項1号（2018年11月30日前の号は要確認）", OwnVerification, private, before, ToBeConfirmed, old},

		{"施行規則6条1項1号ヨ", SpecifiedCertification, mobileBeginning, photos, Secondary, current},
		{"施行規則6条1項1号ル（2027年4月1日以後）", SpecifiedCertification, now, always, Secondary, next},
		{"施行規則6条1項1号カ又はヨ（2025年6月）", SpecifiedCertification, mobileMonth, mobileMonthEnd, Secondary, timetable()},
		{"施行規則6条1項1号カ（2025年6月前）", SpecifiedCertification, online, day(2025, time.May, 31), Secondary, old},
		{"施行規則6条1項1号（2018年11月30日前の号は要確認）", SpecifiedCertification, private, before, ToBeConfirmed, old},

		{"施行規則6条1項1号ワ", AccreditedVerification, mobileBeginning, photos, Secondary, current},
		{"施行規則6条1項1号リ（2027年4月1日以後）", AccreditedVerification, now, always, Secondary, next},
		{"施行規則6条1項1号ヲ又はワ（2025年6月）", AccreditedVerification, mobileMonth, mobileMonthEnd, Secondary, timetable()},
		{"施行規則6条1項1号ヲ（2025年6月前）", AccreditedVerification, online, day(2025, time.May, 31), Secondary, old},
		{"施行規則6条1項1号（2018年11月30日前の号は要確認）", AccreditedVerification, private, before, ToBeConfirmed, old},

		{"施行規則6条1項1号ル", MobileDocument, mobileBeginning, photos, Secondary, current},
		{"施行規則6条1項1号ト（2027年4月1日以後）", MobileDocument, now, always, Secondary, next},
		{"施行規則6条1項1号ル（2025年6月のうち施行日前かは要確認）", MobileDocument, mobileMonth, mobileMonthEnd, ToBeConfirmed, timetable()},

		{"施行規則6条1項1号ホ", DocumentImage, online, photos, Secondary, timetable()},
	}
}

// phonesMethods are those of 携帯電話不正利用防止法施行規則. Signatures of cards were a method before April 2026, too, under a letter
// that is to be confirmed.
func phonesMethods() []Method {
	var (
		lastBefore = day(2026, time.March, 31)
		now        = day(2026, time.April, 1)
		always     fourinfo.Date
	)
	return []Method{
		{"施行規則の項目ト", OwnVerification, now, always, Secondary, phonesOf2026()},
		{"施行規則（2026年4月1日前の項目は要確認）", OwnVerification, beginningOfPrivateUse(), lastBefore, ToBeConfirmed, timetable()},

		{
			"施行規則のカード代替電磁的記録による方法（2025年6月のうち施行日前かは要確認）",
			MobileDocument,
			mobileMonth,
			mobileMonthEnd,
			ToBeConfirmed,
			timetable(),
		},
		{"施行規則のカード代替電磁的記録による方法", MobileDocument, mobileBeginning, lastBefore, Secondary, timetable()},
		{"施行規則のカード代替電磁的記録による方法（2026年4月1日以後）", MobileDocument, now, always, Secondary, phonesOf2026()},

		{"施行規則の写真付き本人確認書類の画像による方法", DocumentImage, day(2020, time.April, 1), lastBefore, ToBeConfirmed, timetable()},
	}
}
