package cardsim

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// personalise derives the keys, has the certificates issued and builds the applications.
func (c *Card) personalise() error {
	traits := personalities[c.kind]
	holder := c.holder.Reveal().IssuedOn(c.issued)
	end, ok := holder.CardEnd()
	if !ok || end.Before(c.issued) {
		return &Error{Reason: ReasonInvalidPerson, Detail: "CardExpiry"}
	}
	var err error
	if c.holder, err = person.New(holder); err != nil {
		return &Error{Reason: ReasonInvalidPerson, Err: err}
	}
	keys := keyring{jpki: c.jpki, person: holder.ID}
	if traits.phone {
		keys.person += "/phone" // a phone makes keys of its own
	}
	if c.issue > 0 {
		keys.person += "/" + strconv.Itoa(c.issue) // and so does a reissued card
	}
	signKey, authKey := keys.own("signing"), keys.own("authentication")
	signingCA, authCA := c.jpki.SigningCA(), c.jpki.AuthenticationCA()
	order := certificateOrder{
		holder: holder.Subject, at: c.issued, cardEnd: end, phone: traits.phone, version: c.version,
	}
	if !traits.unsigned {
		if c.signing, err = order.from(signingCA, signKey); err != nil {
			return err
		}
	}
	if c.auth, err = order.from(authCA, authKey); err != nil {
		return err
	}
	jpki := jpkiApplication(jpkiContent{
		label: traits.label, unsigned: traits.unsigned,
		signing: c.signing, signingCA: signingCA.Certificate().Raw,
		auth: c.auth, authCA: authCA.Certificate().Raw, authBehindPIN: traits.phone,
		signKey: signKey, authKey: authKey,
		signPIN: holder.SigningPassword, authPIN: holder.AuthPIN,
		terminalCA: func() *rsa.PublicKey { return &keys.issuers("terminal-ca")().PublicKey },
	})
	if traits.phone {
		domain := securityDomain(holder, keys)
		domain.objects = nil // they are about the plastic card
		c.applications = []*application{domain, jpki}
	} else {
		c.applications = plasticApplications(holder, jpki, keys, c.shortLengths)
	}
	if traits.authority == olderCA {
		// "Older cards" do not have the lower certificate of the chain.
		delete(c.applications[0].objects, objectLower)
	}
	c.state = gather(c.applications)
	if traits.blocked {
		exhaust(c.applications)
	}
	return nil
}

// exhaust leaves no try for what the holder chooses. The printed numbers keep theirs: nobody blocks them by typing.
func exhaust(applications []*application) {
	for _, a := range applications {
		for _, f := range a.order {
			if f.secret != nil && f.secret.changeable != nil {
				f.secret.tries = 0
			}
		}
	}
}

// plasticApplications are those of the card itself, in the order in which SELECT finds them.
func plasticApplications(holder person.Details, jpki *application, keys keyring, shortLengths bool) []*application {
	return []*application{
		securityDomain(holder, keys),
		jpki,
		textApplication(holder, keys, shortLengths),
		surfaceApplication(holder, keys),
		commonApplication(holder, keys),
		residentApplication(holder),
	}
}

// certificateOrder is what the two certificates of a card have in common.
type certificateOrder struct {
	holder      issuer.Subject
	at, cardEnd time.Time
	phone       bool
	version     imageVersion
}

// from has a certificate issued, which is valid until the card or the CA ends at the latest. Cards store certificates
// with a two-byte length (30 82 LL LL), because readers compute the size from these four bytes.
func (o certificateOrder) from(ca *issuer.CA, key func() *rsa.PrivateKey) ([]byte, error) {
	special := o.version.faults(ca)
	if o.phone {
		special.Policies = []asn1.ObjectIdentifier{ca.PhonePolicy()}
	}
	request := issuer.Request{Key: &key().PublicKey, Holder: o.holder, IssuedAt: o.at}
	der, err := ca.IssueFaulty(request, special)
	if err != nil {
		return nil, &Error{Reason: ReasonIssuanceFailed, Err: err}
	}
	end := o.cardEnd
	if last := ca.Certificate().NotAfter; last.Before(end) {
		end = last
	}
	if c, err := x509.ParseCertificate(der); err != nil {
		return nil, &Error{Reason: ReasonIssuanceFailed, Err: err}
	} else if c.NotAfter.After(end) {
		special.NotAfter = end
		if der, err = ca.IssueFaulty(request, special); err != nil {
			return nil, &Error{Reason: ReasonIssuanceFailed, Err: err}
		}
	}
	if len(der) < 4 || der[0] != 0x30 || der[1] != 0x82 {
		return nil, &Error{Reason: ReasonIssuanceFailed}
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
