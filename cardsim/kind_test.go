package cardsim

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

func cardOfKind(tb testing.TB, k Kind) *Card {
	tb.Helper()
	return customCard(tb, func(c *Config) { c.Kind = k })
}

func TestKindNames(t *testing.T) {
	var names []string
	for _, k := range Kinds() {
		got, err := ParseKind(k.String())
		if err != nil || got != k {
			t.Errorf("%s is parsed as %s: %v", k, got, err)
		}
		names = append(names, k.String())
	}
	if got, want := strings.Join(names, " "),
		"plastic child android iphone expired-card expired-certificates blocked-pins older-ca newer-ca"; got != want {
		t.Errorf("kinds: %s", got)
	}
	if k, err := ParseKind("default"); err != nil || k != DefaultKind {
		t.Errorf("default: %v %v", k, err)
	}
	for _, bad := range []string{"", "Plastic", "card"} {
		if _, err := ParseKind(bad); reason(err) != ReasonUnknownKind {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if Kind(-1).String() != "unknown" || Kind(len(personalities)).String() != "unknown" {
		t.Error("a number that is no kind has a name")
	}
	config := testConfig()
	config.Kind = Kind(len(personalities))
	if _, err := NewCard(config); reason(err) != ReasonInvalidConfig {
		t.Errorf("a card of no kind: %v", err)
	}
}

// A holder gets a signing certificate at 15.
func TestDefaultKindByAge(t *testing.T) {
	for birthdate, want := range map[string]Kind{
		"20111121": Plastic, // 15 today
		"20111122": Child,   // tomorrow
		"20110000": Plastic,
		"00000000": Plastic,
	} {
		if got := customCard(t, func(c *Config) {
			c.Person = like(c.Person, func(d *person.Details) { d.Subject.Birthdate = birthdate })
		}).Kind(); got != want {
			t.Errorf("born %s: %s", birthdate, got)
		}
	}
}

func labelHex(label string) string { return fmt.Sprintf("%X", fmt.Sprintf("%-32s", label)) }

func TestKindPlastic(t *testing.T) {
	run(t, cardOfKind(t, Plastic), `
		80FC0000 = 6700
		{JPKI} = 9000
		00B0860020 = `+labelHex("JPKIAPICCTOKEN2")+`9000
		00B0880000 = 8F8F00 9000
		00A4020C020001 = 9000
		00B0000000 = 6982
		00B08A0004 = 3082…9000
		{TEXT} = 9000`)
}

func TestKindChild(t *testing.T) {
	c := cardOfKind(t, Child)
	run(t, c, `
		{JPKI} = 9000
		00B0860020 = `+labelHex("JPKIAPICCTOKEN2")+`9000
		00B0880000 = 008F00 9000
		00A4020C020001 = 6A82
		00B0810004 = 6A82
		00A4020C020002 = 9000
		00A4020C02001B = 9000        // the reference is there, as programs expect that ask both counters
		00200080 = 63C0
		0020008006 414243313233 = 6984
		00A4020C02001A = 9000
		802A008001 55 00 = 6981
		00A4020C020018 = 9000
		{AUTH} = 9000
		802A009701 55 00 = #256 9000
		{TEXT} = 9000`)
	if signing, auth := c.Certificates(); signing != nil || auth == nil {
		t.Error("a child has an authentication certificate only")
	}
}

func TestKindPhone(t *testing.T) {
	for kind, label := range map[Kind]string{Android: "JPKIAPGPSETOKEN", IPhone: "JPKIAPIOSTOKEN"} {
		c := cardOfKind(t, kind)
		for _, aid := range []string{
			"D3921000310001010402", "D3921000310001010408", "D3921000310001010100", "D3921000310001010401",
		} {
			run(t, c, "00A4040C0A"+aid+" = 6A82")
		}
		run(t, c, `
			{JPKI} = 9000
			00B0860020 = `+labelHex(label)+`9000
			00B0880000 = 8F8F00 9000
			00A4020C02000A = 9000
			00B0000004 = 6982
			{SIGN} = 9000
			00B08A0004 = 6982        // the other password does not open it
			{AUTH} = 9000
			00B08A0004 = 3082…9000
			00B0810004 = 3082…9000
			00A4020C02000B = 9000
			00B0000004 = 3082…9000
			{ISD} = 9000
			{JPKI} = 9000
			00B08A0004 = 6982`)
		signing, auth := c.Certificates()
		_, plastic := newCard(t).Certificates()
		if certificateKey(t, auth).Equal(certificateKey(t, plastic)) {
			t.Errorf("%s: the phone has the card's key", kind)
		}
		for der, policy := range map[string]string{
			string(signing): "1.2.392.200149.8.5.1.0.40", string(auth): "1.2.392.200149.8.5.1.0.50",
		} {
			cert, err := x509.ParseCertificate([]byte(der))
			if err != nil {
				t.Fatal(err)
			}
			if len(cert.Policies) != 1 || cert.Policies[0].String() != policy {
				t.Errorf("%s: policies %v", kind, cert.Policies)
			}
		}
	}
}

// Certificates on phones have policies that nobody has confirmed: only a verifier that was asked to accepts them.
func TestPhoneCertificatesNeedAnOptIn(t *testing.T) {
	c := cardOfKind(t, IPhone)
	signing, auth := c.Certificates()
	for _, optIn := range []bool{false, true} {
		v, err := jpki.NewVerifier(jpki.VerifierConfig{
			Hierarchy: jpki.Simulated, Trust: c.JPKI().Trust(), Now: testNow,
			Revocation:           revocation.InsecureNoRevocation(),
			AssumedPhonePolicies: optIn,
		})
		if err != nil {
			t.Fatal(err)
		}
		for der, kind := range map[string]jpki.Kind{string(signing): jpki.SigningPhone,
			string(auth): jpki.AuthenticationPhone} {
			cert, err := jpki.ParseCertificate([]byte(der))
			if err != nil || cert.Kind() != kind {
				t.Fatalf("%v %v", cert.Kind(), err)
			}
			result, err := v.Verify(t.Context(), cert, jpki.For(kind))
			if (err == nil) != optIn || optIn && result.Kind != kind {
				t.Errorf("%s, opt-in %v: %v", kind, optIn, err)
			}
			if _, err := v.Verify(t.Context(), cert, jpki.For(jpki.SigningCard, jpki.AuthenticationCard)); err == nil {
				t.Errorf("%s passes for one on a card", kind)
			}
		}
	}
}

// 80 FC announces the last command of a session on an iPhone; plastic cards answer 6700.
func TestLastCommand(t *testing.T) {
	run(t, cardOfKind(t, IPhone), `
		{JPKI} = 9000
		{AUTH} = 9000
		80FC0000 = 9000
		802A009701 55 00 = #256 9000
		80FC0100 = 6A86
		80FC000000 = 6700
		80FC000001FF = 6700`)
	for _, k := range []Kind{Plastic, Android} {
		run(t, cardOfKind(t, k), "80FC0000 = 6700\n80FC0100 = 6700")
	}
}

func TestKindBlockedPINs(t *testing.T) {
	run(t, cardOfKind(t, BlockedPINs), `
		{JPKI} = 9000
		00200098 = 63C0
		{AUTH} = 6984
		0020009B = 63C0
		{SIGN} = 6984
		00B08A0004 = 3082…9000
		{TEXT} = 9000
		00200091 = 63C0
		{PIN} = 6984
		00200094 = 63CA          // the numbers on the card are not chosen by anyone
		{A} = 9000
		00B0810000 = #17 9000`)
}

// verdict is what a verifier with the given trust says of the authentication certificate.
func verdict(t *testing.T, c *Card, trust jpki.Trust) error {
	t.Helper()
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: trust, Now: testNow, Revocation: revocation.InsecureNoRevocation(),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, der := c.Certificates()
	cert, err := jpki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(t.Context(), cert)
	return err
}

func TestKindsExpired(t *testing.T) {
	today := testTime.Format("20060102")
	for _, tc := range []struct {
		kind        Kind
		holder      person.Persona
		cardExpired bool
	}{
		{ExpiredCard, person.Hanako, true},
		{ExpiredCard, person.Minor, true},
		{ExpiredCard, person.Rei, true},
		{ExpiredCertificates, person.Hanako, false},
	} {
		c := customCard(t, func(c *Config) {
			c.Kind, c.Person = tc.kind, withHanakosKeys(ready(tc.holder))
		})
		if got := c.Person().Reveal().CardExpiry < today; got != tc.cardExpired {
			t.Errorf("%s, %s: the card is good until %s", tc.kind, tc.holder, c.Person().Reveal().CardExpiry)
		}
		var refused *jpki.Error
		if err := verdict(t, c, c.JPKI().Trust()); !errors.As(err, &refused) || refused.Reason != jpki.ReasonExpired {
			t.Errorf("%s, %s: the certificate is %v", tc.kind, tc.holder, err)
		}
	}
	for kind, holder := range map[Kind]person.Persona{ExpiredCertificates: person.Rei, ExpiredCard: person.Hanako} {
		config := testConfig()
		config.Kind, config.Person = kind, ready(holder)
		if kind == ExpiredCard {
			// which is not expired
			config.Person = like(config.Person, func(d *person.Details) { d.CardExpiry = "20300101" })
		}
		if _, err := NewCard(config); reason(err) != ReasonInvalidPerson {
			t.Errorf("%s, %s: %v", kind, holder, err)
		}
	}
}

// Whoever is old enough to have had a card six years ago can have an expired one.
func TestEveryReadyPersonCanHaveAnExpiredCard(t *testing.T) {
	for _, name := range person.Personas() {
		p := ready(name).Reveal()
		issued, err := ExpiredCard.issuedFor(p, testTime)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if expiry := p.IssuedOn(issued).CardExpiry; expiry >= testTime.Format("20060102") ||
			issued.Format("20060102") < p.Subject.Birthdate {
			t.Errorf("%s: issued %s, good until %s", name, issued, expiry)
		}
	}
}

// The authorities of all generations have the same name; a verifier finds the right one by its key identifier.
func TestKindsOfAuthorities(t *testing.T) {
	plastic, older, newer := cardOfKind(t, Plastic), cardOfKind(t, OlderCA), cardOfKind(t, NewerCA)
	trust := plastic.JPKI().Trust()
	if err := verdict(t, plastic, trust); err != nil {
		t.Errorf("plastic: %v", err)
	}
	if err := verdict(t, older, trust); err != nil {
		t.Errorf("the older generation is still trusted: %v", err)
	}
	var refused *jpki.Error
	if err := verdict(t, newer, trust); !errors.As(err, &refused) || refused.Reason == jpki.ReasonExpired {
		t.Errorf("the newer generation is not known yet: %v", err)
	}
	for _, c := range []*Card{older, newer} {
		if err := verdict(t, c, c.JPKI().Trust()); err != nil {
			t.Errorf("%s under its own trust: %v", c.Kind(), err)
		}
		run(t, c, "{JPKI} = 9000\n00A4020C02000B = 9000")
		var onCard []byte
		for len(onCard)%256 == 0 {
			onCard = append(onCard, data(t, c, "00B0"+hex.EncodeToString(
				[]byte{byte(len(onCard) >> 8), byte(len(onCard))})+"00")...)
		}
		if !slices.Equal(onCard, c.JPKI().AuthenticationCA().Certificate().Raw) {
			t.Errorf("%s: EF 000B is not the issuer's certificate", c.Kind())
		}
		theirs, ours := c.JPKI().AuthenticationCA().Certificate(), plastic.JPKI().AuthenticationCA().Certificate()
		if c.JPKI() == plastic.JPKI() || theirs.Subject.String() != ours.Subject.String() {
			t.Errorf("%s: the authorities must differ in everything but the name", c.Kind())
		}
	}
}

func TestCertificatesEndWithTheAuthority(t *testing.T) {
	// The older generation ends on 2028-07-15, before the fifth birthday.
	_, der := cardOfKind(t, OlderCA).Certificates()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := cert.NotAfter.Format(time.RFC3339); got != "2028-07-15T14:59:59Z" {
		t.Errorf("valid until %s", got)
	}
}

// The check character makes the exclusive-or of all but TS zero (ISO/IEC 7816-3, 8.2.5).
func TestATRTable(t *testing.T) {
	seen := map[string]bool{}
	for i, a := range ATRs() {
		if _, err := checkATR(a.Bytes); err != nil || a.Name == "" || a.Note == "" || seen[a.Name] {
			t.Errorf("%q: %v", a.Name, err)
		}
		seen[a.Name] = true
		var x byte
		for _, b := range a.Bytes[1:] {
			x ^= b
		}
		if x != 0 {
			t.Errorf("%s: wrong check character", a.Name)
		}
		if got, err := ParseATR(a.Name); err != nil || !slices.Equal(got, a.Bytes) {
			t.Errorf("%s is parsed as %X: %v", a.Name, got, err)
		}
		if i == 0 && hex.EncodeToString(a.Bytes) != "3bf59100ff918171fe400042000100d1d6" {
			t.Errorf("default %X", a.Bytes)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d rows can be read", len(seen))
	}
	if got, err := ParseATR("3b e0 00 FF8131FE4514"); err != nil || len(got) != 9 {
		t.Errorf("hexadecimal: %X %v", got, err)
	}
	for _, bad := range []string{"", "contactless", "3B", "00", "3B8", strings.Repeat("3B", 34)} {
		if _, err := ParseATR(bad); reason(err) != ReasonInvalidConfig {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
