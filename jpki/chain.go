package jpki

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// profile checks what the certificate says of itself against the table of profiles. Nothing is trusted yet; these
// checks come first because they cost no cryptography.
func (run *verification) profile(f *form) error {
	c := f.x509
	// Policies are compared here and not by crypto/x509: without an explicit-policy requirement in the chain, which JPKI
	// does not have, RFC 5280, 6.1.5 lets a path with the wrong policy succeed.
	row := profileOf(f.policies, c.PublicKey)
	if err := run.require(rulePolicy, row != nil && (!row.optional || run.verifier.phones)); err != nil {
		return err
	}
	expected := !run.options.restricted || row.kind != UnknownKind && slices.Contains(run.options.kinds, row.kind)
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleEnvironment, row.environment == run.verifier.environment},
		{ruleKind, expected},
		{ruleKeyUsage, c.KeyUsage == row.keyUsage},
		{ruleExtKeyUsage, len(f.extKeyUsages) == 0 || row.extKeyUsage == x509.ExtKeyUsageAny || f.hasExtKeyUsage(row.extKeyUsage)},
		{ruleNotCA, !c.IsCA},
		{ruleKey, row.key.accepts(c.PublicKey)},
		{ruleAlgorithm, f.algorithm == row.key.signature},
		{ruleCritical, !f.unprocessed},
	} {
		if err := run.require(check.rule, check.ok); err != nil {
			return err
		}
	}
	run.result.Kind = row.kind
	return nil
}

// chain finds the issuer among the anchors and checks signature and validity. Name and key identifier only select; the
// signature decides. When several anchors claim the same key identifier each is tried.
func (run *verification) chain(f *form) (*anchor, error) {
	named, keyed := run.verifier.candidates(f)
	if err := run.require(ruleIssuerName, len(named) > 0); err != nil {
		return nil, err
	}
	if err := run.require(ruleIssuerKeyID, len(keyed) > 0); err != nil {
		return nil, err
	}
	var issuer *anchor
	for _, a := range keyed {
		if f.algorithm.verify(a.form.x509.PublicKey, f.x509.RawTBSCertificate, f.x509.Signature) == nil {
			issuer = a
			break
		}
	}
	if err := run.require(ruleSignature, issuer != nil); err != nil {
		return nil, err
	}
	run.result.AnchorFingerprint = issuer.fingerprint
	run.result.AnchorKeyID = bytes.Clone(issuer.form.subjectKeyID)
	// The anchor passed these when it was loaded; they are noted so that the result shows the whole path.
	for _, passed := range [...]rule{ruleAnchorSelfIssued, ruleAnchorConstraints, ruleAnchorKeyUsage, ruleAnchorKeyID, ruleAnchorCritical, ruleAnchorKey, ruleAnchorSignature} {
		_ = run.require(passed, true)
	}
	at, authority := run.options.at, issuer.form.x509
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleNotBefore, !at.Before(f.x509.NotBefore)},
		{ruleNotAfter, !at.After(f.x509.NotAfter)},
		{ruleAnchorValidity, !at.Before(authority.NotBefore) && !at.After(authority.NotAfter)},
	} {
		if err := run.require(check.rule, check.ok); err != nil {
			return nil, err
		}
	}
	return issuer, nil
}
