package crl

import (
	"bytes"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// ReasonCode is CRLReason (RFC 5280, 5.3.1), or ReasonCodeAbsent.
type ReasonCode int

// The reasons of RFC 5280, 5.3.1; 7 is not used. Never show one to others than the operators: what happened to a person
// is nobody's business, and a code says less than it seems to.
const (
	ReasonCodeAbsent        ReasonCode = -1
	ReasonCodeUnspecified   ReasonCode = 0
	ReasonCodeKeyCompromise ReasonCode = 1
	ReasonCodeCACompromise  ReasonCode = 2
	ReasonCodeAffiliation   ReasonCode = 3
	ReasonCodeSuperseded    ReasonCode = 4
	ReasonCodeCessation     ReasonCode = 5
	ReasonCodeHold          ReasonCode = 6
	ReasonCodeRemove        ReasonCode = 8 // removeFromCRL, in delta lists only
	ReasonCodePrivilege     ReasonCode = 9
	ReasonCodeAACompromise  ReasonCode = 10
)

// Known reports whether the code is one of RFC 5280, 5.3.1; 7 is not used.
func (r ReasonCode) Known() bool {
	return r >= ReasonCodeUnspecified && r <= ReasonCodeAACompromise && r != 7
}

// Compromise reports whether the reason is that somebody else may have the key: nobody knows since when.
func (r ReasonCode) Compromise() bool {
	return r == ReasonCodeKeyCompromise || r == ReasonCodeCACompromise || r == ReasonCodeAACompromise
}

// Entry is one revoked certificate as the list states it.
type Entry struct {
	// Issuer is the DER of the Name of the certificate's issuer: the list's own, or that of certificateIssuer in an
	// indirect list (RFC 5280, 5.3.3). It is shared: do not change it.
	Issuer []byte
	// Serial has the octets of the serial number's INTEGER.
	Serial []byte
	// RevokedAt is the revocation date.
	RevokedAt time.Time
	// Reason is the CRLReason, or ReasonCodeAbsent.
	Reason ReasonCode
	// InvalidFrom is invalidityDate (RFC 5280, 5.3.2); the zero time when absent.
	InvalidFrom time.Time
	// HoldInstruction is the holdInstructionCode of RFC 3280, 5.3.2, which RFC 5280 no longer has; nil when absent.
	HoldInstruction asn1.ObjectIdentifier

	raw []byte // DER of the entry; nil for a plain one
}

// DER returns the entry as the list has it. Most entries are not kept as bytes, because their
// fields have only one encoding in DER.
func (e *Entry) DER() []byte {
	if e.raw != nil {
		return bytes.Clone(e.raw)
	}
	serial, ok := serialValue(e.Serial)
	if !ok {
		return nil
	}
	return appendPlain(make([]byte, 0, plainMaximum), serial, plainValue(e.RevokedAt, e.Reason))
}

// parsedEntry is an entry with what the parser has to know of it.
type parsedEntry struct {
	Entry

	issuer  []byte // DER of the Name of certificateIssuer; nil when absent
	unknown []asn1.ObjectIdentifier
}

var (
	oidReasonCode        = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidHoldInstruction   = asn1.ObjectIdentifier{2, 5, 29, 23}
	oidInvalidityDate    = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// parseEntry reads the DER of one element of revokedCertificates (RFC 5280, 5.1.2.6 and 5.3).
func parseEntry(raw []byte, oddSerials bool) (e parsedEntry, ok bool) {
	s, content := cryptobyte.String(raw), cryptobyte.String(nil)
	e.raw, e.Reason = raw, ReasonCodeAbsent
	if !s.ReadASN1(&content, cbasn1.SEQUENCE) || !s.Empty() || !content.ReadASN1Bytes(&e.Serial, cbasn1.INTEGER) ||
		!acceptableSerial(e.Serial, oddSerials) {
		return e, false
	}
	if e.RevokedAt, ok = der.ReadTime(&content); !ok {
		return e, false
	}
	if content.Empty() {
		return e, true
	}
	var list cryptobyte.String
	if !content.ReadASN1(&list, cbasn1.SEQUENCE) || !content.Empty() {
		return e, false
	}
	extensions, ok := der.ReadExtensionList(list)
	if !ok {
		return e, false
	}
	return e, e.readExtensions(extensions)
}

// acceptableSerial: RFC 5280, 4.1.2.2 wants positive numbers of at most 20 octets from issuers, and adds "Certificate
// users SHOULD be prepared to gracefully handle such certificates" for negative and zero ones. They are compared by
// their octets, which are minimal, so that -1 is never taken for 255.
func acceptableSerial(octets []byte, odd bool) bool {
	if len(octets) > der.MaxSerial || len(octets) == 0 {
		return false
	}
	if der.Positive(octets) {
		return true
	}
	return odd && (len(octets) == 1 || octets[0] != 0 && (octets[0] != 0xff || octets[1]&0x80 == 0))
}

func (e *parsedEntry) readExtensions(extensions []der.Extension) bool {
	for i := range extensions {
		x := &extensions[i]
		value := x.Value
		switch {
		case x.ID.Equal(oidReasonCode):
			var code int
			if !value.ReadASN1Enum(&code) || !value.Empty() || !ReasonCode(code).Known() {
				return false
			}
			e.Reason = ReasonCode(code)
		case x.ID.Equal(oidInvalidityDate):
			var ok bool
			if e.InvalidFrom, ok = der.ReadGeneralizedTime(&value); !ok || !value.Empty() {
				return false
			}
		case x.ID.Equal(oidHoldInstruction):
			if !value.ReadASN1ObjectIdentifier(&e.HoldInstruction) || !value.Empty() {
				return false
			}
		case x.ID.Equal(oidCertificateIssuer):
			if !e.readIssuer(value) {
				return false
			}
		case x.Critical:
			e.unknown = append(e.unknown, x.ID)
		}
	}
	return true
}

// readIssuer reads certificateIssuer: "one or more distinguished names from the issuer field and/or issuer alternative
// name extension" (RFC 5280, 5.3.3). Exactly one of them must be a directoryName, because certificates are found by the
// DN of their issuer.
func (e *parsedEntry) readIssuer(value cryptobyte.String) bool {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	names, ok := readGeneralNames(list)
	for _, general := range names {
		if name, is := DirectoryName(general); is {
			if e.issuer != nil || len(name) == 2 {
				return false
			}
			e.issuer = name
		}
	}
	return ok && e.issuer != nil
}
