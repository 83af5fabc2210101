package middleware

import (
	"context"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin"
)

//go:embed errorpage.html
var errorPageHTML string

//go:embed errorpage.css
var errorPageCSS string

var errorPageTemplate = template.Must(template.New("error").Parse(errorPageHTML))

type errorPageData struct {
	Style    template.CSS
	Japanese bool // the language that the browser prefers comes first
	TitleJA  string
	TitleEN  string
	JA, EN   string
	Retry    string
	Home     string
}

type (
	retryKey struct{}
	homeKey  struct{}
)

// withRetry notes where the person can try again, for RetryURL.
func withRetry(r *http.Request, url string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), retryKey{}, url))
}

// RetryURL is for an OnError that draws its own page: the path of this site where the person can try again, "" when
// there is no point in it. It is safe to use as a link.
func RetryURL(ctx context.Context) string {
	s, _ := ctx.Value(retryKey{}).(string)
	return s
}

// fail reports an error to the log and to the person.
func (l *Login) fail(w http.ResponseWriter, r *http.Request, err error) {
	family := kakunin.FamilyOf(err)
	level := slog.LevelError // configuration and unclassified: the operators have to do something
	switch family {
	case kakunin.User, kakunin.Account:
		level = slog.LevelInfo
	case kakunin.Unavailable, kakunin.Untrusted: // anybody can cause the latter; an alarm watches the attribute family
		level = slog.LevelWarn
	case kakunin.Unclassified, kakunin.Configuration:
	}
	if _, own := errors.AsType[*Error](err); !own && (family == kakunin.Account || family == kakunin.Configuration) {
		// The service refused this card, or us. Trying again would end in the same way, and cost the person another
		// PIN.
		r = withRetry(r, "")
	}
	r = r.WithContext(context.WithValue(r.Context(), homeKey{}, l.home()))
	attrs := []slog.Attr{slog.String("family", family.String())}
	// Errors of this module hold nothing personal; of other errors only the family is logged.
	if c, ok := errors.AsType[kakunin.Classified](err); ok {
		attrs = append(attrs, slog.String("error", c.Error()))
	}
	l.log.LogAttrs(r.Context(), level, "request refused", attrs...) //nolint:contextcheck // the request's
	secureHeaders(w)
	if e, ok := errors.AsType[*Error](err); ok && (e.Reason == ReasonLoginRequired || e.Reason == ReasonNotFresh) {
		// RFC 9110, section 15.5.2: a 401 response MUST carry a challenge. No registered scheme means "log in with a
		// browser"; browsers ignore one that they do not know.
		w.Header().Set("WWW-Authenticate", `Kakunin login="`+l.loginURL("")+`"`)
	}
	l.onError(w, r, err)
}

func (l *Login) failMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	l.fail(w, r, &Error{Reason: ReasonMethod})
}

// errorPage is the default OnError. Nothing of the request or of the error's text is in it (OWASP ASVS 5.0, 16.5.1).
func errorPage(w http.ResponseWriter, r *http.Request, err error) {
	sum := sha256.Sum256([]byte(errorPageCSS))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(StatusOf(err))
	if r.Method == http.MethodHead {
		return
	}
	home, ok := r.Context().Value(homeKey{}).(string)
	if !ok {
		home = "/"
	}
	title := pageTitle(err)
	// The status is out; a browser that went away is the only way in which this fails.
	_ = errorPageTemplate.Execute(w, errorPageData{
		Style:    template.CSS(errorPageCSS), //nolint:gosec // a constant of this package
		Japanese: LanguageOf(r) == kakunin.Japanese,
		TitleJA:  title.JA,
		TitleEN:  title.EN,
		Home:     home,
		JA:       kakunin.MessageFor(err, kakunin.Japanese),
		EN:       kakunin.MessageFor(err, kakunin.English),
		Retry:    RetryURL(r.Context()),
	})
}

// pageTitle is what the page is about. Most errors mean that something was not done; two do not.
func pageTitle(err error) kakunin.Message {
	switch {
	case errors.Is(err, &Error{Reason: ReasonNotFound}):
		return kakunin.Message{JA: "ページが見つかりません", EN: "Page not found"}
	case errors.Is(err, &Error{Reason: ReasonConsentWaiting}):
		return kakunin.Message{JA: "署名を受け取りました", EN: "Your signature has been received"}
	}
	return kakunin.Message{JA: "手続きを完了できませんでした", EN: "We could not complete this"}
}

// LanguageOf is the language that the browser prefers (Accept-Language; RFC 9110, section 12.5.4): Japanese unless
// English has the greater weight.
func LanguageOf(r *http.Request) kakunin.Language {
	header := r.Header.Get("Accept-Language")
	ja, en := 0.0, 0.0
	n := 0
	for item := range strings.SplitSeq(header, ",") {
		if n++; n > 16 {
			break
		}
		tag, params, _ := strings.Cut(item, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err == nil {
				weight = v
			}
		}
		primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		switch strings.ToLower(primary) {
		case "ja":
			ja = max(ja, weight)
		case "en":
			en = max(en, weight)
		}
	}
	if ja >= en {
		return kakunin.Japanese
	}
	return kakunin.English
}
