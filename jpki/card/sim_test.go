package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// newSim makes Hanako's software card of a kind. All share one test JPKI, so that its keys are made once.
func newSim(t testing.TB, kind cardsim.Kind) *cardsim.Card {
	t.Helper()
	return newSimOf(t, person.Hanako, kind)
}

func newSimOf(t testing.TB, who person.Persona, kind cardsim.Kind) *cardsim.Card {
	t.Helper()
	authority, err := testJPKI()
	if err != nil {
		t.Fatal(err)
	}
	person, err := person.Lookup(who, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sim, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: authority, Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// openSim opens Hanako's software card.
func openSim(t *testing.T) (*cardsim.Card, *card.Card) {
	t.Helper()
	sim := newSim(t, cardsim.Plastic)
	return sim, openOver(t, sim.Transport(), card.Config{})
}

// openOver opens the card behind a transport.
func openOver(t testing.TB, tr card.Transport, opts card.Config) *card.Card {
	t.Helper()
	c, err := card.Open(t.Context(), tr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}

// rootsOf returns the roots of the issuers of a software card.
func rootsOf(t testing.TB, sim *cardsim.Card) *card.Roots {
	t.Helper()
	var keys []card.Root
	for id, key := range sim.IssuerRoots() {
		keys = append(keys, card.Root{ID: id, Key: key})
	}
	roots, err := card.InsecureTestRoots(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// plainTransport has no transactions and cannot switch power, like a relay to a phone.
type plainTransport struct{ sim *cardsim.Card }

func (p plainTransport) Transmit(_ context.Context, command []byte) ([]byte, error) {
	return p.sim.Transmit(command), nil
}

// A card that was taken away and put back has another application selected and has forgotten the PIN. It must neither
// look like a card without certificates nor be asked to sign unverified.
func TestSimCardPutBack(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	c, err := card.Open(t.Context(), plainTransport{sim}, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, auth := sim.Certificates()
	sim.PowerOff()
	if got, err := c.AuthCertificate(t.Context()); err != nil || !bytes.Equal(got, auth) {
		t.Errorf("authentication certificate: %d bytes, %v", len(got), err)
	}
	sim.PowerOff()
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Errorf("%d tries, %v", n, err)
	}
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	key, err := c.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sim.PowerOff()
	// One PIN was verified, another is presented to a card that knows of neither: that costs nothing and is no error.
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Error(err)
	}
	_, err = c.SigningCertificate(t.Context()) // the client knows, too
	wantReason(t, err, card.ReasonNotVerified)
	_, err = key.Sign(nil, make([]byte, 32), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	sim.PowerOff()
	_, err = key.Sign(nil, make([]byte, 32), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
}

func TestSimCertificates(t *testing.T) {
	sim, c := openSim(t)
	if c.Kind() != card.Plastic {
		t.Errorf("kind %v", c.Kind())
	}
	signing, auth := sim.Certificates()
	got, err := c.AuthCertificate(t.Context())
	if err != nil || !bytes.Equal(got, auth) {
		t.Errorf("authentication certificate: %d bytes, %v", len(got), err)
	}
	_, err = c.SigningCertificate(t.Context())
	wantReason(t, err, card.ReasonNotVerified)
	if err := c.Verify(t.Context(), card.SigningPIN, "abc123"); err != nil {
		t.Fatal(err)
	}
	got, err = c.SigningCertificate(t.Context())
	if err != nil || !bytes.Equal(got, signing) {
		t.Errorf("signing certificate: %d bytes, %v", len(got), err)
	}
	for name, pair := range map[string]struct {
		ca   func(context.Context) ([]byte, error)
		leaf []byte
	}{"authentication": {c.AuthCACertificate, auth}, "signing": {c.SigningCACertificate, signing}} {
		der, err := pair.ca(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		ca, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(name, err)
		}
		leaf, err := x509.ParseCertificate(pair.leaf)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := leaf.CheckSignatureFrom(ca); err != nil {
			t.Error(name, err)
		}
	}
}

func TestSimWrongAndBlockedPIN(t *testing.T) {
	_, c := openSim(t)
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	wantPINError(t, c.Verify(t.Context(), card.AuthPIN, "0000"),
		card.Error{PIN: card.AuthPIN, Remaining: 2, Reason: card.ReasonWrongPIN})
	wantPINError(t, c.Verify(t.Context(), card.AuthPIN, "0000"),
		card.Error{PIN: card.AuthPIN, Remaining: 1, Reason: card.ReasonWrongPIN})
	wantPINError(t, c.Verify(t.Context(), card.AuthPIN, "1234"),
		card.Error{PIN: card.AuthPIN, Remaining: 1, Reason: card.ReasonLastTryRefused})
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 1 || err != nil {
		t.Fatal("the refused try was spent:", n, err)
	}
	// The right one restores the tries.
	bold := card.AllowLastTry()
	if err := c.Verify(t.Context(), card.AuthPIN, "1234", bold); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for _, remaining := range []int{2, 1, 0} {
		reason := card.ReasonWrongPIN
		if remaining == 0 {
			reason = card.ReasonPINBlocked
		}
		wantPINError(t, c.Verify(t.Context(), card.AuthPIN, "0000", bold),
			card.Error{PIN: card.AuthPIN, Remaining: remaining, Reason: reason})
	}
	wantPINError(t, c.Verify(t.Context(), card.AuthPIN, "1234", bold),
		card.Error{PIN: card.AuthPIN, Reason: card.ReasonPINBlocked})
	// The other references are not concerned.
	if n, err := c.Tries(t.Context(), card.SigningPIN); n != 5 || err != nil {
		t.Error(n, err)
	}
	if n, err := c.Tries(t.Context(), card.TextPIN); n != 3 || err != nil {
		t.Error(n, err)
	}
}

func TestSimSignatures(t *testing.T) {
	_, c := openSim(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	auth, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signing, err := c.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if auth.Public().(*rsa.PublicKey).Equal(signing.Public()) {
		t.Error("both keys are the same")
	}
	for name, key := range map[string]*card.Key{"authentication": auth, "signing": signing} {
		for _, mode := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, card.WithoutDigestInfo} {
			digest := digestFor(mode)
			signature, err := key.SignContext(t.Context(), digest, mode)
			if err != nil {
				t.Fatal(name, mode, err)
			}
			if err := rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), mode, digest, signature); err != nil {
				t.Error(name, mode, err)
			}
			if other := map[crypto.Hash]crypto.Hash{crypto.SHA256: card.WithoutDigestInfo,
				card.WithoutDigestInfo: crypto.SHA256}[mode]; len(digest) == 32 {
				if rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), other, digest, signature) == nil {
					t.Error(name, mode, "verifies in the other mode too")
				}
			}
		}
	}
	// After Release the card has forgotten, and so has the client.
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = auth.Sign(nil, digestFor(crypto.SHA256), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
}

// TestSimDigestInfo is the part of TestSimSignatures that also a process restricted to FIPS 140-3 can verify with
// crypto/rsa.
func TestSimDigestInfo(t *testing.T) {
	_, c := openSim(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		signature, err := key.Sign(nil, digestFor(hash), hash)
		if err == nil {
			err = rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), hash, digestFor(hash), signature)
		}
		if err != nil {
			t.Error(hash, err)
		}
	}
}

func digestFor(mode crypto.Hash) []byte {
	if mode == card.WithoutDigestInfo {
		mode = crypto.SHA256
	}
	h := mode.New()
	h.Write([]byte("document"))
	return h.Sum(nil)
}

func TestSimAttributes(t *testing.T) {
	for _, persona := range []person.Persona{person.Hanako, person.Taro, person.Minor} {
		t.Run(string(persona), func(t *testing.T) {
			sim := newSimOf(t, persona, cardsim.DefaultKind)
			c, err := sim.Client(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := sim.Person().Reveal()
			got, err := c.Attributes(t.Context(), card.TextPIN, want.TextPIN)
			if err != nil {
				t.Fatal(err)
			}
			if got.Name.Reveal() != want.Name || got.Address.Reveal() != want.Address {
				t.Error("name or address differ")
			}
			if got.Birthdate.RevealRaw() != want.Subject.Birthdate || got.Gender.RevealRaw() != want.Subject.Gender {
				t.Error("birthdate or gender differ")
			}
			_, err = c.Attributes(t.Context(), card.TextPIN, "9999")
			wantPINError(t, err, card.Error{PIN: card.TextPIN, Remaining: 2, Reason: card.ReasonWrongPIN})
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A PIN that was verified before is gone after the attributes, and the client says so.
func TestSimAttributesForgetTheOtherPINs(t *testing.T) {
	_, c := openSim(t)
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	key, err := c.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Attributes(t.Context(), card.TextPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	_, err = key.SignContext(t.Context(), digestFor(crypto.SHA256), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
}

// While a PIN is verified the card belongs to the client that verified it; Close leaves nothing behind.
func TestSimTwoClients(t *testing.T) {
	sim, first := openSim(t)
	if err := first.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	waiting := make(chan struct{})
	result := make(chan error)
	go func() {
		_, err := card.Open(ended, announcing{sim.Transport(), waiting}, card.Config{})
		result <- err
	}()
	<-waiting
	cancel()
	wantReason(t, <-result, card.ReasonInterrupted)

	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := sim.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := second.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = key.SignContext(t.Context(), digestFor(crypto.SHA256), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
	// Also asked directly the card refuses to sign: its power was removed.
	tr := sim.Transport()
	for _, command := range []string{"00A4040C0AD392F000260100000001", "00A4020C020017"} {
		if _, err := tr.Transmit(t.Context(), unhex(t, command)); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := tr.Transmit(t.Context(), unhex(t, "802A008020"+upperHex(make([]byte, 32))+"00"))
	if err != nil || !bytes.Equal(answer, []byte{0x69, 0x82}) {
		t.Errorf("got %X, %v", answer, err)
	}
}

// announcing says when a transaction is asked for.
type announcing struct {
	card.Transport
	waiting chan struct{}
}

func (a announcing) Begin(ctx context.Context) (func() error, error) {
	close(a.waiting)
	return a.Transport.(card.Transactor).Begin(ctx)
}

// A loss of power is noticed, and the next call starts from the beginning.
func TestSimPowerLoss(t *testing.T) {
	sim, c := openSim(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sim.PowerOff()
	sim.PowerOn()
	_, err = key.SignContext(t.Context(), digestFor(crypto.SHA256), crypto.SHA256)
	wantReason(t, err, card.ReasonNotVerified)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if _, err := key.SignContext(t.Context(), digestFor(crypto.SHA256), crypto.SHA256); err != nil {
		t.Error(err)
	}
}

// Commands of several goroutines do not mix.
func TestSimConcurrentUse(t *testing.T) {
	_, c := openSim(t)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("document"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			signature, err := key.SignContext(t.Context(), digest[:], crypto.SHA256)
			if err == nil {
				err = rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature)
			}
			if err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := c.AuthCertificate(t.Context()); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if n, err := c.Tries(t.Context(), card.AuthPIN); n != 3 || err != nil {
				t.Error(n, err)
			}
		})
	}
	all.Wait()
}
