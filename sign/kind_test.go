package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	persons "github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// signedBy has the simulated card sign the document over APDUs, as the service's app does.
func signedBy(ctx context.Context, t *testing.T, c *cardsim.Card, password string) *sign.Opened {
	t.Helper()
	client, err := c.Client(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Verify(ctx, card.SigningPIN, password); err != nil {
		t.Fatal(err)
	}
	key, err := client.SigningKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(document))
	signature, err := key.SignContext(ctx, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := client.SigningCertificate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return sign.NewOpened(signature, certificate)
}

// TestEverySimulatedKind: a signature by each kind of card and phone that can sign, before verifiers that expect cards,
// phones or both. No signature of a phone passes for one of a card.
func TestEverySimulatedKind(t *testing.T) {
	t.Parallel()
	w := shared()
	both := []jpki.Kind{jpki.SigningCard, jpki.SigningPhone}
	for _, c := range []struct {
		kind    cardsim.Kind
		kinds   []jpki.Kind
		assumed bool
		reason  sign.Reason
		family  kakunin.Family
	}{
		{kind: cardsim.Plastic},
		{kind: cardsim.Plastic, kinds: both, assumed: true},
		{kind: cardsim.Plastic, kinds: []jpki.Kind{jpki.SigningPhone}, assumed: true, reason: sign.ReasonCertificateForm, family: kakunin.Untrusted},
		{kind: cardsim.OlderCA, reason: sign.ReasonCertificate, family: kakunin.Unavailable}, // trusted, but its list is not at hand
		{kind: cardsim.NewerCA, reason: sign.ReasonCertificate, family: kakunin.Untrusted},
		{kind: cardsim.ExpiredCertificates, reason: sign.ReasonCertificate, family: kakunin.Account},
		{kind: cardsim.ExpiredCard, reason: sign.ReasonCertificate, family: kakunin.Account},
		{kind: cardsim.Android, kinds: both, assumed: true},
		{kind: cardsim.IPhone, kinds: []jpki.Kind{jpki.SigningPhone}, assumed: true},
		{kind: cardsim.Android, reason: sign.ReasonCertificateForm, family: kakunin.Untrusted},
		{kind: cardsim.IPhone, kinds: both, reason: sign.ReasonCertificate, family: kakunin.Untrusted}, // the policies are assumptions
	} {
		who, err := persons.Lookup(persons.Hanako, now)
		if err != nil {
			t.Fatal(err)
		}
		simulated, err := cardsim.NewCard(cardsim.Config{Person: who, JPKI: w.jpki, Kind: c.kind, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		opened := signedBy(t.Context(), t, simulated, who.Reveal().SigningPassword)
		leaf, err := x509.ParseCertificate(opened.RevealCertificate())
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
			Kinds: c.kinds, AssumedPhonePolicies: c.assumed,
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), opened, sign.Expect{Document: strings.NewReader(document), Mode: sign.ModeDigestInfo})
		if reasonOf(err) != c.reason || (err == nil) != (c.reason == sign.ReasonUnknown) || (r != nil) != (err == nil) ||
			err != nil && kakunin.FamilyOf(err) != c.family {
			t.Errorf("%s, accepted %v, assumed %v: %v (%s)", c.kind, c.kinds, c.assumed, err, kakunin.FamilyOf(err))
		}
		if r != nil && c.kinds != nil && !slices.Contains(c.kinds, r.Certificate.Kind()) {
			t.Errorf("%s: accepted as %s", c.kind, r.Certificate.Kind())
		}
	}
}
