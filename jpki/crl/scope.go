package crl

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Reasons is a set of revocation reasons, the ReasonFlags of RFC 5280, 4.2.1.13: bit n of the BIT STRING is 1<<n.
type Reasons uint16

// AllReasons has the eight reasons that a certificate can be revoked for; bit 0 is "unused".
const AllReasons Reasons = 0x1fe

// IssuingDistributionPoint says for which certificates and reasons a list is (RFC 5280, 5.2.5).
type IssuingDistributionPoint struct {
	// Raw is the DER of the extension's value. Two lists have the same scope when it is the same (RFC 5280, 5.2.4).
	Raw []byte
	// Name is distributionPoint; nil when absent.
	Name *DistributionPointName
	// OnlyUserCerts, OnlyCACerts and OnlyAttributeCerts: at most one is true.
	OnlyUserCerts, OnlyCACerts, OnlyAttributeCerts bool
	// OnlySomeReasons has the reasons that the list covers; [AllReasons] when absent. Absence of a certificate from the
	// list says nothing about other reasons.
	OnlySomeReasons Reasons
	// Indirect: entries may be for certificates of other issuers.
	Indirect bool
}

// DistributionPoint is one of the points of freshestCRL (RFC 5280, 4.2.1.13).
type DistributionPoint struct {
	// Name is nil when absent.
	Name *DistributionPointName
	// Reasons is [AllReasons] when absent.
	Reasons Reasons
	// CRLIssuer has the DER of each GeneralName; nil when absent.
	CRLIssuer [][]byte
}

// DistributionPointName is fullName or nameRelativeToCRLIssuer; the other one is nil.
type DistributionPointName struct {
	// FullName has the DER of each GeneralName.
	FullName [][]byte
	// Relative is the content of the RelativeDistinguishedName: the DER of its attributes.
	Relative []byte
}

// Names returns the DER of each GeneralName; a relative name is completed with the DER of the Name of the list's issuer
// (RFC 5280, 4.2.1.13).
func (n *DistributionPointName) Names(issuer []byte) [][]byte {
	if n == nil {
		return nil
	}
	if n.Relative == nil {
		return n.FullName
	}
	s := cryptobyte.String(issuer)
	var name cryptobyte.String
	if !s.ReadASN1(&name, cbasn1.SEQUENCE) {
		return nil
	}
	var b cryptobyte.Builder
	b.AddASN1(der.Tag4C, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(name)
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(n.Relative) })
		})
	})
	full, err := b.Bytes()
	if err != nil {
		return nil
	}
	return [][]byte{full}
}

// ParseScope reads the DER value of issuingDistributionPoint (RFC 5280, 5.2.5). It shares its memory.
func ParseScope(value []byte) (*IssuingDistributionPoint, error) {
	scope, ok := readScope(value)
	if !ok {
		return nil, malformed("issuing-distribution-point", "RFC 5280, 5.2.5")
	}
	return scope, nil
}

// readScope reads IssuingDistributionPoint. An empty one is refused: "Conforming CRLs issuers MUST NOT issue CRLs where
// the DER encoding of the issuing distribution point extension is an empty sequence" (RFC 5280, 5.2.5).
func readScope(value cryptobyte.String) (*IssuingDistributionPoint, bool) {
	s := &IssuingDistributionPoint{Raw: value, OnlySomeReasons: AllReasons}
	var list, point, reasons cryptobyte.String
	var hasPoint, hasReasons bool
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() ||
		!list.ReadOptionalASN1(&point, &hasPoint, der.Tag0C) ||
		!der.ReadFlag(&list, &s.OnlyUserCerts, der.Tag1) || !der.ReadFlag(&list, &s.OnlyCACerts, der.Tag2) ||
		!list.ReadOptionalASN1(&reasons, &hasReasons, der.Tag3) ||
		!der.ReadFlag(
			&list,
			&s.Indirect,
			der.Tag4,
		) || !der.ReadFlag(&list, &s.OnlyAttributeCerts, der.Tag5) || !list.Empty() {
		return nil, false
	}
	// "at most one of onlyContainsUserCerts, onlyContainsCACerts, and onlyContainsAttributeCerts may be set to TRUE"
	if s.OnlyUserCerts && s.OnlyCACerts || s.OnlyUserCerts && s.OnlyAttributeCerts ||
		s.OnlyCACerts && s.OnlyAttributeCerts {
		return nil, false
	}
	var ok bool
	if hasPoint {
		if s.Name, ok = readPointName(point); !ok {
			return nil, false
		}
	}
	if hasReasons {
		if s.OnlySomeReasons, ok = readReasons(reasons); !ok {
			return nil, false
		}
	}
	return s, true
}

// readReasons reads the content of ReasonFlags. DER drops trailing zero bits of a named bit list (ITU-T X.690, 11.2.2).
func readReasons(bits cryptobyte.String) (Reasons, bool) {
	if len(bits) < 1 || len(bits) > 3 || bits[0] > 7 || len(bits) == 1 && bits[0] != 0 {
		return 0, false
	}
	unused, octets := bits[0], bits[1:]
	if len(octets) > 0 {
		last := octets[len(octets)-1]
		if last>>unused<<unused != last || last>>unused&1 == 0 {
			return 0, false
		}
	}
	var out Reasons
	for i := range 8 * len(octets) {
		if octets[i/8]>>(7-i%8)&1 == 1 {
			out |= 1 << i
		}
	}
	return out & AllReasons, true
}

// readPointName reads the content of "[0] DistributionPointName".
func readPointName(content cryptobyte.String) (*DistributionPointName, bool) {
	var inner cryptobyte.String
	var tag cbasn1.Tag
	if !content.ReadAnyASN1(&inner, &tag) || !content.Empty() || inner.Empty() {
		return nil, false
	}
	switch tag { //nolint:exhaustive // the CHOICE has two
	case der.Tag0C:
		names, ok := readGeneralNames(inner)
		return &DistributionPointName{FullName: names}, ok
	case der.Tag1C:
		// The attributes of one RDN, checked like those of a Name.
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(inner) })
		})
		name, err := b.Bytes()
		s := cryptobyte.String(name)
		if err != nil {
			return nil, false
		}
		_, ok := der.ReadName(&s)
		return &DistributionPointName{Relative: inner}, ok
	}
	return nil, false
}

// ParseDistributionPoints reads the DER value of cRLDistributionPoints or freshestCRL (RFC 5280, 4.2.1.13 and
// 4.2.1.15). The points share its memory.
func ParseDistributionPoints(value []byte) ([]DistributionPoint, error) {
	points, ok := readDistributionPoints(value)
	if !ok {
		return nil, malformed("distribution-points", "RFC 5280, 4.2.1.13")
	}
	return points, nil
}

// readDistributionPoints reads the value of freshestCRL.
func readDistributionPoints(value cryptobyte.String) (points []DistributionPoint, ok bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var point, name, reasons, issuer cryptobyte.String
		var hasName, hasReasons, hasIssuer bool
		if len(points) == limits.DistributionPoints || !list.ReadASN1(&point, cbasn1.SEQUENCE) ||
			!point.ReadOptionalASN1(&name, &hasName, der.Tag0C) ||
			!point.ReadOptionalASN1(&reasons, &hasReasons, der.Tag1) ||
			!point.ReadOptionalASN1(&issuer, &hasIssuer, der.Tag2C) || !point.Empty() ||
			!hasName && !hasIssuer { // "a DistributionPoint MUST NOT consist of only the reasons field"
			return nil, false
		}
		p := DistributionPoint{Reasons: AllReasons}
		if hasName {
			if p.Name, ok = readPointName(name); !ok {
				return nil, false
			}
		}
		if hasReasons {
			if p.Reasons, ok = readReasons(reasons); !ok {
				return nil, false
			}
		}
		if hasIssuer {
			if p.CRLIssuer, ok = readGeneralNames(issuer); !ok {
				return nil, false
			}
		}
		points = append(points, p)
	}
	return points, true
}

// readGeneralNames reads the content of GeneralNames (RFC 5280, 4.2.1.6) and returns the DER of each; only the form of
// directoryNames is looked into.
func readGeneralNames(list cryptobyte.String) (names [][]byte, ok bool) {
	if list.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var name cryptobyte.String
		var tag cbasn1.Tag
		if len(names) == limits.GeneralNames || !list.ReadAnyASN1Element(&name, &tag) {
			return nil, false
		}
		switch tag {
		case der.Tag0C, der.Tag3C, der.Tag5C, der.Tag1, der.Tag2, der.Tag6, der.Tag7, der.Tag8:
		case der.Tag4C: // EXPLICIT, because Name is a CHOICE
			if _, ok := DirectoryName(name); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// DirectoryName returns the DER of the Name in the DER of a GeneralName, if it is a directoryName.
func DirectoryName(general []byte) ([]byte, bool) {
	s := cryptobyte.String(general)
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.Tag4C) || !s.Empty() {
		return nil, false
	}
	name, ok := der.ReadName(&content)
	return name, ok && content.Empty()
}
