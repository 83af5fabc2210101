package fourinfo_test

import (
	"reflect"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func certName(name, flags string) fourinfo.Person {
	p, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: &name, NameSubstitutes: &flags})
	return p
}

func TestCompareTexts(t *testing.T) {
	t.Parallel()
	plain := func(s string) fourinfo.Person { return fourinfo.Person{Name: fourinfo.NewName(s)} }
	for _, tc := range []struct {
		what string
		a, b fourinfo.Person
		want fourinfo.Outcome
	}{
		{"equal", plain("高橋　花子"), certName("高橋　花子", "00000"), fourinfo.Same},
		{"different", plain("高橋　花子"), certName("高橋　春子", "00000"), fourinfo.Different},
		{"width of the space", plain("高橋 花子"), plain("高橋　花子"), fourinfo.SameAfterNormalisation},
		{"compatibility ideograph", plain("\ufa19"), plain("\u795e"), fourinfo.SameAfterNormalisation},
		{"substitute", plain("\u9ad9橋　花子"), certName("高橋　花子", "10000"), fourinfo.NeedsReview},
		{"flagged but equal", plain("高橋　花子"), certName("高橋　花子", "10000"), fourinfo.NeedsReview},
		{"different beside the substitute", plain("\u9ad9橋　春子"), certName("高橋　花子", "10000"), fourinfo.Different},
		{"different length", plain("\u9ad9橋　花"), certName("高橋　花子", "10000"), fourinfo.Different},
		{"supplementary plane counts once", plain("\U00020bb7田"), certName("吉田", "10"), fourinfo.NeedsReview},
		{"selector beside the substitute", plain("\u845b\U000e0100城　花子"), certName("葛城　花子", "10000"),
			fourinfo.NeedsReview},
		{"selector at the end", plain("城　\u845b\U000e0101"), certName("城　葛", "001"), fourinfo.NeedsReview},
		{"selector on another character", plain("\u845b\U000e0100城　花子"), certName("葛城　花子", "01000"),
			fourinfo.NeedsReview},
		{"selector and another character", plain("\u845b\U000e0100城　春子"), certName("葛城　花子", "10000"),
			fourinfo.Different},
		{"selector without flags", plain("\u845b\U000e0100城"), certName("葛城", "00"), fourinfo.SameAfterNormalisation},
		{"unusable flags, equal", plain("高橋　花子"), certName("高橋　花子", "0000"), fourinfo.NeedsReview},
		{"unusable flags, different", plain("高橋　春子"), certName("高橋　花子", "1000"), fourinfo.NeedsReview},
		{"both flagged", certName("高橋", "10"), certName("高橋", "01"), fourinfo.NeedsReview},
		{"empty is a value", plain(""), certName("高橋", "00"), fourinfo.Different},
	} {
		for _, got := range [][]fourinfo.FieldMatch{tc.a.Compare(tc.b), tc.b.Compare(tc.a)} {
			if len(got) != 1 || got[0].Attribute != "name" || got[0].Outcome != tc.want {
				t.Errorf("%s: %v, want %v", tc.what, got, tc.want)
			}
		}
	}
}

func TestCompareDatesAndGenders(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want fourinfo.Outcome
	}{
		{"19800217", "319800217", fourinfo.Same},
		{"1980-02-17", "19800217", fourinfo.Same},
		{"419800217", "319800217", fourinfo.Same}, // the era is redundant
		{"19800217", "19800218", fourinfo.Different},
		{"19800217", "19810217", fourinfo.Different},
		{"19800200", "19800217", fourinfo.NeedsReview},
		{"19800200", "19800200", fourinfo.NeedsReview},
		{"19800200", "19800317", fourinfo.Different},
		{"00000000", "19800317", fourinfo.NeedsReview},
	} {
		a, b := fourinfo.Person{Birthdate: born(t, tc.a)}, fourinfo.Person{Birthdate: born(t, tc.b)}
		if got := a.Compare(b); len(got) != 1 || got[0].Attribute != "birthdate" || got[0].Outcome != tc.want {
			t.Errorf("%s and %s: %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
	for _, tc := range []struct {
		a, b string
		want fourinfo.Outcome
	}{
		{"1", "male", fourinfo.Same},
		{"2", "2", fourinfo.Same},
		{"1", "2", fourinfo.Different},
		{"3", "1", fourinfo.Different},
		{"0", "0", fourinfo.NeedsReview},
		{"0", "1", fourinfo.NeedsReview},
	} {
		a, b := fourinfo.Person{Gender: fourinfo.NewGender(tc.a)}, fourinfo.Person{Gender: fourinfo.NewGender(tc.b)}
		if got := a.Compare(b); len(got) != 1 || got[0].Attribute != "gender" || got[0].Outcome != tc.want {
			t.Errorf("%s and %s: %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestCompareAsksForWhatIsExpected(t *testing.T) {
	t.Parallel()
	full, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "高橋　花子", Address: "東京都", Birthdate: "19800217", Gender: "2",
	})
	onlyName := fourinfo.Person{Name: fourinfo.NewName("高橋　花子")}
	if got := onlyName.Compare(full); !reflect.DeepEqual(got,
		[]fourinfo.FieldMatch{{Attribute: "name", Outcome: fourinfo.Same}}) {
		t.Errorf("expected name only: %v", got)
	}
	want := []fourinfo.FieldMatch{
		{Attribute: "name", Outcome: fourinfo.Same},
		{Attribute: "address", Outcome: fourinfo.OutcomeUnknown},
		{Attribute: "birthdate", Outcome: fourinfo.OutcomeUnknown},
		{Attribute: "gender", Outcome: fourinfo.OutcomeUnknown},
	}
	if got := full.Compare(onlyName); !reflect.DeepEqual(got, want) {
		t.Errorf("what is expected and missing must be reported: %v", got)
	}
	if got := (fourinfo.Person{}).Compare(full); len(got) != 0 {
		t.Errorf("nothing expected: %v", got)
	}
}
