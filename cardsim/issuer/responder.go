package issuer

import (
	"crypto/rsa"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// responder signs OCSP responses on behalf of a CA (RFC 6960, 4.2.2.2: an authorized responder).
type responder struct {
	key         *rsa.PrivateKey
	keyID       []byte
	certificate []byte // DER
}

// newResponder issues the responder's certificate: id-kp-OCSPSigning, and id-pkix-ocsp-nocheck, by which a client need not
// ask for the responder's own status. It is valid as long as the CA.
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
		notBefore: c.certificate.NotBefore, notAfter: c.certificate.NotAfter, public: &key.PublicKey, extensions: e.list,
	}.certificate(c.key)
	return r, err
}

// The state behind the responder is renewed every fifteen minutes; an answer stays usable for twice that, so that one given
// at the end of an interval is.
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
