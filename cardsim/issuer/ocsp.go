package issuer

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// ocspStatus is OCSPResponseStatus (RFC 6960, 4.2.1).
type ocspStatus int

const (
	ocspSuccessful       ocspStatus = 0
	ocspMalformedRequest ocspStatus = 1
	ocspInternalError    ocspStatus = 2
)

// ocspFailure returns an OCSPResponse without response bytes.
func ocspFailure(s ocspStatus) []byte { return []byte{0x30, 0x03, 0x0A, 0x01, byte(s)} }

// ocspRequest is what is read of an OCSPRequest.
type ocspRequest struct {
	certificates []certID
	nonce        []byte // value of the nonce extension, DER; nil when absent
}

// certID names a certificate (RFC 6960, 4.1.1).
type certID struct {
	raw               []byte // DER, echoed as it came
	hash              asn1.ObjectIdentifier
	nameHash, keyHash []byte
	serial            *big.Int
}

// parseOCSPRequest reads an OCSPRequest (RFC 6960, 4.1.1). A signature is allowed and ignored, as the status of a
// certificate is no secret of this responder.
func parseOCSPRequest(der []byte) (q ocspRequest, status ocspStatus) {
	input := cryptobyte.String(der)
	var outer, tbs, list cryptobyte.String
	if !input.ReadASN1(&outer, casn1.SEQUENCE) || !input.Empty() ||
		!outer.ReadASN1(&tbs, casn1.SEQUENCE) || !outer.SkipOptionalASN1(context(0)) || !outer.Empty() ||
		!tbs.SkipOptionalASN1(context(0)) || !tbs.SkipOptionalASN1(context(1)) || // version, requestorName
		!tbs.ReadASN1(&list, casn1.SEQUENCE) || list.Empty() {
		return ocspRequest{}, ocspMalformedRequest
	}
	for !list.Empty() {
		var one cryptobyte.String
		if !list.ReadASN1(&one, casn1.SEQUENCE) || len(q.certificates) == limits.OCSPCertificates {
			return ocspRequest{}, ocspMalformedRequest
		}
		id, ok := readCertID(&one)
		if !ok || !one.SkipOptionalASN1(context(0)) || !one.Empty() {
			return ocspRequest{}, ocspMalformedRequest
		}
		q.certificates = append(q.certificates, id)
	}
	var ok bool
	if q.nonce, ok = readOCSPExtensions(&tbs); !ok || !tbs.Empty() {
		return ocspRequest{}, ocspMalformedRequest
	}
	return q, ocspSuccessful
}

func readCertID(s *cryptobyte.String) (id certID, ok bool) {
	var raw, body, algorithm cryptobyte.String
	id.serial = new(big.Int)
	ok = s.ReadASN1Element(&raw, casn1.SEQUENCE)
	id.raw = raw
	return id, ok && raw.ReadASN1(&body, casn1.SEQUENCE) &&
		body.ReadASN1(&algorithm, casn1.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&id.hash) &&
		body.ReadASN1Bytes(&id.nameHash, casn1.OCTET_STRING) && body.ReadASN1Bytes(&id.keyHash, casn1.OCTET_STRING) &&
		body.ReadASN1Integer(id.serial) && body.Empty()
}

// readOCSPExtensions reads requestExtensions [2] and returns the nonce. An extension that is critical and unknown must
// not be ignored (RFC 6960, 4.4).
func readOCSPExtensions(s *cryptobyte.String) (nonce []byte, ok bool) {
	var outer, list cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&outer, &present, context(2)) {
		return nil, false
	}
	if !present {
		return nil, true
	}
	if !outer.ReadASN1(&list, casn1.SEQUENCE) || !outer.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var e, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&e, casn1.SEQUENCE) || !e.ReadASN1ObjectIdentifier(&oid) ||
			!e.ReadOptionalASN1Boolean(&critical, casn1.BOOLEAN, false) ||
			!e.ReadASN1(&value, casn1.OCTET_STRING) || !e.Empty() {
			return nil, false
		}
		if !oid.Equal(oidOCSPNonce()) {
			if critical {
				return nil, false
			}
			continue
		}
		if nonce != nil || !validNonce(value) {
			return nil, false
		}
		nonce = value
	}
	return nonce, true
}

// validNonce reports whether the extension holds an OCTET STRING of 1 to 128 octets (RFC 9654, 2.1).
func validNonce(value cryptobyte.String) bool {
	var octets cryptobyte.String
	return value.ReadASN1(&octets, casn1.OCTET_STRING) && value.Empty() &&
		len(octets) >= 1 && len(octets) <= limits.OCSPNonce
}

// names reports whether the CertID names the CA: by its name and by its key, since all generations share the name.
func (id certID) names(c *CA) bool {
	key := x509.MarshalPKCS1PublicKey(&c.key.PublicKey) // the value of the BIT STRING subjectPublicKey
	switch {
	case id.hash.Equal(oidSHA1()):
		return bytes.Equal(id.nameHash, sha1Of(c.name)) && bytes.Equal(id.keyHash, sha1Of(key))
	case id.hash.Equal(oidSHA256()):
		n, k := sha256.Sum256(c.name), sha256.Sum256(key)
		return bytes.Equal(id.nameHash, n[:]) && bytes.Equal(id.keyHash, k[:])
	default:
		return false
	}
}

// ocspAnswer is one SingleResponse. The zero value is unknown.
type ocspAnswer struct {
	id             []byte
	known, revoked bool
	reason         int
	at, thisUpdate time.Time
}

// add adds the SingleResponse (RFC 6960, 4.2.1).
func (a ocspAnswer) add(b *cryptobyte.Builder) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(a.id)
		switch {
		case !a.known:
			b.AddASN1(primitive(2), func(*cryptobyte.Builder) {}) // unknown, NULL
		case !a.revoked:
			b.AddASN1(primitive(0), func(*cryptobyte.Builder) {}) // good, NULL
		default:
			b.AddASN1(context(1), func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(a.at.UTC())
				if a.reason != 0 {
					b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(a.reason)) })
				}
			})
		}
		b.AddASN1GeneralizedTime(a.thisUpdate)
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(a.thisUpdate.Add(answerValidity))
		})
	})
}

// responder signs OCSP responses on behalf of a CA (RFC 6960, 4.2.2.2: an authorized responder).
type responder struct {
	key         *rsa.PrivateKey
	keyID       []byte
	certificate []byte // DER
}

// newResponder issues the responder's certificate: id-kp-OCSPSigning, and id-pkix-ocsp-nocheck, by which a client need
// not ask for the responder's own status. It is valid as long as the CA.
func newResponder(c *CA, key *rsa.PrivateKey) (*responder, error) {
	subject, err := name(
		attribute{oidOrganization(), organization},
		attribute{oidUnit(), c.profile.unit},
		attribute{oidCommonName(), "OCSP Responder"},
	)
	if err != nil {
		return nil, err
	}
	var e extensions
	e.keyUsage(digitalSignature)
	e.add(oidExtKeyUsage(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidOCSPSigning()) })
	})
	e.add(oidOCSPNoCheck(), false, func(b *cryptobyte.Builder) { b.AddASN1NULL() })
	e.authorityKeyID(c.keyID)
	e.subjectKeyID(&key.PublicKey)
	if e.err != nil {
		return nil, e.err
	}
	r := &responder{key: key, keyID: keyID(&key.PublicKey)}
	r.certificate, err = template{
		// Outside the range of the numbers that holders get, see serialFrom.
		serial: serialFrom(r.keyID, 0).SetBit(serialFrom(r.keyID, 0), 30, 0), issuer: c.name, subject: subject,
		notBefore: c.certificate.NotBefore, notAfter: c.certificate.NotAfter,
		public: &key.PublicKey, extensions: e.list,
	}.certificate(c.key)
	return r, err
}

// The state behind the responder is renewed every fifteen minutes; an answer stays usable for twice that, so that one
// given at the end of an interval is.
const (
	stateInterval  = 15 * time.Minute
	answerValidity = 2 * stateInterval
)

// respond answers a request in DER, always with an OCSPResponse in DER.
func (c *CA) respond(request []byte) []byte {
	q, status := parseOCSPRequest(request)
	if status != ocspSuccessful {
		return ocspFailure(status)
	}
	r, err := c.responder()
	if err != nil {
		return ocspFailure(ocspInternalError)
	}
	der, err := c.basicResponse(r, q)
	if err != nil {
		return ocspFailure(ocspInternalError)
	}
	return der
}

// basicResponse builds the OCSPResponse with its BasicOCSPResponse (RFC 6960, 4.2.1).
func (c *CA) basicResponse(r *responder, q ocspRequest) ([]byte, error) {
	now := c.now()
	answers := make([]ocspAnswer, len(q.certificates))
	for i, id := range q.certificates {
		answers[i] = c.status(id, now)
	}
	data, err := build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // ResponseData; version 1 is the default
			b.AddASN1(context(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.keyID) }) // responderID byKey
			b.AddASN1GeneralizedTime(now.UTC())
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, a := range answers {
					a.add(b)
				}
			})
			if q.nonce != nil {
				var e extensions
				e.add(oidOCSPNonce(), false, func(b *cryptobyte.Builder) { b.AddBytes(q.nonce) })
				b.AddASN1(context(1), func(b *cryptobyte.Builder) { addExtensions(b, e.list) })
			}
		})
	})
	if err != nil {
		return nil, err
	}
	basic, err := signDER(r.key, data, func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(r.certificate) })
		})
	})
	if err != nil {
		return nil, err
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Enum(int64(ocspSuccessful))
			b.AddASN1(context(0), func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidOCSPBasic())
					b.AddASN1OctetString(basic)
				})
			})
		})
	})
}

// status looks a certificate up. Whoever is not known to be issued by this CA is unknown, never good.
func (c *CA) status(id certID, now time.Time) ocspAnswer {
	a := ocspAnswer{id: id.raw, thisUpdate: now.Truncate(stateInterval)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.records[id.serial.Text(16)]; r != nil && id.names(c) {
		a.known = true
		a.revoked, a.reason, a.at = r.revokedBy(now), r.reason, r.at
		for _, t := range []time.Time{c.changed[r.partition].at, r.at} {
			if t.After(a.thisUpdate) && !t.After(now) {
				a.thisUpdate = t
			}
		}
	}
	a.thisUpdate = a.thisUpdate.UTC().Truncate(time.Second)
	return a
}
