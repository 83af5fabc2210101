package kakunin_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/tests/golden"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/accounts"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
	"github.com/kakunin-go/kakunin/sign/evidence/operations"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/report"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/timestamp"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

//go:generate go test -run ^TestTroubleshooting$ -update .

// failing makes an error of each package with the reason of a number.
var failing = map[string]func(int) error{
	"authn":                     func(n int) error { return &authn.Error{Reason: authn.Reason(n)} },
	"fourinfo":                  func(n int) error { return &fourinfo.Error{Reason: fourinfo.Reason(n)} },
	"fourinfo/mdoc":             func(n int) error { return &mdoc.Error{Reason: mdoc.Reason(n)} },
	"fourinfo/mynumber":         func(n int) error { return &mynumber.Error{Reason: mynumber.Reason(n)} },
	"jpki":                      func(n int) error { return &jpki.Error{Reason: jpki.Reason(n)} },
	"jpki/card":                 func(n int) error { return &card.Error{Reason: card.Reason(n)} },
	"jpki/certpath":             func(n int) error { return &certpath.Error{Reason: certpath.Reason(n)} },
	"jpki/crl":                  func(n int) error { return &crl.Error{Reason: crl.Reason(n)} },
	"jpki/revocation":           func(n int) error { return &revocation.Error{Reason: revocation.Reason(n)} },
	"jpki/revocation/responder": func(n int) error { return &responder.Error{Reason: responder.Reason(n)} },
	"middleware":                func(n int) error { return &middleware.Error{Reason: middleware.Reason(n)} },
	"middleware/accounts":       func(n int) error { return &accounts.Error{Reason: accounts.Reason(n)} },
	"middleware/scssession":     func(n int) error { return &scssession.Error{Reason: scssession.Reason(n)} },
	"middleware/sharedstore":    func(n int) error { return &sharedstore.Error{Reason: sharedstore.Reason(n)} },
	"sign":                      func(n int) error { return &sign.Error{Reason: sign.Reason(n)} },
	"sign/consent":              func(n int) error { return &consent.Error{Reason: consent.Reason(n)} },
	"sign/evidence":             func(n int) error { return &evidence.Error{Reason: evidence.Reason(n)} },
	"sign/evidence/export":      func(n int) error { return &export.Error{Reason: export.Reason(n)} },
	"sign/evidence/operations":  func(n int) error { return &operations.Error{Reason: operations.Reason(n)} },
	"sign/operator":             func(n int) error { return &operator.Error{Reason: operator.Reason(n)} },
	"sign/report":               func(n int) error { return &report.Error{Reason: report.Reason(n)} },
	"sign/signapi":              func(n int) error { return &signapi.Error{Reason: signapi.Reason(n)} },
	"sign/timestamp":            func(n int) error { return &timestamp.Error{Reason: timestamp.Reason(n)} },
	"sign/timestamp/tsa":        func(n int) error { return &tsa.Error{Reason: tsa.Reason(n)} },
}

// advice is what a family asks of whoever runs the application.
var advice = map[kakunin.Family]kakunin.Message{
	kakunin.User: {EN: "Nothing is wrong: offer to try again.",
		JA: "異常ではありません。もう一度試せるようにしてください。"},
	kakunin.Account: {EN: "The card or certificate of this person cannot be used: show the message.",
		JA: "その人のカードまたは電子証明書が使えません。メッセージを示してください。"},
	kakunin.Configuration: {EN: "Only whoever runs the application can mend it: alert the operators.",
		JA: "運用者にしか直せません。運用者に知らせてください。"},
	kakunin.Unavailable: {EN: "Something that is needed does not answer: try again later.",
		JA: "必要なものが応答していません。時間をおいて再試行してください。"},
	kakunin.Untrusted: {EN: "Nothing was accepted. Raise an alarm if it goes on.",
		JA: "何も受け入れていません。続くようなら警報を出してください。"},
}

type trouble struct {
	name    string
	meaning kakunin.Message
	remedy  kakunin.Message
}

// TestTroubleshooting compares the two pages with the code: every reason of every package that an application meets is
// there, in both languages.
func TestTroubleshooting(t *testing.T) {
	all := troubles(t)
	for dir := range failing {
		if len(all[dir]) == 0 {
			t.Errorf("%s has no reasons", dir)
		}
	}
	for page, language := range map[string]kakunin.Language{
		"docs/troubleshooting.md": kakunin.English, "docs/troubleshooting.ja.md": kakunin.Japanese,
	} {
		golden.File(t, page, troublePage(all, language))
	}
}

// troubles reads the reasons and their comments from the source, in the order of their numbers, and what
// internal/fault/testdata/troubleshooting.txt adds.
func troubles(t *testing.T) map[string][]trouble {
	t.Helper()
	added := addedTexts(t)
	all := map[string][]trouble{}
	for _, file := range sourceFiles(t) {
		if file.test || within(file.dir, "cardsim") || within(file.dir, "examples") || within(file.dir, "internal") {
			continue
		}
		for _, decl := range file.syntax.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || len(reasonConstants(d)) == 0 || reasonConstants(d)[0] != "ReasonUnknown" {
				continue
			}
			if failing[file.dir] == nil {
				t.Errorf("%s has reasons that the pages on troubleshooting do not know", file.dir)
				continue
			}
			for _, spec := range d.Specs {
				s, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				name := s.Names[0].Name
				row := added[file.dir+" "+name]
				delete(added, file.dir+" "+name)
				row.name = name
				row.meaning.EN = sentence(name, s.Doc.Text())
				if name != "ReasonUnknown" && row.meaning.JA == "" {
					t.Errorf("internal/fault/testdata/troubleshooting.txt has no %s of %s", name, file.dir)
				}
				all[file.dir] = append(all[file.dir], row)
			}
		}
	}
	for left := range added {
		t.Errorf("internal/fault/testdata/troubleshooting.txt has %s, which does not exist", left)
	}
	return all
}

// sentence makes a meaning of a doc comment: without the name, and without the family, which has its own column.
func sentence(name, doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	doc = strings.TrimPrefix(strings.TrimPrefix(doc, name), ":")
	if before, _, found := strings.Cut(doc, " Family "); found {
		doc = before
	}
	return strings.TrimSpace(doc)
}

func addedTexts(t *testing.T) map[string]trouble {
	t.Helper()
	text, err := os.ReadFile("internal/fault/testdata/troubleshooting.txt")
	if err != nil {
		t.Fatal(err)
	}
	added := map[string]trouble{}
	dir := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		cells := strings.Split(line, " | ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case len(cells) == 1:
			dir = line
		case len(cells) == 2 || len(cells) == 4:
			row := trouble{meaning: kakunin.Message{JA: cells[1]}}
			if len(cells) == 4 {
				row.remedy = kakunin.Message{EN: cells[2], JA: cells[3]}
			}
			added[dir+" "+cells[0]] = row
		default:
			t.Errorf("internal/fault/testdata/troubleshooting.txt: %d parts in the row of %s", len(cells), cells[0])
		}
	}
	return added
}

func troublePage(all map[string][]trouble, language kakunin.Language) []byte {
	say := func(m kakunin.Message) string {
		if language == kakunin.Japanese {
			return m.JA
		}
		return m.EN
	}
	words := func(en, ja string) string { return say(kakunin.Message{EN: en, JA: ja}) }
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", words("Troubleshooting by reason", "理由別トラブルシューティング"))
	fmt.Fprintf(&b, "%s\n\n", words(
		"Made from the code by `go generate .`. Every error of the module has a package, a reason and mostly a step; "+
			"its "+
			"text is `package: reason: step`. `errors.Is(err, &authn.Error{Reason: authn.ReasonIDToken})` finds it, "+
			"`kakunin.FamilyOf(err)` says what to do about it, `kakunin.MessageFor(err, language)` what to show.",
		"コードから `go generate .` で作られます。エラーにはパッケージ、理由、多くは手順の名前があり、文は `package: reason: step` です。"+
			"`errors.Is(err, &authn.Error{Reason: authn.ReasonIDToken})` で見つけ、`kakunin.FamilyOf(err)` で対処を、"+
			"`kakunin.MessageFor(err, language)` で利用者への文を得ます。"))
	fmt.Fprintf(&b, "| %s | %s |\n| --- | --- |\n", words("family", "分類"), words("what to do", "対処"))
	for _, f := range slices.Sorted(maps.Keys(advice)) {
		fmt.Fprintf(&b, "| %s | %s |\n", f, say(advice[f]))
	}
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "\n## %s\n\n| %s | %s | %s | %s |\n| --- | --- | --- | --- |\n", dir, words("reason", "理由"),
			words("meaning", "意味"), words("family", "分類"), words("what else to do", "そのほかの対処"))
		for n, row := range all[dir] {
			if n == 0 {
				continue // the zero reason is never returned
			}
			err := failing[dir](n)
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", row.name, say(row.meaning), kakunin.FamilyOf(err),
				say(row.remedy))
		}
	}
	return b.Bytes()
}
