package jpki

import (
	"bytes"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

func TestParseSigningCertificate(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	if c.Kind() != SigningCard || !c.IsTest() {
		t.Errorf("kind %v, test %v", c.Kind(), c.IsTest())
	}
	if got := c.Person().Name.Reveal(); got != personName {
		t.Errorf("name %q", got)
	}
	if got := c.Person().Address.Reveal(); got != personAddress {
		t.Errorf("address %q", got)
	}
	if got := c.Person().Birthdate.Reveal(); got != (fourinfo.PartialDate{Year: 1980, Month: time.February, Day: 17}) {
		t.Errorf("birthdate %v", got)
	}
	if c.Person().Gender.Reveal() != fourinfo.Male {
		t.Error("gender")
	}
	if s := c.Person().Name.Substitutes(); !s.Known || !s.LengthMatches || len(s.Positions) != 0 {
		t.Errorf("substitutes of the name: %+v", s)
	}
	if len(c.PersonProblems()) != 0 || len(c.OtherNames()) != 0 {
		t.Errorf("problems %v, other names %v", c.PersonProblems(), c.OtherNames())
	}
	if len(c.DistributionPoints()) != 1 || !bytes.Equal(c.DistributionPoints()[0], pointName("Kiyose-shi")) {
		t.Error("distribution point is not the DER of the directoryName")
	}
	if len(c.Policies()) != 1 || !c.Policies()[0].Equal(oidPolicyTestSigning) {
		t.Errorf("policies %v", c.Policies())
	}
	if !c.ValidFrom().Equal(now.Add(-year)) || !c.ValidUntil().Equal(now.Add(4*year)) {
		t.Errorf("validity %v to %v", c.ValidFrom(), c.ValidUntil())
	}
}

func TestParseKeepsItsOwnCopy(t *testing.T) {
	a := signingAuthority(t, "ca")
	spec := a.SigningSpec(1)
	der := spec.Sign(a.Key)
	c, err := ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	clear(der)
	if _, err := newVerifier(t, revocation.InsecureNoRevocation(), a).Verify(t.Context(), c); err != nil {
		t.Errorf("the certificate changed with the caller's buffer: %v", err)
	}
}

// TestCertificateIsImmutable: whatever the application changes in what it was given does not count.
func TestCertificateIsImmutable(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	verifier := newVerifier(t, revocation.InsecureNoRevocation(), a)
	c.X509().NotAfter = now.Add(100 * year)
	clear(c.X509().Raw)
	clear(c.Raw())
	c.Policies()[0][0] = 0
	clear(c.DistributionPoints()[0])
	c.PublicKey().(*rsa.PublicKey).N.SetInt64(1)
	if res, err := verifier.Verify(t.Context(), c, For(SigningCard)); err != nil || res.Status != Good {
		t.Errorf("%v, %v", res, err)
	}
	res, err := verifier.Verify(t.Context(), c, At(now.Add(5*year)))
	if res.Status != Expired || !c.ValidUntil().Before(now.Add(5*year)) {
		t.Errorf("%v, %v", res, err)
	}
	if again := c.X509(); again.NotAfter.After(now.Add(5*year)) || again.Raw[0] != 0x30 || c.Raw()[0] != 0x30 ||
		c.DistributionPoints()[0][0] != 0x30 || c.PublicKey().(*rsa.PublicKey).N.BitLen() != 2048 {
		t.Error("a change came back")
	}
}

// TestCertificateThatWasNotParsed has nothing to say and does not panic.
func TestCertificateThatWasNotParsed(t *testing.T) {
	for _, c := range []*Certificate{nil, {}} {
		if c.Raw() != nil || c.X509() != nil || c.PublicKey() != nil || c.Kind() != UnknownKind || c.IsTest() ||
			c.Policies() != nil ||
			c.DistributionPoints() != nil || c.OtherNames() != nil || c.PersonProblems() != nil ||
			!c.ValidFrom().IsZero() || !c.ValidUntil().IsZero() {
			t.Error("it says something")
		}
	}
}

func TestParseKinds(t *testing.T) {
	a := signingAuthority(t, "ca")
	phone := asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 40}
	for _, tc := range []struct {
		name   string
		spec   certSpec
		mutate func(*certSpec)
		kind   Kind
		test   bool
	}{
		{"test signing", a.SigningSpec(1), nil, SigningCard, true},
		{"test authentication", a.AuthSpec(1), nil, AuthenticationCard, true},
		{"production signing", a.SigningSpec(1), func(s *certSpec) {
			s.Replace(oidCertificatePolicies, policiesExt(oidPolicySigning))
		}, SigningCard, false},
		{"production authentication", a.AuthSpec(1), func(s *certSpec) {
			s.Replace(oidCertificatePolicies, policiesExt(oidPolicyAuthentication))
		}, AuthenticationCard, false},
		{"phone policy is not confirmed", a.SigningSpec(1), func(s *certSpec) {
			s.Replace(oidCertificatePolicies, policiesExt(phone))
		}, UnknownKind, false},
		{"no policy", a.SigningSpec(1), func(s *certSpec) { s.Replace(oidCertificatePolicies, nil) }, UnknownKind,
			false},
		{"key usage of another kind", a.SigningSpec(1), func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x80)) },
			UnknownKind, false},
		{"keyEncipherment only", a.SigningSpec(1), func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x20)) },
			UnknownKind, false},
		{"no key usage", a.SigningSpec(1), func(s *certSpec) { s.Replace(oidKeyUsage, nil) }, UnknownKind, false},
		{"two contradicting policies", a.SigningSpec(1), func(s *certSpec) {
			s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, true,
				sequence(sequence(oid(oidPolicySigning)), sequence(oid(oidPolicyTestSigning)))))
		}, UnknownKind, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := tc.spec
			if tc.mutate != nil {
				tc.mutate(&spec)
			}
			c := a.leaf(t, spec)
			if c.Kind() != tc.kind || c.IsTest() != tc.test {
				t.Errorf("got %v %v, want %v %v", c.Kind(), c.IsTest(), tc.kind, tc.test)
			}
		})
	}
}

func TestParseOtherNames(t *testing.T) {
	a := signingAuthority(t, "ca")
	phonetic := otherName(7, cbasn1.UTF8String, "コクトウ　ミキヤ")
	foreign := wrap(tag0c, oid(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}),
		wrap(tag0c, wrap(cbasn1.IA5String, []byte("x"))))
	with := func(names ...[]byte) func(*certSpec) {
		return func(s *certSpec) { s.Replace(oidSubjectAltName, sanExt(names...)) }
	}

	t.Run("unknown ones are kept in any place", func(t *testing.T) {
		names := append([][]byte{phonetic}, personNames()...)
		c := a.signingLeaf(t, with(append(names, foreign)...))
		if len(c.OtherNames()) != 2 || c.Person().Name.Reveal() != personName {
			t.Fatalf("other names: %v", c.OtherNames())
		}
		if !bytes.Equal(c.OtherNames()[0].Raw(), wrap(cbasn1.UTF8String, []byte("コクトウ　ミキヤ"))) {
			t.Error("the value is not kept as it came")
		}
	})
	t.Run("any order", func(t *testing.T) {
		n := personNames()
		c := a.signingLeaf(t, with(n[5], n[3], n[1], n[0], n[2], n[4]))
		if c.Person().Name.Reveal() != personName || c.Person().Address.Reveal() != personAddress {
			t.Error("fields depend on their order")
		}
	})
	t.Run("absent ones are absent", func(t *testing.T) {
		c := a.signingLeaf(t, with(personNames()[0]))
		if c.Person().Address.Present() || c.Person().Birthdate.Present() || c.Person().Gender.Present() {
			t.Error("an absent attribute is present")
		}
	})
	t.Run("unreadable values are problems", func(t *testing.T) {
		c := a.signingLeaf(t, with(otherName(1, cbasn1.UTF8String, personName),
			otherName(4, cbasn1.UTF8String, "yesterday")))
		if len(c.PersonProblems()) == 0 || c.Person().Birthdate.Present() {
			t.Error("an unreadable birthdate passed")
		}
	})
	for _, tc := range []struct {
		name  string
		names [][]byte
	}{
		{"duplicate", append(personNames(), otherName(1, cbasn1.UTF8String, "別人"))},
		{"duplicate of an equal value", append(personNames(), personNames()[0])},
		{"PrintableString", [][]byte{otherName(1, cbasn1.PrintableString, "Taro")}},
		{"BMPString", [][]byte{otherName(1, cbasn1.Tag(30), "\x9e\xd2")}},
		{"invalid UTF-8", [][]byte{otherName(1, cbasn1.UTF8String, "\xff\xfe")}},
		{"too long", [][]byte{otherName(5, cbasn1.UTF8String, strings.Repeat("x", limits.Attribute+1))}},
		{"bytes after the value", [][]byte{wrap(tag0c, oid(append(
			append(asn1.ObjectIdentifier(nil), oidPersonalData...), 1)),
			wrap(tag0c, wrap(cbasn1.UTF8String, []byte("a")), wrap(cbasn1.UTF8String, []byte("b"))))}},
		{"no explicit tag", [][]byte{wrap(tag0c, oid(append(append(asn1.ObjectIdentifier(nil), oidPersonalData...), 1)),
			wrap(cbasn1.UTF8String, []byte("a")))}},
		{"empty", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := a.SigningSpec(1)
			with(tc.names...)(&spec)
			wantMalformed(t, spec.Sign(a.Key))
		})
	}
}

func wantMalformed(t *testing.T, der []byte) {
	t.Helper()
	c, err := ParseCertificate(der)
	if !errors.Is(err, &Error{Reason: ReasonMalformed}) || kakunin.FamilyOf(err) != kakunin.Untrusted {
		t.Errorf("error %v", err)
	}
	if c != nil {
		t.Error("a certificate came out")
	}
}

func TestParseRefusesMalformed(t *testing.T) {
	a := signingAuthority(t, "ca")
	many := bytes.Repeat([]byte{0x7f}, 21)
	for _, tc := range []struct {
		name   string
		mutate func(*certSpec)
	}{
		{"serial zero", func(s *certSpec) { s.Serial = []byte{0} }},
		{"serial negative", func(s *certSpec) { s.Serial = []byte{0x80, 1} }},
		{"serial of 21 octets", func(s *certSpec) { s.Serial = many }},
		{"serial of 20 octets and a sign octet", func(s *certSpec) {
			s.Serial = append([]byte{0}, bytes.Repeat([]byte{0xff}, 20)...)
		}},
		{"serial not minimal", func(s *certSpec) { s.Serial = []byte{0, 1} }},
		{"serial empty", func(s *certSpec) { s.Serial = nil }},
		{"version 1", func(s *certSpec) { s.Version = integer(0) }},
		{"version 4", func(s *certSpec) { s.Version = integer(3) }},
		{"duplicate extension", func(s *certSpec) { s.Add(keyUsage(0xc0)) }},
		{"duplicate unknown extension", func(s *certSpec) {
			e := ext(asn1.ObjectIdentifier{1, 2, 3, 4}, false, []byte{5, 0})
			s.Add(e)
			s.Add(e)
		}},
		{"no extensions", func(s *certSpec) { s.Extensions = nil }},
		{"bytes after the extensions", func(s *certSpec) { s.AfterExtensions = []byte{5, 0} }},
		{"bytes after the signature", func(s *certSpec) { s.AfterSignature = []byte{5, 0} }},
		{"end before start", func(s *certSpec) { s.NotAfter = utcTime(now.Add(-2 * year)) }},
		{"time without seconds", func(s *certSpec) { s.NotBefore = rawTime(cbasn1.UTCTime, "2501010000Z") }},
		{"time with offset", func(s *certSpec) { s.NotBefore = rawTime(cbasn1.UTCTime, "250101000000+0900") }},
		{"time with fraction", func(s *certSpec) { s.NotAfter = rawTime(cbasn1.GeneralizedTime, "20300101000000.5Z") }},
		{"time on 30 February", func(s *certSpec) { s.NotAfter = rawTime(cbasn1.UTCTime, "300230000000Z") }},
		{"time at hour 24", func(s *certSpec) { s.NotAfter = rawTime(cbasn1.UTCTime, "300228240000Z") }},
		{"time at second 60", func(s *certSpec) { s.NotAfter = rawTime(cbasn1.UTCTime, "300228235960Z") }},
		{"time of letters", func(s *certSpec) { s.NotAfter = rawTime(cbasn1.UTCTime, "3002282359:9Z") }},
		{"policy twice", func(s *certSpec) {
			p := sequence(oid(oidPolicyTestSigning))
			s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, true, sequence(p, p)))
		}},
		{"policies empty", func(s *certSpec) {
			s.Replace(oidCertificatePolicies,
				ext(oidCertificatePolicies, true, sequence()))
		}},
		{"policies with bytes after", func(s *certSpec) {
			s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, true,
				append(sequence(sequence(oid(oidPolicyTestSigning))), 5, 0)))
		}},
		{"distribution point of reasons only", func(s *certSpec) {
			s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false,
				sequence(sequence(wrap(tag1, []byte{0, 0x60})))))
		}},
		{"distribution point cut short", func(s *certSpec) {
			s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false, sequence(sequence(wrap(tag0c, wrap(tag0c))))))
		}},
		{"authority key identifier empty", func(s *certSpec) {
			s.Replace(oidAuthorityKeyID, ext(oidAuthorityKeyID, false, sequence(wrap(tag0))))
		}},
		{"issuer cut short", func(s *certSpec) { s.Issuer = sequence(wrap(cbasn1.SET)) }},
		{"too large", func(s *certSpec) {
			s.Add(ext(asn1.ObjectIdentifier{1, 2, 3, 4}, false, make([]byte, limits.Certificate)))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := a.SigningSpec(1)
			tc.mutate(&spec)
			wantMalformed(t, spec.Sign(a.Key))
		})
	}

	spec := a.SigningSpec(1)
	der := spec.Sign(a.Key)
	t.Run("trailing byte", func(t *testing.T) { wantMalformed(t, append(bytes.Clone(der), 0)) })
	t.Run("empty", func(t *testing.T) { wantMalformed(t, nil) })
	t.Run("every truncation", func(t *testing.T) {
		for n := range der {
			if _, err := ParseCertificate(der[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes were accepted", n, len(der))
			}
		}
	})
	t.Run("non-minimal length", func(t *testing.T) {
		long := append([]byte{0x30, 0x83, 0, byte(len(der[4:]) >> 8), byte(len(der[4:]))}, der[4:]...)
		wantMalformed(t, long)
	})
	t.Run("inner and outer algorithm differ", func(t *testing.T) {
		other := bytes.Clone(der)
		at := bytes.LastIndex(other, algorithmSHA256RSA)
		other[at+len(algorithmSHA256RSA)-3]++ // sha256With… becomes sha384With…
		wantMalformed(t, other)
	})
}

// TestCertificateRedacts holds the four attributes and the serial number against everything that could print them.
func TestCertificateRedacts(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t, func(s *certSpec) {
		s.Replace(oidSubjectAltName, sanExt(append(personNames(), otherName(7, cbasn1.UTF8String, "コクトウ"))...))
		s.Serial = []byte{0x4B, 0x61, 0x6B, 0x75, 0x6E, 0x69, 0x6E, 0x31} // too long to stand in a hash by chance
	})
	res, err := newVerifier(t, revocation.InsecureNoRevocation(), a).Verify(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	res.Revocation.Evidence = []byte(personName)
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{c, *c, c.OtherNames(), c.OtherNames()[0], res, *res, res.Revocation, []any{c},
		map[string]any{"c": *c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
		log.Info("certificate", slog.Any("value", v))
	}
	for _, secret := range []string{
		personName, personAddress, "黒桐", "コクトウ", "319800217", "Kiyose", "SPECIMEN", serialOf(c).String(),
		serialOf(c).Text(16),
		fmt.Sprintf("%x", personName), fmt.Sprintf("%q", []byte(personName)), fmt.Sprintf("%d", []byte(personName)),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is printed", secret)
		}
	}
}

func TestParsedFromNowhere(t *testing.T) {
	var zero Certificate
	if !zero.ValidFrom().IsZero() || !zero.ValidUntil().IsZero() {
		t.Error("a certificate that was not parsed has a validity")
	}
}

// What is not DER is named in a sentence: "malformed" alone helps nobody who has the right certificate in another form.
func TestParseSaysWhatItGot(t *testing.T) {
	der := signingAuthority(t, "ca").Cert.Raw
	armored := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for want, data := range map[string][]byte{
		"this is PEM": armored, "this is an HTML or XML page": []byte("<html>"), "the file is empty": nil,
		"the file is cut off": der[:len(der)-1], "after the end of the DER": append(bytes.Clone(der), 0xff),
	} {
		_, err := ParseCertificate(data)
		if !errors.Is(err, &Error{Reason: ReasonMalformed}) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
