package jpki

import (
	"bytes"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// ocspResponse is a BasicOCSPResponse with its responses.
type ocspResponse struct {
	tbs, signature  []byte
	algorithm       *signatureAlgorithm
	responderName   []byte // DER of the Name; nil when byKey
	responderKey    []byte // KeyHash; nil when byName
	producedAt      time.Time
	singles         []singleResponse
	nonce           []byte
	unknownCritical bool
	certificates    [][]byte // DER
}

// singleResponse is SingleResponse (RFC 6960, 4.2.1).
type singleResponse struct {
	id                     certID
	status                 Status
	event                  event
	thisUpdate, nextUpdate time.Time
	unknownCritical        bool
}

func badResponse(step, clause string) *Error {
	return &Error{Reason: ReasonResponse, Step: "ocsp." + step, Clause: clause}
}

// parseResponse reads an OCSPResponse strictly. A response without a body is the responder's refusal.
func parseResponse(der []byte) (*ocspResponse, error) {
	if len(der) > limits.OCSPResponse {
		return nil, badResponse("size", "")
	}
	input := cryptobyte.String(der)
	var outer, explicit, bytesOf cryptobyte.String
	var status int
	var hasBody bool
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&status) ||
		!outer.ReadOptionalASN1(&explicit, &hasBody, tag0c) || !outer.Empty() {
		return nil, badResponse("der", "RFC 6960, 4.2.1")
	}
	if status != 0 {
		return nil, responderError(status, hasBody)
	}
	var kind, octets cryptobyte.String
	if !hasBody || !explicit.ReadASN1(&bytesOf, cbasn1.SEQUENCE) || !explicit.Empty() ||
		!bytesOf.ReadASN1Element(&kind, cbasn1.OBJECT_IDENTIFIER) ||
		!bytesOf.ReadASN1(&octets, cbasn1.OCTET_STRING) || !bytesOf.Empty() {
		return nil, badResponse("der", "RFC 6960, 4.2.1")
	}
	var id = oidOCSPBasic[:0:0]
	if !kind.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidOCSPBasic) {
		return nil, badResponse("type", "RFC 6960, 4.2.1")
	}
	return parseBasicResponse(octets)
}

// responderError maps OCSPResponseStatus (RFC 6960, 4.2.1). The status is not signed, so it can only ever mean Unknown.
func responderError(status int, hasBody bool) error {
	e := &Error{Step: "ocsp.response-status", Clause: "RFC 6960, 2.3"}
	switch {
	case hasBody:
		e.Reason = ReasonResponse
	case status == 2 || status == 3: // internalError, tryLater
		e.Reason = ReasonResponderUnavailable
	case status == 1 || status == 5 || status == 6: // malformedRequest, sigRequired, unauthorized
		e.Reason = ReasonResponderRefused
	default:
		e.Reason = ReasonResponse
	}
	return e
}

func parseBasicResponse(octets cryptobyte.String) (*ocspResponse, error) {
	r := &ocspResponse{}
	var basic, tbs, explicit, list cryptobyte.String
	var hasCertificates bool
	if !octets.ReadASN1(&basic, cbasn1.SEQUENCE) || !octets.Empty() || !basic.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return nil, badResponse("der", "RFC 6960, 4.2.1")
	}
	r.tbs = tbs
	algorithm, ok := readAlgorithm(&basic)
	if !ok {
		return nil, badResponse("signature-algorithm", "RFC 6960, 4.2.1")
	}
	if r.algorithm = algorithm.allowed(); r.algorithm == nil {
		return nil, badResponse("signature-algorithm", "RFC 6960, 4.3")
	}
	if r.signature, ok = readBits(&basic); !ok {
		return nil, badResponse("signature", "RFC 6960, 4.2.1")
	}
	if !basic.ReadOptionalASN1(&explicit, &hasCertificates, tag0c) || !basic.Empty() {
		return nil, badResponse("der", "RFC 6960, 4.2.1")
	}
	if hasCertificates {
		if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
			return nil, badResponse("certificates", "RFC 6960, 4.2.1")
		}
		for !list.Empty() {
			var one cryptobyte.String
			if !list.ReadASN1Element(&one, cbasn1.SEQUENCE) || len(r.certificates) == limits.OCSPCertificates {
				return nil, badResponse("certificates", "RFC 6960, 4.2.1")
			}
			r.certificates = append(r.certificates, one)
		}
	}
	if err := r.parseData(tbs); err != nil {
		return nil, err
	}
	return r, nil
}

// parseData reads ResponseData.
func (r *ocspResponse) parseData(element cryptobyte.String) error {
	var data, explicit, responses cryptobyte.String
	var version int
	var present bool
	if !element.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadOptionalASN1(&explicit, &present, tag0c) {
		return badResponse("der", "RFC 6960, 4.2.1")
	}
	if present && (!explicit.ReadASN1Integer(&version) || !explicit.Empty() || version != 0) {
		return badResponse("version", "RFC 6960, 4.2.1")
	}
	if !r.readResponderID(&data) {
		return badResponse("responder-id", "RFC 6960, 4.2.2.3")
	}
	var ok bool
	if r.producedAt, ok = readGeneralizedTime(&data); !ok {
		return badResponse("produced-at", "RFC 6960, 4.2.2.1")
	}
	if !data.ReadASN1(&responses, cbasn1.SEQUENCE) || responses.Empty() {
		return badResponse("der", "RFC 6960, 4.2.1")
	}
	for !responses.Empty() {
		var one cryptobyte.String
		if !responses.ReadASN1(&one, cbasn1.SEQUENCE) {
			return badResponse("der", "RFC 6960, 4.2.1")
		}
		single, ok := readSingle(one)
		if !ok {
			return badResponse("single-response", "RFC 6960, 4.2.1")
		}
		r.singles = append(r.singles, single)
	}
	if !data.ReadOptionalASN1(&explicit, &present, tag1c) || !data.Empty() {
		return badResponse("der", "RFC 6960, 4.2.1")
	}
	if !present {
		return nil
	}
	extensions, ok := readExtensions(explicit)
	if !ok {
		return badResponse("response-extensions", "RFC 6960, 4.4")
	}
	for i := range extensions {
		e := &extensions[i]
		value := e.Value
		switch {
		case e.ID.Equal(oidOCSPNonce):
			// RFC 9654, 2.1: OCTET STRING (SIZE(1..128)).
			if !value.ReadASN1Bytes(&r.nonce, cbasn1.OCTET_STRING) || !value.Empty() || len(r.nonce) < 1 || len(r.nonce) > 128 {
				return badResponse("nonce", "RFC 9654, 2.1")
			}
		case e.Critical:
			r.unknownCritical = true
		}
	}
	return nil
}

// readResponderID reads "CHOICE { byName [1] Name, byKey [2] KeyHash }", both explicitly tagged.
func (r *ocspResponse) readResponderID(s *cryptobyte.String) bool {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return false
	}
	var ok bool
	switch tag {
	case tag1c:
		r.responderName, ok = readName(&content)
	case tag2c:
		ok = content.ReadASN1Bytes(&r.responderKey, cbasn1.OCTET_STRING) && len(r.responderKey) > 0
	default:
		ok = false
	}
	return ok && content.Empty()
}

func readSingle(s cryptobyte.String) (r singleResponse, ok bool) {
	var id, content, explicit cryptobyte.String
	var tag cbasn1.Tag
	var present bool
	if !s.ReadASN1(&id, cbasn1.SEQUENCE) || !r.id.read(id) || !s.ReadAnyASN1(&content, &tag) {
		return r, false
	}
	r.event.reason = reasonAbsent
	switch tag {
	case tag0: // good [0] IMPLICIT NULL
		r.status, ok = Good, content.Empty()
	case tag1c: // revoked [1] IMPLICIT RevokedInfo
		r.status, ok = Revoked, r.event.readRevokedInfo(content)
	case tag2: // unknown [2] IMPLICIT UnknownInfo
		r.status, ok = Unknown, content.Empty()
	default:
		ok = false
	}
	if !ok {
		return r, false
	}
	if r.thisUpdate, ok = readGeneralizedTime(&s); !ok {
		return r, false
	}
	if !s.ReadOptionalASN1(&explicit, &present, tag0c) {
		return r, false
	}
	if present {
		if r.nextUpdate, ok = readGeneralizedTime(&explicit); !ok || !explicit.Empty() || !r.nextUpdate.After(r.thisUpdate) {
			return r, false
		}
	}
	if !s.ReadOptionalASN1(&explicit, &present, tag1c) || !s.Empty() {
		return r, false
	}
	if !present {
		return r, true
	}
	extensions, ok := readExtensions(explicit)
	if !ok {
		return r, false
	}
	return r, r.readExtensions(extensions)
}

// readExtensions reads singleExtensions, which may hold the CRL entry extensions (RFC 6960, 4.4.5). The reason code has
// its own place in RevokedInfo; here only the invalidity date matters.
func (r *singleResponse) readExtensions(extensions []extension) bool {
	for i := range extensions {
		e := &extensions[i]
		value := e.Value
		switch {
		case e.ID.Equal(oidInvalidityDate):
			var ok bool
			if r.event.invalidFrom, ok = readGeneralizedTime(&value); !ok || !value.Empty() {
				return false
			}
		case e.Critical:
			r.unknownCritical = true
		}
	}
	return true
}

// readRevokedInfo reads "SEQUENCE { revocationTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }".
func (e *event) readRevokedInfo(s cryptobyte.String) bool {
	var ok, present bool
	var explicit cryptobyte.String
	if e.date, ok = readGeneralizedTime(&s); !ok {
		return false
	}
	if !s.ReadOptionalASN1(&explicit, &present, tag0c) || !s.Empty() {
		return false
	}
	return !present || explicit.ReadASN1Enum(&e.reason) && explicit.Empty() && knownReason(e.reason)
}

func (id *certID) read(s cryptobyte.String) bool {
	algorithm, ok := readAlgorithm(&s)
	if !ok || !algorithm.id.Plain() {
		return false
	}
	id.hash = algorithm.id.ID
	if !s.ReadASN1Bytes(&id.nameHash, cbasn1.OCTET_STRING) || !s.ReadASN1Bytes(&id.keyHash, cbasn1.OCTET_STRING) {
		return false
	}
	id.serial, ok = readSerial(&s)
	return ok && s.Empty()
}

// equal compares all four parts: the serial number alone would accept an answer about a certificate of another authority.
func (id *certID) equal(other *certID) bool {
	return id.hash.Equal(other.hash) && bytes.Equal(id.nameHash, other.nameHash) &&
		bytes.Equal(id.keyHash, other.keyHash) && bytes.Equal(id.serial, other.serial)
}
