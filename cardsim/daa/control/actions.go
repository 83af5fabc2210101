package control

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki"
)

// maxWait bounds how long GET /control/visits waits.
const maxWait = time.Minute

// order is what a visitor is to do.
type order struct {
	AuthorizationURL string `json:"authorization_url"` // of a new visit
	Action           string `json:"action"`            // approve (default), cancel, mistype, block
	Times            int    `json:"times"`             // with mistype; default 1
	Card             string `json:"card"`              // name; default the first
	TwoDevices       bool   `json:"two_devices"`
	AuthPIN          string `json:"auth_pin"` // default: the right ones
	TextPIN          string `json:"text_pin"`
	SigningPassword  string `json:"signing_password"`
}

// result is what came of it.
type result struct {
	CallbackURL string `json:"callback_url,omitempty"`
	Outcome     string `json:"outcome"` // approved, cancelled, or what visitor.Error.Step says
	Remaining   int    `json:"remaining_tries,omitempty"`
}

// visit plays a whole visit from the authorization URL.
func (h *Handler) visit(r *http.Request) (any, error) {
	var o order
	if err := read(r, &o); err != nil {
		return nil, err
	}
	at, err := url.Parse(o.AuthorizationURL)
	if err != nil || at.Host == "" {
		return nil, &refusal{http.StatusBadRequest, "authorization_url is missing or no URL"}
	}
	return h.play(r.Context(), o, o.AuthorizationURL, nil)
}

// continueVisit goes on in the place of the browser that began a pending visit.
func (h *Handler) continueVisit(r *http.Request) (any, error) {
	var o order
	if err := read(r, &o); err != nil {
		return nil, err
	}
	if o.AuthorizationURL != "" || o.TwoDevices {
		return nil, &refusal{
			http.StatusBadRequest,
			"authorization_url and two_devices are for new visits: POST /control/visits",
		}
	}
	for _, v := range h.service.PendingVisits() {
		if v.ID != r.PathValue("id") {
			continue
		}
		at, err := url.Parse(v.URL)
		if err != nil {
			return nil, err
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		jar.SetCookies(at, []*http.Cookie{v.Cookie})
		return h.play(r.Context(), o, v.URL, jar)
	}
	return nil, &refusal{http.StatusNotFound, "no pending visit has this id"}
}

func (h *Handler) play(ctx context.Context, o order, at string, jar http.CookieJar) (any, error) {
	if o.Card == "" {
		if names := h.service.CardNames(); len(names) > 0 {
			o.Card = names[0]
		}
	}
	card, ok := h.service.CardNamed(o.Card)
	if !ok {
		return nil, noCard
	}
	p := card.Person().Reveal()
	holder := visitor.Person{
		HTTPClient: h.browser, Jar: jar, Card: o.Card, TwoDevices: o.TwoDevices,
		AuthPIN:         orText(o.AuthPIN, p.AuthPIN),
		TextPIN:         orText(o.TextPIN, p.TextPIN),
		SigningPassword: orText(o.SigningPassword, p.SigningPassword),
	}
	var res result
	var err error
	switch o.Action {
	case "", "approve":
		res.Outcome = "approved"
		res.CallbackURL, err = holder.Approve(ctx, at)
	case "cancel":
		res.Outcome = "cancelled"
		res.CallbackURL, err = holder.Cancel(ctx, at)
	case "mistype":
		res.Outcome = "approved"
		res.CallbackURL, res.Remaining, err = holder.MistypePIN(ctx, at, max(1, o.Times))
	case "block":
		res.Outcome = "blocked"
		res.CallbackURL, err = holder.Block(ctx, at)
	default:
		return nil, &refusal{http.StatusBadRequest, "action must be approve, cancel, mistype or block"}
	}
	var e *visitor.Error
	switch {
	case err == nil:
		return h.judge(res), nil
	case !errors.As(err, &e):
		return nil, err
	case e.Reason == visitor.ReasonCardUnusable && res.CallbackURL != "":
		res.Outcome = e.Step
		return res, nil
	case e.Reason == visitor.ReasonRefused,
		e.Reason == visitor.ReasonPINRefused,
		e.Reason == visitor.ReasonConfiguration:
		return nil, &refusal{http.StatusConflict, e.Error() + "; the inspector at /simulator/inspector says more"}
	}
	return nil, &refusal{http.StatusBadGateway, e.Error()}
}

// judge looks whether the service sent the browser back at once, because of a request that it refused.
func (h *Handler) judge(res result) result {
	u, err := url.Parse(res.CallbackURL)
	if err == nil && res.Outcome == "approved" && u.Query().Get("error") != "" {
		res.Outcome = "refused"
	}
	return res
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

var noCard = &refusal{http.StatusNotFound, "no card has this name; see GET /control/cards"}

// pending is a visit in the list.
type pending struct {
	ID       string    `json:"id"`
	ClientID string    `json:"client_id"`
	Scopes   []string  `json:"scopes"`
	Expires  time.Time `json:"expires"`
}

// visits lists pending visits; with ?wait=10s it waits until there is one.
func (h *Handler) visits(r *http.Request) (any, error) {
	wait := time.Duration(0)
	if text := r.URL.Query().Get("wait"); text != "" {
		var err error
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 || wait > maxWait {
			return nil, &refusal{http.StatusBadRequest, `wait must be a time like "10s", at most one minute`}
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	for {
		list := []pending{}
		for _, v := range h.service.PendingVisits() {
			list = append(list, pending{v.ID, v.ClientID, v.Scopes, v.Expires})
		}
		if len(list) > 0 || h.service.AwaitVisit(ctx) != nil {
			return map[string]any{"visits": list}, nil
		}
	}
}

// cards lists the cards with their PINs, which are as synthetic as the persons.
func (h *Handler) cards(*http.Request) (any, error) {
	type one struct {
		Name            string `json:"name"`
		Kind            string `json:"kind"`
		AuthPIN         string `json:"auth_pin"`
		TextPIN         string `json:"text_pin"`
		SigningPassword string `json:"signing_password"`
	}
	list := []one{}
	for _, name := range h.service.CardNames() {
		if c, ok := h.service.CardNamed(name); ok {
			p := c.Person().Reveal()
			list = append(list, one{name, c.Kind().String(), p.AuthPIN, p.TextPIN, p.SigningPassword})
		}
	}
	return map[string]any{"cards": list}, nil
}

func (h *Handler) unlock(r *http.Request) (any, error) {
	if _, ok := h.service.CardNamed(r.PathValue("name")); !ok {
		return nil, noCard
	}
	return done, h.service.Unlock(r.PathValue("name"))
}

// relocation is where a person moves to.
type relocation struct {
	Municipality string `json:"municipality"` // code of 5 digits; default: another one than now
	Street       string `json:"street"`
}

// move gives the holder of a card another address; the signing certificate is revoked with that.
func (h *Handler) move(r *http.Request) (any, error) {
	card, ok := h.service.CardNamed(r.PathValue("name"))
	if !ok {
		return nil, noCard
	}
	o := relocation{Street: "架空町１丁目１番１号"}
	if err := read(r, &o); err != nil {
		return nil, err
	}
	now := card.Person().Reveal().Subject.MunicipalityCode
	var codes []string
	for _, m := range person.Municipalities() {
		codes = append(codes, m.Code)
		if m.Code == o.Municipality || o.Municipality == "" && m.Code != now {
			return done, h.service.Move(r.PathValue("name"), daa.Residence{Municipality: m, Street: o.Street})
		}
	}
	return nil, &refusal{http.StatusBadRequest, "municipality must be one of " + strings.Join(codes, ", ")}
}

// reissue gives the person a new card in place of that one, with the address of the moment.
func (h *Handler) reissue(r *http.Request) (any, error) {
	if _, ok := h.service.CardNamed(r.PathValue("name")); !ok {
		return nil, noCard
	}
	return done, h.service.Reissue(r.PathValue("name"))
}

// done is the answer when there is nothing else to say.
var done = map[string]bool{"done": true}

// revocations remembers what was revoked here, to take it back.
type revocations struct {
	mu   sync.Mutex
	list []revoked
}

type revoked struct {
	ca     *issuer.CA
	serial *big.Int
}

// certificate finds the certificate of the path and its authority.
func (h *Handler) certificate(r *http.Request) (revoked, error) {
	card, ok := h.service.CardNamed(r.PathValue("name"))
	if !ok {
		return revoked{}, noCard
	}
	signing, authentication := card.Certificates()
	der, ca := signing, (*issuer.JPKI).SigningCA
	switch r.PathValue("certificate") {
	case "signing":
	case "authentication":
		der, ca = authentication, (*issuer.JPKI).AuthenticationCA
	default:
		return revoked{}, &refusal{http.StatusNotFound, "the certificates are signing and authentication"}
	}
	if len(der) == 0 {
		return revoked{}, &refusal{http.StatusNotFound, "this card has no such certificate"}
	}
	leaf, err := jpki.ParseCertificate(der)
	if err != nil {
		return revoked{}, err
	}
	return revoked{ca(card.JPKI()), leaf.X509().SerialNumber}, nil
}

func (h *Handler) revoke(r *http.Request) (any, error) {
	var o struct {
		Reason int `json:"reason"` // RFC 5280, section 5.3.1
	}
	if err := read(r, &o); err != nil {
		return nil, err
	}
	one, err := h.certificate(r)
	if err != nil {
		return nil, err
	}
	if err := one.ca.Revoke(one.serial, issuer.Revocation{Reason: o.Reason, At: h.now()}); err != nil {
		return nil, &refusal{http.StatusConflict, "not revoked: the reason is unknown, or it is revoked already"}
	}
	h.revoked.mu.Lock()
	defer h.revoked.mu.Unlock()
	h.revoked.list = append(h.revoked.list, one)
	return done, nil
}

func (h *Handler) unrevoke(r *http.Request) (any, error) {
	one, err := h.certificate(r)
	if err != nil {
		return nil, err
	}
	if err := one.ca.Reinstate(one.serial); err != nil {
		return nil, &refusal{http.StatusConflict, "not taken back: the certificate is not revoked"}
	}
	return done, nil
}

func (h *Handler) knobs(*http.Request) (any, error) { return h.service.Knobs(), nil }

// putKnobs starts from the default of every knob.
func (h *Handler) putKnobs(r *http.Request) (any, error) {
	return h.turn(r, func() daa.Knobs { return daa.Knobs{} })
}

// patchKnobs changes the knobs that are present.
func (h *Handler) patchKnobs(r *http.Request) (any, error) { return h.turn(r, h.service.Knobs) }

func (h *Handler) turn(r *http.Request, begin func() daa.Knobs) (any, error) {
	var raw json.RawMessage
	if err := read(r, &raw); err != nil {
		return nil, err
	}
	h.turning.Lock()
	defer h.turning.Unlock()
	from := begin()
	if len(raw) > 0 {
		if err := from.UnmarshalJSON(raw); err != nil {
			return nil, err
		}
	}
	h.service.SetKnobs(from)
	return from, nil
}

func (h *Handler) time(*http.Request) (any, error) {
	return map[string]time.Time{"now": h.now()}, nil
}

func (h *Handler) advance(r *http.Request) (any, error) {
	var o struct {
		Advance string `json:"advance"`
	}
	if err := read(r, &o); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(o.Advance)
	if err != nil || d <= 0 {
		return nil, &refusal{http.StatusBadRequest, `advance must be a time like "20m" or "24h"`}
	}
	if h.clock == nil {
		return nil, &refusal{http.StatusConflict, "this simulator has the clock of the machine"}
	}
	h.clock.Advance(d)
	return h.time(r)
}

func (h *Handler) rotate(*http.Request) (any, error) { return done, h.service.RotateKeys() }

func (h *Handler) transactions(*http.Request) (any, error) {
	type one struct {
		ID       string    `json:"id"`
		ClientID string    `json:"client_id"`
		State    string    `json:"state"`
		Expires  time.Time `json:"expires"`
		Fetched  int       `json:"fetched"`
	}
	list := []one{}
	for _, t := range h.service.Transactions() {
		list = append(list, one{t.ID, t.ClientID, string(t.State), t.Expires, t.Fetched})
	}
	return map[string]any{"transactions": list}, nil
}

// verifications lists the good verdicts of the simulated platform operator.
func (h *Handler) verifications(*http.Request) (any, error) {
	type one struct {
		ID          string    `json:"verification_id"`
		ClientID    string    `json:"client_id"`
		Transaction string    `json:"transaction_id"`
		At          time.Time `json:"verified_at"`
	}
	list := []one{}
	for _, v := range h.service.Verifications() {
		list = append(list, one{v.ID, v.Business, v.TransactionID, v.At})
	}
	return map[string]any{"verifications": list}, nil
}

// reset puts everything back that was changed here.
func (h *Handler) reset(*http.Request) (any, error) {
	h.turning.Lock()
	defer h.turning.Unlock()
	h.revoked.mu.Lock()
	defer h.revoked.mu.Unlock()
	for _, one := range h.revoked.list {
		_ = one.ca.Reinstate(one.serial) // an error means that it was taken back already
	}
	h.revoked.list = nil
	if h.clock != nil {
		h.clock.Reset()
	}
	return done, h.service.Forget()
}
