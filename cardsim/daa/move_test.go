package daa_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// Where the person of the tests moves to.
const newStreet = "架空町９丁目８番７号"

func newMunicipality() person.Municipality { return person.Municipalities()[0] }

// handIn gets the operator's document for a purpose and has the default visitor sign it.
func (rp *relyingParty) handIn(p operator.Purpose) operator.Signed {
	rp.t.Helper()
	document, err := rp.svc.Attributes(rpID).Document(rp.t.Context(), p)
	if err != nil {
		rp.t.Fatal(err)
	}
	client := rp.client(func(c *authn.Config) { c.Now = testClock.Load().now })
	api, err := signapi.New(signapi.Config{Client: client, Now: testClock.Load().now})
	if err != nil {
		rp.t.Fatal(err)
	}
	tx, err := api.Start(rp.t.Context(), sign.Document{Reader: bytes.NewReader(document)}, sign.ModeDigestInfo)
	if err != nil {
		rp.t.Fatal(err)
	}
	id, err := login(rp.t.Context(), client, rp.svc.Visitor(), authn.Request{Sign: tx})
	if err != nil {
		rp.t.Fatal(err)
	}
	got, err := api.Fetch(rp.t.Context(), tx, id)
	if err != nil {
		rp.t.Fatal(err)
	}
	return operator.Signed{Document: document, Sealed: got.Sealed, Transaction: tx}
}

// moving is a service whose clock the test moves, with authorities of its own, because certificates are revoked.
func moving(t *testing.T) (*relyingParty, *clock) {
	t.Helper()
	c := &clock{t: time.Now()}
	return start(t, own, follow(t, c)), c
}

// consented is a consent of the default visitor that counts.
func consented(t *testing.T, rp *relyingParty, c *clock) (consent string, user sign.UserID) {
	t.Helper()
	signed := rp.handIn(operator.Purpose{Service: "shop-address", TermsVersion: "2026-04"})
	consent, v, err := rp.svc.Attributes(rpID).Register(t.Context(), signed)
	if err != nil {
		t.Fatalf("%v: %v", err, errors.Unwrap(err))
	}
	again, _, err := rp.svc.Attributes(rpID).Register(t.Context(), signed)
	if err != nil || again != consent {
		t.Errorf("handed in again: %q, %v", again, err)
	}
	if _, err := rp.svc.Attributes(rpID).Ask(t.Context(), consent, ""); !errors.Is(
		err, &operator.Error{Reason: operator.ReasonConsent, Step: "ask"}) {
		t.Errorf("asked on the day of the consent: %v", err)
	}
	c.advance(36 * time.Hour)
	return consent, v.UserID
}

// TestAPersonMoves: consent, nothing new, a move without a new certificate, a reissued card with the new address, the
// same user at the operator, withdrawal.
func TestAPersonMoves(t *testing.T) {
	rp, c := moving(t)
	consent, user := consented(t, rp, c)
	ask := func(known string, want operator.Change) operator.Latest {
		t.Helper()
		l, err := rp.svc.Attributes(rpID).Ask(t.Context(), consent, known)
		if err != nil || l.Change != want || l.Person.Address.Present() != (want == operator.Changed) {
			t.Fatalf("%s, %v", l.Change, err)
		}
		return l
	}
	l := ask("", operator.Unchanged)
	name := rp.svc.CardNames()[0]
	if err := rp.svc.Move(name, daa.Residence{Municipality: newMunicipality(), Street: newStreet}); err != nil {
		t.Fatal(err)
	}
	l = ask(l.Known, operator.NoCertificate)
	c.advance(24 * time.Hour)
	before := rp.svc.Card().Person().Reveal()
	if err := rp.svc.Reissue(name); err != nil {
		t.Fatal(err)
	}
	changed := ask(l.Known, operator.Changed)
	to := newMunicipality()
	if got := changed.Person.Address.Reveal(); got != to.Prefecture+to.City+newStreet {
		t.Errorf("address %q", got)
	}
	if d := changed.Person.Birthdate.Reveal().String(); d != "1988-07-23" ||
		changed.Person.Name.Reveal() != before.Subject.Name {
		t.Errorf("birthdate %s", d)
	}
	if lost := ask(l.Known, operator.Changed); lost.Known != changed.Known {
		t.Error("an answer that was lost is not given again")
	}
	ask(changed.Known, operator.Unchanged)

	// The new card signs with a key of its own, and the operator knows the person again.
	signed := rp.handIn(operator.Purpose{Withdraws: consent})
	v, err := rp.svc.Attributes(rpID).Withdraw(t.Context(), consent, signed)
	if err != nil || v.UserID != user {
		t.Errorf("%v, %v", v, err)
	}
	s, err := rp.svc.Attributes(rpID).Status(t.Context(), consent)
	if err != nil || s.State != "withdrawn" || !s.WithdrawnAt.Equal(v.VerifiedAt) || s.ReflectedAt.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := rp.svc.Attributes(rpID).Ask(t.Context(), consent, ""); !errors.Is(
		err, &operator.Error{Reason: operator.ReasonConsent}) {
		t.Errorf("asked after the withdrawal: %v", err)
	}
}

// TestReissuedCard: new keys and certificates, the old ones revoked, full tries, the same name and subject; Forget
// takes all of it back.
func TestReissuedCard(t *testing.T) {
	rp, _ := moving(t)
	name := rp.svc.CardNames()[0]
	old := rp.svc.Card()
	subject := func() string {
		t.Helper()
		client := rp.client(func(c *authn.Config) { c.Now = testClock.Load().now })
		id, err := login(t.Context(), client, rp.svc.Visitor(), authn.Request{})
		if err != nil {
			t.Fatal(err)
		}
		return id.Subject.Reveal()
	}
	first := subject()
	if err := rp.svc.Reissue(name); err != nil {
		t.Fatal(err)
	}
	card := rp.svc.Card()
	a, b := old.Certificates()
	c, d := card.Certificates()
	if bytes.Equal(a, c) || bytes.Equal(b, d) || card.Issue() != 1 || rp.svc.CardNames()[0] != name ||
		card.Kind() != old.Kind() {
		t.Error("the card is not a new one of the same name")
	}
	if subject() != first {
		t.Error("the subject changed")
	}
	again, err := cardsim.FromImage(image(t, card), cardsim.Config{JPKI: card.JPKI(), Now: testClock.Load().now})
	if err != nil || again.Issue() != 1 {
		t.Errorf("from its image: %v", err)
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.VisitorWith(old), authn.Request{}); err == nil {
		t.Error("the old card still logs in")
	}
	if err := rp.svc.Forget(); err != nil {
		t.Fatal(err)
	}
	e, _ := rp.svc.Card().Certificates()
	if !bytes.Equal(a, e) || subject() != first {
		t.Error("Forget does not take the reissue back")
	}
	for name, err := range map[string]error{
		"move of nobody":     rp.svc.Move("nobody", daa.Residence{Municipality: newMunicipality(), Street: newStreet}),
		"reissue for nobody": rp.svc.Reissue("nobody"),
		"nowhere":            rp.svc.Move(name, daa.Residence{}),
	} {
		if !errors.Is(err, &daa.Error{Reason: daa.ReasonConfiguration}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func image(t *testing.T, c *cardsim.Card) []byte {
	t.Helper()
	b, err := c.Image()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestConsentsAreNotMixedUp: documents and consents of another business, of nobody, for another purpose; an operator
// that errs.
func TestConsentsAreNotMixedUp(t *testing.T) {
	rp, c := moving(t)
	key := newKey(t)
	if err := rp.svc.Register(daa.ClientRegistration{ID: "RP2", Key: key.Public(),
		RedirectURLs: []string{redirect}}); err != nil {
		t.Fatal(err)
	}
	consent, _ := consented(t, rp, c)
	signed := rp.handIn(operator.Purpose{Service: "shop-address", TermsVersion: "2026-05"})
	other := rp.svc.Attributes("RP2")
	mine := rp.svc.Attributes(rpID)
	is := func(what string, err error, reason operator.Reason) {
		t.Helper()
		if !errors.Is(err, &operator.Error{Reason: reason}) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := other.Register(t.Context(), signed)
	is("another business's document", err, operator.ReasonDocument)
	_, err = other.Ask(t.Context(), consent, "")
	is("another business's consent", err, operator.ReasonConsent)
	_, err = other.Status(t.Context(), consent)
	is("another business's state", err, operator.ReasonConsent)
	_, err = other.Document(t.Context(), operator.Purpose{Withdraws: consent})
	is("another business's withdrawal", err, operator.ReasonConsent)
	_, err = mine.Withdraw(t.Context(), consent, signed)
	is("a consent as a withdrawal", err, operator.ReasonDocument)
	_, err = rp.svc.Attributes("nobody").Status(t.Context(), consent)
	is("nobody", err, operator.ReasonCredentials)

	strange := signed
	strange.Document = append(bytes.Clone(signed.Document), ' ')
	_, _, err = mine.Register(t.Context(), strange)
	is("another document than signed", err, operator.ReasonRequest)
	bare := *signed.Transaction
	bare.Mode = sign.ModeBareHash
	_, _, err = mine.Register(t.Context(), operator.Signed{Document: signed.Document, Sealed: signed.Sealed,
		Transaction: &bare})
	is("bare-hash mode", err, operator.ReasonRequest)
	_, err = mine.Document(t.Context(), operator.Purpose{Service: "x", TermsVersion: "1", Withdraws: consent})
	is("two purposes", err, operator.ReasonRequest)
	_, err = mine.Document(t.Context(), operator.Purpose{})
	is("no purpose", err, operator.ReasonRequest)

	for how, reason := range map[platform.Answer]operator.Reason{
		platform.AnswerRevoked: operator.ReasonRevoked, platform.AnswerOtherDocument: operator.ReasonOtherVerdict,
		platform.AnswerMismatch: operator.ReasonSignature, platform.AnswerUnavailable: operator.ReasonBusy,
	} {
		rp.svc.SetKnobs(daa.Knobs{Operator: platform.Knobs{Answer: how}})
		got, _, err := mine.Register(t.Context(), signed)
		is(string(how), err, reason)
		if got != "" {
			t.Errorf("%s: a consent", how)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{})
	if _, _, err := mine.Register(t.Context(), signed); err != nil {
		t.Errorf("honest again: %v", err)
	}
	if doc := string(signed.Document); !strings.HasPrefix(doc, `<?xml version="1.0" encoding="UTF-8"?>`) ||
		!strings.Contains(doc, "<利用者同意申請情報>") {
		t.Errorf("the document: %s", doc)
	}
}
