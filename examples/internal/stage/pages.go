package stage

import (
	"bytes"
	_ "embed" // for the page's frame
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/examples/internal/sheet"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed layout.html
var layout string

//go:embed style.css
var style string

// Pages are an example's pages in both languages.
type Pages struct {
	byLanguage map[kakunin.Language]map[string]*template.Template
	status     int
}

// ParsePages reads templates. A page is two of them, {{define "NAME"}} and {{define "NAME.title"}}; inside, {{t "日本語"
// "English"}} is the text in the language of the person, {{say .}} that of a kakunin.Message, {{time .}} a time, and
// {{template "logout" "/auth"}} the button that logs out. "site" is the name of the site.
func ParsePages(text string) (*Pages, error) {
	p := &Pages{byLanguage: map[kakunin.Language]map[string]*template.Template{}, status: http.StatusOK}
	for _, lang := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
		base, err := template.New("layout").Funcs(template.FuncMap{
			"t":    func(ja, en string) string { return kakunin.Message{JA: ja, EN: en}.In(lang) },
			"say":  func(m kakunin.Message) string { return m.In(lang) },
			"lang": func() string { return string(lang) },
			"time": func(t time.Time) string { return In(lang, t) },
		}).Parse(layout)
		if err != nil {
			return nil, err
		}
		if _, err := base.Parse(text); err != nil {
			return nil, err
		}
		pages := map[string]*template.Template{}
		for _, t := range base.Templates() {
			name, ok := strings.CutSuffix(t.Name(), ".title")
			if !ok {
				continue
			}
			page, err := template.Must(base.Clone()).Parse(
				`{{define "title"}}{{template "` + name + `.title" .}}{{end}}{{define "content"}}{{template "` + name +
					`" .}}{{end}}`)
			if err != nil {
				return nil, err
			}
			pages[name] = page
		}
		p.byLanguage[lang] = pages
	}
	return p, nil
}

// Status returns the pages with another status than 200.
func (p *Pages) Status(code int) *Pages { return &Pages{byLanguage: p.byLanguage, status: code} }

// Show writes a page. It is made in full before the status goes out, so that a faulty one is a 500 and not half a page.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request, name string, data any) {
	lang, path := LanguageOf(r), r.URL.Path
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		path = asked.Path // as the browser sees it, whatever a handler in between took away
	}
	if r.Method != http.MethodGet || p.status != http.StatusOK {
		path = "/" // the language links must not load this address again
	}
	var out bytes.Buffer
	err := p.byLanguage[lang][name].ExecuteTemplate(&out, "layout", struct {
		Path string
		Data any
	}{path, data})
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(lang))
	w.WriteHeader(p.status)
	_, _ = w.Write(out.Bytes())
}

// Error is a middleware.Config.OnError in the style of the pages.
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, err error) {
	p.Status(middleware.StatusOf(err)).Show(w, r, "error", struct{ Message, Retry string }{
		kakunin.MessageFor(err, LanguageOf(r)), middleware.RetryURL(r.Context()),
	})
}

// In writes a time in Japan for a person to read.
func In(lang kakunin.Language, t time.Time) string {
	t = t.In(time.FixedZone("JST", 9*60*60))
	if lang == kakunin.Japanese {
		return t.Format("2006年1月2日 15:04")
	}
	return t.Format("2 January 2006, 15:04")
}

// LanguageOf is the language that the person chose on the page, otherwise the one that the browser prefers.
func LanguageOf(r *http.Request) kakunin.Language {
	if c, err := r.Cookie(languageCookie); err == nil {
		if l := kakunin.Language(c.Value); l == kakunin.Japanese || l == kakunin.English {
			return l
		}
	}
	return middleware.LanguageOf(r)
}

const languageCookie = "__Host-example-lang"

// around is what every page has around it: headers, the style sheet, the choice of the language, and that no other site
// makes a browser send a form.
func around(next http.Handler) http.Handler {
	forms := http.NewCrossOriginProtection()
	return forms.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
				"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.URL.Path == "/style.css" {
			h.Set("Content-Type", "text/css; charset=utf-8")
			_, _ = w.Write([]byte(sheet.CSS + style))
			return
		}
		lang := kakunin.Language(r.URL.Query().Get("lang"))
		if r.Method != http.MethodGet || (lang != kakunin.Japanese && lang != kakunin.English) {
			next.ServeHTTP(w, r)
			return
		}
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: string(lang), Path: "/", Secure: true, HttpOnly: true,
			SameSite: http.SameSiteLaxMode,
		})
		h.Set("Location", "/"+strings.TrimLeft(r.URL.EscapedPath(), "/"))
		w.WriteHeader(http.StatusSeeOther)
	}))
}
