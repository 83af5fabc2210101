package daa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// phoneView is a page of the simulated phone screen.
type phoneView struct {
	frame
	Base       string
	Attempt    int  // goes with the PIN or password, see visit.attempt
	SameDevice bool // the answer can be sent back from here
	Asked      []string
	Cards      []cardChoice
	Hint       string // PIN of the simulated card, when the configuration shows it
	Remaining  int
	Invalid    bool
	Attributes []attributeRow
	Sign       bool
	Number     string
	Expired    bool
	Outcome    string
	Blocked    string
	PhoneHeld  bool // with the outcome wrong-kind
}

type cardChoice struct {
	Index                             int
	Label                             string
	Checked                           bool
	AuthPIN, TextPIN, SigningPassword string
}

type attributeRow struct{ Key, Label, Value string }

func (s *Service) cardChoices() []cardChoice {
	choices := make([]cardChoice, len(s.hands()))
	for i, h := range s.hands() {
		p := h.held().Person().Reveal()
		choices[i] = cardChoice{Index: i, Label: h.label, Checked: i == 0}
		if s.showPINs {
			choices[i].AuthPIN, choices[i].TextPIN, choices[i].SigningPassword = p.AuthPIN, p.TextPIN, p.SigningPassword
		}
	}
	return choices
}

func sortClients(list []*client) {
	slices.SortFunc(list, func(a, b *client) int { return strings.Compare(a.ID, b.ID) })
}

// phoneVisit finds the visit of a phone address and locks it; the caller unlocks. same reports that this is the browser
// that began.
func (s *Service) phoneVisit(w http.ResponseWriter, r *http.Request) (v *visit, same, ok bool) {
	v, ok = s.phones.get(r.PathValue("phone"))
	if !ok {
		s.errorPage(w, r, http.StatusGone, page.RefusedGone)
		return nil, false, false
	}
	v.mu.Lock()
	same = sameBrowser(r, v)
	switch {
	case v.released && same:
		s.sendBack(w, r, v)
	case v.released || !v.opened && !s.now().Before(v.phoneExpires):
		s.errorPage(w, r, http.StatusGone, page.RefusedGone)
	case !same && !v.handedOver:
		// Without a hand-over there is no other screen that could take the answer back.
		s.errorPage(w, r, http.StatusForbidden, page.RefusedCookie)
	default:
		v.opened = true
		return v, same, true
	}
	v.mu.Unlock()
	return nil, false, false
}

// phonePage shows the page of the visit's stage.
func (s *Service) phonePage(w http.ResponseWriter, r *http.Request) {
	v, same, ok := s.phoneVisit(w, r)
	if !ok {
		return
	}
	defer v.mu.Unlock()
	if same && v.stage == stageEnded && (v.outcome == page.Approved || v.outcome == page.Cancelled) {
		s.sendBack(w, r, v) // it ended elsewhere; this tab carries the answer back
		return
	}
	var name page.Name
	switch v.stage {
	case stageAuthPIN:
		name = page.AuthPIN
	case stageTextPIN:
		name = page.TextPIN
	case stageSigningPassword:
		name = page.SigningPassword
	case stageConsent:
		name = page.Consent
	case stageTestCard:
		name = page.TestCard
	case stageNumber:
		name = page.Number
	case stageEnded:
		name = page.Problem
		if v.outcome == page.Cancelled || v.outcome == page.Approved {
			name = page.Closed
		}
	}
	f := newFrame(r, name, v.req.client, v.req.redirectURI)
	f.Alert = noticeText(f, v.notice, v.stage, v.remaining)
	view := phoneView{
		frame:      f,
		Base:       "/phone/screen/" + v.phoneID,
		Attempt:    v.attempt,
		SameDevice: same,
		Invalid:    v.notice == noticeWrongSecret || v.notice == noticeMalformed,
		Sign:       v.req.transaction != nil,
		Asked: askedLabels(
			f,
			v.req,
		),
		Outcome:   string(v.outcome),
		Blocked:   blockedNames[v.blocked],
		PhoneHeld: v.phoneHeld,
	}
	if v.notice == noticeWrongSecret {
		view.Remaining = v.remaining
	}
	switch name {
	case page.AuthPIN:
		view.Cards = s.cardChoices()
		if len(view.Cards) == 1 {
			view.Hint = view.Cards[0].AuthPIN
		}
	case page.TestCard:
		view.Cards = s.cardChoices()
	case page.TextPIN:
		view.Hint = s.hint(v).TextPIN
	case page.SigningPassword:
		view.Hint = s.hint(v).SigningPassword
	case page.Consent:
		view.Attributes = attributeRows(f, v)
	case page.Number:
		view.Number = v.number
		view.Expired = !s.now().Before(v.numberExpires) || v.misses >= maxNumberMisses
	default: // nothing more to say
	}
	s.render(w, http.StatusOK, f, view)
}

func (s *Service) hint(v *visit) cardChoice {
	for _, choice := range s.cardChoices() {
		if v.hand != nil && choice.Label == v.hand.label {
			return choice
		}
	}
	return cardChoice{}
}

// phoneAction takes the phone screen's forms. Every answer is a redirect, so that reloading repeats nothing.
func (s *Service) phoneAction(w http.ResponseWriter, r *http.Request) {
	if !s.acceptForm(w, r) {
		return
	}
	v, same, ok := s.phoneVisit(w, r)
	if !ok {
		return
	}
	defer v.mu.Unlock()
	s.lobby.leave(v)
	// Talking to the card outlives the request: a browser that goes away, as one does on a second click, must not leave
	// it half done.
	ctx := context.WithoutCancel(r.Context())
	action := r.PathValue("action")
	// not a second click and not an old page: neither may cost a try
	fresh := r.PathValue("attempt") == strconv.Itoa(v.attempt)
	switch {
	case action == "cancel" && v.stage != stageEnded:
		v.end(page.Cancelled)
	case action == "leave" && v.stage == stageEnded:
	case action == "auth-pin" && v.stage == stageAuthPIN && fresh:
		s.takeAuthPIN(ctx, v, r.PostForm)
	case action == "test-card" && v.stage == stageTestCard && fresh:
		s.takeTestCard(ctx, v, r.PostForm)
	case action == "text-pin" && v.stage == stageTextPIN && fresh:
		s.takeTextPIN(ctx, v, r.PostForm)
	case action == "signing-password" && v.stage == stageSigningPassword && fresh:
		s.takeSigningPassword(ctx, v, r.PostForm)
	case action == "consent" && v.stage == stageConsent && same:
		v.outcome, v.stage = page.Approved, stageEnded
	case (action == "consent" && v.stage == stageConsent) || (action == "number" && v.stage == stageNumber):
		if err := s.showNumber(v); err != nil {
			s.fail(w, "number", err)
			return
		}
	}
	// A problem is shown first; the person leaves that page by a button of its own.
	shown := v.outcome != page.Approved && v.outcome != page.Cancelled
	if v.stage == stageEnded && same && (!shown || action == "leave") {
		s.sendBack(w, r, v)
		return
	}
	redirectTo(w, "/phone/screen/"+v.phoneID+languageQuery(r))
}

// Forms of the secrets. A malformed one is not given to the card: it would only cost a try.
var (
	fourDigits      = regexp.MustCompile(`^[0-9]{4}$`)
	signingPassword = regexp.MustCompile(`^[0-9A-Za-z]{6,16}$`)
)

func (s *Service) takeAuthPIN(ctx context.Context, v *visit, form url.Values) {
	if len(s.hands()) == 0 {
		v.end(page.CardFault)
		return
	}
	index, err := strconv.Atoi(form.Get("card"))
	if err != nil || index < 0 || index >= len(s.hands()) {
		if len(s.hands()) > 1 {
			v.notice = noticeChooseCard
			return
		}
		index = 0
	}
	pin := form.Get("pin")
	if !fourDigits.MatchString(pin) {
		v.notice = noticeMalformed
		return
	}
	h, err := s.ofVisit(s.hands()[index])
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	if phone := h.isPhone(); !v.req.client.Cards.accept(phone) {
		v.end(page.WrongKind)
		v.phoneHeld = phone
		return
	} else if phone && v.wantsAttributes() {
		v.end(page.NoText)
		return
	}
	if s.freshCards && v.hand != nil && v.hand.label == h.label {
		h = v.hand // the same visit goes on with the card that counts its mistakes
	}
	v.hand = h
	v.attempt++
	der, err := s.authenticate(ctx, h, pin)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.personID, v.authCertificate, v.authTime = h.held().Person().ID(), der, s.now()
	v.advance()
}

// takeTestCard answers as the page of テストカード代替機能 is told: everything that the app and the card do, without either.
func (s *Service) takeTestCard(ctx context.Context, v *visit, form url.Values) {
	hands := s.hands()
	index, err := strconv.Atoi(form.Get("card"))
	if err != nil || index < 0 || index >= len(hands) {
		v.notice = noticeChooseCard
		return
	}
	v.attempt++
	if form.Get("response") != "ok" {
		v.end(page.Cancelled)
		return
	}
	v.hand = hands[index]
	p := v.hand.held().Person().Reveal()
	var der []byte
	if der, err = s.authenticate(ctx, v.hand, p.AuthPIN); err == nil && v.wantsAttributes() {
		v.person, err = readAttributes(ctx, v.hand, p.TextPIN)
	}
	if err == nil && v.req.transaction != nil {
		v.signature, v.certificate, err = s.signTransaction(ctx, v.hand, p.SigningPassword, v.req.transaction)
	}
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.personID, v.authCertificate, v.authTime, v.personRead = p.ID, der, s.now(), v.wantsAttributes()
	v.stage, v.outcome = stageEnded, page.Approved
}

func (s *Service) takeTextPIN(ctx context.Context, v *visit, form url.Values) {
	pin := form.Get("pin")
	if !fourDigits.MatchString(pin) {
		v.notice = noticeMalformed
		return
	}
	v.attempt++
	person, err := readAttributes(ctx, v.hand, pin)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.person, v.personRead = person, true
	v.advance()
}

func (s *Service) takeSigningPassword(ctx context.Context, v *visit, form url.Values) {
	password := form.Get("password")
	if !signingPassword.MatchString(password) {
		v.notice = noticeMalformed
		return
	}
	v.attempt++
	signature, certificate, err := s.signTransaction(ctx, v.hand, password, v.req.transaction)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.signature, v.certificate = signature, certificate
	v.advance()
}

// cardProblem turns what the card or the certificate check said into a page.
func (s *Service) cardProblem(ctx context.Context, v *visit, err error) {
	var refused *card.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == card.ReasonWrongPIN:
		v.notice, v.remaining = noticeWrongSecret, max(0, refused.Remaining) // -1 when the card does not tell
	case errors.As(err, &refused) && refused.Reason == card.ReasonPINBlocked:
		v.end(page.Blocked)
		v.blocked = refused.PIN
	case errors.Is(err, errCertificate):
		v.end(page.Certificate)
	default:
		// The error's type, not its text: what a card or a parser says may hold personal data.
		s.log.ErrorContext(ctx, "card could not be used", slog.String("type", fmt.Sprintf("%T", err)))
		v.end(page.CardFault)
	}
}

// blockedNames are the names under which the templates know a reference.
var blockedNames = map[card.PIN]string{
	card.AuthPIN: "auth-pin", card.TextPIN: "text-pin", card.SigningPIN: "signing-password",
}

func noticeText(f frame, n notice, at stage, remaining int) string {
	switch n {
	case noticeWrongSecret:
		wrong := f.T("暗証番号が違います。", "The PIN is not correct. ")
		if at == stageSigningPassword {
			wrong = f.T("パスワードが違います。", "The password is not correct. ")
		}
		switch remaining {
		case 0: // the card does not tell
			return wrong
		case 1:
			return wrong + f.T("あと1回まちがえるとロックされます。続ける前にご確認ください。",
				"The card locks after 1 more wrong attempt. Please make sure before you continue.")
		default:
			return wrong + f.T(fmt.Sprintf("あと%d回まちがえるとロックされます。", remaining),
				fmt.Sprintf("The card locks after %d more wrong attempts.", remaining))
		}
	case noticeMalformed:
		return f.T("桁数または使える文字が違います。カードには送っていません。",
			"The number of characters or the characters are not right. Nothing was sent to the card.")
	case noticeChooseCard:
		return f.T("カードを選んでください。", "Please choose a card.")
	case noticeNumberWrong:
		return f.T("番号が違います。スマートフォンに表示された6桁の番号を入力してください。",
			"That is not the number. Please type the six digits that the phone shows.")
	case noticeNumberExpired:
		return f.T("番号の有効期限が切れました。スマートフォンで新しい番号を表示してください。",
			"The number has expired. Please show a new one on the phone.")
	case noticePhoneFirst:
		return f.T("先にスマートフォンで操作を完了してください。", "Please finish on the phone first.")
	case noticeNone:
	}
	return ""
}

// askedLabels names what the relying party asks for.
func askedLabels(f frame, req *authorizationRequest) []string {
	labels := []string{f.T("本人の確認", "proof that it is you")}
	for _, one := range []struct{ scope, ja, en string }{
		{scopeName, "氏名", "name"}, {scopeAddress, "住所", "address"},
		{scopeBirthdate, "生年月日", "date of birth"}, {scopeGender, "性別", "gender"},
		{scopeSign, "電子署名", "an electronic signature"},
	} {
		if req.asks(one.scope) {
			labels = append(labels, f.T(one.ja, one.en))
		}
	}
	return labels
}

// attributeRows lists exactly the attributes that were asked, with their values.
func attributeRows(f frame, v *visit) []attributeRow {
	var rows []attributeRow
	for _, one := range []struct{ scope, ja, en, value string }{
		{scopeName, "氏名", "Name", v.person.Name.Reveal()},
		{scopeAddress, "住所", "Address", v.person.Address.Reveal()},
		{scopeBirthdate, "生年月日", "Date of birth", birthdateText(f, v.person.Birthdate)},
		{scopeGender, "性別", "Gender", genderText(f, v.person.Gender)},
	} {
		if v.req.asks(one.scope) {
			rows = append(rows, attributeRow{one.scope, f.T(one.ja, one.en), one.value})
		}
	}
	return rows
}

func birthdateText(f frame, b fourinfo.Birthdate) string {
	d := b.Reveal()
	part := func(n, width int) string {
		if n == 0 {
			return f.T("不明", "unknown")
		}
		return fmt.Sprintf("%0*d", width, n)
	}
	if f.T("ja", "en") == "ja" {
		return part(d.Year, 4) + "年" + part(int(d.Month), 1) + "月" + part(d.Day, 1) + "日"
	}
	return part(d.Year, 4) + "-" + part(int(d.Month), 2) + "-" + part(d.Day, 2)
}

func genderText(f frame, g fourinfo.Gender) string {
	switch g.Reveal() {
	case fourinfo.Male:
		return f.T("男", "Male")
	case fourinfo.Female:
		return f.T("女", "Female")
	case fourinfo.GenderOther:
		return f.T("その他", "Other")
	case fourinfo.GenderNotApplicable:
		return f.T("適用不能", "Not applicable")
	default:
		return f.T("不明", "Unknown")
	}
}
