package card

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

func seed(f *testing.F, s string) []byte {
	f.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzParseAttributes: nothing panics, and what is accepted is valid text, found again by the offset table.
func FuzzParseAttributes(f *testing.F) {
	f.Add(seed(f, "ff2065df2108000e002000590064df220fe9bb92e6a190e38080e5b9b9e4b99fdf2336e69db1e4baace983bde6b885e780ac"+
		"e5b882e8a6b3e5b883e5ad90e58d97efbc91efbc92efbc8defbc97efbc8defbc92efbc90efbc92df24083139383030323137df250131"))
	f.Add(seed(f, "ff2018df2108000e001100140017df2200df2300df2400df2500"))
	f.Add(seed(f, "ff20820018df21080010001300160019df2200df2300df2400df2500"))
	f.Add(seed(f, "ff2000"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := parseAttributes(file)
		if err != nil {
			return
		}
		for _, v := range []string{got.name, got.address, got.birthdate, got.gender} {
			if !utf8.ValidString(v) || len(v) > limits.Attribute {
				t.Fatalf("accepted %q", v)
			}
		}
		_, header, _, err := tlv.Header(file)
		if err != nil {
			t.Fatal(err)
		}
		table, _, err := tlv.Next(file[header:])
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{got.name, got.address, got.birthdate, got.gender} {
			at := int(binary.BigEndian.Uint16(table.Value[2*i:]))
			field, _, err := tlv.Next(file[at:])
			if err != nil || string(field.Value) != want {
				t.Fatalf("field %d by its offset: %q, %v; by its tag: %q", i, field.Value, err, want)
			}
		}
	})
}

// FuzzCertificateFile reads a certificate from a card whose file has any content and any end: the result is the DER
// that the header announces, or an error.
func FuzzCertificateFile(f *testing.F) {
	f.Add([]byte{0x30, 0x82, 0x00, 0x02, 0xAA, 0xBB, 0xFF, 0xFF}, uint16(0x6B00), byte(255))
	f.Add([]byte{0x30, 0x82, 0x01, 0x00}, uint16(0x6282), byte(3))
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF}, uint16(0x9000), byte(1))
	f.Add([]byte{}, uint16(0x6A82), byte(1))
	f.Fuzz(func(t *testing.T, content []byte, end uint16, most byte) {
		s := newSession(fileCard{content, end, int(most)})
		der, err := s.certificate(t.Context(), "test", efAuthCertificate, 0, AuthPIN)
		if err != nil {
			return
		}
		if len(der) < 4 || len(der) > limits.Certificate || !bytes.HasPrefix(content, der) {
			t.Fatalf("got %X of %X", der, content)
		}
		if want := int(der[2])<<8 | int(der[3]); der[0] != 0x30 || der[1] != 0x82 || len(der) != want+4 {
			t.Fatalf("got %X", der)
		}
	})
}

// fileCard has one file, gives at most so many bytes at a time, and answers end behind the last.
type fileCard struct {
	content []byte
	end     uint16
	most    int
}

func (c fileCard) Transmit(_ context.Context, raw []byte) ([]byte, error) {
	cmd, err := apdu.ParseCommand(raw)
	if err != nil {
		return nil, err
	}
	if cmd.INS != insReadBinary {
		return []byte{0x90, 0x00}, nil
	}
	at := int(cmd.P1)<<8 | int(cmd.P2)
	if cmd.P1&byShortID != 0 {
		at = int(cmd.P2)
	}
	if at >= len(c.content) {
		return []byte{byte(c.end >> 8), byte(c.end)}, nil
	}
	n := min(cmd.Ne, c.most, len(c.content)-at)
	return append(bytes.Clone(c.content[at:at+n]), 0x90, 0x00), nil
}

// FuzzAnswer: no answer of a card makes the client panic or run on.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0x90, 0x00}, []byte{0x63, 0xC3}, []byte{0x30, 0x82, 0x00, 0x01, 0x90, 0x00})
	f.Add([]byte{0x61, 0x10}, []byte{0x6C, 0x10}, []byte{0x61, 0x00})
	f.Add([]byte{}, []byte{0x60, 0x00}, []byte{0x00})
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		answers := &turns{answers: [][]byte{a, b, c}}
		s := newSession(answers)
		client := &Card{s: s, cfg: Config{}}
		_, _ = client.Tries(t.Context(), AuthPIN)
		_ = client.Verify(t.Context(), AuthPIN, "1234")
		_, _ = client.AuthCertificate(t.Context())
		_, _ = client.Attributes(t.Context(), TextPIN, "1234")
		_, _ = client.Face(t.Context(), FaceNumberB, "55021720352285")
		_, _ = client.CardRecord(t.Context())
		_, _ = client.IssuerData(t.Context())
		_ = client.ChangePIN(t.Context(), AuthPIN, Replace("1234", "5678"))
		client.cfg.SecureMessaging, client.cfg.Roots = true, &Roots{}
		_, _ = client.IndividualNumber(t.Context(), "1234", mynumber.PurposeReporting)
		if answers.n > 4*limits.CardFile {
			t.Fatalf("%d commands", answers.n)
		}
	})
}

// turns gives its answers in turn.
type turns struct {
	answers [][]byte
	n       int
}

func (s *turns) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	if cmd[1] == insSelect {
		return []byte{0x90, 0x00}, nil
	}
	s.n++
	return s.answers[s.n%len(s.answers)], nil
}

// FuzzParseFiles: no content of a file makes a parser panic; what is accepted stays within the file and its rules.
func FuzzParseFiles(f *testing.F) {
	key := tlv.Append(tlv.Append(nil, tagExponent, []byte{1, 0, 1}), tagModulus,
		append(bytes.Repeat([]byte{0xA5}, 255), 0x01))
	id := bytes.Repeat([]byte("6000033\x08\x05001\x00\x00\x00\x00"), 2)
	signature := make([]byte, 256)
	cv := tlv.Append(tlv.Append(nil, tagCVContent, append(id, key...)), tagCVSignature, signature)
	f.Add(cv)
	f.Add(tlv.Append(nil, tagCVCertificate, cv))
	hash := make([]byte, 32)
	f.Add(tlv.Append(nil, tagTextSignature, tlv.Append(tlv.Append(tlv.Append(nil, tagNumberHash, hash),
		tagAttributesHash, hash), tagHashSignature, signature)))
	f.Add(tlv.Append(nil, tagTextInternal, tlv.Append(tlv.Append(nil, tagInternalKey, key), tagInternalSignature,
		signature)))
	f.Add(tlv.Append(nil, tagAgeCheck, tlv.Append(tlv.Append(tlv.Append(nil, tagAgeBirthdate, []byte("19800217")),
		tagAgeKey, key), tagAgeSignature, signature)))
	f.Add(tlv.Append(nil, tagNumberImage, tlv.Append(tlv.Append(tlv.Append(nil, tagNumberPicture, []byte("\x89PNG")),
		tagNumberKey, key), tagNumberSignature, signature)))
	f.Add(seedFace(key, signature))
	f.Add(append([]byte{0x01, 0x1C}, "4000000127198431322120350217"...))
	f.Add(tlv.Append(nil, tagFaceInfo, tlv.Append(tlv.Append(
		tlv.Append(tlv.Append(nil, tagFaceSpecification, []byte{6, 3, 0x0E, 1}), tagFaceKeyID, id[:16]), tagFaceVersion,
		[]byte{1}), tagFaceMunicipality, []byte("13221"))))
	f.Add(tlv.Append(nil, tagTextInfo, tlv.Append(tlv.Append(nil, tagTextSpecification, []byte{1, 3, 0x0E, 1}),
		tagTextKeyID, id[:16])))
	f.Add(append(tlv.Append(nil, tagNumber, []byte("123456789018")), 0xFF, 0xFF))
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := parseCVCertificate(file); err == nil {
			checkKey(t, c.key)
			if !bytes.Contains(file, c.content) || !bytes.HasPrefix(c.content, c.certifier[:]) {
				t.Fatal("signed content is not from the file")
			}
		}
		if h, err := parseTextSignature(file); err == nil && !bytes.Contains(file, h.signed) {
			t.Fatal("signed hashes are not from the file")
		}
		if k, err := parseTextInternal(file); err == nil {
			checkKey(t, k.key)
		}
		for _, tags := range [][4]tlv.Tag{
			{tagAgeCheck, tagAgeBirthdate, tagAgeKey, tagAgeSignature},
			{tagNumberImage, tagNumberPicture, tagNumberKey, tagNumberSignature},
		} {
			if r, err := parseFaceRecord(file, tags[0], tags[1], tags[2], tags[3]); err == nil {
				checkKey(t, r.key)
				if !bytes.Contains(r.signed, r.value) {
					t.Fatal("the value is not among what is signed")
				}
			}
		}
		if face, err := parseFace(file); err == nil {
			checkKey(t, face.key)
			if face.face.Expiry != (fourinfo.Date{}) && !face.face.Expiry.Valid() {
				t.Fatalf("expiry %v", face.face.Expiry)
			}
		}
		if r, ok := parseCardRecord(file); ok && (!r.Expiry.Valid() || len(r.RevealSerialNumber()) != 15 ||
			len(r.Municipality) != 5) {
			t.Fatalf("record %v", r)
		}
		for _, parse := range []func([]byte) (Information, bool){parseFaceInformation, parseTextInformation} {
			if i, ok := parse(file); ok && i.Municipality != "" && len(i.Municipality) != 5 {
				t.Fatalf("municipality %q", i.Municipality)
			}
		}
		if n, err := parseNumber(file, mynumber.PurposeReporting); err == nil && !n.Present() {
			t.Fatal("an absent number was accepted")
		}
	})
}

func checkKey(t *testing.T, key *rsa.PublicKey) {
	t.Helper()
	if key.N.BitLen() < limits.RSABitsMin || key.N.BitLen() > limits.RSABitsMax || key.E != issuerExponent {
		t.Fatalf("accepted a key of %d bits with exponent %d", key.N.BitLen(), key.E)
	}
}

// seedFace is a small card-face file with a true offset table.
func seedFace(key, signature []byte) []byte {
	var fields []byte
	var starts []int
	for i, v := range [][]byte{
		[]byte("19800217"), []byte("1"), key, []byte("\x89PNG"), []byte("\x89PNG"), []byte("jP"), signature,
		[]byte("20350217"), []byte("\x89PNG"),
	} {
		starts = append(starts, len(fields))
		fields = tlv.Append(fields, tagFaceBirthdate+tlv.Tag(i), v)
	}
	const header, table = 5, 3 + 2*9
	var offsets []byte
	for _, s := range starts {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(header+table+s))
	}
	return tlv.Append(nil, tagFace, append(tlv.Append(nil, tagFaceOffsets, offsets), fields...))
}

// FuzzChannel: no answer makes the secure messaging panic, and what it encrypts it decrypts again under the same
// counter only.
func FuzzChannel(f *testing.F) {
	f.Add([]byte{}, uint64(1))
	f.Add([]byte("123456789018"), uint64(2))
	f.Add(bytes.Repeat([]byte{0x80, 0x00}, 8), uint64(1)<<40)
	f.Fuzz(func(t *testing.T, b []byte, counter uint64) {
		block, err := aes.NewCipher(make([]byte, 16))
		if err != nil {
			t.Fatal(err)
		}
		c := &channel{block: block, counter: counter}
		_, _ = c.decrypt("test", b)
		if len(b) > limits.CardFile {
			return
		}
		object := c.encrypt(b)
		if plain, err := c.decrypt("test", object); err != nil || !bytes.Equal(plain, b) {
			t.Fatalf("got %X, %v", plain, err)
		}
		c.counter++
		if plain, err := c.decrypt("test", object); err == nil && len(b) > 0 && bytes.Equal(plain, b) {
			t.Fatal("the counter does not matter")
		}
	})
}

// Which roots are the pinned ones is decided by name and key together.
func TestPinnedIn(t *testing.T) {
	key := testca.TestKey("other")
	id, err := ParseKeyID("5000033-001")
	if err != nil {
		t.Fatal(err)
	}
	other, err := ParseKeyID("5000023-001")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(key.N.Bytes())
	table := map[string]string{id.String(): hex.EncodeToString(sum[:]), "5000020-001": pins["5000020-001"]}
	if !pinnedIn(table, []Root{{id, &key.PublicKey}}) {
		t.Error("the pinned key is not found")
	}
	for name, root := range map[string]Root{"another name": {other, &key.PublicKey}, "no name": {Key: &key.PublicKey},
		"no key": {ID: id}} {
		if pinnedIn(table, []Root{{id, &key.PublicKey}, root}) {
			t.Errorf("%s is pinned", name)
		}
	}
	for name, print := range pins {
		if id, err := ParseKeyID(name); err != nil || id[0] != '5' || len(print) != 2*sha256.Size {
			t.Errorf("pin %s: %v", name, err)
		}
	}
}

// FuzzParseRoots: nothing panics, and what is accepted is a sound key with a name.
func FuzzParseRoots(f *testing.F) {
	f.Add([]byte("# keys\n5000033-001 C0FFEE\n"))
	f.Add([]byte("\xEF\xBB\xBF5000033-001 "))
	f.Add([]byte("5000033-001 " + strings.Repeat("FF", 256)))
	f.Fuzz(func(t *testing.T, text []byte) {
		roots, err := ParseRoots(text)
		for _, r := range roots {
			if !r.ID.valid() || !soundKey(r.Key) || err != nil {
				t.Fatalf("accepted %v, %v", r.ID, err)
			}
		}
	})
}
