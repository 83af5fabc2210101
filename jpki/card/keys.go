package card

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// certificateHeader is the length of 30 82 LL LL, with which every certificate file begins.
const certificateHeader = 4

// certificateGuess is how much of a certificate file is asked for at first. The certificates have 1.3 to 2.0 KB, so
// where extended lengths pass, one command reads them whole.
const certificateGuess = 2048

// AuthCertificate returns the DER authentication certificate (free on plastic, behind the PIN on phones:
// [ReasonNotVerified]).
func (c *Card) AuthCertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read authentication certificate", efAuthCertificate, 0, AuthPIN)
}

// SigningCertificate returns the DER signing certificate; the signing password must be verified, because the
// certificate holds name, address, birthdate and gender. A card without one, such as a child's, answers
// [ReasonNoCertificate].
func (c *Card) SigningCertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read signing certificate", efSigningCertificate, SigningPIN, SigningPIN)
}

// AuthCACertificate returns the DER CA certificate that issued the authentication certificate. It is what the card
// says, not a trust anchor.
func (c *Card) AuthCACertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read authentication CA certificate", efAuthCACertificate, 0, AuthPIN)
}

// SigningCACertificate returns the DER CA certificate that issued the signing certificate. It is what the card says,
// not a trust anchor.
func (c *Card) SigningCACertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read signing CA certificate", efSigningCACertificate, 0, SigningPIN)
}

// certificate reads a certificate file. need is the PIN without which it is useless to ask, guard the one to name if
// the card refuses.
func (s *session) certificate(ctx context.Context, op string, ef uint16, need, guard PIN) (der []byte, err error) {
	err = s.do(ctx, op, jpkiApp, need, func(ctx context.Context) error {
		der, err = s.readFile(ctx, op, ef, certificateGuess, certificateSize)
		if reasonOf(err) == ReasonNoCertificate && !s.short {
			// That a file is empty is believed of a short command only: nothing between here and the card touches its
			// answer.
			if der, err = s.readFile(ctx, op, ef, maxShort, certificateSize); err == nil {
				s.short = true
				s.rememberShort()
			}
		}
		var e *Error
		if errors.As(err, &e) && e.Reason == ReasonFileMissing {
			e.Reason = ReasonNoCertificate
		}
		return namePIN(err, guard)
	})
	if err != nil {
		return nil, err
	}
	return der, nil
}

// certificateSize reads 30 82 LL LL and returns the size of the whole certificate.
func certificateSize(op string, head []byte) (int, error) {
	start := head[:min(len(head), certificateHeader)]
	if len(bytes.Trim(start, "\x00")) == 0 || len(bytes.Trim(start, "\xFF")) == 0 {
		// Nothing, or nothing but filler: the file was never written.
		return 0, &Error{Step: op, Reason: ReasonNoCertificate}
	}
	if len(head) < certificateHeader || head[1] != 0x82 {
		return 0, &Error{Step: op, Reason: ReasonMalformed}
	}
	tag, n, size, err := tlv.Header(head)
	if err != nil {
		return 0, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	if tag != 0x30 || n+size > limits.Certificate {
		return 0, &Error{Step: op, Reason: ReasonMalformed}
	}
	return n + size, nil
}

// WithoutDigestInfo is the crypto.SignerOpts that makes the card pad the 32-byte digest as it is, where an ordinary
// RSASSA-PKCS1-v1_5 signature pads a DigestInfo: what package sign calls the bare-hash mode.
const WithoutDigestInfo = crypto.Hash(0)

// bareHashSize is the only input size of the bare-hash mode: a SHA-256 hash.
const bareHashSize = 32

// Key is a card key as crypto.Signer, safe for concurrent use. It signs as long as its PIN is verified on the card.
type Key struct {
	card        *Card
	pin         PIN
	ef          uint16
	public      *rsa.PublicKey
	certificate redact.Value[[]byte] // a signing certificate holds the four attributes
}

var _ crypto.Signer = (*Key)(nil)

// AuthKey returns the authentication key; the PIN must be verified before it signs. The public key is taken from the
// certificate, which phones show only after the PIN.
func (c *Card) AuthKey(ctx context.Context) (*Key, error) {
	der, err := c.AuthCertificate(ctx)
	if err != nil {
		return nil, err
	}
	return newKey(c, AuthPIN, efAuthKey, der)
}

// SigningKey returns the signing key; the signing password must be verified before, because the certificate with the
// public key is behind it too.
func (c *Card) SigningKey(ctx context.Context) (*Key, error) {
	der, err := c.SigningCertificate(ctx)
	if err != nil {
		return nil, err
	}
	return newKey(c, SigningPIN, efSigningKey, der)
}

func newKey(c *Card, p PIN, ef uint16, der []byte) (*Key, error) {
	const op = "read public key"
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	// The card has 2048-bit keys. A longer signature than 256 bytes would not fit a short answer.
	if !ok || public.Size() != maxShort {
		return nil, &Error{Step: op, Reason: ReasonUnsupportedKey}
	}
	return &Key{card: c, pin: p, ef: ef, public: public, certificate: redact.Seal(der)}, nil
}

// Certificate returns the DER certificate that the public key was taken from, without asking the card once more.
func (k *Key) Certificate() []byte { return bytes.Clone(k.certificate.Reveal()) }

// Public returns the key of the certificate, an *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign signs a digest: SHA-256/384/512 with DigestInfo, or WithoutDigestInfo over exactly 32 bytes. Anything else,
// RSASSA-PSS included, is an *[Error] with reason [ReasonBadDigest]. Without a verified PIN it is [ReasonNotVerified].
// The first argument is not used: the padding is PKCS #1 v1.5 (RFC 8017, 8.2).
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.SignContext(context.Background(), digest, opts)
}

// SignContext is Sign with a context. A real card takes seconds.
func (k *Key) SignContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	const op = "sign"
	input, err := signatureInput(digest, opts)
	if err != nil {
		return nil, err
	}
	var signature []byte
	err = k.card.s.do(ctx, op, jpkiApp, k.pin, func(ctx context.Context) error {
		signature, err = k.card.s.sign(ctx, op, k.ef, input)
		return namePIN(err, k.pin)
	})
	if err != nil {
		return nil, err
	}
	// The signature is a string of exactly k octets, k the size of the modulus (RFC 8017, 8.2.1).
	switch n := len(signature); {
	case n > 0 && n < k.public.Size():
		return nil, answerCut(op)
	case n != k.public.Size():
		return nil, &Error{Step: op, Reason: ReasonMalformed}
	}
	return signature, nil
}

// sign sends COMPUTE DIGITAL SIGNATURE. P1 00: the card pads the input as it is and does not look inside.
func (s *session) sign(ctx context.Context, op string, ef uint16, input []byte) ([]byte, error) {
	if err := s.mustSelectEF(ctx, op, ef); err != nil {
		return nil, err
	}
	r, err := s.send(ctx, op, apdu.Command{CLA: claCard, INS: insSign, P2: currentEF, Data: input, Ne: maxShort})
	if err != nil {
		return nil, err
	}
	if r.Status != apdu.OK {
		return nil, s.refused(op, r.Status)
	}
	return r.Data, nil
}

// signatureInput returns what the card is to pad: the DER DigestInfo, or the bare hash.
func signatureInput(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	bad := &Error{Step: "sign", Reason: ReasonBadDigest}
	if opts == nil {
		return nil, bad
	}
	if _, ok := opts.(*rsa.PSSOptions); ok {
		return nil, bad
	}
	hash := opts.HashFunc()
	if hash == WithoutDigestInfo {
		if len(digest) != bareHashSize {
			return nil, bad
		}
		return digest, nil
	}
	prefix := digestInfoPrefix(hash)
	if prefix == nil || len(digest) != hash.Size() {
		return nil, bad
	}
	return append(prefix, digest...), nil
}

// digestInfoPrefix returns the DER of DigestInfo up to the digest (RFC 8017, 9.2, note 1), or nil for a hash that is
// not supported. SHA-1 and MD5 are left out on purpose.
func digestInfoPrefix(h crypto.Hash) []byte {
	// The last arc of the algorithm's identifier, 2.16.840.1.101.3.4.2.x (RFC 8017, appendix B.1).
	last, known := map[crypto.Hash]byte{crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3}[h]
	if !known {
		return nil
	}
	return digestInfoHead(last, byte(h.Size())) //nolint:gosec // 64 at most
}

// digestInfoHead is SEQUENCE { SEQUENCE { OBJECT IDENTIFIER 2.16.840.1.101.3.4.2.x, NULL }, OCTET STRING of that size }
// without the octets.
func digestInfoHead(last, size byte) []byte {
	return []byte{
		0x30, 0x11 + size,
		0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00,
		0x04, size,
	}
}
