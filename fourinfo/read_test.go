package fourinfo_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// longest is the longest value that is read, in bytes.
const longest = 4096

var names = fourinfo.ClaimNames{Name: "name", Address: "address", Birthdate: "birthdate", Gender: "gender"}

func userinfo(t *testing.T, member, value string) (fourinfo.Person, []fourinfo.Problem) {
	t.Helper()
	return fourinfo.FromUserinfo(map[string]json.RawMessage{member: json.RawMessage(value)}, names)
}

func certificate(birthdate string) (fourinfo.Person, []fourinfo.Problem) {
	return fourinfo.FromCertificate(fourinfo.CertificateFields{Birthdate: &birthdate})
}

func reasons(problems []fourinfo.Problem) string {
	var all []string
	for _, p := range problems {
		s := p.Attribute + ": " + p.Reason
		if p.Warning {
			s += " (warning)"
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

func TestTextIsKeptUntouched(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"試験　花子", " 試験 花子 ", "\u845b\U000e0100城", "\ufa19", "e\u0301", "神\ufa12\U0010de92", "𠮷田", "ﾊﾅｺ", "", "\ufffd",
	} {
		if got := fourinfo.NewName(raw); got.Reveal() != raw || !got.Present() {
			t.Errorf("NewName(%q).Reveal() = %q", raw, got.Reveal())
		}
		if got := fourinfo.NewAddress(raw).Reveal(); got != raw {
			t.Errorf("NewAddress(%q).Reveal() = %q", raw, got)
		}
		if raw == "" {
			continue
		}
		encoded, err := json.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		p, problems := userinfo(t, "name", string(encoded))
		if p.Name.Reveal() != raw || len(problems) > 0 {
			t.Errorf("userinfo name %q = %q, %s", raw, p.Name.Reveal(), reasons(problems))
		}
	}
}

func TestAbsentIsNotEmpty(t *testing.T) {
	t.Parallel()
	var p fourinfo.Person
	if p.Name.Present() || p.Address.Present() || p.Birthdate.Present() || p.Gender.Present() {
		t.Error("the zero person has attributes")
	}
	if p.Name.Reveal() != "" || p.Birthdate.Reveal() != (fourinfo.PartialDate{}) || p.Birthdate.RevealRaw() != "" ||
		p.Gender.Reveal() != fourinfo.GenderUnknown || p.Gender.RevealRaw() != "" || p.Name.Substitutes().Known {
		t.Error("the zero person has values")
	}
	for _, claims := range []map[string]json.RawMessage{
		nil, {}, {"name": nil}, {"name": []byte("null"), "gender": []byte(" null ")},
		{"Name": []byte(`"x"`), "other": []byte(`"x"`)},
	} {
		got, problems := fourinfo.FromUserinfo(claims, names)
		if len(got.Attributes()) > 0 || len(problems) > 0 {
			t.Errorf("%v: attributes %v, problems %s", claims, got.Attributes(), reasons(problems))
		}
	}
	all := map[string]json.RawMessage{"name": []byte(`"a"`), "gender": []byte(`1`)}
	if got, _ := fourinfo.FromUserinfo(all, fourinfo.ClaimNames{Gender: "gender"}); !reflect.DeepEqual(got.Attributes(),
		[]string{"gender"}) {
		t.Errorf("an attribute without claim name was read: %v", got.Attributes())
	}
	if got, problems := fourinfo.FromCard(fourinfo.CardFields{}); len(got.Attributes()) > 0 || len(problems) > 0 {
		t.Error("an empty card has attributes")
	}
	if got, problems := fourinfo.FromCertificate(fourinfo.CertificateFields{}); len(got.Attributes()) > 0 ||
		len(problems) > 0 {
		t.Error("an empty certificate has attributes")
	}
}

func TestUserinfoText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("あ", longest/3) // 4095 bytes
	for _, tc := range []struct{ member, value, want, problems string }{
		{"name", `"試験　花子"`, "試験　花子", ""},
		{"name", ` "試験" `, "試験", ""},
		{"name", `"\u8a66\u9a13"`, "試験", ""},
		{"name", `"\ud842\udfb7\u7530"`, "𠮷田", ""},
		{"name", `"\uFFFD"`, "\ufffd", ""},
		{"name", `"a\u0000b"`, "a\x00b", ""},
		{"name", `"` + long + `"`, long, ""},
		{"name", `"` + long + `ab"`, "", "name: " + fourinfo.ProblemTooLong},
		{"name", `""`, "", "name: " + fourinfo.ProblemEmpty},
		{"name", `1`, "", "name: " + fourinfo.ProblemNotText},
		{"name", `{"formatted":"x"}`, "", "name: " + fourinfo.ProblemNotText},
		{"name", `["x"]`, "", "name: " + fourinfo.ProblemNotText},
		{"name", `"x`, "", "name: " + fourinfo.ProblemNotText},
		{"name", `"x" "y"`, "", "name: " + fourinfo.ProblemNotText},
		{"name", "\"a\xffb\"", "", "name: " + fourinfo.ProblemEncoding},
		{"name", `"\ud842"`, "", "name: " + fourinfo.ProblemEncoding},
		{"name", `"\udfb7\ud842"`, "", "name: " + fourinfo.ProblemEncoding},
		{"address", `"東京都架空区１－２"`, "東京都架空区１－２", ""},
		{"address", `{"formatted":"東京都架空区１－２","country":"JP"}`, "東京都架空区１－２", ""},
		{"address", ` {"formatted" : "東京都"} `, "東京都", ""},
		{"address", `{"Formatted":"東京都"}`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `{"street_address":"x"}`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `{"formatted":null}`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `{"formatted":{"formatted":"x"}}`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `{"formatted":""}`, "", "address: " + fourinfo.ProblemEmpty},
		{"address", `{}`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `{`, "", "address: " + fourinfo.ProblemNotAddress},
		{"address", `7`, "", "address: " + fourinfo.ProblemNotAddress},
	} {
		p, problems := userinfo(t, tc.member, tc.value)
		got, present := p.Name.Reveal(), p.Name.Present()
		if tc.member == "address" {
			got, present = p.Address.Reveal(), p.Address.Present()
		}
		if got != tc.want || present != (tc.problems == "") || reasons(problems) != tc.problems {
			t.Errorf("%s %.60s: %q, present %v, problems %q; want %q, %q", tc.member, tc.value, got, present,
				reasons(problems), tc.want, tc.problems)
		}
	}
}

func TestOneBadAttributeLeavesTheOthers(t *testing.T) {
	t.Parallel()
	p, problems := fourinfo.FromUserinfo(map[string]json.RawMessage{
		"name": []byte(`"試験"`), "address": []byte(`[]`), "birthdate": []byte(`"1988"`), "gender": []byte(`{}`),
	}, names)
	if got := p.Attributes(); !reflect.DeepEqual(got, []string{"name", "birthdate"}) {
		t.Errorf("attributes = %v", got)
	}
	if len(problems) != 2 || problems[0].Attribute != "address" || problems[1].Attribute != "gender" {
		t.Errorf("problems = %s", reasons(problems))
	}
}

func TestGender(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		value, raw string
		want       fourinfo.GenderValue
	}{
		{`"1"`, "1", fourinfo.Male},
		{`"2"`, "2", fourinfo.Female},
		{`"3"`, "3", fourinfo.GenderOther},
		{`"9"`, "9", fourinfo.GenderNotApplicable},
		{`1`, "1", fourinfo.Male},
		{`2`, "2", fourinfo.Female},
		{`3`, "3", fourinfo.GenderOther},
		{`9`, "9", fourinfo.GenderNotApplicable},
		{`"male"`, "male", fourinfo.Male},
		{`"Female"`, "Female", fourinfo.Female},
		{`"0"`, "0", fourinfo.GenderUnknown},
		{`0`, "0", fourinfo.GenderUnknown},
		{`4`, "4", fourinfo.GenderUnknown},
		{`11`, "11", fourinfo.GenderUnknown},
		{`1.0`, "1.0", fourinfo.GenderUnknown},
		{`1e0`, "1e0", fourinfo.GenderUnknown},
		{`"01"`, "01", fourinfo.GenderUnknown},
		{`"１"`, "１", fourinfo.GenderUnknown},
		{`"man"`, "man", fourinfo.GenderUnknown},
	} {
		p, problems := userinfo(t, "gender", tc.value)
		if got := p.Gender.Reveal(); got != tc.want || p.Gender.RevealRaw() != tc.raw || !p.Gender.Present() ||
			len(problems) > 0 {
			t.Errorf("%s: %v raw %q problems %s; want %v raw %q", tc.value, got, p.Gender.RevealRaw(),
				reasons(problems), tc.want, tc.raw)
		}
	}
	for value, reason := range map[string]string{
		`true`: fourinfo.ProblemNotGender, `{}`: fourinfo.ProblemNotGender, `[1]`: fourinfo.ProblemNotGender,
		`-`: fourinfo.ProblemNotGender, `""`: fourinfo.ProblemEmpty,
		"1" + strings.Repeat("0", longest): fourinfo.ProblemTooLong,
	} {
		p, problems := userinfo(t, "gender", value)
		if p.Gender.Present() || reasons(problems) != "gender: "+reason {
			t.Errorf("%.20s: present %v, problems %q", value, p.Gender.Present(), reasons(problems))
		}
	}
}

func TestSubstitutes(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for _, tc := range []struct {
		name, flags *string
		want        fourinfo.Substitutes
		problems    string
	}{
		{text("黒桐　幹也"), text("00000"), fourinfo.Substitutes{Known: true, LengthMatches: true}, ""},
		{text("高橋　花子"), text("10000"), fourinfo.Substitutes{Known: true, LengthMatches: true, Positions: []int{0}}, ""},
		{text("高橋　花子"), text("10001"), fourinfo.Substitutes{Known: true, LengthMatches: true, Positions: []int{0, 4}},
			""},
		// One flag per code point: four bytes and two UTF-16 units of U+20BB7 count once, a variation selector is its
		// own.
		{text("𠮷田"), text("01"), fourinfo.Substitutes{Known: true, LengthMatches: true, Positions: []int{1}}, ""},
		{text("\u845b\U000e0100城"), text("001"), fourinfo.Substitutes{Known: true, LengthMatches: true,
			Positions: []int{2}}, ""},
		{text("か\u3099"), text("01"), fourinfo.Substitutes{Known: true, LengthMatches: true, Positions: []int{1}}, ""},
		// Some mocks do not count the space: nothing may be aligned.
		{text("高橋　花子"), text("1000"), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutesCount + " (warning)"},
		{text("高橋　花子"), text("100000"), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutesCount + " (warning)"},
		{text("高橋　花子"), text("0"), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutesCount + " (warning)"},
		{text("高橋　花子"), text(""), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutesCount + " (warning)"},
		{text("高橋　花子"), text("0000x"), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutes + " (warning)"},
		{text("高橋　花子"), text("００００１"), fourinfo.Substitutes{Known: true},
			"name: " + fourinfo.ProblemSubstitutes + " (warning)"},
		{text("高橋　花子"), nil, fourinfo.Substitutes{}, ""},
		{nil, text("0"), fourinfo.Substitutes{}, "name: " + fourinfo.ProblemSubstitutesAlone + " (warning)"},
	} {
		p, problems := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: tc.name, NameSubstitutes: tc.flags})
		if got := p.Name.Substitutes(); !reflect.DeepEqual(got, tc.want) || reasons(problems) != tc.problems {
			t.Errorf("%+v: %+v, problems %q; want %+v, %q", tc, got, reasons(problems), tc.want, tc.problems)
		}
		if p.Name.Present() != (tc.name != nil) {
			t.Errorf("%+v: present %v", tc, p.Name.Present())
		}
		a, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Address: tc.name, AddressSubstitutes: tc.flags})
		if got := a.Address.Substitutes(); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("address %+v: %+v", tc, got)
		}
	}
	address := "東京都清瀬市観布子南１２－７－２０２"
	p, problems := fourinfo.FromCertificate(fourinfo.CertificateFields{Address: &address,
		AddressSubstitutes: text(strings.Repeat("0", 18))})
	if !p.Address.Substitutes().LengthMatches || len(problems) > 0 {
		t.Error("the published 18 flags do not match their address")
	}
}

func TestCertificateAndCardText(t *testing.T) {
	t.Parallel()
	bad := map[string]string{
		"":                             fourinfo.ProblemEmpty,
		"a\xff":                        fourinfo.ProblemEncoding,
		strings.Repeat("a", longest+1): fourinfo.ProblemTooLong,
	}
	for value, reason := range bad {
		p, problems := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: &value, Address: &value,
			Gender: &value, Birthdate: &value})
		want := "name: " + reason + "; address: " + reason + "; birthdate: " + reason + "; gender: " + reason
		if len(p.Attributes()) > 0 || reasons(problems) != want {
			t.Errorf("certificate %.10q: %v, %s", value, p.Attributes(), reasons(problems))
		}
		if value == "" {
			continue
		}
		p, problems = fourinfo.FromCard(fourinfo.CardFields{
			Name: value, Address: value, Birthdate: value, Gender: value,
		})
		if len(p.Attributes()) > 0 || reasons(problems) != want {
			t.Errorf("card %.10q: %v, %s", value, p.Attributes(), reasons(problems))
		}
	}
	p, problems := fourinfo.FromCard(fourinfo.CardFields{
		Name: "試験　花子", Address: "東京都", Birthdate: "19880229", Gender: "2",
	})
	if len(problems) > 0 || len(p.Attributes()) != 4 ||
		p.Birthdate.Reveal() != (fourinfo.PartialDate{Year: 1988, Month: 2, Day: 29}) ||
		p.Gender.Reveal() != fourinfo.Female || p.Name.Substitutes().Known {
		t.Errorf("card: %v, %s", p.Attributes(), reasons(problems))
	}
	if _, problems := fourinfo.FromCard(fourinfo.CardFields{Birthdate: "319880229"}); reasons(
		problems) != "birthdate: "+fourinfo.ProblemDateForm {
		t.Errorf("a card birthdate with era was read: %s", reasons(problems))
	}
}

// TestAddressFromParts: an address object without "formatted" is put together from its other members, and marked so.
func TestAddressFromParts(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"region":"東京都","locality":"清瀬市","street_address":"架空町１－２－３"}`:                                         "東京都清瀬市架空町１－２－３",
		`{"street_address":"架空町１－２－３","locality":"清瀬市","region":"東京都","postal_code":"204-0000","country":"JP"}`: "東京都清瀬市架空町１－２－３",
		`{"formatted":null,"region":"東京都","locality":"清瀬市","street_address":"架空町１"}`:                            "東京都清瀬市架空町１",
		`{"formatted":"","region":"東京都","street_address":"架空町１"}`:                                               "東京都架空町１",
		`{"region":"東京都","locality":null,"street_address":"清瀬市架空町１\r\n架空荘１０１"}`:                                 "東京都清瀬市架空町１ 架空荘１０１",
		`{"street_address":"1-2-3 Kaku","locality":"Kiyose","region":"Tokyo","country":"Japan"}`:                "Tokyo Kiyose 1-2-3 Kaku",
		`{"country":"アメリカ合衆国","region":"ハワイ州"}`:                                                                 "アメリカ合衆国ハワイ州",
		`{"street_address":"東京都清瀬市架空町１－２－３"}`:                                                                   "東京都清瀬市架空町１－２－３",
		`{"locality":"東京都清瀬市架空町１－２－３"}`:                                                                         "東京都清瀬市架空町１－２－３",
	} {
		p, problems := userinfo(t, "address", raw)
		if p.Address.Reveal() != want || reasons(problems) != "address: put together from its parts (warning)" {
			t.Errorf("%s: %q, %s", raw, p.Address.Reveal(), reasons(problems))
		}
	}
	for _, raw := range []string{
		`{}`, `{"formatted":null}`, `{"postal_code":"204-0000"}`, `{"street_address":"架空町１－２－３"}`, `{"country":"JP"}`,
		`{"country":"US"}`, `{"region":"東京都","locality":5}`,
		`{"formatted":7,"region":"東京都"}`, `{"Region":"東京都"}`, `{"region":"  "}`, `["東京都"]`,
	} {
		p, problems := userinfo(t, "address", raw)
		if p.Address.Present() || len(problems) != 1 || problems[0].Warning {
			t.Errorf("%s: %q, %s", raw, p.Address.Reveal(), reasons(problems))
		}
	}
	p, problems := userinfo(t, "address", `{"formatted":"東京都清瀬市","region":"大阪府"}`)
	if p.Address.Reveal() != "東京都清瀬市" || len(problems) > 0 {
		t.Errorf("formatted comes first: %q, %s", p.Address.Reveal(), reasons(problems))
	}
}
