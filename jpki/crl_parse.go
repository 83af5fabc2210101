package jpki

import (
	"bytes"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// revocationList is a parsed complete CRL. Its entries stay in the DER: the index is the offset of each entry, ordered by
// serial number.
type revocationList struct {
	raw, tbs, signature    []byte
	algorithm              *signatureAlgorithm
	issuer                 []byte // DER of the Name
	authorityKeyID         []byte
	number                 []byte // octets of the cRLNumber INTEGER
	thisUpdate, nextUpdate time.Time
	scope                  listScope
	entries                []uint32

	trusted trustMemo
}

// listScope is what IssuingDistributionPoint says (RFC 5280, 5.2.5).
type listScope struct {
	raw         []byte   // DER, nil when the extension is absent
	partitioned bool     // there is a distributionPoint: the list covers only certificates that name it
	points      [][]byte // DER of its directoryNames
	someReasons bool     // onlySomeReasons: absence from the list proves nothing
}

func badList(step, clause string) *Error {
	return &Error{Reason: ReasonList, Step: "crl." + step, Clause: clause}
}

// parseList reads a CRL strictly (RFC 5280, 5.1). crypto/x509 reads the same frame, but it neither looks at critical
// extensions nor at IssuingDistributionPoint. A list that could never decide anything here is refused.
func parseList(der []byte) (*revocationList, error) {
	if len(der) > limits.CRL {
		return nil, badList("size", "")
	}
	l := &revocationList{raw: bytes.Clone(der)}
	input := cryptobyte.String(l.raw)
	var list, tbs cryptobyte.String
	if !input.ReadASN1(&list, cbasn1.SEQUENCE) || !input.Empty() || !list.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return nil, badList("der", "RFC 5280, 5.1")
	}
	l.tbs = tbs
	outer, ok := readAlgorithm(&list)
	if !ok {
		return nil, badList("signature-algorithm", "RFC 5280, 5.1.1.2")
	}
	if l.signature, ok = readBits(&list); !ok || !list.Empty() {
		return nil, badList("signature", "RFC 5280, 5.1.1.3")
	}
	if err := l.parseBody(tbs, outer); err != nil {
		return nil, err
	}
	return l, nil
}

// parseBody reads TBSCertList (RFC 5280, 5.1.2).
func (l *revocationList) parseBody(element cryptobyte.String, outer algorithmIdentifier) error {
	var tbs cryptobyte.String
	var version int
	if !element.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadASN1Integer(&version) || version != 1 {
		return badList("version", "RFC 5280, 5.1.2.1") // v2, because extensions are required
	}
	inner, ok := readAlgorithm(&tbs)
	if !ok || !bytes.Equal(inner.raw, outer.raw) {
		return badList("signature-algorithm", "RFC 5280, 5.1.1.2")
	}
	if l.algorithm = inner.allowed(); l.algorithm == nil {
		return badList("signature-algorithm", "RFC 5280, 5.1.1.2")
	}
	if l.issuer, ok = readName(&tbs); !ok {
		return badList("issuer", "RFC 5280, 5.1.2.3")
	}
	if l.thisUpdate, ok = readTime(&tbs); !ok {
		return badList("this-update", "RFC 5280, 5.1.2.4")
	}
	// 5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs." Without it nobody knows until when
	// the list may be believed.
	if l.nextUpdate, ok = readTime(&tbs); !ok || !l.nextUpdate.After(l.thisUpdate) {
		return badList("next-update", "RFC 5280, 5.1.2.5")
	}
	if tbs.PeekASN1Tag(cbasn1.SEQUENCE) {
		var revoked cryptobyte.String
		if !tbs.ReadASN1(&revoked, cbasn1.SEQUENCE) {
			return badList("entries", "RFC 5280, 5.1.2.6")
		}
		if err := l.parseEntries(revoked); err != nil {
			return err
		}
	}
	var explicit cryptobyte.String
	if !tbs.ReadASN1(&explicit, tag0c) || !tbs.Empty() {
		return badList("extensions", "RFC 5280, 5.1.2.7")
	}
	extensions, ok := readExtensions(explicit)
	if !ok {
		return badList("extensions", "RFC 5280, 5.2")
	}
	return l.parseExtensions(extensions)
}

// parseExtensions reads the CRL extensions (RFC 5280, 5.2): "If a CRL contains a critical extension that the application
// cannot process, then the application MUST NOT use that CRL to determine the status of certificates."
func (l *revocationList) parseExtensions(extensions []extension) error {
	for i := range extensions {
		e := &extensions[i]
		value := e.value
		var ok bool
		switch {
		case e.id.Equal(oidAuthorityKeyID):
			if l.authorityKeyID, ok = readAuthorityKeyID(value); !ok {
				return badList("authority-key-id", "RFC 5280, 5.2.1")
			}
		case e.id.Equal(oidCRLNumber):
			// A zero is allowed (0..MAX) and its octets do not count as positive.
			if !value.ReadASN1Bytes(&l.number, cbasn1.INTEGER) || !value.Empty() || len(l.number) > maxSerial ||
				!positive(l.number) && !bytes.Equal(l.number, []byte{0}) {
				return badList("number", "RFC 5280, 5.2.3")
			}
		case e.id.Equal(oidIssuingDistribution):
			if l.scope, ok = readScope(value); !ok {
				return badList("issuing-distribution-point", "RFC 5280, 5.2.5")
			}
		case e.id.Equal(oidDeltaCRLIndicator):
			return badList("delta", "RFC 5280, 5.2.4")
		case e.critical:
			return badList("critical-extensions", "RFC 5280, 5.2")
		}
	}
	if len(l.authorityKeyID) == 0 {
		return badList("authority-key-id", "RFC 5280, 5.2.1")
	}
	if len(l.number) == 0 {
		return badList("number", "RFC 5280, 5.2.3")
	}
	return nil
}

// readScope reads IssuingDistributionPoint. Lists that say nothing about certificates of people (CA or attribute
// certificates only) and indirect lists, whose entries belong to other issuers, are refused.
func readScope(value cryptobyte.String) (s listScope, ok bool) {
	s.raw = bytes.Clone(value)
	var list, point, reasons cryptobyte.String
	var userOnly, caOnly, indirect, attributeOnly bool
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() ||
		!list.ReadOptionalASN1(&point, &s.partitioned, tag0c) ||
		!readFlag(&list, &userOnly, tag1) || !readFlag(&list, &caOnly, tag2) ||
		!list.ReadOptionalASN1(&reasons, &s.someReasons, tag3) ||
		!readFlag(&list, &indirect, tag4) || !readFlag(&list, &attributeOnly, tag5) || !list.Empty() {
		return s, false
	}
	if caOnly || indirect || attributeOnly {
		return s, false
	}
	if s.partitioned {
		names, relative, ok := readDistributionPointName(point)
		if !ok || relative || len(names.directory) == 0 {
			return s, false
		}
		s.points = names.directory
	}
	return s, true
}

// parseEntries checks every entry and indexes them. All of them, not only the one that is asked for later: "If a CRL
// contains a critical CRL entry extension that the application cannot process, then the application MUST NOT use that CRL
// to determine the status of any certificates" (RFC 5280, 5.3).
func (l *revocationList) parseEntries(revoked cryptobyte.String) error {
	end := cap(l.raw)
	sorted := true
	var last []byte
	for !revoked.Empty() {
		offset := end - cap(revoked) // both slices end with the same array, which gives the position without a counter
		var one cryptobyte.String
		if !revoked.ReadASN1(&one, cbasn1.SEQUENCE) {
			return badList("entries", "RFC 5280, 5.1.2.6")
		}
		serial, _, ok := parseEntry(one)
		if !ok {
			return badList("entries", "RFC 5280, 5.3")
		}
		sorted = sorted && (last == nil || compareInteger(last, serial) < 0)
		last = serial
		l.entries = append(l.entries, uint32(offset)) //nolint:gosec // limits.CRL is far below 4 GiB
	}
	if sorted {
		return nil
	}
	slices.SortFunc(l.entries, func(a, b uint32) int { return compareInteger(l.serialAt(a), l.serialAt(b)) })
	for i := 1; i < len(l.entries); i++ {
		if bytes.Equal(l.serialAt(l.entries[i-1]), l.serialAt(l.entries[i])) {
			return badList("entries", "RFC 5280, 5.1.2.6") // two answers for one certificate
		}
	}
	return nil
}

// parseEntry reads the content of one entry of revokedCertificates.
func parseEntry(s cryptobyte.String) (serial []byte, e event, ok bool) {
	e.reason = reasonAbsent
	if serial, ok = readSerial(&s); !ok {
		return nil, e, false
	}
	if e.date, ok = readTime(&s); !ok {
		return nil, e, false
	}
	if s.Empty() {
		return serial, e, true
	}
	var list cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) || !s.Empty() || list.Empty() || !readEntryExtensions(list, &e) {
		return nil, e, false
	}
	return serial, e, true
}

// Contents of the OIDs of the entry extensions, compared as bytes because a list may have millions of them.
const (
	entryReasonCode        = "\x55\x1d\x15" // 2.5.29.21
	entryInvalidityDate    = "\x55\x1d\x18" // 2.5.29.24
	entryCertificateIssuer = "\x55\x1d\x1d" // 2.5.29.29
)

// readEntryExtensions reads CRL entry extensions; singleExtensions of OCSP may hold the same ones (RFC 6960, 4.4.5).
// certificateIssuer belongs to indirect lists and is refused.
func readEntryExtensions(list cryptobyte.String, e *event) bool {
	seenReason, seenDate := false, false
	for !list.Empty() {
		var one, id, value cryptobyte.String
		var critical bool
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!readFlag(&one, &critical, cbasn1.BOOLEAN) ||
			!one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return false
		}
		switch string(id) {
		case entryReasonCode:
			if seenReason || !value.ReadASN1Enum(&e.reason) || !value.Empty() || !knownReason(e.reason) {
				return false
			}
			seenReason = true
		case entryInvalidityDate:
			var ok bool
			if e.invalidFrom, ok = readGeneralizedTime(&value); !ok || seenDate || !value.Empty() {
				return false
			}
			seenDate = true
		case entryCertificateIssuer:
			return false
		default:
			if critical {
				return false
			}
		}
	}
	return true
}

// knownReason reports whether the code is one of RFC 5280, 5.3.1; 7 is not used.
func knownReason(code int) bool {
	return code >= 0 && code <= reasonAACompromise && code != reasonUnused
}

// entryAt returns the content of the entry at the offset; the list was checked when it was parsed.
func (l *revocationList) entryAt(offset uint32) cryptobyte.String {
	rest := cryptobyte.String(l.raw[offset:])
	var one cryptobyte.String
	rest.ReadASN1(&one, cbasn1.SEQUENCE)
	return one
}

func (l *revocationList) serialAt(offset uint32) []byte {
	one := l.entryAt(offset)
	var serial []byte
	one.ReadASN1Bytes(&serial, cbasn1.INTEGER)
	return serial
}

// lookup finds the entry of a serial number.
func (l *revocationList) lookup(serial []byte) (event, bool) {
	i, found := slices.BinarySearchFunc(l.entries, serial, func(offset uint32, want []byte) int {
		return compareInteger(l.serialAt(offset), want)
	})
	if !found {
		return event{}, false
	}
	_, e, ok := parseEntry(l.entryAt(l.entries[i]))
	return e, ok
}
