package issuer_test

import (
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// The certificates of a J-LIS test card and of its CAs, in their own order, as published readings of the bytes describe
// them: a level of indentation is a level of DER, "!" a critical extension. What differs from holder to holder is in
// angle brackets. Only the organization of the CRL and CA names and the address of the responder are this JPKI's own.
const (
	signingCertificate = `
serial number, 4 bytes
sha256WithRSAEncryption, NULL
issuer
  C PrintableString JP
  O UTF8String JPKI-TEST
  OU UTF8String JPKI for digital signature
  OU UTF8String Japan Agency for Local Authority Information Systems
validity, 2 UTCTime
subject
  C PrintableString JP
  L UTF8String Tokyo-to
  L UTF8String Kiyose-shi
  CN UTF8String <28 characters>
rsaEncryption, NULL, modulus of 2048 bits, exponent 65537
! 2.5.29.15 keyUsage C0
2.5.29.17 subjectAltName
  otherName 1.2.392.200149.8.5.5.1 UTF8String
  otherName 1.2.392.200149.8.5.5.4 UTF8String
  otherName 1.2.392.200149.8.5.5.3 UTF8String
  otherName 1.2.392.200149.8.5.5.5 UTF8String
  otherName 1.2.392.200149.8.5.5.2 UTF8String
  otherName 1.2.392.200149.8.5.5.6 UTF8String
! 2.5.29.32 certificatePolicies
  1.2.392.200149.8.5.1.0.20
    1.3.6.1.5.5.7.2.1 IA5String http://www.jpki.go.jp/cps.html
2.5.29.18 issuerAltName
  directoryName
    C PrintableString JP
    O UTF8String 公的個人認証サービス
    OU UTF8String 公的個人認証サービス署名用
    OU UTF8String 地方公共団体情報システム機構
2.5.29.31 cRLDistributionPoints
  fullName, directoryName
    C PrintableString JP
    O UTF8String JPKI-TEST
    OU UTF8String JPKI for digital signature
    OU UTF8String CRL Distribution Points
    OU UTF8String Tokyo-to
    CN UTF8String Kiyose-shi CRLDP
2.5.29.35 authorityKeyIdentifier
  keyIdentifier <20 bytes of the CA's>
  authorityCertIssuer, directoryName
    C PrintableString JP
    O UTF8String JPKI-TEST
    OU UTF8String JPKI for digital signature
    OU UTF8String Japan Agency for Local Authority Information Systems
  authorityCertSerialNumber <the CA's>
2.5.29.14 subjectKeyIdentifier <20 bytes>
`
	authenticationCertificate = `
serial number, 4 bytes
sha256WithRSAEncryption, NULL
issuer
  C PrintableString JP
  O UTF8String JPKI-TEST
  OU UTF8String JPKI for user authentication
  OU UTF8String Japan Agency for Local Authority Information Systems
validity, 2 UTCTime
subject
  C PrintableString JP
  CN UTF8String <23 characters>
rsaEncryption, NULL, modulus of 2048 bits, exponent 65537
! 2.5.29.15 keyUsage 80
2.5.29.37 extKeyUsage
  1.3.6.1.5.5.7.3.2
! 2.5.29.32 certificatePolicies
  1.2.392.200149.8.5.1.0.30
    1.3.6.1.5.5.7.2.1 IA5String http://www.jpki.go.jp/cps.html
2.5.29.18 issuerAltName
  directoryName
    C PrintableString JP
    O UTF8String 公的個人認証サービス
    OU UTF8String 公的個人認証サービス利用者証明用
    OU UTF8String 地方公共団体情報システム機構
2.5.29.31 cRLDistributionPoints
  fullName, directoryName
    C PrintableString JP
    O UTF8String JPKI-TEST
    OU UTF8String JPKI for user authentication
    OU UTF8String CRL Distribution Points
    OU UTF8String Tokyo-to
    CN UTF8String Kiyose-shi CRLDP
1.3.6.1.5.5.7.1.1 authorityInfoAccess
  1.3.6.1.5.5.7.48.1 URI http://ocspauth.jpki-test.example
2.5.29.35 authorityKeyIdentifier
  keyIdentifier <20 bytes of the CA's>
  authorityCertIssuer, directoryName
    C PrintableString JP
    O UTF8String JPKI-TEST
    OU UTF8String JPKI for user authentication
    OU UTF8String Japan Agency for Local Authority Information Systems
  authorityCertSerialNumber <the CA's>
2.5.29.14 subjectKeyIdentifier <20 bytes>
`
	signingCACertificate = `
serial number, 4 bytes
sha256WithRSAEncryption, NULL
issuer
  C PrintableString JP
  O UTF8String JPKI-TEST
  OU UTF8String JPKI for digital signature
  OU UTF8String Japan Agency for Local Authority Information Systems
validity, 2 UTCTime
subject
  C PrintableString JP
  O UTF8String JPKI-TEST
  OU UTF8String JPKI for digital signature
  OU UTF8String Japan Agency for Local Authority Information Systems
rsaEncryption, NULL, modulus of 2048 bits, exponent 65537
! 2.5.29.15 keyUsage 06
2.5.29.17 subjectAltName
  directoryName
    C PrintableString JP
    O UTF8String 公的個人認証サービス
    OU UTF8String 公的個人認証サービス署名用
    OU UTF8String 地方公共団体情報システム機構
! 2.5.29.19 basicConstraints cA
2.5.29.31 cRLDistributionPoints
  fullName, directoryName
    C PrintableString JP
    O UTF8String JPKI-TEST
    OU UTF8String JPKI for digital signature
    OU UTF8String Japan Agency for Local Authority Information Systems
2.5.29.14 subjectKeyIdentifier <20 bytes>
`
)

// TestProfiles compares every byte of structure: what the outline leaves out is only what the table has in brackets.
func TestProfiles(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	authenticationCA := strings.NewReplacer("digital signature", "user authentication", "署名用",
		"利用者証明用").Replace(signingCACertificate)
	for name, tc := range map[string]struct {
		der  []byte
		ca   *issuer.CA
		want string
	}{
		"signing": {issue(t, j.SigningCA(), holder(), noon).Raw, j.SigningCA(), signingCertificate},
		"authentication": {issue(t, j.AuthenticationCA(), holder(), noon).Raw, j.AuthenticationCA(),
			authenticationCertificate},
		"signing CA":        {j.SigningCA().Certificate().Raw, j.SigningCA(), signingCACertificate},
		"authentication CA": {j.AuthenticationCA().Certificate().Raw, j.AuthenticationCA(), authenticationCA},
	} {
		got := outline{t: t, ca: tc.ca}.certificate(tc.der)
		if want := strings.TrimPrefix(tc.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// outline writes a certificate down by encoding/asn1 alone, independently of the code that made it and of crypto/x509.
type outline struct {
	t  *testing.T
	ca *issuer.CA
	b  *strings.Builder
}

// children are the elements inside a constructed one, which must be of a class and tag.
func (o outline) children(der []byte, class, tag int) []asn1.RawValue {
	o.t.Helper()
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 || outer.Class != class ||
		outer.Tag != tag || !outer.IsCompound {
		o.t.Fatalf("class %d, tag %d, want %d, %d: %v", outer.Class, outer.Tag, class, tag, err)
	}
	var list []asn1.RawValue
	for in := outer.Bytes; len(in) > 0; {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(in, &v)
		if err != nil {
			o.t.Fatal(err)
		}
		list, in = append(list, v), rest
	}
	return list
}

func (o outline) sequence(der []byte, n int) []asn1.RawValue {
	o.t.Helper()
	list := o.children(der, asn1.ClassUniversal, asn1.TagSequence)
	if n > 0 && len(list) != n {
		o.t.Fatalf("%d elements, want %d", len(list), n)
	}
	return list
}

func (o outline) oid(v asn1.RawValue) string {
	o.t.Helper()
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(v.FullBytes, &oid); err != nil {
		o.t.Fatal(err)
	}
	return oid.String()
}

func (o outline) line(depth int, format string, arguments ...any) {
	fmt.Fprintf(o.b, strings.Repeat("  ", depth)+format+"\n", arguments...)
}

func (o outline) certificate(der []byte) string {
	o.t.Helper()
	o.b = &strings.Builder{}
	parts := o.sequence(der, 3)
	tbs := o.sequence(parts[0].FullBytes, 8)
	const sha256WithRSA = "300d06092a864886f70d01010b0500"
	for _, algorithm := range []asn1.RawValue{parts[1], tbs[2]} {
		if got := hex.EncodeToString(algorithm.FullBytes); got != sha256WithRSA {
			o.t.Errorf("algorithm %s", got)
		}
	}
	if got := hex.EncodeToString(tbs[0].FullBytes); got != "a003020102" {
		o.t.Errorf("version %s", got)
	}
	o.line(0, "serial number, %d bytes", len(tbs[1].Bytes))
	o.line(0, "sha256WithRSAEncryption, NULL")
	o.line(0, "issuer")
	o.name(1, tbs[3].FullBytes)
	for _, v := range o.sequence(tbs[4].FullBytes, 2) {
		if v.Tag != asn1.TagUTCTime {
			o.t.Errorf("time of tag %d", v.Tag)
		}
	}
	o.line(0, "validity, 2 UTCTime")
	o.line(0, "subject")
	o.name(1, tbs[5].FullBytes)
	key := o.sequence(tbs[6].FullBytes, 2)
	if got := hex.EncodeToString(key[0].FullBytes); got != "300d06092a864886f70d0101010500" {
		o.t.Errorf("algorithm of the key %s", got)
	}
	numbers := o.sequence(key[1].Bytes[1:], 2)
	if got := hex.EncodeToString(numbers[1].Bytes); got != "010001" {
		o.t.Errorf("exponent %s", got)
	}
	o.line(0, "rsaEncryption, NULL, modulus of %d bits, exponent 65537", 8*(len(numbers[0].Bytes)-1))
	explicit := o.children(tbs[7].FullBytes, asn1.ClassContextSpecific, 3)
	for _, e := range o.sequence(explicit[0].FullBytes, 0) {
		o.extension(o.sequence(e.FullBytes, 0))
	}
	return o.b.String()
}

// name writes a distinguished name. Common names of holders are opaque.
func (o outline) name(depth int, der []byte) {
	o.t.Helper()
	short := map[string]string{"2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.3": "CN"}
	types := map[int]string{asn1.TagPrintableString: "PrintableString", asn1.TagUTF8String: "UTF8String"}
	for _, rdn := range o.sequence(der, 0) {
		pairs := o.children(rdn.FullBytes, asn1.ClassUniversal, asn1.TagSet)
		if len(pairs) != 1 {
			o.t.Errorf("%d attributes in one RDN", len(pairs))
		}
		pair := o.sequence(pairs[0].FullBytes, 2)
		value := string(pair[1].Bytes)
		attribute := short[o.oid(pair[0])]
		if attribute == "CN" && !strings.HasSuffix(value, " CRLDP") {
			value = fmt.Sprintf("<%d characters>", len(value))
		}
		o.line(depth, "%s %s %s", attribute, types[pair[1].Tag], value)
	}
}

// generalNames writes those with a single directoryName.
func (o outline) generalNames(depth int, list []asn1.RawValue) {
	o.t.Helper()
	for _, n := range list {
		o.name(depth, o.children(n.FullBytes, asn1.ClassContextSpecific, 4)[0].FullBytes)
	}
}

func (o outline) extension(parts []asn1.RawValue) {
	o.t.Helper()
	names := map[string]string{
		"2.5.29.15": "keyUsage", "2.5.29.37": "extKeyUsage", "2.5.29.17": "subjectAltName",
		"2.5.29.18": "issuerAltName",
		"2.5.29.32": "certificatePolicies", "2.5.29.31": "cRLDistributionPoints",
		"1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
		"2.5.29.35":         "authorityKeyIdentifier", "2.5.29.14": "subjectKeyIdentifier",
		"2.5.29.19": "basicConstraints",
	}
	id := o.oid(parts[0])
	mark := ""
	if len(parts) == 3 {
		if hex.EncodeToString(parts[1].FullBytes) != "0101ff" {
			o.t.Errorf("%s: criticality %x", id, parts[1].FullBytes)
		}
		mark, parts = "! ", append(parts[:1:1], parts[2])
	}
	value := parts[1].Bytes
	head := mark + id + " " + names[id]
	switch names[id] {
	case "keyUsage":
		o.line(0, "%s %02X", head, value[3])
	case "basicConstraints":
		if hex.EncodeToString(value) != "30030101ff" {
			o.t.Errorf("basicConstraints %x", value)
		}
		o.line(0, "%s cA", head)
	case "subjectKeyIdentifier":
		o.line(0, "%s <%d bytes>", head, len(value)-2)
	case "extKeyUsage":
		o.line(0, "%s", head)
		for _, v := range o.sequence(value, 0) {
			o.line(1, "%s", o.oid(v))
		}
	case "subjectAltName", "issuerAltName":
		o.line(0, "%s", head)
		o.altName(o.sequence(value, 0))
	case "certificatePolicies":
		o.line(0, "%s", head)
		policy := o.sequence(o.sequence(value, 1)[0].FullBytes, 2)
		o.line(1, "%s", o.oid(policy[0]))
		qualifier := o.sequence(o.sequence(policy[1].FullBytes, 1)[0].FullBytes, 2)
		o.line(2, "%s %s %s", o.oid(qualifier[0]), map[int]string{asn1.TagIA5String: "IA5String"}[qualifier[1].Tag],
			qualifier[1].Bytes)
	case "cRLDistributionPoints":
		o.line(0, "%s", head)
		point := o.sequence(o.sequence(value, 1)[0].FullBytes, 1)
		full := o.children(point[0].FullBytes, asn1.ClassContextSpecific, 0)
		o.line(1, "fullName, directoryName")
		o.generalNames(2, o.children(full[0].FullBytes, asn1.ClassContextSpecific, 0))
	case "authorityInfoAccess":
		o.line(0, "%s", head)
		access := o.sequence(o.sequence(value, 1)[0].FullBytes, 2)
		if access[1].Class != asn1.ClassContextSpecific || access[1].Tag != 6 {
			o.t.Errorf("accessLocation of tag %d", access[1].Tag)
		}
		o.line(1, "%s URI %s", o.oid(access[0]), access[1].Bytes)
	case "authorityKeyIdentifier":
		o.line(0, "%s", head)
		o.authority(o.sequence(value, 3))
	default:
		o.t.Errorf("extension %s", id)
	}
}

func (o outline) altName(list []asn1.RawValue) {
	o.t.Helper()
	for _, n := range list {
		if n.Tag == 4 {
			o.line(1, "directoryName")
			o.generalNames(2, []asn1.RawValue{n})
			continue
		}
		other := o.children(n.FullBytes, asn1.ClassContextSpecific, 0)
		text := o.children(other[1].FullBytes, asn1.ClassContextSpecific, 0)[0]
		o.line(1, "otherName %s %s", o.oid(other[0]), map[int]string{asn1.TagUTF8String: "UTF8String"}[text.Tag])
	}
}

// authority writes [0] keyIdentifier, [1] authorityCertIssuer, [2] authorityCertSerialNumber, which must be the CA's.
func (o outline) authority(parts []asn1.RawValue) {
	o.t.Helper()
	ca := o.ca.Certificate()
	if parts[0].Tag != 0 || string(parts[0].Bytes) != string(ca.SubjectKeyId) {
		o.t.Errorf("keyIdentifier %x", parts[0].Bytes)
	}
	o.line(1, "keyIdentifier <%d bytes of the CA's>", len(parts[0].Bytes))
	o.line(1, "authorityCertIssuer, directoryName")
	o.generalNames(2, o.children(parts[1].FullBytes, asn1.ClassContextSpecific, 1))
	if parts[2].Tag != 2 || string(parts[2].Bytes) != string(ca.SerialNumber.Bytes()) {
		o.t.Errorf("authorityCertSerialNumber %x", parts[2].Bytes)
	}
	o.line(1, "authorityCertSerialNumber <the CA's>")
}
