package jpki

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readPolicies reads certificatePolicies (RFC 5280, 4.2.1.4). A policy must not appear twice. understood is false when
// there is a qualifier other than the two of the RFC: "If this extension is critical, the path validation software MUST
// be able to interpret this extension (including the optional qualifier), or MUST reject the certificate."
func readPolicies(value cryptobyte.String) (policies []asn1.ObjectIdentifier, understood, ok bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() {
		return nil, false, false
	}
	understood = true
	for !list.Empty() {
		var info, qualifiers cryptobyte.String
		var id asn1.ObjectIdentifier
		if !list.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&id) || containsOID(policies, id) {
			return nil, false, false
		}
		policies = append(policies, id)
		if info.Empty() {
			continue
		}
		if !info.ReadASN1(&qualifiers, cbasn1.SEQUENCE) || !info.Empty() || qualifiers.Empty() {
			return nil, false, false
		}
		for !qualifiers.Empty() {
			var one, content cryptobyte.String
			var tag cbasn1.Tag
			var kind asn1.ObjectIdentifier
			if !qualifiers.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&kind) ||
				!one.ReadAnyASN1(&content, &tag) || !one.Empty() {
				return nil, false, false
			}
			if !kind.Equal(oidQualifierCPS) && !kind.Equal(oidQualifierNotice) {
				understood = false
			}
		}
	}
	return policies, understood, true
}

// readAuthorityKeyID reads authorityKeyIdentifier (RFC 5280, 4.2.1.1) and returns keyIdentifier, nil when absent. The
// issuer name and serial number, which help to find a certificate, are checked for form only: the signature decides, and
// an authority that renews its own certificate keeps its key and name but not its serial number.
func readAuthorityKeyID(value cryptobyte.String) ([]byte, bool) {
	var list, keyID, issuer, serial cryptobyte.String
	var hasKeyID, hasIssuer, hasSerial bool
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() ||
		!list.ReadOptionalASN1(&keyID, &hasKeyID, tag0) ||
		!list.ReadOptionalASN1(&issuer, &hasIssuer, tag1c) ||
		!list.ReadOptionalASN1(&serial, &hasSerial, tag2) || !list.Empty() ||
		hasIssuer != hasSerial || hasKeyID && keyID.Empty() || hasSerial && serial.Empty() {
		return nil, false
	}
	if hasIssuer {
		if _, ok := readGeneralNames(issuer); !ok {
			return nil, false
		}
	}
	return keyID, true
}

// readOIDs reads a non-empty SEQUENCE OF OBJECT IDENTIFIER.
func readOIDs(value cryptobyte.String) (ids []asn1.ObjectIdentifier, ok bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var id asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&id) {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// readWholeNames reads a value that is one GeneralNames.
func readWholeNames(value cryptobyte.String) (generalNames, bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return generalNames{}, false
	}
	return readGeneralNames(list)
}

// distributionPoints is what this package uses of cRLDistributionPoints.
type distributionPoints struct {
	// all has the DER of each directoryName.
	all [][]byte
	// usable has those whose list covers every reason and comes from the certificate's issuer: a point with "reasons" or
	// "cRLIssuer" cannot prove on its own that a certificate is good (RFC 5280, 6.3.3 (b)(1) and (d)).
	usable [][]byte
	// foreign is true when a point is of another form.
	foreign bool
}

// readDistributionPoints reads cRLDistributionPoints (RFC 5280, 4.2.1.13).
func readDistributionPoints(value cryptobyte.String) (p distributionPoints, ok bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() {
		return p, false
	}
	for !list.Empty() {
		var point, name, reasons, issuer cryptobyte.String
		var hasName, hasReasons, hasIssuer bool
		if !list.ReadASN1(&point, cbasn1.SEQUENCE) ||
			!point.ReadOptionalASN1(&name, &hasName, tag0c) ||
			!point.ReadOptionalASN1(&reasons, &hasReasons, tag1) ||
			!point.ReadOptionalASN1(&issuer, &hasIssuer, tag2c) || !point.Empty() ||
			!hasName && !hasIssuer { // "a DistributionPoint MUST NOT consist of only the reasons field"
			return p, false
		}
		if hasIssuer {
			if _, ok := readGeneralNames(issuer); !ok {
				return p, false
			}
		}
		if !hasName {
			p.foreign = true
			continue
		}
		names, relative, ok := readDistributionPointName(name)
		if !ok {
			return p, false
		}
		p.all = append(p.all, names.directory...)
		if relative || hasReasons || hasIssuer || names.foreign || len(names.other) > 0 {
			p.foreign = true
		}
		if !hasReasons && !hasIssuer {
			p.usable = append(p.usable, names.directory...)
		}
	}
	return p, true
}

// readDistributionPointName reads the content of "[0] DistributionPointName": fullName [0], or nameRelativeToCRLIssuer
// [1], which is never matched here.
func readDistributionPointName(content cryptobyte.String) (names generalNames, relative, ok bool) {
	var inner cryptobyte.String
	var tag cbasn1.Tag
	if !content.ReadAnyASN1(&inner, &tag) || !content.Empty() {
		return names, false, false
	}
	switch tag {
	case tag0c:
		names, ok = readGeneralNames(inner)
		return names, false, ok
	case tag1c:
		return names, true, !inner.Empty()
	default:
		return names, false, false
	}
}
