package daa

import (
	"context"
	"net/url"
	"strconv"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/jpki"
)

// Forms of the secrets. A malformed one is not given to the card: it would only cost a try.
var (
	fourDigits      = form{4, 4, isDigit}
	signingPassword = form{6, 16, isLetterOrDigit}
)

func (s *Service) takeAuthPIN(ctx context.Context, v *visit, form url.Values) {
	pin := form.Get("pin")
	if s.reader != nil {
		s.takeAuthPINForReader(ctx, v, pin)
		return
	}
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
	if !fourDigits.fits(pin) {
		v.notice = noticeMalformed
		return
	}
	h, err := s.ofVisit(s.hands()[index])
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	if !v.takesKind(h.isPhone()) {
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

// takesKind ends the visit, and reports false, when it cannot go on with this kind of card. A phone's certificate comes
// without the application that has the four attributes, and the mobile card that has them (カード代替電磁的記録, package
// fourinfo/mdoc) is shown to the relying party itself, not to this service: the person is told to use the card.
func (v *visit) takesKind(phone bool) bool {
	switch {
	case !v.req.client.Cards.accept(phone):
		v.end(page.WrongKind)
		v.phoneHeld = phone
	case phone && v.wantsAttributes():
		v.end(page.NoText)
	default:
		return true
	}
	return false
}

// takeAuthPINForReader learns only by reading what kind of card there is, and whose.
func (s *Service) takeAuthPINForReader(ctx context.Context, v *visit, pin string) {
	if !fourDigits.fits(pin) {
		v.notice = noticeMalformed
		return
	}
	v.hand = s.reader
	v.attempt++
	der, err := s.authenticate(ctx, s.reader, pin)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	leaf, err := s.leaves.get(der, jpki.ParseCertificate)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	if !v.takesKind(leaf.Kind() == jpki.AuthenticationPhone) {
		return
	}
	v.personID, v.authCertificate, v.authTime = holderOf(leaf), der, s.now()
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
	if !v.takesKind(hands[index].isPhone()) {
		return
	}
	v.hand = hands[index]
	p := v.hand.held().Person().Reveal()
	var der []byte
	if der, err = s.authenticate(ctx, v.hand, p.AuthPIN); err == nil && v.wantsAttributes() {
		v.person, err = readAttributes(ctx, v.hand, p.TextPIN, der)
	}
	if err == nil && v.req.transaction != nil {
		v.signature, v.certificate, err = s.signTransaction(ctx, v.hand, p.SigningPassword, v)
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
	if !fourDigits.fits(pin) {
		v.notice = noticeMalformed
		return
	}
	v.attempt++
	person, err := readAttributes(ctx, v.hand, pin, v.authCertificate)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.person, v.personRead = person, true
	v.advance()
}

func (s *Service) takeSigningPassword(ctx context.Context, v *visit, form url.Values) {
	password := form.Get("password")
	if !signingPassword.fits(password) {
		v.notice = noticeMalformed
		return
	}
	v.attempt++
	signature, certificate, err := s.signTransaction(ctx, v.hand, password, v)
	if err != nil {
		s.cardProblem(ctx, v, err)
		return
	}
	v.signature, v.certificate = signature, certificate
	v.advance()
}
