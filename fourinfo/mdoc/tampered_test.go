package mdoc_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/mobile"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
)

// node is a decoded map of a response that a test changes.
type node = map[any]any

func decode(t testing.TB, b []byte) node {
	t.Helper()
	var n node
	if err := cbor.Unmarshal(b, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func doc(response node) node { return response["documents"].([]any)[0].(node) }

func items(response node, space string) []any {
	return doc(response)["issuerSigned"].(node)["nameSpaces"].(node)[space].([]any)
}

// changeItem changes one signed item and encodes it again.
func changeItem(t testing.TB, n node, change func(item node)) {
	list := items(n, mdoc.NamespaceJapan)
	tag := list[0].(cbor.Tag)
	item := decode(t, tag.Content.([]byte))
	change(item)
	list[0] = cbor.Tag{Number: 24, Content: encode(t, item)}
}

func TestTampered(t *testing.T) {
	t.Parallel()
	i, evil := authority(t, ""), authority(t, "somebody else")
	w, v := issue(t, i, nil), verifier(t, i.Anchor())
	genuine := present(t, w, mobile.Request{})
	other := present(t, issue(t, i, func(c *mobile.Card) { c.Person = person.Random("another", noon()) }),
		mobile.Request{})
	forged := present(t, issue(t, evil, nil), mobile.Request{})
	for what, tc := range map[string]struct {
		want   mdoc.Reason
		change func(n node)
	}{
		"value of an element": {mdoc.ReasonDigest, func(n node) {
			changeItem(t, n, func(item node) { item["elementValue"] = "changed" })
		}},
		"name of an element": {mdoc.ReasonDigest, func(n node) {
			changeItem(t, n, func(item node) { item["elementIdentifier"] = "changed" })
		}},
		"salt of an element": {mdoc.ReasonDigest, func(n node) {
			changeItem(t, n, func(item node) { item["random"] = make([]byte, 32) })
		}},
		"digest of another": {mdoc.ReasonDigest, func(n node) {
			changeItem(t, n, func(item node) { item["digestID"] = uint64(1) })
		}},
		"digest of none": {mdoc.ReasonDigest, func(n node) {
			changeItem(t, n, func(item node) { item["digestID"] = uint64(999) })
		}},
		"no digest": {mdoc.ReasonMalformed, func(n node) {
			changeItem(t, n, func(item node) { delete(item, "digestID") })
		}},
		"an element twice": {mdoc.ReasonMalformed, func(n node) {
			l := items(n, mdoc.NamespaceJapan)
			l[1] = l[0]
		}},
		"an element elsewhere": {mdoc.ReasonDigest, func(n node) {
			items(n, mdoc.NamespaceISO)[0] = items(n, mdoc.NamespaceJapan)[0]
		}},
		"element of another person": {mdoc.ReasonDigest, func(n node) {
			items(n, mdoc.NamespaceJapan)[0] = items(decode(t, other), mdoc.NamespaceJapan)[0]
		}},
		"device of another person": {mdoc.ReasonDevice, func(n node) {
			doc(n)["deviceSigned"] = doc(decode(t, other))["deviceSigned"]
		}},
		"issuer of another person": {mdoc.ReasonDigest, func(n node) {
			doc(n)["issuerSigned"].(node)["issuerAuth"] = doc(decode(t, other))["issuerSigned"].(node)["issuerAuth"]
		}},
		"self-made root":      {mdoc.ReasonChain, func(n node) { n["documents"] = decode(t, forged)["documents"] }},
		"other document type": {mdoc.ReasonDocType, func(n node) { doc(n)["docType"] = "org.iso.18013.5.1.mDL" }},
		"no device signature": {mdoc.ReasonMalformed, func(n node) {
			doc(n)["deviceSigned"].(node)["deviceAuth"] = node{}
		}},
		"no device part": {mdoc.ReasonMalformed, func(n node) { delete(doc(n), "deviceSigned") }},
		"no issuer part": {mdoc.ReasonMalformed, func(n node) {
			delete(doc(n)["issuerSigned"].(node), "issuerAuth")
		}},
		"elements of a device": {mdoc.ReasonDevice, func(n node) {
			doc(n)["deviceSigned"].(node)["nameSpaces"] = cbor.Tag{Number: 24,
				Content: encode(t, node{"x": node{"y": 1}})}
		}},
		"device names not wrapped": {mdoc.ReasonMalformed, func(n node) {
			doc(n)["deviceSigned"].(node)["nameSpaces"] = node{}
		}},
		"two documents":          {mdoc.ReasonMalformed, func(n node) { n["documents"] = []any{doc(n), doc(n)} }},
		"no document":            {mdoc.ReasonRefused, func(n node) { n["documents"] = []any{} }},
		"an error of the wallet": {mdoc.ReasonRefused, func(n node) { n["status"] = uint64(10) }},
		"no status":              {mdoc.ReasonMalformed, func(n node) { delete(n, "status") }},
		"another version":        {mdoc.ReasonMalformed, func(n node) { n["version"] = "2.0" }},
		"payload with the device signature": {mdoc.ReasonMalformed, func(n node) {
			doc(n)["deviceSigned"].(node)["deviceAuth"].(node)["deviceSignature"].([]any)[2] = []byte("payload")
		}},
		"signature and MAC": {mdoc.ReasonMalformed, func(n node) {
			auth := doc(n)["deviceSigned"].(node)["deviceAuth"].(node)
			auth["deviceMac"] = []any{[]byte{0xA1, 1, 5}, node{}, nil, make([]byte, 32)}
		}},
		"no certificate": {mdoc.ReasonChain, func(n node) {
			doc(n)["issuerSigned"].(node)["issuerAuth"].([]any)[1] = node{}
		}},
		"the anchor as certificate": {mdoc.ReasonSignature, func(n node) {
			doc(n)["issuerSigned"].(node)["issuerAuth"].([]any)[1] = node{int64(33): i.Anchor().Raw}
		}},
		"algorithm of another curve": {mdoc.ReasonAlgorithm, func(n node) {
			doc(n)["issuerSigned"].(node)["issuerAuth"].([]any)[0] = encode(t,
				node{int64(1): int64(cose.AlgorithmES384)})
		}},
		"no algorithm": {mdoc.ReasonAlgorithm, func(n node) {
			doc(n)["issuerSigned"].(node)["issuerAuth"].([]any)[0] = []byte{}
		}},
	} {
		n := decode(t, genuine)
		tc.change(n)
		if got, err := v.Verify(encode(t, n), mdoc.Expect{Session: session()}); reason(err) != tc.want || got != nil {
			t.Errorf("%s: %v, want %v", what, err, tc.want)
		}
	}
	// Untouched but for the order of keys and items, it still holds.
	n := decode(t, genuine)
	slices.Reverse(items(n, mdoc.NamespaceJapan))
	if _, err := v.Verify(encode(t, n), mdoc.Expect{Session: session()}); err != nil {
		t.Errorf("another order of items: %v", err)
	}
}

// TestEncoding: what is not in the form that the standard asks for is refused before anything is believed.
func TestEncoding(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	v := verifier(t, i.Anchor())
	genuine := present(t, issue(t, i, nil), mobile.Request{Elements: mobile.Adult()})
	replace := func(old, new string) []byte {
		t.Helper()
		if bytes.Count(genuine, []byte(old)) == 0 {
			t.Fatalf("%q is not there", old)
		}
		return bytes.Replace(genuine, []byte(old), []byte(new), 1)
	}
	for what, response := range map[string][]byte{
		"empty":                  nil,
		"not CBOR":               []byte("not CBOR"),
		"cut":                    genuine[:len(genuine)-1],
		"something behind":       append(bytes.Clone(genuine), 0),
		"a number of two bytes":  replace("fstatus\x00", "fstatus\x18\x00"),
		"a text of two bytes":    replace("fstatus", "x\x06status"),
		"a key twice":            append(bytes.Replace(genuine, []byte{0xA3}, []byte{0xA4}, 1), "fstatus\x00"...),
		"a map without its end":  append(append([]byte{0xBF}, genuine[1:]...), 0xFF),
		"a text that is not UTF": replace("gversion", "gversio\xFF"),
		"nested without end":     bytes.Repeat([]byte{0x81}, 10000),
		"a map of billions":      {0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		"keys in capitals":       replace("fstatus", "fSTATUS"),
		"too long":               make([]byte, 1<<20+1),
	} {
		if _, err := v.Verify(response, mdoc.Expect{Session: session()}); reason(err) != mdoc.ReasonMalformed ||
			kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestEveryByte: whatever byte is changed, the response is refused or says the same or less.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	v := verifier(t, i.Anchor())
	elements := map[string][]string{mdoc.NamespaceJapan: {mdoc.ElementName}, mdoc.NamespaceISO: {"age_over_20"}}
	genuine := present(t, issue(t, i, nil), mobile.Request{Elements: elements})
	want, err := v.Verify(genuine, mdoc.Expect{Session: session()})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for at := range genuine {
		changed := bytes.Clone(genuine)
		changed[at] ^= 1 << (at % 8)
		got, err := v.Verify(changed, mdoc.Expect{Session: session()})
		if err != nil {
			continue
		}
		held++
		// A wallet may leave elements out; so may whoever changes the name of their list.
		less := len(got.Attributes()) == 0 && got.AgeAtLeast(20) == fourinfo.Unknown
		same := reflect.DeepEqual(got.RevealAll(), want.RevealAll()) && got.AgeAtLeast(20) == want.AgeAtLeast(20)
		if !less && !same || !got.Issuer.Equal(want.Issuer) {
			t.Errorf("byte %d: another document", at)
		}
	}
	if held > len(genuine)/50 {
		t.Errorf("%d of %d bytes decide nothing", held, len(genuine))
	}
}
