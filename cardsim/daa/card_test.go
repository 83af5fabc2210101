package daa_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Whoever has a good authentication certificate can log in: an adult and a child with a card, one with a phone, one
// whose card is of the older generation of authorities. Nobody else can.
func TestLoginWithEachKindOfCard(t *testing.T) {
	for _, kind := range cardsim.Kinds() {
		rp := start(t, func(c *daa.Config) {
			person, err := person.Lookup(person.Hanako, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			card, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: c.JPKI, Kind: kind, Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			c.Cards = []*cardsim.Card{card}
		})
		good := map[cardsim.Kind]bool{
			cardsim.Plastic: true, cardsim.Child: true, cardsim.Android: true, cardsim.IPhone: true,
			cardsim.OlderCA: true,
		}
		_, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{})
		if (err == nil) != good[kind] {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A phone has no four attributes, and a client may want cards or phones only: the person is told, and the site learns
// that it was no success.
func TestPhonesAndCards(t *testing.T) {
	phone := bothKinds(t)
	const plastic, iphone = 0, 1
	for name, c := range map[string]struct {
		cards  daa.Cards
		scopes authn.Scopes
		held   int
		want   string // what the visitor is told
	}{
		"any, card":              {daa.CardsAny, authn.Attributes, plastic, ""},
		"any, phone":             {daa.CardsAny, 0, iphone, ""},
		"any, phone, attributes": {daa.CardsAny, authn.Name, iphone, "no-attributes"},
		"cards, card":            {daa.CardsOnly, authn.Attributes, plastic, ""},
		"cards, phone":           {daa.CardsOnly, 0, iphone, "wrong-kind"},
		"phones, phone":          {daa.PhonesOnly, 0, iphone, ""},
		"phones, card":           {daa.PhonesOnly, 0, plastic, "wrong-kind"},
	} {
		t.Run(name, func(t *testing.T) {
			rp := start(t, phone, func(conf *daa.Config) { conf.Clients[0].Cards = c.cards })
			_, err := login(t.Context(), rp.client(), rp.svc.VisitorWith(rp.svc.Cards()[c.held]),
				authn.Request{Scopes: c.scopes})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *visitor.Error
			if !errors.As(err, &e) || e.Reason != visitor.ReasonCardUnusable || e.Step != c.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A visitor holds the card that was asked for, known or not, also when two are of the same person.
func TestVisitorWithThatCard(t *testing.T) {
	rp := start(t)
	p, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	second, err := cardsim.NewCard(cardsim.Config{Person: p, JPKI: rp.svc.JPKI(), Kind: cardsim.BlockedPINs})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.VisitorWith(second), authn.Request{}); err == nil {
		t.Error("logged in with the blocked card")
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.VisitorWith(rp.svc.Card()), authn.Request{}); err != nil {
		t.Errorf("the first card of the same person: %v", err)
	}
	if names := rp.svc.CardNames(); !slices.Equal(names, []string{"hanako", "hanako-2"}) {
		t.Errorf("cards %q", names)
	}
	other, err := issuer.New(issuer.Config{Seed: "another"})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := cardsim.NewCard(cardsim.Config{Person: p, JPKI: other})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rp.svc.AddCard(foreign); !errors.Is(err, &daa.Error{Reason: daa.ReasonConfiguration}) {
		t.Errorf("a card of another JPKI: %v", err)
	}
}

// Three mistakes need not be the end of a simulator that several people share.
func TestCardsBecomeWhole(t *testing.T) {
	blockedFor := func(rp *relyingParty, v *visitor.Person) bool {
		t.Helper()
		_, err := login(t.Context(), rp.client(), v, authn.Request{})
		return errors.Is(err, &visitor.Error{Reason: visitor.ReasonCardUnusable, Step: "blocked"})
	}
	block := func(rp *relyingParty) {
		t.Helper()
		if _, err := rp.svc.Visitor().Block(t.Context(), rp.authorizationURL(rp.authorization())); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("unlocked", func(t *testing.T) {
		rp := start(t)
		if block(rp); !blockedFor(rp, rp.svc.Visitor()) {
			t.Fatal("not blocked")
		}
		if err := rp.svc.Unlock("hanako"); err != nil || blockedFor(rp, rp.svc.Visitor()) {
			t.Errorf("still blocked: %v", err)
		}
		if rp.svc.Unlock("nobody") == nil {
			t.Error("unlocked nobody's card")
		}
	})
	t.Run("after a pause", func(t *testing.T) {
		clock := newClock()
		rp := start(t, follow(t, clock), func(c *daa.Config) { c.ResetCardsAfter = time.Hour })
		block(rp)
		clock.advance(59 * time.Minute)
		if !blockedFor(rp, rp.svc.Visitor()) {
			t.Error("whole too early")
		}
		clock.advance(time.Hour)
		if blockedFor(rp, rp.svc.Visitor()) {
			t.Error("not whole after the pause")
		}
	})
	t.Run("fresh", func(t *testing.T) {
		rp := start(t, func(c *daa.Config) { c.FreshCards = true })
		if block(rp); blockedFor(rp, rp.svc.Visitor()) {
			t.Error("one visit's mistakes count in the next")
		}
	})
}

// テストカード代替機能: for a client that has it, one page stands for the app and a card, and the phone screen is not there.
func TestTestCardSubstitute(t *testing.T) {
	rp := start(t, func(c *daa.Config) { c.Clients[0].TestCards = true }, daa.WithPersonas(person.Hanako, person.Taro))
	open := func(agent string) *browser {
		t.Helper()
		return rp.browser(agent).get(rp.authorizationURL(rp.authorization())).want("test-card",
			"認証テストレスポンス設定画面", "レスポンス", "正常", "エラー", "テストカード情報一覧", "認証</button>", "hanako", "taro")
	}
	for _, agent := range []string{phoneAgent, pcAgent} { // no QR code either
		b := open(agent)
		if b.submit("test-card", "response", "ok", "card", "1"); rp.callback(b.left).Get("code") == "" {
			t.Fatalf("callback %q", b.left)
		}
		access := rp.mustToken(rp.exchange(rp.callback(b.left).Get("code")))
		a := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
		if a.json["name"] != rp.svc.Cards()[1].Person().Reveal().Name {
			t.Errorf("userinfo %s", a.body)
		}
		b = open(agent)
		if b.submit("test-card", "response", "error", "card",
			"0"); rp.callback(b.left).Get("error") != "access_denied" {
			t.Errorf("error: %q", b.left)
		}
		b = open(agent)
		b.submit("test-card", "response", "ok", "card", "7").want("test-card", "カードを選んで")
	}
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.Attributes})
	if err != nil || id.Person.Name.Reveal() != rp.svc.Card().Person().Reveal().Name {
		t.Errorf("a visitor: %v", err)
	}
	if callback, err := rp.svc.Visitor().Cancel(t.Context(), rp.authorizationURL(rp.authorization())); err != nil ||
		rp.callback(callback).Get("error") == "" {
		t.Errorf("a visitor who chooses the error: %q, %v", callback, err)
	}
	rp.sign(make([]byte, 32)) // signing, too
}

// during is called in the middle of a card's work.
type during func()

func (d during) Write(b []byte) (int, error) { d(); return len(b), nil }

// While a card is at work for one person, the pages that say whose cards there are come for everybody else.
func TestPagesDoNotWaitForACard(t *testing.T) {
	var rp *relyingParty
	var once sync.Once
	look := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, address := range []string{rp.svc.URL(), rp.authorizationURL(rp.authorization())} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			client := rp.svc.Client()
			client.CheckRedirect = nil
			client.Jar, _ = cookiejar.New(nil) // never fails
			res, err := client.Do(req)
			if err != nil {
				t.Errorf("a page while the card is at work: %v", err)
				return
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("status %d", res.StatusCode)
			}
		}
	}
	rp = start(t, func(c *daa.Config) {
		p, err := person.Lookup(person.Hanako, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		card, err := cardsim.NewCard(cardsim.Config{
			Person: p, JPKI: c.JPKI, Now: c.Now, Trace: during(func() { once.Do(look) }),
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Cards = []*cardsim.Card{card}
	})
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Error(err)
	}
	once.Do(func() { t.Error("the card was not asked") })
}

// bothKinds puts a card and a phone of one person into the hand.
func bothKinds(t *testing.T) daa.Option {
	t.Helper()
	return func(c *daa.Config) {
		for _, kind := range []cardsim.Kind{cardsim.Plastic, cardsim.IPhone} {
			p, err := person.Lookup(person.Hanako, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			card, err := cardsim.NewCard(cardsim.Config{Person: p, JPKI: c.JPKI, Kind: kind, Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			c.Cards = append(c.Cards, card)
		}
	}
}

// The page that stands for the app and a card accepts no more kinds than the app does.
func TestTestCardsOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		cards  daa.Cards
		scope  string
		chosen string
		want   string // what the page says; empty: sent back
	}{
		"any, card":              {daa.CardsAny, "openid name", "0", ""},
		"any, phone":             {daa.CardsAny, "openid", "1", ""},
		"any, phone, attributes": {daa.CardsAny, "openid name", "1", "no-attributes"},
		"cards, phone":           {daa.CardsOnly, "openid", "1", "wrong-kind"},
		"phones, card":           {daa.PhonesOnly, "openid", "0", "wrong-kind"},
		"phones, phone":          {daa.PhonesOnly, "openid", "1", ""},
	} {
		rp := start(t, bothKinds(t), func(conf *daa.Config) {
			conf.Clients[0].Cards, conf.Clients[0].TestCards = c.cards, true
		})
		b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.authorization(), "scope", c.scope)))
		b.submit("test-card", "response", "ok", "card", c.chosen)
		if c.want == "" {
			if rp.callback(b.left).Get("code") == "" {
				t.Errorf("%s: callback %q", name, b.left)
			}
			continue
		}
		b.want("problem", c.want)
		if b.submit("leave"); rp.callback(b.left).Get("error") != "access_denied" {
			t.Errorf("%s: callback %q", name, b.left)
		}
	}
}
