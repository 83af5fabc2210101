package form

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
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
// issuer name and serial number, which help to find a certificate, are checked for form only: the signature decides,
// and an authority that renews its own certificate keeps its key and name but not its serial number.
func readAuthorityKeyID(value cryptobyte.String) ([]byte, bool) {
	var list, keyID, issuer, serial cryptobyte.String
	var hasKeyID, hasIssuer, hasSerial bool
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() ||
		!list.ReadOptionalASN1(&keyID, &hasKeyID, der.Tag0) ||
		!list.ReadOptionalASN1(&issuer, &hasIssuer, der.Tag1C) ||
		!list.ReadOptionalASN1(&serial, &hasSerial, der.Tag2) || !list.Empty() ||
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

// Points is what is used of cRLDistributionPoints.
type Points struct {
	// Directory has the DER of each directoryName of a distributionPoint.
	Directory [][]byte
	// List has the distribution points with names that are understood and, last, the one that RFC 5280, 6.3.3 assumes
	// for "any available CRLs not specified in a distribution point but issued by the certificate issuer".
	List []Point
	// Issuers are the names of all list issuers among the points.
	Issuers [][]byte
	// Foreign is true when there is a name of another form.
	Foreign bool
	// Relative is true when there is a nameRelativeToCRLIssuer.
	Relative bool
}

// Point is one distribution point. Names are DER.
type Point struct {
	Names   [][]byte    // empty when distributionPoint is absent
	Issuers [][]byte    // of cRLIssuer; empty when absent: the issuer of the certificate
	Reasons crl.Reasons // that its lists cover
}

// ReadPoints reads cRLDistributionPoints (RFC 5280, 4.2.1.13). A name relative to the issuer is completed with
// cRLIssuer or, without it, with the issuer of the certificate.
func ReadPoints(value, issuer []byte) (p Points, ok bool) {
	list, err := crl.ParseDistributionPoints(value)
	if err != nil {
		return p, false
	}
	p.List = make([]Point, 0, len(list)+1) // and the one of Complete
	for _, point := range list {
		one := Point{Reasons: point.Reasons}
		var foreign bool
		one.Issuers, foreign = DirectoryNames(point.CRLIssuer)
		p.Foreign = p.Foreign || foreign
		p.Relative = p.Relative || point.Name != nil && point.Name.Relative != nil
		base := issuer
		if len(one.Issuers) > 0 {
			base = one.Issuers[0]
		}
		one.Names, foreign = DirectoryNames(point.Name.Names(base))
		p.Foreign = p.Foreign || foreign
		if p.Directory == nil {
			p.Directory = one.Names[:len(one.Names):len(one.Names)]
		} else {
			p.Directory = append(p.Directory, one.Names...)
		}
		// A point whose list nobody here can find must not be taken for one without a name or an issuer.
		if (point.Name == nil || len(one.Names) > 0) && (point.CRLIssuer == nil || len(one.Issuers) > 0) {
			p.List = append(p.List, one)
		}
	}
	return p, true
}

// Complete adds the point that is assumed, and collects the issuers.
func (p *Points) Complete(issuer []byte) {
	p.List = append(p.List, Point{Reasons: crl.AllReasons})
	p.Issuers = [][]byte{issuer}
	for i := range p.List {
		p.Issuers = append(p.Issuers, p.List[i].Issuers...)
	}
}

// DirectoryNames returns the DER of each Name among GeneralNames; foreign is true when there are names of other forms.
func DirectoryNames(general [][]byte) (names [][]byte, foreign bool) {
	if len(general) > 0 {
		names = make([][]byte, 0, len(general))
	}
	for _, g := range general {
		if name, ok := crl.DirectoryName(g); ok {
			names = append(names, name)
		} else {
			foreign = true
		}
	}
	return names, foreign
}

func containsOID(list []asn1.ObjectIdentifier, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(list, id.Equal)
}
