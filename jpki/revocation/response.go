package revocation

import (
	"bytes"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// response is a BasicOCSPResponse with its responses.
type response struct {
	tbs, signature  []byte
	algorithm       *sigalg.Algorithm
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

// parseResponse reads an OCSPResponse strictly. A response without a body is the responder's refusal.
func parseResponse(raw []byte) (*response, error) {
	if len(raw) > limits.OCSPResponse {
		return nil, badResponse("size", "")
	}
	input := cryptobyte.String(raw)
	var outer, explicit, bytesOf cryptobyte.String
	var status int
	var hasBody bool
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&status) ||
		!outer.ReadOptionalASN1(&explicit, &hasBody, der.Tag0C) || !outer.Empty() {
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

func parseBasicResponse(octets cryptobyte.String) (*response, error) {
	r := &response{}
	var basic, tbs, explicit, list cryptobyte.String
	var hasCertificates bool
	if !octets.ReadASN1(&basic, cbasn1.SEQUENCE) || !octets.Empty() || !basic.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return nil, badResponse("der", "RFC 6960, 4.2.1")
	}
	r.tbs = tbs
	algorithm, ok := sigalg.Read(&basic)
	if !ok {
		return nil, badResponse("signature-algorithm", "RFC 6960, 4.2.1")
	}
	if r.algorithm = form.Allowed(algorithm); r.algorithm == nil {
		return nil, badResponse("signature-algorithm", "RFC 6960, 4.3")
	}
	if r.signature, ok = der.ReadBits(&basic); !ok {
		return nil, badResponse("signature", "RFC 6960, 4.2.1")
	}
	if !basic.ReadOptionalASN1(&explicit, &hasCertificates, der.Tag0C) || !basic.Empty() {
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
func (r *response) parseData(element cryptobyte.String) error {
	var data, explicit, responses cryptobyte.String
	var version int
	var present bool
	if !element.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadOptionalASN1(&explicit, &present, der.Tag0C) {
		return badResponse("der", "RFC 6960, 4.2.1")
	}
	if present && (!explicit.ReadASN1Integer(&version) || !explicit.Empty() || version != 0) {
		return badResponse("version", "RFC 6960, 4.2.1")
	}
	if !r.readResponderID(&data) {
		return badResponse("responder-id", "RFC 6960, 4.2.2.3")
	}
	var ok bool
	if r.producedAt, ok = der.ReadGeneralizedTime(&data); !ok {
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
	if !data.ReadOptionalASN1(&explicit, &present, der.Tag1C) || !data.Empty() {
		return badResponse("der", "RFC 6960, 4.2.1")
	}
	if !present {
		return nil
	}
	extensions, ok := der.ReadExtensions(explicit)
	if !ok {
		return badResponse("response-extensions", "RFC 6960, 4.4")
	}
	for i := range extensions {
		e := &extensions[i]
		value := e.Value
		switch {
		case e.ID.Equal(oidOCSPNonce):
			// RFC 9654, 2.1: OCTET STRING (SIZE(1..128)).
			if !value.ReadASN1Bytes(&r.nonce, cbasn1.OCTET_STRING) || !value.Empty() || len(r.nonce) < 1 ||
				len(r.nonce) > 128 {
				return badResponse("nonce", "RFC 9654, 2.1")
			}
		case e.Critical:
			r.unknownCritical = true
		}
	}
	return nil
}

// readResponderID reads "CHOICE { byName [1] Name, byKey [2] KeyHash }", both explicitly tagged.
func (r *response) readResponderID(s *cryptobyte.String) bool {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return false
	}
	var ok bool
	switch tag {
	case der.Tag1C:
		r.responderName, ok = der.ReadName(&content)
	case der.Tag2C:
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
	r.event.reason = crl.ReasonCodeAbsent
	switch tag {
	case der.Tag0: // good [0] IMPLICIT NULL
		r.status, ok = Good, content.Empty()
	case der.Tag1C: // revoked [1] IMPLICIT RevokedInfo
		r.status, ok = Revoked, r.event.readRevokedInfo(content)
	case der.Tag2: // unknown [2] IMPLICIT UnknownInfo
		r.status, ok = Unknown, content.Empty()
	default:
		ok = false
	}
	if !ok {
		return r, false
	}
	if r.thisUpdate, ok = der.ReadGeneralizedTime(&s); !ok {
		return r, false
	}
	if !s.ReadOptionalASN1(&explicit, &present, der.Tag0C) {
		return r, false
	}
	if present {
		if r.nextUpdate, ok = der.ReadGeneralizedTime(
			&explicit,
		); !ok || !explicit.Empty() ||
			!r.nextUpdate.After(r.thisUpdate) {
			return r, false
		}
	}
	if !s.ReadOptionalASN1(&explicit, &present, der.Tag1C) || !s.Empty() {
		return r, false
	}
	if !present {
		return r, true
	}
	extensions, ok := der.ReadExtensions(explicit)
	if !ok {
		return r, false
	}
	return r, r.readExtensions(extensions)
}

// readExtensions reads singleExtensions, which may hold the CRL entry extensions (RFC 6960, 4.4.5). The reason code has
// its own place in RevokedInfo; here only the invalidity date matters.
func (r *singleResponse) readExtensions(extensions []der.Extension) bool {
	for i := range extensions {
		e := &extensions[i]
		value := e.Value
		switch {
		case e.ID.Equal(oidInvalidityDate):
			var ok bool
			if r.event.invalidFrom, ok = der.ReadGeneralizedTime(&value); !ok || !value.Empty() {
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
	if e.date, ok = der.ReadGeneralizedTime(&s); !ok {
		return false
	}
	if !s.ReadOptionalASN1(&explicit, &present, der.Tag0C) || !s.Empty() {
		return false
	}
	if !present {
		return true
	}
	var code int
	ok = explicit.ReadASN1Enum(&code) && explicit.Empty()
	e.reason = crl.ReasonCode(code)
	return ok && e.reason.Known()
}

func (id *certID) read(s cryptobyte.String) bool {
	algorithm, ok := sigalg.Read(&s)
	if !ok || !algorithm.Plain() {
		return false
	}
	id.hash = algorithm.ID
	if !s.ReadASN1Bytes(&id.nameHash, cbasn1.OCTET_STRING) || !s.ReadASN1Bytes(&id.keyHash, cbasn1.OCTET_STRING) {
		return false
	}
	id.serial, ok = der.ReadSerial(&s)
	return ok && s.Empty()
}

// equal compares all four parts: the serial number alone would accept an answer about a certificate of another
// authority.
func (id *certID) equal(other certID) bool {
	return id.hash.Equal(other.hash) && bytes.Equal(id.nameHash, other.nameHash) &&
		bytes.Equal(id.keyHash, other.keyHash) && bytes.Equal(id.serial, other.serial)
}
