package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed pages
var pageFiles embed.FS

// page is what every template gets.
type page struct {
	Lang     kakunin.Language
	Path     string // where the language links lead; "/" on error pages, whose address must not be loaded twice
	Title    string
	LoggedIn bool
	Sim      bool
	Prefix   string // of the middleware
	Data     any
}

type homeData struct {
	LoggedIn                          bool
	PINs                              bool // the three below may be shown
	Login                             string
	AuthPIN, TextPIN, SigningPassword string
}

type row struct{ ID, Label, Value string }

type accountData struct{ Rows []row }

type documentData struct {
	Number, Text, Mode string
}

type stepRow struct {
	Name, Text, Clause string
	OK                 bool
}

// stepGroup is some steps under a title; Held counts those that held.
type stepGroup struct {
	Title string
	Steps []stepRow
	Held  int
	Open  bool
}

type resultData struct {
	Sealed, Verified bool
	Operator         bool // the platform operator verified
	Person           []comparisonRow
	Review           bool // something in Person needs it
	Groups           []stepGroup
	Rows             []row
	Evidence         string
}

type errorData struct {
	Message, Other string // in the chosen language and in the other one
	OtherLang      kakunin.Language
	Retry, Family  string
}

// render writes a page. It is made in full before the status goes out, so that a faulty template is a 500 and not half
// a page.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	lang := languageOf(r)
	content := name
	if name == "notfound" {
		content = "error"
	}
	t, err := template.New("layout.html").Funcs(template.FuncMap{
		"t": func(key string) (string, error) {
			s, ok := words[key]
			if !ok {
				return "", fmt.Errorf("no text %q", key)
			}
			return s.in(lang), nil
		},
	}).ParseFS(pageFiles, "pages/layout.html", "pages/"+content+".html")
	var out bytes.Buffer
	if err == nil {
		p := page{
			Lang: lang, Path: r.URL.Path, Title: words[name+".title"].in(lang), Sim: a.simulated,
			LoggedIn: middleware.IdentityFrom(r.Context()) != nil, Prefix: loginPrefix, Data: data,
		}
		if content == "error" {
			p.Path = "/"
		}
		err = t.Execute(&out, p)
	}
	if err != nil {
		a.logger.ErrorContext(r.Context(), "page cannot be made", slog.String("page", name))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(lang))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

const languageCookie = "__Host-demo-lang"

// chooseLanguage answers ?lang= on a page: it remembers the choice and shows the page without it.
func chooseLanguage(w http.ResponseWriter, r *http.Request) bool {
	lang := kakunin.Language(r.URL.Query().Get("lang"))
	if r.Method != http.MethodGet || (lang != kakunin.Japanese && lang != kakunin.English) {
		return false
	}
	switch r.URL.Path {
	case "/", "/account", "/document", "/result":
	default:
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name:     languageCookie,
		Value:    string(lang),
		Path:     "/",
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Location", r.URL.Path)
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// languageOf is the chosen language, otherwise the one that the browser prefers.
func languageOf(r *http.Request) kakunin.Language {
	if c, err := r.Cookie(languageCookie); err == nil {
		if l := kakunin.Language(c.Value); l == kakunin.Japanese || l == kakunin.English {
			return l
		}
	}
	return middleware.LanguageOf(r)
}

func accountOf(id *authn.Identity, now time.Time, lang kakunin.Language) accountData {
	p := id.Person
	label := func(key string) string { return words["account."+key].in(lang) }
	age := words["unknown"].in(lang)
	if years, ok := p.Birthdate.AgeOn(fourinfo.DateOf(now)); ok {
		age = text{strconv.Itoa(years) + "歳", strconv.Itoa(years)}.in(lang)
	}
	orAbsent := func(s string, present bool) string {
		if !present {
			return words["absent"].in(lang)
		}
		return s
	}
	return accountData{Rows: []row{
		{"name", label("name"), orAbsent(p.Name.Reveal(), p.Name.Present())},
		{"address", label("address"), orAbsent(p.Address.Reveal(), p.Address.Present())},
		{"birthdate", label("birthdate"), orAbsent(p.Birthdate.RevealText(lang), p.Birthdate.Present())},
		{"gender", label("gender"), orAbsent(p.Gender.RevealText(lang), p.Gender.Present())},
		{"age", label("age"), age},
		{"subject", label("subject"), id.Subject.Reveal()},
		{"acr", label("acr"), orAbsent(id.ACR, id.ACR != "")},
	}}
}

func resultOf(o outcome, lang kakunin.Language) resultData {
	d := resultData{Sealed: o.Sealed, Verified: o.Verified, Operator: o.Operator != nil, Evidence: string(o.Evidence)}
	for i, g := range stepGroups {
		group := stepGroup{Title: g.title.in(lang), Open: i == 0}
		for _, s := range o.Steps {
			prefix, _, _ := strings.Cut(s.Name, ".")
			if !slices.Contains(g.prefixes, prefix) {
				continue
			}
			name, ok := stepTexts[s.Name]
			if !ok {
				name = text{s.Name, s.Name}
			}
			group.Steps = append(group.Steps, stepRow{Name: s.Name, Text: name.in(lang), Clause: s.Clause, OK: s.OK})
			if s.OK {
				group.Held++
			}
		}
		if len(group.Steps) > 0 {
			d.Groups = append(d.Groups, group)
		}
	}
	d.Person, d.Review = comparisonRows(o.Person, lang)
	label := func(key string) string { return words["result."+key].in(lang) }
	d.Rows = []row{{"number", label("number"), o.Number}, {"mode", label("mode"), words["mode."+o.Mode].in(lang)}}
	if o.Verified {
		d.Rows = append(
			d.Rows,
			row{
				"revocation",
				label("revocation"),
				words["revocation."+o.Revocation].in(lang) + words["method."+o.Method].in(lang),
			},
		)
		if o.Chain != nil {
			d.Rows = append(d.Rows, row{"anchor", label("anchor"), o.Chain.AnchorSHA256})
		}
		if o.Operator != nil {
			d.Rows = append(d.Rows, row{"verification", label("verification"), o.Operator.VerificationID})
		}
		d.Rows = append(
			d.Rows,
			row{
				"time",
				label("time"),
				o.VerifiedAt.In(time.FixedZone("JST", 9*60*60)).Format("2006-01-02 15:04:05 MST"),
			},
		)
	}
	return d
}

func errorOf(r *http.Request, m text, retry string) errorData {
	lang, other := languageOf(r), kakunin.English
	if lang == kakunin.English {
		other = kakunin.Japanese
	}
	return errorData{Message: m.in(lang), Other: m.in(other), OtherLang: other, Retry: retry}
}
