package cardsim

import (
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
