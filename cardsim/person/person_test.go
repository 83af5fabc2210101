package person

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// testTime is the day of these tests.
var testTime = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// ready is what there is of a person of the library on the day of these tests.
func ready(name Persona) Details {
	p, err := Lookup(name, testTime)
	if err != nil {
		panic(err)
	}
	return p.Reveal()
}

// goldenPerson is a person in the golden file.
type goldenPerson struct {
	ID                 string `json:"id"`
	Name               string `json:"name"`
	Address            string `json:"address"`
	CertificateName    string `json:"certificate_name"`
	NameSubstitutes    string `json:"name_substitutes,omitempty"`
	CertificateAddress string `json:"certificate_address"`
	AddressSubstitutes string `json:"address_substitutes,omitempty"`
	Gender             string `json:"gender"`
	Birthdate          string `json:"birthdate"`
	PrefectureRomaji   string `json:"prefecture_romaji"`
	CityRomaji         string `json:"city_romaji"`
	MunicipalityCode   string `json:"municipality_code"`
	IndividualNumber   string `json:"individual_number"`
	AuthPIN            string `json:"auth_pin"`
	TextPIN            string `json:"text_pin"`
	SigningPassword    string `json:"signing_password"`
	SecurityCode       string `json:"security_code"`
	CardExpiry         string `json:"card_expiry"`
}

func goldenOf(p Details) goldenPerson {
	s := p.Subject
	return goldenPerson{
		p.ID, p.Name, p.Address, s.Name, s.NameSubstitutes, s.Address, s.AddressSubstitutes, s.Gender, s.Birthdate,
		s.PrefectureRomaji, s.CityRomaji, s.MunicipalityCode, p.IndividualNumber, p.AuthPIN, p.TextPIN,
		p.SigningPassword,
		p.SecurityCode, p.CardExpiry,
	}
}

// What certificates and cards say of every ready person, and of some random ones, is part of the interface: keys,
// numbers and PINs of other people's tests hang on it.
func TestPersonsGolden(t *testing.T) {
	var people []goldenPerson
	for _, name := range Personas() {
		people = append(people, goldenOf(ready(name)))
	}
	for i := range 12 {
		people = append(people, goldenOf(Random(fmt.Sprint(i), testTime).Reveal()))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(people); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/persons.golden", b.Bytes())
}

func TestReadyPersonsFitOnACard(t *testing.T) {
	numbers, names := map[string]Persona{}, map[Persona]bool{}
	for _, name := range Personas() {
		p := ready(name)
		if other, ok := numbers[p.IndividualNumber]; ok || names[name] {
			t.Errorf("%s and %s share a name or an individual number", name, other)
		}
		numbers[p.IndividualNumber], names[name] = name, true
		if n := len(p.Subject.NameSubstitutes); n != 0 && n != utf8.RuneCountInString(p.Subject.Name) {
			t.Errorf("%s: %d flags for %d characters", name, n, utf8.RuneCountInString(p.Subject.Name))
		}
	}
	if len(numbers) < 20 {
		t.Errorf("%d persons", len(numbers))
	}
	if _, err := Lookup("nobody", testTime); reason(err) != ReasonNobody {
		t.Errorf("unknown person: %v", err)
	}
}

func TestDefaultPersonHasTheDocumentedPINs(t *testing.T) {
	p := ready(Hanako)
	if p.AuthPIN != "1234" || p.TextPIN != "1234" || p.SigningPassword != "ABC123" || p.Subject.Gender != "2" {
		t.Error("Hanako is documented with PINs 1234, 1234 and ABC123")
	}
}

// The traps that the documentation of each person names.
func TestReadyPersonsAreWhatTheyAreFor(t *testing.T) {
	certificate := func(name, text, flags string) {
		t.Helper()
		if s := ready(Persona(name)).Subject; s.Name != text || s.NameSubstitutes != flags {
			t.Errorf("%s: %+q flags %q, want %+q %q", name, s.Name, s.NameSubstitutes, text, flags)
		}
	}
	certificate("taro", "高確　太郎", "10000")
	certificate("saki", "山崎　咲", "0100")
	certificate("yoshiko", "吉野　佳子", "10000")
	certificate("katsuo", "葛城　勝男", "10000")
	certificate("wayan", "ワヤン", "")
	certificate("tokuji", "\u795E\u585A　徳二", "11000")
	certificate("mutsumi", "確認［旧氏］　睦美", "")
	certificate("alexandra", "ＫＡＫＵＮＩＮ　ＶＯＮ　ＢＥＩＳＰＩＥＬ－ＭＵＳＴＥＲＭＡＮＮ　ＡＬＥＸＡＮＤＲＡ　ＭＡＸＩＭＩＬＩＡＮＡ　ＴＨＥＯＤＯＲＡ［確認　亜里］", "")
	for name, original := range map[Persona]string{
		Taro: "\u9AD9", Saki: "\uFA11", Yoshiko: "\U00020BB7", Katsuo: "葛\U000E0100", Tokuji: "\uFA19\uFA10",
	} {
		if !strings.Contains(ready(name).Name, original) {
			t.Errorf("%s: the card must have the original character", name)
		}
	}
	if s := ready(Tokuji).Subject; !strings.Contains(s.AddressSubstitutes, "1") ||
		!strings.Contains(s.Address, "\u90FD町") {
		t.Error("tokuji: the address needs a substitute character as well")
	}
	for name, birthdate := range map[Persona]string{
		Umeko: "19470200", Takeo: "19440000", Matsu: "00000000", Tome: "19120729", Kiyoshi: "19261225",
		Akira:  "19890107",
		Hajime: "19890108", Rei: "20190501", Uruu: "20040229", Eve: "20061122",
	} {
		if got := ready(name).Subject.Birthdate; got != birthdate {
			t.Errorf("%s was born %s, want %s", name, got, birthdate)
		}
	}
	if n := utf8.RuneCountInString(ready(Nagai).Address); n < 100 || n > 200 {
		t.Errorf("nagai's address has %d characters", n)
	}
}

func TestAgesAtTheLookUp(t *testing.T) {
	for day := range 800 {
		at := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		for name, age := range map[Persona]int{Minor: 17, Pupil: 12} {
			p, err := Lookup(name, at)
			if err != nil {
				t.Fatal(err)
			}
			born, err := time.Parse("20060102", p.Reveal().Subject.Birthdate)
			if err != nil {
				t.Fatal(err)
			}
			if born.AddDate(age, 4, 0).After(at) || !born.AddDate(age, 8, 0).After(at) {
				t.Errorf("on %s %s, born %s, is not half way between two birthdays", at.Format(time.DateOnly), name,
					born)
			}
		}
		p, err := Lookup(Eve, at)
		if err != nil {
			t.Fatal(err)
		}
		eve := p.Reveal()
		if today, tomorrow := eve.AgeOn(at), eve.AgeOn(at.AddDate(0, 0, 1)); today != 19 || tomorrow != 20 {
			t.Errorf("on %s Eve is %d, the day after %d", at.Format(time.DateOnly), today, tomorrow)
		}
	}
}

func TestAgeOn(t *testing.T) {
	for _, tc := range []struct {
		birth, day string
		age        int
	}{
		{"20060401", "20260331", 19},
		{"20060401", "20260401", 20},
		{"20040229", "20230228", 18},
		{"20040229", "20230301", 19},
		{"20040229", "20240229", 20},
		{"20110000", "20260101", 15},
	} {
		at, err := time.ParseInLocation("20060102", tc.day, jst())
		if err != nil {
			t.Fatal(err)
		}
		if got := (Details{Subject: issuer.Subject{Birthdate: tc.birth}}).AgeOn(at); got != tc.age {
			t.Errorf("born %s, on %s: %d, want %d", tc.birth, tc.day, got, tc.age)
		}
	}
}

// JIS X 0208 and JIS X 0212 are what certificates can have.
func TestCertificateText(t *testing.T) {
	for in, want := range map[string][2]string{
		"濵桒槗鷗嶌":                                    {"濵桒槗鷗嶌", ""}, // JIS X 0212 and 0208
		"\u9AD9\uFA11\U00020BB7\u5FB7\u7028\u9592": {"高崎吉徳瀬間", "111111"},
		"①㈱ｱA":                                     {"〓〓〓〓", "1111"}, // additions of vendors, half-width characters
		"〜−‖１Ａあア　":                                 {"〜−‖１Ａあア　", ""},
		"葛\U000E0100城\uFE00木":                      {"葛城木", "110"},
		"\uFE00木":                                  {"〓木", "10"}, // a selector with nothing to select
		"\U0010DE92":                               {"〓", "1"},   // private use (行政事務標準文字)
	} {
		if text, flags := certificateText(in); text != want[0] || flags != want[1] {
			t.Errorf("%+q: %+q flags %q, want %+q", in, text, flags, want)
		}
	}
}

func TestBirth(t *testing.T) {
	for _, tc := range []struct {
		birth Birth
		want  string // empty: refused
	}{
		{Birth{Gregorian, 1980, 2, 17}, "19800217"},
		{Birth{Showa, 55, 2, 17}, "19800217"},
		{Birth{Meiji, 45, 7, 30}, "19120730"},
		{Birth{Taisho, 1, 7, 30}, "19120730"},
		{Birth{Meiji, 45, 7, 31}, ""},
		{Birth{Taisho, 15, 12, 25}, "19261225"},
		{Birth{Showa, 1, 12, 25}, "19261225"},
		{Birth{Showa, 1, 12, 24}, ""},
		{Birth{Showa, 64, 1, 7}, "19890107"},
		{Birth{Showa, 64, 1, 8}, ""},
		{Birth{Heisei, 1, 1, 7}, ""},
		{Birth{Heisei, 31, 4, 30}, "20190430"},
		{Birth{Heisei, 31, 5, 1}, ""},
		{Birth{Reiwa, 1, 5, 1}, "20190501"},
		{Birth{Showa, 64, 0, 0}, "19890000"},
		{Birth{Showa, 65, 0, 0}, ""},
		{Birth{Showa, 55, 2, 0}, "19800200"},
		{Birth{Showa, 55, 0, 17}, ""},
		{Birth{Heisei, 16, 2, 29}, "20040229"},
		{Birth{Heisei, 15, 2, 29}, ""},
		{Birth{}, "00000000"},
		{Birth{Showa, 0, 0, 0}, ""},
		{Birth{Reiwa + 1, 1, 1, 1}, ""},
		{Birth{Gregorian, -1, 0, 0}, ""},
	} {
		got, ok := tc.birth.date()
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%+v: %q %v, want %q", tc.birth, got, ok, tc.want)
		}
	}
}

func TestDescriptionRefusals(t *testing.T) {
	good := Description{ID: "x", Given: "花子", Municipality: municipality("13101"), Street: "架空1-2",
		Birth: Birth{Showa, 63, 7, 23}}
	made, err := good.Person()
	if p := made.Reveal(); err != nil || p.Subject.Gender != "3" || p.Address != "東京都千代田区架空１－２" {
		t.Fatalf("%v %+q", err, made.Reveal().Address)
	}
	for field, spoil := range map[string]func(*Description){
		"ID":    func(d *Description) { d.ID = "" },
		"Birth": func(d *Description) { d.Birth.Year = 99 },
		"Family, Given, FormerFamily, Latin, Alias": func(d *Description) { d.Latin = "ANN" },
		"Subject.MunicipalityCode":                  func(d *Description) { d.Municipality = municipality("99999") },
		"IndividualNumber":                          func(d *Description) { d.IndividualNumber = "701234000011" },
	} {
		d := good
		spoil(&d)
		if _, err := d.Person(); reason(err) != ReasonInvalid || !strings.HasSuffix(err.Error(), ": "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, names := range []Description{{FormerFamily: "山田"}, {Alias: "山田", Given: "花子"}, {}} {
		d := good
		d.Family, d.Given, d.FormerFamily, d.Alias = names.Family, names.Given, names.FormerFamily, names.Alias
		if _, err := d.Person(); reason(err) != ReasonInvalid {
			t.Errorf("%q accepted: %v", names.FormerFamily+names.Alias, err)
		}
	}
}

// Every draw is an adult who fits on a card, and the unusual ones come up.
func TestRandomPersons(t *testing.T) {
	flagged, partial, single := 0, 0, 0
	for i := range 500 {
		p := Random(fmt.Sprint("many ", i), testTime).Reveal()
		if p.Subject.NameSubstitutes != "" {
			flagged++
		}
		if strings.HasSuffix(p.Subject.Birthdate, "00") {
			partial++
		} else if age := p.AgeOn(testTime); age < 18 || age > 95 {
			t.Errorf("%d years old", age)
		}
		if !strings.Contains(p.Name, "\u3000") {
			single++
		}
	}
	for _, at := range []time.Time{{}, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if p := Random("at any time", at); p.ID() == "" {
			t.Errorf("at %v", at)
		}
	}
	if flagged == 0 || partial == 0 || single == 0 || flagged > 250 {
		t.Errorf("of 500: %d substituted, %d with an incomplete date, %d with a single name", flagged, partial, single)
	}
}

func TestPersonValidation(t *testing.T) {
	for field, spoil := range map[string]func(*Details){
		"ID":                       func(p *Details) { p.ID = "" },
		"Name":                     func(p *Details) { p.Name = "" },
		"Address":                  func(p *Details) { p.Address = "\xFF" },
		"Subject.Gender":           func(p *Details) { p.Subject.Gender = "4" },
		"Subject.Birthdate":        func(p *Details) { p.Subject.Birthdate = "20260230" },
		"Subject.MunicipalityCode": func(p *Details) { p.Subject.MunicipalityCode = "131" },
		"IndividualNumber":         func(p *Details) { p.IndividualNumber = "701234000011" },
		"AuthPIN":                  func(p *Details) { p.AuthPIN = "12345" },
		"TextPIN":                  func(p *Details) { p.TextPIN = "12a4" },
		"SigningPassword":          func(p *Details) { p.SigningPassword = "abc123" },
		"SecurityCode":             func(p *Details) { p.SecurityCode = "1" },
		"CardExpiry":               func(p *Details) { p.CardExpiry = "20360000" },
	} {
		p := ready(Hanako)
		spoil(&p)
		_, err := New(p)
		if reason(err) != ReasonInvalid || !strings.HasSuffix(err.Error(), ": "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for password, want := range map[string]bool{
		//nolint:gocritic // the space is what is tried
		"ABC12": false, "ABC123": true, "ABCDEFGHIJ012345": true, "ABCDEFGHIJ0123456": false, "ABC12 ": false,
		"ABC12/": false,
		"ABC12:": false, "ABC12@": false, "ABC12[": false, "ABC12Z": true, "ABC12A": true, "ABC129": true,
		"ABC120": true,
	} {
		if IsSigningPassword([]byte(password)) != want {
			t.Errorf("password %q: want %v", password, want)
		}
	}
	for pin, want := range map[string]bool{"123": false, "1234": true, "12345": false, "123/": false, "123:": false,
		"0009": true} {
		if IsPIN([]byte(pin)) != want {
			t.Errorf("PIN %q: want %v", pin, want)
		}
	}
	for _, ok := range []string{"00000000", "19800000", "19800200", "20240229"} {
		if !validBirthdate(ok) {
			t.Errorf("birthdate %s refused", ok)
		}
	}
	for _, bad := range []string{"", "1980021", "1980022a", "00000217", "19800017", "20230229", "19801301"} {
		if validBirthdate(bad) {
			t.Errorf("birthdate %q accepted", bad)
		}
	}
}

func TestPrintingAPersonShowsNothingPersonal(t *testing.T) {
	p, err := New(ready(Hanako))
	if err != nil {
		t.Fatal(err)
	}
	d := Description{ID: "hanako", Family: "確認", AuthPIN: "1234"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		for _, v := range []any{p, &p, d, &d} {
			if got := fmt.Sprintf(format, v); got != redact.Text {
				t.Errorf("%s of %T: %s", format, v, got)
			}
		}
		// Where package fmt asks no method.
		if got := fmt.Sprintf(format, struct{ holder Person }{p}); strings.Contains(got, "確認") ||
			strings.Contains(got, "ABC123") {
			t.Errorf("%s: %s", format, got)
		}
	}
	if got := p.LogValue().String() + d.LogValue().String(); got != redact.Text+redact.Text {
		t.Error(got)
	}
	if b, err := json.Marshal([]any{p, d}); err != nil || string(b) != `["[redacted]","[redacted]"]` {
		t.Errorf("%s %v", b, err)
	}
}

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}

func TestEraDate(t *testing.T) {
	for date, want := range map[string]string{
		"18680124": "000124", "18680125": "010125", "19120729": "450729", "19120730": "010730",
		"19261224": "151224", "19261225": "011225", "19890107": "640107", "19890108": "010108",
		"20190430": "310430", "20190501": "010501", "20260401": "080401",
		"19800200": "550200", "19800000": "550000", "00000000": "000000",
	} {
		if got := eraDate(date); got != want {
			t.Errorf("eraDate(%s) = %s, want %s", date, got, want)
		}
	}
}

func TestCardExpiry(t *testing.T) {
	for _, c := range []struct{ birth, issued, want string }{
		{"19800217", "2025-02-16", "20340217"}, // the first birthday comes the day after
		{"19800217", "2025-02-17", "20350217"}, // a birthday on the day of issue does not count
		{"19800217", "2025-12-31", "20350217"},
		{"20080601", "2026-05-31", "20300601"}, // 17 on the day of issue: fifth birthday
		{"20080601", "2026-06-01", "20360601"}, // 18: tenth
		{"19800200", "2025-03-01", "20350201"},
		{"20000229", "2025-02-27", "20340228"}, // no 29 February in 2025: the birthday is the 28th
		{"20000229", "2025-02-28", "20350228"},
		{"20000229", "2027-06-01", "20370228"},
		{"20000229", "2026-06-01", "20360229"},
	} {
		issued, err := time.ParseInLocation("2006-01-02", c.issued, jst())
		if err != nil {
			t.Fatal(err)
		}
		if got := cardExpiry(c.birth, issued); got != c.want {
			t.Errorf("born %s, issued %s: %s, want %s", c.birth, c.issued, got, c.want)
		}
	}
	// 23:30 UTC on the eve is the birthday in Japan.
	if got := cardExpiry("19800217", time.Date(2025, 2, 16, 23, 30, 0, 0, time.UTC)); got != "20350217" {
		t.Errorf("civil time must be Japan's: %s", got)
	}
}

func TestIndividualNumber(t *testing.T) {
	for number, want := range map[string]bool{
		"123456789018": true, "000000000000": true,
		"123466789012": false, "123456789012": false, "12345678901": false, "1234567890189": false,
		"12345678901x": false, "": false,
	} {
		if got := validIndividualNumber(number); got != want {
			t.Errorf("validIndividualNumber(%q) = %v", number, got)
		}
	}
}

func TestVerificationNumberB(t *testing.T) {
	// Published test person: born 昭和55年2月17日, card good until 2035, code 2285.
	d := Details{Subject: issuer.Subject{Birthdate: "19800217"}, CardExpiry: "20350217", SecurityCode: "2285"}
	if got := d.NumberB(); got != "55021720352285" {
		t.Errorf("照合番号B = %s", got)
	}
}
