package certpath

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Step is one check with the clause that it enforces.
type Step struct {
	// Name is stable, e.g. "path.signature".
	Name string `json:"name"`
	// Clause is e.g. "RFC 5280, 6.1.3 (a)(1)".
	Clause string `json:"clause"`
	// Certificate is the place of the certificate in the path: 0 is the anchor; -1 when the step is about the whole
	// path.
	Certificate int `json:"certificate"`
	// OK is whether the check held.
	OK bool `json:"ok"`
}

// Result says what was found. The zero value is not valid.
type Result struct {
	// Valid is true only when every step held.
	Valid bool
	// At is the verification time.
	At time.Time
	// Path is the path that was validated, from the anchor to the certificate; nil when none was found. When several
	// paths were tried without success it is the first, which is the most plausible one.
	Path []*Certificate
	// Steps are the checks of Path in the order in which they were made; they end with the first that did not hold.
	Steps []Step
	// Policies is the user-constrained-policy-set (RFC 5280, 6.1.5): the policies that hold for the whole path, in the
	// words of the anchor. It may be empty when no explicit policy is required. anyPolicy stands for every policy.
	Policies []asn1.ObjectIdentifier
	// Revocation has the answer about each certificate of Path but the anchor; nil when the sources were not asked.
	Revocation []revocation.Answer
}

// rule is one check: its name, clause, and the reason when it fails.
type rule struct {
	name, clause string
	reason       Reason
}

var (
	ruleAnchorValidity = rule{"anchor.validity", "RFC 5937, 3.2", ReasonAnchor}

	ruleCriticalAnchor = rule{"anchor.critical-extensions", "RFC 5280, 4.2", ReasonCriticalExtension}
	ruleIntermediates  = rule{"path.intermediates", "", ReasonPathLength}
	rulePurpose        = rule{"path.purpose", "RFC 5280, 4.2.1.12", ReasonPurpose}

	ruleIssuer      = rule{"path.issuer", "RFC 5280, 6.1", ReasonNoPath}
	ruleSearch      = rule{"path.search", "RFC 4158, 2.4", ReasonLimit}
	ruleSerial      = rule{"path.serial", "RFC 5280, 4.1.2.2", ReasonMalformed}
	ruleNames       = rule{"path.issuer-name", "RFC 5280, 6.1.3 (a)(4)", ReasonNameChaining}
	ruleAlgorithm   = rule{"path.algorithm", "RFC 5280, 6.1.3 (a)(1)", ReasonAlgorithm}
	ruleKey         = rule{"path.key", "RFC 5280, 6.1.4 (d)", ReasonAlgorithm}
	ruleSignature   = rule{"path.signature", "RFC 5280, 6.1.3 (a)(1)", ReasonSignature}
	ruleNotBefore   = rule{"path.not-before", "RFC 5280, 6.1.3 (a)(2)", ReasonNotYetValid}
	ruleNotAfter    = rule{"path.not-after", "RFC 5280, 6.1.3 (a)(2)", ReasonExpired}
	rulePermitted   = rule{"path.name-constraints", "RFC 5280, 6.1.3 (b) and (c)", ReasonNameConstraints}
	ruleQualifiers  = rule{"path.policy-qualifiers", "RFC 5280, 4.2.1.4", ReasonCriticalExtension}
	rulePolicyLimit = rule{"path.policy-limit", "RFC 9618, 4.1", ReasonLimit}
	ruleExplicit    = rule{"path.explicit-policy", "RFC 5280, 6.1.3 (f)", ReasonPolicy}
	ruleMappingAny  = rule{"path.policy-mappings", "RFC 5280, 6.1.4 (a)", ReasonPolicy}
	ruleAuthority   = rule{"path.basic-constraints", "RFC 5280, 6.1.4 (k)", ReasonBasicConstraints}
	rulePathLength  = rule{"path.path-length", "RFC 5280, 6.1.4 (l)", ReasonPathLength}
	ruleCertSign    = rule{"path.key-usage", "RFC 5280, 6.1.4 (n)", ReasonKeyUsage}
	ruleCriticalCA  = rule{"path.critical-extensions", "RFC 5280, 6.1.4 (o)", ReasonCriticalExtension}
	ruleCriticalEE  = rule{"path.critical-extensions", "RFC 5280, 6.1.5 (f)", ReasonCriticalExtension}
	rulePolicySet   = rule{"path.policy-set", "RFC 5280, 6.1.5 (g)", ReasonPolicy}

	ruleRevocation        = rule{"revocation.status", "RFC 5280, 6.1.3 (a)(3)", ReasonRevoked}
	ruleRevocationAbsent  = rule{"revocation.absent", "RFC 5280, 6.1.3 (a)(3)", ReasonRevocationUnknown}
	ruleRevocationSkipped = rule{"revocation.skipped", "", ReasonRevocationUnknown}
)

// record collects the steps of one path.
type record struct{ steps []Step }

// require notes a check of the certificate at a place of the path and returns its error when it does not hold.
func (r *record) require(check rule, at int, ok bool) error {
	r.steps = append(r.steps, Step{Name: check.name, Clause: check.clause, Certificate: at, OK: ok})
	if ok {
		return nil
	}
	return &Error{Reason: check.reason, Step: check.name, Clause: check.clause, Certificate: at}
}

// check is one rule and whether it holds.
type check struct {
	rule rule
	ok   bool
}

// all requires the checks in order.
func (r *record) all(at int, checks ...check) error {
	for _, c := range checks {
		if err := r.require(c.rule, at, c.ok); err != nil {
			return err
		}
	}
	return nil
}

// objectIdentifiers turns contents of OIDs into their public form.
func objectIdentifiers(contents []string) []asn1.ObjectIdentifier {
	var out []asn1.ObjectIdentifier
	for _, content := range contents {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
		encoded, err := b.Bytes()
		if err != nil {
			continue
		}
		s := cryptobyte.String(encoded)
		var id asn1.ObjectIdentifier
		if s.ReadASN1ObjectIdentifier(&id) {
			out = append(out, id)
		}
	}
	return out
}
