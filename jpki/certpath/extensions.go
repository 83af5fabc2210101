package certpath

import (
	"bytes"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// extensionReader is one row of the table of extensions. Every extension that is known is read strictly, critical or
// not, because a value that cannot be read is a value that somebody else might read differently.
type extensionReader struct {
	id           asn1.ObjectIdentifier
	step, clause string
	// processed is false for extensions that say nothing about the path and must not be critical.
	processed bool
	read      func(c *Certificate, e *der.Extension) bool
}

func extensionReaders() [17]extensionReader {
	return [...]extensionReader{
		{oidBasicConstraints, "basic-constraints", "RFC 5280, 4.2.1.9", true, readBasicConstraints},
		{oidKeyUsage, "key-usage", "RFC 5280, 4.2.1.3", true, readKeyUsage},
		{oidAuthorityKeyID, "authority-key-id", "RFC 5280, 4.2.1.1", true, readAuthorityKeyID},
		{oidSubjectKeyID, "subject-key-id", "RFC 5280, 4.2.1.2", true, readSubjectKeyID},
		{oidCertificatePolicies, "policies", "RFC 5280, 4.2.1.4", true, readPolicies},
		{oidPolicyMappings, "policy-mappings", "RFC 5280, 4.2.1.5", true, readMappings},
		{oidSubjectAltName, "subject-alt-name", "RFC 5280, 4.2.1.6", true, readSubjectNames},
		{oidIssuerAltName, "issuer-alt-name", "RFC 5280, 4.2.1.7", true, readIssuerNames},
		{oidNameConstraints, "name-constraints", "RFC 5280, 4.2.1.10", true, readNameConstraintsOf},
		{oidPolicyConstraints, "policy-constraints", "RFC 5280, 4.2.1.11", true, readPolicyConstraints},
		{oidExtendedKeyUsage, "extended-key-usage", "RFC 5280, 4.2.1.12", true, readExtKeyUsages},
		{oidCRLDistribution, "crl-distribution-points", "RFC 5280, 4.2.1.13", true, readPoints},
		{oidInhibitAnyPolicy, "inhibit-any-policy", "RFC 5280, 4.2.1.14", true, readInhibitAny},
		{oidFreshestCRL, "freshest-crl", "RFC 5280, 4.2.1.15", true, readFreshest},
		{oidAuthorityInfoAccess, "authority-info-access", "RFC 5280, 4.2.2.1", false, nil},
		{oidSubjectInfoAccess, "subject-info-access", "RFC 5280, 4.2.2.2", false, nil},
		{oidOCSPNoCheckExtension, "ocsp-no-check", "RFC 6960, 4.2.2.2.1", false, nil},
	}
}

func (c *Certificate) readExtensions() error {
	rows := extensionReaders()
	for i := range c.extensions {
		e := &c.extensions[i]
		at := slices.IndexFunc(rows[:], func(r extensionReader) bool { return r.id.Equal(e.ID) })
		if at < 0 || !rows[at].processed {
			c.unknownCritical = c.unknownCritical || e.Critical
			continue
		}
		if !rows[at].read(c, e) {
			return malformed(rows[at].step, rows[at].clause)
		}
	}
	return nil
}

// whole reads the content of a value that is one SEQUENCE.
func whole(value cryptobyte.String) (list cryptobyte.String, ok bool) {
	ok = value.ReadASN1(&list, cbasn1.SEQUENCE) && value.Empty()
	return list, ok
}

func readBasicConstraints(c *Certificate, e *der.Extension) bool {
	c.basic.present, c.basic.critical = true, e.Critical
	list, ok := whole(e.Value)
	if !ok || !der.ReadFlag(&list, &c.basic.ca, cbasn1.BOOLEAN) {
		return false
	}
	if list.Empty() {
		return true
	}
	n, ok := readCount(&list, cbasn1.INTEGER)
	c.basic.pathLen = n
	// "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted."
	return ok && list.Empty() && c.basic.ca
}

// readCount reads an INTEGER (0..MAX) with the tag. A larger number than any path can have is as good as the largest.
func readCount(s *cryptobyte.String, tag cbasn1.Tag) (int, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, tag) || len(content) == 0 || content[0]&0x80 != 0 ||
		len(content) > 1 && content[0] == 0 && content[1]&0x80 == 0 {
		return 0, false
	}
	n := 0
	for _, b := range content {
		if n = n<<8 | int(b); n > limits.PathDepth {
			return limits.PathDepth + 1, true
		}
	}
	return n, true
}

func readKeyUsage(c *Certificate, e *der.Extension) bool {
	value := e.Value
	var bits asn1.BitString
	if !value.ReadASN1BitString(&bits) || !value.Empty() || len(bits.Bytes) > 2 || bits.BitLength == 0 {
		return false
	}
	c.usage.present = true
	for i, b := range bits.Bytes {
		c.usage.bits |= uint16(b) << (8 - 8*i)
	}
	// "When the keyUsage extension appears in a certificate, at least one of the bits MUST be set to 1", and DER drops
	// the zero bits at the end of a named bit list (ITU-T X.690, 11.2.2).
	return bits.At(bits.BitLength-1) == 1
}

func readAuthorityKeyID(c *Certificate, e *der.Extension) bool {
	list, ok := whole(e.Value)
	var keyID, issuer, serial cryptobyte.String
	var hasKeyID, hasIssuer, hasSerial bool
	if !ok || !list.ReadOptionalASN1(&keyID, &hasKeyID, der.Tag0) ||
		!list.ReadOptionalASN1(&issuer, &hasIssuer, der.Tag1C) ||
		!list.ReadOptionalASN1(&serial, &hasSerial, der.Tag2) || !list.Empty() ||
		hasIssuer != hasSerial || hasKeyID && keyID.Empty() || hasSerial && serial.Empty() {
		return false
	}
	if hasIssuer {
		if _, ok := names.ReadGenerals(issuer); !ok {
			return false
		}
	}
	c.authorityKeyID = keyID
	return true
}

func readSubjectKeyID(c *Certificate, e *der.Extension) bool {
	value := e.Value
	var id cryptobyte.String
	ok := value.ReadASN1(&id, cbasn1.OCTET_STRING) && value.Empty() && !id.Empty()
	c.subjectKeyID = id
	return ok
}

func readPolicies(c *Certificate, e *der.Extension) bool {
	c.policies.present, c.policies.critical, c.policies.understood = true, e.Critical, true
	list, ok := whole(e.Value)
	if !ok || list.Empty() {
		return false
	}
	seen := map[string]bool{}
	for !list.Empty() {
		var info, id, qualifiers cryptobyte.String
		if !list.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!names.SoundOID(id) ||
			seen[string(id)] { // "A certificate policy OID MUST NOT appear more than once"
			return false
		}
		seen[string(id)] = true
		c.policies.ids = append(c.policies.ids, string(id))
		if info.Empty() {
			continue
		}
		if !info.ReadASN1(&qualifiers, cbasn1.SEQUENCE) || !info.Empty() || !c.readQualifiers(qualifiers) {
			return false
		}
	}
	return true
}

// readQualifiers notes whether a qualifier other than the two of RFC 5280 is present: when the extension is critical,
// "the path validation software MUST be able to interpret this extension (including the optional qualifier), or MUST
// reject the certificate".
func (c *Certificate) readQualifiers(list cryptobyte.String) bool {
	if list.Empty() {
		return false
	}
	for !list.Empty() {
		var one, content cryptobyte.String
		var tag cbasn1.Tag
		var id asn1.ObjectIdentifier
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			!one.ReadAnyASN1(&content, &tag) || !one.Empty() {
			return false
		}
		if !id.Equal(oidQualifierCPS) && !id.Equal(oidQualifierNotice) {
			c.policies.understood = false
		}
	}
	return true
}

func readMappings(c *Certificate, e *der.Extension) bool {
	list, ok := whole(e.Value)
	if !ok || list.Empty() {
		return false
	}
	for !list.Empty() {
		var pair, issuer, subject cryptobyte.String
		if !list.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1(&issuer, cbasn1.OBJECT_IDENTIFIER) ||
			!names.SoundOID(issuer) ||
			!pair.ReadASN1(&subject, cbasn1.OBJECT_IDENTIFIER) || !names.SoundOID(subject) ||
			!pair.Empty() {
			return false
		}
		c.mappings = append(c.mappings, mapping{string(issuer), string(subject)})
	}
	return true
}

func readSubjectNames(c *Certificate, e *der.Extension) (ok bool) {
	c.hasSubjectNames, c.subjectNamesCrit = true, e.Critical
	c.subjectNames, ok = names.ReadWholeGenerals(e.Value)
	return ok && names.SoundSubjectNames(c.subjectNames)
}

func readIssuerNames(_ *Certificate, e *der.Extension) bool {
	_, ok := names.ReadWholeGenerals(e.Value)
	return ok
}

func readNameConstraintsOf(c *Certificate, e *der.Extension) (ok bool) {
	c.constraints, ok = readNameConstraints(e.Value)
	return ok
}

func readPolicyConstraints(c *Certificate, e *der.Extension) (ok bool) {
	list, ok := whole(e.Value)
	if !ok || list.Empty() { // "the policyConstraints extension … MUST NOT be an empty sequence"
		return false
	}
	if list.PeekASN1Tag(der.Tag0) {
		if c.policyConstraints.requireExplicit, ok = readCount(&list, der.Tag0); !ok {
			return false
		}
	}
	if list.PeekASN1Tag(der.Tag1) {
		if c.policyConstraints.inhibitMapping, ok = readCount(&list, der.Tag1); !ok {
			return false
		}
	}
	return list.Empty()
}

func readInhibitAny(c *Certificate, e *der.Extension) (ok bool) {
	value := e.Value
	c.inhibitAny, ok = readCount(&value, cbasn1.INTEGER)
	return ok && value.Empty()
}

func readExtKeyUsages(c *Certificate, e *der.Extension) bool {
	list, ok := whole(e.Value)
	if !ok || list.Empty() {
		return false
	}
	for !list.Empty() {
		var id asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&id) {
			return false
		}
		c.extKeyUsages = append(c.extKeyUsages, id)
	}
	return true
}

func readPoints(c *Certificate, e *der.Extension) (ok bool) {
	c.points, ok = names.ReadPoints(e.Value)
	return ok
}

func readFreshest(c *Certificate, e *der.Extension) (ok bool) {
	c.freshest, ok = names.ReadPoints(e.Value)
	return ok
}

// keyIDMatches reports whether the issuer may have signed the certificate as far as key identifiers tell. An identifier
// that is missing on either side tells nothing.
func keyIDMatches(child, issuer *Certificate) bool {
	return len(child.authorityKeyID) == 0 || len(issuer.subjectKeyID) == 0 ||
		bytes.Equal(child.authorityKeyID, issuer.subjectKeyID)
}
