package daa

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Reader is where the phone finds a card that the service does not simulate, e.g. a *pcsc.Reader.
type Reader interface {
	card.Transport
	card.Waiter
}

// readerWait is how long a step waits for a card; a person who has none on the reader is asked to put one there.
const readerWait = 3 * time.Second

var (
	// errRealCard: the card's certificate is none of a test environment. Nobody's PIN is sent to it.
	errRealCard = errors.New("daa: not a test card")
	// errExchanged: another card than the one that the visit began with.
	errExchanged = errors.New("daa: another card")
)

// inReader runs a step with whatever card is in the reader.
func inReader(ctx context.Context, r Reader, step func(*card.Card) error) (err error) {
	waiting, cancel := context.WithTimeout(ctx, readerWait)
	defer cancel()
	stands := card.ReasonUnknown
	c, err := card.Config{Progress: func(reason card.Reason) { stands = reason }}.Wait(waiting, r)
	if err != nil {
		if stands != card.ReasonUnknown {
			return &card.Error{Step: "wait for a card", Reason: stands, Err: err}
		}
		return err
	}
	defer func() {
		if cerr := c.Close(context.WithoutCancel(ctx)); err == nil {
			err = cerr
		}
	}()
	return step(c)
}

// mustBeATestCard looks at the certificate before anybody's PIN is sent. A phone shows its certificate only after the
// PIN.
func (s *Service) mustBeATestCard(ctx context.Context, c *card.Card) error {
	der, err := c.AuthCertificate(ctx)
	if errors.Is(err, &card.Error{Reason: card.ReasonNotVerified}) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.isTestCertificate(der)
}

func (s *Service) isTestCertificate(der []byte) error {
	leaf, err := s.leaves.get(der, jpki.ParseCertificate)
	if err != nil || !leaf.IsTest() {
		return errors.Join(errRealCard, err)
	}
	return nil
}

// sameCard compares the card in a reader with the one of the first step. In a simulated phone's hand it stays the same.
func sameCard(ctx context.Context, h *hand, c *card.Card, certificate []byte) error {
	if h.reader == nil {
		return nil
	}
	der, err := c.AuthCertificate(ctx)
	if errors.Is(err, &card.Error{Reason: card.ReasonNotVerified}) {
		return nil // a phone
	}
	if err == nil && !bytes.Equal(der, certificate) {
		err = errExchanged
	}
	return err
}

// holderOf names the person of a card that the service does not know. Whoever gets a new certificate is another person
// to it: what links the two is not on the card.
func holderOf(leaf *jpki.Certificate) string {
	sum := sha256.Sum256(leaf.X509().RawSubjectPublicKeyInfo)
	return "reader-" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkJLISTest is for a test card of J-LIS: its path to the authority whose certificate is on the card, if that one is
// pinned. Nothing tells the simulator what J-LIS's test environment revoked.
func (s *Service) checkJLISTest(ctx context.Context, leaf *jpki.Certificate, ca []byte, kinds []jpki.Kind) error {
	if x, err := x509.ParseCertificate(ca); err != nil || len(x.Raw) != len(ca) {
		return errors.Join(errCertificate, err)
	}
	// A directory with one file, as a trust is loaded from.
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	f, err := w.Create("ca.cer")
	if err == nil {
		_, err = f.Write(ca)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	directory, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		return err
	}
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.JLISTest, Trust: jpki.InsecureJLISTestTrust(directory), Now: s.now,
		Revocation: revocation.InsecureNoRevocation(), AssumedPhonePolicies: true,
	})
	if err != nil {
		return errors.Join(errCertificate, err)
	}
	return s.checkCertificate(ctx, v, leaf, kinds...)
}
