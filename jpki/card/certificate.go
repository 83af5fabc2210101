package card

import (
	"bytes"
	"context"
	"errors"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// certificateHeader is the length of 30 82 LL LL, with which every certificate file begins.
const certificateHeader = 4

// certificateGuess is how much of a certificate file is asked for at first. The certificates have 1.3 to 2.0 KB, so where
// extended lengths pass, one command reads them whole.
const certificateGuess = 2048

// AuthCertificate returns the DER authentication certificate (free on plastic, behind the PIN on phones: [ReasonNotVerified]).
func (c *Card) AuthCertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read authentication certificate", efAuthCertificate, 0, AuthPIN)
}

// SigningCertificate returns the DER signing certificate; the signing password must be verified, because the certificate
// holds name, address, birthdate and gender. A card without one, such as a child's, answers [ReasonNoCertificate].
func (c *Card) SigningCertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read signing certificate", efSigningCertificate, SigningPIN, SigningPIN)
}

// AuthCACertificate returns the DER CA certificate that issued the authentication certificate. It is what the card says,
// not a trust anchor.
func (c *Card) AuthCACertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read authentication CA certificate", efAuthCACertificate, 0, AuthPIN)
}

// SigningCACertificate returns the DER CA certificate that issued the signing certificate. It is what the card says, not
// a trust anchor.
func (c *Card) SigningCACertificate(ctx context.Context) ([]byte, error) {
	return c.s.certificate(ctx, "read signing CA certificate", efSigningCACertificate, 0, SigningPIN)
}

// certificate reads a certificate file. need is the PIN without which it is useless to ask, guard the one to name if the
// card refuses.
func (s *session) certificate(ctx context.Context, op string, ef uint16, need, guard PIN) (der []byte, err error) {
	err = s.do(ctx, op, jpkiApp, need, func(ctx context.Context) error {
		der, err = s.readFile(ctx, op, ef, certificateGuess, certificateSize)
		var e *Error
		if errors.As(err, &e) && e.Reason == ReasonFileMissing {
			e.Reason = ReasonNoCertificate
		}
		return nameReference(err, guard)
	})
	if err != nil {
		return nil, err
	}
	return der, nil
}

// certificateSize reads 30 82 LL LL and returns the size of the whole certificate.
func certificateSize(op string, head []byte) (int, error) {
	if start := head[:min(len(head), certificateHeader)]; len(bytes.Trim(start, "\x00")) == 0 || len(bytes.Trim(start, "\xFF")) == 0 {
		// Nothing, or nothing but filler: the file was never written.
		return 0, &Error{Op: op, Reason: ReasonNoCertificate}
	}
	if len(head) < certificateHeader || head[1] != 0x82 {
		return 0, &Error{Op: op, Reason: ReasonMalformed}
	}
	tag, n, size, err := tlv.Header(head)
	if err != nil {
		return 0, &Error{Op: op, Reason: ReasonMalformed, Err: err}
	}
	if tag != 0x30 || n+size > limits.Certificate {
		return 0, &Error{Op: op, Reason: ReasonMalformed}
	}
	return n + size, nil
}
