// Package certfile reads files of certificates, revocation lists and OCSP responses in the forms in which people have
// them: DER, PEM with whatever stands around it, bare base64, PKCS #7. What cannot be read is refused with a sentence
// that says what was found, because "asn1: syntax error" helps nobody who saved an error page under the name of a
// certificate.
package certfile

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// Kind is what a file is expected to hold.
type Kind int

// Kinds.
const (
	Certificates Kind = iota + 1
	Lists
	Responses
)

// labels are the PEM labels (RFC 7468) of each kind, and the older ones that are still written.
var labels = map[string]Kind{
	"CERTIFICATE": Certificates, "X509 CERTIFICATE": Certificates, "X.509 CERTIFICATE": Certificates,
	"TRUSTED CERTIFICATE": Certificates,
	"X509 CRL":            Lists, "CRL": Lists,
	"OCSP RESPONSE": Responses,
}

// others are PEM labels of what is taken for one of these.
var others = map[string]error{
	"CERTIFICATE REQUEST":     errors.New("this is a certificate request, not a certificate"),
	"NEW CERTIFICATE REQUEST": errors.New("this is a certificate request, not a certificate"),
	"PUBLIC KEY":              errors.New("this is a public key without a certificate"),
	"RSA PUBLIC KEY":          errors.New("this is a public key without a certificate"),
	"PRIVATE KEY":             errPrivateKey,
	"RSA PRIVATE KEY":         errPrivateKey,
	"EC PRIVATE KEY":          errPrivateKey,
	"ENCRYPTED PRIVATE KEY":   errPrivateKey,
	"OPENSSH PRIVATE KEY":     errPrivateKey,
}

var (
	errPrivateKey = errors.New("this is a private key: it does not belong here")
	errEmpty      = errors.New("the file is empty")
	errPage       = errors.New("this is an HTML or XML page, not what it was saved for")
	errText       = errors.New("this is text, but neither PEM nor base64 of DER")
	errBroken     = errors.New("the PEM or base64 text is damaged")
	errBinary     = errors.New("this is neither DER nor PEM")
	errTruncated  = errors.New("the DER ends too early: the file is cut off")
	errTrailing   = errors.New("there are bytes after the end of the DER")
	errPKCS12     = errors.New(
		"this is a PKCS #12 file (key and certificate under a password): export the certificate alone",
	)
	errNone = errors.New("nothing of the expected kind is in the file")
)

// Read returns the DER of each object of the kind in the data of a file. Errors are sentences of this package.
func Read(data []byte, kind Kind) ([][]byte, error) {
	data = text(data)
	trimmed := bytes.TrimSpace(data)
	switch {
	case len(trimmed) == 0:
		return nil, errEmpty
	case data[0] == 0x30:
		if out, err := binary(data, kind); err == nil || !isText(trimmed) {
			return out, err
		}
	}
	switch {
	case bytes.Contains(trimmed, []byte("-----BEGIN ")):
		return armored(trimmed, kind)
	case trimmed[0] == '<':
		return nil, errPage
	case !isText(trimmed):
		return nil, errBinary
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(trimmed), nil)))
	if err != nil || len(raw) == 0 || raw[0] != 0x30 {
		return nil, errText
	}
	return binary(raw, kind)
}

// text removes what editors put before a text: a byte order mark; UTF-16, which PowerShell writes, becomes UTF-8.
func text(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		return rest
	}
	little := bytes.HasPrefix(data, []byte{0xff, 0xfe})
	if !little && !bytes.HasPrefix(data, []byte{0xfe, 0xff}) || len(data)%2 != 0 {
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i < len(data); i += 2 {
		if little {
			units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
		} else {
			units = append(units, uint16(data[i+1])|uint16(data[i])<<8)
		}
	}
	return []byte(string(utf16.Decode(units)))
}

func isText(data []byte) bool {
	return !bytes.ContainsFunc(
		data,
		func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == '\uFFFD' },
	)
}

// armored reads PEM. encoding/pem wants its lines at the start and its end on a line of its own; people's files have
// blanks before them and carriage returns alone.
func armored(data []byte, kind Kind) ([][]byte, error) {
	normal := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(normal, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	rest := []byte(strings.Join(lines, "\n") + "\n")
	var out [][]byte
	refused := errNone
	blocks := 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks++
		switch {
		case labels[block.Type] == kind:
			one := block.Bytes
			if block.Type == "TRUSTED CERTIFICATE" { // OpenSSL puts its own data behind the certificate
				one = first(one)
			}
			out = append(out, one)
		case block.Type == "PKCS7" || block.Type == "CMS" || block.Type == "PKCS #7 SIGNED DATA":
			more, err := binary(block.Bytes, kind)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		case others[block.Type] != nil:
			refused = others[block.Type]
		}
	}
	switch {
	case blocks != strings.Count(normal, "-----BEGIN "):
		return nil, errBroken
	case len(out) == 0:
		return nil, refused
	}
	return out, nil
}

// first returns the first element.
func first(data []byte) []byte {
	s := cryptobyte.String(data)
	var one cryptobyte.String
	if !s.ReadASN1Element(&one, cbasn1.SEQUENCE) {
		return data
	}
	return one
}

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

// binary reads one DER object, or those in a PKCS #7 SignedData. A newline that an editor put at the end is no part of
// it.
func binary(data []byte, kind Kind) ([][]byte, error) {
	s := cryptobyte.String(data)
	var one, content cryptobyte.String
	if !s.ReadASN1Element(&one, cbasn1.SEQUENCE) {
		return nil, errTruncated
	}
	if len(bytes.TrimRight(s, "\r\n")) > 0 {
		return nil, errTrailing
	}
	inner := one
	if inner.ReadASN1(&content, cbasn1.SEQUENCE) && content.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) {
		return signedData(content, kind)
	}
	if inner = one; inner.ReadASN1(&content, cbasn1.SEQUENCE) && isPKCS12(content) {
		return nil, errPKCS12
	}
	return [][]byte{one}, nil
}

// isPKCS12 recognises PFX: version 3 and a ContentInfo (RFC 7292, 4).
func isPKCS12(content cryptobyte.String) bool {
	var version int
	var info cryptobyte.String
	var id asn1.ObjectIdentifier
	return content.ReadASN1Integer(&version) && version == 3 && content.ReadASN1(&info, cbasn1.SEQUENCE) &&
		info.ReadASN1ObjectIdentifier(&id) && (id.Equal(oidData) || id.Equal(oidSignedData))
}

// signedData reads certificates and lists of SignedData (RFC 5652, 5.1), which is how bundles are sent ("certs only").
// Nobody's signature on the bundle is looked at: what is in it is judged by itself.
func signedData(info cryptobyte.String, kind Kind) ([][]byte, error) {
	var id asn1.ObjectIdentifier
	var explicit, data, set cryptobyte.String
	var present bool
	if !info.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidSignedData) || !info.ReadASN1(&explicit, der.Tag0C) ||
		!explicit.ReadASN1(&data, cbasn1.SEQUENCE) || !data.SkipASN1(cbasn1.INTEGER) || !data.SkipASN1(cbasn1.SET) ||
		!data.SkipASN1(cbasn1.SEQUENCE) {
		return nil, errNone
	}
	tags := map[Kind]cbasn1.Tag{Certificates: der.Tag0C, Lists: der.Tag1C}
	for _, tag := range [...]cbasn1.Tag{der.Tag0C, der.Tag1C} {
		if !data.ReadOptionalASN1(&set, &present, tag) {
			return nil, errNone
		}
		if !present || tags[kind] != tag {
			continue
		}
		var out [][]byte
		for !set.Empty() {
			var one cryptobyte.String
			var form cbasn1.Tag
			if !set.ReadAnyASN1Element(&one, &form) {
				return nil, errTruncated
			}
			if form == cbasn1.SEQUENCE { // attribute certificates have other tags
				out = append(out, one)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, errNone
}
