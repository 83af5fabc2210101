package issuer

import (
	"crypto"
	"crypto/fips140"
	"crypto/rsa"

	//nolint:gosec // key identifiers of RFC 5280, 4.2.1.2 and the names of RFC 6960 are SHA-1 by definition
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Certificates are built by hand, because crypto/x509 decides the order of extensions and the string types of names on
// its own, and both are part of the profile.

// context is the constructed context-specific tag [n].
func context(n uint8) casn1.Tag { return casn1.Tag(n).ContextSpecific().Constructed() }

// primitive is the primitive context-specific tag [n].
func primitive(n uint8) casn1.Tag { return casn1.Tag(n).ContextSpecific() }

// build returns what f builds.
func build(f cryptobyte.BuilderContinuation) ([]byte, error) {
	var b cryptobyte.Builder
	f(&b)
	der, err := b.Bytes()
	if err != nil {
		return nil, &Error{Reason: ReasonMalformed, Err: err}
	}
	return der, nil
}

// addTime adds UTCTime until 2049 and GeneralizedTime from 2050 (RFC 5280, 4.1.2.5 and 5.1.2.4).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t = t.UTC(); t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}

// addAlgorithm adds sha256WithRSAEncryption, whose parameters are NULL (RFC 4055, section 5).
func addAlgorithm(b *cryptobyte.Builder) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSHA256WithRSA())
		b.AddASN1NULL()
	})
}

// signDER signs tbs with sha256WithRSAEncryption and returns SEQUENCE { tbs, algorithm, signature, more… }.
func signDER(key *rsa.PrivateKey, tbs []byte, more cryptobyte.BuilderContinuation) ([]byte, error) {
	digest := sha256.Sum256(tbs)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, &Error{Reason: ReasonMalformed, Err: err}
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			addAlgorithm(b)
			b.AddASN1BitString(signature)
			if more != nil {
				more(b)
			}
		})
	})
}

// keyID is SHA-1 of the PKCS#1 public key (RFC 5280, 4.2.1.2, method 1).
func keyID(pub *rsa.PublicKey) []byte { return sha1Of(x509.MarshalPKCS1PublicKey(pub)) }

// sha1Of returns SHA-1 of data also where FIPS 140-3 is enforced: it only gives names to keys here and protects
// nothing.
func sha1Of(data []byte) (sum []byte) {
	fips140.WithoutEnforcement(func() {
		s := sha1.Sum(data) //nolint:gosec // see the import
		sum = s[:]
	})
	return sum
}

// extensions collects extensions in the order in which they are added, and the first error.
type extensions struct {
	list []pkix.Extension
	err  error
}

func (e *extensions) add(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.BuilderContinuation) {
	der, err := build(value)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.list = append(e.list, pkix.Extension{Id: oid, Critical: critical, Value: der})
}

// addExtensions adds SEQUENCE OF Extension; criticality FALSE is the default and therefore left out (X.690, 11.5).
func addExtensions(b *cryptobyte.Builder, list []pkix.Extension) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.Id)
				if e.Critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

// template is a TBSCertificate.
type template struct {
	serial              *big.Int
	issuer, subject     []byte // DER names
	notBefore, notAfter time.Time
	public              *rsa.PublicKey
	extensions          []pkix.Extension
}

// tbs returns the DER of the TBSCertificate (RFC 5280, 4.1).
func (t template) tbs() ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(t.public)
	if err != nil {
		return nil, &Error{Reason: ReasonBadKey, Err: err}
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) }) // version 3
			b.AddASN1BigInt(t.serial)
			addAlgorithm(b)
			b.AddBytes(t.issuer)
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addTime(b, t.notBefore)
				addTime(b, t.notAfter)
			})
			b.AddBytes(t.subject)
			b.AddBytes(public)
			b.AddASN1(context(3), func(b *cryptobyte.Builder) { addExtensions(b, t.extensions) })
		})
	})
}

// certificate returns the signed certificate.
func (t template) certificate(key *rsa.PrivateKey) ([]byte, error) {
	tbs, err := t.tbs()
	if err != nil {
		return nil, err
	}
	return signDER(key, tbs, nil)
}
