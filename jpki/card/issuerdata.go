package card

import (
	"context"
	"crypto/rsa"
	"errors"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Data objects of the issuer security domain (GlobalPlatform Card Specification, 11.3).
const (
	objectMunicipality = 0x00F0
	objectExpiry       = 0x00F2
	objectUpper        = 0x00F8 // certificate root → intermediate
	objectLower        = 0x7F21 // certificate intermediate → below
)

// IssuerData is what the card's issuer security domain says of the card. Phones may have none of it.
type IssuerData struct {
	// Municipality is the code of the issuing municipality, five digits; Expiry is the card's last day. Nothing signs them.
	Municipality string
	Expiry       fourinfo.Date
	// Issuer is the public key at the end of the chain of certificates, and IssuerID its name. Both are zero unless
	// Options.Roots was given and the chain led from one of the roots; older cards have no chain.
	Issuer   *rsa.PublicKey
	IssuerID KeyID
}

// IssuerData reads the objects of the issuer security domain; no PIN is needed. With Options.Roots a chain that is there
// must hold: [ReasonTampered] or [ReasonUnknownIssuer] otherwise. Its certificates take a reader that carries extended lengths.
//
// The card forgets every verified PIN.
func (c *Card) IssuerData(ctx context.Context) (IssuerData, error) {
	const op = "read issuer data"
	var out IssuerData
	err := c.s.do(ctx, op, issuerDomain, 0, func(ctx context.Context) error {
		municipality, err := c.s.getData(ctx, op, objectMunicipality, maxShort)
		if err != nil {
			return err
		}
		expiry, err := c.s.getData(ctx, op, objectExpiry, maxShort)
		if err != nil {
			return err
		}
		for _, b := range municipality {
			if b < '0' || b > '9' {
				return &Error{Op: op, Reason: ReasonMalformed}
			}
		}
		out.Municipality, out.Expiry = string(municipality), cardDate(expiry)
		if len(municipality) != 5 || !out.Expiry.Valid() {
			return &Error{Op: op, Reason: ReasonMalformed}
		}
		if c.opts.Roots == nil {
			return nil
		}
		out.Issuer, out.IssuerID, err = c.s.issuerChain(ctx, op, c.opts.Roots)
		return err
	})
	if err != nil {
		return IssuerData{}, err
	}
	return out, nil
}

// issuerChain reads and verifies the certificates of the issuer security domain. The lower one is missing on older cards.
func (s *session) issuerChain(ctx context.Context, op string, roots *Roots) (*rsa.PublicKey, KeyID, error) {
	var chain []cvCertificate
	for _, tag := range [...]uint16{objectUpper, objectLower} {
		content, err := s.getData(ctx, op, tag, limits.APDUExpected)
		var e *Error
		if errors.As(err, &e) && e.Reason == ReasonFileMissing {
			break
		}
		if err != nil {
			return nil, KeyID{}, err
		}
		certificate, err := parseCVCertificate(content)
		if err != nil {
			return nil, KeyID{}, &Error{Op: op, Reason: ReasonMalformed, Err: err}
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, KeyID{}, nil
	}
	key, err := roots.verify(op, chain...)
	if err != nil {
		return nil, KeyID{}, err
	}
	return key, chain[len(chain)-1].holder, nil
}

// getData is GET DATA. An object that is longer than ne is refused by the card, not cut.
func (s *session) getData(ctx context.Context, op string, tag uint16, ne int) ([]byte, error) {
	r, err := s.send(ctx, op, apdu.Command{INS: insGetData, P1: byte(tag >> 8), P2: byte(tag & 0xFF), Ne: ne})
	switch {
	case err != nil:
		return nil, err
	case r.Status == apdu.ReferenceNotFound:
		return nil, &Error{Op: op, Reason: ReasonFileMissing, Status: uint16(r.Status), Err: r.Status}
	case r.Status != apdu.OK:
		return nil, refused(op, r.Status)
	}
	return r.Data, nil
}
