package daa_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// screens are the rows of the table "The screens in their order" of docs/simulator.md: what is asked, and the pages.
func screens(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "## The screens in their order")
	if !found {
		t.Fatal("docs/simulator.md has no table of the screens")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	row := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| (?:[^|]+) \|\r?$`)
	for _, m := range row.FindAllStringSubmatch(section, -1)[2:] { // the heading and the line below it
		rows[m[1]] = m[2]
	}
	return rows
}

// walk follows one visit and returns the pages that it showed, joined by arrows, until the browser is sent back.
func (b *browser) walk(p person.Details, forms map[string]string) string {
	b.t.Helper()
	var pages []string
	for range 9 {
		if b.left != "" {
			return strings.Join(append(pages, "the website"), " → ")
		}
		pages = append(pages, b.page())
		switch at := b.page(); at {
		case "auth-pin":
			b.submit(at, "pin", p.AuthPIN)
		case "text-pin":
			b.submit(at, "pin", p.TextPIN)
		case "signing-password":
			b.submit(at, "password", p.SigningPassword)
		case "test-card":
			b.submit(at, "response", "ok", "card", "0")
		case "problem":
			b.submit("leave")
		case "handover":
			b.submit("here")
		default:
			form := at
			if forms[at] != "" {
				form = forms[at]
			}
			b.submit(form)
		}
	}
	b.t.Fatalf("no end: %v", pages)
	return ""
}

// The documentation says in which order a person sees the screens; this is the order.
func TestScreensComeInTheDocumentedOrder(t *testing.T) {
	iphone := func(c *daa.Config) {
		card, err := cardsim.NewCard(cardsim.Config{
			Person: lookup(t, person.Hanako), Kind: cardsim.IPhone, JPKI: c.JPKI, Now: c.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Cards = []*cardsim.Card{card}
	}
	substitute := func(c *daa.Config) { c.Clients[0].TestCards = true }
	plain := func(*daa.Config) {}
	documented := screens(t)
	for _, c := range []struct {
		row    string
		scope  string
		agent  string
		option daa.Option
		forms  map[string]string
	}{
		{"log-in", "openid", phoneAgent, plain, nil},
		{"log-in with attributes", "openid name address", phoneAgent, plain, nil},
		{"signature", "openid sign", phoneAgent, plain, nil},
		{"signature with attributes", "openid name sign", phoneAgent, plain, nil},
		{"log-in with a phone's certificate", "openid", phoneAgent, iphone, nil},
		{"signature with a phone's certificate", "openid sign", phoneAgent, iphone, nil},
		{"attributes asked of a phone's certificate", "openid name", phoneAgent, iphone, nil},
		{"log-in begun on a PC, continued there", "openid", pcAgent, plain, nil},
		{"test card substitute", "openid name sign", phoneAgent, substitute, nil},
		{"cancelled at the consent", "openid", phoneAgent, plain, map[string]string{"consent": "cancel"}},
	} {
		t.Run(c.row, func(t *testing.T) {
			rp := start(t, c.option)
			q := with(rp.authorization(), "scope", c.scope)
			if strings.Contains(c.scope, "sign") {
				q = with(rp.signing(rp.transaction(make([]byte, 32))), "scope", c.scope)
			}
			b := rp.browser(c.agent).get(rp.authorizationURL(q))
			if got := b.walk(rp.svc.Card().Person().Reveal(), c.forms); got != documented[c.row] {
				t.Errorf("%s\ndocumented: %s", got, documented[c.row])
			}
		})
		delete(documented, c.row)
	}
	for row := range documented {
		t.Errorf("%q is documented and not tested", row)
	}
}
