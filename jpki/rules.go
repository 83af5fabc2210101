package jpki

// rule is one check: its stable name, the clause it enforces and the reason when it fails.
type rule struct {
	name, clause string
	reason       Reason
}

var (
	ruleAnchorSelfIssued  = rule{"anchor.self-issued", "RFC 5280, 3.2", ReasonTrust}
	ruleAnchorConstraints = rule{"anchor.basic-constraints", "RFC 5280, 4.2.1.9", ReasonTrust}
	ruleAnchorKeyUsage    = rule{"anchor.key-usage", "RFC 5280, 4.2.1.3", ReasonTrust}
	ruleAnchorKeyID       = rule{"anchor.key-id", "RFC 5280, 4.2.1.2", ReasonTrust}
	ruleAnchorCritical    = rule{"anchor.critical-extensions", "RFC 5280, 4.2", ReasonTrust}
	ruleAnchorKey         = rule{"anchor.key", "JPKI certificate profile, authority key", ReasonTrust}
	ruleAnchorSignature   = rule{"anchor.signature", "RFC 5280, 3.2", ReasonTrust}

	ruleForm        = rule{"certificate.form", "RFC 5280, 4.1", ReasonMalformed}
	rulePolicy      = rule{"profile.policy", "RFC 5280, 4.2.1.4", ReasonProfile}
	ruleEnvironment = rule{"profile.environment", "JPKI certificate profile, certificatePolicies", ReasonEnvironment}
	ruleKind        = rule{"profile.kind", "JPKI certificate profile, certificatePolicies", ReasonKind}
	ruleKeyUsage    = rule{"profile.key-usage", "RFC 5280, 4.2.1.3", ReasonProfile}
	ruleExtKeyUsage = rule{"profile.extended-key-usage", "RFC 5280, 4.2.1.12", ReasonProfile}
	ruleNotCA       = rule{"profile.basic-constraints", "RFC 5280, 4.2.1.9", ReasonProfile}
	ruleKey         = rule{"profile.key", "JPKI certificate profile, subjectPublicKeyInfo", ReasonProfile}
	ruleAlgorithm   = rule{"profile.signature-algorithm", "JPKI certificate profile, signature", ReasonProfile}
	ruleCritical    = rule{"profile.critical-extensions", "RFC 5280, 4.2", ReasonProfile}

	ruleIssuerName     = rule{"chain.issuer-name", "RFC 5280, 6.1.3 (a)(4)", ReasonIssuer}
	ruleIssuerKeyID    = rule{"chain.key-id", "RFC 5280, 4.2.1.1", ReasonIssuer}
	ruleSignature      = rule{"chain.signature", "RFC 5280, 6.1.3 (a)(1)", ReasonSignature}
	ruleAnchorValidity = rule{"chain.anchor-validity", "RFC 5280, 4.1.2.5", ReasonAnchorValidity}
	ruleNotBefore      = rule{"chain.not-before", "RFC 5280, 6.1.3 (a)(2)", ReasonNotYetValid}
	ruleNotAfter       = rule{"chain.not-after", "RFC 5280, 6.1.3 (a)(2)", ReasonExpired}

	ruleRevocation        = rule{"revocation.status", "RFC 5280, 6.1.3 (a)(3)", ReasonRevoked}
	ruleRevocationTime    = rule{"revocation.time", "RFC 5280, 6.3.3", ReasonRevocationUnknown}
	ruleRevocationSkipped = rule{"revocation.skipped", "", ReasonRevocationUnknown}
)

// record collects the steps of one verification.
type record struct{ steps []Step }

// require notes a check and returns its error when it does not hold.
func (r *record) require(check rule, ok bool) error {
	r.steps = append(r.steps, Step{Name: check.name, Clause: check.clause, OK: ok})
	if ok {
		return nil
	}
	return &Error{Reason: check.reason, Step: check.name, Clause: check.clause}
}
