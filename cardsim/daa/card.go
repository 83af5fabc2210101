package daa

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// errCertificate: the certificate on the card is not good for this purpose now.
var errCertificate = errors.New("daa: certificate not good")

// withCard opens the card for one step and removes power afterwards, so that no verified PIN stays behind. A step may
// spend the last try: the screen shows the remaining ones and warns before the last, so that spending it is the
// person's choice.
func withCard(ctx context.Context, h *hand, step func(*card.Card) error) (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reader != nil {
		return inReader(ctx, h.reader, step)
	}
	c, err := card.Open(ctx, h.held().Transport(), card.Config{})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := c.Close(context.WithoutCancel(ctx)); err == nil {
			err = cerr
		}
	}()
	return step(c)
}

// authenticate is what the 認証API does: PIN, a signature over a fresh challenge by the authentication key, and the
// certificate's path, validity and revocation status. It returns the certificate.
func (s *Service) authenticate(ctx context.Context, h *hand, pin string) ([]byte, error) {
	var der, ca []byte
	var leaf *jpki.Certificate
	err := withCard(ctx, h, func(c *card.Card) error {
		if h.reader != nil {
			if err := s.mustBeATestCard(ctx, c); err != nil {
				return err
			}
		}
		if err := c.Verify(ctx, card.AuthPIN, pin, card.AllowLastTry()); err != nil {
			return err
		}
		key, err := c.AuthKey(ctx)
		if err != nil {
			return err
		}
		der = key.Certificate()
		challenge := make([]byte, 32)
		if _, err := rand.Read(challenge); err != nil {
			return err
		}
		digest := sha256.Sum256(challenge)
		signature, err := key.SignContext(ctx, digest[:], crypto.SHA256)
		if err != nil {
			return err
		}
		if leaf, err = s.leaves.get(der, jpki.ParseCertificate); err != nil {
			return errors.Join(errCertificate, err)
		}
		pub, ok := leaf.PublicKey().(*rsa.PublicKey)
		if !ok || rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], signature) != nil {
			return errors.New("daa: the card's signature does not verify")
		}
		if h.reader == nil {
			return nil
		}
		ca, err = c.AuthCACertificate(ctx)
		return err
	})
	if err != nil {
		return der, err
	}
	// The card is free for the next visit.
	kinds := []jpki.Kind{jpki.AuthenticationCard, jpki.AuthenticationPhone}
	err = s.checkCertificate(ctx, s.strict, leaf, kinds...)
	if err != nil && h.reader != nil && s.checkJLISTest(ctx, leaf, ca, kinds) == nil {
		err = nil
	}
	return der, err
}

func (s *Service) checkCertificate(
	ctx context.Context,
	v *jpki.Verifier,
	leaf *jpki.Certificate,
	kinds ...jpki.Kind,
) error {
	if _, err := v.Verify(ctx, leaf, jpki.At(s.now()), jpki.For(kinds...)); err != nil {
		return errors.Join(errCertificate, err)
	}
	return nil
}

// readAttributes reads the four attributes from the text application of the card with this certificate.
func readAttributes(ctx context.Context, h *hand, pin string, certificate []byte) (p fourinfo.Person, err error) {
	err = withCard(ctx, h, func(c *card.Card) error {
		if err := sameCard(ctx, h, c, certificate); err != nil {
			return err
		}
		p, err = c.Attributes(ctx, card.TextPIN, pin, card.AllowLastTry())
		return err
	})
	return p, err
}

// signTransaction lets the card sign exactly the bytes of the transaction and checks the signing certificate's path and
// validity; its revocation only for government relying parties, as the service is reported to do.
func (s *Service) signTransaction(
	ctx context.Context,
	h *hand,
	password string,
	v *visit,
) (signature, der []byte, err error) {
	t := v.req.transaction
	err = withCard(ctx, h, func(c *card.Card) error {
		if err := sameCard(ctx, h, c, v.authCertificate); err != nil {
			return err
		}
		// A card without the certificate has a password that is blocked: nobody should type one.
		if has, err := c.Availability(ctx); err == nil && !has.Signing {
			return &card.Error{Step: "read signing certificate", Reason: card.ReasonNoCertificate}
		}
		if err := c.Verify(ctx, card.SigningPIN, password, card.AllowLastTry()); err != nil {
			return err
		}
		key, err := c.SigningKey(ctx)
		if err != nil {
			return err
		}
		der = key.Certificate()
		leaf, err := s.leaves.get(der, jpki.ParseCertificate)
		if err != nil {
			return errors.Join(errCertificate, err)
		}
		verifier := s.lenient
		if t.client.Government {
			verifier = s.strict
		}
		kinds := []jpki.Kind{jpki.SigningCard, jpki.SigningPhone}
		err = s.checkCertificate(ctx, verifier, leaf, kinds...)
		if err != nil && h.reader != nil {
			if ca, cerr := c.SigningCACertificate(ctx); cerr == nil && s.checkJLISTest(ctx, leaf, ca, kinds) == nil {
				err = nil
			}
		}
		if err != nil {
			return err
		}
		if digest, ok := bytes.CutPrefix(t.input, digestInfoSHA256); ok && len(digest) == sha256.Size {
			signature, err = key.SignContext(ctx, digest, crypto.SHA256)
		} else {
			signature, err = key.SignContext(ctx, t.input, card.WithoutDigestInfo)
		}
		return err
	})
	return signature, der, err
}

// digestInfoSHA256 is the DER of DigestInfo with SHA-256 and NULL up to the digest (RFC 8017, section 9.2, note 1).
var digestInfoSHA256 = []byte{
	0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
}

// newVerifiers builds the two policies the service checks certificates with.
func (s *Service) newVerifiers() (err error) {
	config := jpki.VerifierConfig{
		Hierarchy:            jpki.Simulated,
		Trust:                s.jpki.Trust(),
		Now:                  s.now,
		Revocation:           revocation.Require(newCurrentCRL(s.jpki)),
		AssumedPhonePolicies: true, // the phone may hold a card of a phone's kind
	}
	if s.strict, err = jpki.NewVerifier(config); err != nil {
		return err
	}
	config.Revocation = revocation.InsecureNoRevocation()
	s.lenient, err = jpki.NewVerifier(config)
	return err
}

// currentCRL asks the test authority for its list of this moment. It keeps what it read and verified of the last few
// lists.
type currentCRL struct {
	authorities *issuer.JPKI
	lists       memo[*revocation.Store]
	leaves      memo[*x509.Certificate]
}

func newCurrentCRL(j *issuer.JPKI) *currentCRL { return &currentCRL{authorities: j} }

// Check implements revocation.Source.
func (c *currentCRL) Check(ctx context.Context, q revocation.Query) (revocation.Answer, error) {
	for _, ca := range c.authorities.Authorities() {
		if !bytes.Equal(ca.Certificate().Raw, q.Issuer.Facts().DER) {
			continue
		}
		leaf, err := c.leaves.get(q.Certificate.Facts().DER, x509.ParseCertificate)
		if err != nil {
			return revocation.Answer{}, err
		}
		der, err := ca.CRL(leaf)
		if err != nil {
			return revocation.Answer{}, err
		}
		list, err := c.lists.get(der, func(der []byte) (*revocation.Store, error) {
			list := new(revocation.Store)
			return list, list.Add(ctx, bytes.NewReader(der))
		})
		if err != nil {
			return revocation.Answer{}, err
		}
		return list.Check(ctx, q)
	}
	return revocation.Answer{}, errors.New("daa: not an issuer of this JPKI")
}
