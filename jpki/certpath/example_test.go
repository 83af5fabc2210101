package certpath_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

func exampleTime() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// exampleChain makes a root, an authority below it and a certificate, and returns their DER with a list of the root and
// one of the authority, on which the certificate stands when revoked is true.
func exampleChain(revoked bool) (certificates, lists [][]byte) {
	var issuer *x509.Certificate
	var issuerKey *ecdsa.PrivateKey
	for i, name := range []string{"Example Root", "Example Authority", "Example Service"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name},
			NotBefore: exampleTime().AddDate(-1, 0, 0), NotAfter: exampleTime().AddDate(1, 0, 0),
			BasicConstraintsValid: true, IsCA: i < 2, KeyUsage: x509.KeyUsageDigitalSignature,
		}
		if template.IsCA {
			template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		}
		if i == 0 {
			issuer, issuerKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
		if err != nil {
			panic(err)
		}
		certificates = append(certificates, der)
		if issuer, err = x509.ParseCertificate(der); err != nil {
			panic(err)
		}
		issuerKey = key
		if !template.IsCA {
			break
		}
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: exampleTime(),
			NextUpdate: exampleTime().AddDate(0, 0, 1)}
		if revoked && i == 1 {
			list.RevokedCertificateEntries = []x509.RevocationListEntry{
				{SerialNumber: big.NewInt(3), RevocationTime: exampleTime().AddDate(0, 0, -1)}}
		}
		encoded, err := x509.CreateRevocationList(rand.Reader, list, issuer, issuerKey)
		if err != nil {
			panic(err)
		}
		lists = append(lists, encoded)
	}
	return certificates, lists
}

func exampleParse(certificates [][]byte) []*certpath.Certificate {
	var out []*certpath.Certificate
	for _, der := range certificates {
		c, err := certpath.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		out = append(out, c)
	}
	return out
}

// Validate a certificate with revocation lists, at a time of choice.
func ExampleVerifier_Verify() {
	certificates, encoded := exampleChain(false)
	chain := exampleParse(certificates)
	var unverified []*crl.Unverified
	for _, der := range encoded {
		list, err := crl.Parse(der, crl.Options{})
		if err != nil {
			panic(err)
		}
		unverified = append(unverified, list)
	}
	lists, err := revocation.NewLists(unverified...)
	if err != nil {
		panic(err)
	}
	v, err := certpath.NewVerifier(certpath.VerifierConfig{
		Anchors: chain[:1], Pool: chain[1:2],
		Revocation: revocation.Require(lists),
	})
	if err != nil {
		panic(err)
	}
	result, err := v.Verify(context.Background(), chain[2], certpath.At(exampleTime()))
	fmt.Println(result.Valid, len(result.Path), err)
	// Output: true 3 <nil>
}

// The error says why, and MessageFor says it to a person.
func ExampleError() {
	certificates, encoded := exampleChain(true)
	chain := exampleParse(certificates)
	var unverified []*crl.Unverified
	for _, der := range encoded {
		list, err := crl.Parse(der, crl.Options{})
		if err != nil {
			panic(err)
		}
		unverified = append(unverified, list)
	}
	lists, err := revocation.NewLists(unverified...)
	if err != nil {
		panic(err)
	}
	v, err := certpath.NewVerifier(certpath.VerifierConfig{
		Anchors: chain[:1], Pool: chain[1:2],
		Revocation: revocation.Require(lists),
	})
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(context.Background(), chain[2], certpath.At(exampleTime()))
	fmt.Println(errors.Is(err, &certpath.Error{Reason: certpath.ReasonRevoked}))
	fmt.Println(err)
	fmt.Println(kakunin.MessageFor(err, kakunin.Japanese))
	// Output:
	// true
	// certpath: certificate revoked: revocation.status: certificate 2 of the path (RFC 5280, 6.1.3 (a)(3))
	// 証明書が失効しています。
}

// A timestamp service's certificate has to be for timestamps; the certificates that came with its answer help to find
// the path.
func ExampleFor() {
	certificates, _ := exampleChain(false)
	chain := exampleParse(certificates)
	v, err := certpath.NewVerifier(certpath.VerifierConfig{
		Anchors: chain[:1], Revocation: revocation.InsecureNoRevocation(), MaxIntermediates: 1, Strict: true,
	})
	if err != nil {
		panic(err)
	}
	timeStamping := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	_, err = v.Verify(context.Background(), chain[2], certpath.At(exampleTime()), certpath.With(chain[1]),
		certpath.For(timeStamping))
	fmt.Println(errors.Is(err, &certpath.Error{Reason: certpath.ReasonPurpose}))
	// Output: true
}
