package fourinfo_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// checkPerson holds for whatever was read from wherever.
func checkPerson(t *testing.T, p fourinfo.Person, problems []fourinfo.Problem) {
	t.Helper()
	lost := map[string]bool{}
	for _, problem := range problems {
		if problem.Attribute == "" || problem.Reason == "" {
			t.Errorf("empty problem %+v", problem)
		}
		if !problem.Warning {
			lost[problem.Attribute] = true
		}
	}
	for _, a := range p.Attributes() {
		if lost[a] {
			t.Errorf("%s is there and unreadable at once", a)
		}
	}
	for _, value := range []string{p.Name.Reveal(), p.Address.Reveal(), p.Birthdate.RevealRaw(), p.Gender.RevealRaw()} {
		if len(value) > longest || !utf8.ValidString(value) {
			t.Errorf("unusable value of %d bytes", len(value))
		}
	}
	for _, s := range []fourinfo.Substitutes{p.Name.Substitutes(), p.Address.Substitutes()} {
		if len(s.Positions) > 0 && (!s.Known || !s.LengthMatches) {
			t.Errorf("positions without alignment: %+v", s)
		}
	}
	if d := p.Birthdate.Reveal(); !p.Birthdate.Present() && d != (fourinfo.PartialDate{}) {
		t.Error("a date without birthdate")
	}
	on := fourinfo.Date{Year: 2026, Month: 4, Day: 1}
	if age, ok := p.Birthdate.AgeOn(on); ok {
		if p.Birthdate.IsAtLeast(age, on) != fourinfo.Yes || p.Birthdate.IsAtLeast(age+1, on) != fourinfo.No {
			t.Errorf("AgeOn and IsAtLeast disagree about %v", p.Birthdate.Reveal())
		}
	}
	back := roundTrip(t, p)
	if !reflect.DeepEqual(back, p) {
		t.Errorf("%+v came back as %+v", p.RevealAll(), back.RevealAll())
	}
	for _, m := range p.Compare(back) {
		if m.Outcome != fourinfo.Same && m.Outcome != fourinfo.NeedsReview {
			t.Errorf("a person compared with itself: %+v", m)
		}
	}
}

func FuzzFromUserinfo(f *testing.F) {
	for _, seed := range []string{
		`{"name":"試験　花子","address":"東京都","birthdate":"19850315","gender":"2"}`,
		`{"name":"\ud842\udfb7","address":{"formatted":"東京都"},"birthdate":"1985-03-15","gender":2}`,
		`{"name":"\ud842","address":{"formatted":{}},"birthdate":"19850000","gender":"male"}`,
		`{"name":null,"address":[],"birthdate":"1985","gender":1e400}`,
		`{"name":"","address":"","birthdate":"","gender":""}`, `{}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var claims map[string]json.RawMessage
		if json.Unmarshal(data, &claims) != nil {
			// Members can also be arbitrary bytes: callers may split the document themselves.
			claims = map[string]json.RawMessage{"name": data, "address": data, "birthdate": data, "gender": data}
		}
		p, problems := fourinfo.FromUserinfo(claims, names)
		checkPerson(t, p, problems)
	})
}

func FuzzFromCertificate(f *testing.F) {
	f.Add("黒桐　幹也", "00000", "1", "319800217", "東京都", "000")
	f.Add("高橋", "1", "3", "400000000", "", "0")
	f.Add("𠮷田", "10", "9", "919800230", "\xff", "x")
	f.Fuzz(func(t *testing.T, name, nameFlags, gender, birthdate, address, addressFlags string) {
		p, problems := fourinfo.FromCertificate(fourinfo.CertificateFields{
			Name: &name, NameSubstitutes: &nameFlags, Gender: &gender, Birthdate: &birthdate, Address: &address,
			AddressSubstitutes: &addressFlags,
		})
		checkPerson(t, p, problems)
		p, problems = fourinfo.FromCard(fourinfo.CardFields{
			Name: name, Address: address, Birthdate: birthdate, Gender: gender,
		})
		checkPerson(t, p, problems)
		if b, err := fourinfo.ParseBirthdate(birthdate); err == nil {
			checkPerson(t, fourinfo.Person{Birthdate: b}, nil)
		}
	})
}
