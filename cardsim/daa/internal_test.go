package daa

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestStoreExpires(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now })
	if !s.add("a", 1, now.Add(time.Second)) || s.add("a", 2, now.Add(time.Hour)) {
		t.Error("a key was stored twice")
	}
	if v, ok := s.get("a"); !ok || v != 1 {
		t.Error("not found")
	}
	now = now.Add(time.Second)
	if _, ok := s.get("a"); ok {
		t.Error("found after its end")
	}
	if !s.add("a", 3, now.Add(time.Second)) {
		t.Error("an expired key is in the way")
	}
	s.remove("a")
	if _, ok := s.get("a"); ok {
		t.Error("found after removal")
	}
}

// A full store refuses instead of forgetting, and recovers when entries expire.
func TestStoreIsBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now })
	for i := range limits.SimulatorEntries {
		if !s.add(strconv.Itoa(i), i, now.Add(time.Minute)) {
			t.Fatalf("full after %d", i)
		}
	}
	if s.add("one more", 0, now.Add(time.Minute)) || len(s.m) != limits.SimulatorEntries {
		t.Errorf("%d entries", len(s.m))
	}
	if _, ok := s.get("0"); !ok {
		t.Error("an entry was forgotten")
	}
	now = now.Add(time.Minute)
	if !s.add("one more", 0, now.Add(time.Minute)) || len(s.m) != 1 {
		t.Errorf("%d entries after the end of all", len(s.m))
	}
}

func TestReadPage(t *testing.T) {
	p, err := readPage(`<html lang="ja"><main data-kakunin-page="auth-pin"><form method="post" action="/phone/x?lang=en&amp;y=1" ` +
		`data-kakunin-form="auth-pin" data-kakunin-remaining="2"><input name="pin" type="password" required>` +
		`<input name="card" value="&#34;1" data-kakunin-card="taro" type="radio"></form><p data-kakunin-number="012345">`)
	if err != nil {
		t.Fatal(err)
	}
	f := p.forms["auth-pin"]
	if p.name != pageAuthPIN || f == nil || f.action != "/phone/x?lang=en&y=1" || f.marks["remaining"] != "2" ||
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

func TestLooksLikePC(t *testing.T) {
	for agent, want := range map[string]bool{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)": true, "": true,
		"Mozilla/5.0 (Linux; Android 15; Tablet)": false, "Mozilla/5.0 (iPhone; …)": false, "x Mobile y": false,
	} {
		if looksLikePC(agent) != want {
			t.Errorf("%q: not %v", agent, want)
		}
	}
}

func TestNumberHasSixDigits(t *testing.T) {
	s := &Service{now: time.Now}
	s.SetKnobs(Knobs{})
	for range 50 {
		v := new(visit)
		if err := s.showNumber(v); err != nil {
			t.Fatal(err)
		}
		if len(v.number) != 6 || strings.Trim(v.number, "0123456789") != "" {
			t.Fatalf("number %q", v.number)
		}
	}
}

func TestKnownMarkers(t *testing.T) {
	for marker, want := range map[string]string{"blocked": "blocked", "client": "client", "": "unknown", "山田": "unknown"} {
		if got := known(marker); got != want {
			t.Errorf("%q: %q", marker, got)
		}
	}
}
