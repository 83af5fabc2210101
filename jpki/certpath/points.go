package certpath

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// distributionPoint is one DistributionPoint (RFC 5280, 4.2.1.13).
type distributionPoint struct {
	hasName    bool
	full       []generalName // fullName
	relative   string        // canonical RDN of nameRelativeToCRLIssuer; "" when absent
	hasReasons bool
	reasons    reasonMask
	issuers    []generalName // cRLIssuer
}

func readDistributionPoints(value cryptobyte.String) (points []distributionPoint, ok bool) {
	list, ok := whole(value)
	if !ok || list.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var point, pointName, issuer cryptobyte.String
		var p distributionPoint
		var hasIssuer bool
		if !list.ReadASN1(&point, cbasn1.SEQUENCE) || !point.ReadOptionalASN1(&pointName, &p.hasName, der.Tag0C) {
			return nil, false
		}
		if p.hasReasons = point.PeekASN1Tag(der.Tag1); p.hasReasons {
			if p.reasons, ok = readReasons(&point, der.Tag1); !ok {
				return nil, false
			}
		}
		if !point.ReadOptionalASN1(&issuer, &hasIssuer, der.Tag2C) || !point.Empty() ||
			!p.hasName && !hasIssuer || // "a DistributionPoint MUST NOT consist of only the reasons field"
			len(points) >= limits.DistributionPoints {
			return nil, false
		}
		if p.hasName {
			if p.full, p.relative, ok = readPointName(pointName); !ok {
				return nil, false
			}
		}
		if hasIssuer {
			if p.issuers, ok = readGeneralNames(issuer); !ok {
				return nil, false
			}
		}
		points = append(points, p)
	}
	return points, true
}

// readPointName reads the content of "[0] DistributionPointName".
func readPointName(content cryptobyte.String) (full []generalName, relative string, ok bool) {
	var inner cryptobyte.String
	var tag cbasn1.Tag
	if !content.ReadAnyASN1(&inner, &tag) || !content.Empty() {
		return nil, "", false
	}
	switch tag {
	case der.Tag0C:
		full, ok = readGeneralNames(inner)
	case der.Tag1C:
		relative, ok = new(name).readRDN(inner)
	default:
	}
	return full, relative, ok
}

// reasonMask is a set of revocation reasons: bit i is bit i of ReasonFlags (RFC 5280, 4.2.1.13).
type reasonMask uint16

// allReasons are bits 1 to 8; bit 0 is unused. Lists that say nothing about reasons cover all of them.
const allReasons reasonMask = 0x1fe

// readReasons reads ReasonFlags with an implicit tag.
func readReasons(s *cryptobyte.String, tag cbasn1.Tag) (mask reasonMask, ok bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, tag) || len(content) < 2 || len(content) > 3 || content[0] > 7 {
		return 0, false
	}
	unused := content[0]
	if content[len(content)-1]&(1<<unused-1) != 0 {
		return 0, false
	}
	for i, b := range content[1:] {
		for bit := range 8 {
			if b&(0x80>>bit) != 0 {
				mask |= 1 << (8*i + bit)
			}
		}
	}
	return mask & allReasons, true
}
