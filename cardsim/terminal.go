package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// P1-P2 of SET PUBLIC IC KEY; what the values mean is not published.
const (
	terminalBody      = 0x06C1 // the certificate up to its signature
	terminalSignature = 0x00C1 // the signature of the certificate
)

// The two parts of a card-verifiable certificate (7F21) of 568 bytes: the tags and lengths in front of each value are
// always the same.
const (
	terminalBodySize      = 307
	terminalSignatureSize = 261
)

func terminalBodyPrefix() []byte {
	return []byte{0x7F, 0x21, 0x82, 0x02, 0x33, 0x5F, 0x4E, 0x82, 0x01, 0x29}
}

func terminalSignaturePrefix() []byte { return []byte{0x5F, 0x37, 0x82, 0x01, 0x00} }

// setPublicICKey is SET PUBLIC IC KEY, 80 A2 (特定機関認証): a terminal shows its certificate in two commands. The certificate
// is checked, and that is all: which files an authenticated terminal may use is not published, so here none.
func (c *Card) setPublicICKey(cmd apdu.Command) apdu.Response {
	which := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	if which != terminalBody && which != terminalSignature {
		return status(apdu.IncorrectP1P2)
	}
	ca := c.session.app.terminalCA()
	if ca == nil {
		return status(apdu.SecurityNotSatisfied)
	}
	if which == terminalBody {
		if len(cmd.Data) != terminalBodySize {
			return status(apdu.WrongLength)
		}
		if !bytes.HasPrefix(cmd.Data, terminalBodyPrefix()) {
			return status(apdu.IncorrectData)
		}
		c.session.terminal = bytes.Clone(cmd.Data[len(terminalBodyPrefix()):])
		return status(apdu.OK)
	}
	if len(cmd.Data) != terminalSignatureSize {
		return status(apdu.WrongLength)
	}
	if !bytes.HasPrefix(cmd.Data, terminalSignaturePrefix()) {
		return status(apdu.IncorrectData)
	}
	body := c.session.terminal
	c.session.terminal = nil
	if body == nil {
		return status(apdu.ConditionsNotSatisfied)
	}
	digest := sha256.Sum256(body)
	if rsa.VerifyPKCS1v15(ca, crypto.SHA256, digest[:], cmd.Data[len(terminalSignaturePrefix()):]) != nil {
		return status(apdu.VerificationFailed)
	}
	return status(apdu.OK)
}

// terminalCA is the key that certifies terminals in this application, nil if there is none.
func (a *application) terminalCA() *rsa.PublicKey {
	for _, f := range a.order {
		if f.kind == terminalCA && f.ca != nil {
			return f.ca()
		}
	}
	return nil
}
