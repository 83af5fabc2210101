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
	data := wrap(cbasn1.SEQUENCE, []byte{2, 1, 1}, []byte{0x31, 0},
		wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}),
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
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "A"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Unix(1<<31, 0),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
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

// swapped is the other order of the bytes of UTF-16.
func swapped(text []byte) []byte {
	out := bytes.Clone(text)
	for i := 0; i+1 < len(out); i += 2 {
		out[i], out[i+1] = out[i+1], out[i]
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
		"base64 in lines": {[]byte(strings.Join(strings.SplitAfter(base64.StdEncoding.EncodeToString(cert),
			"A"), "\n")), [][]byte{cert}},
		"PEM in one line":            {[]byte(strings.ReplaceAll(string(plain), "\n", " ")), [][]byte{cert}},
		"PEM, line ends written out": {[]byte(strings.ReplaceAll(string(plain), "\n", `\n`)), [][]byte{cert}},
		"PEM in a JSON string": {[]byte(`{"cert":"` + strings.ReplaceAll(string(plain), "\n",
			`\r\n`) + `"}`), [][]byte{cert}},
		"PEM, quoted by mail": {[]byte("> " + strings.ReplaceAll(string(plain), "\n", "\n> ")),
			[][]byte{cert}},
		"PEM, double spaced": {bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n\r\n")), [][]byte{cert}},
		"PEM, wide blanks": {bytes.ReplaceAll(plain, []byte("\n"), []byte("\u3000\u00a0\n")),
			[][]byte{cert}},
		"PEM, marks of joined files": {join([]byte("\ufeff"), plain, []byte("\ufeff"), plain), [][]byte{cert,
			cert}},
		"PEM, invisible characters":   {bytes.ReplaceAll(plain, []byte("\n"), []byte("\u200b\n")), [][]byte{cert}},
		"PEM, UTF-16 without a mark":  {utf16LE(plain)[2:], [][]byte{cert}},
		"PEM, UTF-16, other order":    {swapped(utf16LE(plain)), [][]byte{cert}},
		"PEM, UTF-16, other, no mark": {swapped(utf16LE(plain))[2:], [][]byte{cert}},
		"PEM, end of file of DOS":     {join(plain, []byte{0x1a}), [][]byte{cert}},
		"PEM with headers": {bytes.Replace(plain, []byte("\n"),
			[]byte("\nComment: of A\nVersion: 1\n\n"), 1), [][]byte{cert}},
		"PEM, bag attributes": {join([]byte("Bag Attributes\n    friendlyName: a-----b\nsubject=/CN=A\n"),
			plain), [][]byte{cert}},
		"PEM, a label in small letters": {[]byte(strings.ReplaceAll(string(plain), "CERTIFICATE", "certificate")),
			[][]byte{cert}},
		"PEM, a bundle as a certificate": {armor("CERTIFICATE", bundle(join(cert, cert), nil)), [][]byte{cert, cert}},
		"PEM in base64":                  {[]byte(base64.StdEncoding.EncodeToString(plain)), [][]byte{cert}},
		"base64 without padding":         {[]byte(base64.RawStdEncoding.EncodeToString(cert)), [][]byte{cert}},
		"base64 for addresses":           {[]byte(base64.URLEncoding.EncodeToString(cert)), [][]byte{cert}},
		"base64, UTF-16": {utf16LE([]byte(base64.StdEncoding.EncodeToString(cert) + "\r\n")),
			[][]byte{cert}},
		"PKCS #7, DER": {bundle(join(cert, cert), list), [][]byte{cert, cert}},
		"PKCS #7, PEM": {armor("PKCS7", bundle(cert, nil)), [][]byte{cert}},
		"PKCS #7, base64": {[]byte(base64.StdEncoding.EncodeToString(bundle(cert, nil))),
			[][]byte{cert}},
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
	for name, data := range map[string][]byte{"DER": list, "PEM": armor("X509 CRL", list),
		"PKCS #7": bundle(cert, list)} {
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
		"empty":                {nil, "empty"},
		"blank":                {[]byte(" \r\n"), "empty"},
		"private key":          {armor("PRIVATE KEY", cert), "private key"},
		"request":              {armor("CERTIFICATE REQUEST", cert), "certificate request"},
		"public key":           {armor("PUBLIC KEY", cert), "public key"},
		"list for certificate": {armor("X509 CRL", list), "nothing of the expected kind"},
		"bundle of lists only": {bundle(nil, list), "nothing of the expected kind"},
		"HTML":                 {[]byte("<!DOCTYPE html><title>404</title>"), "HTML"},
		"text":                 {[]byte("see attachment"), "text"},
		"base64 of something":  {[]byte(base64.StdEncoding.EncodeToString([]byte("hello, world"))), "text"},
		"binary":               {[]byte{0, 1, 2, 3}, "neither DER nor PEM"},
		"cut off":              {cert[:len(cert)-5], "cut off"},
		"two in DER":           {append(bytes.Clone(cert), cert...), "after the end"},
		"damaged PEM": {bytes.Replace(armor("CERTIFICATE", cert), []byte("\nM"), []byte("\n*"), 1),
			"damaged"},
		"other dashes": {[]byte("–––––BEGIN CERTIFICATE–––––\nMIIB\n–––––END CERTIFICATE–––––"), "damaged"},
		"BER": {[]byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0, 0},
			"indefinite length"},
		"BER in PEM": {armor("PKCS7", []byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0, 0}),
			"indefinite length"},
		"ZIP":                       {[]byte("PK\x03\x04\x14\x00\x00\x00"), "ZIP"},
		"PEM with bytes behind DER": {armor("CERTIFICATE", append(bytes.Clone(cert), 0)), "after the end"},
		"PEM of half a certificate": {armor("CERTIFICATE", cert[:len(cert)/2]), "cut off"},
		"blank PEM":                 {armor("CERTIFICATE", nil), "cut off"},
		"a page with PEM's word":    {[]byte("<p>BEGIN</p>"), "HTML"},
		"one mark alone":            {[]byte("\xef\xbb\xbf"), "empty"},
		"half of UTF-16":            {utf16LE([]byte("MIIB"))[:7], "neither DER nor PEM"},
		"hexadecimal":               {[]byte("30 82 01 0a 02 82 01 01"), "text"},
		"PEM without an end":        {armor("CERTIFICATE", cert)[:200], "damaged"},
		"PKCS #12": {wrap(cbasn1.SEQUENCE, []byte{2, 1, 3},
			wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1})), "PKCS #12"},
		"other PKCS #7 content": {wrap(cbasn1.SEQUENCE, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3}),
			"nothing of the expected kind"},
	} {
		got, err := certfile.Read(c.data, certfile.Certificates)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d objects, %v, want %q", name, len(got), err, c.want)
		}
	}
}

// TestNotDER: where DER is wanted and something else came, a sentence says what.
func TestNotDER(t *testing.T) {
	cert, list := objects(t)
	plain := armor("CERTIFICATE", cert)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a certificate":    {cert, ""},
		"a list":           {list, ""},
		"nothing":          {nil, "empty"},
		"padding alone":    {[]byte("="), "neither"},
		"PEM":              {plain, "this is PEM"},
		"PEM with a mark":  {append([]byte("\ufeff"), plain...), "this is PEM"},
		"PEM, UTF-16":      {utf16LE(plain), "this is PEM"},
		"half of PEM":      {plain[:60], "this is PEM"},
		"base64":           {[]byte(base64.StdEncoding.EncodeToString(cert)), "this is base64"},
		"base64 in lines":  {[]byte(base64.StdEncoding.EncodeToString(cert)[:76] + "\r\nMIIB"), "this is base64"},
		"a bundle":         {bundle(cert, nil), "PKCS #7"},
		"a list's bundle":  {bundle(nil, list), "PKCS #7"},
		"a page":           {[]byte("<html>"), "HTML"},
		"text":             {[]byte("see attachment"), "text"},
		"a ZIP":            {[]byte("PK\x03\x04\x00\x00"), "ZIP"},
		"binary":           {[]byte{1, 2, 0}, "neither"},
		"cut off":          {cert[:len(cert)-1], "cut off"},
		"a newline":        {append(bytes.Clone(cert), '\n'), "after the end"},
		"filler of a card": {append(bytes.Clone(cert), 0xff, 0xff), "after the end"},
		"BER":              {[]byte{0x30, 0x80, 0, 0}, "indefinite"},
	} {
		if got := certfile.NotDER(c.data); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	cert, list := objects(f)
	for _, seed := range [][]byte{cert, armor("CERTIFICATE", cert), bundle(cert, list),
		[]byte(base64.StdEncoding.EncodeToString(cert)), utf16LE(armor("X509 CRL", list))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = certfile.NotDER(data) // does not panic
		for _, kind := range []certfile.Kind{certfile.Certificates, certfile.Lists, certfile.Responses} {
			got, err := certfile.Read(data, kind)
			if (err == nil) != (len(got) > 0) {
				t.Fatalf("%d objects, %v", len(got), err)
			}
		}
	})
}
