package cardsim

import (
	"crypto/rsa"
	"crypto/x509"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// personalise derives the keys, has the certificates issued and builds the applications.
func (c *Card) personalise(issued time.Time) error {
	keys := keyring{jpki: c.jpki, person: c.person.ID}
	signKey, authKey := keys.own("signing"), keys.own("authentication")
	signingCA, authCA := c.jpki.SigningCA(), c.jpki.AuthenticationCA()
	if c.person.CardExpiry == "" {
		c.person.CardExpiry = cardExpiry(c.person.Subject.Birthdate, issued)
	}
	end, err := endOfDay(c.person.CardExpiry)
	if err != nil || end.Before(issued) {
		return &Error{Reason: InvalidPerson, Field: "CardExpiry", Err: err}
	}
	if c.signing, err = issue(signingCA, signKey, c.person.Subject, issued, end); err != nil {
		return err
	}
	if c.auth, err = issue(authCA, authKey, c.person.Subject, issued, end); err != nil {
		return err
	}
	c.applications = []*application{
		securityDomain(),
		jpkiApplication(jpkiContent{
			signing: c.signing, signingCA: signingCA.Certificate().Raw,
			auth: c.auth, authCA: authCA.Certificate().Raw,
			signKey: signKey, authKey: authKey,
			signPIN: c.person.SigningPassword, authPIN: c.person.AuthPIN,
		}),
		textApplication(c.person, keys),
	}
	return nil
}

// issue asks a CA for a certificate, which is valid until the card expires at the latest. The card stores certificates with a two-byte length (30 82 LL LL), because readers
// compute the size from these four bytes.
func issue(ca *issuer.CA, key func() *rsa.PrivateKey, s issuer.Subject, at, cardEnd time.Time) ([]byte, error) {
	der, err := ca.Issue(&key().PublicKey, s, at)
	if err != nil {
		return nil, &Error{Reason: IssuanceFailed, Err: err}
	}
	if c, err := x509.ParseCertificate(der); err != nil {
		return nil, &Error{Reason: IssuanceFailed, Err: err}
	} else if c.NotAfter.After(cardEnd) {
		if der, err = ca.IssueFaulty(&key().PublicKey, s, at, issuer.Faults{NotAfter: cardEnd}); err != nil {
			return nil, &Error{Reason: IssuanceFailed, Err: err}
		}
	}
	if len(der) < 4 || der[0] != 0x30 || der[1] != 0x82 {
		return nil, &Error{Reason: IssuanceFailed}
	}
	return der, nil
}

// keyring derives the keys of a card from the seed of its JPKI, each on first use: most tests never touch most of them.
// The JPKI remembers them, so that the second card of a person is made faster.
type keyring struct {
	jpki   *issuer.JPKI
	person string
}

// own is a key of this card.
func (k keyring) own(purpose string) func() *rsa.PrivateKey {
	return func() *rsa.PrivateKey { return k.jpki.Key("card/" + k.person + "/" + purpose) }
}

// issuers is a key of the card issuers' hierarchy, the same on all cards.
func (k keyring) issuers(purpose string) func() *rsa.PrivateKey {
	return func() *rsa.PrivateKey { return k.jpki.Key("card-issuer/" + purpose) }
}

// securityDomain is the GlobalPlatform issuer security domain (card manager).
func securityDomain() *application {
	a := newApplication("ISD", []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00},
		ief(0x001E),
	)
	a.domain = true
	return a
}
