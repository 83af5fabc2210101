package der

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func wrap(tag cbasn1.Tag, content string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
	return b.BytesOrPanic()
}

// RFC 5280, 4.1.2.5: the two types, each in one form.
func TestTime(t *testing.T) {
	for _, c := range []struct {
		tag  cbasn1.Tag
		text string
		want time.Time // zero: refused
	}{
		{cbasn1.UTCTime, "261121120000Z", time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)},
		{cbasn1.UTCTime, "491231235959Z", time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)},
		{cbasn1.UTCTime, "500101000000Z", time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
		{cbasn1.GeneralizedTime, "20500101000000Z", time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)},
		{cbasn1.GeneralizedTime, "20240229000000Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{cbasn1.GeneralizedTime, "20250229000000Z", time.Time{}},
		{cbasn1.UTCTime, "2611211200Z", time.Time{}},
		{cbasn1.UTCTime, "261121120000+0900", time.Time{}},
		{cbasn1.UTCTime, "261121120060Z", time.Time{}},
		{cbasn1.UTCTime, "261121240000Z", time.Time{}},
		{cbasn1.UTCTime, "260021120000Z", time.Time{}},
		{cbasn1.UTCTime, "26112112000 Z", time.Time{}},
		{cbasn1.GeneralizedTime, "20261121120000", time.Time{}},
		{cbasn1.GeneralizedTime, "20261121120000.0Z", time.Time{}},
		{cbasn1.OCTET_STRING, "261121120000Z", time.Time{}},
	} {
		s := cryptobyte.String(wrap(c.tag, c.text))
		got, ok := ReadTime(&s)
		if ok == c.want.IsZero() || ok && !got.Equal(c.want) {
			t.Errorf("%q: %v, %v", c.text, got, ok)
		}
	}
}

// RFC 5280, 4.1.2.2: positive, minimal, at most 20 octets.
func TestSerial(t *testing.T) {
	for content, want := range map[string]bool{
		"\x01": true, "\x7f": true, "\x00\x80": true, string(bytes.Repeat([]byte{1}, 20)): true,
		"": false, "\x00": false, "\x80": false, "\xff\x80": false, "\x00\x01": false,
		string(bytes.Repeat([]byte{1}, 21)): false,
	} {
		s := cryptobyte.String(wrap(cbasn1.INTEGER, content))
		if _, ok := ReadSerial(&s); ok != want {
			t.Errorf("%x: %v", content, ok)
		}
	}
	if CompareInteger([]byte{2}, []byte{1, 0}) >= 0 || CompareInteger([]byte{2}, []byte{1}) <= 0 ||
		CompareInteger([]byte{2}, []byte{2}) != 0 {
		t.Error("order of integers")
	}
}

func TestFlag(t *testing.T) {
	for content, want := range map[string][2]bool{"\xff": {true, true}, "\x00": {true, false}, "\x01": {false, false},
		"": {false, false}, "\xff\xff": {false, false}} {
		s := cryptobyte.String(wrap(cbasn1.BOOLEAN, content))
		var value bool
		if ok := ReadFlag(&s, &value, cbasn1.BOOLEAN); ok != want[0] || value != want[1] {
			t.Errorf("%x: %v, %v", content, ok, value)
		}
	}
	var value bool
	if s := cryptobyte.String(nil); !ReadFlag(&s, &value, cbasn1.BOOLEAN) || value {
		t.Error("an absent flag is not FALSE")
	}
}

func extensionList(t testing.TB, extensions ...pkix.Extension) []byte {
	t.Helper()
	raw, err := asn1.Marshal(extensions)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestExtensions(t *testing.T) {
	first := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	second := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 4}}
	got, ok := ReadExtensions(extensionList(t, first, second))
	if !ok || len(got) != 2 || !got[0].Critical || got[1].Critical || Find(got, second.Id) != &got[1] ||
		Find(got, asn1.ObjectIdentifier{1, 2, 5}) != nil {
		t.Errorf("%v, %v", got, ok)
	}
	for name, raw := range map[string][]byte{
		"twice": extensionList(t, first, second, first), "none": {0x30, 0}, "empty": nil,
		"trailing": append(extensionList(t, first), 5, 0),
	} {
		if _, ok := ReadExtensions(raw); ok {
			t.Errorf("%s: read", name)
		}
	}
}

func TestName(t *testing.T) {
	raw, err := asn1.Marshal(pkix.Name{CommonName: "A", Organization: []string{"B"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	s := cryptobyte.String(append(bytes.Clone(raw), 5, 0))
	if got, ok := ReadName(&s); !ok || !bytes.Equal(got, raw) || len(s) != 2 {
		t.Errorf("%x, %v", got, ok)
	}
	for i := range raw {
		s := cryptobyte.String(raw[:i])
		if _, ok := ReadName(&s); ok {
			t.Errorf("%d of %d octets were read", i, len(raw))
		}
	}
}

// FuzzTime compares with encoding/asn1, which reads more forms: what is read here must be read there, and be the same.
func FuzzTime(f *testing.F) {
	f.Add(wrap(cbasn1.UTCTime, "261121120000Z"))
	f.Add(wrap(cbasn1.GeneralizedTime, "20501121120000Z"))
	f.Add(wrap(cbasn1.UTCTime, "261121120000+0900"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := cryptobyte.String(raw)
		ours, ok := ReadTime(&s)
		if !ok {
			return
		}
		var theirs time.Time
		if rest, err := asn1.Unmarshal(raw, &theirs); err != nil || !theirs.Equal(ours) || len(rest) != len(s) {
			t.Fatalf("%v, encoding/asn1 %v (%v)", ours, theirs, err)
		}
	})
}

// FuzzSerial compares with encoding/asn1.
func FuzzSerial(f *testing.F) {
	f.Add(wrap(cbasn1.INTEGER, "\x01"))
	f.Add(wrap(cbasn1.INTEGER, "\x00\x80"))
	f.Add(wrap(cbasn1.INTEGER, "\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := cryptobyte.String(raw)
		ours, ok := ReadSerial(&s)
		theirs := new(big.Int)
		_, err := asn1.Unmarshal(raw, &theirs)
		if ok != (err == nil && theirs.Sign() > 0 && theirs.BitLen() < 8*MaxSerial) {
			t.Fatalf("%x: %v, encoding/asn1 %v (%v)", raw, ok, theirs, err)
		}
		if ok && new(big.Int).SetBytes(ours).Cmp(theirs) != 0 {
			t.Fatalf("%x, encoding/asn1 %v", ours, theirs)
		}
	})
}

// FuzzExtensions compares with encoding/asn1.
func FuzzExtensions(f *testing.F) {
	f.Add(extensionList(f, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		ours, ok := ReadExtensions(raw)
		if !ok {
			return
		}
		var theirs []pkix.Extension
		if rest, err := asn1.Unmarshal(raw, &theirs); err != nil || len(rest) > 0 || len(theirs) != len(ours) {
			t.Fatalf("%d extensions, encoding/asn1 %d (%v)", len(ours), len(theirs), err)
		}
		for i := range ours {
			if !ours[i].ID.Equal(theirs[i].Id) || ours[i].Critical != theirs[i].Critical ||
				!bytes.Equal(ours[i].Value, theirs[i].Value) {
				t.Fatalf("extension %d differs", i)
			}
		}
	})
}
