package sign_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign"
)

// The parts of a CMS signature with signed attributes, each to be changed.
type (
	cmsInfo struct {
		Type    asn1.ObjectIdentifier
		Content cmsData `asn1:"explicit,tag:0"`
	}
	cmsData struct {
		Version      int
		Algorithms   []pkix.AlgorithmIdentifier `asn1:"set"`
		Encap        asn1.RawValue
		Certificates asn1.RawValue
		Signers      []cmsSigner `asn1:"set"`
	}
	cmsSigner struct {
		Version    int
		ID         asn1.RawValue
		Digest     pkix.AlgorithmIdentifier
		Attributes asn1.RawValue
		Signature  pkix.AlgorithmIdentifier
		Value      []byte
		Unsigned   asn1.RawValue `asn1:"optional"`
	}
)

var (
	oidRSAKey    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA1      = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA1RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidSigned    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5} // signingTime
	oidAdobe     = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8} // revocation information, as in PDF
	oidStamp     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidEnveloped = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
)

// element encodes a constructed element.
func element(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	raw, err := asn1.Marshal(asn1.RawValue{
		Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: content,
	})
	if err != nil {
		panic(err)
	}
	return raw
}

// cms is a good CMS signature over the given attributes, changed.
func (w *world) cms(t testing.TB, attributes []byte, change func(*cmsInfo)) []byte {
	t.Helper()
	var info cmsInfo
	if rest, err := asn1.Unmarshal(signeddata.Write(w.parts(t, attributes)), &info); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	if change != nil {
		change(&info)
	}
	return encode(t, info)
}

// essV2 is signingCertificateV2 with an algorithm, a hash and whatever stands behind.
func essV2(t testing.TB, algorithm asn1.ObjectIdentifier, hash []byte, behind ...[]byte) []byte {
	t.Helper()
	id := element(0x30, append([][]byte{element(0x30, encode(t, algorithm)), encode(t, hash)}, behind...)...)
	return signeddata.Attribute(signeddata.OIDSigningCertificateV2, element(0x30, element(0x30, id)))
}

// backwards are the signed attributes in the order that DER does not have.
func backwards(t testing.TB, attributes []byte) []byte {
	t.Helper()
	var set asn1.RawValue
	if _, err := asn1.Unmarshal(attributes, &set); err != nil {
		t.Fatal(err)
	}
	var elements [][]byte
	for rest := set.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			t.Fatal(err)
		}
		elements = append(elements, one.FullBytes)
	}
	slices.Reverse(elements)
	return element(0x31, elements...)
}

// TestHonestCMS: what programs write that sign documents, each in its own way, verifies.
func TestHonestCMS(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	authority := w.jpki.SigningCA().Certificate()
	leaf, err := x509.ParseCertificate(w.cert)
	if err != nil {
		t.Fatal(err)
	}
	plain := attributesFor(t, document)
	sum, long := sha256.Sum256(w.cert), sha512.Sum512(w.cert)
	name := element(0x30, element(0xa4, leaf.RawIssuer))
	serial := encode(t, leaf.SerialNumber)
	first := func(f func(*cmsSigner)) func(*cmsInfo) { return func(i *cmsInfo) { f(&i.Content.Signers[0]) } }
	certificates := func(list ...[]byte) func(*cmsInfo) {
		return func(i *cmsInfo) { i.Content.Certificates.FullBytes = element(0xa0, list...) }
	}
	for label, cms := range map[string][]byte{
		"as it is": w.cms(t, plain, nil),
		"signing time": w.cms(t, attributesFor(t, document,
			signeddata.Attribute(oidSigned, element(0x17, []byte("261121030000Z")))), nil),
		"revocation information, as of PDF": w.cms(t, attributesFor(t, document,
			signeddata.Attribute(oidAdobe, element(0x30, element(0xa1, element(0x30))))), nil),
		"certificate by SHA-256": w.cms(t, attributesFor(t, document,
			essV2(t, signeddata.OIDOf(crypto.SHA256), sum[:])), nil),
		"certificate by SHA-512, with its issuer": w.cms(t, attributesFor(t, document,
			essV2(t, signeddata.OIDOf(crypto.SHA512), long[:], element(0x30, name, serial))), nil),
		"the key alone named": w.cms(t, plain, first(func(s *cmsSigner) { s.Signature.Algorithm = oidRSAKey })),
		"the hash with NULL": w.cms(t, plain, first(func(s *cmsSigner) {
			s.Digest.Parameters = asn1.NullRawValue
		})),
		"the key without NULL": w.cms(t, plain, first(func(s *cmsSigner) {
			s.Signature.Algorithm, s.Signature.Parameters = oidRSAKey, asn1.RawValue{}
		})),
		"no list of hashes": w.cms(t, plain, func(i *cmsInfo) { i.Content.Algorithms = nil }),
		"a timestamp beside it": w.cms(t, plain, first(func(s *cmsSigner) {
			s.Unsigned.FullBytes = element(0xa1, signeddata.Attribute(oidStamp, element(0x30)))
		})),
		"certificates in any order": w.cms(t, plain, certificates(authority.Raw, w.cert)),
		"the certificate twice":     w.cms(t, plain, certificates(w.cert, w.cert, authority.Raw)),
		"certificates of other forms": w.cms(t, plain, certificates(element(0xa1, element(0x30)), w.cert,
			element(0xa3, encode(t, oidAdobe), element(0x30)))),
		"attributes in no order, signed in DER's": w.cms(t, plain, first(func(s *cmsSigner) {
			s.Attributes.FullBytes = append([]byte{0xa0}, backwards(t, plain)[1:]...)
		})),
		"attributes in no order, signed so": w.cms(t, backwards(t, plain), nil),
	} {
		o, err := sign.ParseCMS(cms)
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		report, err := v.Verify(t.Context(), o, expect(sign.ModeDigestInfo))
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		if _, err := v.Verify(t.Context(), o, sign.Expect{Document: strings.NewReader(document + "\n"),
			Mode: sign.ModeDigestInfo}); err == nil {
			t.Errorf("%s: another document is accepted", label)
		}
		again, err := sign.CMS(report, authority.Raw)
		if err != nil {
			t.Errorf("%s: written: %v", label, err)
			continue
		}
		if o, err = sign.ParseCMS(again); err != nil {
			t.Errorf("%s: written and read: %v", label, err)
		} else if _, err := v.Verify(t.Context(), o, expect(sign.ModeDigestInfo)); err != nil {
			t.Errorf("%s: written and read: %v", label, err)
		}
	}
}

// TestHostileCMS: each way in which a CMS signature can be about something else, or by somebody else, than it seems is
// refused, before or by the verifier.
func TestHostileCMS(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	authority := w.jpki.SigningCA().Certificate()
	leaf, err := x509.ParseCertificate(w.cert)
	if err != nil {
		t.Fatal(err)
	}
	plain := attributesFor(t, document)
	sum, old := sha256.Sum256(w.cert), sha1.Sum(w.cert)
	ca := sha256.Sum256(authority.Raw)
	sha, longer := signeddata.OIDOf(crypto.SHA256), signeddata.OIDOf(crypto.SHA512)
	name := element(0x30, element(0xa4, leaf.RawIssuer))
	first := func(f func(*cmsSigner)) []byte {
		return w.cms(t, plain, func(i *cmsInfo) { f(&i.Content.Signers[0]) })
	}
	certificates := func(list ...[]byte) []byte {
		return w.cms(t, plain, func(i *cmsInfo) { i.Content.Certificates.FullBytes = element(0xa0, list...) })
	}
	bound := func(more ...[]byte) []byte { return w.cms(t, attributesFor(t, document, more...), nil) }
	good := w.cms(t, plain, nil)
	digest := sha256.Sum256([]byte(document))
	typeOf := signeddata.Attribute(signeddata.OIDContentType, encode(t, signeddata.OIDData))
	digestOf := func(value []byte) []byte { return signeddata.Attribute(signeddata.OIDMessageDigest, value) }
	set := func(elements ...[]byte) []byte { return w.cms(t, signeddata.Set(elements...), nil) }
	swapped := func(attributes []byte) []byte {
		return first(func(s *cmsSigner) { s.Attributes.FullBytes = append([]byte{0xa0}, attributes[1:]...) })
	}
	named := func(version int, id []byte) []byte {
		return first(func(s *cmsSigner) { s.Version, s.ID.FullBytes = version, id })
	}
	time := signeddata.Attribute(oidSigned, element(0x17, []byte("261121030000Z")))
	number := encode(t, leaf.SerialNumber)
	both := element(0x30, element(0x30, encode(t, ca[:])), element(0x30, encode(t, sum[:])))
	types := append(encode(t, signeddata.OIDData), encode(t, signeddata.OIDData)...)
	taken := w.parts(t, plain)
	taken.Attributes = nil
	signedDigest := digestOf(encode(t, digest[:]))
	many := func(n int, one []byte) (list [][]byte) {
		for range n {
			list = append(list, one)
		}
		return list
	}
	foreign := bytes.Clone(w.cert) // same issuer and serial number, another key or signature
	foreign[len(foreign)-1] ^= 1
	for label, cms := range map[string][]byte{
		"two signers": w.cms(t, plain, func(i *cmsInfo) {
			i.Content.Signers = append(i.Content.Signers, i.Content.Signers[0])
		}),
		"no signers": w.cms(t, plain, func(i *cmsInfo) { i.Content.Signers = nil }),
		"a hundred signers": w.cms(t, plain, func(i *cmsInfo) {
			i.Content.Signers = slices.Repeat(i.Content.Signers, 100)
		}),
		"a hundred certificates":       certificates(many(100, authority.Raw)...),
		"a thousand attributes":        bound(manyAttributes(t, 1000)...),
		"no certificate of the signer": certificates(authority.Raw),
		"two certificates of one name": certificates(w.cert, foreign),
		"a false certificate alone":    certificates(foreign),
		"bytes behind":                 append(bytes.Clone(good), 0),
		"another signature behind":     append(bytes.Clone(good), good...),
		"cut":                          good[:len(good)-1],
		"enveloped":                    w.cms(t, plain, func(i *cmsInfo) { i.Type = oidEnveloped }),
		"in itself": encode(t, struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue
		}{signeddata.OIDSignedData, asn1.RawValue{FullBytes: element(0xa0, good)}}),
		"content inside, the same": w.cms(t, plain, func(i *cmsInfo) {
			i.Content.Encap.FullBytes = element(0x30, encode(t, signeddata.OIDData),
				element(0xa0, encode(t, []byte(document))))
		}),
		"content of another type": w.cms(t, plain, func(i *cmsInfo) {
			i.Content.Encap.FullBytes = element(0x30, encode(t, signeddata.OIDSignedData))
		}),
		"version 9":                   w.cms(t, plain, func(i *cmsInfo) { i.Content.Version = 9 }),
		"signer's version 3":          first(func(s *cmsSigner) { s.Version = 3 }),
		"signer of another number":    named(1, element(0x30, leaf.RawIssuer, encode(t, 7))),
		"signer of another issuer":    named(1, element(0x30, leaf.RawSubject, number)),
		"signer by the CA's key":      named(3, element(0x80, authority.SubjectKeyId)),
		"signer by an empty key":      named(3, element(0x80)),
		"hash SHA-1":                  first(func(s *cmsSigner) { s.Digest.Algorithm = oidSHA1 }),
		"hash SHA-512":                first(func(s *cmsSigner) { s.Digest.Algorithm = longer }),
		"signature SHA-1":             first(func(s *cmsSigner) { s.Signature.Algorithm = oidSHA1RSA }),
		"signature PSS":               first(func(s *cmsSigner) { s.Signature.Algorithm = oidPSS }),
		"signature of odd parameters": first(func(s *cmsSigner) { s.Signature.Parameters.FullBytes = element(0x30) }),
		"hash of odd parameters":      first(func(s *cmsSigner) { s.Digest.Parameters.FullBytes = encode(t, 7) }),
		"a value too short":           first(func(s *cmsSigner) { s.Value = s.Value[1:] }),
		"a value too long":            first(func(s *cmsSigner) { s.Value = append([]byte{0}, s.Value...) }),
		"no value":                    first(func(s *cmsSigner) { s.Value = nil }),
		"no attributes":               first(func(s *cmsSigner) { s.Attributes.FullBytes = element(0xa0) }),
		"attributes taken away":       signeddata.Write(taken),
		"attributes of another":       swapped(attributesFor(t, "x")),
		"one attribute more":          swapped(attributesFor(t, document, time)),
		"type twice":                  set(typeOf, typeOf, signedDigest),
		"no type":                     set(signedDigest),
		"type of two values":          set(signeddata.Attribute(signeddata.OIDContentType, types), signedDigest),
		"no digest":                   set(typeOf),
		"digest of no octets":         set(typeOf, digestOf(encode(t, []byte{}))),
		"digest cut":                  set(typeOf, digestOf(encode(t, digest[:31]))),
		"digest as text":              set(typeOf, digestOf(element(0x0c, digest[:]))),
		"digest of no value":          set(typeOf, digestOf(nil)),
		"certificate's other hash":    bound(essV2(t, sha, ca[:])),
		"certificate's hash cut":      bound(essV2(t, sha, sum[:20])),
		"certificate by SHA-1":        bound(essV2(t, oidSHA1, old[:])),
		"certificate's other number":  bound(essV2(t, sha, sum[:], element(0x30, name, encode(t, 7)))),
		"certificate's other issuer": bound(essV2(t, sha, sum[:],
			element(0x30, element(0x30, element(0xa4, leaf.RawSubject)), number))),
		"certificate, more behind": bound(essV2(t, sha, sum[:], element(0x30, name, number), encode(t, 7))),
		"certificate in second place": bound(signeddata.Attribute(signeddata.OIDSigningCertificateV2,
			element(0x30, both))),
	} {
		o, err := sign.ParseCMS(cms)
		if err == nil {
			_, err = v.Verify(t.Context(), o, expect(sign.ModeDigestInfo))
		}
		var refused *sign.Error
		if !errors.As(err, &refused) || refused.Family().String() == "unclassified" {
			t.Errorf("%s: %v", label, err)
		}
	}
}

func manyAttributes(t testing.TB, n int) (list [][]byte) {
	t.Helper()
	for i := range n {
		list = append(list, signeddata.Attribute(append(slices.Clone(oidAdobe), i+1), encode(t, i)))
	}
	return list
}

// TestCMSInOtherDress: what people have instead of the DER is named.
func TestCMSInOtherDress(t *testing.T) {
	t.Parallel()
	w := shared()
	cms := w.cms(t, attributesFor(t, document), nil)
	text := pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: cms})
	for name, c := range map[string]struct {
		data []byte
		word string
	}{
		"PEM":    {text, "PEM"},
		"base64": {[]byte(base64.StdEncoding.EncodeToString(cms)), "base64"},
		"a page": {[]byte("<!DOCTYPE html><html>no</html>"), "page"},
		"S/MIME": {append([]byte("MIME-Version: 1.0\nContent-Type: multipart/signed\n\n"), cms...), ""},
		"empty":  {[]byte{}, ""},
	} {
		_, err := sign.ParseCMS(c.data)
		var refused *sign.Error
		if !errors.As(err, &refused) || refused.Reason != sign.ReasonCMS || refused.Detail == "" ||
			!strings.Contains(refused.Detail, c.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
