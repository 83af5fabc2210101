package issuer_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// extensionsOf writes the extensions in their order, critical ones with an exclamation mark.
func extensionsOf(c *x509.Certificate) []string {
	var list []string
	for _, e := range c.Extensions {
		s := e.Id.String()
		if e.Critical {
			s += "!"
		}
		list = append(list, s)
	}
	return list
}

func extension(t testing.TB, c *x509.Certificate, oid string) []byte {
	t.Helper()
	for _, e := range c.Extensions {
		if e.Id.String() == oid {
			return e.Value
		}
	}
	t.Fatalf("no extension %s", oid)
	return nil
}

func wantHex(t testing.TB, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s = %x, want %s", what, got, want)
	}
}

// DER of names, written out by hand from X.690 and the published string types: C is a PrintableString (13), the rest
// are UTF8String (0c).
func utf8Attribute(oid, value string) string {
	v := hex.EncodeToString([]byte(value))
	return tlv("31", tlv("30", "0603"+oid+tlv("0c", v)))
}

func tlv(tag, contents string) string {
	n := len(contents) / 2
	switch {
	case n < 0x80:
		return tag + hex.EncodeToString([]byte{byte(n)}) + contents
	case n < 0x100:
		return tag + "81" + hex.EncodeToString([]byte{byte(n)}) + contents
	default:
		return tag + "82" + hex.EncodeToString([]byte{byte(n >> 8), byte(n)}) + contents
	}
}

const countryJP = "310b3009060355040613024a50"

func caNameHex(unit string) string {
	return tlv("30", countryJP+utf8Attribute("55040a", "JPKI-TEST")+utf8Attribute("55040b", unit)+
		utf8Attribute("55040b", "Japan Agency for Local Authority Information Systems"))
}

// serviceNameHex is the Japanese name of the CA with a unit.
func serviceNameHex(unit string) string {
	japanese := map[string]string{
		"JPKI for digital signature": "公的個人認証サービス署名用", "JPKI for user authentication": "公的個人認証サービス利用者証明用",
	}[unit]
	return tlv("30", countryJP+utf8Attribute("55040a", "公的個人認証サービス")+utf8Attribute("55040b", japanese)+
		utf8Attribute("55040b", "地方公共団体情報システム機構"))
}

func TestCACertificateProfile(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	for unit, ca := range map[string]*issuer.CA{
		"JPKI for digital signature": j.SigningCA(), "JPKI for user authentication": j.AuthenticationCA(),
	} {
		c := ca.Certificate()
		want := []string{"2.5.29.15!", "2.5.29.17", "2.5.29.19!", "2.5.29.31", "2.5.29.14"}
		if got := extensionsOf(c); !slices.Equal(got, want) {
			t.Errorf("%s: extensions %v, want %v", unit, got, want)
		}
		wantHex(t, "subject", c.RawSubject, caNameHex(unit))
		wantHex(t, "issuer", c.RawIssuer, caNameHex(unit))
		wantHex(t, "keyUsage", extension(t, c, "2.5.29.15"), "03020106")
		wantHex(t, "subjectAltName", extension(t, c, "2.5.29.17"), tlv("30", tlv("a4", serviceNameHex(unit))))
		wantHex(t, "basicConstraints", extension(t, c, "2.5.29.19"), "30030101ff")
		wantHex(t, "distribution point", extension(t, c, "2.5.29.31"),
			tlv("30", tlv("30", tlv("a0", tlv("a0", tlv("a4", caNameHex(unit)))))))
		key, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok || key.N.BitLen() != 2048 || key.E != 65537 || c.SignatureAlgorithm != x509.SHA256WithRSA ||
			c.Version != 3 {
			t.Errorf("%s: key or algorithm", unit)
		}
		id := sha1.Sum(x509.MarshalPKCS1PublicKey(key))
		if !bytes.Equal(c.SubjectKeyId, id[:]) {
			t.Errorf("%s: key identifier %x", unit, c.SubjectKeyId)
		}
		if !c.IsCA || c.MaxPathLen != -1 || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
			t.Errorf("%s: CA %v, path length %d, usage %b", unit, c.IsCA, c.MaxPathLen, c.KeyUsage)
		}
		if err := c.CheckSignatureFrom(c); err != nil {
			t.Errorf("%s: %v", unit, err)
		}
		if c.NotAfter != time.Date(2033, 7, 15, 14, 59, 59, 0, time.UTC) || c.NotBefore.Year() != 2023 {
			t.Errorf("%s: valid %v to %v", unit, c.NotBefore, c.NotAfter)
		}
		if n := len(c.SerialNumber.Bytes()); n == 0 || n > 4 || c.SerialNumber.Sign() != 1 {
			t.Errorf("%s: serial number %x", unit, c.SerialNumber)
		}
		if !ca.Key().PublicKey.Equal(key) {
			t.Errorf("%s: Key is another key", unit)
		}
	}
	if bytes.Equal(j.SigningCA().Certificate().SubjectKeyId, j.AuthenticationCA().Certificate().SubjectKeyId) {
		t.Error("both CAs have one key")
	}
}

func TestCACertificatesAreStable(t *testing.T) {
	t.Parallel()
	at := func(now string, seed string) *issuer.JPKI {
		when, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		j, err := issuer.New(issuer.Config{Seed: seed, Now: func() time.Time { return when }})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	fingerprint := func(j *issuer.JPKI) string {
		sum := sha256.Sum256(append(slices.Clone(j.SigningCA().Certificate().Raw),
			j.AuthenticationCA().Certificate().Raw...))
		return hex.EncodeToString(sum[:])
	}
	first := fingerprint(at("2023-07-16T00:00:00Z", ""))
	if want := goldenCAs; first != want {
		t.Errorf("CA certificates of the default seed = %s, want %s: stored trust of users breaks", first, want)
	}
	if again := fingerprint(at("2028-07-15T23:59:59Z", issuer.DefaultSeed)); again != first {
		t.Error("another time of the same generation gave other CA certificates")
	}
	if other := fingerprint(at("2023-07-16T00:00:00Z", "other")); other == first {
		t.Error("another seed gave the same CA certificates")
	}
}

// goldenCAs is SHA-256 of the two CA certificates of the default seed and the generation of 2023.
const goldenCAs = "746603fa161dff0f835cbb720394f4782e6f8b98aabab50db71c7e69e7a37445"

func TestGenerations(t *testing.T) {
	t.Parallel()
	for now, year := range map[string]int{
		"2023-07-15T23:59:59Z": 2018, "2023-07-16T00:00:00Z": 2023, "2026-11-21T00:00:00Z": 2023,
		"2028-07-15T00:00:00Z": 2023, "2028-07-16T00:00:00Z": 2028, "2018-07-15T00:00:00Z": 2013,
		"2048-12-31T00:00:00Z": 2048,
	} {
		when, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(now, func(t *testing.T) {
			t.Parallel()
			j, err := issuer.New(issuer.Config{Now: func() time.Time { return when }})
			if err != nil {
				t.Fatal(err)
			}
			c := j.SigningCA().Certificate()
			if c.NotBefore != time.Date(year, 7, 16, 0, 0, 0, 0, time.UTC) ||
				c.NotAfter != time.Date(year+10, 7, 15, 14, 59, 59, 0, time.UTC) {
				t.Errorf("valid %v to %v, want the generation of %d", c.NotBefore, c.NotAfter, year)
			}
			wantHex(t, "subject", c.RawSubject, caNameHex("JPKI for digital signature"))
		})
	}
}
