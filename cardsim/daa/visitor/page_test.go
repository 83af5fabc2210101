package visitor

import (
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

func TestReadPage(t *testing.T) {
	p, err := readPage(`<html lang="ja"><main data-kakunin-page="auth-pin"><form method="post" action="/phone/x?lang=en&amp;y=1" ` +
		`data-kakunin-form="auth-pin" data-kakunin-remaining="2"><input name="pin" type="password" required>` +
		`<input name="card" value="&#34;1" data-kakunin-card="taro" type="radio"></form><p data-kakunin-number="012345">`)
	if err != nil {
		t.Fatal(err)
	}
	f := p.forms["auth-pin"]
	if p.name != page.AuthPIN || f == nil || f.action != "/phone/x?lang=en&y=1" || f.marks["remaining"] != "2" ||
		!f.has("pin") || f.inputs[1].value != `"1` || f.inputs[1].card != "taro" || p.marks["number"] != "012345" {
		t.Errorf("%+v", p)
	}
	for name, body := range map[string]string{
		"empty":            "",
		"no marker":        "<main><p>hello</p></main>",
		"two pages":        `<main data-kakunin-page="a"><main data-kakunin-page="b">`,
		"nested forms":     `<main data-kakunin-page="a"><form method="post" data-kakunin-form="a"><form method="post" data-kakunin-form="b">`,
		"unclosed form":    `<main data-kakunin-page="a"><form method="post" data-kakunin-form="a">`,
		"two alike":        `<main data-kakunin-page="a"><form method="post" data-kakunin-form="a"></form><form method="post" data-kakunin-form="a"></form>`,
		"unnamed form":     `<main data-kakunin-page="a"><form method="post"></form>`,
		"form by GET":      `<main data-kakunin-page="a"><form method="get" data-kakunin-form="a"></form>`,
		"input, no form":   `<main data-kakunin-page="a"><input name="x">`,
		"marker in text":   `&lt;main data-kakunin-page="a"&gt;`,
		"unquoted attr":    `<main data-kakunin-page=a>`,
		"marker only text": `data-kakunin-page="a"`,
	} {
		if _, err := readPage(body); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What a tag is, in the words of regular expressions: the scanner finds the same.
var (
	tagPattern  = regexp.MustCompile(`<(/?[a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*(?:="[^"]*")?)*)\s*/?>`)
	attrPattern = regexp.MustCompile(`([a-z][a-z0-9-]*)(?:="([^"]*)")?`)
)

func FuzzTagScanner(f *testing.F) {
	f.Add(`<main data-kakunin-page="consent"><input name="a" value="&#x3000;" required/></main ><br />`)
	f.Add(`<<a b c="d>" ><a b="1" b="2"><a=""><a b=c><a b="><a`)
	f.Add("<a\nb\f>\n<a\vb>< a></ a></a/><a-b><a b-c=\"\"d>")
	f.Fuzz(func(t *testing.T, body string) {
		scan := tagScanner{rest: body}
		for _, want := range tagPattern.FindAllStringSubmatch(body, -1) {
			if !scan.next() || scan.tag != want[1] {
				t.Fatalf("%q: %q, want %q", body, scan.tag, want[1])
			}
			attrs := attrPattern.FindAllStringSubmatch(want[2], -1)
			if len(attrs) != len(scan.attrs) {
				t.Fatalf("%q: %q, want %q", body, scan.attrs, attrs)
			}
			for i, a := range attrs {
				if scan.attrs[i] != (tagAttr{a[1], a[2]}) {
					t.Errorf("%q: %q, want %q", body, scan.attrs[i], a)
				}
			}
		}
		if scan.next() {
			t.Errorf("%q: one more, %q", body, scan.tag)
		}
	})
}

func FuzzReadPage(f *testing.F) {
	f.Add(`<main data-kakunin-page="consent"><form method="post" action="/phone/x" data-kakunin-form="consent"><input name="a" value="&#x3000;"></form></main>`)
	f.Add(`<main data-kakunin-page="a"><form method="post" data-kakunin-form="a"></form><input>`)
	f.Add(`<<main data-kakunin-page="">`)
	f.Add(strings.Repeat("<a ", 100))
	f.Fuzz(func(t *testing.T, body string) {
		p, err := readPage(body)
		if err != nil {
			return
		}
		if p.name == "" || p.forms == nil {
			t.Error("a page without a name")
		}
		for name, form := range p.forms {
			if name == "" || form == nil || form.marks == nil {
				t.Errorf("form %q", name)
			}
		}
	})
}

func TestKnownMarkers(t *testing.T) {
	for marker, want := range map[string]string{"blocked": "blocked", "client": "client", "": "unknown",
		"山田": "unknown"} {
		if got := known(marker); got != want {
			t.Errorf("%q: %q", marker, got)
		}
	}
}
