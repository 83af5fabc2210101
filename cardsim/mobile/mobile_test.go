package mobile_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/mobile"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
)

func noon() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }

// verified issues a card, has it presented, and returns what a verifier of that authority finds.
func verified(t *testing.T, c mobile.Config, card mobile.Card) *mdoc.Verified {
	t.Helper()
	i, err := mobile.NewIssuer(c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := i.Issue(card)
	if err != nil {
		t.Fatal(err)
	}
	session := mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "n"}
	response, err := w.Present(mobile.Request{Session: session})
	if err != nil {
		t.Fatal(err)
	}
	v, err := mdoc.NewVerifier(mdoc.Config{Anchors: []*x509.Certificate{i.Anchor()}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(response, mdoc.Expect{Session: session})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func lookup(t *testing.T, name person.Persona) person.Person {
	t.Helper()
	p, err := person.Lookup(name, noon())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What the register does not know of a date of birth, the card does not claim.
func TestUnknownBirthdates(t *testing.T) {
	t.Parallel()
	details := lookup(t, person.Taro).Reveal()
	details.Subject.Birthdate = "00000000"
	unknown, err := person.New(details)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		person person.Person
		adult  fourinfo.Answer
		text   bool
	}{
		"known":          {lookup(t, person.Taro), fourinfo.Yes, true},
		"without a day":  {lookup(t, person.Umeko), fourinfo.Yes, true},
		"only the year":  {lookup(t, person.Takeo), fourinfo.Yes, true},
		"a minor":        {lookup(t, person.Minor), fourinfo.No, true},
		"nothing of it":  {unknown, fourinfo.Unknown, false},
		"neither gender": {lookup(t, person.Rei), fourinfo.No, true},
	} {
		got := verified(t, mobile.Config{Now: noon}, mobile.Card{Person: c.person})
		if answer := got.AgeAtLeast(20); answer != c.adult || got.Birthdate.Present() != c.text {
			t.Errorf("%s: 20 or older %v, a date %v", what, answer, got.Birthdate.Present())
		}
	}
}

// An issuer without a configuration works by the clock of the machine, and a card that is valid from before its
// authority began is signed when that had begun: no signature is older than the key's certificate.
func TestDefaults(t *testing.T) {
	t.Parallel()
	if got := verified(t, mobile.Config{}, mobile.Card{Person: lookup(t, person.Taro)}); len(got.Problems) > 0 {
		t.Errorf("%v", got.Problems)
	}
	early := mobile.Card{Person: lookup(t, person.Taro), ValidFrom: noon().AddDate(-1, 0, 0),
		ValidUntil: noon().AddDate(1, 0, 0)}
	if got := verified(t, mobile.Config{Now: noon}, early); !got.ValidUntil.Equal(early.ValidUntil) {
		t.Errorf("valid until %v", got.ValidUntil)
	}
}

// The keys of a seed are always the same, and no others'.
func TestKeysDeriveFromTheSeed(t *testing.T) {
	t.Parallel()
	key := func(seed string) []byte {
		i, err := mobile.NewIssuer(mobile.Config{Seed: seed, Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		return i.Anchor().RawSubjectPublicKeyInfo
	}
	if !bytes.Equal(key("a"), key("a")) || bytes.Equal(key("a"), key("b")) || !bytes.Equal(key(""), key("kakunin")) {
		t.Error("the key of the authority is not the seed's")
	}
}

// A certificate cannot say a year after 9999 (RFC 5280, 4.1.2.5.2); the issuer says that it could not be made.
func TestNoAuthorityBeyondTheLastYear(t *testing.T) {
	t.Parallel()
	late := func() time.Time { return time.Date(9995, time.January, 1, 0, 0, 0, 0, time.UTC) }
	if i, err := mobile.NewIssuer(mobile.Config{Now: late}); err == nil || i != nil {
		t.Errorf("an authority until 10005: %v", err)
	}
}

// A wallet presents nothing to a session that has no transcript, or to a reader with a key of another curve.
func TestNothingIsPresented(t *testing.T) {
	t.Parallel()
	i, err := mobile.NewIssuer(mobile.Config{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	w, err := i.Issue(mobile.Card{Person: lookup(t, person.Hanako)})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]mobile.Request{
		"no origin": {Session: mdoc.DigitalCredentials{}},
		"another curve": {Session: mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "n"},
			ReaderKey: reader.PublicKey()},
		"no CBOR": {Session: mdoc.Transcript{0xff}},
	} {
		if response, err := w.Present(r); err == nil || response != nil {
			t.Errorf("%s: %d bytes, error %v", what, len(response), err)
		}
	}
}
