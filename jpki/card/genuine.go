package card

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// cvGuess is how much of an issuer certificate's file is asked for at first; it has 568 bytes.
const cvGuess = 568

// issuerKey returns the key with which the municipality signed the data of the selected application, certified in a file
// of its own by a root.
func (s *session) issuerKey(ctx context.Context, op string, roots *Roots) (*rsa.PublicKey, error) {
	file, err := s.readFile(ctx, op, efIssuer, cvGuess, objectOf(tagCVCertificate))
	if err != nil {
		return nil, err
	}
	certificate, err := parseCVCertificate(file)
	if err != nil {
		return nil, &Error{Op: op, Reason: ReasonMalformed, Err: err}
	}
	return roots.verify(op, certificate)
}

// challenge lets the selected application sign a random value with its internal key and verifies that with the key that
// the issuer certified. A copy of the data does not have that key. No PIN is needed: P2 00 is the application's own key.
func (s *session) challenge(ctx context.Context, op string, certified *rsa.PublicKey) error {
	var nonce [sha256.Size]byte
	_, _ = rand.Read(nonce[:]) // never fails, see crypto/rand
	digest := sha256.Sum256(nonce[:])
	info := append(sha256Prefix(), digest[:]...)
	r, err := s.send(ctx, op, apdu.Command{CLA: claCard, INS: insSign, Data: info, Ne: certified.Size()})
	if err != nil {
		return err
	}
	if r.Status != apdu.OK || !signedBy(certified, r.Data, nonce[:]) {
		return &Error{Op: op, Reason: ReasonNotGenuine, Status: statusUnlessOK(r.Status)}
	}
	return nil
}

// statusUnlessOK is what Error.Status shows: a success says nothing.
func statusUnlessOK(s apdu.Status) uint16 {
	if s == apdu.OK {
		return 0
	}
	return uint16(s)
}
