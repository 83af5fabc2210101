package crl

import (
	"bytes"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Header is everything of a list but its entries. Slices are shared: do not change them. Numbers are the octets of
// their INTEGER, minimal and without sign, to be compared with [CompareNumbers].
type Header struct {
	// Version is 2, or 1 for a list without extensions.
	Version int
	// SignatureAlgorithm is the OID of the signature algorithm, one of the allow-list.
	SignatureAlgorithm asn1.ObjectIdentifier
	// Issuer is the DER of the issuer's Name.
	Issuer []byte
	// ThisUpdate is the issue date (RFC 5280, 5.1.2.4).
	ThisUpdate time.Time
	// NextUpdate is the date by which the next list will be issued; the zero time when absent, which RFC 5280, 5.1.2.5
	// forbids to issuers: such a list must not be believed for any length of time.
	NextUpdate time.Time
	// Number is cRLNumber (RFC 5280, 5.2.3), 0 to 20 octets of value; nil when absent.
	Number []byte
	// NumberCritical is true for a critical cRLNumber, which RFC 5280, 5.2.3 forbids to issuers.
	NumberCritical bool
	// BaseNumber is the BaseCRLNumber of deltaCRLIndicator (RFC 5280, 5.2.4); nil for a complete list.
	BaseNumber []byte
	// AuthorityKeyID is the keyIdentifier of authorityKeyIdentifier (RFC 5280, 5.2.1); nil when absent.
	AuthorityKeyID []byte
	// AuthorityCertIssuer has the DER of each GeneralName of authorityCertIssuer, and AuthorityCertSerial the octets of
	// authorityCertSerialNumber; both nil when absent.
	AuthorityCertIssuer [][]byte
	AuthorityCertSerial []byte
	// Scope is issuingDistributionPoint (RFC 5280, 5.2.5); nil when absent: the list is for every certificate and
	// reason.
	Scope *IssuingDistributionPoint
	// FreshestCRL has the points of freshestCRL (RFC 5280, 5.2.6), where delta lists are found.
	FreshestCRL []DistributionPoint
	// UnknownCritical has the critical extensions of the list and of its entries that are not understood. Such a list
	// cannot be verified into a [List]: "the application MUST NOT use that CRL to determine the status of certificates"
	// (RFC 5280, 5.2 and 5.3).
	UnknownCritical []asn1.ObjectIdentifier
}

// IsDelta reports whether the list holds only changes since BaseNumber.
func (h *Header) IsDelta() bool { return h.BaseNumber != nil }

// CompareNumbers orders two numbers of lists: -1, 0 or +1. nil comes before every number.
func CompareNumbers(a, b []byte) int {
	switch n := der.CompareInteger(a, b); {
	case n < 0:
		return -1
	case n > 0:
		return +1
	}
	return 0
}

// frame is the list without its entries, as it is kept in an index file.
type frame struct {
	head      []byte // TBSCertList from version to nextUpdate
	tail      []byte // crlExtensions, "[0]" included; nil when absent
	outer     []byte // signatureAlgorithm
	signature []byte // signatureValue, the BIT STRING
}

// body is a parsed frame.
type body struct {
	Header

	algorithm *sigalg.Algorithm
	inner     []byte // AlgorithmIdentifier as encoded
	signature []byte
}

// parseHead reads version, signature, issuer, thisUpdate and nextUpdate (RFC 5280, 5.1.2).
func (b *body) parseHead(head cryptobyte.String) error {
	b.Version = 1
	if head.PeekASN1Tag(cbasn1.INTEGER) {
		var version int
		if !head.ReadASN1Integer(&version) || version != 1 {
			return malformed("version", "RFC 5280, 5.1.2.1")
		}
		b.Version = 2
	}
	inner, ok := sigalg.Read(&head)
	if !ok {
		return malformed("signature-algorithm", "RFC 5280, 5.1.1.2")
	}
	if b.algorithm = inner.Allowed(); b.algorithm == nil {
		return &Error{Reason: ReasonAlgorithm, Step: "crl.signature-algorithm", Clause: "RFC 5280, 5.1.1.2"}
	}
	b.inner, b.SignatureAlgorithm = inner.Raw, inner.ID
	// 5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name (DN)."
	if b.Issuer, ok = der.ReadName(&head); !ok || len(b.Issuer) == 2 {
		return malformed("issuer", "RFC 5280, 5.1.2.3")
	}
	if b.ThisUpdate, ok = der.ReadTime(&head); !ok {
		return malformed("this-update", "RFC 5280, 5.1.2.4")
	}
	if head.Empty() {
		return nil
	}
	if b.NextUpdate, ok = der.ReadTime(&head); !ok || !head.Empty() || !b.NextUpdate.After(b.ThisUpdate) {
		return malformed("next-update", "RFC 5280, 5.1.2.5")
	}
	return nil
}

// parseTail reads the extensions, the outer algorithm and the signature.
func (b *body) parseTail(f *frame) error {
	outer := cryptobyte.String(f.outer)
	if id, ok := sigalg.Read(&outer); !ok || !outer.Empty() || !bytes.Equal(id.Raw, b.inner) {
		return malformed("signature-algorithm", "RFC 5280, 5.1.1.2")
	}
	bits := cryptobyte.String(f.signature)
	var ok bool
	if b.signature, ok = der.ReadBits(&bits); !ok || !bits.Empty() {
		return malformed("signature", "RFC 5280, 5.1.1.3")
	}
	if f.tail == nil {
		return nil
	}
	// 5.1.2.1: "When extensions are used, as required by this profile, this field MUST be present and MUST specify
	// version 2".
	if b.Version != 2 {
		return malformed("version", "RFC 5280, 5.1.2.1")
	}
	tail := cryptobyte.String(f.tail)
	var explicit cryptobyte.String
	if !tail.ReadASN1(&explicit, der.Tag0C) || !tail.Empty() {
		return malformed("extensions", "RFC 5280, 5.1.2.7")
	}
	extensions, ok := der.ReadExtensions(explicit)
	if !ok {
		return malformed("extensions", "RFC 5280, 5.2")
	}
	return b.parseExtensions(extensions)
}

var (
	oidCRLNumber           = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidDeltaCRLIndicator   = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistribution = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidAuthorityKeyID      = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidFreshestCRL         = asn1.ObjectIdentifier{2, 5, 29, 46}
)

// parseExtensions reads the extensions of the list (RFC 5280, 5.2). What the RFC says of their criticality binds
// issuers; a known extension is processed whether it is marked or not, because ignoring one could only make a list say
// more.
func (b *body) parseExtensions(extensions []der.Extension) error {
	for i := range extensions {
		e := &extensions[i]
		var ok bool
		switch {
		case e.ID.Equal(oidAuthorityKeyID):
			if !b.readAuthorityKeyID(e.Value) {
				return malformed("authority-key-id", "RFC 5280, 5.2.1")
			}
		case e.ID.Equal(oidCRLNumber):
			b.NumberCritical = e.Critical
			if b.Number, ok = readNumber(e.Value); !ok {
				return malformed("number", "RFC 5280, 5.2.3")
			}
		case e.ID.Equal(oidDeltaCRLIndicator):
			if b.BaseNumber, ok = readNumber(e.Value); !ok {
				return malformed("delta", "RFC 5280, 5.2.4")
			}
		case e.ID.Equal(oidIssuingDistribution):
			if b.Scope, ok = readScope(e.Value); !ok {
				return malformed("issuing-distribution-point", "RFC 5280, 5.2.5")
			}
		case e.ID.Equal(oidFreshestCRL):
			if b.FreshestCRL, ok = readDistributionPoints(e.Value); !ok {
				return malformed("freshest-crl", "RFC 5280, 5.2.6")
			}
		case e.Critical:
			b.UnknownCritical = append(b.UnknownCritical, e.ID)
		}
	}
	// 5.2.4: a delta list has a number of its own, above the number of its base.
	if b.BaseNumber != nil && (b.Number == nil || CompareNumbers(b.Number, b.BaseNumber) <= 0) {
		return malformed("delta", "RFC 5280, 5.2.4")
	}
	return nil
}

// readNumber reads an INTEGER (0..MAX) of at most 20 octets (RFC 5280, 5.2.3).
func readNumber(value cryptobyte.String) ([]byte, bool) {
	var octets []byte
	ok := value.ReadASN1Bytes(&octets, cbasn1.INTEGER) && value.Empty() && len(octets) <= der.MaxSerial &&
		(der.Positive(octets) || len(octets) == 1 && octets[0] == 0)
	return octets, ok
}

// readAuthorityKeyID reads authorityKeyIdentifier (RFC 5280, 4.2.1.1); issuer and serial number come together or not at
// all.
func (b *body) readAuthorityKeyID(value cryptobyte.String) bool {
	var list, keyID, issuer, serial cryptobyte.String
	var hasKeyID, hasIssuer, hasSerial bool
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() ||
		!list.ReadOptionalASN1(&keyID, &hasKeyID, der.Tag0) ||
		!list.ReadOptionalASN1(&issuer, &hasIssuer, der.Tag1C) ||
		!list.ReadOptionalASN1(&serial, &hasSerial, der.Tag2) || !list.Empty() ||
		hasIssuer != hasSerial || hasKeyID && keyID.Empty() || hasSerial && serial.Empty() {
		return false
	}
	if hasIssuer {
		names, ok := readGeneralNames(issuer)
		if !ok {
			return false
		}
		b.AuthorityCertIssuer, b.AuthorityCertSerial = names, serial
	}
	b.AuthorityKeyID = keyID
	return true
}
