package issuer_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

func partitionHex(unit string) string {
	return tlv("30", countryJP+utf8Attribute("55040a", "JPKI-TEST")+utf8Attribute("55040b", unit)+
		utf8Attribute("55040b", "CRL Distribution Points")+utf8Attribute("55040b", "Tokyo-to")+utf8Attribute("550403",
		"Kiyose-shi CRLDP"))
}

// policiesHex is the published shape: one policy, one CPS qualifier. 2a8308 8c9a4b is 1.2.392.200149.
func policiesHex(policy string) string {
	uri := tlv("16", "687474703a2f2f7777772e6a706b692e676f2e6a702f6370732e68746d6c") // http://www.jpki.go.jp/cps.html
	return tlv("30", tlv("30", tlv("06", policy)+tlv("30", tlv("30", "06082b06010505070201"+uri))))
}

func TestEndEntityProfile(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	for _, tc := range []struct {
		ca                     *issuer.CA
		unit, keyUsage, policy string
		extensions             []string
		usage                  x509.KeyUsage
		client                 bool
	}{
		{
			j.SigningCA(), "JPKI for digital signature", "030206c0", "2a83088c9b5508050100" + "14",
			[]string{"2.5.29.15!", "2.5.29.17", "2.5.29.32!", "2.5.29.18", "2.5.29.31", "2.5.29.35", "2.5.29.14"},
			x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, false,
		},
		{
			j.AuthenticationCA(), "JPKI for user authentication", "03020780", "2a83088c9b5508050100" + "1e",
			[]string{"2.5.29.15!", "2.5.29.37", "2.5.29.32!", "2.5.29.18", "2.5.29.31", "1.3.6.1.5.5.7.1.1",
				"2.5.29.35", "2.5.29.14"},
			x509.KeyUsageDigitalSignature, true,
		},
	} {
		c := issue(t, tc.ca, holder(), noon)
		if c.Raw[0] != 0x30 || c.Raw[1] != 0x82 {
			t.Errorf("%s: DER begins with % x", tc.unit, c.Raw[:2])
		}
		if got := extensionsOf(c); !slices.Equal(got, tc.extensions) {
			t.Errorf("%s: extensions %v, want %v", tc.unit, got, tc.extensions)
		}
		wantHex(t, "keyUsage", extension(t, c, "2.5.29.15"), tc.keyUsage)
		wantHex(t, "policies", extension(t, c, "2.5.29.32"), policiesHex(tc.policy))
		wantHex(t, "issuerAltName", extension(t, c, "2.5.29.18"), tlv("30", tlv("a4", serviceNameHex(tc.unit))))
		wantHex(t, "distribution point", extension(t, c, "2.5.29.31"),
			tlv("30", tlv("30", tlv("a0", tlv("a0", tlv("a4", partitionHex(tc.unit)))))))
		wantHex(t, "issuer", c.RawIssuer, caNameHex(tc.unit))
		if c.KeyUsage != tc.usage || c.IsCA || c.BasicConstraintsValid || len(c.CRLDistributionPoints) > 0 {
			t.Errorf("%s: crypto/x509 reads something else", tc.unit)
		}
		if client := slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}); client != tc.client ||
			len(c.OCSPServer) > 0 != tc.client || !client && len(c.ExtKeyUsage) > 0 {
			t.Errorf("%s: extended key usage %v, responders %v", tc.unit, c.ExtKeyUsage, c.OCSPServer)
		}
		id := sha1.Sum(x509.MarshalPKCS1PublicKey(&holderKey().PublicKey))
		if !bytes.Equal(c.AuthorityKeyId, tc.ca.Certificate().SubjectKeyId) || !bytes.Equal(c.SubjectKeyId, id[:]) {
			t.Errorf("%s: key identifiers", tc.unit)
		}
		roots := x509.NewCertPool()
		roots.AddCert(tc.ca.Certificate())
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Errorf("%s: %v", tc.unit, err)
		}
		if n := len(c.SerialNumber.Bytes()); n == 0 || n > 4 || c.SerialNumber.Sign() != 1 {
			t.Errorf("%s: serial number %x", tc.unit, c.SerialNumber)
		}
		if c.NotBefore != noon || c.NotAfter != time.Date(2030, 2, 17, 14, 59, 59, 0, time.UTC) {
			t.Errorf("%s: valid %v to %v", tc.unit, c.NotBefore, c.NotAfter)
		}
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	signing := issue(t, j.SigningCA(), holder(), noon)
	prefix := countryJP + utf8Attribute("550407", "Tokyo-to") + utf8Attribute("550407", "Kiyose-shi")
	wantHex(t, "subject", signing.RawSubject, tlv("30", prefix+utf8Attribute("550403", signing.Subject.CommonName)))
	if !regexp.MustCompile(`^20251027120000\d{5}13221003A$`).MatchString(signing.Subject.CommonName) {
		t.Errorf("signing common name = %q", signing.Subject.CommonName)
	}
	auth := issue(t, j.AuthenticationCA(), holder(), noon)
	wantHex(t, "subject", auth.RawSubject, tlv("30", countryJP+utf8Attribute("550403", auth.Subject.CommonName)))
	if !regexp.MustCompile(`^[0-9A-Z]{14}13221003A$`).MatchString(auth.Subject.CommonName) {
		t.Errorf("authentication common name = %q", auth.Subject.CommonName)
	}
	for _, personal := range []string{"試験", "花子", "19800217", "架空", "Kiyose"} {
		// The revocation list's name is the only trace of the municipality, and the only personal trace at all.
		if bytes.Contains(bytes.ReplaceAll(auth.Raw, []byte("Kiyose-shi CRLDP"), nil), []byte(personal)) {
			t.Errorf("the authentication certificate contains %q", personal)
		}
	}
}

// otherNames reads subjectAltName by encoding/asn1, independently of the code that wrote it.
func otherNames(t *testing.T, c *x509.Certificate) (oids, values []string) {
	t.Helper()
	var names []asn1.RawValue
	if rest, err := asn1.Unmarshal(extension(t, c, "2.5.29.17"), &names); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	for _, n := range names {
		var other struct {
			OID   asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		if rest, err := asn1.UnmarshalWithParams(n.FullBytes, &other, "tag:0"); err != nil || len(rest) > 0 {
			t.Fatal(err)
		}
		var value asn1.RawValue // inside the explicit [0]
		if rest, err := asn1.Unmarshal(other.Value.Bytes, &value); err != nil || len(rest) > 0 ||
			other.Value.Class != asn1.ClassContextSpecific || other.Value.Tag != 0 {
			t.Fatal(other.OID, err)
		}
		if value.Tag != asn1.TagUTF8String || value.Class != asn1.ClassUniversal {
			t.Errorf("%v is no UTF8String", other.OID)
		}
		oids = append(oids, strings.TrimPrefix(other.OID.String(), "1.2.392.200149.8.5.5."))
		values = append(values, string(value.Bytes))
	}
	return oids, values
}

func TestOtherNames(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	s := holder()
	oids, values := otherNames(t, issue(t, j.SigningCA(), s, noon))
	if want := []string{"1", "4", "3", "5", "2", "6"}; !slices.Equal(oids, want) {
		t.Errorf("order %v, want %v as on cards", oids, want)
	}
	if want := []string{s.Name, "319800217", "2", s.Address, "00000", strings.Repeat("0", 16)}; !slices.Equal(values,
		want) {
		t.Errorf("values %q, want %q", values, want)
	}
	s.Name, s.NameSubstitutes, s.AddressSubstitutes = "𠮷田", "01", "1"
	_, values = otherNames(t, issue(t, j.SigningCA(), s, noon))
	if values[0] != "𠮷田" || values[4] != "01" || values[5] != "1" {
		t.Errorf("values %q", values)
	}
}

func TestEraDigit(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	for birthdate, want := range map[string]string{
		"19120729": "1", "19120730": "2", "19261224": "2", "19261225": "3", "19890107": "3", "19890108": "4",
		"20190430": "4", "20190501": "5", "19800200": "3", "19800000": "3", "19890000": "0", "19890100": "0",
		"19890200": "4",
		"00000000": "0", "18671231": "0",
	} {
		s := holder()
		s.Birthdate = birthdate
		if _, values := otherNames(t, issue(t, j.SigningCA(), s, noon)); values[1] != want+birthdate {
			t.Errorf("%s = %s, want era %s", birthdate, values[1], want)
		}
	}
}

func TestExpiryIsTheFifthBirthday(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	for _, tc := range []struct{ birthdate, issued, last string }{
		{"19800217", "2025-10-27T03:00:00Z", "2030-02-17"},
		{"19801231", "2025-10-27T03:00:00Z", "2029-12-31"},
		{"19801028", "2025-10-27T03:00:00Z", "2029-10-28"}, // the first of the five is tomorrow
		{"19801027", "2025-10-27T03:00:00Z", "2030-10-27"}, // today's does not come after
		{"19801027", "2025-10-26T14:59:59Z", "2029-10-27"}, // still the day before in Japan
		{"19801027", "2025-10-26T15:00:00Z", "2030-10-27"},
		{"20000229", "2025-10-27T03:00:00Z", "2030-02-28"},
		{"20000229", "2023-10-27T03:00:00Z", "2028-02-29"},
		{"20000229", "2025-02-28T03:00:00Z", "2030-02-28"},
		{"20240101", "2048-06-01T03:00:00Z", "2053-01-01"}, // GeneralizedTime
		{"19800200", "2025-10-27T03:00:00Z", "2030-10-27"},
		{"19800000", "2024-02-29T03:00:00Z", "2029-02-28"},
		{"00000000", "2025-10-27T03:00:00Z", "2030-10-27"},
	} {
		issued, err := time.Parse(time.RFC3339, tc.issued)
		if err != nil {
			t.Fatal(err)
		}
		s := holder()
		s.Birthdate = tc.birthdate
		c := issue(t, j.AuthenticationCA(), s, issued)
		if got := c.NotAfter.Format(time.RFC3339); got != tc.last+"T14:59:59Z" || !c.NotBefore.Equal(issued) {
			t.Errorf("born %s, issued %s: valid %v to %s, want %s 23:59:59 in Japan", tc.birthdate, tc.issued,
				c.NotBefore, got, tc.last)
		}
	}
}

func TestIssuingIsDeterministicAndUnique(t *testing.T) {
	t.Parallel()
	a, _ := newJPKI(t)
	b, _ := newJPKI(t)
	// Another process that issues something else first still gives the same certificate.
	other := holder()
	other.Name = "試験　太郎"
	issue(t, b.SigningCA(), other, noon)
	first, second := issue(t, a.SigningCA(), holder(), noon), issue(t, b.SigningCA(), holder(), noon)
	if !bytes.Equal(first.Raw, second.Raw) || !bytes.Equal(first.Raw, issue(t, a.SigningCA(), holder(), noon).Raw) {
		t.Error("the same arguments gave two certificates")
	}
	seen := map[string]bool{}
	for i := range 20 {
		serial := issue(t, a.SigningCA(), holder(), noon.Add(time.Duration(i)*time.Second)).SerialNumber.String()
		if seen[serial] {
			t.Fatalf("serial number %s twice", serial)
		}
		seen[serial] = true
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	for field, spoil := range map[string]func(*issuer.Subject){
		"Name":               func(s *issuer.Subject) { s.Name = "" },
		"Address":            func(s *issuer.Subject) { s.Address = "\xff" },
		"Gender":             func(s *issuer.Subject) { s.Gender = "" },
		"NameSubstitutes":    func(s *issuer.Subject) { s.NameSubstitutes = "\xff" },
		"AddressSubstitutes": func(s *issuer.Subject) { s.AddressSubstitutes = "\xff" },
		"Birthdate":          func(s *issuer.Subject) { s.Birthdate = "19800230" },
		"PrefectureRomaji":   func(s *issuer.Subject) { s.PrefectureRomaji = "" },
		"CityRomaji":         func(s *issuer.Subject) { s.CityRomaji = "" },
		"MunicipalityCode":   func(s *issuer.Subject) { s.MunicipalityCode = "132210" },
	} {
		s := holder()
		spoil(&s)
		_, err := j.SigningCA().Issue(issuer.Request{Key: &holderKey().PublicKey, Holder: s, IssuedAt: noon})
		wantReason(t, err, issuer.ReasonBadSubject)
		if err == nil || err.Error() != "issuer: unusable subject: "+field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := j.SigningCA().Issue(issuer.Request{Key: nil, Holder: holder(), IssuedAt: noon})
	wantReason(t, err, issuer.ReasonBadKey)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	ca := j.SigningCA()
	faulty := func(f issuer.Faults) *x509.Certificate {
		t.Helper()
		der, err := ca.IssueFaulty(issuer.Request{Key: &holderKey().PublicKey, Holder: holder(), IssuedAt: noon}, f)
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, der)
	}
	sound := issue(t, ca, holder(), noon)
	if c := faulty(issuer.Faults{}); !bytes.Equal(c.Raw, sound.Raw) {
		t.Error("no faults changed something")
	}
	policies := []asn1.ObjectIdentifier{{1, 2, 392, 200149, 8, 5, 1, 1, 20}, j.AuthenticationCA().Policy()}
	if c := faulty(issuer.Faults{Policies: policies}); len(c.PolicyIdentifiers) != 2 ||
		!c.PolicyIdentifiers[0].Equal(policies[0]) {
		t.Errorf("policies %v", c.PolicyIdentifiers)
	}
	if c := faulty(issuer.Faults{Omit: []asn1.ObjectIdentifier{{2, 5, 29, 35},
		{2, 5, 29, 15}}}); c.AuthorityKeyId != nil || c.KeyUsage != 0 || len(c.Extensions) != 5 {
		t.Errorf("omitted: %v", extensionsOf(c))
	}
	put := []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: false, Value: []byte{3, 2, 1, 6}},
		{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}},
	}
	c := faulty(issuer.Faults{Put: put})
	if got := extensionsOf(c); got[0] != "2.5.29.15" || got[7] != "1.2.3!" || len(got) != 8 ||
		c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("put: %v", got)
	}
	late := noon.AddDate(20, 0, 0)
	if c := faulty(issuer.Faults{NotBefore: noon.AddDate(1, 0, 0), NotAfter: late}); !c.NotAfter.Equal(late) ||
		!c.NotBefore.Equal(noon.AddDate(1, 0, 0)) {
		t.Errorf("valid %v to %v", c.NotBefore, c.NotAfter)
	}
	if c := faulty(issuer.Faults{Serial: big.NewInt(7)}); c.SerialNumber.Int64() != 7 {
		t.Errorf("serial number %v", c.SerialNumber)
	}
	_, err := ca.IssueFaulty(issuer.Request{Key: &holderKey().PublicKey, Holder: holder(), IssuedAt: noon},
		issuer.Faults{Serial: sound.SerialNumber, NotAfter: late})

	wantReason(t, err, issuer.ReasonDuplicateSerial)
	_, err = ca.IssueFaulty(issuer.Request{Key: &holderKey().PublicKey, Holder: holder(), IssuedAt: noon},
		issuer.Faults{Policies: []asn1.ObjectIdentifier{{9, 9}}})

	wantReason(t, err, issuer.ReasonMalformed)
	if c := faulty(issuer.Faults{Signer: holderKey()}); ca.Certificate().CheckSignature(c.SignatureAlgorithm,
		c.RawTBSCertificate, c.Signature) == nil {
		t.Error("a foreign signer's signature verifies")
	}
}
