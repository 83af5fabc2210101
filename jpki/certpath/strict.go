package certpath

import (
	"bytes"
	"encoding/asn1"
	"strings"

	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// The rules of a strict verifier: what RFC 5280 says authorities MUST or MUST NOT do without telling those who validate
// to refuse it. Authorities of governments have broken each of them, so that a verifier refuses by them only when it is
// asked to.
var (
	strictAuthorityKeyID   = rule{"strict.authority-key-id", "RFC 5280, 4.2.1.1", ReasonStrict}
	strictSubjectKeyID     = rule{"strict.subject-key-id", "RFC 5280, 4.2.1.2", ReasonStrict}
	strictKeyUsage         = rule{"strict.key-usage", "RFC 5280, 4.2.1.3", ReasonStrict}
	strictBasicConstraints = rule{"strict.basic-constraints", "RFC 5280, 4.2.1.9", ReasonStrict}
	strictNameConstraints  = rule{"strict.name-constraints", "RFC 5280, 4.2.1.10", ReasonStrict}
	strictPolicies         = rule{"strict.policy-constraints", "RFC 5280, 4.2.1.11 and 4.2.1.14", ReasonStrict}
	strictAccess           = rule{"strict.information-access", "RFC 5280, 4.2.2", ReasonStrict}
	strictNames            = rule{"strict.subject-alt-name", "RFC 5280, 4.2.1.6", ReasonStrict}
	strictEndEntity        = rule{"strict.end-entity", "RFC 5280, 4.2.1.3 and 4.2.1.9", ReasonStrict}
)

// strict applies them to a certificate of the path below the anchor.
func (p *processing) strict(i int, final bool) error {
	c := p.path[i]
	return p.all(
		i,
		// "The keyIdentifier field of the authorityKeyIdentifier extension MUST be included in all certificates …
		// Conforming CAs MUST mark this extension as non-critical."
		check{
			strictAuthorityKeyID,
			!c.criticalIf(oidAuthorityKeyID) && len(c.authorityKeyID) > 0 && namesKeyOf(c, p.path[i-1]),
		},
		// "this extension MUST appear in all conforming CA certificates … MUST mark this extension as non-critical".
		check{strictSubjectKeyID, !c.criticalIf(oidSubjectKeyID) && (!c.basic.ca || len(c.subjectKeyID) > 0)},
		// "If the cA boolean is not asserted, then the keyCertSign bit in the key usage extension MUST NOT be
		// asserted."
		check{strictKeyUsage, c.basic.ca || c.usage.bits&usageCertSign == 0},
		// "Conforming CAs MUST include this extension in all CA certificates that contain public keys used to validate
		// digital signatures on certificates and MUST mark the extension as critical in such certificates."
		check{strictBasicConstraints, !c.basic.ca || c.basic.critical},
		// "MUST be used only in a CA certificate", "Conforming CAs MUST mark this extension as critical".
		check{
			strictNameConstraints,
			c.constraints == nil || c.basic.ca && c.criticalIf(oidNameConstraints) && c.constraints.preferred(),
		},
		// "Conforming CAs MUST mark this extension as critical", of both.
		check{strictPolicies, criticalOrAbsent(c, oidPolicyConstraints) && criticalOrAbsent(c, oidInhibitAnyPolicy)},
		// "Conforming CAs MUST mark this extension as non-critical", of both.
		check{strictAccess, !c.criticalIf(oidAuthorityInfoAccess) && !c.criticalIf(oidSubjectInfoAccess)},
		// "If the subject field contains an empty sequence, then … MUST mark subjectAltName as critical"; otherwise it
		// should not be.
		check{strictNames, !c.hasSubjectNames || c.subjectNamesCrit == c.subject.Empty() && c.preferredNames()},
		check{strictEndEntity, !final || !c.basic.ca && c.usage.bits&usageCertSign == 0},
	)
}

// strictAnchor applies them to the anchor, as far as they are about authorities.
func (p *processing) strictAnchor() error {
	c := p.path[0]
	return p.all(
		0,
		// "There is one exception; where a CA distributes its public key in the form of a "self-signed" certificate,
		// the authority key identifier MAY be omitted."
		check{strictAuthorityKeyID, !c.criticalIf(oidAuthorityKeyID) && (len(c.authorityKeyID) > 0 || c.selfIssued())},
		check{strictSubjectKeyID, !c.criticalIf(oidSubjectKeyID) && len(c.subjectKeyID) > 0},
		check{strictBasicConstraints, c.basic.ca && c.basic.critical},
		check{
			strictNameConstraints,
			c.constraints == nil || c.criticalIf(oidNameConstraints) && c.constraints.preferred(),
		},
	)
}

// preferred reports whether the dNSNames of the constraints are hosts.
func (n *nameConstraints) preferred() bool {
	for _, trees := range [...][]subtree{n.permitted, n.excluded} {
		for i := range trees {
			if base := &trees[i].base; base.Form == names.FormDNS && base.Text != "" && !preferredHost(base.Text) {
				return false
			}
		}
	}
	return true
}

// preferredNames reports whether every dNSName of subjectAltName is a host: "the name MUST be in the "preferred name
// syntax"" (RFC 5280, 4.2.1.6). A wildcard is none of its business.
func (c *Certificate) preferredNames() bool {
	for i := range c.subjectNames {
		if g := &c.subjectNames[i]; g.Form == names.FormDNS && !preferredHost(strings.TrimPrefix(g.Text, "*.")) {
			return false
		}
	}
	return true
}

// preferredHost is RFC 1034, 3.5, as RFC 1123 relaxed it, and no address.
func preferredHost(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			!consistsOf(label, letters+"0123456789-") {
			return false
		}
	}
	return !consistsOf(labels[len(labels)-1], "0123456789")
}

// criticalIf reports whether the extension is there and critical.
func (c *Certificate) criticalIf(id asn1.ObjectIdentifier) bool {
	e := c.extension(id)
	return e != nil && e.Critical
}

func criticalOrAbsent(c *Certificate, id asn1.ObjectIdentifier) bool {
	e := c.extension(id)
	return e == nil || e.Critical
}

// namesKeyOf reports whether the certificate names its issuer's key, if that says how it is named.
func namesKeyOf(c, issuer *Certificate) bool {
	return len(issuer.subjectKeyID) == 0 || bytes.Equal(c.authorityKeyID, issuer.subjectKeyID)
}
