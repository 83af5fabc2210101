//go:build pcsc

package pcsc_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/card/pcsc"
)

// These tests need a running pcscd and, in one of its readers, the software card of the default person. They fail
// without: who builds with the tag pcsc has both, see .ci/pcsc.sh.

func openReader(t *testing.T, options ...pcsc.Option) *pcsc.Reader {
	t.Helper()
	r, err := pcsc.Open(t.Context(), options...)
	if err != nil {
		t.Fatal("a running pcscd and a card are needed:", err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.WaitCard(ctx, nil); err != nil {
		t.Fatal("a card is needed:", err)
	}
	return r
}

func openCard(t *testing.T) (*pcsc.Reader, *card.Card) {
	t.Helper()
	r := openReader(t)
	c, err := card.Wait(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if c.Kind() != card.Plastic {
		t.Errorf("kind %v", c.Kind())
	}
	return r, c
}

func TestReaders(t *testing.T) {
	names, err := pcsc.Readers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := openReader(t)
	for _, name := range names {
		if name == r.Name() {
			return
		}
	}
	t.Errorf("reader %s is not in the list %v", r.Name(), names)
}

func TestEventsOfACard(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for e, err := range pcsc.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == pcsc.CardInserted {
			return
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r, err := pcsc.Open(t.Context(), pcsc.Named("no reader has this name"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(context.WithoutCancel(t.Context())) }()
	if _, err := card.Wait(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestCertificates(t *testing.T) {
	_, c := openCard(t)
	if err := c.Verify(t.Context(), card.SigningPIN, "abc123"); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]struct {
		leaf, ca func(context.Context) ([]byte, error)
	}{
		"authentication": {c.AuthCertificate, c.AuthCACertificate},
		"signing":        {c.SigningCertificate, c.SigningCACertificate},
	} {
		leaf, ca := certificate(t, pair.leaf), certificate(t, pair.ca)
		if err := leaf.CheckSignatureFrom(ca); err != nil {
			t.Error(name, err)
		}
	}
}

func certificate(t *testing.T, read func(context.Context) ([]byte, error)) *x509.Certificate {
	t.Helper()
	der, err := read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAttributes(t *testing.T) {
	_, c := openCard(t)
	holder, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := holder.Reveal()
	got, err := c.Attributes(t.Context(), card.TextPIN, want.TextPIN)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name.Reveal() != want.Name || got.Address.Reveal() != want.Address ||
		got.Birthdate.RevealRaw() != want.Subject.Birthdate || got.Gender.RevealRaw() != want.Subject.Gender {
		t.Error("the attributes are not those of the default person")
	}
}

// Everything that the issuer signed, verified to the roots of the test hierarchy, with the number through secure
// messaging.
func TestSignedData(t *testing.T) {
	r := openReader(t)
	holder, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	details := holder.Reveal()
	c, err := card.Config{Roots: testRoots(t), SecureMessaging: true}.Wait(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	if _, err := c.Attributes(t.Context(), card.TextPIN, details.TextPIN); err != nil {
		t.Error(err)
	}
	number, err := c.IndividualNumber(t.Context(), details.TextPIN, mynumber.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	if digits, err := number.Reveal(mynumber.PurposeReporting); digits != details.IndividualNumber || err != nil {
		t.Error("another number", err)
	}
	face, err := c.Face(t.Context(), card.FaceNumberA, details.IndividualNumber)
	if err != nil || face.Portrait.MediaType() != "image/jp2" {
		t.Errorf("portrait %s, %v", face.Portrait.MediaType(), err)
	}
	if got, err := c.IssuerData(t.Context()); err != nil || got.Issuer == nil {
		t.Errorf("issuer data: %v", err)
	}
	if _, err := c.CardRecord(t.Context()); err != nil {
		t.Error(err)
	}
}

// testRoots are the roots of every card of the test hierarchy.
func testRoots(t *testing.T) *card.Roots {
	t.Helper()
	var keys []card.Root
	for id, key := range cardsim.New(t, person.Hanako).IssuerRoots() {
		keys = append(keys, card.Root{ID: id, Key: key})
	}
	roots, err := card.InsecureTestRoots(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// BenchmarkCertificate reads a whole certificate through pcscd, in a transaction of its own.
func BenchmarkCertificate(b *testing.B) {
	r, err := pcsc.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close(context.WithoutCancel(b.Context())) }()
	c, err := card.Wait(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(b.Context())) }()
	for b.Loop() {
		if _, err := c.AuthCertificate(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWrongPINThenRight(t *testing.T) {
	_, c := openCard(t)
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	var refused *card.Error
	if err := c.Verify(t.Context(), card.AuthPIN, "9999"); !errors.As(err, &refused) || refused.Remaining != 2 {
		t.Fatalf("got %v", err)
	}
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Fatal(n, err)
	}
}

func TestSignatures(t *testing.T) {
	_, c := openCard(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("document"))
	for name, get := range map[string]func(context.Context) (*card.Key, error){
		"authentication": c.AuthKey, "signing": c.SigningKey,
	} {
		key, err := get(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		for _, mode := range []crypto.Hash{crypto.SHA256, card.WithoutDigestInfo} {
			signature, err := key.SignContext(t.Context(), digest[:], mode)
			if err != nil {
				t.Fatal(name, err)
			}
			if err := rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), mode, digest[:], signature); err != nil {
				t.Error(name, err)
			}
		}
	}
}

// What one program verified, the next one must not find: also when the first forgets to close the card.
func TestPowerIsRemoved(t *testing.T) {
	signs := func(r *pcsc.Reader) bool {
		t.Helper()
		for _, command := range [][]byte{
			{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
			{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x17},
		} {
			if answer, err := r.Transmit(t.Context(), command); err != nil || !bytes.Equal(answer, []byte{0x90, 0x00}) {
				t.Fatalf("got %X, %v", answer, err)
			}
		}
		command := append([]byte{0x80, 0x2A, 0x00, 0x80, 0x20}, make([]byte, 33)...)
		answer, err := r.Transmit(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		return !bytes.Equal(answer, []byte{0x69, 0x82})
	}
	r, c := openCard(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); !errors.Is(err, &card.Error{Reason: card.ReasonClosed}) {
		t.Errorf("closing the card behind the reader: %v", err)
	}
	r = openReader(t)
	if signs(r) {
		t.Error("the PIN was still verified")
	}
}

// A second program waits while the first holds the card with a PIN verified, and no longer than its context.
func TestTwoPrograms(t *testing.T) {
	_, first := openCard(t)
	second := openReader(t)
	if err := first.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := card.Open(ctx, second, card.Config{}); !errors.Is(err, &card.Error{Reason: card.ReasonInterrupted}) {
		t.Fatalf("got %v", err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := card.Open(t.Context(), second, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Error(n, err)
	}
}

func TestExclusive(t *testing.T) {
	openReader(t, pcsc.Exclusive())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r, err := pcsc.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(context.WithoutCancel(t.Context())) }()
	err = r.WaitCard(ctx, nil)
	if !errors.Is(err, &card.Error{Reason: card.ReasonCardBusy}) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
