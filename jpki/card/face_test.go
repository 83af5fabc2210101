package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

func TestCardFace(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	numberB, birthdate := printedOn(t, sim)
	for by, number := range map[card.PIN]string{card.FaceNumberA: p.IndividualNumber, card.FaceNumberB: numberB} {
		face, err := c.Face(t.Context(), by, number)
		if err != nil {
			t.Fatal(by, err)
		}
		if face.Birthdate.RevealRaw() != p.Subject.Birthdate || face.Gender.RevealRaw() != p.Subject.Gender {
			t.Error(by, "birthdate or gender differ")
		}
		if got := fmt.Sprintf("%04d%02d%02d", face.Expiry.Year, face.Expiry.Month,
			face.Expiry.Day); got != p.CardExpiry {
			t.Errorf("%v: expiry %s", by, got)
		}
		for name, image := range map[string]card.Image{"name": face.Name, "address": face.Address,
			"code": face.SecurityCode} {
			if _, err := png.Decode(bytes.NewReader(image.Reveal())); err != nil || image.MediaType() != "image/png" ||
				!image.Present() {
				t.Errorf("%v, %s: %s, %v", by, name, image.MediaType(), err)
			}
		}
		if got := face.Portrait.MediaType(); got != "image/jp2" {
			t.Errorf("%v: the portrait is %s", by, got)
		}
	}
	born, err := c.AgeCheck(t.Context(), birthdate)
	if err != nil || born.RevealRaw() != p.Subject.Birthdate {
		t.Errorf("age check: %v", err)
	}
	number, err := mynumber.New(p.IndividualNumber, mynumber.PurposeAdministration)
	if err != nil {
		t.Fatal(err)
	}
	image, err := c.NumberImage(t.Context(), number, mynumber.PurposeAdministration)
	if err != nil || image.MediaType() != "image/png" {
		t.Errorf("number image: %s, %v", image.MediaType(), err)
	}
	// For another purpose than that of the number there is no picture of it either.
	_, err = c.NumberImage(t.Context(), number, mynumber.PurposeReporting)
	wantReason(t, err, card.ReasonPurposeMissing)
	_, err = c.NumberImage(t.Context(), mynumber.Number{}, mynumber.PurposeReporting)
	wantReason(t, err, card.ReasonPurposeMissing)
}

func TestCardFaceRefused(t *testing.T) {
	_, c := openSim(t)
	for _, by := range []card.PIN{0, card.AuthPIN, card.TextNumberB, card.FaceBirthdate, 99} {
		_, err := c.Face(t.Context(), by, "1234")
		wantReason(t, err, card.ReasonBadReference)
	}
	_, err := c.Face(t.Context(), card.FaceNumberB, "5502172035228")
	wantReason(t, err, card.ReasonPINFormat)
	_, err = c.Face(t.Context(), card.FaceNumberB, "00000000000000")
	wantPINError(t, err, card.Error{PIN: card.FaceNumberB, Remaining: 9, Reason: card.ReasonWrongPIN})
	_, err = c.AgeCheck(t.Context(), "000000")
	wantPINError(t, err, card.Error{PIN: card.FaceBirthdate, Remaining: 9, Reason: card.ReasonWrongPIN})
	_, err = c.Attributes(t.Context(), card.TextNumberB, "00000000000000")
	wantPINError(t, err, card.Error{PIN: card.TextNumberB, Remaining: 9, Reason: card.ReasonWrongPIN})
	// The counters of the two applications are two.
	for p, want := range map[card.PIN]int{card.FaceNumberA: 10, card.FaceNumberB: 9, card.FaceBirthdate: 9,
		card.TextNumberA: 10, card.TextNumberB: 9} {
		if n, err := c.Tries(t.Context(), p); n != want || err != nil {
			t.Errorf("%v: %d, %v", p, n, err)
		}
	}
}

// A phone has nothing but the JPKI application, and its authentication certificate is behind the PIN.
func TestPhones(t *testing.T) {
	for kind, want := range map[cardsim.Kind]card.TokenKind{cardsim.Android: card.AndroidPhone,
		cardsim.IPhone: card.IPhone} {
		t.Run(want.String(), func(t *testing.T) {
			sim := newSim(t, kind)
			c := openOver(t, sim.Transport(), card.Config{Roots: rootsOf(t, sim)})
			if c.Kind() != want {
				t.Errorf("kind %v", c.Kind())
			}
			for _, r := range readings(t, sim) {
				err := r.read(t.Context(), c)
				wantReason(t, err, card.ReasonApplicationMissing)
			}
			_, err := c.CardRecord(t.Context())
			wantReason(t, err, card.ReasonApplicationMissing)
			_, err = c.AuthCertificate(t.Context())
			wantReason(t, err, card.ReasonNotVerified)
			if err := c.Verify(t.Context(), card.AuthPIN, sim.Person().Reveal().AuthPIN); err != nil {
				t.Fatal(err)
			}
			key, err := c.AuthKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := key.SignContext(t.Context(), make([]byte, 32), card.WithoutDigestInfo); err != nil {
				t.Error(err)
			}
		})
	}
}

// A child's card has no signing certificate, and says so without a PIN.
func TestChild(t *testing.T) {
	sim := newSimOf(t, person.Minor, cardsim.DefaultKind)
	c := openOver(t, sim.Transport(), card.Config{})
	got, err := c.Availability(t.Context())
	if err != nil || !got.Authentication {
		t.Fatal(got, err)
	}
	if got.Signing != (sim.Kind() != cardsim.Child) {
		t.Errorf("signing certificate %v on a card of kind %v", got.Signing, sim.Kind())
	}
}

func TestFreeInformation(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	token, err := c.TokenInformation(t.Context())
	if err != nil || token.Label != "JPKIAPICCTOKEN2" || token.Model == "" || token.HardwareVersion != "03" ||
		token.FirmwareVersion != "01" {
		t.Errorf("token %+v, %v", token, err)
	}
	if got, err := c.Availability(t.Context()); err != nil ||
		got != (card.Availability{Signing: true, Authentication: true}) {
		t.Errorf("available %+v, %v", got, err)
	}
	record, err := c.CardRecord(t.Context())
	if err != nil || record.Municipality != p.Subject.MunicipalityCode || len(record.RevealSerialNumber()) != 15 {
		t.Errorf("record %+v, %v", record, err)
	}
	if got := strings.ReplaceAll(record.Expiry.String(), "-", ""); got != p.CardExpiry {
		t.Errorf("expiry %s", got)
	}
	if text := fmt.Sprintf("%v %+v %#v", record, record, record); strings.Contains(text, record.RevealSerialNumber()) {
		t.Error("the serial number prints")
	}
	face, err := c.FaceInformation(t.Context())
	if err != nil || face.Municipality != p.Subject.MunicipalityCode || face.Key.String() != "6000024-001" ||
		face.Specification != [4]byte{6, 3, 0x0E, 1} {
		t.Errorf("card face %+v, %v", face, err)
	}
	text, err := c.TextInformation(t.Context())
	if err != nil || text.Municipality != "" || text.Key.String() != "6000034-001" ||
		text.Specification != [4]byte{1, 3, 0x0E, 1} {
		t.Errorf("text %+v, %v", text, err)
	}
}

func TestIssuerData(t *testing.T) {
	sim, c := openSim(t)
	p := sim.Person().Reveal()
	got, err := c.IssuerData(t.Context())
	if err != nil || got.Municipality != p.Subject.MunicipalityCode || got.Issuer != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	trusting := openOver(t, sim.Transport(), card.Config{Roots: rootsOf(t, sim)})
	got, err = trusting.IssuerData(t.Context())
	if err != nil || got.Issuer == nil || got.IssuerID == (card.KeyID{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	// The key at the end has the same name on every card.
	if got.IssuerID.String() != "0000050-001" {
		t.Errorf("the chain ends at %v", got.IssuerID)
	}
	for name, forge := range map[string]func(tag uint16, answer []byte) []byte{
		"upper":   func(tag uint16, b []byte) []byte { return flip(b, tag == 0x00F8, 100) },
		"lower":   func(tag uint16, b []byte) []byte { return flip(b, tag == 0x7F21, 100) },
		"layout":  func(tag uint16, b []byte) []byte { return flip(b, tag == 0x00F8, 3) }, // the list says another one
		"swapped": func(tag uint16, b []byte) []byte { return flip(b, tag == 0x7F21, 6) }, // certifier's name
	} {
		c := openOver(t, objects{sim.Transport(), forge}, card.Config{Roots: rootsOf(t, sim)})
		_, err := c.IssuerData(t.Context())
		if reason := reasonOf(err); reason != card.ReasonTampered && reason != card.ReasonMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The header list in front says nothing new: a card without one is read as well.
	bare := openOver(t, objects{sim.Transport(), func(tag uint16, b []byte) []byte {
		if tag == 0x00F8 || tag == 0x7F21 {
			return b[12:] // 4D 0A and ten bytes
		}
		return b
	}}, card.Config{Roots: rootsOf(t, sim)})
	if got, err := bare.IssuerData(t.Context()); err != nil || got.Issuer == nil {
		t.Errorf("without header lists: %+v, %v", got, err)
	}
	// Older cards have no lower certificate: the chain ends at the municipality.
	older := openOver(t, objects{sim.Transport(), func(tag uint16, b []byte) []byte {
		if tag == 0x7F21 {
			return []byte{0x6A, 0x88}
		}
		return b
	}}, card.Config{Roots: rootsOf(t, sim)})
	if got, err := older.IssuerData(t.Context()); err != nil || got.Issuer == nil ||
		got.IssuerID.String() != p.Subject.MunicipalityCode+"30-002" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func flip(b []byte, when bool, at int) []byte {
	if when {
		b[at] ^= 1
	}
	return b
}

// objects changes the answers to GET DATA.
type objects struct {
	card.Transport
	forge func(tag uint16, answer []byte) []byte
}

func (o objects) Transmit(ctx context.Context, raw []byte) ([]byte, error) {
	answer, err := o.Transport.Transmit(ctx, raw)
	if err == nil && raw[1] == 0xCA {
		answer = o.forge(uint16(raw[2])<<8|uint16(raw[3]), answer)
	}
	return answer, err
}

func TestCardRecordRefused(t *testing.T) {
	const selectCommon = "> 00A4040C0AD3921000310001010100"
	record := upperHex([]byte("400000012719843132212035021"))
	for name, tt := range map[string]struct {
		answer string
		want   card.Reason
	}{
		"no record":      {"< 6A83", card.ReasonFileMissing},
		"no file":        {"< 6A82", card.ReasonFileMissing},
		"refused":        {"< 6982", card.ReasonNotVerified},
		"empty":          {"< 9000", card.ReasonMalformed},
		"another tag":    {"< 021C" + record + "379000", card.ReasonMalformed},
		"another length": {"< 011B" + record + "9000", card.ReasonMalformed},
		"cut":            {"< 011C" + record + "9000", card.ReasonMalformed},
		"no digit":       {"< 011C" + record + "419000", card.ReasonMalformed},
		"no date":        {"< 011C" + upperHex([]byte("4000000127198431322120350231")) + "9000", card.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			lines := []string{selectCommon, ok, "> 00B2010C00", tt.answer}
			if name == "no file" { // or the application is not selected any more
				lines = append(lines, lines...)
			}
			c, _ := open(t, card.Config{}, lines...)
			_, err := c.CardRecord(t.Context())
			wantReason(t, err, tt.want)
		})
	}
	c, _ := open(t, card.Config{}, selectCommon, ok, "> 00B2010C00", "< 011C"+record+"37FFFF9000")
	got, err := c.CardRecord(t.Context())
	if err != nil || got.RevealSerialNumber() != "400000012719843" || got.Municipality != "13221" ||
		got.Expiry != (fourinfo.Date{Year: 2035, Month: 2, Day: 17}) {
		t.Errorf("got %v %v, %v", got.Municipality, got.Expiry, err)
	}
}

// Published examples of a test card, and the days on which eras begin.
func TestPrinted(t *testing.T) {
	day := func(y int, m time.Month, d int) fourinfo.Date { return fourinfo.Date{Year: y, Month: m, Day: d} }
	printed := card.Printed{Birthdate: day(1980, 2, 17), ExpiryYear: 2035, SecurityCode: "2285"}
	if got, err := printed.NumberB(); got != "55021720352285" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	for d, want := range map[fourinfo.Date]string{
		day(1868, 1, 25): "010125", day(1912, 7, 29): "450729", day(1912, 7, 30): "010730", day(1926, 12, 24): "151224",
		day(1926, 12, 25): "011225", day(1989, 1, 7): "640107", day(1989, 1, 8): "010108", day(2019, 4, 30): "310430",
		day(2019, 5, 1): "010501", day(2026, 11, 30): "081130",
	} {
		if got, err := card.EraBirthdate(d); got != want || err != nil {
			t.Errorf("%v: %s, want %s, %v", d, got, want, err)
		}
	}
	for _, d := range []fourinfo.Date{{}, day(1868, 1, 24), day(2023, 2, 29), day(2200, 1, 1)} {
		if _, err := card.EraBirthdate(d); reasonOf(err) != card.ReasonPINFormat {
			t.Errorf("%v: %v", d, err)
		}
	}
	for _, bad := range []struct {
		year int
		code string
	}{{99, "2285"}, {10000, "2285"}, {2035, "228"}, {2035, "22855"}, {2035, "22a5"}} {
		printed.ExpiryYear, printed.SecurityCode = bad.year, bad.code
		if _, err := printed.NumberB(); reasonOf(err) != card.ReasonPINFormat {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// No way of printing, logging or encoding shows a picture.
func TestImagesAreRedacted(t *testing.T) {
	sim, c := openSim(t)
	numberB, _ := printedOn(t, sim)
	face, err := c.Face(t.Context(), card.FaceNumberB, numberB)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %x %d", face, face, face, face.Name, face.Portrait, face.Name)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("face", slog.Any("face", face), slog.Any("name", face.Name))
	if err := json.NewEncoder(&out).Encode(face); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing was printed")
	}
	for _, image := range []card.Image{face.Name, face.Portrait} {
		b := image.Reveal()[:8]
		for _, form := range []string{string(b), fmt.Sprintf("%x", b), strings.Trim(fmt.Sprintf("%d", b), "[]"),
			fmt.Sprintf("%q", b)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("the picture shows as %q", form)
			}
		}
	}
	// What is revealed belongs to the caller.
	b := face.Name.Reveal()
	clear(b)
	if slices.Equal(b, face.Name.Reveal()) {
		t.Error("the picture was changed from outside")
	}
	var none card.Image
	if none.Present() || none.Reveal() != nil || none.MediaType() != "" || none.String() != "[redacted]" {
		t.Error("the zero value is something")
	}
}

// stub is a common-card application with a key of the test.
type stub struct {
	key    *rsa.PrivateKey
	status []byte
}

func (s stub) Transmit(_ context.Context, raw []byte) ([]byte, error) {
	if raw[1] != 0x88 {
		return []byte{0x90, 0x00}, nil
	}
	if s.status != nil {
		return s.status, nil
	}
	cmd, err := apdu.ParseCommand(raw)
	if err != nil || cmd.CLA != 0 || cmd.P1 != 0 || cmd.P2 != 0x99 || cmd.Ne != 256 {
		return []byte{0x6A, 0x86}, err
	}
	digest := sha256.Sum256(cmd.Data)
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	return append(signature, 0x90, 0x00), err
}

func TestAuthenticateCommonKey(t *testing.T) {
	key := testca.TestKey("other")
	c := openOver(t, stub{key: key}, card.Config{})
	if err := c.AuthenticateCommonKey(t.Context(), &key.PublicKey); err != nil {
		t.Error(err)
	}
	_, other := openSim(t)
	wantReason(t, other.AuthenticateCommonKey(t.Context(), &key.PublicKey), card.ReasonNotGenuine)
	refusing := openOver(t, stub{status: []byte{0x69, 0x85}}, card.Config{})
	wantReason(t, refusing.AuthenticateCommonKey(t.Context(), &key.PublicKey), card.ReasonNotGenuine)
	wantReason(t, c.AuthenticateCommonKey(t.Context(), nil), card.ReasonUnsupportedKey)
	wantReason(t, c.AuthenticateCommonKey(t.Context(), &rsa.PublicKey{N: key.N, E: 3}), card.ReasonUnsupportedKey)
}
