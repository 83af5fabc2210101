// Package mobile is a test issuer of mobile cards (カード代替電磁的記録, ISO/IEC 18013-5, document type org.iso.23220.1.jp.mnc)
// and the wallet that presents them, for programs that verify them with package fourinfo/mdoc.
//
//	authority, err := mobile.NewIssuer(mobile.Config{Seed: "my tests"})
//	wallet, err := authority.Issue(mobile.Card{Person: taro})
//	response, err := wallet.Present(mobile.Request{Session: session, Elements: mobile.Adult()})
//	verifier, err := mdoc.NewVerifier(mdoc.Config{Anchors: []*x509.Certificate{authority.Anchor()}})
//
// Keys derive from the seed, which is public: nothing of it may be trusted outside tests. The persons are those of
// package cardsim/person; none exists.
//
// # Examples
//
// There is an example of [Wallet.Present].
//
// # Compatibility
//
// The keys of a seed stay the same in every later release; what a wallet presents may gain elements.
package mobile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// Config is what an [Issuer] is made of.
type Config struct {
	// Seed is what the keys derive from; "" is "kakunin".
	Seed string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Issuer is a test authority (IACA) with its document signer. It is immutable and safe for concurrent use.
type Issuer struct {
	seed        string
	now         func() time.Time
	anchor      *x509.Certificate
	signer      *ecdsa.PrivateKey
	certificate []byte
}

// documentSigner is the purpose of a certificate that signs documents (ISO/IEC 18013-5, B.1.4).
var documentSigner = asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2}

// NewIssuer makes an authority. The error tells that a certificate could not be made.
func NewIssuer(c Config) (*Issuer, error) {
	if c.Seed == "" {
		c.Seed = "kakunin"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	i := &Issuer{seed: c.Seed, now: c.Now}
	root, err := key(c.Seed, "mobile authority")
	if err == nil {
		i.signer, err = key(c.Seed, "mobile document signer")
	}
	if err != nil {
		return nil, fmt.Errorf("mobile: key: %w", err)
	}
	began := c.Now().Add(-24 * time.Hour).Truncate(time.Second)
	name := func(common string) pkix.Name {
		return pkix.Name{Country: []string{"JP"}, Organization: []string{"JPKI-TEST"}, CommonName: common}
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(
			1,
		),
		Subject:               name("Test IACA of mobile cards"),
		NotBefore:             began,
		NotAfter:              began.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, root.Public(), root)
	if err != nil {
		return nil, fmt.Errorf("mobile: authority: %w", err)
	}
	if i.anchor, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("mobile: authority: %w", err)
	}
	signer := &x509.Certificate{
		SerialNumber: big.NewInt(
			2,
		),
		Subject:               name("Test document signer"),
		NotBefore:             began,
		NotAfter:              began.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{documentSigner},
		BasicConstraintsValid: true,
	}
	if i.certificate, err = x509.CreateCertificate(rand.Reader, signer, i.anchor, i.signer.Public(), root); err != nil {
		return nil, fmt.Errorf("mobile: document signer: %w", err)
	}
	return i, nil
}

// Anchor is the certificate of the authority, for [mdoc.Config].
//
// [mdoc.Config]: https://pkg.go.dev/github.com/kakunin-go/kakunin/fourinfo/mdoc#Config
func (i *Issuer) Anchor() *x509.Certificate { return i.anchor }

// key derives a P-256 key.
func key(seed, label string) (*ecdsa.PrivateKey, error) {
	for counter := byte(0); ; counter++ {
		var k *ecdsa.PrivateKey
		raw, err := hkdf.Key(sha256.New, []byte(seed), nil, label+string(rune('0'+counter)), 32)
		if err == nil {
			k, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		}
		// All but one in four billion are within the order of the group.
		if err == nil || counter == 9 {
			return k, err
		}
	}
}
