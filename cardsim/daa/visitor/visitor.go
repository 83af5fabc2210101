package visitor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

// Person is a person with a browser and a phone, driven over HTTP: no browser engine, no sleeping. It works against any
// simulated service, also in another process, by reading the forms of the pages that it gets. Every call is a new
// browser; calls may run at the same time.
//
// The methods take the authorization URL and return the callback URL that the browser is sent to at the end, which they
// do not open. Errors are *[Error].
type Person struct {
	HTTPClient                        *http.Client // transport and timeout; default: a client with a timeout of 30 s
	AuthPIN, TextPIN, SigningPassword string
	Card                              string // name of the card to choose, e.g. "hanako"; "" = the default card
	TwoDevices                        bool   // begin on a PC, scan the QR code, and type the six-digit number
	// Jar has the cookies of a browser that the person goes on in; nil = a new browser for each call.
	Jar http.CookieJar
}

// plan is what the visitor means to do.
type plan struct {
	cancel  bool
	mistype int // times to type a wrong authentication PIN before the right one
}

// Approve opens the authorization URL, enters the PINs, consents and returns the callback URL. If the card or its
// certificate cannot be used, it goes back to the relying party: then the callback URL carries the error that the
// relying party gets, and the error has ReasonCardUnusable.
func (v *Person) Approve(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{})
	return callback, err
}

// Cancel opens the authorization URL and cancels on the first page of the phone screen.
func (v *Person) Cancel(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{cancel: true})
	return callback, err
}

// MistypePIN types a wrong authentication PIN the given number of times and then does what Approve does. remaining is
// the number of tries that the page showed last; it is 0, and the error has ReasonCardUnusable, when the card was
// blocked by it.
func (v *Person) MistypePIN(
	ctx context.Context,
	authorizationURL string,
	times int,
) (callback string, remaining int, err error) {
	return v.visit(ctx, authorizationURL, plan{mistype: times})
}

// Block types wrong authentication PINs until the card is blocked, and goes back to the relying party.
func (v *Person) Block(ctx context.Context, authorizationURL string) (callback string, err error) {
	callback, _, err = v.visit(ctx, authorizationURL, plan{mistype: maxSteps})
	if e, ok := errors.AsType[*Error](err); ok && e.Step == string(page.Blocked) {
		return callback, nil
	}
	return callback, err
}

// maxSteps bounds how many pages one visit may take.
const maxSteps = 24

// User agents of the two devices: the service tells them apart by the word "Mobile".
const (
	phoneAgent = "kakunin-visitor/1 (Mobile)"
	pcAgent    = "kakunin-visitor/1 (PC)"
)

func (v *Person) visit(
	ctx context.Context,
	authorizationURL string,
	p plan,
) (callback string, remaining int, err error) {
	at, err := url.Parse(authorizationURL)
	if err != nil || at.Host == "" {
		return "", 0, &Error{Reason: ReasonConfiguration, Step: "authorization URL"}
	}
	agent := phoneAgent
	if v.TwoDevices {
		agent = pcAgent
	}
	b, err := v.newBrowser(at, agent, v.Jar)
	if err != nil {
		return "", 0, err
	}
	b.callback = at.Query().Get("redirect_uri")
	shown, callback, err := b.do(ctx, http.MethodGet, at, nil)
	if err != nil || callback != "" {
		return callback, 0, err
	}
	w := &walk{visitor: v, plan: p, browser: b}
	callback, err = w.run(ctx, shown)
	return callback, w.remaining, err
}

// walk is one visit under way.
type walk struct {
	visitor   *Person
	plan      plan
	browser   *browser
	mistyped  int
	remaining int
	problem   error // what the phone screen said before it let go
}

// run handles page after page until the browser is sent away.
func (w *walk) run(ctx context.Context, shown *shownPage) (callback string, err error) {
	for range maxSteps {
		var form string
		fields := url.Values{}
		switch shown.name {
		case page.Handover:
			if w.visitor.TwoDevices {
				return w.handover(ctx, shown)
			}
			form = "here"
		case page.Problem:
			w.problem = &Error{Reason: ReasonCardUnusable, Step: known(shown.marks["problem"])}
			w.remaining = 0
			form = "leave"
		case page.Error:
			return "", &Error{Reason: ReasonRefused, Step: known(shown.marks["error"])}
		default:
			if form, err = w.answer(shown, fields); err != nil {
				return "", err
			}
		}
		if shown, callback, err = w.browser.submit(ctx, shown, form, fields); err != nil {
			return "", err
		}
		if callback != "" {
			return callback, w.problem
		}
	}
	return "", &Error{Reason: ReasonUnexpectedPage, Step: "too many pages"}
}

// answer fills in a page of the phone screen and says which form to send.
func (w *walk) answer(shown *shownPage, fields url.Values) (form string, err error) {
	if w.plan.cancel && shown.name != page.TestCard {
		return "cancel", nil
	}
	form = string(shown.name)
	f := shown.forms[form]
	if f == nil {
		return "", &Error{Reason: ReasonUnexpectedPage, Step: "form"}
	}
	tries := f.marks["remaining"]
	if tries != "" {
		if w.remaining, err = strconv.Atoi(tries); err != nil {
			return "", &Error{Reason: ReasonUnexpectedPage, Step: "remaining tries"}
		}
	}
	switch shown.name {
	case page.AuthPIN:
		if f.has("card") {
			index, err := chooseCard(f, w.visitor.Card)
			if err != nil {
				return "", err
			}
			fields.Set("card", index)
		}
		if w.mistyped < w.plan.mistype {
			w.mistyped++
			fields.Set("pin", wrongPIN(w.visitor.AuthPIN))
			return form, nil
		}
		if w.mistyped > w.plan.mistype {
			return "", &Error{Reason: ReasonPINRefused, Step: form}
		}
		w.mistyped++ // a refusal of the right PIN must not be tried again
		fields.Set("pin", w.visitor.AuthPIN)
		return form, nil
	case page.TestCard:
		index, err := chooseCard(f, w.visitor.Card)
		if err != nil {
			return "", err
		}
		fields.Set("card", index)
		fields.Set("response", "ok")
		if w.plan.cancel {
			fields.Set("response", "error")
		}
		return form, nil
	case page.TextPIN:
		fields.Set("pin", w.visitor.TextPIN)
	case page.SigningPassword:
		fields.Set("password", w.visitor.SigningPassword)
	case page.Consent:
		return form, nil
	default:
		return "", &Error{Reason: ReasonUnexpectedPage, Step: "page"}
	}
	if tries != "" {
		return "", &Error{Reason: ReasonPINRefused, Step: form}
	}
	return form, nil
}

func chooseCard(f *shownForm, name string) (string, error) {
	for _, i := range f.inputs {
		if i.name == "card" && (name == "" || i.card == name) {
			return i.value, nil
		}
	}
	return "", &Error{Reason: ReasonConfiguration, Step: "card"}
}

// wrongPIN is well-formed and not the right one.
func wrongPIN(right string) string {
	if right == "0000" {
		return "0001"
	}
	return "0000"
}

// handover plays both devices: the phone opens the QR code's address, the PC gets the number.
func (w *walk) handover(ctx context.Context, pc *shownPage) (callback string, err error) {
	here := pc.forms["here"]
	if here == nil {
		return "", &Error{Reason: ReasonUnexpectedPage, Step: "form"}
	}
	at, err := url.Parse(here.marks["phone"])
	if err != nil || !w.browser.own(at) {
		return "", &Error{Reason: ReasonUnexpectedPage, Step: "phone address"}
	}
	phone, err := w.visitor.newBrowser(at, phoneAgent, nil)
	if err != nil {
		return "", err
	}
	shown, leaked, err := phone.do(ctx, http.MethodGet, at, nil)
	onPhone := &walk{visitor: w.visitor, plan: w.plan, browser: phone}
	number := ""
	for range maxSteps {
		if err != nil {
			return "", err
		}
		if leaked != "" { // only the browser that began may be sent back
			return "", &Error{Reason: ReasonUnexpectedPage, Step: "redirect of the wrong device"}
		}
		switch shown.name {
		case page.Number:
			number = shown.marks["number"]
		case page.Problem:
			w.problem = &Error{Reason: ReasonCardUnusable, Step: known(shown.marks["problem"])}
		case page.Closed:
		case page.Error:
			return "", &Error{Reason: ReasonRefused, Step: known(shown.marks["error"])}
		default:
			fields := url.Values{}
			form, ferr := onPhone.answer(shown, fields)
			if ferr != nil {
				return "", ferr
			}
			shown, leaked, err = phone.submit(ctx, shown, form, fields)
			continue
		}
		break
	}
	form, fields := "cancel", url.Values{}
	if number != "" {
		form, fields = "number", url.Values{"number": {number}}
		w.remaining = onPhone.remaining
	}
	_, callback, err = w.browser.submit(ctx, pc, form, fields)
	if err == nil && callback == "" {
		err = &Error{Reason: ReasonUnexpectedPage, Step: "number refused"}
	}
	if err != nil {
		return "", err
	}
	return callback, w.problem
}

// known passes markers of ours and nothing that somebody else may have written.
func known(marker string) string {
	if slices.Contains(page.Outcomes(), page.Outcome(marker)) ||
		slices.Contains(page.Refusals(), page.Refusal(marker)) {
		return marker
	}
	return "unknown"
}
