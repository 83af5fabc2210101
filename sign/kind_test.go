package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	persons "github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// signing is how a card signs.
type signing struct {
	password string
	mode     sign.Mode
}

// signedBy has the simulated card sign the document over APDUs, as the service's app does.
func signedBy(ctx context.Context, t *testing.T, c *cardsim.Card, as signing) *sign.Opened {
	t.Helper()
	client, err := c.Client(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { // the next one waits for the card
		if err := client.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	if err := client.Verify(ctx, card.SigningPIN, as.password); err != nil {
		t.Fatal(err)
	}
	key, err := client.SigningKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(document))
	hash := crypto.SHA256
	if as.mode == sign.ModeBareHash {
		hash = card.WithoutDigestInfo
	}
	signature, err := key.SignContext(ctx, digest[:], hash)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := client.SigningCertificate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return sign.NewOpened(signature, certificate)
}

// TestEverySimulatedKind: a signature by each kind of card and phone that can sign, in both modes, before verifiers
// that expect cards, phones or both. No signature of a phone passes for one of a card.
func TestEverySimulatedKind(t *testing.T) {
	t.Parallel()
	w := shared()
	published := []asn1.ObjectIdentifier{{1, 2, 392, 200149, 8, 5, 1, 1, 40}}
	both := []jpki.Kind{jpki.SigningCard, jpki.SigningPhone}
	// A child's card has no signing certificate, and one with blocked PINs signs nothing.
	rows := map[cardsim.Kind]bool{cardsim.Child: true, cardsim.BlockedPINs: true}
	for _, c := range []struct {
		kind    cardsim.Kind
		kinds   []jpki.Kind
		assumed bool
		known   []asn1.ObjectIdentifier
		reason  sign.Reason
		family  kakunin.Family
	}{
		{kind: cardsim.Plastic},
		{kind: cardsim.Plastic, kinds: both, assumed: true},
		{kind: cardsim.Plastic, kinds: []jpki.Kind{jpki.SigningPhone}, assumed: true,
			reason: sign.ReasonCertificateForm, family: kakunin.Untrusted},
		// trusted, but its list is not at hand
		{kind: cardsim.OlderCA, reason: sign.ReasonCertificate, family: kakunin.Unavailable},
		{kind: cardsim.NewerCA, reason: sign.ReasonCertificate, family: kakunin.Untrusted},
		{kind: cardsim.ExpiredCertificates, reason: sign.ReasonCertificate, family: kakunin.Account},
		{kind: cardsim.ExpiredCard, reason: sign.ReasonCertificate, family: kakunin.Account},
		{kind: cardsim.Android, kinds: both, assumed: true},
		{kind: cardsim.IPhone, kinds: []jpki.Kind{jpki.SigningPhone}, assumed: true},
		{kind: cardsim.Android, reason: sign.ReasonCertificateForm, family: kakunin.Untrusted},
		// A policy that the caller knows opens the door to that policy alone, not to the assumed ones.
		{kind: cardsim.IPhone, kinds: both, known: published, reason: sign.ReasonCertificate,
			family: kakunin.Untrusted},
	} {
		rows[c.kind] = true
		who, err := persons.Lookup(persons.Hanako, now)
		if err != nil {
			t.Fatal(err)
		}
		simulated, err := cardsim.NewCard(cardsim.Config{Person: who, JPKI: w.jpki, Kind: c.kind, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		signatures := map[sign.Mode]*sign.Opened{}
		for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
			signatures[mode] = signedBy(t.Context(), t, simulated, signing{who.Reveal().SigningPassword, mode})
		}
		leaf, err := x509.ParseCertificate(signatures[sign.ModeBareHash].RevealCertificate())
		if err != nil {
			t.Fatal(err)
		}
		crls := new(revocation.Store)
		if list, err := w.jpki.SigningCA().CRL(leaf); err == nil {
			if err := crls.Add(t.Context(), bytes.NewReader(list)); err != nil {
				t.Fatal(err)
			}
		}
		v, err := sign.NewVerifier(sign.VerifierConfig{
			Hierarchy: jpki.Simulated, Trust: w.jpki.Trust(), Revocation: revocation.Require(crls), Now: clock,
			Kinds: c.kinds, AssumedPhonePolicies: c.assumed, PhonePolicies: c.known,
		})
		if err != nil {
			t.Fatal(err)
		}
		for mode, opened := range signatures {
			r, err := v.Verify(t.Context(), opened, sign.Expect{Document: strings.NewReader(document), Mode: mode})
			if reasonOf(err) != c.reason || (err == nil) != (c.reason == sign.ReasonUnknown) ||
				(r != nil) != (err == nil) ||
				err != nil && kakunin.FamilyOf(err) != c.family {
				t.Errorf("%s, %s, accepted %v, assumed %v: %v (%s)", c.kind, mode, c.kinds, c.assumed, err,
					kakunin.FamilyOf(err))
			}
			if r != nil && c.kinds != nil && !slices.Contains(c.kinds, r.Certificate.Kind()) {
				t.Errorf("%s: accepted as %s", c.kind, r.Certificate.Kind())
			}
		}
	}
	for _, kind := range cardsim.Kinds() {
		if !rows[kind] {
			t.Errorf("%s has no row", kind)
		}
	}
}

// TestPhonesByPublishedPolicies: once policies of phones are published, a caller names them; nothing else of the
// certificate may then differ from one on a card.
func TestPhonesByPublishedPolicies(t *testing.T) {
	t.Parallel()
	w := shared()
	published := asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 99}
	key := w.jpki.Key("hanako phone")
	cert, err := w.jpki.SigningCA().IssueFaulty(issuer.Request{Key: &key.PublicKey, Holder: hanako, IssuedAt: issuedAt},
		issuer.Faults{Policies: []asn1.ObjectIdentifier{published}})

	if err != nil {
		t.Fatal(err)
	}
	config := sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.jpki.Trust(), Revocation: revocation.Require(w.lists(t, cert)), Now: clock,
		Kinds: []jpki.Kind{jpki.SigningPhone},
	}
	verify := func(policies ...asn1.ObjectIdentifier) (*sign.Report, error) {
		config.PhonePolicies = policies
		v, err := sign.NewVerifier(config)
		if err != nil {
			t.Fatal(err)
		}
		return v.Verify(t.Context(), sign.NewOpened(w.sign(t, key, sign.ModeDigestInfo, document), cert),
			expect(sign.ModeDigestInfo))
	}
	if r, err := verify(published); err != nil || r.Chain.Kind != jpki.SigningPhone || r.Chain.Status != jpki.Good {
		t.Errorf("named: %v", err)
	}
	if r, err := verify(asn1.ObjectIdentifier{1, 2, 3}); r != nil || reasonOf(err) != sign.ReasonCertificateForm {
		t.Errorf("another one named: %v", err)
	}
	for name, change := range map[string]func(*sign.VerifierConfig){
		"phones without policies": func(c *sign.VerifierConfig) { c.PhonePolicies = nil },
		"policies without phones": func(c *sign.VerifierConfig) { c.Kinds = nil },
		"assumed policies, production": func(c *sign.VerifierConfig) {
			c.PhonePolicies, c.AssumedPhonePolicies, c.Hierarchy = nil, true, jpki.Production
		},
		"a card's policy for a phone": func(c *sign.VerifierConfig) {
			c.PhonePolicies = []asn1.ObjectIdentifier{{1, 2, 392, 200149, 8, 5, 1, 0, 20}}
		},
		"a policy that is none": func(c *sign.VerifierConfig) {
			c.PhonePolicies = []asn1.ObjectIdentifier{nil}
		},
		"the same policy for two rooms": func(c *sign.VerifierConfig) {
			c.PhonePolicies = []asn1.ObjectIdentifier{published, published}
		},
	} {
		c := config
		c.PhonePolicies = []asn1.ObjectIdentifier{published}
		change(&c)
		if v, err := sign.NewVerifier(c); v != nil || reasonOf(err) != sign.ReasonConfiguration {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Every mistake is named at once.
	_, err = sign.NewVerifier(sign.VerifierConfig{Kinds: []jpki.Kind{jpki.AuthenticationCard, jpki.SigningPhone}})
	for _, part := range []string{"Kinds may hold", "PhonePolicies is missing", "jpki: "} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
}
