package sign

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"

	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki"
)

// ParseCMS reads a detached CMS or PKCS #7 signature (RFC 5652, section 5) in DER, or in the BER that programs write
// which stream. The result goes to [Verifier.Verify] with [ModeDigestInfo], the mode of every CMS signature, and
// without a transaction if it has signed attributes: those are signed in the place of the document, and name its
// digest.
//
// One signer is read, whose signature is RSASSA-PKCS1-v1_5 with SHA-256 over content of type id-data. The signer's
// certificate is found among those inside and the given ones in DER. Other certificates, revocation lists and unsigned
// attributes inside are passed over: trust comes from the verifier alone. Errors are [*Error] with [ReasonCMS]; Detail
// names what is refused.
func ParseCMS(cms []byte, certificates ...[]byte) (*Opened, error) {
	refuse := func(detail string, err error) (*Opened, error) {
		return nil, &Error{Reason: ReasonCMS, Step: "cms", Detail: detail, Err: err}
	}
	d, err := signeddata.Parse(cms)
	if err != nil {
		if errors.Is(err, signeddata.Encoding) && len(cms) > 0 && cms[0] != 0x30 { // not even the first tag
			return refuse(cmp.Or(certfile.NotDER(cms), problem(err)), err)
		}
		return refuse(problem(err), err)
	}
	switch {
	case d.Content != nil:
		return refuse("the content is inside: a detached signature is expected", nil)
	case !d.ContentType.Equal(signeddata.OIDData):
		return refuse("content of a type other than id-data", nil)
	case len(d.Signers) != 1:
		return refuse("not exactly one signer", nil)
	}
	s := &d.Signers[0]
	certificate, err := d.Certificate(s, certificates...)
	if err != nil {
		return refuse(problem(err), err)
	}
	a, err := s.Algorithm()
	if err != nil || a != sigalg.SHA256WithRSA {
		return refuse("not RSASSA-PKCS1-v1_5 with SHA-256", err)
	}
	parts := openedParts{signature: bytes.Clone(s.Value), certificate: bytes.Clone(certificate)}
	if s.Attributes != nil {
		if leaf, err := jpki.ParseCertificate(certificate); err == nil { // otherwise the verifier refuses it
			s.PutInOrder(leaf.PublicKey())
		}
		for _, err := range []error{
			s.CheckContentType(signeddata.OIDData), s.CheckCertificate(certificate, false), s.CheckAlgorithms(),
		} {
			if err != nil {
				return refuse(problem(err), err)
			}
		}
		parts.attributes = s
	}
	return &Opened{parts: redact.Seal(parts)}, nil
}

// problem is the constant text of an error of package signeddata.
func problem(err error) string {
	p, _ := err.(signeddata.Problem) //nolint:errorlint // that package returns nothing else
	return string(p)
}

// WithAttributes returns what was opened as a signature over these signed attributes, which name the document: the SET
// OF in DER that [Opened.RevealAttributes] gave, from an archive. Errors are [*Error] with [ReasonCMS].
func (o *Opened) WithAttributes(attributes []byte) (*Opened, error) {
	s, err := signeddata.ReadAttributes(attributes)
	if err != nil {
		return nil, &Error{Reason: ReasonCMS, Step: "cms.attributes", Detail: problem(err), Err: err}
	}
	parts := o.reveal()
	parts.attributes = s
	return &Opened{parts: redact.Seal(parts)}, nil
}

// RevealAttributes returns a copy of the signed attributes of a CMS signature, which the signature is over, in the DER
// of their SET OF; nil when the signature is over the document itself.
func (o *Opened) RevealAttributes() []byte {
	if a := o.reveal().attributes; a != nil {
		return bytes.Clone(a.Attributes)
	}
	return nil
}

// CMS writes a verified signature as a detached CMS signature in DER, for other programs: with the signing certificate,
// hence personal data, and the given certificates, such as the authority's. Only signatures in [ModeDigestInfo] can be
// written: a bare hash is no signature of CMS, and gives an [*Error] with [ReasonMode].
func CMS(r *Report, certificates ...[]byte) ([]byte, error) {
	if r == nil || r.Opened == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "cms", Detail: "no report"}
	}
	if r.Mode != ModeDigestInfo {
		return nil, &Error{Reason: ReasonMode, Step: "cms", Clause: "RFC 5652, 5.4"}
	}
	out := signeddata.Write(signeddata.Parts{
		ContentType: signeddata.OIDData,
		Certificate: r.Opened.RevealCertificate(), More: certificates,
		Hash: crypto.SHA256, Algorithm: sigalg.SHA256WithRSA,
		Attributes: r.Opened.RevealAttributes(), Value: r.Opened.RevealSignature(),
	})
	if out == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "cms", Detail: "no certificate"}
	}
	return out, nil
}
