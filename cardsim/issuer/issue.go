package issuer

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// office is the fictitious counter at which every card of a municipality is issued, in the subject's common name.
const office = "003A"

// Request says what a certificate is about.
type Request struct {
	// Key is the holder's.
	Key *rsa.PublicKey
	// Holder is who it is issued to.
	Holder Subject
	// IssuedAt is when it begins; fractions of a second are cut off.
	IssuedAt time.Time
}

// Issue makes an end-entity certificate, a signing or an authentication one by the CA's kind, and registers it as good.
// It is valid from IssuedAt to the end of the holder's fifth birthday after that. The DER begins with 30 82.
//
// The certificate and its serial number follow from the request: issuing the same again gives the same certificate. The
// error is an *[Error].
func (c *CA) Issue(r Request) ([]byte, error) {
	return c.IssueFaulty(r, Faults{})
}

// Faults makes certificates that a verifier has to refuse. The zero value changes nothing.
type Faults struct {
	// Policies replaces the policy; it stays critical.
	Policies []asn1.ObjectIdentifier
	// Omit leaves out the extensions with these identifiers.
	Omit []asn1.ObjectIdentifier
	// Put replaces the extension with the same identifier where it stands, or adds it at the end.
	Put []pkix.Extension
	// NotBefore and NotAfter replace the validity.
	NotBefore, NotAfter time.Time
	// Serial replaces the serial number; nil derives one.
	Serial *big.Int
	// Signer signs in place of the CA, under the CA's name and key identifier.
	Signer *rsa.PrivateKey
}

// IssueFaulty is Issue with faults, for the negative cases of a test suite. The certificate is registered as good, so
// that only the fault speaks against it. Errors are *[Error], as those of Issue.
func (c *CA) IssueFaulty(r Request, f Faults) ([]byte, error) {
	pub, issuedAt := r.Key, r.IssuedAt
	if pub == nil || pub.N == nil {
		return nil, &Error{Reason: ReasonBadKey}
	}
	s, birth, err := r.Holder.complete(c.profile)
	if err != nil {
		return nil, err
	}
	partition, err := partitionName(c.profile.unit, s.PrefectureRomaji, s.CityRomaji)
	if err != nil {
		return nil, err
	}
	t := template{
		serial: new(big.Int), issuer: c.name,
		notBefore: issuedAt.Truncate(time.Second), notAfter: expiry(birth, issuedAt), public: pub,
	}
	if t.subject, err = c.subjectName(pub, s, issuedAt); err != nil {
		return nil, err
	}
	if t.extensions, err = c.extensions(pub, s, partition, f); err != nil {
		return nil, err
	}
	if !f.NotBefore.IsZero() {
		t.notBefore = f.NotBefore
	}
	if !f.NotAfter.IsZero() {
		t.notAfter = f.NotAfter
	}
	if t.serial, err = c.register(t, partition, f.Serial); err != nil {
		return nil, err
	}
	signer := c.key
	if f.Signer != nil {
		signer = f.Signer
	}
	return t.certificate(signer)
}

// extensions returns the profile's extensions in the profile's order.
func (c *CA) extensions(pub *rsa.PublicKey, s Subject, partition []byte, f Faults) ([]pkix.Extension, error) {
	policies := []asn1.ObjectIdentifier{c.profile.policy}
	if f.Policies != nil {
		policies = f.Policies
	}
	var e extensions
	e.keyUsage(c.profile.usage)
	if c.profile.client {
		e.clientAuth()
	}
	if c.profile.personal {
		e.otherNames(s)
	}
	e.policies(policies)
	e.altName(oidIssuerAltName(), c.service)
	e.distributionPoint(partition)
	if c.profile.ocsp != "" {
		e.responder(c.profile.ocsp)
	}
	e.authority(c.keyID, c.name, c.certificate.SerialNumber)
	e.subjectKeyID(pub)
	list := slices.DeleteFunc(e.list, func(x pkix.Extension) bool {
		return slices.ContainsFunc(f.Omit, x.Id.Equal)
	})
	for _, put := range f.Put {
		if i := slices.IndexFunc(list, func(x pkix.Extension) bool { return x.Id.Equal(put.Id) }); i >= 0 {
			list[i] = put
		} else {
			list = append(list, put)
		}
	}
	return list, e.err
}

// subjectName returns the subject. A signing certificate names the prefecture and the city; the common name is an
// opaque identifier, never the holder's name: the time of the request, a sequence number and the counter. That of an
// authentication certificate is opaque as well and tells only the counter.
func (c *CA) subjectName(pub *rsa.PublicKey, s Subject, issuedAt time.Time) ([]byte, error) {
	id := sha256.Sum256(x509.MarshalPKCS1PublicKey(pub))
	counter := s.MunicipalityCode + office
	if !c.profile.personal {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		opaque := make([]byte, 14)
		for i := range opaque {
			opaque[i] = alphabet[int(id[i])%len(alphabet)]
		}
		return name(attribute{oidCommonName(), string(opaque) + counter})
	}
	requested := issuedAt.UTC().Add(9 * time.Hour).Format("20060102150405") // in Japan
	sequence := fmt.Sprintf("%05d", binary.BigEndian.Uint32(id[:])%100000)
	return name(
		attribute{oidLocality(), s.PrefectureRomaji},
		attribute{oidLocality(), s.CityRomaji},
		attribute{oidCommonName(), requested + sequence + counter},
	)
}

// register gives the certificate a serial number and remembers it as good. The number follows from the content, so that
// it is the same in every process and whatever the order; the rare collision moves on to the next candidate.
func (c *CA) register(t template, partition []byte, wanted *big.Int) (*big.Int, error) {
	tbs, err := t.tbs()
	if err != nil {
		return nil, err
	}
	content := sha256.Sum256(tbs)
	c.mu.Lock()
	defer c.mu.Unlock()
	for attempt := uint32(0); ; attempt++ {
		serial := wanted
		if serial == nil {
			serial = serialFrom(content[:], attempt)
		}
		known := c.records[serial.Text(16)]
		if known == nil {
			c.records[serial.Text(16)] = &record{
				serial: new(big.Int).Set(serial), content: content, partition: string(partition),
			}
			if _, ok := c.changed[string(partition)]; !ok {
				c.changed[string(partition)] = change{}
			}
			return serial, nil
		}
		if bytes.Equal(known.content[:], content[:]) {
			return serial, nil
		}
		if wanted != nil {
			return nil, &Error{Reason: ReasonDuplicateSerial}
		}
	}
}

// Subject is what a certificate says of its holder. It is synthetic data and is not redacted: never put a real person's
// in. An authentication certificate uses the birthdate (for its validity), the municipality and nothing else.
type Subject struct {
	// Name and Address are the texts as a certificate would hold them, within JIS X 0208 and JIS X 0212.
	Name, NameSubstitutes, Address, AddressSubstitutes string // substitutes "" = all zeros
	// Gender is "1" 男, "2" 女 or "3" その他; any other text is certified as it is.
	Gender string
	// Birthdate is YYYYMMDD, Gregorian, unknown parts 00. The certificate's era digit is derived from it.
	Birthdate string
	// PrefectureRomaji and CityRomaji are the localities of the subject and of the revocation list: Tokyo-to,
	// Kiyose-shi.
	PrefectureRomaji, CityRomaji string
	// MunicipalityCode is the code of the municipality, 5 digits.
	MunicipalityCode string
}

// complete checks a subject and fills in the substitute flags, one "0" per code point.
func (s Subject) complete(p profile) (Subject, fourinfo.PartialDate, error) {
	bad := func(field string) (Subject, fourinfo.PartialDate, error) {
		return Subject{}, fourinfo.PartialDate{}, &Error{Reason: ReasonBadSubject, Detail: field}
	}
	for _, f := range []struct{ field, value string }{
		{"PrefectureRomaji", s.PrefectureRomaji}, {"CityRomaji", s.CityRomaji},
	} {
		if f.value == "" || !utf8.ValidString(f.value) {
			return bad(f.field)
		}
	}
	if len(s.MunicipalityCode) != 5 || strings.Trim(s.MunicipalityCode, "0123456789") != "" {
		return bad("MunicipalityCode")
	}
	person, problems := fourinfo.FromCard(fourinfo.CardFields{Birthdate: s.Birthdate})
	if len(problems) > 0 || !person.Birthdate.Present() {
		return bad("Birthdate")
	}
	if p.personal {
		for _, f := range []struct{ field, value string }{
			{"Name", s.Name}, {"Address", s.Address}, {"Gender", s.Gender},
		} {
			if f.value == "" || !utf8.ValidString(f.value) {
				return bad(f.field)
			}
		}
		if !utf8.ValidString(s.NameSubstitutes) {
			return bad("NameSubstitutes")
		}
		if !utf8.ValidString(s.AddressSubstitutes) {
			return bad("AddressSubstitutes")
		}
		if s.NameSubstitutes == "" {
			s.NameSubstitutes = strings.Repeat("0", utf8.RuneCountInString(s.Name))
		}
		if s.AddressSubstitutes == "" {
			s.AddressSubstitutes = strings.Repeat("0", utf8.RuneCountInString(s.Address))
		}
	}
	return s, person.Birthdate.Reveal(), nil
}

// eraDigit returns the certificate's era digit for a birthdate YYYYMMDD: 1 Meiji to 5 Reiwa, 0 when unknown parts leave
// the era open. A day on which two eras overlap counts to the new one.
func eraDigit(birthdate string) string {
	// Dates compare as their digits; unknown parts span the year or the month.
	first := strings.ReplaceAll(birthdate[4:6], "00", "01") + strings.ReplaceAll(birthdate[6:], "00", "01")
	last := strings.ReplaceAll(birthdate[4:6], "00", "12") + strings.ReplaceAll(birthdate[6:], "00", "31")
	era := func(date string) string {
		switch {
		case date < "18680125":
			return "0"
		case date < "19120730":
			return "1"
		case date < "19261225":
			return "2"
		case date < "19890108":
			return "3"
		case date < "20190501":
			return "4"
		default:
			return "5"
		}
	}
	if e := era(birthdate[:4] + first); e == era(birthdate[:4]+last) {
		return e
	}
	return "0"
}

// expiry returns the end of the holder's fifth birthday after the issuance, 23:59:59 in Japan.
//
// Two choices of this package, for which no published rule is known: a birthday on 29 February is kept on 28 February
// in common years, and with an unknown day of birth the certificate ends five years after the day of its issuance.
func expiry(birth fourinfo.PartialDate, issuedAt time.Time) time.Time {
	issued := fourinfo.DateOf(issuedAt)
	day := anniversary(issued.Month, issued.Day, issued.Year+5)
	if birth.Month != 0 && birth.Day != 0 {
		year := issued.Year
		if anniversary(birth.Month, birth.Day, year).Compare(issued) <= 0 {
			year++
		}
		day = anniversary(birth.Month, birth.Day, year+4) // the first one is counted
	}
	const endOfDay = 24*time.Hour - 9*time.Hour - time.Second // 23:59:59 +09:00
	return time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC).Add(endOfDay)
}

// anniversary returns the day in the year, 28 February for 29 February in common years.
func anniversary(month time.Month, day, year int) fourinfo.Date {
	d := fourinfo.Date{Year: year, Month: month, Day: day}
	if !d.Valid() {
		d.Day--
	}
	return d
}
