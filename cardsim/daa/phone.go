package daa

import (
	"context"
	"net/http"
	"strconv"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

// phoneVisit finds the visit of a phone address and locks it; the caller unlocks. same reports that this is the browser
// that began.
func (s *Service) phoneVisit(w http.ResponseWriter, r *http.Request) (v *visit, same, ok bool) {
	if v, ok = s.phones.get(r.PathValue("phone")); !ok {
		v, ok = s.departed.get(r.PathValue("phone"))
	}
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
	if f.Alert = noticeText(f, v.notice, v.stage, v.remaining); v.notice == noticeReader {
		f.Alert = v.readerSays.In(f.Lang)
	}
	base := "/phone/screen/" + string(s.pages.same.anyPhone) + "/"
	view := phoneView{
		frame:      f,
		Cancel:     base + "cancel" + f.Query,
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
	form := string(name) // the forms of most pages are called as the page
	switch name {
	case page.AuthPIN, page.TextPIN, page.SigningPassword, page.TestCard:
		form += "/" + strconv.Itoa(v.attempt) // see visit.attempt
	case page.Problem, page.Closed:
		form = "leave"
	default: // nothing more to say
	}
	view.Submit = base + form + f.Query
	switch name {
	case page.AuthPIN:
		view.Cards = s.cardChoices()
		if view.Choose = len(view.Cards) > 1; len(view.Cards) == 1 {
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
	s.renderPhone(w, view, v.phoneID)
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
