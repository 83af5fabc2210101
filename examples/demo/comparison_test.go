package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// TestComparisonInWords: the page and the report say how the certificate's person compares, in both languages, and that
// somebody has to look at a substitute character. No character of a value is shown.
func TestComparisonInWords(t *testing.T) {
	t.Parallel()
	name, flags := "高橋　花子", "10000"
	certificate, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: &name, NameSubstitutes: &flags})
	matches := fourinfo.Person{Name: fourinfo.NewName("髙橋 花子")}.Compare(certificate)
	for lang, wants := range map[kakunin.Language][]string{
		kakunin.Japanese: {"確認が必要", "代替文字", "空白の有無・種類", `id="review"`, "ログインした人との照合"},
		kakunin.English: {"needs review", "a substitute character", "spaces", `id="review"`,
			"Comparison with the person who logged in"},
	} {
		o := outcome{Number: "1", Verified: true, Chain: &chainReport{}, Person: comparisonsOf(matches)}
		request := httptest.NewRequest("GET", "/result", nil)
		request.Header.Set("Accept-Language", string(lang))
		w := httptest.NewRecorder()
		(&app{}).render(w, request, 200, "result", resultOf(o, lang))
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: the page lacks %q:\n%s", lang, want, w.Body)
			}
		}
		encoded, err := json.Marshal(o.signature())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(encoded,
			[]byte(`"attribute":"name","outcome":"needs-review","ja":"確認が必要","en":"needs review","reasons":[{"step":"substitute"`)) {
			t.Errorf("%s", encoded)
		}
		for _, secret := range []string{"髙", "高", "花子"} {
			if strings.Contains(w.Body.String(), secret) || strings.Contains(string(encoded), secret) {
				t.Errorf("%s: %q is shown", lang, secret)
			}
		}
	}
	exact, _ := comparisonRows(comparisonsOf(fourinfo.Person{Name: fourinfo.NewName("試験")}.Compare(
		fourinfo.Person{Name: fourinfo.NewName("試験")})), kakunin.English)
	if len(exact) != 1 || !exact[0].Good || exact[0].Outcome != "the same" {
		t.Errorf("%+v", exact)
	}
}
