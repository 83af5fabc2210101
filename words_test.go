package kakunin_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// pinNames are what people are told that the PINs of a card are called: in Japanese as the forms of the municipal
// office and J-LIS call them.
var pinNames = []string{
	"利用者証明用電子証明書の暗証番号", "署名用電子証明書の暗証番号", "券面事項入力補助用の暗証番号",
	"住民基本台帳用の暗証番号", "カード共通の暗証番号",
}

// englishPINNames are "PIN of the authentication certificate", "password of the signing certificate" and "PIN for the
// four attributes". Logs have shorter ones.
var (
	anyPINName = regexp.MustCompile(
		`(利用者証明用|署名用|券面事項入力補助用|住民基本台帳用|カード共通)[\p{Han}の]{0,12}?暗証番号`)
	otherEnglish = regexp.MustCompile(`(?i)\b(authentication|text|signing|signature) (PIN|password)\b`)
	logNames     = []string{"authentication PIN", "signing password", "text PIN", "resident register PIN"}
)

// wrongName returns a name of a PIN that is none of the official ones.
func wrongName(text string) string {
	if strings.Contains(text, "パスワード") {
		return "パスワード"
	}
	for _, name := range anyPINName.FindAllString(text, -1) {
		if !slices.Contains(pinNames, name) {
			return name
		}
	}
	return ""
}

func isJapanese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
	})
}

// literals returns the string literals below a node, without those of nested composites and calls.
func literals(n ast.Node) (texts []string) {
	ast.Inspect(n, func(inner ast.Node) bool {
		switch inner := inner.(type) {
		case *ast.CompositeLit, *ast.CallExpr, *ast.FuncLit:
			return inner == n
		case *ast.BasicLit:
			if s, err := strconv.Unquote(inner.Value); err == nil && inner.Kind == token.STRING {
				texts = append(texts, s)
			}
		}
		return true
	})
	return texts
}

// pinFaults returns the wrong names in a source file: any in Japanese, and in English where a Japanese text stands
// beside.
func pinFaults(syntax *ast.File) (faults []string) {
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.CompositeLit, *ast.CallExpr, *ast.AssignStmt, *ast.ReturnStmt, *ast.ValueSpec:
		default:
			return true
		}
		texts := literals(n)
		for _, text := range texts {
			if name := wrongName(text); name != "" {
				faults = append(faults, name)
			}
			if name := otherEnglish.FindString(text); name != "" && !slices.Contains(logNames, text) &&
				slices.ContainsFunc(texts, isJapanese) {
				faults = append(faults, name)
			}
		}
		return true
	})
	return faults
}

// One thing has one name in each language, on every page and in every message.
func TestOneNameForEachPIN(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range sourceFiles(t) {
		if f.test {
			continue
		}
		for _, fault := range pinFaults(f.syntax) {
			t.Errorf("%s: %q", f.name, fault)
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok {
				for _, name := range anyPINName.FindAllString(l.Value, -1) {
					seen[name] = true
				}
			}
			return true
		})
	}
	pages := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".html", ".md"}, filepath.Ext(name)) ||
			strings.HasPrefix(filepath.ToSlash(name), "docs/") {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		pages++
		if fault := wrongName(string(b)); fault != "" {
			t.Errorf("%s: %q", name, fault)
		}
		if fault := otherEnglish.FindString(string(b)); fault != "" && filepath.Ext(name) == ".html" {
			t.Errorf("%s: %q", name, fault)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range japanesePages(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if fault := wrongName(string(b)); fault != "" {
			t.Errorf("%s: %q", name, fault)
		}
	}
	if pages < 26 || len(seen) < 4 {
		t.Errorf("only %d pages looked at, and %d names seen", pages, len(seen))
	}
}

// japanesePages are the README, guides and pictures in Japanese.
func japanesePages(t *testing.T) (pages []string) {
	t.Helper()
	for _, pattern := range []string{"*.ja.md", "docs/*.ja.md", "docs/*.ja.svg"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

// otherForms are words that have one form in all Japanese texts: what is written here, and what must not be.
var otherForms = map[string]*regexp.Regexp{
	"ブラウザー":      regexp.MustCompile(`ブラウザ([^ー]|$)`),
	"サーバー":       regexp.MustCompile(`サーバ([^ー]|$)`),
	"ユーザー":       regexp.MustCompile(`ユーザ([^ー]|$)`),
	"フォルダー":      regexp.MustCompile(`フォルダ([^ー]|$)`),
	"暗号化された(結果)": regexp.MustCompile(`封を[さし]|封じ|開封`),
	"2つ":         regexp.MustCompile(`[一二三四]つの[^人]|[二三四]回`),
	"基本4情報":      regexp.MustCompile(`([^本]|^)4情報`),
}

// One word has one form on every Japanese page, in the text of the templates, and in what programs say.
func TestOneFormForEachWord(t *testing.T) {
	texts := map[string]string{}
	for _, name := range japanesePages(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(b)
	}
	for _, f := range sourceFiles(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && isJapanese(l.Value) {
				texts[f.name] += l.Value + "\n"
			}
			return true
		})
	}
	if err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".html" {
			var b []byte
			b, err = os.ReadFile(name)
			texts[name] = string(b)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(texts) < 60 {
		t.Errorf("only %d files with Japanese texts", len(texts))
	}
	for name, text := range texts {
		for want, other := range otherForms {
			for _, found := range other.FindAllString(text, -1) {
				t.Errorf("%s: %q, the word is %s", name, found, want)
			}
		}
	}
}

func TestOneNameForEachPINFinds(t *testing.T) {
	for text, fault := range map[string]string{
		"署名用パスワード": "パスワード", "署名用暗証番号を入力": "署名用暗証番号", "利用者証明用の暗証番号": "利用者証明用の暗証番号",
		"署名用電子証明書の暗証番号": "", "暗証番号が違います。": "", "署名用です。別の暗証番号": "",
	} {
		if got := wrongName(text); got != fault {
			t.Errorf("%s: %q, want %q", text, got, fault)
		}
	}
	for text, fault := range map[string]bool{"Enter your signing password": true, "The Authentication PIN": true,
		"PIN of the authentication certificate": false} {
		if otherEnglish.MatchString(text) != fault {
			t.Errorf("%s", text)
		}
	}
}
