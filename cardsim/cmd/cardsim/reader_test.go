//go:build pcsc

package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/vpcd"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// The second virtual reader of pcscd.
const (
	readerAddress = "127.0.0.1:35964"
	readerName    = "00 01"
)

// desk is a service whose phone reads the second virtual reader, and a relying party of it.
type desk struct {
	t       *testing.T
	jpki    *issuer.JPKI
	slot    *vpcd.Slot
	client  *authn.Client
	key     crypto.Signer
	env     authn.Environment
	program *program
}

const callbackURL = "http://127.0.0.1:1/callback"

func newDesk(t *testing.T) *desk {
	t.Helper()
	authorities, err := issuer.New(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, jpki: authorities, key: key}
	d.slot = vpcd.NewSlot(vpcd.Config{Address: readerAddress})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.slot.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	d.program = start(t, "service", "-addr", "127.0.0.1:0", "-card", "pcsc", "-reader", readerName,
		"-client-id", "RP00000001", "-client-key", file, "-redirect-url", callbackURL)
	lines := d.program.until("listening on ")
	d.env = authn.Custom(strings.TrimPrefix(lines[len(lines)-1], "listening on "))
	named, err := authn.NewKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	d.client, err = authn.New(authn.Config{
		Environment: d.env, ClientID: "RP00000001", Key: named, RedirectURL: callbackURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// put lays a card on the reader and returns the person who knows its PINs.
func (d *desk) put(p person.Persona, kind cardsim.Kind) *visitor.Person {
	d.t.Helper()
	holder, err := person.Lookup(p, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: holder, Kind: kind, JPKI: d.jpki})
	if err != nil {
		d.t.Fatal(err)
	}
	d.slot.Insert(c)
	known := holder.Reveal()
	return &visitor.Person{AuthPIN: known.AuthPIN, TextPIN: known.TextPIN, SigningPassword: known.SigningPassword}
}

// begin is a login's address and what the relying party keeps.
func (d *desk) begin(r authn.Request) authn.Begun {
	d.t.Helper()
	begun, err := d.client.Begin(d.t.Context(), r)
	if err != nil {
		d.t.Fatal(err)
	}
	return begun
}

func (d *desk) login(v *visitor.Person, r authn.Request) (*authn.Identity, error) {
	d.t.Helper()
	begun := d.begin(r)
	callback, err := v.Approve(d.t.Context(), begun.URL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(callback)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.client.Finish(d.t.Context(), begun.Pending, u.Query())
}

// A person logs in and signs with a card in a reader of pcscd. What can be wrong with it is told on the page.
func TestPhoneReadsAReader(t *testing.T) {
	d := newDesk(t)
	hanako := d.put(person.Hanako, cardsim.DefaultKind)
	id, err := d.login(hanako, authn.Request{Scopes: authn.Attributes})
	if err != nil {
		t.Fatal(err)
	}
	if name := id.Person.Name.Reveal(); name == "" {
		t.Error("no name was read")
	}
	d.sign(hanako)

	// Nobody's try is lost on an empty reader.
	d.slot.Remove()
	if _, err := d.login(hanako, authn.Request{}); !errors.Is(err, &visitor.Error{Reason: visitor.ReasonPINRefused}) {
		t.Errorf("without a card: %v", err)
	}
	hanako = d.put(person.Hanako, cardsim.DefaultKind)
	if again, err := d.login(hanako, authn.Request{}); err != nil || again.Subject != id.Subject {
		t.Errorf("the card is back: %v", err)
	}
	if _, left, err := hanako.MistypePIN(t.Context(), d.begin(authn.Request{}).URL, 2); err != nil || left != 1 {
		t.Errorf("two wrong PINs, then the right one: %d left before it, %v", left, err)
	}
	if callback, err := hanako.Block(t.Context(), d.begin(authn.Request{}).URL); err != nil ||
		!strings.Contains(callback, "error=access_denied") {
		t.Errorf("blocked: %q, %v", callback, err)
	}

	unusable := func(step string) error { return &visitor.Error{Reason: visitor.ReasonCardUnusable, Step: step} }
	for name, c := range map[string]struct {
		person person.Persona
		kind   cardsim.Kind
		scopes authn.Scopes
		want   error
	}{
		"blocked before":      {person.Taro, cardsim.BlockedPINs, 0, unusable("blocked")},
		"certificate expired": {person.Hanako, cardsim.ExpiredCertificates, 0, unusable("certificate")},
		"a phone":             {person.Hanako, cardsim.IPhone, 0, nil},
		"a phone, attributes": {person.Hanako, cardsim.Android, authn.Attributes, unusable("no-attributes")},
		"a child":             {person.Pupil, cardsim.DefaultKind, authn.Attributes, nil},
	} {
		v := d.put(c.person, c.kind)
		if _, err := d.login(v, authn.Request{Scopes: c.scopes}); (err == nil) != (c.want == nil) ||
			c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	d.program.stop()
}

// sign goes from the document to the verified signature.
func (d *desk) sign(v *visitor.Person) {
	d.t.Helper()
	ctx := d.t.Context()
	api, err := signapi.New(signapi.Config{Client: d.client})
	if err != nil {
		d.t.Fatal(err)
	}
	const text = "a document"
	document := sign.Document{Reader: strings.NewReader(text), MediaType: "text/plain; charset=utf-8"}
	tx, err := api.Start(ctx, document, sign.ModeDigestInfo)
	if err != nil {
		d.t.Fatal(err)
	}
	id, err := d.login(v, authn.Request{Sign: tx})
	if err != nil {
		d.t.Fatal(err)
	}
	result, err := api.Fetch(ctx, tx, id)
	if err != nil {
		d.t.Fatal(err)
	}
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: d.jpki.Key("operator")})
	if err != nil {
		d.t.Fatal(err)
	}
	opened, err := opener.Open(result.Sealed)
	if err != nil {
		d.t.Fatal(err)
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: d.jpki.Trust(), Revocation: revocation.InsecureNoRevocation(),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	expect := sign.Expect{Document: strings.NewReader(text), Mode: sign.ModeDigestInfo, Transaction: tx}
	if _, err := verifier.Verify(ctx, opened, expect); err != nil {
		d.t.Error(err)
	}
}
