package jpki

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/crl"
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
	// all has the DER of each directoryName of a distributionPoint.
	all [][]byte
	// points are the distribution points with names that are understood and, last, the one that RFC 5280, 6.3.3 assumes for
	// "any available CRLs not specified in a distribution point but issued by the certificate issuer".
	points []leafPoint
	// issuers are the names of all list issuers among points.
	issuers [][]byte
	// foreign is true when there is a name of another form.
	foreign bool
}

// leafPoint is one distribution point. Names are DER.
type leafPoint struct {
	names   [][]byte    // empty when distributionPoint is absent
	issuers [][]byte    // of cRLIssuer; empty when absent: the issuer of the certificate
	reasons crl.Reasons // that its lists cover
}

// readDistributionPoints reads cRLDistributionPoints (RFC 5280, 4.2.1.13). A name relative to the issuer is completed with
// cRLIssuer or, without it, with the issuer of the certificate.
func readDistributionPoints(value cryptobyte.String, issuer []byte) (p distributionPoints, ok bool) {
	list, err := crl.ParseDistributionPoints(value)
	if err != nil {
		return p, false
	}
	for _, point := range list {
		one := leafPoint{reasons: point.Reasons}
		var foreign bool
		one.issuers, foreign = directoryNames(point.CRLIssuer)
		p.foreign = p.foreign || foreign
		base := issuer
		if len(one.issuers) > 0 {
			base = one.issuers[0]
		}
		one.names, foreign = directoryNames(point.Name.Names(base))
		p.foreign = p.foreign || foreign
		p.all = append(p.all, one.names...)
		// A point whose list nobody here can find must not be taken for one without a name or an issuer.
		if (point.Name == nil || len(one.names) > 0) && (point.CRLIssuer == nil || len(one.issuers) > 0) {
			p.points = append(p.points, one)
		}
	}
	return p, true
}

// complete adds the point that is assumed, and collects the issuers.
func (p *distributionPoints) complete(issuer []byte) {
	p.points = append(p.points, leafPoint{reasons: crl.AllReasons})
	p.issuers = [][]byte{issuer}
	for i := range p.points {
		p.issuers = append(p.issuers, p.points[i].issuers...)
	}
}

// directoryNames returns the DER of each Name among GeneralNames; foreign is true when there are names of other forms.
func directoryNames(general [][]byte) (names [][]byte, foreign bool) {
	for _, g := range general {
		if name, ok := crl.DirectoryName(g); ok {
			names = append(names, name)
		} else {
			foreign = true
		}
	}
	return names, foreign
}
