package visitor

import (
	"errors"
	"html"
	"net/url"
	"regexp"
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

// Tags as our own templates write them: attribute values in double quotes, and html/template escapes "<", ">" and
// quotes in everything that is filled in. Anything else is not a page of ours.
var (
	pageTag  = regexp.MustCompile(`<(/?[a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*(?:="[^"]*")?)*)\s*/?>`)
	pageAttr = regexp.MustCompile(`([a-z][a-z0-9-]*)(?:="([^"]*)")?`)
)

// readPage finds markers and forms.
func readPage(body string) (*shownPage, error) {
	p := &shownPage{forms: make(map[string]*shownForm), marks: make(map[string]string)}
	var form *shownForm
	for _, tag := range pageTag.FindAllStringSubmatch(body, -1) {
		attrs := make(map[string]string)
		for _, a := range pageAttr.FindAllStringSubmatch(tag[2], -1) {
			attrs[a[1]] = html.UnescapeString(a[2])
		}
		switch tag[1] {
		case "form":
			name := attrs[page.Mark+"form"]
			if form != nil || name == "" || p.forms[name] != nil || attrs["method"] != "post" {
				return nil, errPage
			}
			form = &shownForm{action: attrs["action"], marks: make(map[string]string)}
			p.forms[name] = form
		case "/form":
			form = nil
		case "input":
			if form == nil {
				return nil, errPage
			}
			form.inputs = append(form.inputs, shownInput{
				kind: attrs["type"], name: attrs["name"], value: attrs["value"], card: attrs[page.Mark+"card"],
			})
		}
		for name, value := range attrs {
			key, ok := strings.CutPrefix(name, page.Mark)
			if !ok {
				continue
			}
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
