package names

import (
	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// Point is one DistributionPoint (RFC 5280, 4.2.1.13).
type Point struct {
	HasName  bool
	Full     []General // fullName
	Relative string    // canonical RDN of nameRelativeToCRLIssuer; "" when absent
	Reasons  crl.Reasons
	Issuers  []General // cRLIssuer; empty when absent: the issuer of the certificate
}

// ReadPoints reads the value of cRLDistributionPoints or freshestCRL.
func ReadPoints(value cryptobyte.String) (points []Point, ok bool) {
	list, err := crl.ParseDistributionPoints(value)
	if err != nil {
		return nil, false
	}
	for _, one := range list {
		p := Point{HasName: one.Name != nil, Reasons: one.Reasons}
		switch {
		case one.Name == nil:
			ok = true
		case one.Name.Relative != nil:
			p.Relative, ok = new(Name).readRDN(one.Name.Relative)
		default:
			p.Full, ok = generals(one.Name.FullName)
		}
		if !ok {
			return nil, false
		}
		if p.Issuers, ok = generals(one.CRLIssuer); !ok {
			return nil, false
		}
		points = append(points, p)
	}
	return points, true
}

// generals reads the DER of each GeneralName.
func generals(raw [][]byte) (out []General, ok bool) {
	for _, one := range raw {
		s := cryptobyte.String(one)
		g, ok := ReadGeneral(&s)
		if !ok || !s.Empty() {
			return nil, false
		}
		out = append(out, g)
	}
	return out, true
}

// Names reports whether one of the names of the point is one of those of a list, RFC 5280, 6.3.3 (b)(2)(i): "If the
// distribution point name is present in the IDP CRL extension and the distribution field is present in the DP, then
// verify that one of the names in the IDP matches one of the names in the DP. If the distribution point name is present
// in the IDP CRL extension and the distribution field is omitted from the DP, then verify that one of the names in the
// IDP matches one of the names in the cRLIssuer field of the DP." issuer is that of the certificate.
func (p *Point) Names(list []General, issuer *Name) bool {
	own := p.Full
	switch {
	case !p.HasName:
		own = p.Issuers
	case p.Relative != "":
		// The name is relative to the issuer of the list, which is the certificate's unless cRLIssuer says otherwise.
		base := issuer
		if len(p.Issuers) > 0 {
			if len(p.Issuers) != 1 || p.Issuers[0].Form != FormDirectory {
				// "nameRelativeToCRLIssuer MUST NOT be used when cRLIssuer contains more than one distinguished name"
				return false
			}
			base = p.Issuers[0].Directory
		}
		own = []General{ofName(base.Extend(p.Relative))}
	}
	for i := range own {
		for j := range list {
			if own[i].Equal(&list[j]) {
				return true
			}
		}
	}
	return false
}

// Assumed is the point that RFC 5280, 6.3.3 assumes for lists that no point of the certificate names: "assume a DP with
// both the reasons and the cRLIssuer fields omitted and a distribution point name of the certificate issuer".
func Assumed(issuer *Name) Point {
	return Point{HasName: true, Full: []General{ofName(issuer)}, Reasons: crl.AllReasons}
}

func ofName(n *Name) General { return General{Form: FormDirectory, Directory: n, Key: n.Key} }

// ListNames reads the names of a list's issuing distribution point; nil when it has none.
func ListNames(h *crl.Header) (out []General, ok bool) {
	if h.Scope == nil || h.Scope.Name == nil {
		return nil, true
	}
	out, ok = generals(h.Scope.Name.Names(h.Issuer))
	return out, ok && len(out) > 0
}
