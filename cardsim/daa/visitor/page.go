package visitor

import (
	"errors"
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

// shownPage is what a Visitor sees of a page of ours: the markers and the forms, not the texts.
type shownPage struct {
	name  page.Name
	at    *url.URL
	forms map[string]*shownForm
	marks map[string]string // data-kakunin-… attributes outside forms, without the prefix
}

type shownForm struct {
	action string
	inputs []shownInput
	marks  map[string]string
}

type shownInput struct{ kind, name, value, card string }

// has reports whether the form has a field.
func (f *shownForm) has(name string) bool {
	return slices.ContainsFunc(f.inputs, func(i shownInput) bool { return i.name == name })
}

var errPage = errors.New("daa: not a page of the simulated service")

// readPage finds markers and forms.
func readPage(body string) (*shownPage, error) {
	p := &shownPage{forms: make(map[string]*shownForm), marks: make(map[string]string)}
	var form *shownForm
	scan := tagScanner{rest: body}
	for scan.next() {
		switch scan.tag {
		case "form":
			name := scan.value(page.Mark + "form")
			if form != nil || name == "" || p.forms[name] != nil || scan.value("method") != "post" {
				return nil, errPage
			}
			form = &shownForm{action: scan.value("action"), marks: make(map[string]string)}
			p.forms[name] = form
		case "/form":
			form = nil
		case "input":
			if form == nil {
				return nil, errPage
			}
			form.inputs = append(form.inputs, shownInput{
				kind: scan.value("type"), name: scan.value("name"), value: scan.value("value"),
				card: scan.value(page.Mark + "card"),
			})
		}
		for _, a := range scan.attrs {
			key, ok := strings.CutPrefix(a.name, page.Mark)
			if !ok {
				continue
			}
			value := html.UnescapeString(a.value)
			if form != nil {
				form.marks[key] = value
				continue
			}
			if key == "page" && p.name != "" {
				return nil, errPage
			}
			if key == "page" {
				p.name = page.Name(value)
			}
			p.marks[key] = value
		}
	}
	if p.name == "" || form != nil {
		return nil, errPage
	}
	return p, nil
}
