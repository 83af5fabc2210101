package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	picture "image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// readAll reads a file through the card with the references of its application.
func readAll(t *testing.T, app string, id uint16) []byte {
	t.Helper()
	c := newCard(t)
	run(t, c, selectCommand(app)+"=9000")
	for _, r := range keysOf(rightValues[app]) {
		run(t, c, verifyCommand(app, r)+"=9000")
	}
	return data(t, c, fmt.Sprintf("00B0%02X00 000000", 0x80|id))
}

// issuerKey is the key of the certificate in EF 0004 of an application, checked under the root that the certificate
// names.
func issuerKey(t *testing.T, app, root string) *rsa.PublicKey {
	t.Helper()
	return certifiedKey(t, inside(t, readAll(t, app, 0x0004)), issuerKeyID(root),
		newCard(t).IssuerRoots()[issuerKeyID(root)])
}

func certifiedKey(t *testing.T, certificate map[tlv.Tag]tlv.Element, certifier keyID,
	key *rsa.PublicKey) *rsa.PublicKey {
	t.Helper()
	body := certificate[0x5F4E].Value
	if len(body) != 297 || !bytes.HasPrefix(body, certifier[:]) {
		t.Fatalf("certificate of %X, want %X", body[:16], certifier)
	}
	checkSignature(t, "certificate", key, body, certificate[0x5F37].Value)
	return parseKey(t, body[32:])
}

// objects returns the elements inside the outer object of a file, in their order.
func objects(t *testing.T, b []byte) []tlv.Element {
	t.Helper()
	outer, _, err := tlv.Next(b)
	if err != nil {
		t.Fatal(err)
	}
	elements, err := tlv.ParseAll(outer.Value)
	if err != nil {
		t.Fatal(err)
	}
	return elements
}

func raw(elements ...tlv.Element) []byte {
	var b []byte
	for _, e := range elements {
		b = append(b, e.Raw...)
	}
	return b
}

// Everything that the surface application says holds under the root, and the key in all three records is the one that
// answers challenges.
func TestSurfaceSignedObjects(t *testing.T) {
	issuer := issuerKey(t, "surface", surfaceRoot)

	age := objects(t, readAll(t, "surface", 0x0001))
	checkSignature(t, "age", issuer, raw(age[0], age[1]), age[2].Value)
	number := objects(t, readAll(t, "surface", 0x0005))
	checkSignature(t, "number", issuer, raw(number[0], number[1]), number[2].Value)

	face := readAll(t, "surface", 0x0002)
	f := objects(t, face)
	if len(f) != 10 {
		t.Fatalf("%d objects", len(f))
	}
	for i, e := range f {
		if e.Tag != tlv.Tag(0xDF21+i) {
			t.Errorf("object %d is %X", i, uint32(e.Tag))
		}
		if i == 0 {
			continue
		}
		if offset := int(binary.BigEndian.Uint16(f[0].Value[2*(i-1):])); !bytes.HasPrefix(face[offset:], e.Raw) {
			t.Errorf("offset %d of %X", offset, uint32(e.Tag))
		}
	}
	if len(f[0].Value) != 0x12 || string(f[1].Value) != "19880723" || string(f[2].Value) != "2" ||
		string(f[8].Value) != "20360723" {
		t.Error("offset table, birth date, gender or expiry")
	}
	if n := len(face); n < 3000 || n > 12000 {
		t.Errorf("%d bytes, published are about 6 to 9 KB", n)
	}

	// DF28 is a DigestInfo with three hashes.
	got := block(t, issuer, f[7].Value)
	want := unhex(t, "3071300D060960864801650304020105000460")
	for _, group := range [][]byte{raw(f[1:4]...), raw(f[4:6]...), raw(f[6])} {
		h := sha256.Sum256(group)
		want = append(want, h[:]...)
	}
	if len(want) != 115 || !bytes.Equal(got, want) {
		t.Errorf("DF28 signs %X, want %X", got, want)
	}

	// The key is the card's.
	c := newCard(t)
	run(t, c, "{SURFACE}=9000")
	challenge := bytes.Repeat([]byte{0x5A}, 32)
	answer := data(t, c, fmt.Sprintf("802A0000 33 3031300D060960864801650304020105000420 %X 00", challenge))
	for _, key := range [][]byte{age[1].Value, f[3].Value, number[1].Value} {
		if err := rsa.VerifyPKCS1v15(parseKey(t, key), crypto.SHA256, challenge, answer); err != nil {
			t.Errorf("challenge: %v", err)
		}
	}
}

func TestSurfaceImages(t *testing.T) {
	face := objects(t, readAll(t, "surface", 0x0002))
	number := objects(t, readAll(t, "surface", 0x0005))
	for name, e := range map[string]tlv.Element{"name": face[4], "address": face[5], "code": face[9],
		"number": number[0]} {
		img, err := png.Decode(bytes.NewReader(e.Value))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// IHDR: bit depth at 24, colour type at 25 (PNG specification, 11.2.1): greyscale of one bit, without a
		// palette.
		if e.Value[24] != 1 || e.Value[25] != 0 || bytes.Contains(e.Value, []byte("PLTE")) {
			t.Errorf("%s has %d bits and colour type %d", name, e.Value[24], e.Value[25])
		}
		want := map[string]picture.Point{"name": {216, 12}, "address": {288, 12}, "code": {24, 12},
			"number": {72, 12}}[name]
		if img.Bounds().Size() != want {
			t.Errorf("%s has %v", name, img.Bounds().Size())
		}
		if blank(img) {
			t.Errorf("%s is blank", name)
		}
	}
	if !bytes.HasPrefix(face[6].Value, unhex(t, "0000000C 6A502020 0D0A870A")) {
		t.Errorf("portrait starts %X", face[6].Value[:12])
	}
}

func blank(img picture.Image) bool {
	first := color.GrayModel.Convert(img.At(img.Bounds().Min.X, img.Bounds().Min.Y))
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if color.GrayModel.Convert(img.At(x, y)) != first {
				return false
			}
		}
	}
	return true
}

// The chain in the issuer security domain leads from its root over a key of the municipality to a last one. Neither is
// one of the two keys that sign the contents of the card.
func TestDomainChain(t *testing.T) {
	c := newCard(t)
	upper := elements(t, data(t, c, "00CA00F8000000"))
	intermediate := certifiedKey(t, upper, chainRoot(), c.IssuerRoots()[chainRoot()])
	id := data(t, c, "00CA00F700")
	if !bytes.Equal(upper[0x5F4E].Value[16:32], id) {
		t.Error("00F7 is not the holder of 00F8")
	}
	end := certifiedKey(t, elements(t, data(t, c, "00CA7F21000000")), keyID(id), intermediate)
	all := []*rsa.PublicKey{intermediate, end, issuerKey(t, "text", textRoot), issuerKey(t, "surface", surfaceRoot)}
	for i, key := range all {
		for _, other := range all[:i] {
			if key.Equal(other) {
				t.Error("two of the four certificates are of one key")
			}
		}
	}
	if got := data(t, c, "00CA5F5100"); bytes.ContainsFunc(got[:1], func(r rune) bool { return r == 0x3B }) ||
		xor(got) != 0 {
		t.Errorf("ATR without TS: %X", got)
	}
}

// xor is 0 over T0 to TCK (ISO/IEC 7816-3, 8.2.5).
func xor(b []byte) (x byte) {
	for _, c := range b {
		x ^= c
	}
	return x
}

func elements(t *testing.T, b []byte) map[tlv.Tag]tlv.Element {
	t.Helper()
	all, err := tlv.ParseAll(b)
	if err != nil {
		t.Fatal(err)
	}
	m := map[tlv.Tag]tlv.Element{}
	for _, e := range all {
		m[e.Tag] = e
	}
	return m
}

// The same facts stand in several places of a card.
func TestTheApplicationsAgree(t *testing.T) {
	c := newCard(t)
	municipality, expiry := data(t, c, "00CA00F000"), data(t, c, "00CA00F200")
	number := data(t, c, "00CA004500")
	run(t, c, "{COMMON}=9000")
	record := data(t, c, "00B2010C00")
	if string(record[2:]) != string(number)+string(municipality)+string(expiry) {
		t.Errorf("record %q", record[2:])
	}
	if got := inside(t, readAll(t, "surface", 0x0003))[0xDF34].Value; !bytes.Equal(got, municipality) {
		t.Errorf("DF34 is %q", got)
	}
	run(t, c, "{COMMON}=9000") // readAll has selected another application
	reference := data(t, c, "00B2011400")
	run(t, c, "{RESIDENT}=9000")
	if got := data(t, c, "00B2011400"); !bytes.Equal(got, reference) {
		t.Errorf("EF 0002 differs: %X and %X", got, reference)
	}
	if got := rightValues["surface"][0x11]; rightValues["surface"][0x12][:6] != got {
		t.Error("照合番号B starts with the birth date of the other reference")
	}
}

// A published record 1 of EF 0001 of the common card application.
func TestCommonRecordGolden(t *testing.T) {
	want := unhex(t, "011C 343030303030303132373139383433 3133323231 3230333530323137")
	if got := simpleTLV(0x01, "400000012719843"+"13221"+"20350217"); !bytes.Equal(got, want) {
		t.Errorf("%X", got)
	}
	for _, id := range []string{"hanako", "taro", "x"} {
		if n := cardNumber(person.Details{ID: id}); len(n) != 15 || n[0] != '4' || strings.Trim(n, "0123456789") != "" {
			t.Errorf("%s: %q", id, n)
		}
	}
}

func TestInternalAuthenticate(t *testing.T) {
	c := newCard(t)
	run(t, c, "{COMMON}=9000")
	challenge := []byte("any challenge")
	first := data(t, c, fmt.Sprintf("00880099 %02X %X 00", len(challenge), challenge))
	second := data(t, c, fmt.Sprintf("00880099 %02X %X 00", len(challenge), challenge))
	if !bytes.Equal(first, second) {
		t.Error("the signature is deterministic")
	}
	checkSignature(t, "challenge", c.CommonKey(), challenge, first)
}

// A terminal's certificate under the key of IEF 0016 is accepted, and gives nothing more than before.
func TestTerminalCertificate(t *testing.T) {
	c := newCard(t)
	keys := keyring{jpki: c.jpki}
	certificate := func(signer string) (body, signature []byte) {
		t.Helper()
		der, err := cardVerifiableCertificate(issuerKeyID("6000016"), issuerKeyID("6000099"),
			&keys.issuers("terminal")().PublicKey, keys.issuers(signer)())
		if err != nil || len(der) != 568 {
			t.Fatalf("%d bytes, %v", len(der), err)
		}
		return der[:307], der[307:]
	}
	body, signature := certificate("terminal-ca")
	run(t, c, fmt.Sprintf(`{JPKI}=9000
		80A206C1 000133 %X=9000
		80A200C1 000105 %X=9000
		00B0810004=6982
		802A0097 01 AA 00=6982
		00B0890000=6982
		80A200C1 000105 %X=6985 // a body counts once
		80A206C1 000133 %X=9000
		{JPKI}=9000
		80A200C1 000105 %X=6985 // and not after SELECT`, body, signature, signature, body, signature))
	_, forged := certificate("terminal")
	run(t, c, fmt.Sprintf(
		"{JPKI}=9000 \n 80A206C1 000133 %X=9000 \n 80A200C1 000105 %X=6300 \n 80A200C1 000105 %X=6985", body, forged,
		signature))
}
