package certpath

import (
	"context"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// revocationList is a list with the names of its header in the form in which they are compared.
type revocationList struct {
	unverified *crl.Unverified
	header     *crl.Header
	issuer     *name
	points     []generalName // distributionPoint of issuingDistributionPoint
	hasPoint   bool
	memo       atomic.Pointer[signedList]
}

// signedList is a list and the key with which its signature was verified. A signature that verified once always does, so that
// it is verified once and not for every certificate.
type signedList struct {
	keyID [sha256.Size]byte
	list  *crl.List
}

// signedBy verifies the signature of the list with the key of the signer, which may be anybody's.
func (l *revocationList) signedBy(ctx context.Context, signer *Certificate) *crl.List {
	if known := l.memo.Load(); known != nil {
		if known.keyID == signer.keyID {
			return known.list
		}
		return nil // package crl verifies a list with one key only
	}
	// A list whose index was left half-made is lost for every later call, so that the end of this one must not stop it.
	verified, err := l.unverified.Verify(context.WithoutCancel(ctx), signer.key.Key)
	if err != nil {
		return nil
	}
	l.memo.Store(&signedList{signer.keyID, verified})
	return verified
}

func newestFirst(a, b *revocationList) int {
	if n := crl.CompareNumbers(b.header.Number, a.header.Number); n != 0 {
		return n
	}
	return b.header.ThisUpdate.Compare(a.header.ThisUpdate)
}

func newRevocationList(u *crl.Unverified) (*revocationList, bool) {
	l := &revocationList{unverified: u, header: u.Header()}
	s := cryptobyte.String(l.header.Issuer)
	var ok bool
	if l.issuer, ok = readName(&s); !ok || !s.Empty() || l.issuer.empty() {
		return nil, false
	}
	if scope := l.header.Scope; scope != nil && scope.Name != nil {
		l.hasPoint = true
		for _, raw := range scope.Name.Names(l.header.Issuer) {
			one := cryptobyte.String(raw)
			g, ok := readGeneralName(&one)
			if !ok || !one.Empty() {
				return nil, false
			}
			l.points = append(l.points, g)
		}
		if len(l.points) == 0 {
			return nil, false
		}
	}
	return l, true
}

func (l *revocationList) indirect() bool { return l.header.Scope != nil && l.header.Scope.Indirect }

// reasons is interim_reasons_mask (RFC 5280, 6.3.3 (d)).
func (l *revocationList) reasons(p *distributionPoint) reasonMask {
	mask := allReasons
	if l.header.Scope != nil {
		mask = reasonMask(l.header.Scope.OnlySomeReasons) & allReasons
	}
	if p.hasReasons {
		mask &= p.reasons
	}
	return mask
}

// covers is RFC 5280, 6.3.3 (b)(2)(i): "If the distribution point name is present in the IDP CRL extension and the
// distribution field is present in the DP, then verify that one of the names in the IDP matches one of the names in the DP. If
// the distribution point name is present in the IDP CRL extension and the distribution field is omitted from the DP, then
// verify that one of the names in the IDP matches one of the names in the cRLIssuer field of the DP."
func (l *revocationList) covers(p *distributionPoint, issuer *name) bool {
	if !l.hasPoint {
		return true
	}
	names := p.full
	switch {
	case !p.hasName:
		names = p.issuers
	case p.relative != "":
		// The name is relative to the issuer of the list, which is the certificate's unless cRLIssuer says otherwise.
		base := issuer
		if len(p.issuers) > 0 {
			if len(p.issuers) != 1 || p.issuers[0].form != formDirectory {
				return false // "nameRelativeToCRLIssuer MUST NOT be used when cRLIssuer contains more than one distinguished name"
			}
			base = p.issuers[0].directory
		}
		full := base.extend(p.relative)
		names = []generalName{{form: formDirectory, directory: full, key: full.key}}
	}
	for i := range names {
		for j := range l.points {
			if names[i].equal(&l.points[j]) {
				return true
			}
		}
	}
	return false
}

// scopeFits is RFC 5280, 6.3.3 (b)(2)(ii) to (iv).
func (l *revocationList) scopeFits(c *Certificate) bool {
	scope := l.header.Scope
	switch {
	case scope == nil:
		return true
	case scope.OnlyAttributeCerts:
		return false
	case c.basic.ca:
		return !scope.OnlyUserCerts
	default:
		return !scope.OnlyCACerts
	}
}

// fresh reports whether the list says something about the time. A list without nextUpdate does not (RFC 5280, 5.1.2.5).
func fresh(h *crl.Header, at time.Time) bool {
	return !at.Before(h.ThisUpdate) && !h.NextUpdate.IsZero() && at.Before(h.NextUpdate)
}
