// Package certfile reads files of certificates, revocation lists and OCSP responses in the forms in which people have
// them: DER, PEM with whatever stands around it, bare base64, PKCS #7. What cannot be read is refused with a sentence
// that says what was found, because "asn1: syntax error" helps nobody who saved an error page under the name of a
// certificate.
package certfile

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/pemtext"
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
	errBER        = errors.New(
		"this is BER of indefinite length, not DER: export it again as DER or PEM, or convert it with OpenSSL",
	)
	errArchive  = errors.New("this is a ZIP archive: unpack it")
	errPEM      = errors.New("this is PEM where DER is wanted: decode it first")
	errBase64   = errors.New("this is base64 where DER is wanted: decode it first")
	errBundle   = errors.New("this is a PKCS #7 file where a single object is wanted")
	errTrailing = errors.New("there are bytes after the end of the DER")
	errPKCS12   = errors.New(
		"this is a PKCS #12 file (key and certificate under a password): export the certificate alone",
	)
	errNone = errors.New("nothing of the expected kind is in the file")
)

// Read returns the DER of each object of the kind in the data of a file. Errors are sentences of this package.
func Read(data []byte, kind Kind) ([][]byte, error) {
	data = pemtext.Decode(data)
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
	case pemtext.Has(trimmed):
		return armored(trimmed, kind)
	case bytes.Contains(trimmed, []byte("BEGIN CERTIFICATE")):
		return nil, errBroken // a word processor made other dashes of the five
	case trimmed[0] == '<':
		return nil, errPage
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, errArchive
	case !isText(trimmed):
		return nil, errBinary
	}
	raw, ok := fromBase64(trimmed)
	switch {
	case ok && pemtext.Has(raw): // a secret of a cluster: PEM in base64
		return armored(raw, kind)
	case !ok || len(raw) == 0 || raw[0] != 0x30:
		return nil, errText
	}
	return binary(raw, kind)
}

// NotDER says what stands where the DER of one object is wanted, in a sentence of this package; "" if nothing but the
// content of the DER can be wrong. It looks at the beginning, and at the end if that is there.
func NotDER(data []byte) string {
	text := pemtext.Decode(data)
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) == 0:
		return errEmpty.Error()
	case data[0] == 0x30 && !isText(trimmed):
		found, err := binary(data, Certificates)
		switch {
		case err != nil && err != errNone: //nolint:errorlint // sentences of this package, not wrapped
			return err.Error()
		case err != nil || !bytes.HasPrefix(data, found[0]):
			return errBundle.Error()
		case len(found[0]) != len(data):
			return errTrailing.Error()
		}
		return ""
	case pemtext.Has(trimmed):
		return errPEM.Error()
	case trimmed[0] == '<':
		return errPage.Error()
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return errArchive.Error()
	case !isText(trimmed):
		return errBinary.Error()
	}
	if raw, ok := fromBase64(trimmed[:min(len(trimmed), 64)]); ok && len(raw) > 0 && raw[0] == 0x30 {
		return errBase64.Error()
	}
	return errText.Error()
}

// fromBase64 reads base64 in lines, of either alphabet, with and without padding.
func fromBase64(text []byte) (raw []byte, ok bool) {
	one := strings.TrimRight(string(bytes.Join(bytes.Fields(text), nil)), "=")
	raw, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(one))
	return raw, err == nil
}

func isText(data []byte) bool {
	return !bytes.ContainsFunc(
		data,
		func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == '\uFFFD' },
	)
}

// armored reads PEM.
func armored(text []byte, kind Kind) ([][]byte, error) {
	blocks, whole := pemtext.Blocks(text)
	var out [][]byte
	refused := errNone
	for _, block := range blocks {
		label := strings.ToUpper(block.Type)
		switch {
		case labels[label] == kind || label == "PKCS7" || label == "CMS" || label == "PKCS #7 SIGNED DATA":
			der := block.Bytes
			if label == "TRUSTED CERTIFICATE" { // OpenSSL puts its own data behind the certificate
				der = first(der)
			}
			more, err := binary(der, kind) // a bundle under the label of a certificate is a bundle
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		case others[label] != nil:
			refused = others[label]
		}
	}
	switch {
	case !whole:
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
	if bytes.HasPrefix(data, []byte{0x30, 0x80}) {
		return nil, errBER
	}
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
