package mdoc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"errors"

	"github.com/veraison/go-cose"
)

// issuer verifies IssuerAuth and returns the chain and what the issuer signed.
func (v *Verifier) issuer(d *document) ([]*x509.Certificate, *mobileSecurityObject, error) {
	fail := func(r Reason, step, clause, detail string, err error) ([]*x509.Certificate, *mobileSecurityObject, error) {
		return nil, nil, &Error{Reason: r, Step: step, Clause: clause, Detail: detail, Err: err}
	}
	var message cose.UntaggedSign1Message
	if err := message.UnmarshalCBOR(d.IssuerSigned.IssuerAuth); err != nil {
		return fail(ReasonMalformed, stepIssuerAuth, "RFC 9052, 4.2", "not a COSE_Sign1", err)
	}
	signers, err := x5chain(message.Headers)
	if err != nil {
		return fail(ReasonChain, stepChain, "RFC 9360, 2", "no certificates", err)
	}
	if err := verifySign1(&message, signers[0].PublicKey); err != nil {
		return fail(reasonOf(err, ReasonSignature), stepIssuerAuth, "ISO/IEC 18013-5, 9.1.2.4", "", err)
	}
	var m mobileSecurityObject
	inner, ok := embedded(message.Payload)
	if !ok || !v.codec.read(inner, &m) || len(m.Version) < 3 || m.Version[:2] != "1." ||
		len(m.DeviceKeyInfo.DeviceKey) == 0 {
		return fail(ReasonMalformed, stepIssuerAuth, "ISO/IEC 18013-5, 9.1.2.4", "not a MobileSecurityObject", nil)
	}
	if m.DocType != d.DocType {
		return fail(ReasonDocType, stepIssuerAuth, "ISO/IEC 18013-5, 9.3.1", "", nil)
	}
	now, validity := v.now(), m.ValidityInfo
	switch {
	case validity.Signed.IsZero(),
		validity.ValidFrom.IsZero(),
		validity.ValidUntil.IsZero(),
		validity.ValidUntil.Before(validity.ValidFrom):
		return fail(ReasonMalformed, stepValidity, "ISO/IEC 18013-5, 9.1.2.4", "no ValidityInfo", nil)
	case now.Add(v.skew).Before(validity.Signed), now.Add(v.skew).Before(validity.ValidFrom):
		return fail(ReasonNotYetValid, stepValidity, "ISO/IEC 18013-5, 9.3.1", "", nil)
	case now.Add(-v.skew).After(validity.ValidUntil):
		return fail(ReasonExpired, stepValidity, "ISO/IEC 18013-5, 9.3.1", "", nil)
	}
	// The certificate must have been valid when it signed (ISO/IEC 18013-5, 9.3.1); it is replaced every few months.
	intermediates := x509.NewCertPool()
	for _, c := range signers[1:] {
		intermediates.AddCert(c)
	}
	chains, err := signers[0].Verify(x509.VerifyOptions{
		Roots:         v.anchors,
		Intermediates: intermediates,
		CurrentTime:   validity.Signed,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fail(ReasonChain, stepChain, "ISO/IEC 18013-5, 9.3.3", "", err)
	}
	// A document signer is no authority and no anchor, and signs documents (ISO/IEC 18013-5, B.1.4).
	leaf := signers[0]
	if leaf.IsCA || len(chains[0]) < 2 || leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return fail(
			ReasonChain,
			stepChain,
			"ISO/IEC 18013-5, B.1.4",
			"the certificate is none of a document signer",
			nil,
		)
	}
	return chains[0], &m, nil
}

// x5chain returns the certificates of the header, the signer's first.
func x5chain(h cose.Headers) ([]*x509.Certificate, error) {
	var list []any
	switch x := h.Unprotected[cose.HeaderLabelX5Chain].(type) {
	case []byte:
		list = []any{x}
	case []any:
		list = x
	}
	if len(list) == 0 || len(list) > 4 {
		return nil, errors.New("no x5chain of one to four certificates")
	}
	var all []*x509.Certificate
	for _, entry := range list {
		der, ok := entry.([]byte)
		if !ok {
			return nil, errors.New("an entry is no byte string")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// errAlgorithm marks an algorithm that is not accepted or that does not fit its key.
var errAlgorithm = errors.New("algorithm")

func reasonOf(err error, otherwise Reason) Reason {
	if errors.Is(err, errAlgorithm) {
		return ReasonAlgorithm
	}
	return otherwise
}

// verifySign1 verifies with the algorithm of the protected header, which must be the one of the key (ISO/IEC 18013-5,
// table 22).
func verifySign1(m *cose.UntaggedSign1Message, key crypto.PublicKey) error {
	algorithm, err := m.Headers.Protected.Algorithm()
	if err != nil || !fits(algorithm, key) {
		return errAlgorithm
	}
	verifier, err := cose.NewVerifier(algorithm, key)
	if err != nil {
		return errors.Join(errAlgorithm, err)
	}
	return m.Verify(nil, verifier)
}

// fits reports whether the algorithm is the one for the key.
func fits(a cose.Algorithm, key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return a == cose.AlgorithmES256 && k.Curve == elliptic.P256() ||
			a == cose.AlgorithmES384 && k.Curve == elliptic.P384() ||
			a == cose.AlgorithmES512 && k.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return a == cose.AlgorithmEdDSA
	default:
		return false
	}
}
