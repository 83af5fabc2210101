package certpath

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/dsa" //nolint:staticcheck // sections 4.1.4 to 4.1.6 of PKITS are about DSA
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// pkitsVector is one case of the NIST Public Key Interoperability Test Suite.
type pkitsVector struct {
	Name                        string
	CertPath, CRLPath           []string
	ShouldValidate              bool
	InitialPolicySet            []string
	InitialPolicyMappingInhibit bool
	InitialExplicitPolicy       bool
	InitialAnyPolicyInhibit     bool
}

// pkitsTime lies within the validity of everything that is meant to be valid.
func pkitsTime() time.Time { return time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC) }

// pkitsFiles unpacks the archive: certificates, lists and vectors by their base names.
func pkitsFiles(t testing.TB) map[string][]byte {
	t.Helper()
	packed, err := os.ReadFile("testdata/pkits.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[path.Base(header.Name)], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func pkitsVectors(t testing.TB, files map[string][]byte) []pkitsVector {
	t.Helper()
	var vectors []pkitsVector
	if err := json.Unmarshal(files["vectors.json"], &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 249 {
		t.Fatalf("%d vectors, want 249", len(vectors))
	}
	return vectors
}

// All 249 cases, with revocation required and the official lists.
func TestPKITS(t *testing.T) {
	files := pkitsFiles(t)
	for _, v := range pkitsVectors(t, files) {
		t.Run(v.Name, func(t *testing.T) {
			result, err := runPKITS(t, files, &v)
			if (err == nil) != v.ShouldValidate || result.Valid != v.ShouldValidate {
				t.Fatalf("valid = %v, want %v: %v", result.Valid, v.ShouldValidate, err)
			}
			if err != nil && !slices.Contains(pkitsReasons(v.Name), reasonOf(err)) {
				t.Errorf("refused for another reason than the case is about: %v", err)
			}
		})
	}
}

// pkitsReasons are the reasons for which the cases of a section may fail.
func pkitsReasons(name string) []Reason {
	for _, section := range []struct {
		prefix  string
		reasons []Reason
	}{
		{"4.1.", []Reason{ReasonSignature, ReasonMalformed}}, // two signatures are no whole octets
		{"4.2.", []Reason{ReasonExpired, ReasonNotYetValid}},
		{"4.3.", []Reason{ReasonNoPath}},
		{"4.5.8 ", []Reason{ReasonBasicConstraints}},
		{"4.6.", []Reason{ReasonBasicConstraints, ReasonPathLength}},
		{"4.7.1 ", []Reason{ReasonKeyUsage}},
		{"4.7.2 ", []Reason{ReasonKeyUsage}},
		{"4.7.", []Reason{ReasonRevocationUnknown}}, // no cRLSign
		{"4.13.", []Reason{ReasonNameConstraints}},
		{"4.14.", []Reason{ReasonRevoked, ReasonHold, ReasonRevocationUnknown}},
		{"4.15.", []Reason{ReasonRevoked, ReasonRevocationUnknown}},
		{"4.16.", []Reason{ReasonCriticalExtension}},
		{"4.4.", []Reason{ReasonRevoked, ReasonRevocationUnknown}},
		{"4.5.", []Reason{ReasonRevoked}},
		{"4.", []Reason{ReasonPolicy}},
	} {
		if strings.HasPrefix(name, section.prefix) {
			return section.reasons
		}
	}
	return nil
}

func runPKITS(t testing.TB, files map[string][]byte, v *pkitsVector) (*Result, error) {
	t.Helper()
	config, target, err := pkitsConfig(t, files, v)
	if err != nil {
		return &Result{}, err
	}
	validator, err := NewVerifier(config)
	if err != nil {
		t.Fatal(err)
	}
	return validator.Verify(context.Background(), target, At(pkitsTime()))
}

// pkitsConfig returns an error when a certificate of the case cannot be read.
func pkitsConfig(t testing.TB, files map[string][]byte, v *pkitsVector) (VerifierConfig, *Certificate, error) {
	t.Helper()
	var certs []*Certificate
	for _, name := range v.CertPath {
		raw, ok := files[name]
		if !ok {
			t.Fatalf("no file %s", name)
		}
		c, err := ParseCertificate(raw)
		if err != nil {
			return VerifierConfig{}, nil, err
		}
		certs = append(certs, c)
	}
	last := len(certs) - 1
	config := VerifierConfig{
		Anchors: certs[:1], Pool: certs[1:last], AcceptOddSerials: true,
		RequireExplicitPolicy: v.InitialExplicitPolicy, InhibitPolicyMapping: v.InitialPolicyMappingInhibit,
		InhibitAnyPolicy: v.InitialAnyPolicyInhibit, Algorithms: []Algorithm{dsaWithSHA1()},
	}
	for _, p := range v.InitialPolicySet {
		if p != "anyPolicy" { // "NIST-test-policy-n" is 2.16.840.1.101.3.2.1.48.n
			config.Policies = append(config.Policies, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 2, 1, 48,
				int(p[len(p)-1] - '0')})
		}
	}
	config.Revocation = revocation.Require(pkitsSources(t, files, v.CRLPath)...)
	return config, certs[last], nil
}

func pkitsSources(t testing.TB, files map[string][]byte, names []string) []revocation.Source {
	t.Helper()
	var lists []*crl.Unverified
	var sources []revocation.Source
	for _, name := range names {
		raw, ok := files[name]
		if !ok {
			t.Fatalf("no file %s", name)
		}
		list, err := crl.Parse(raw, crl.Options{AllowOddSerials: true})
		switch {
		case errors.Is(err, &crl.Error{Reason: crl.ReasonAlgorithm}):
			sources = append(sources, dsaList(raw))
		case err == nil:
			lists = append(lists, list)
		default:
			t.Logf("%s: %v", name, err) // some cases are about lists that cannot be read
		}
	}
	all, err := revocation.NewLists(lists...)
	if err != nil {
		t.Fatal(err)
	}
	return append([]revocation.Source{all}, sources...)
}

// dsaWithSHA1 is an algorithm that only these tests accept.
func dsaWithSHA1() Algorithm {
	return Algorithm{
		Identifier: []byte{0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3}, // RFC 3279, 2.2.2
		Verify:     verifyDSA,
	}
}

func verifyDSA(key PublicKey, message, signature []byte) bool {
	var k dsa.PublicKey
	var sig struct{ R, S *big.Int }
	var parameters struct{ P, Q, G *big.Int }
	if !key.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}) {
		return false
	}
	for _, part := range []struct {
		der []byte
		out any
	}{{key.Bits, &k.Y}, {key.Parameters, &parameters}, {signature, &sig}} {
		if rest, err := asn1.Unmarshal(part.der, part.out); err != nil || len(rest) > 0 {
			return false
		}
	}
	k.P, k.Q, k.G = parameters.P, parameters.Q, parameters.G
	sum := sha1.Sum(message)
	return dsa.Verify(&k, sum[:], sig.R, sig.S)
}

// dsaList is a source of another kind: a complete list signed with DSA, which package crl does not read.
type dsaList []byte

// Check implements revocation.Source.
func (l dsaList) Check(_ context.Context, q revocation.Query) (revocation.Answer, error) {
	list, err := x509.ParseRevocationList(l)
	if err != nil {
		return revocation.Answer{}, err
	}
	unknown := revocation.Answer{Reason: crl.ReasonCodeAbsent, Method: "DSA"}
	asked, key := q.Certificate.Facts(), q.Issuer.Facts().Key
	known, ok := key.(PublicKey)
	if !bytes.Equal(list.RawIssuer, asked.Issuer) || q.At.Before(list.ThisUpdate) || !q.At.Before(list.NextUpdate) ||
		!ok || !verifyDSA(known, list.RawTBSRevocationList, list.Signature) {
		return unknown, nil
	}
	unknown.Status = revocation.Good
	for _, e := range list.RevokedCertificateEntries {
		if bytes.Equal(e.SerialNumber.Bytes(), new(big.Int).SetBytes(asked.Serial).Bytes()) {
			unknown.Status = revocation.Revoked
		}
	}
	return unknown, nil
}
