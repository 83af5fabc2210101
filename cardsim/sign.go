package cardsim

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// scheme is P1 of COMPUTE DIGITAL SIGNATURE: how the input becomes the block that is signed.
type scheme struct {
	// min and max bound the length of the input in bytes.
	min, max int
	sign     func(key *rsa.PrivateKey, input []byte) ([]byte, error)
}

// schemes has the published values of P1. None of them looks inside the input.
var schemes = [...]scheme{
	0: {1, 245, signVerbatim},
	1: {1, 255, hashed(signVerbatim)},
	2: {sha256.Size, sha256.Size, signDigestInfo},
	3: {1, 255, hashed(signDigestInfo)},
	4: {sha256.Size, sha256.Size, signPSS},
	5: {1, 255, hashed(signPSS)},
}

// computeDigitalSignature is COMPUTE DIGITAL SIGNATURE, 80 2A P1 P2: P2 00 is the default key of the application.
func (c *Card) computeDigitalSignature(cmd apdu.Command) apdu.Response {
	if int(cmd.P1) >= len(schemes) {
		return status(apdu.IncorrectP1P2)
	}
	f, s := c.keyFile(cmd.P2)
	if s != apdu.OK {
		return status(s)
	}
	if !f.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	how := schemes[cmd.P1]
	if len(cmd.Data) == 0 {
		return status(apdu.WrongLength)
	}
	if len(cmd.Data) < how.min || len(cmd.Data) > how.max {
		return status(apdu.ConditionsNotSatisfied)
	}
	key := f.key()
	if cmd.Ne < key.Size() {
		return status(apdu.WrongLength)
	}
	signature, err := how.sign(key, cmd.Data)
	if err != nil {
		return status(apdu.ExecutionError)
	}
	return success(signature)
}

func (c *Card) keyFile(p2 byte) (*file, apdu.Status) {
	if p2 == 0x00 {
		f, ok := c.session.app.files[c.session.app.defaultKey]
		if !ok {
			return nil, apdu.IncorrectP1P2
		}
		return f, apdu.OK
	}
	f, s := c.referenced(p2)
	if s != apdu.OK {
		return nil, s
	}
	switch f.kind {
	case signingKey:
		return f, apdu.OK
	case authenticationKey:
		return nil, apdu.ConditionsNotSatisfied
	default:
		return nil, apdu.IncompatibleFile
	}
}

// signVerbatim pads the input as it is: "EM = 0x00 || 0x01 || PS || 0x00 || T" (RFC 8017, 9.2) with T = input, which is
// the block type 1 of RFC 2313, 8.1.
func signVerbatim(key *rsa.PrivateKey, input []byte) (signature []byte, err error) {
	// A process restricted to FIPS 140 refuses a hash that it does not know. The card has no such mode.
	fips140.WithoutEnforcement(func() {
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.Hash(0), input)
	})
	return signature, err
}

// signDigestInfo signs a SHA-256 digest by RSASSA-PKCS1-v1_5 (RFC 8017, 8.2).
func signDigestInfo(key *rsa.PrivateKey, digest []byte) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
}

// signPSS signs a SHA-256 digest by RSASSA-PSS (RFC 8017, 8.1) with MGF1-SHA-256 and a random salt of 32 bytes.
func signPSS(key *rsa.PrivateKey, digest []byte) ([]byte, error) {
	return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: sha256.Size})
}

// hashed makes a scheme that hashes the message on the card first.
func hashed(sign func(*rsa.PrivateKey, []byte) ([]byte, error)) func(*rsa.PrivateKey, []byte) ([]byte, error) {
	return func(key *rsa.PrivateKey, message []byte) ([]byte, error) {
		digest := sha256.Sum256(message)
		return sign(key, digest[:])
	}
}

// maxChallenge is the longest random number that GET CHALLENGE gives.
const maxChallenge = 256

// getChallenge is GET CHALLENGE, 00 84 00 00 Le: exactly Le random bytes, in every application.
func (c *Card) getChallenge(cmd apdu.Command) apdu.Response {
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return status(apdu.IncorrectP1P2)
	case cmd.Extended:
		return status(apdu.ConditionsNotSatisfied)
	case len(cmd.Data) > 0 || cmd.Ne == 0 || cmd.Ne > maxChallenge:
		return status(apdu.WrongLength)
	}
	challenge := make([]byte, cmd.Ne)
	_, _ = rand.Read(challenge) // never fails, see crypto/rand
	return success(challenge)
}

// maxAuthenticationChallenge is the longest challenge of INTERNAL AUTHENTICATE.
const maxAuthenticationChallenge = 255

// internalAuthenticate is INTERNAL AUTHENTICATE, 00 88 00 P2: the key signs the challenge by RSASSA-PKCS1-v1_5 with
// SHA-256. Only the common card application has a key for it; the others are behind a PIN (6982) or sign in another way
// (6985).
func (c *Card) internalAuthenticate(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0 {
		return status(apdu.IncorrectP1P2)
	}
	f, s := c.referenced(cmd.P2)
	if s != apdu.OK {
		return status(s)
	}
	if f.kind != signingKey && f.kind != authenticationKey {
		return status(apdu.IncompatibleFile)
	}
	if !f.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	if f.kind != authenticationKey {
		return status(apdu.ConditionsNotSatisfied)
	}
	key := f.key()
	if len(cmd.Data) == 0 || len(cmd.Data) > maxAuthenticationChallenge || cmd.Ne < key.Size() {
		return status(apdu.WrongLength)
	}
	signature, err := signSHA256(key, cmd.Data)
	if err != nil {
		return status(apdu.ExecutionError)
	}
	return success(signature)
}

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

// setPublicICKey is SET PUBLIC IC KEY, 80 A2 (特定機関認証): a terminal shows its certificate in two commands. The
// certificate is checked, and that is all: which files an authenticated terminal may use is not published, so here
// none.
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
