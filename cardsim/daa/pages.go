package daa

import (
	"bytes"
	"embed"
	"encoding/base64"
	"html"
	"html/template"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"rsc.io/qr"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

//go:embed pages
var pageFiles embed.FS

// pageSet holds the parsed templates by language: each page is the layout with its own title and main part.
type pageSet struct {
	pages   map[kakunin.Language]map[page.Name]*template.Template
	headers map[kakunin.Language]http.Header // of every page
	style   []byte
	buffers sync.Pool // of *bytes.Buffer
	same    *samePages
}

func newPageSet() (*pageSet, error) {
	style, err := fs.ReadFile(pageFiles, "pages/style.css")
	if err != nil {
		return nil, err
	}
	pages, err := parsedPages()
	if err != nil {
		return nil, err
	}
	set := &pageSet{
		style: style, pages: pages,
		headers: make(map[kakunin.Language]http.Header), same: newSamePages(),
	}
	set.buffers.New = func() any { return new(bytes.Buffer) }
	for _, l := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
		set.headers[l] = http.Header{
			"Content-Type": {"text/html; charset=utf-8"}, "Content-Language": {string(l)},
			"Vary": {"Accept-Language, Cookie, User-Agent"}, "X-Frame-Options": {"DENY"},
		}
	}
	return set, nil
}

// parsedPages are the templates, which all services of a process share: reading them is most of what one does when it
// starts.
var parsedPages = sync.OnceValues(func() (map[kakunin.Language]map[page.Name]*template.Template, error) {
	pages := make(map[kakunin.Language]map[page.Name]*template.Template)
	for _, l := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
		pages[l] = make(map[page.Name]*template.Template)
		layout, err := inLanguage("layout", l)
		if err != nil {
			return nil, err
		}
		for _, name := range page.Names() {
			text, err := inLanguage(string(name), l)
			if err != nil {
				return nil, err
			}
			whole := strings.ReplaceAll(layout, "{{.Page}}", string(name)) + text
			if pages[l][name], err = template.New(string(name)).Parse(whole); err != nil {
				return nil, err
			}
		}
	}
	return pages, nil
})

// bothTexts is how templates keep the two texts side by side: {{.T "日本語" "English"}}.
var bothTexts = regexp.MustCompile(`\{\{\$?\.T "([^"]*)" "([^"]*)"\}\}`)

// inLanguage reads a template and puts in the texts of one language, so that nothing is looked up when it is shown.
func inLanguage(name string, l kakunin.Language) (string, error) {
	source, err := fs.ReadFile(pageFiles, "pages/"+name+".html")
	return bothTexts.ReplaceAllStringFunc(string(source), func(both string) string {
		texts := bothTexts.FindStringSubmatch(both)
		return html.EscapeString(kakunin.Message{JA: texts[1], EN: texts[2]}.In(l))
	}), err
}

// frame is what the layout needs of every page.
type frame struct {
	Page      page.Name
	Lang      kakunin.Language
	SwitchURL string // this page in the other language
	Query     string // to append to the action of every form, so that a chosen language stays
	Alert     string
	Client    string // name of the relying party
	ClientID  string
	For       bool   // say for whom this is, above the page
	ReturnTo  string // origin of the redirect URL: forms may end there
}

// T picks the text of the page's language; templates do it earlier, see inLanguage.
func (f frame) T(ja, en string) string { return kakunin.Message{JA: ja, EN: en}.In(f.Lang) }

func newFrame(r *http.Request, name page.Name, c *client, redirectURI string) frame {
	f := frame{Page: name, Lang: languageOf(r)}
	f.Query = languageQuery(r)
	q := r.URL.Query()
	q.Set("lang", f.T("en", "ja"))
	f.SwitchURL = "?" + q.Encode()
	if c != nil {
		f.Client, f.ClientID = c.Name, c.ID
		f.For = name != page.Consent // which says it itself
	}
	if u, err := url.Parse(redirectURI); err == nil && u.Host != "" {
		f.ReturnTo = u.Scheme + "://" + u.Host
	}
	return f
}

// languageOf prefers the visitor's choice, then Accept-Language, then Japanese.
func languageOf(r *http.Request) kakunin.Language {
	switch r.URL.Query().Get("lang") {
	case "ja":
		return kakunin.Japanese
	case "en":
		return kakunin.English
	}
	header := r.Header.Get("Accept-Language")
	if header == "" {
		return kakunin.Japanese
	}
	quality := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if parsed, err := strconv.ParseFloat(value, 64); err == nil {
				q = parsed
			}
		}
		quality[primary] = max(quality[primary], q)
	}
	if quality["ja"] >= quality["en"] && (quality["ja"] > 0 || quality["*"] > 0) {
		return kakunin.Japanese
	}
	return kakunin.English
}

func languageQuery(r *http.Request) string {
	switch l := r.URL.Query().Get("lang"); l {
	case "ja", "en":
		return "?lang=" + l
	}
	return ""
}

// render writes a page.
func (s *Service) render(w http.ResponseWriter, status int, f frame, view any) {
	body, _ := s.pages.buffers.Get().(*bytes.Buffer)
	defer s.pages.buffers.Put(body)
	body.Reset()
	if err := s.pages.execute(body, f, view); err != nil {
		s.fail(w, "page "+string(f.Page), err)
		return
	}
	s.pages.write(w, status, f, body.Bytes())
}

func (p *pageSet) execute(body *bytes.Buffer, f frame, view any) error {
	return p.pages[f.Lang][f.Page].ExecuteTemplate(body, "layout", view)
}

// write sends a page. The policy allows no script at all, our own style sheet, and the QR code's data URI. Browsers
// apply form-action to the redirect after a form too, so that the relying party's origin must be listed.
func (p *pageSet) write(w http.ResponseWriter, status int, f frame, body []byte) {
	h := w.Header()
	maps.Copy(h, p.headers[f.Lang])
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", strings.TrimRight("default-src 'none'; style-src 'self'; img-src 'self' data:; "+
		"base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+f.ReturnTo, " "))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (s *Service) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(s.pages.style)
}

func (s *Service) errorPage(w http.ResponseWriter, r *http.Request, status int, kind page.Refusal) {
	s.log.Warn("error page", slog.String("kind", string(kind)), slog.Int("status", status))
	f := newFrame(r, page.Error, nil, "")
	s.render(w, status, f, struct {
		frame
		Kind page.Refusal
	}{f, kind})
}

func (s *Service) notFound(w http.ResponseWriter, r *http.Request) {
	s.errorPage(w, r, http.StatusNotFound, page.RefusedNotFound)
}

// home says what this is.
func (s *Service) home(w http.ResponseWriter, r *http.Request) {
	f := newFrame(r, page.Home, nil, "")
	type endpoint struct {
		Code   string // what the protocol calls it, or
		JA, EN string
		URL    string
		Page   bool // to look at
	}
	view := struct {
		frame
		Endpoints []endpoint
		Clients   []*client
		Cards     []cardChoice
		ShowPINs  bool
	}{frame: f, ShowPINs: s.showPINs, Cards: s.cardChoices()}
	view.Endpoints = []endpoint{
		{Code: "issuer", URL: s.env.Issuer}, {Code: "authorization_endpoint", URL: s.env.AuthorizationEndpoint},
		{Code: "token_endpoint", URL: s.env.TokenEndpoint}, {Code: "userinfo_endpoint", URL: s.env.UserinfoEndpoint},
		{Code: "jwks_uri", URL: s.env.JWKSEndpoint, Page: true},
		{JA: "署名API", EN: "Sign API", URL: s.env.SignEndpoint},
		{JA: "プラットフォーム事業者（PF事業者）", EN: "Platform operator", URL: s.OperatorURL()},
		{JA: "インスペクター", EN: "Inspector", URL: s.base.String() + inspectorPath, Page: true},
		{JA: "テスト用の認証局", EN: "Test authorities", URL: s.base.String() + jpkiPath + "/", Page: true},
	}
	for _, c := range *s.clients.Load() {
		view.Clients = append(view.Clients, c)
	}
	sortClients(view.Clients)
	s.render(w, http.StatusOK, f, view)
}

// jpkiIndex lists where the test authorities' certificates, lists and responders are, for people and programs.
func (s *Service) jpkiIndex(w http.ResponseWriter, _ *http.Request) {
	type authority struct {
		Certificate string `json:"certificate"` // DER, GET
		CRL         string `json:"crl"`         // DER, GET with the names in a certificate's cRLDistributionPoints
		OCSP        string `json:"ocsp"`        // POST
	}
	at := func(label string) authority {
		base := s.base.String() + jpkiPath + "/" + label
		return authority{base + "/ca.cer", base + "/crl?prefecture={prefecture}&city={city}", base + "/ocsp"}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"about":          "test authorities of a simulator; nothing real trusts them",
		"signing":        at("sign"),
		"authentication": at("auth"),
	})
}

// qrImage draws the address as a PNG data URI.
func qrImage(address string) (template.URL, error) {
	code, err := qr.Encode(address, qr.M)
	if err != nil {
		return "", err
	}
	code.Scale = 6
	// The URI is made here of base64 only; html/template would otherwise refuse the data scheme.
	return template.URL( //nolint:gosec // base64 only
		"data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()),
	), nil
}
