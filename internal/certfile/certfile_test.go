package certfile_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/certfile"
)

func wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddBytes(p)
		}
	})
	return b.BytesOrPanic()
}

// bundle is a PKCS #7 SignedData with nothing but certificates and lists in it.
func bundle(certificates, lists []byte) []byte {
	const constructed = 0x20 | 0x80
	data := wrap(cbasn1.SEQUENCE, []byte{2, 1, 1}, []byte{0x31, 0}, wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}),
		wrap(constructed, certificates), wrap(constructed+1, lists), []byte{0x31, 0})
	return wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}, wrap(constructed, data))
}

// objects makes a certificate and a list.
func objects(t testing.TB) (cert, list []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "A"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	if cert, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	issuer, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	list, err = x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Unix(0, 0), NextUpdate: time.Unix(1<<31, 0),
	}, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, list
}

func armor(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func utf16LE(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// TestFormsPeopleHave: each form that editors, mail programs and other tools make of a certificate is read.
func TestFormsPeopleHave(t *testing.T) {
	cert, list := objects(t)
	plain := armor("CERTIFICATE", cert)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	trusted := join(cert, wrap(cbasn1.SEQUENCE, []byte{0x0c, 1, 'x'}))
	for name, c := range map[string]struct {
		data []byte
		want [][]byte
	}{
		"DER":                        {cert, [][]byte{cert}},
		"DER with a newline":         {join(cert, []byte("\r\n")), [][]byte{cert}},
		"PEM":                        {plain, [][]byte{cert}},
		"PEM without a last newline": {bytes.TrimRight(plain, "\n"), [][]byte{cert}},
		"PEM, CRLF":                  {bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")), [][]byte{cert}},
		"PEM, CR":                    {bytes.ReplaceAll(plain, []byte("\n"), []byte("\r")), [][]byte{cert}},
		"PEM, indented":              {bytes.ReplaceAll(plain, []byte("\n"), []byte("\n   ")), [][]byte{cert}},
		"PEM, byte order mark":       {join([]byte("\xef\xbb\xbf"), plain), [][]byte{cert}},
		"PEM, UTF-16":                {utf16LE(plain), [][]byte{cert}},
		"PEM, text around it":        {join([]byte("subject=A\nissuer=A\n"), plain, []byte("bye\n")), [][]byte{cert}},
		"PEM, X509":                  {armor("X509 CERTIFICATE", cert), [][]byte{cert}},
		"PEM, X.509":                 {armor("X.509 CERTIFICATE", cert), [][]byte{cert}},
		"PEM, TRUSTED":               {armor("TRUSTED CERTIFICATE", trusted), [][]byte{cert}},
		"PEM chain":                  {join(plain, armor("PRIVATE KEY", []byte{0x30, 0}), plain), [][]byte{cert, cert}},
		"base64 in lines":            {[]byte(strings.Join(strings.SplitAfter(base64.StdEncoding.EncodeToString(cert), "A"), "\n")), [][]byte{cert}},
		"PKCS #7, DER":               {bundle(join(cert, cert), list), [][]byte{cert, cert}},
		"PKCS #7, PEM":               {armor("PKCS7", bundle(cert, nil)), [][]byte{cert}},
		"PKCS #7, base64":            {[]byte(base64.StdEncoding.EncodeToString(bundle(cert, nil))), [][]byte{cert}},
	} {
		got, err := certfile.Read(c.data, certfile.Certificates)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s: %d objects, %v", name, len(got), err)
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], c.want[i]) {
				t.Errorf("%s: object %d differs", name, i)
			}
		}
	}
	for name, data := range map[string][]byte{"DER": list, "PEM": armor("X509 CRL", list), "PKCS #7": bundle(cert, list)} {
		if got, err := certfile.Read(data, certfile.Lists); err != nil || len(got) != 1 || !bytes.Equal(got[0], list) {
			t.Errorf("list as %s: %v", name, err)
		}
	}
}

// TestRefusalsSayWhatWasFound: what is not one of the forms is named.
func TestRefusalsSayWhatWasFound(t *testing.T) {
	cert, list := objects(t)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                 {nil, "empty"},
		"blank":                 {[]byte(" \r\n"), "empty"},
		"private key":           {armor("PRIVATE KEY", cert), "private key"},
		"request":               {armor("CERTIFICATE REQUEST", cert), "certificate request"},
		"public key":            {armor("PUBLIC KEY", cert), "public key"},
		"list for certificate":  {armor("X509 CRL", list), "nothing of the expected kind"},
		"bundle of lists only":  {bundle(nil, list), "nothing of the expected kind"},
		"HTML":                  {[]byte("<!DOCTYPE html><title>404</title>"), "HTML"},
		"text":                  {[]byte("see attachment"), "text"},
		"base64 of something":   {[]byte(base64.StdEncoding.EncodeToString([]byte("hello, world"))), "text"},
		"binary":                {[]byte{0, 1, 2, 3}, "neither DER nor PEM"},
		"cut off":               {cert[:len(cert)-5], "cut off"},
		"two in DER":            {append(bytes.Clone(cert), cert...), "after the end"},
		"damaged PEM":           {bytes.Replace(armor("CERTIFICATE", cert), []byte("\nM"), []byte("\n*"), 1), "damaged"},
		"PEM without an end":    {armor("CERTIFICATE", cert)[:200], "damaged"},
		"PKCS #12":              {wrap(cbasn1.SEQUENCE, []byte{2, 1, 3}, wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1})), "PKCS #12"},
		"other PKCS #7 content": {wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3}), "nothing of the expected kind"},
	} {
		got, err := certfile.Read(c.data, certfile.Certificates)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d objects, %v, want %q", name, len(got), err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	cert, list := objects(f)
	for _, seed := range [][]byte{cert, armor("CERTIFICATE", cert), bundle(cert, list), []byte(base64.StdEncoding.EncodeToString(cert)), utf16LE(armor("X509 CRL", list))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []certfile.Kind{certfile.Certificates, certfile.Lists, certfile.Responses} {
			got, err := certfile.Read(data, kind)
			if (err == nil) != (len(got) > 0) {
				t.Fatalf("%d objects, %v", len(got), err)
			}
		}
	})
}
