package signeddata

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

type signer struct {
	key         crypto.Signer
	raw         []byte
	certificate *x509.Certificate
}

func newSigner(tb testing.TB, key crypto.Signer, serial int64) *signer {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "signer"},
		SubjectKeyId: []byte{1, 2, byte(serial)},
		NotBefore:    time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return &signer{key, raw, certificate}
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

const content = "利用規約"

func (s *signer) parts(tb testing.TB, hash crypto.Hash, a *sigalg.Algorithm, attributes []byte) Parts {
	tb.Helper()
	signed := []byte(content)
	if attributes != nil {
		signed = attributes
	}
	value, err := s.key.Sign(rand.Reader, Sum(hash, signed), hash)
	if err != nil {
		tb.Fatal(err)
	}
	return Parts{
		ContentType: OIDData, Certificate: s.raw, Hash: hash, Algorithm: a, Attributes: attributes, Value: value,
	}
}

func attributes(tb testing.TB, hash crypto.Hash, more ...[]byte) []byte {
	tb.Helper()
	return Set(append([][]byte{
		Attribute(OIDContentType, encode(tb, OIDData)), Attribute(OIDMessageDigest,
			encode(tb, Sum(hash, []byte(content)))),
	}, more...)...)
}

// check is all that a caller does.
func check(raw []byte) error {
	d, err := Parse(raw)
	if err != nil {
		return err
	}
	s := &d.Signers[0]
	certificate, err := d.Certificate(s)
	if err != nil {
		return err
	}
	if s.Attributes != nil {
		hash, err := s.Hash()
		if err != nil {
			return err
		}
		if err := s.CheckDigest(Sum(hash, []byte(content))); err != nil {
			return err
		}
		if err := s.CheckContentType(d.ContentType); err != nil {
			return err
		}
		if err := s.CheckCertificate(certificate, false); err != nil {
			return err
		}
		if err := s.CheckAlgorithms(); err != nil {
			return err
		}
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return err
	}
	return s.CheckValue(parsed, []byte(content))
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key  crypto.Signer
		hash crypto.Hash
		a    *sigalg.Algorithm
	}{
		"RSA, SHA-256":   {rsaKey(), crypto.SHA256, sigalg.SHA256WithRSA},
		"RSA, SHA-512":   {rsaKey(), crypto.SHA512, sigalg.SHA512WithRSA},
		"ECDSA, SHA-384": {ecKey(t), crypto.SHA384, sigalg.ECDSAWithSHA384},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, c.key, 7)
			for _, set := range [][]byte{nil, attributes(t, c.hash)} {
				p := s.parts(t, c.hash, c.a, set)
				p.More = [][]byte{newSigner(t, c.key, 8).raw}
				raw := Write(p)
				if err := check(raw); err != nil {
					t.Error(err)
				}
				p.Value[3] ^= 1
				if err := check(Write(p)); !errors.Is(err, Value) {
					t.Errorf("another value: %v", err)
				}
			}
		})
	}
}

// rsaEncryption names the key alone; the hash is the digest algorithm's (as OpenSSL writes it).
func TestKeyAlgorithmAlone(t *testing.T) {
	t.Parallel()
	s := newSigner(t, rsaKey(), 7)
	raw := Write(s.parts(t, crypto.SHA256, sigalg.SHA256WithRSA, nil))
	long, short := encode(t, sigalg.SHA256WithRSA.ID), encode(t, oidRSA)
	if len(long) != len(short) {
		t.Fatal("the identifiers differ in length")
	}
	at := bytes.LastIndex(raw, long)
	raw = append(append(append([]byte(nil), raw[:at]...), short...), raw[at+len(long):]...)
	if err := check(raw); err != nil {
		t.Error(err)
	}
}

func TestSignerByKeyIdentifier(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t, rsaKey(), 7), newSigner(t, rsaKey(), 8)
	named := Signer{keyID: s.certificate.SubjectKeyId}
	d := &SignedData{Certificates: [][]byte{other.raw, s.raw, {0x30, 0}}}
	if got, err := d.Certificate(&named); err != nil || !bytes.Equal(got, s.raw) {
		t.Errorf("got %v", err)
	}
	if got, err := d.Certificate(&named, s.raw); err != nil || !bytes.Equal(got, s.raw) {
		t.Errorf("the same one twice: %v", err)
	}
	twin := newSigner(t, rsaKey(), 7) // another certificate with the same names, because its key is the same
	twin.raw = bytes.Clone(twin.raw)
	twin.raw[len(twin.raw)-1] ^= 1
	if _, err := d.Certificate(&named, twin.raw); !errors.Is(err, Certificate) {
		t.Errorf("two that fit: %v", err)
	}
	if _, err := d.Certificate(&Signer{keyID: []byte{9}}); !errors.Is(err, Certificate) {
		t.Errorf("none that fits: %v", err)
	}
}

type (
	essCertID   struct{ Hash []byte }
	essCertIDv2 struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
		Issuer    issuerSerial
	}
	issuerSerial struct {
		Names  asn1.RawValue
		Serial *big.Int
	}
)

func TestAttributesThatBind(t *testing.T) {
	t.Parallel()
	s := newSigner(t, rsaKey(), 7)
	old := sha1.Sum(s.raw)
	directory := asn1.RawValue{Class: 2, Tag: 4, IsCompound: true, Bytes: s.certificate.RawIssuer}
	names := asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: encode(t, directory)}
	whole := func(hash crypto.Hash, serial int64) []byte {
		return Attribute(OIDSigningCertificateV2, encode(t, struct{ Certs []essCertIDv2 }{[]essCertIDv2{{
			pkix.AlgorithmIdentifier{Algorithm: OIDOf(hash)}, Sum(hash, s.raw), issuerSerial{names, big.NewInt(serial)},
		}}}))
	}
	protection := func(hash crypto.Hash, a *sigalg.Algorithm) []byte {
		type protect struct {
			Digest    pkix.AlgorithmIdentifier
			Signature pkix.AlgorithmIdentifier `asn1:"tag:1"`
		}
		return Attribute(oidAlgorithmProtection, encode(t, protect{
			pkix.AlgorithmIdentifier{Algorithm: OIDOf(hash)}, pkix.AlgorithmIdentifier{Algorithm: a.ID},
		}))
	}
	v1 := func(hash []byte) []byte {
		return Attribute(OIDSigningCertificate, encode(t, struct{ Certs []essCertID }{[]essCertID{{hash}}}))
	}
	good := whole(crypto.SHA512, 7)
	for name, c := range map[string]struct {
		more [][]byte
		want error
	}{
		"nothing":                       {nil, nil},
		"version 2 in full":             {[][]byte{good}, nil},
		"version 1":                     {[][]byte{v1(old[:])}, nil},
		"both versions":                 {[][]byte{v1(old[:]), good}, nil},
		"version 1 of another":          {[][]byte{v1(make([]byte, 20))}, Bound},
		"version 1 of another, 2 right": {[][]byte{v1(make([]byte, 20)), good}, Bound},
		"another serial number":         {[][]byte{whole(crypto.SHA512, 8)}, Bound},
		"no certificates": {[][]byte{Attribute(OIDSigningCertificateV2,
			encode(t, struct{ Certs []essCertID }{}))}, Bound},
		"algorithms protected":        {[][]byte{protection(crypto.SHA256, sigalg.SHA256WithRSA)}, nil},
		"another digest algorithm":    {[][]byte{protection(crypto.SHA512, sigalg.SHA256WithRSA)}, Bound},
		"another signature algorithm": {[][]byte{protection(crypto.SHA256, sigalg.SHA512WithRSA)}, Bound},
		"protection of nothing":       {[][]byte{Attribute(oidAlgorithmProtection, encode(t, 1))}, Bound},
		"an attribute twice":          {[][]byte{good, whole(crypto.SHA256, 7)}, Attributes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := Write(s.parts(t, crypto.SHA256, sigalg.SHA256WithRSA, attributes(t, crypto.SHA256, c.more...)))
			if err := check(raw); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// indefinite rewrites constructed elements with indefinite lengths and primitive ones with lengths that are too long.
func indefinite(tb testing.TB, der []byte) []byte {
	tb.Helper()
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	if err != nil || len(rest) != 0 {
		tb.Fatal(err)
	}
	if !v.IsCompound {
		n := len(v.Bytes)
		return append([]byte{der[0], 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, v.Bytes...)
	}
	out := []byte{der[0], 0x80}
	for inner := v.Bytes; len(inner) > 0; {
		var one asn1.RawValue
		if inner, err = asn1.Unmarshal(inner, &one); err != nil {
			tb.Fatal(err)
		}
		out = append(out, indefinite(tb, one.FullBytes)...)
	}
	return append(out, 0, 0)
}

func TestIndefiniteLengths(t *testing.T) {
	t.Parallel()
	s := newSigner(t, rsaKey(), 7)
	raw := Write(s.parts(t, crypto.SHA256, sigalg.SHA256WithRSA, attributes(t, crypto.SHA256)))
	ber := indefinite(t, raw)
	if got, ok := Definite(ber); !ok || !bytes.Equal(got, raw) {
		t.Fatal("not the DER it was made of")
	}
	if err := check(ber); err != nil {
		t.Error(err)
	}
	if got, ok := Definite(raw); !ok || &got[0] != &raw[0] {
		t.Error("DER is not returned as it is")
	}
	deep := bytes.Repeat([]byte{0x30, 0x80}, limits.SignedDataDepth+2)
	for name, bad := range map[string][]byte{
		"nothing":                    {},
		"no length":                  {0x30},
		"a length of nine octets":    {0x04, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"a huge length":              {0x04, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a primitive without end":    {0x04, 0x80, 0, 0},
		"no end of contents":         {0x30, 0x80, 0x05, 0},
		"bytes behind":               {0x30, 0x00, 0x00},
		"an element over the border": {0x30, 0x02, 0x04, 0x01, 0x00},
		"a tag of two octets":        {0x3f, 0x20, 0x00},
		"too deep":                   append(deep, bytes.Repeat([]byte{0, 0}, limits.SignedDataDepth+2)...),
		"too many elements": append(append([]byte{0x30, 0x80},
			bytes.Repeat([]byte{0x05, 0}, limits.SignedDataElements)...),
			0, 0),
	} {
		if _, ok := Definite(bad); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAreAttributes(t *testing.T) {
	t.Parallel()
	set := attributes(t, crypto.SHA256)
	if !AreAttributes(set) {
		t.Error("signed attributes are not recognised")
	}
	for name, other := range map[string][]byte{
		"text": []byte("1 こんにちは"), "nothing": nil, "a byte more": append(bytes.Clone(set), 0),
		"no message digest": Set(Attribute(OIDContentType, encode(t, OIDData))),
	} {
		if AreAttributes(other) {
			t.Errorf("%s: taken for signed attributes", name)
		}
	}
	if _, err := ReadAttributes(set[:len(set)-1]); !errors.Is(err, Attributes) {
		t.Errorf("cut attributes: %v", err)
	}
	if _, err := ReadAttributes(nil); !errors.Is(err, Attributes) {
		t.Errorf("no attributes: %v", err)
	}
}

// FuzzParse: whatever is read can be checked without a panic, and BER says the same as the DER that it is rewritten to.
func FuzzParse(f *testing.F) {
	s := newSigner(f, ecKey(f), 7)
	raw := Write(s.parts(f, crypto.SHA384, sigalg.ECDSAWithSHA384, attributes(f, crypto.SHA384)))
	f.Add(raw)
	f.Add(indefinite(f, raw))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Parse(raw)
		var problem Problem
		if err != nil {
			if !errors.As(err, &problem) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for i := range d.Signers {
			one := &d.Signers[i]
			_, _ = d.Certificate(one)
			_, _ = one.Algorithm()
			_ = one.CheckAlgorithms()
			_ = one.CheckContentType(d.ContentType)
			_ = one.CheckCertificate(s.raw, true)
			_ = one.CheckDigest(make([]byte, 32))
		}
		definite, ok := Definite(raw)
		if !ok {
			t.Fatal("read but not rewritten")
		}
		if again, ok := Definite(definite); !ok || !bytes.Equal(again, definite) {
			t.Fatal("rewritten twice is something else")
		}
	})
}
