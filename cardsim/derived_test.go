package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tlv"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The published content of EF 0002 of a J-LIS test card.
func TestTextAttributesGolden(t *testing.T) {
	want := unhex(t, `
		ff2065 df2108 000e 0020 0059 0064
		df220f e9bb92e6a190e38080e5b9b9e4b99f
		df2336 e69db1e4baace983bde6b885e780ace5b882e8a6b3e5b883e5ad90e58d97
		       efbc91efbc92efbc8defbc97efbc8defbc92efbc90efbc92
		df2408 3139383030323137
		df2501 31`)
	got := textAttributes("黒桐　幹也", "東京都清瀬市観布子南１２－７－２０２", "19800217", "1")
	if !bytes.Equal(got.file, want) {
		t.Errorf("EF 0002\n got %x\nwant %x", got.file, want)
	}
	if !bytes.Equal(got.signed, want[0x0e:]) {
		t.Errorf("the hash must cover DF22 to DF25, not %x", got.signed)
	}
}

// A file whose value needs the long length form has its fields two bytes further on.
func TestTextAttributesOffsetsPointToTags(t *testing.T) {
	for _, address := range []string{"東京都", strings.Repeat("長", 60), strings.Repeat("長", 200)} {
		file := textAttributes("確認　花子", address, "19880723", "2").file
		outer, rest, err := tlv.Next(file)
		if err != nil || len(rest) != 0 || outer.Tag != 0xFF20 {
			t.Fatalf("FF20: %v, %d bytes behind it", err, len(rest))
		}
		fields, err := tlv.ParseAll(outer.Value)
		if err != nil || len(fields) != 5 || fields[0].Tag != 0xDF21 {
			t.Fatalf("fields: %v", err)
		}
		for i := range 4 {
			offset := int(fields[0].Value[2*i])<<8 | int(fields[0].Value[2*i+1])
			if got := tlv.Tag(file[offset])<<8 | tlv.Tag(file[offset+1]); got != tlv.Tag(0xDF22+i) {
				t.Errorf("offset %d of an address of %d bytes points to %x", i, len(address), uint32(got))
			}
		}
		if string(fields[2].Value) != address {
			t.Error("address changed")
		}
	}
}

// The one size of a file whose length has two forms: both are read, both hold the same, and the signed hash is of what
// is inside.
func TestBothLengthForms(t *testing.T) {
	midori := withHanakosKeys(ready(person.Midori))
	for short, head := range map[bool]string{false: "FF208200", true: "FF2081"} {
		c := customCard(t, func(c *Config) { c.Person, c.ShortLengths = midori, short })
		client, err := c.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := midori.Reveal()
		got, err := client.Attributes(t.Context(), card.TextPIN, d.TextPIN)
		if err != nil || got.Name.Reveal() != d.Name || got.Address.Reveal() != d.Address ||
			got.Gender.RevealRaw() != d.Subject.Gender {
			t.Errorf("short %v: %v", short, err)
		}
		if err := client.Close(t.Context()); err != nil {
			t.Error(err)
		}
		c.PowerOn()
		run(t, c, "{TEXT} = 9000")
		run(t, c, fmt.Sprintf("00200091 04 %X = 9000", d.TextPIN))
		file := data(t, c, "00B0820000")
		if !bytes.HasPrefix(file, unhex(t, head)) {
			t.Fatalf("short %v: %X", short, file[:8])
		}
		outer, _, err := tlv.Next(file)
		if err != nil || len(outer.Value) < 128 || len(outer.Value) > 255 {
			t.Fatalf("%d bytes, %v", len(outer.Value), err)
		}
		fields, err := tlv.ParseAll(outer.Value)
		if err != nil || len(fields) != 5 {
			t.Fatalf("%d fields, %v", len(fields), err)
		}
		for i := range attributeFields {
			offset := binary.BigEndian.Uint16(fields[0].Value[2*i:])
			if tag := binary.BigEndian.Uint16(file[offset:]); tlv.Tag(tag) != fields[i+1].Tag {
				t.Errorf("short %v: offset %d points to %X", short, i, tag)
			}
		}
		// Only that one length has two forms.
		for _, name := range []person.Persona{person.Hanako, person.Nagai} {
			other := customCard(t, func(c *Config) { c.Person, c.ShortLengths = withHanakosKeys(ready(name)), short })
			run(t, other, "{TEXT} = 9000")
			run(t, other, fmt.Sprintf("00200091 04 %X = 9000", ready(name).Reveal().TextPIN))
			if file := data(t, other, "00B0820000"); file[2] == 0x81 {
				t.Errorf("%s, short %v: %X", name, short, file[:8])
			}
		}
	}
}

func TestTextNumberGolden(t *testing.T) {
	if got, want := textNumber("123456789018"), unhex(t, "ff100c 313233343536373839303138 ffff"); !bytes.Equal(got,
		want) {
		t.Errorf("EF 0001 = %x, want %x", got, want)
	}
}

func TestTokenInfoLayout(t *testing.T) {
	b := tokenInfo("JPKIAPICCTOKEN2")
	if len(b) != 160 {
		t.Fatalf("%d bytes, want 160", len(b))
	}
	want := unhex(t, `0000040D 00000001 00000000 00000001 00000000 00000010 00000006
		FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF 3033 3031 39393939393939393939393939393939`)
	if !bytes.Equal(b[0x60:], want) {
		t.Errorf("numbers: %x", b[0x60:])
	}
	if got, want := string(b[:0x60]),
		"JPKIAPICCTOKEN2                 00000000000000000000000000000001E16R01NJ        0000000020500003"; got != want {
		t.Errorf("texts: %q", got)
	}
}

// Sizes and structure that strict readers check, with the signatures of the whole chain inside the card.
func TestTextSignedObjects(t *testing.T) {
	holder := hanako().Reveal()
	holder.CardExpiry = "20361231"
	j, err := sharedJPKI()
	if err != nil {
		t.Fatal(err)
	}
	keys := keyring{jpki: j, person: holder.ID}
	app := textApplication(holder, keys, false)
	content := func(id uint16) []byte {
		t.Helper()
		b, err := app.files[id].content()
		if err != nil {
			t.Fatalf("EF %04X: %v", id, err)
		}
		return b
	}
	for id, size := range map[uint16]int{
		0x0001: 17, 0x0002: 512, 0x0003: 336, 0x0004: 568, 0x0005: 256, 0x0006: 0x109 + 4, 0x0007: 0x213 + 5,
		0x0008: 16,
	} {
		if got := len(content(id)); got != size {
			t.Errorf("EF %04X has %d bytes, want %d", id, got, size)
		}
	}
	for id, head := range map[uint16]string{
		0x0003: "ff3082014b", 0x0004: "7f21820233 5f4e820129 36303030303333 0805 303031 00000000",
		0x0005: "ff4082009f df410401030e01 df4210 36303030303334 0805 303031 00000000 df43820080",
		0x0006: "a1820109 9003010001 91820100", 0x0007: "ff50820213 df51820109 9003010001 91820100",
	} {
		if want := unhex(t, head); !bytes.HasPrefix(content(id), want) {
			t.Errorf("EF %04X starts %x, want %x", id, content(id)[:len(want)], want)
		}
	}

	// The municipality's key is certified by the intermediate key.
	cv := inside(t, content(0x0004))
	body, certSignature := cv[0x5F4E], cv[0x5F37]
	intermediate := keys.root(issuerKeyID(textRoot))()
	checkSignature(t, "certificate", &intermediate.PublicKey, body.Value, certSignature.Value)
	municipality := parseKey(t, body.Value[32:])

	// It signs the hashes …
	record := inside(t, content(0x0003))
	checkSignature(t, "hashes", municipality, append(record[0xDF31].Raw[:len(record[0xDF31].Raw):len(
		record[0xDF31].Raw)],
		record[0xDF32].Raw...), record[0xDF33].Value)
	// … which are those of the physical EF 0001 and of the attributes without their offset table …
	if h := sha256.Sum256(content(0x0001)); !bytes.Equal(h[:], record[0xDF31].Value) {
		t.Error("hash of EF 0001")
	}
	attributes, _, err := tlv.Next(content(0x0002))
	if err != nil {
		t.Fatal(err)
	}
	_, afterTable, err := tlv.Next(attributes.Value)
	if err != nil {
		t.Fatal(err)
	}
	if h := sha256.Sum256(afterTable); !bytes.Equal(h[:], record[0xDF32].Value) {
		t.Error("hash of the attributes")
	}
	// … and the internal authentication key.
	internal := inside(t, content(0x0007))
	checkSignature(t, "internal key", municipality, internal[0xDF51].Raw, internal[0xDF52].Value)
	if got := parseKey(t, internal[0xDF51].Value); !got.Equal(&app.files[textKey].key().PublicKey) {
		t.Error("EF 0007 is not the public half of IEF 0013")
	}
}

func inside(t *testing.T, b []byte) map[tlv.Tag]tlv.Element {
	t.Helper()
	outer, _, err := tlv.Next(b)
	if err != nil {
		t.Fatal(err)
	}
	elements, err := tlv.ParseAll(outer.Value)
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[tlv.Tag]tlv.Element, len(elements))
	for _, e := range elements {
		m[e.Tag] = e
	}
	return m
}

func parseKey(t *testing.T, b []byte) *rsa.PublicKey {
	t.Helper()
	elements, err := tlv.ParseAll(b)
	if err != nil || len(elements) != 2 || elements[0].Tag != 0x90 || elements[1].Tag != 0x91 {
		t.Fatalf("public key: %v", err)
	}
	return &rsa.PublicKey{
		N: new(big.Int).SetBytes(elements[1].Value), E: int(new(big.Int).SetBytes(elements[0].Value).Int64()),
	}
}

func checkSignature(t *testing.T, what string, key *rsa.PublicKey, data, signature []byte) {
	t.Helper()
	digest := sha256.Sum256(data)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("signature over the %s: %v", what, err)
	}
}
