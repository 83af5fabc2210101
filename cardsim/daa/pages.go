package daa

import (
	"bytes"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

//go:embed pages
var pageFiles embed.FS

// pageSet holds the parsed templates: each page is the layout with its own title and main part.
type pageSet struct {
	pages map[page.Name]*template.Template
	style []byte
}

func newPageSet() (*pageSet, error) {
	style, err := fs.ReadFile(pageFiles, "pages/style.css")
	if err != nil {
		return nil, err
	}
	set := &pageSet{pages: make(map[page.Name]*template.Template), style: style}
	for _, name := range page.Names() {
		t, err := template.ParseFS(pageFiles, "pages/layout.html", "pages/"+string(name)+".html")
		if err != nil {
			return nil, err
		}
		set.pages[name] = t
	}
	return set, nil
}

// frame is what the layout needs of every page.
type frame struct {
	Page      page.Name
	Lang      kakunin.Language
	OtherLang kakunin.Language
	SwitchURL string // this page in the other language
	Query     string // to append to the action of every form, so that a chosen language stays
	Alert     string
	Client    string // name of the relying party
	ClientID  string
	ReturnTo  string // origin of the redirect URL: forms may end there
}

// T picks the text of the page's language. Templates keep both texts side by side.
func (f frame) T(ja, en string) string { return kakunin.Message{JA: ja, EN: en}.In(f.Lang) }

func newFrame(r *http.Request, name page.Name, c *client, redirectURI string) frame {
	f := frame{Page: name, Lang: languageOf(r)}
	f.OtherLang = kakunin.English
	if f.Lang == kakunin.English {
		f.OtherLang = kakunin.Japanese
	}
	f.Query = languageQuery(r)
	q := r.URL.Query()
	q.Set("lang", string(f.OtherLang))
	f.SwitchURL = "?" + q.Encode()
	if c != nil {
		f.Client, f.ClientID = c.Name, c.ID
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

// render writes a page. The policy allows no script at all, our own style sheet, and the QR code's data URI. Browsers
// apply form-action to the redirect after a form too, so that the relying party's origin must be listed.
func (s *Service) render(w http.ResponseWriter, status int, f frame, view any) {
	var body bytes.Buffer
	if err := s.pages.pages[f.Page].ExecuteTemplate(&body, "layout", view); err != nil {
		s.fail(w, "page "+string(f.Page), err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(f.Lang))
	h.Set("Vary", "Accept-Language, Cookie, User-Agent")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", strings.TrimRight("default-src 'none'; style-src 'self'; img-src 'self' data:; "+
		"base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+f.ReturnTo, " "))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
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
	type endpoint struct{ Name, URL string }
	view := struct {
		frame
		Endpoints []endpoint
		Clients   []*client
		Cards     []cardChoice
		ShowPINs  bool
	}{frame: f, ShowPINs: s.showPINs, Cards: s.cardChoices()}
	view.Endpoints = []endpoint{
		{"issuer", s.env.Issuer}, {"authorization_endpoint", s.env.AuthorizationEndpoint},
		{"token_endpoint", s.env.TokenEndpoint}, {"userinfo_endpoint", s.env.UserinfoEndpoint},
		{"jwks_uri", s.env.JWKSEndpoint}, {"sign-transactions", s.env.SignEndpoint},
		{"inspector", s.base.String() + inspectorPath},
		{"JPKI-TEST", s.base.String() + jpkiPath + "/"},
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
