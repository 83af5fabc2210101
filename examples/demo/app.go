package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/sheet"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// appConfig is what the relying party needs.
type appConfig struct {
	client       *authn.Client
	redirectURL  string
	mode         sign.Mode
	verifier     *ownVerifier     // a certified verifier verifies itself
	private      *privateBusiness // others have their operator do it; with neither, results stay sealed
	service      string           // origin of the service, for the content security policy
	showPersonal bool
	simulated    bool           // the service is a simulator, which the pages say
	holder       *person.Person // whose card the phone holds, when this program knows: the pages may show its PINs
	now          func() time.Time
	logger       *slog.Logger
}

// app is the relying party: a web application with a login, a page for members and a document to sign.
type app struct {
	appConfig
	login    *middleware.Login
	keeper   *signapi.Keeper
	sessions *scssession.Sessions // hold the document that a session shows and what came of it, too
	mux      *http.ServeMux
	host     string // the one host name that browsers may use, with its port
	base     string // with scheme
	style    string
}

// loginPrefix is where the middleware serves logging in and out.
const loginPrefix = "/auth"

// pagePaths are the demo's own pages: none can be the callback.
func pagePaths() []string {
	return []string{
		"/", loginPrefix, loginPrefix + "/login", loginPrefix + "/logout",
		"/account", "/document", "/sign", "/result", "/evidence.json", "/report.json", "/style.css",
	}
}

func newApp(c appConfig) (*app, error) {
	u, err := url.Parse(c.redirectURL)
	if err != nil {
		return nil, errors.New("the redirect URL cannot be parsed")
	}
	a := &app{appConfig: c, mux: http.NewServeMux(), host: u.Host, base: u.Scheme + "://" + u.Host}
	if a.keeper, err = newKeeper(c); err != nil {
		return nil, err
	}
	if a.sessions, err = scssession.New(scssession.Config{Now: c.now, Logger: c.logger}); err != nil {
		return nil, err
	}
	a.login, err = middleware.New(middleware.Config{
		Client:   c.client,
		Scopes:   authn.Attributes,
		SealKeys: middleware.NewSealKeys(),
		Sessions: a.sessions,
		Prefix:   loginPrefix,
		Keeper:   a.keeper,
		OnError:  a.failed,
		Now:      c.now,
		Logger:   c.logger,
	})
	if err != nil {
		return nil, err
	}
	signing, err := a.login.Sign("agreement", middleware.SignConfig{
		Mode: c.mode, Document: a.documentToSign, OnSigned: a.signed,
	})
	if err != nil {
		return nil, err
	}
	own, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, err
	}
	a.style = sheet.CSS + string(own)
	a.mux.Handle(loginPrefix+"/", a.login)
	if !strings.HasPrefix(u.Path, loginPrefix+"/") {
		a.mux.Handle(u.Path, a.login) // the callback, where it was registered elsewhere
	}
	a.mux.Handle("GET /{$}", a.login.Optional(http.HandlerFunc(a.home)))
	a.mux.Handle("GET /account", a.login.RequireFunc(a.account))
	a.mux.Handle("GET /document", a.login.RequireFunc(a.document))
	a.mux.Handle("POST /sign", signing)
	a.mux.Handle("GET /result", a.login.RequireFunc(a.result))
	a.mux.Handle("GET /evidence.json", a.login.RequireFunc(a.evidence))
	a.mux.Handle("GET /report.json", a.login.RequireFunc(a.report))
	a.mux.HandleFunc("GET /style.css", a.stylesheet)
	a.mux.Handle("/", a.login.Optional(http.HandlerFunc(a.notFound)))
	return a, nil
}

// newKeeper keeps what is signed while the program runs: an application that must lose nothing has a database in the
// place of the memory (package sign/signapi/sqlstore), and keys that outlive it.
func newKeeper(c appConfig) (*signapi.Keeper, error) {
	client, err := signapi.New(signapi.Config{Client: c.client, Now: c.now, Logger: c.logger})
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	keys, err := evidence.NewLocalKeys(key)
	if err != nil {
		return nil, err
	}
	return signapi.NewKeeper(signapi.KeeperConfig{Client: client, Store: signapi.NewMemory(), Keys: keys})
}

// ServeHTTP sends browsers to the one host name for which cookies and redirect URL are made, sets the headers that
// every page needs, and then serves it.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != a.host {
		a.otherHost(w, r)
		return
	}
	h := w.Header()
	// Browsers apply form-action also to where a form's answer redirects: signing is a form that leads to the service.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+a.service+
		"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if chooseLanguage(w, r) {
		return
	}
	a.mux.ServeHTTP(w, r)
}

// otherHost leads from 127.0.0.1 to localhost. Any other name is refused: a page of a stranger whose name resolves to
// this machine must not reach the application.
func (a *app) otherHost(w http.ResponseWriter, r *http.Request) {
	if !loopback(hostOnly(r.Host)) || (r.Method != http.MethodGet && r.Method != http.MethodHead) ||
		strings.HasPrefix(r.URL.Path, "//") {
		http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
		return
	}
	w.Header().Set("Location", a.base+r.URL.RequestURI())
	w.WriteHeader(http.StatusPermanentRedirect)
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	data := homeData{
		LoggedIn: middleware.IdentityFrom(r.Context()) != nil,
		Login:    loginPrefix + "/login?return=/account",
	}
	if a.holder != nil {
		p := a.holder.Reveal()
		data.PINs, data.AuthPIN, data.TextPIN, data.SigningPassword = true, p.AuthPIN, p.TextPIN, p.SigningPassword
	}
	a.render(w, r, http.StatusOK, "home", data)
}

func (a *app) account(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "account", accountOf(middleware.IdentityFrom(r.Context()), a.now(), languageOf(r)))
}

// agreement is the document that one session shows and signs.
type agreement struct {
	Number string `json:"number"`
	Text   string `json:"text"`
}

const (
	documentKey = "demo.document"
	outcomeKey  = "demo.outcome"
)

// newAgreement writes a text that a person can read, with a number and a time, so that no two signatures are over the
// same bytes.
func newAgreement(now time.Time) agreement {
	number := rand.Text()[:12]
	at := now.In(time.FixedZone("JST", 9*60*60)).Format("2006-01-02 15:04")
	return agreement{Number: number, Text: "利用規約への同意書（架空の文書） / Agreement to the terms of use (fictitious)\n\n" +
		"1. 私は、架空のサービス「確認商店」の利用規約を読みました。\n   I have read the terms of use of the fictitious service “Kakunin " +
		"Store”.\n" +
		"2. 私は、その内容に同意します。\n   I agree to them.\n\n" +
		"文書番号 / Document number: " + number + "\n作成日時 / Created: " + at + " JST\n"}
}

func (a *app) document(w http.ResponseWriter, r *http.Request) {
	doc, ok := a.sessionDocument(r)
	if !ok {
		doc = newAgreement(a.now())
		if err := a.keep(r, documentKey, doc); err != nil {
			a.failed(w, r, err)
			return
		}
	}
	a.render(
		w,
		r,
		http.StatusOK,
		"document",
		documentData{
			Number: doc.Number,
			Text:   doc.Text,
			Mode:   words["mode."+a.mode.String()].in(languageOf(r)),
		},
	)
}

var errStaleDocument = errors.New("the form belongs to another document than the one shown last")

// documentToSign returns the document of this session, if the form that was sent is the one shown with it: what is
// signed must be what was seen.
func (a *app) documentToSign(r *http.Request) (sign.Document, string, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, 4<<10)
	doc, ok := a.sessionDocument(r)
	if !ok || r.PostFormValue("document") != doc.Number {
		return sign.Document{}, "", errStaleDocument
	}
	return sign.Text(doc.Text), doc.Number, nil
}

// signed has the result verified and keeps the outcome for the result page.
func (a *app) signed(w http.ResponseWriter, r *http.Request, s middleware.Signed) {
	doc, ok := a.sessionDocument(r)
	if !ok || doc.Number != s.Reference {
		a.failed(w, r, errStaleDocument)
		return
	}
	out := outcome{Number: doc.Number, Mode: s.Unverified.Transaction.Mode.String()}
	err := a.verify(r, s.Unverified, doc, &out)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	if err := a.keep(r, outcomeKey, out); err != nil {
		a.failed(w, r, err)
		return
	}
	// Verified and recorded: the answer is not needed any more.
	if err := a.keeper.Close(r.Context(), s.Unverified.Transaction.ID); err != nil {
		a.failed(w, r, err)
		return
	}
	a.sessions.Manager().Remove(r.Context(), documentKey) // the next one gets a number of its own
	http.Redirect(w, r, "/result", http.StatusSeeOther)
}

// verify verifies the result the way this business does.
func (a *app) verify(r *http.Request, res *signapi.Unverified, doc agreement, out *outcome) error {
	switch {
	case a.verifier != nil:
		report, record, err := a.verifier.verify(r.Context(), res, doc.Text, loggedIn(r))
		if err != nil {
			return err
		}
		return out.fill(report, record)
	case a.private != nil:
		verdict, record, err := a.private.verify(r.Context(), res, doc.Text)
		if err != nil {
			return err
		}
		return out.fillVerdict(verdict, record)
	}
	out.Sealed = true // to be handed to the platform operator
	return nil
}

// verifyLog checks the whole log of evidence, as an auditor would.
func (a *app) verifyLog(ctx context.Context) (evidence.State, error) {
	var log *evidence.Log
	switch {
	case a.verifier != nil:
		log = a.verifier.log
	case a.private != nil:
		log = a.private.log
	default:
		return evidence.State{}, errors.New("there is no log")
	}
	return log.Verify(ctx, evidence.Verification{Archive: true})
}

// loggedIn is the person whose signature is expected: the one who logged in, if the attributes were granted.
func loggedIn(r *http.Request) *fourinfo.Person {
	p := middleware.IdentityFrom(r.Context()).Person
	if !p.Name.Present() && !p.Address.Present() && !p.Birthdate.Present() && !p.Gender.Present() {
		return nil
	}
	return &p
}

func (a *app) result(w http.ResponseWriter, r *http.Request) {
	out, ok := a.sessionOutcome(r)
	if !ok {
		http.Redirect(w, r, "/document", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "result", resultOf(out, languageOf(r)))
}

// evidence is the download.
func (a *app) evidence(w http.ResponseWriter, r *http.Request) {
	out, ok := a.sessionOutcome(r)
	if !ok || !out.Verified {
		a.notFound(w, r)
		return
	}
	download(w, "evidence-"+out.Number+".json", out.Evidence)
}

// report is the whole visit as one JSON object.
func (a *app) report(w http.ResponseWriter, r *http.Request) {
	rep := report{Login: loginOf(middleware.IdentityFrom(r.Context()))}
	if a.showPersonal {
		rep.Person = personOf(middleware.IdentityFrom(r.Context()), a.now())
	}
	if out, ok := a.sessionOutcome(r); ok {
		rep.Signature, rep.Evidence = out.signature(), out.Evidence
	}
	b, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		a.failed(w, r, err)
		return
	}
	download(w, "report.json", b)
}

func download(w http.ResponseWriter, name string, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(b)
}

func (a *app) stylesheet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(a.style))
}

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusNotFound, "notfound", errorOf(r, messageNotFound, ""))
}

// failed is the middleware's OnError and the application's own: a page that says what a person can do now. The error
// itself is not shown.
func (a *app) failed(w http.ResponseWriter, r *http.Request, err error) {
	message := text{kakunin.MessageFor(err, kakunin.Japanese), kakunin.MessageFor(err, kakunin.English)}
	retry := middleware.RetryURL(r.Context())
	if errors.Is(err, errStaleDocument) {
		message, retry = messageStale, "/document"
	}
	data := errorOf(r, message, retry)
	data.Family = kakunin.FamilyOf(err).String()
	a.render(w, r, middleware.StatusOf(err), "error", data)
}

// keep puts a value into the session, as JSON.
func (a *app) keep(r *http.Request, key string, value any) error {
	b, err := json.Marshal(value)
	if err == nil {
		a.sessions.Manager().Put(r.Context(), key, string(b))
	}
	return err
}

func (a *app) sessionDocument(r *http.Request) (doc agreement, ok bool) {
	err := json.Unmarshal([]byte(a.sessions.Manager().GetString(r.Context(), documentKey)), &doc)
	return doc, err == nil
}

func (a *app) sessionOutcome(r *http.Request) (out outcome, ok bool) {
	err := json.Unmarshal([]byte(a.sessions.Manager().GetString(r.Context(), outcomeKey)), &out)
	return out, err == nil
}
