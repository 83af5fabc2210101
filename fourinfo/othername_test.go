package fourinfo_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func named(name, furigana, former, alias string) fourinfo.Person {
	p := fourinfo.Person{Name: fourinfo.NewName(name)}
	for _, x := range []struct {
		value string
		to    *fourinfo.Name
	}{{furigana, &p.Furigana}, {former, &p.FormerName}, {alias, &p.Alias}} {
		if x.value != "" {
			*x.to = fourinfo.NewName(x.value)
		}
	}
	return p
}

// TestOtherNames: an alias (通称), a former name (旧氏) and furigana explain a name that alone would be another person's,
// and never make two names the same.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what    string
		a, b    fourinfo.Person
		outcome fourinfo.Outcome
		step    string
	}{
		{"the alias", named("試験　花子", "", "", ""), named("SHIKEN HANA", "", "", "試験　花子"), fourinfo.NeedsReview,
			"script"},
		{"the alias in the same script", named("試験　花子", "", "", ""), named("李　花", "", "", "試験　花子"),
			fourinfo.NeedsReview, "other-name"},
		{"the alias, written otherwise", named("試験 花子", "", "", ""), named("李　花", "", "", "試験　花子"),
			fourinfo.NeedsReview, "other-name"},
		{"another alias", named("試験　花子", "", "", ""), named("李　花", "", "", "試験　春子"), fourinfo.Different, "difference"},
		{"the whole former name", named("実験　花子", "", "", ""), named("試験　花子", "", "実験　花子", ""), fourinfo.NeedsReview,
			"other-name"},
		{"the former family name", named("実験　花子", "", "", ""), named("試験　花子", "", "実験", ""), fourinfo.NeedsReview,
			"other-name"},
		{"the former family name of another", named("実験　春子", "", "", ""), named("試験　花子", "", "実験", ""),
			fourinfo.Different, "difference"},
		{"kana against ideographs, no furigana", named("シケン　ハナコ", "", "", ""), named("試験　花子", "", "", ""),
			fourinfo.NeedsReview, "script"},
		{"kana that the furigana confirm", named("シケン　ハナコ", "", "", ""), named("試験　花子", "シケン　ハナコ", "", ""),
			fourinfo.NeedsReview, "script"},
		{"kana that the furigana contradict", named("ジッケン　ハルコ", "", "", ""), named("試験　花子", "シケン　ハナコ", "", ""),
			fourinfo.Different, "difference"},
		{"Latin letters that the furigana contradict not", named("SHIKEN HANAKO", "", "", ""),
			named("試験　花子", "シケン　ハナコ", "", ""), fourinfo.NeedsReview, "script"},
	} {
		there, back := tc.a.Compare(tc.b)[0], tc.b.Compare(tc.a)[0]
		if there.Outcome != tc.outcome || stepNames(there) != tc.step {
			t.Errorf("%s: %v by %s, want %v by %s", tc.what, there.Outcome, stepNames(there), tc.outcome, tc.step)
		}
		checkMirror(t, tc.what, there, back)
	}
}

func TestFuriganaIsAnAttribute(t *testing.T) {
	t.Parallel()
	a, b := named("試験　花子", "ｼｹﾝ ﾊﾅｺ", "実験", "花"), named("試験　花子", "シケン　ハナコ", "実験", "花子")
	want := map[string]fourinfo.Outcome{
		"name": fourinfo.Same, "furigana": fourinfo.SameAfterNormalisation, "former_name": fourinfo.Same,
		"alias": fourinfo.Different,
	}
	for _, m := range a.Compare(b) {
		if want[m.Attribute] != m.Outcome {
			t.Errorf("%s: %v", m.Attribute, m.Outcome)
		}
		delete(want, m.Attribute)
	}
	if len(want) > 0 {
		t.Errorf("not compared: %v", want)
	}
	if got := a.Attributes(); !slices.Equal(got, []string{"name", "furigana", "former_name", "alias"}) {
		t.Errorf("%v", got)
	}
}

func TestFuriganaFromUserinfoAndStorage(t *testing.T) {
	t.Parallel()
	claims := map[string]json.RawMessage{
		"name": []byte(`"試験　花子"`), "name_kana": []byte(`"シケン　ハナコ"`), "old": []byte(`"実験"`), "alias": []byte(`7`),
	}
	p, problems := fourinfo.FromUserinfo(claims, fourinfo.ClaimNames{Name: "name", Furigana: "name_kana",
		FormerName: "old", Alias: "alias"})
	if p.Furigana.Reveal() != "シケン　ハナコ" || p.FormerName.Reveal() != "実験" || p.Alias.Present() || len(problems) != 1 ||
		problems[0].Attribute != "alias" {
		t.Errorf("%v, %v", p.RevealAll(), problems)
	}
	stored := p.RevealAll()
	if back, err := stored.Person(); err != nil || !reflect.DeepEqual(back, p) || stored.Version != 2 {
		t.Errorf("version %d, %v", stored.Version, err)
	}
	stored.Version = 1
	if _, err := stored.Person(); reasonOf(err) != fourinfo.ReasonMalformed {
		t.Errorf("version 1 with furigana: %v", err)
	}
	only, _ := fourinfo.FromUserinfo(claims, fourinfo.ClaimNames{Name: "name"})
	if only.Furigana.Present() || only.RevealAll().Version != 1 {
		t.Error("what was not asked for is there, or the version is not the least")
	}
}

func TestRevealParts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"試験　花子": {"試験", "花子"}, "試験　花　子": {"試験", "花　子"}, "試験 花子": {}, "花子": {}, "　花子": {}, "試験　": {}, "": {},
	} {
		family, given, ok := fourinfo.NewName(name).RevealParts()
		if family != want[0] || given != want[1] || ok != (want[0] != "") {
			t.Errorf("%q: %q and %q, %v", name, family, given, ok)
		}
	}
}
