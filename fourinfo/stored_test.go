package fourinfo_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func text(s string) *string { return &s }

func roundTrip(t *testing.T, p fourinfo.Person) fourinfo.Person {
	t.Helper()
	encoded, err := json.Marshal(p.RevealAll())
	if err != nil {
		t.Fatal(err)
	}
	var s fourinfo.Stored
	if err := json.Unmarshal(encoded, &s); err != nil {
		t.Fatal(err)
	}
	back, err := s.Person()
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestStoredRoundTrip(t *testing.T) {
	t.Parallel()
	fromCertificate, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{
		Name: text("高橋　花子"), NameSubstitutes: text("10000"), Gender: text("2"), Birthdate: text("319800200"),
		Address: text("東京都"), AddressSubstitutes: text("00"), // one too few: kept as it is
	})
	fromCard, _ := fourinfo.FromCard(fourinfo.CardFields{Name: "高橋　花子", Birthdate: "19800217", Gender: "7"})
	malformedFlags, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: text("高橋"),
		NameSubstitutes: text("xx")})
	for _, p := range []fourinfo.Person{
		{}, fromCertificate, fromCard, malformedFlags, secretPerson(t), {Birthdate: born(t, "1980-02-17")},
		{Name: fourinfo.NewName("")},
	} {
		if back := roundTrip(t, p); !reflect.DeepEqual(back, p) {
			t.Errorf("%+v came back as %+v", p.RevealAll(), back.RevealAll())
		}
	}
}

func TestStoredFormIsStable(t *testing.T) {
	t.Parallel()
	p, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{
		Name: text("高橋"), NameSubstitutes: text("10"), Gender: text("2"), Birthdate: text("319800217"),
		Address: text("東京都"), AddressSubstitutes: text("000"),
	})
	encoded, err := json.Marshal(p.RevealAll())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"v":1,"name":"高橋","name_substitutes":"10","address":"東京都","address_substitutes":"000",` +
		`"birthdate":"319800217","birthdate_form":"era","gender":"2"}`
	if string(encoded) != want {
		t.Errorf("stored form = %s", encoded)
	}
}

func TestStoredIsACopy(t *testing.T) {
	t.Parallel()
	p, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: text("高橋"), NameSubstitutes: text("10"),
		Gender: text("2")})
	s := p.RevealAll()
	*s.Name, *s.NameSubstitutes, *s.Gender = "x", "0", "1"
	if p.Name.Reveal() != "高橋" || len(p.Name.Substitutes().Positions) != 1 || p.Gender.RevealRaw() != "2" {
		t.Error("writing to the stored form changed the person")
	}
	s = p.RevealAll()
	q, err := s.Person()
	if err != nil {
		t.Fatal(err)
	}
	*s.Name, *s.NameSubstitutes = "x", "0"
	if q.Name.Reveal() != "高橋" || len(q.Name.Substitutes().Positions) != 1 {
		t.Error("writing to the stored form changed the person read from it")
	}
}

func TestStoredRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", longest+1)
	for what, tc := range map[string]struct {
		stored fourinfo.Stored
		want   fourinfo.Error
	}{
		"zero":   {fourinfo.Stored{}, fourinfo.Error{Reason: fourinfo.ReasonVersion}},
		"future": {fourinfo.Stored{Version: 3}, fourinfo.Error{Reason: fourinfo.ReasonVersion}},
		"long name": {fourinfo.Stored{Version: 1, Name: &long},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "name"}},
		"flags alone": {fourinfo.Stored{Version: 1, NameSubstitutes: text("0")},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "name"}},
		"bad flags": {fourinfo.Stored{Version: 1, Address: text("a"), AddressSubstitutes: text("2")},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "address"}},
		"long gender": {fourinfo.Stored{Version: 1, Gender: &long},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "gender"}},
		"no form": {fourinfo.Stored{Version: 1, Birthdate: text("19800217")},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "birthdate"}},
		"wrong form": {fourinfo.Stored{Version: 1, Birthdate: text("19800217"), BirthdateForm: "era"},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "birthdate"}},
		"impossible date": {fourinfo.Stored{Version: 1, Birthdate: text("19800230"), BirthdateForm: "compact"},
			fourinfo.Error{Reason: fourinfo.ReasonMalformed, Step: "birthdate"}},
	} {
		p, err := tc.stored.Person()
		var e *fourinfo.Error
		if !errors.As(err, &e) || *e != tc.want || len(p.Attributes()) > 0 {
			t.Errorf("%s: %v, want %v", what, err, &tc.want)
		}
	}
}

func reasonOf(err error) fourinfo.Reason {
	var e *fourinfo.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return fourinfo.ReasonUnknown
}
