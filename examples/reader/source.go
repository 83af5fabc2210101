package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// openSource opens the reader that the flags name.
func openSource(ctx context.Context, o options, w world) (source, error) {
	if o.simulated {
		return openSimulated(o, w)
	}
	roots, err := readRoots(o.roots)
	if err != nil {
		return source{}, err
	}
	return openReader(ctx, o, roots)
}

// testAuthority makes the test JPKI, whose keys every simulated card has.
func testAuthority(now func() time.Time) (*issuer.JPKI, error) {
	return issuer.New(issuer.Config{Now: now})
}

// openSimulated makes a card of a synthetic person, which the simulated reader has at once.
func openSimulated(o options, w world) (source, error) {
	unknown := problem("そのような模擬カードはありません。", "There is no such simulated card.")
	person, err := person.Lookup(person.Persona(o.person), w.now())
	if err != nil {
		return source{}, unknown
	}
	kind, err := cardsim.ParseKind(o.kind)
	if err != nil {
		return source{}, unknown
	}
	authority, err := w.authority(w.now)
	if err != nil {
		return source{}, err
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: authority, Kind: kind, Now: w.now})
	if err != nil {
		return source{}, unknown // a child has no card with a signing certificate, for example
	}
	var keys []card.Root
	for id, key := range c.IssuerRoots() {
		keys = append(keys, card.Root{ID: id, Key: key})
	}
	roots, err := card.InsecureTestRoots(keys...)
	if err != nil {
		return source{}, err
	}
	simulated := "simulated card, synthetic person"
	if o.language == kakunin.Japanese {
		simulated = "模擬カード（架空の人物）"
	}
	return source{
		transport: c.Transport(), name: func() string { return simulated }, roots: roots,
		hint:  simulatedHint(o.language, c.Person().Reveal()),
		close: func(context.Context) {},
	}, nil
}

// simulatedHint tells what a person would know of their own card.
func simulatedHint(lang kakunin.Language, p person.Details) string {
	text := "(PIN of the authentication certificate %s, PIN for the four attributes %s, password of the signing " +
		"certificate %s; born %s, card expires %s, security code %s)"
	if lang == kakunin.Japanese {
		text = "（利用者証明用電子証明書の暗証番号 %s、券面事項入力補助用の暗証番号 %s、署名用電子証明書の暗証番号 %s、" +
			"生年月日 %s、有効期限 %s、セキュリティコード %s）"
	}
	return fmt.Sprintf(
		text,
		p.AuthPIN,
		p.TextPIN,
		p.SigningPassword,
		p.Subject.Birthdate,
		p.CardExpiry[:4],
		p.SecurityCode,
	)
}
