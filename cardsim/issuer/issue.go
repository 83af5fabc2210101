package issuer

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// office is the fictitious counter at which every card of a municipality is issued, in the subject's common name.
const office = "003A"

// Issue makes an end-entity certificate, a signing or an authentication one by the CA's kind, and registers it as good.
// It is valid from issuedAt to the end of the holder's fifth birthday after that. The DER begins with 30 82.
//
// The certificate and its serial number follow from the arguments: issuing the same again gives the same certificate. The
// error is an *[Error].
func (c *CA) Issue(pub *rsa.PublicKey, s Subject, issuedAt time.Time) ([]byte, error) {
	return c.IssueFaulty(pub, s, issuedAt, Faults{})
}

// Faults makes certificates that a verifier has to refuse. The zero value changes nothing.
type Faults struct {
	// Policies replaces the policy; it stays critical.
	Policies []asn1.ObjectIdentifier
	// Omit leaves out the extensions with these identifiers.
	Omit []asn1.ObjectIdentifier
	// Put replaces the extension with the same identifier where it stands, or adds it at the end.
	Put []pkix.Extension
	// NotBefore and NotAfter replace the validity.
	NotBefore, NotAfter time.Time
	// Serial replaces the serial number; nil derives one.
	Serial *big.Int
	// Signer signs in place of the CA, under the CA's name and key identifier.
	Signer *rsa.PrivateKey
}

// IssueFaulty is Issue with faults, for the negative cases of a test suite. The certificate is registered as good, so that
// only the fault speaks against it. Errors are *[Error], as those of Issue.
func (c *CA) IssueFaulty(pub *rsa.PublicKey, s Subject, issuedAt time.Time, f Faults) ([]byte, error) {
	if pub == nil || pub.N == nil {
		return nil, &Error{Reason: ReasonBadKey}
	}
	s, birth, err := s.complete(c.profile)
	if err != nil {
		return nil, err
	}
	partition, err := partitionName(c.profile.unit, s.PrefectureRomaji, s.CityRomaji)
	if err != nil {
		return nil, err
	}
	t := template{
		serial: new(big.Int), issuer: c.name,
		notBefore: issuedAt.Truncate(time.Second), notAfter: expiry(birth, issuedAt), public: pub,
	}
	if t.subject, err = c.subjectName(pub, s, issuedAt); err != nil {
		return nil, err
	}
	if t.extensions, err = c.extensions(pub, s, partition, f); err != nil {
		return nil, err
	}
	if !f.NotBefore.IsZero() {
		t.notBefore = f.NotBefore
	}
	if !f.NotAfter.IsZero() {
		t.notAfter = f.NotAfter
	}
	if t.serial, err = c.register(t, partition, f.Serial); err != nil {
		return nil, err
	}
	signer := c.key
	if f.Signer != nil {
		signer = f.Signer
	}
	return t.certificate(signer)
}

// extensions returns the profile's extensions in the profile's order.
func (c *CA) extensions(pub *rsa.PublicKey, s Subject, partition []byte, f Faults) ([]pkix.Extension, error) {
	policies := []asn1.ObjectIdentifier{c.profile.policy}
	if f.Policies != nil {
		policies = f.Policies
	}
	var e extensions
	e.keyUsage(c.profile.usage)
	if c.profile.personal {
		e.otherNames(s)
	}
	e.policies(policies)
	e.altName(oidIssuerAltName(), c.service)
	e.distributionPoint(partition)
	e.authorityKeyID(c.keyID)
	e.subjectKeyID(pub)
	list := slices.DeleteFunc(e.list, func(x pkix.Extension) bool {
		return slices.ContainsFunc(f.Omit, x.Id.Equal)
	})
	for _, put := range f.Put {
		if i := slices.IndexFunc(list, func(x pkix.Extension) bool { return x.Id.Equal(put.Id) }); i >= 0 {
			list[i] = put
		} else {
			list = append(list, put)
		}
	}
	return list, e.err
}

// subjectName returns the subject. A signing certificate names the prefecture and the city; the common name is an
// opaque identifier, never the holder's name: the time of the request, a sequence number and the counter. That of an
// authentication certificate is opaque as well and tells only the counter.
func (c *CA) subjectName(pub *rsa.PublicKey, s Subject, issuedAt time.Time) ([]byte, error) {
	id := sha256.Sum256(x509.MarshalPKCS1PublicKey(pub))
	counter := s.MunicipalityCode + office
	if !c.profile.personal {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		opaque := make([]byte, 14)
		for i := range opaque {
			opaque[i] = alphabet[int(id[i])%len(alphabet)]
		}
		return name(attribute{oidCommonName(), string(opaque) + counter})
	}
	requested := issuedAt.UTC().Add(9 * time.Hour).Format("20060102150405") // in Japan
	sequence := fmt.Sprintf("%05d", binary.BigEndian.Uint32(id[:])%100000)
	return name(
		attribute{oidLocality(), s.PrefectureRomaji},
		attribute{oidLocality(), s.CityRomaji},
		attribute{oidCommonName(), requested + sequence + counter},
	)
}

// register gives the certificate a serial number and remembers it as good. The number follows from the content, so that
// it is the same in every process and whatever the order; the rare collision moves on to the next candidate.
func (c *CA) register(t template, partition []byte, wanted *big.Int) (*big.Int, error) {
	tbs, err := t.tbs()
	if err != nil {
		return nil, err
	}
	content := sha256.Sum256(tbs)
	c.mu.Lock()
	defer c.mu.Unlock()
	for attempt := uint32(0); ; attempt++ {
		serial := wanted
		if serial == nil {
			serial = serialFrom(content[:], attempt)
		}
		known := c.records[serial.Text(16)]
		if known == nil {
			c.records[serial.Text(16)] = &record{serial: new(big.Int).Set(serial), content: content, partition: string(partition)}
			if _, ok := c.changed[string(partition)]; !ok {
				c.changed[string(partition)] = change{}
			}
			return serial, nil
		}
		if bytes.Equal(known.content[:], content[:]) {
			return serial, nil
		}
		if wanted != nil {
			return nil, &Error{Reason: ReasonDuplicateSerial}
		}
	}
}
