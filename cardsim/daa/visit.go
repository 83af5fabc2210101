package daa

import (
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// visit is one authorization request on its way through the hand-over page and the phone screen. Every field below mu
// is guarded by it; a request holds it for as long as it talks to the card.
type visit struct {
	id, secret string // the secret is in a cookie of the browser that began: only that browser gets the code
	req        *authorizationRequest
	expires    time.Time
	seat       seat // guarded by the lobby
	handedOver bool // the QR page was shown; the phone may be another device

	mu           sync.Mutex
	phoneID      string
	phoneExpires time.Time // of an address that no phone opened yet
	opened       bool
	stage        stage
	attempt      int // counts the PINs and passwords taken: a form that was shown before the last one is stale
	outcome      page.Outcome
	released     bool
	location     string          // with released: where the browser was sent
	notice       notice          // what the phone screen has to say about the last input
	remaining    int             // tries, with noticeWrongSecret
	blocked      card.PIN        // with page.Blocked
	readerSays   kakunin.Message // with noticeReader
	pcNotice     notice
	phoneHeld    bool // with page.WrongKind

	hand            *hand
	personID        string
	authTime        time.Time
	authCertificate []byte
	person          fourinfo.Person
	personRead      bool
	signature       []byte
	certificate     []byte

	number        string
	numberExpires time.Time
	misses        int
}

// stage is the phone screen's page.
type stage int

const (
	stageAuthPIN stage = iota
	stageTextPIN
	stageSigningPassword
	stageConsent
	stageNumber // consented on another device than the one that began
	stageEnded  // see outcome
	stageTestCard
)

// notice is a message about the last input.
type notice int

const (
	noticeNone notice = iota
	noticeWrongSecret
	noticeMalformed
	noticeChooseCard
	noticeNumberWrong
	noticeNumberExpired
	noticePhoneFirst
	noticeReader    // see readerSays
	noticeExchanged // another card in the reader
)

// repeatWindow is how long the browser that was sent back gets the same redirect again when it repeats the form: on a
// second click a browser drops the answer to the first.
const repeatWindow = 30 * time.Second

// maxNumberMisses bounds guessing: after that many wrong numbers the phone has to show a new one.
const maxNumberMisses = 5

func (s *Service) beginVisit(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	k := s.Knobs()
	now := s.now()
	v := &visit{
		id:      rand.Text(),
		secret:  rand.Text(),
		req:     req,
		expires: now.Add(k.Lifetimes.interaction()),
		handedOver: !req.client.TestCards &&
			(k.Authorization.Handover == HandoverAlways || k.Authorization.Handover == HandoverAuto &&
				looksLikePC(r.UserAgent())),
	}
	if !s.visits.add(v.id, v, v.expires) || !s.newPhoneAddress(v) {
		params := url.Values{"error": {"temporarily_unavailable"}, "state": {req.state}}
		s.nameIssuer(params)
		redirectTo(w, withQuery(req.redirectURI, params))
		return
	}
	s.lobby.enter(v, remoteAddress(r))
	defer s.arrived()
	s.setCookie(w, v, v.secret, int(k.Lifetimes.interaction().Seconds()))
	if v.handedOver {
		redirectTo(w, "/phone/handover/"+v.id)
		return
	}
	redirectTo(w, "/phone/screen/"+v.phoneID)
}

// looksLikePC guesses from the User-Agent, as the real service must.
func looksLikePC(userAgent string) bool {
	for _, word := range []string{"Mobile", "Android", "iPhone"} {
		if strings.Contains(userAgent, word) {
			return false
		}
	}
	return true
}

// newPhoneAddress gives the visit a new unguessable phone address and forgets the old one.
func (s *Service) newPhoneAddress(v *visit) bool {
	if v.phoneID != "" {
		s.phones.remove(v.phoneID)
	}
	v.phoneID = rand.Text()
	v.phoneExpires = s.now().Add(s.Knobs().Lifetimes.qrCode())
	v.opened = false
	v.restart()
	return s.phones.add(v.phoneID, v, v.expires)
}

// restart forgets everything that was read from a card.
func (v *visit) restart() {
	first := stageAuthPIN
	if v.req.client.TestCards {
		first = stageTestCard
	}
	v.stage, v.outcome, v.notice, v.pcNotice = first, page.Pending, noticeNone, noticeNone
	v.number, v.misses = "", 0
	v.dropRead()
}

// dropRead drops what was read from a card.
func (v *visit) dropRead() {
	v.hand, v.personID, v.authCertificate = nil, "", nil
	v.person, v.personRead = fourinfo.Person{}, false
	v.signature, v.certificate = nil, nil
}

func cookieName(v *visit) string { return "kakunin-visit-" + v.id }

// setCookie binds the visit to the browser; a negative age takes the cookie away. Lax, because Strict would be lost on
// the way from the relying party.
func (s *Service) setCookie(w http.ResponseWriter, v *visit, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // a Secure cookie would not come back over plain http on loopback
		Name: cookieName(v), Value: value, Path: "/phone/", MaxAge: maxAge, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: s.base.Scheme == "https",
	})
}

// sameBrowser reports whether the request comes from the browser that began the visit.
func sameBrowser(r *http.Request, v *visit) bool {
	c, err := r.Cookie(cookieName(v))
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(v.secret)) == 1
}

// wantsAttributes reports whether the text application must be read.
func (v *visit) wantsAttributes() bool {
	for _, scope := range []string{scopeName, scopeAddress, scopeBirthdate, scopeGender} {
		if v.req.asks(scope) {
			return true
		}
	}
	return false
}

// advance moves to the next page that still has something to ask.
func (v *visit) advance() {
	v.notice = noticeNone
	switch {
	case v.authCertificate == nil:
		v.stage = stageAuthPIN
	case v.wantsAttributes() && !v.personRead:
		v.stage = stageTextPIN
	case v.req.transaction != nil && v.signature == nil:
		v.stage = stageSigningPassword
	default:
		v.stage = stageConsent
	}
}

// end closes the visit. Whatever was read from the card is dropped unless the person approved.
func (v *visit) end(o page.Outcome) {
	if o != page.Approved {
		v.restart()
	}
	v.stage, v.outcome = stageEnded, o
}

// showNumber draws a new six-digit number.
func (s *Service) showNumber(v *visit) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	digits := "000000" + n.String()
	v.number = digits[len(digits)-6:]
	v.numberExpires = s.now().Add(s.Knobs().Lifetimes.number())
	v.misses = 0
	v.stage = stageNumber
	return nil
}

// takeNumber compares what was typed on the PC.
func (s *Service) takeNumber(v *visit, typed string) notice {
	switch {
	case v.stage != stageNumber:
		return noticePhoneFirst
	case v.misses >= maxNumberMisses || !s.now().Before(v.numberExpires):
		return noticeNumberExpired
	case subtle.ConstantTimeCompare([]byte(typed), []byte(v.number)) != 1:
		v.misses++
		return noticeNumberWrong
	default:
		return noticeNone
	}
}

// giveUp is for a visit with which nobody went on.
func (s *Service) giveUp(v *visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s.forget(v)
}

func (s *Service) forget(v *visit) {
	s.visits.remove(v.id)
	s.phones.remove(v.phoneID)
}

// release makes the redirect back to the relying party, once, and soon forgets the visit.
func (s *Service) release(v *visit) (string, *protocolError) {
	if v.released {
		return "", &protocolError{code: "invalid_request", description: "the visit is over"}
	}
	v.released = true
	s.lobby.leave(v)
	until := s.now().Add(repeatWindow)
	s.departed.add(v.id, v, until)
	s.departed.add(v.phoneID, v, until)
	s.forget(v)
	k := s.Knobs()
	state := v.req.state
	if k.Authorization.Callback.CutStateAtSemicolon {
		state, _, _ = strings.Cut(state, ";")
	}
	params := url.Values{"state": {state}}
	if v.outcome == page.Approved {
		g := s.newGrant(v)
		code := rand.Text() + rand.Text()
		if !s.codes.add(code, g, s.now().Add(k.Lifetimes.code())) {
			return "", &protocolError{code: "temporarily_unavailable", description: "too many codes"}
		}
		if v.req.transaction != nil {
			v.req.transaction.complete(g, v.signature, v.certificate)
		}
		params.Set("code", code)
		if !k.Authorization.Callback.OmitSessionState {
			params.Set("session_state", g.session)
		}
	} else {
		params.Set("error", s.failureCode(v.outcome))
		if !k.Authorization.Failures.OmitDescription {
			params.Set("error_description", outcomeDescriptions[v.outcome])
		}
		if v.req.transaction != nil {
			v.req.transaction.cancel()
		}
	}
	s.nameIssuer(params)
	for name, value := range k.Authorization.Callback.Extra {
		params.Set(name, value)
	}
	s.log.Info("visit ended", slog.String("client", v.req.client.ID), slog.Bool("approved", v.outcome == page.Approved))
	v.location = withQuery(v.req.redirectURI, params)
	v.dropRead() // the grant has what was approved
	return v.location, nil
}

// nameIssuer adds iss, to error answers too (RFC 9207, section 2).
func (s *Service) nameIssuer(params url.Values) {
	switch s.Knobs().Authorization.Callback.Issuer {
	case CallbackIssuerOn:
		params.Set("iss", s.env.Issuer)
	case CallbackIssuerWrong:
		params.Set("iss", s.env.Issuer+"/other")
	case CallbackIssuerOff, CallbackIssuerMissing:
	}
}

// outcomeDescriptions go into the redirect as error_description.
var outcomeDescriptions = map[page.Outcome]string{
	page.Cancelled:   "the person cancelled",
	page.Blocked:     "the card is blocked",
	page.Certificate: "the certificate cannot be used",
	page.CardFault:   "the card could not be read",
	page.WrongKind:   "this kind of card is not accepted here",
	page.NoText:      "a phone certificate has no attributes",
	page.NoSigning:   "the card has no signing certificate",
	page.RealCard:    "this is not a test card",
}

// failureCode returns the error code of a redirect. Which one means "cancelled" is for the wire profile to say.
func (s *Service) failureCode(o page.Outcome) string {
	f := s.Knobs().Authorization.Failures
	switch o {
	case page.Cancelled:
		if f.Cancelled == "" && len(s.wire.CancelCodes) > 0 {
			return s.wire.CancelCodes[0]
		}
		return orText(f.Cancelled, "access_denied")
	case page.Blocked:
		return orText(f.CardBlocked, "access_denied")
	case page.Certificate, page.WrongKind, page.NoText, page.NoSigning, page.RealCard:
		return orText(f.CertificateUnusable, "access_denied")
	default:
		return "server_error"
	}
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
