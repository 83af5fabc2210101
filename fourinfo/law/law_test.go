package law_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
)

var today = fourinfo.Date{Year: 2026, Month: time.November, Day: 21}

func certificate(name, flags, address, birthdate string) fourinfo.Person {
	none := strings.Repeat("0", len([]rune(address)))
	p, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{
		Name: &name, NameSubstitutes: &flags, Address: &address, AddressSubstitutes: &none, Birthdate: &birthdate,
	})
	return p
}

func hanako() fourinfo.Person {
	return certificate("試験　花子", "00000", "東京都清瀬市架空町１－２－３", "319880723")
}

func profile(t *testing.T, id law.ID) law.Profile {
	t.Helper()
	p, ok := law.Lookup(id)
	if !ok {
		t.Fatalf("no profile %s", id)
	}
	return p
}

func TestCheck(t *testing.T) {
	t.Parallel()
	type items = []law.Item
	substitute := certificate("高橋　花子", "10000", "東京都清瀬市架空町１－２－３", "319880723")
	partial := certificate("試験　花子", "00000", "東京都清瀬市架空町１－２－３", "319880700")
	child := certificate("試験　花子", "00000", "東京都清瀬市架空町１－２－３", "420081122")
	onEighteenthBirthday := certificate("試験　花子", "00000", "東京都清瀬市架空町１－２－３", "420081121")
	unknownDay := certificate("試験　花子", "00000", "東京都清瀬市架空町１－２－３", "420081100")
	for _, tc := range []struct {
		what                     string
		id                       law.ID
		c                        law.Case
		missing, review, refused items
		complete                 bool
	}{
		{"proceeds, all there", law.CriminalProceeds, law.Case{Person: hanako(), Means: law.OwnVerification, On: today,
			Stated: items{law.Reason, law.Occupation}}, nil, nil, nil, true},
		{"proceeds, nothing stated", law.CriminalProceeds, law.Case{Person: hanako(), Means: law.OwnVerification,
			On: today}, items{law.Reason, law.Occupation}, nil, nil, false},
		{"proceeds, high risk", law.CriminalProceeds, law.Case{Person: hanako(), Means: law.OwnVerification, On: today,
			HighRisk: true, Stated: items{law.Reason, law.Occupation}}, items{law.Assets}, nil, nil, false},
		{"proceeds, high risk, assets", law.CriminalProceeds,
			law.Case{Person: hanako(), Means: law.OwnVerification, On: today, HighRisk: true,
				Stated: items{law.Reason, law.Occupation, law.Assets}}, nil, nil, nil, true},
		{"proceeds, substitute", law.CriminalProceeds, law.Case{Person: substitute, Means: law.OwnVerification,
			On: today, Stated: items{law.Reason, law.Occupation}}, nil, items{law.Name}, nil, false},
		{"proceeds, partial birthdate", law.CriminalProceeds,
			law.Case{Person: partial, Means: law.OwnVerification, On: today, Stated: items{law.Reason, law.Occupation}},
			nil, items{law.Birthdate}, nil, false},
		{"proceeds, nobody", law.CriminalProceeds, law.Case{Means: law.OwnVerification, On: today,
			Stated: items{law.Reason, law.Occupation}}, items{law.Name, law.Address, law.Birthdate}, nil, nil, false},
		{"proceeds, login only", law.CriminalProceeds, law.Case{Person: hanako(), Means: law.ServiceAttributes,
			On: today, Stated: items{law.Reason, law.Occupation}}, nil, items{law.Name, law.Address, law.Birthdate},
			nil, false},
		{"proceeds, no means", law.CriminalProceeds, law.Case{Person: hanako(), On: today,
			Stated: items{law.Reason, law.Occupation}}, nil, nil, nil, false},
		{"proceeds, no day", law.CriminalProceeds, law.Case{Person: hanako(), Means: law.OwnVerification,
			Stated: items{law.Reason, law.Occupation}}, nil, nil, nil, false},
		{"phones", law.MobilePhones, law.Case{Person: hanako(), Means: law.OwnVerification, On: today}, nil, nil, nil,
			true},
		{"phones, before the revision", law.MobilePhones, law.Case{Person: hanako(), Means: law.OwnVerification,
			On: fourinfo.Date{Year: 2026, Month: 3, Day: 31}}, nil, nil, nil, false},
		{"secondhand", law.SecondhandGoods, law.Case{Person: hanako(), Means: law.OwnVerification, On: today,
			Stated: items{law.Name, law.Address, law.Age, law.Occupation}}, nil, nil, nil, true},
		{"secondhand, name not in the text", law.SecondhandGoods,
			law.Case{Person: hanako(), Means: law.OwnVerification, On: today,
				Stated: items{law.Address, law.Age, law.Occupation}}, items{law.Name}, nil, nil, false},
		{"secondhand, age certain in spite of the day", law.SecondhandGoods,
			law.Case{Person: partial, Means: law.OwnVerification, On: today,
				Stated: items{law.Name, law.Address, law.Age, law.Occupation}}, nil, nil, nil, true},
		{"secondhand, age uncertain", law.SecondhandGoods, law.Case{Person: unknownDay, Means: law.OwnVerification,
			On: today, Stated: items{law.Name, law.Address, law.Age, law.Occupation}}, nil, items{law.Age}, nil, false},
		{"dating, adult, method to be confirmed", law.DatingSites,
			law.Case{Person: hanako(), Means: law.OwnVerification, On: today}, nil, nil, nil, false},
		{"dating, eve of the birthday", law.DatingSites, law.Case{Person: child, Means: law.OwnVerification, On: today},
			nil, nil, items{law.NotAChild}, false},
		{"dating, birthday", law.DatingSites, law.Case{Person: onEighteenthBirthday, Means: law.OwnVerification,
			On: today}, nil, nil, nil, false},
		{"dating, unknown day", law.DatingSites, law.Case{Person: unknownDay, Means: law.OwnVerification, On: today},
			nil, items{law.NotAChild}, nil, false},
		{"dating, nobody", law.DatingSites, law.Case{Means: law.OwnVerification, On: today}, items{law.NotAChild}, nil,
			nil, false},
	} {
		r := profile(t, tc.id).Check(tc.c)
		if !slices.Equal(r.Missing, tc.missing) || !slices.Equal(r.Review, tc.review) ||
			!slices.Equal(r.Refused, tc.refused) || r.Complete() != tc.complete {
			t.Errorf("%s: %+v, complete %v", tc.what, r, r.Complete())
		}
	}
	if r := (law.Profile{}).Check(law.Case{Person: hanako(), Means: law.OwnVerification, On: today}); r.Complete() {
		t.Error("a profile that asks nothing is complete")
	}
}

// TestLettersChange: on 2027-04-01 the same verification gets another letter, and every day has exactly one.
func TestLettersChange(t *testing.T) {
	t.Parallel()
	p := profile(t, law.CriminalProceeds)
	for _, tc := range []struct {
		means       law.Means
		before, now string
	}{
		{law.OwnVerification, "号カ", "号ヌ"}, {law.SpecifiedCertification, "号ヨ", "号ル"},
		{law.AccreditedVerification, "号ワ", "号リ"}, {law.MobileDocument, "号ル", "号ト"},
	} {
		for day, want := range map[fourinfo.Date]string{
			{Year: 2026, Month: 11, Day: 21}: tc.before, {Year: 2027, Month: 3, Day: 31}: tc.before,
			{Year: 2027, Month: 4, Day: 1}: tc.now, {Year: 2030, Month: 1, Day: 1}: tc.now,
		} {
			r := p.Check(law.Case{Means: tc.means, On: day})
			if len(r.Methods) != 1 || !strings.Contains(r.Methods[0].Letter, want) {
				t.Errorf("%d on %v: %+v, want %s", tc.means, day, r.Methods, want)
			}
		}
	}
}

// TestMethodsOfTheDay: every change of every law, on its last day before and its first day.
func TestMethodsOfTheDay(t *testing.T) {
	t.Parallel()
	on := func(y int, m time.Month, d int) fourinfo.Date { return fourinfo.Date{Year: y, Month: m, Day: d} }
	for _, tc := range []struct {
		id      law.ID
		means   law.Means
		on      fourinfo.Date
		letter  string // "" for no method
		founded bool
	}{
		{law.CriminalProceeds, law.OwnVerification, on(2018, 1, 1), "要確認", false},
		{law.CriminalProceeds, law.OwnVerification, on(2018, 11, 29), "要確認", false},
		{law.CriminalProceeds, law.OwnVerification, on(2018, 11, 30), "号ワ（", true},
		{law.CriminalProceeds, law.OwnVerification, on(2025, 5, 31), "号ワ（", true},
		{law.CriminalProceeds, law.OwnVerification, on(2025, 6, 1), "ワ又はカ", true},
		{law.CriminalProceeds, law.OwnVerification, on(2025, 6, 24), "号カ", true},
		{law.CriminalProceeds, law.OwnVerification, on(2027, 3, 31), "号カ", true},
		{law.CriminalProceeds, law.OwnVerification, on(2027, 4, 1), "号ヌ", true},
		{law.CriminalProceeds, law.AccreditedVerification, on(2025, 5, 31), "号ヲ（", true},
		{law.CriminalProceeds, law.AccreditedVerification, on(2025, 6, 24), "号ワ", true},
		{law.CriminalProceeds, law.AccreditedVerification, on(2027, 4, 1), "号リ", true},
		{law.CriminalProceeds, law.SpecifiedCertification, on(2025, 5, 31), "号カ（", true},
		{law.CriminalProceeds, law.SpecifiedCertification, on(2025, 6, 24), "号ヨ", true},
		{law.CriminalProceeds, law.SpecifiedCertification, on(2027, 4, 1), "号ル", true},
		{law.CriminalProceeds, law.MobileDocument, on(2025, 5, 31), "", false},
		{law.CriminalProceeds, law.MobileDocument, on(2025, 6, 1), "号ル", false},
		{law.CriminalProceeds, law.MobileDocument, on(2025, 6, 24), "号ル", true},
		{law.CriminalProceeds, law.MobileDocument, on(2027, 3, 31), "号ル", true},
		{law.CriminalProceeds, law.MobileDocument, on(2027, 4, 1), "号ト", true},
		{law.CriminalProceeds, law.DocumentImage, on(2018, 11, 29), "", false},
		{law.CriminalProceeds, law.DocumentImage, on(2018, 11, 30), "号ホ", true},
		{law.CriminalProceeds, law.DocumentImage, on(2027, 3, 31), "号ホ", true},
		{law.CriminalProceeds, law.DocumentImage, on(2027, 4, 1), "", false},
		{law.MobilePhones, law.OwnVerification, on(2018, 1, 1), "2026年4月1日前", false},
		{law.MobilePhones, law.OwnVerification, on(2026, 3, 31), "2026年4月1日前", false},
		{law.MobilePhones, law.OwnVerification, on(2026, 4, 1), "項目ト", true},
		{law.MobilePhones, law.OwnVerification, on(2028, 12, 31), "項目ト", true},
		{law.MobilePhones, law.MobileDocument, on(2025, 5, 31), "", false},
		{law.MobilePhones, law.MobileDocument, on(2025, 6, 23), "カード代替", false},
		{law.MobilePhones, law.MobileDocument, on(2025, 6, 24), "カード代替", true},
		{law.MobilePhones, law.MobileDocument, on(2026, 3, 31), "カード代替", true},
		{law.MobilePhones, law.MobileDocument, on(2026, 4, 1), "2026年4月1日以後", true},
		{law.MobilePhones, law.DocumentImage, on(2026, 3, 31), "画像", false},
		{law.MobilePhones, law.DocumentImage, on(2026, 4, 1), "", false},
		{law.SecondhandGoods, law.OwnVerification, on(2020, 3, 31), "要確認", false},
		{law.SecondhandGoods, law.OwnVerification, on(2020, 4, 1), "11号", true},
		{law.SecondhandGoods, law.MobileDocument, on(2026, 11, 21), "", false},
		{law.DatingSites, law.OwnVerification, on(2018, 1, 1), "要確認", false},
		{law.DatingSites, law.ServiceAttributes, on(2024, 6, 20), "", false},
		{law.DatingSites, law.ServiceAttributes, on(2024, 6, 21), "要確認", false},
	} {
		methods := profile(t, tc.id).Check(law.Case{Means: tc.means, On: tc.on}).Methods
		if tc.letter == "" {
			if len(methods) > 0 {
				t.Errorf("%s, means %d on %v: %+v, want none", tc.id, tc.means, tc.on, methods)
			}
			continue
		}
		if len(methods) != 1 || !strings.Contains(methods[0].Letter, tc.letter) ||
			(methods[0].Confidence != law.ToBeConfirmed) != tc.founded {
			t.Errorf("%s, means %d on %v: %+v, want %s", tc.id, tc.means, tc.on, methods, tc.letter)
		}
	}
}

// TestEveryDayHasItsMethod: from 2018 to 2028 no means of a law has two letters on one day, and none loses its method
// for a while.
func TestEveryDayHasItsMethod(t *testing.T) {
	t.Parallel()
	first, last := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, p := range law.Profiles() {
		for means := law.OwnVerification; means <= law.ServiceAttributes; means++ {
			began, ended := false, false
			for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
				methods := p.Check(law.Case{Means: means, On: fourinfo.DateOf(day)}).Methods
				if len(methods) > 1 || len(methods) == 1 && ended {
					t.Fatalf("%s, means %d on %v: %+v", p.ID, means, day, methods)
				}
				ended = ended || began && len(methods) == 0
				began = began || len(methods) == 1
				for _, m := range methods {
					if m.Source.Title == "" || !m.Source.Date.Valid() {
						t.Fatalf("%s: no source of %+v", p.ID, m)
					}
				}
			}
		}
	}
}

func TestProfilesAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[law.ID]bool{}
	for _, p := range law.Profiles() {
		if p.ID == "" || seen[p.ID] || p.Law.JA == "" || p.Law.EN == "" || len(p.Businesses) == 0 ||
			len(p.Occasions) == 0 ||
			len(p.Requirements) == 0 || len(p.Methods) == 0 || len(p.References) == 0 {
			t.Errorf("%s lacks something", p.ID)
		}
		seen[p.ID] = true
		for _, r := range p.References {
			if r.Title == "" || !r.Date.Valid() {
				t.Errorf("%s: reference without title or date: %+v", p.ID, r)
			}
		}
		for _, r := range p.Retentions {
			if r.Years <= 0 || r.Start.JA == "" || r.Start.EN == "" || r.Record.JA == "" ||
				(r.Basis == "") != (r.Confidence == law.ToBeConfirmed) {
				t.Errorf("%s: %+v", p.ID, r)
			}
		}
		for _, q := range p.Requirements {
			if q.Item == "" || q.Origin == 0 || (q.Item == law.NotAChild) != (q.MinimumAge > 0) {
				t.Errorf("%s: %+v", p.ID, q)
			}
		}
	}
	p := profile(t, law.CriminalProceeds)
	p.Requirements[0].Item = "changed"
	if profile(t, law.CriminalProceeds).Requirements[0].Item != law.Name {
		t.Error("a change by one caller reaches another")
	}
	if _, ok := law.Lookup("unheard of"); ok {
		t.Error("a profile of no law")
	}
}

// What a law still asks for on a day, and under which letter of the rule the method stands.
func ExampleProfile_Check() {
	profile, _ := law.Lookup(law.CriminalProceeds)
	name, flags, birthdate := "高橋　花子", "10000", "319880723"
	person, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: &name, NameSubstitutes: &flags,
		Birthdate: &birthdate})
	result := profile.Check(law.Case{
		Person: person, Means: law.OwnVerification, Stated: []law.Item{law.Reason},
		On: fourinfo.Date{Year: 2027, Month: time.April, Day: 1},
	})
	fmt.Println(result.Complete())
	fmt.Println("missing:", result.Missing)
	fmt.Println("review:", result.Review)
	fmt.Println(result.Methods[0].Letter)
	// Output:
	// false
	// missing: [address occupation]
	// review: [name]
	// 施行規則6条1項1号ヌ（2027年4月1日以後）
}
