package daa_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// deskReader is a reader into which a test puts cards.
type deskReader struct {
	mu     sync.Mutex
	card   card.Transport // nil = the reader is empty
	stands card.Reason    // instead of the card
	sent   [][]byte       // VERIFY commands with a secret
	hook   func(command, answer []byte) []byte
}

func (r *deskReader) put(c *cardsim.Card) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.card, r.stands = nil, card.ReasonCardAbsent
	if c != nil {
		r.card, r.stands = c.Transport(), card.ReasonUnknown
	}
}

func (r *deskReader) WaitCard(_ context.Context, progress func(card.Reason)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stands != card.ReasonUnknown {
		progress(r.stands)
		return errors.New("the time is over")
	}
	return nil
}

func (r *deskReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.card == nil {
		return nil, &card.Error{Step: "transmit", Reason: card.ReasonCardAbsent}
	}
	if command[1] == 0x20 && len(command) > 5 {
		r.sent = append(r.sent, bytes.Clone(command))
	}
	answer, err := r.card.Transmit(ctx, command)
	if r.hook != nil {
		answer = r.hook(command, answer)
	}
	return answer, err
}

func (r *deskReader) PowerOff(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if power, ok := r.card.(card.PowerCycler); ok {
		return power.PowerOff(ctx)
	}
	return nil
}

// atReader runs a service whose phone reads a reader, with one person's card in it.
func atReader(t *testing.T, c cardsim.Config, opts ...daa.Option) (*relyingParty, *deskReader, *cardsim.Card) {
	t.Helper()
	reader := new(deskReader)
	rp := start(t, append(opts, func(c *daa.Config) { c.Reader = reader })...)
	holder := cardOf(t, rp, c)
	reader.put(holder)
	return rp, reader, holder
}

func cardOf(t *testing.T, rp *relyingParty, c cardsim.Config) *cardsim.Card {
	t.Helper()
	if c.JPKI == nil {
		c.JPKI = rp.svc.JPKI()
	}
	made, err := cardsim.NewCard(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func lookup(t *testing.T, p person.Persona) person.Person {
	t.Helper()
	found, err := person.Lookup(p, sharedNow())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// knows is a visitor who types the PINs of a card.
func knows(rp *relyingParty, c *cardsim.Card) *visitor.Person {
	p, v := c.Person().Reveal(), rp.svc.Visitor()
	v.AuthPIN, v.TextPIN, v.SigningPassword = p.AuthPIN, p.TextPIN, p.SigningPassword
	return v
}

func TestReaderLogin(t *testing.T) {
	rp, _, holder := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	a := func(v *visitor.Person) (answer, string) {
		back, err := v.Approve(t.Context(), rp.authorizationURL(rp.authorization()))
		if err != nil {
			t.Fatal(err)
		}
		access := rp.mustToken(rp.exchange(rp.callback(back).Get("code")))
		return rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", ""), access
	}
	v := knows(rp, holder)
	info, _ := a(v)
	want := holder.Person().Reveal().Subject
	if info.json["name"] != want.Name || info.json["address"] != want.Address ||
		info.json["birthdate"] != want.Birthdate {
		t.Errorf("%s", info.body)
	}
	v.TwoDevices = true
	again, _ := a(v)
	if again.json["sub"] != info.json["sub"] {
		t.Error("the same card is another person the second time")
	}
}

func TestReaderSignature(t *testing.T) {
	rp, _, holder := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	id := rp.transaction(bytes.Repeat([]byte{7}, 32))
	back, err := knows(rp, holder).Approve(t.Context(), rp.authorizationURL(rp.signing(id)))
	if err != nil {
		t.Fatal(err)
	}
	access := rp.mustToken(rp.exchange(rp.callback(back).Get("code")))
	got := rp.open(rp.result(id, access))
	signing, _ := holder.Certificates()
	if !bytes.Equal(got.Certificate, signing) || len(got.Signature) != 256 {
		t.Errorf("%d bytes of signature, %d of certificate", len(got.Signature), len(got.Certificate))
	}
}

func TestReaderTellsWhatStandsInTheWay(t *testing.T) {
	rp, reader, holder := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	right := holder.Person().Reveal().AuthPIN
	for reason, want := range map[card.Reason]string{
		card.ReasonCardAbsent:        "カード",
		card.ReasonNotMyNumberCard:   "マイナンバーカード",
		card.ReasonReaderUnavailable: "リーダー",
		card.ReasonCardBusy:          "カード",
	} {
		reader.mu.Lock()
		reader.stands = reason
		reader.mu.Unlock()
		b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization())).submit("auth-pin", "pin", right)
		if b.page() != "auth-pin" || !strings.Contains(b.body, `role="alert"`) || !strings.Contains(b.body, want) {
			t.Errorf("%s: %s", reason, b.body)
		}
		reader.put(holder) // and the same visit goes on
		if b.submit("auth-pin", "pin", right); b.page() != "text-pin" {
			t.Errorf("%s, then the card: %s", reason, b.body)
		}
	}
	if c, err := card.Open(t.Context(), holder.Transport(), card.Config{}); err != nil {
		t.Fatal(err)
	} else if tries, err := c.Tries(t.Context(), card.AuthPIN); err != nil || tries != 3 {
		t.Errorf("%d tries left, %v", tries, err)
	}
}

func TestReaderCountsWrongPINs(t *testing.T) {
	rp, _, holder := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	v := knows(rp, holder)
	at := func() string { return rp.authorizationURL(rp.authorization()) }
	if _, remaining, err := v.MistypePIN(t.Context(), at(), 2); err != nil || remaining != 1 {
		t.Errorf("two wrong PINs: %d left, %v", remaining, err)
	}
	back, err := v.Block(t.Context(), at())
	if err != nil || rp.callback(back).Get("error") != "access_denied" {
		t.Errorf("%q, %v", back, err)
	}
	if _, err := v.Approve(t.Context(), at()); !errors.Is(err, &visitor.Error{
		Reason: visitor.ReasonCardUnusable, Step: "blocked",
	}) {
		t.Errorf("a blocked card: %v", err)
	}
}

func TestReaderWithOtherCards(t *testing.T) {
	unusable := func(step string) error { return &visitor.Error{Reason: visitor.ReasonCardUnusable, Step: step} }
	foreign, err := issuer.New(issuer.Config{Seed: "another world"})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := issuer.New(issuer.Config{Now: sharedNow})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		card  cardsim.Config
		cards daa.Cards
		scope string
		want  error
	}{
		"a phone": {cardsim.Config{Kind: cardsim.IPhone}, daa.CardsAny, "openid", nil},
		"a phone, attributes": {cardsim.Config{Kind: cardsim.IPhone}, daa.CardsAny, "openid name",
			unusable("no-attributes")},
		"a phone, cards only": {cardsim.Config{Kind: cardsim.Android}, daa.CardsOnly, "openid",
			unusable("wrong-kind")},
		"a card, phones only": {cardsim.Config{}, daa.PhonesOnly, "openid", unusable("wrong-kind")},
		"expired": {cardsim.Config{Kind: cardsim.ExpiredCertificates}, daa.CardsAny, "openid",
			unusable("certificate")},
		"of other authorities": {cardsim.Config{JPKI: foreign}, daa.CardsAny, "openid", unusable("certificate")},
		"blocked PINs": {cardsim.Config{Kind: cardsim.BlockedPINs}, daa.CardsAny, "openid",
			unusable("blocked")},
		"a card without quirks": {cardsim.Config{}, daa.CardsOnly, "openid name", nil},
		"of another process":    {cardsim.Config{JPKI: elsewhere}, daa.CardsAny, "openid", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.card.Person = lookup(t, person.Hanako)
			rp, _, holder := atReader(t, c.card, func(d *daa.Config) { d.Clients[0].Cards = c.cards })
			_, err := knows(rp, holder).Approve(t.Context(),
				rp.authorizationURL(with(rp.authorization(), "scope", c.scope)))
			if (c.want == nil) != (err == nil) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// Another person's card must not fill in what the first one began.
func TestReaderNoticesAnotherCard(t *testing.T) {
	rp, reader, first := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	second := cardOf(t, rp, cardsim.Config{Person: lookup(t, person.Taro)})
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.submit("auth-pin", "pin", first.Person().Reveal().AuthPIN)
	reader.put(second)
	b.submit("text-pin", "pin", second.Person().Reveal().TextPIN)
	if !strings.Contains(b.body, "同じカード") || b.page() != "text-pin" {
		t.Fatalf("%s", b.body)
	}
	reader.put(first)
	b.submit("text-pin", "pin", first.Person().Reveal().TextPIN)
	if b.page() != "consent" || !strings.Contains(b.body, first.Person().Reveal().Subject.Name) {
		t.Errorf("%s", b.body)
	}
}

// productionPolicy is that of authentication certificates of real cards.
var productionPolicy = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 3, 30}

// A card that is none for tests does not get a PIN.
func TestReaderRefusesRealCards(t *testing.T) {
	rp, reader, holder := atReader(t, cardsim.Config{Person: lookup(t, person.Hanako)})
	ca := rp.svc.JPKI().AuthenticationCA()
	real, err := ca.IssueFaulty(issuer.Request{Key: &rp.svc.JPKI().Key("a real card").PublicKey,
		Holder: holder.Person().Reveal().Subject, IssuedAt: sharedNow()},
		issuer.Faults{Policies: []asn1.ObjectIdentifier{productionPolicy}})

	if err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParseCertificate(real); err != nil {
		t.Fatal(err)
	}
	inCertificate := false
	reader.hook = func(command, answer []byte) []byte {
		switch {
		case command[1] == 0xA4 && command[2] == 0x02: // SELECT of a file
			inCertificate = bytes.Contains(command[4:], []byte{0x00, 0x0A})
		case command[1] == 0xB0 && command[2]&0x80 != 0: // with a short file identifier
			inCertificate = command[2]&0x1F == 0x0A
		}
		if command[1] == 0xB0 && inCertificate {
			from := int(command[2])<<8 | int(command[3])
			if command[2]&0x80 != 0 {
				from = int(command[3])
			}
			le := 0
			for _, b := range command[4:] {
				le = le<<8 | int(b)
			}
			if le == 0 {
				le = 256
			}
			part := real[min(from, len(real)):min(from+le, len(real))]
			return append(bytes.Clone(part), 0x90, 0x00)
		}
		return answer
	}
	back, err := knows(rp, holder).Approve(t.Context(), rp.authorizationURL(rp.authorization()))
	if !errors.Is(err, &visitor.Error{Reason: visitor.ReasonCardUnusable, Step: "real-card"}) {
		t.Errorf("%v", err)
	}
	if got := rp.callback(back).Get("error"); got != "access_denied" {
		t.Errorf("%q", got)
	}
	if len(reader.sent) != 0 {
		t.Errorf("%d PINs were sent", len(reader.sent))
	}
}

func TestReaderOrCards(t *testing.T) {
	rp := start(t)
	_, err := daa.New(daa.Config{
		BaseURL: "http://127.0.0.1", JPKI: rp.svc.JPKI(), Cards: rp.svc.Cards(), Reader: new(deskReader),
	})
	if !errors.Is(err, &daa.Error{Reason: daa.ReasonConfiguration, Step: "cards beside a reader"}) {
		t.Error(err)
	}
}
