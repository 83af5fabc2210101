package mdoc_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/mobile"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

func noon() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }

func session() mdoc.Session {
	return mdoc.OpenID4VP{ClientID: "x509_san_dns:shop.example", Nonce: "n-0S6_WzA2Mj",
		ResponseURI: "https://shop.example/vp"}
}

func authority(t testing.TB, seed string) *mobile.Issuer {
	t.Helper()
	i, err := mobile.NewIssuer(mobile.Config{Seed: seed, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func issue(t testing.TB, i *mobile.Issuer, change func(*mobile.Card)) *mobile.Wallet {
	t.Helper()
	p, err := person.Lookup(person.Taro, noon())
	if err != nil {
		t.Fatal(err)
	}
	c := mobile.Card{Person: p}
	if change != nil {
		change(&c)
	}
	w, err := i.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func present(t testing.TB, w *mobile.Wallet, r mobile.Request) []byte {
	t.Helper()
	if r.Session == nil {
		r.Session = session()
	}
	response, err := w.Present(r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func verifier(t testing.TB, anchors ...*x509.Certificate) *mdoc.Verifier {
	t.Helper()
	v, err := mdoc.NewVerifier(mdoc.Config{Anchors: anchors, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func reason(err error) mdoc.Reason {
	var e *mdoc.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return mdoc.ReasonUnknown
}

func TestVerify(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	w, v := issue(t, i, nil), verifier(t, i.Anchor())
	got, err := v.Verify(present(t, w, mobile.Request{}), mdoc.Expect{Session: session()})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := person.Lookup(person.Taro, noon())
	d := p.Reveal()
	card, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: d.Name, Address: d.Address, Birthdate: d.Subject.Birthdate, Gender: d.Subject.Gender,
	})
	for _, m := range card.Compare(got.Person) {
		if m.Outcome != fourinfo.Same {
			t.Errorf("%s: %v", m.Attribute, m.Outcome)
		}
	}
	if len(got.Problems) > 0 || got.DeviceAuth != mdoc.DeviceSignature || got.AgeAtLeast(20) != fourinfo.Yes ||
		!got.Portrait.Present() ||
		got.Number.Present() || got.Issuer.Subject.CommonName != "Test document signer" || len(got.Chain) != 2 ||
		got.ValidUntil.IsZero() {
		t.Errorf("%+v, %v", got.Problems, got.DeviceAuth)
	}
}

func TestSelectiveDisclosure(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	w, v := issue(t, i, nil), verifier(t, i.Anchor())
	got, err := v.Verify(present(t, w, mobile.Request{Elements: mobile.Adult()}), mdoc.Expect{Session: session()})
	if err != nil || got.AgeAtLeast(20) != fourinfo.Yes || len(got.Attributes()) > 0 || got.Portrait.Present() {
		t.Errorf("only the age was asked for: %v, %v", got, err)
	}
	number := map[string][]string{mdoc.NamespaceJapan: {mdoc.ElementIndividualNumber}}
	for purpose, want := range map[mynumber.Purpose]bool{0: false, mynumber.PurposeReporting: true} {
		got, err := v.Verify(present(t, w, mobile.Request{Elements: number}), mdoc.Expect{
			Session: session(), Options: mdoc.Options{Purpose: purpose},
		})
		if err != nil || got.Number.Present() != want {
			t.Errorf("purpose %v: %v", purpose, err)
		}
	}
}

// TestSessions: every form of session holds for itself and for no other.
func TestSessions(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	w, v := issue(t, i, nil), verifier(t, i.Anchor())
	proximity, err := cbor.Marshal([]any{nil, nil, "engagement over NFC"})
	if err != nil {
		t.Fatal(err)
	}
	thumbprint := sha256.Sum256([]byte("key"))
	sessions := []mdoc.Session{
		session(),
		mdoc.OpenID4VP{ClientID: "x509_san_dns:shop.example", Nonce: "another", ResponseURI: "https://shop.example/vp"},
		mdoc.OpenID4VP{ClientID: "x509_san_dns:evil.example", Nonce: "n-0S6_WzA2Mj",
			ResponseURI: "https://shop.example/vp"},
		mdoc.OpenID4VP{ClientID: "x509_san_dns:shop.example", Nonce: "n-0S6_WzA2Mj",
			ResponseURI: "https://evil.example/vp"},
		mdoc.OpenID4VP{ClientID: "x509_san_dns:shop.example", Nonce: "n-0S6_WzA2Mj",
			ResponseURI: "https://shop.example/vp", Thumbprint: thumbprint[:]},
		mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "n-0S6_WzA2Mj"},
		mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "n-0S6_WzA2Mj", Thumbprint: thumbprint[:]},
		mdoc.AnnexC{EncryptionInfo: "gmVkY2FwaQ", Origin: "https://shop.example"},
		mdoc.AnnexC{EncryptionInfo: "gmVkY2FwaQ", Origin: "https://evil.example"},
		mdoc.AnnexB{ClientID: "shop", Nonce: "n", ResponseURI: "https://shop.example/vp", WalletNonce: "w"},
		mdoc.Transcript(proximity),
	}
	for a, answered := range sessions {
		response := present(t, w, mobile.Request{Session: answered})
		for b, expected := range sessions {
			if _, err := v.Verify(response, mdoc.Expect{Session: expected}); (err == nil) != (a == b) || err != nil &&
				reason(err) != mdoc.ReasonDevice {
				t.Errorf("answered %+v, expected %+v: %v", answered, expected, err)
			}
		}
	}
	for _, s := range []mdoc.Session{
		nil, mdoc.OpenID4VP{}, mdoc.DigitalCredentials{Origin: "https://shop.example"}, mdoc.AnnexC{},
		mdoc.AnnexB{ClientID: "c"}, mdoc.Transcript(nil),
		mdoc.Transcript{0x83, 0xF6, 0xF6},
	} {
		if _, err := v.Verify(present(t, w, mobile.Request{}),
			mdoc.Expect{Session: s}); reason(err) != mdoc.ReasonConfig {
			t.Errorf("%+v is no session: %v", s, err)
		}
	}
}

// TestTranscripts: the published example of OpenID for Verifiable Presentations 1.0, B.2.6.1.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	thumbprint := []byte{
		0x42, 0x83, 0xEC, 0x92, 0x7A, 0xE0, 0xF2, 0x08, 0xDA, 0xAA, 0x2D, 0x02, 0x6A, 0x81, 0x4F, 0x2B,
		0x22, 0xDC, 0xA5, 0x2C, 0xF8, 0x5F, 0xFA, 0x8F, 0x3F, 0x86, 0x26, 0xC6, 0xBD, 0x66, 0x90, 0x47,
	}
	got, err := mdoc.OpenID4VP{
		ClientID: "x509_san_dns:example.com", Nonce: "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA",
		ResponseURI: "https://example.com/response", Thumbprint: thumbprint,
	}.Transcript()
	const want = "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
	if err != nil || fmt.Sprintf("%x", got) != want {
		t.Errorf("%x, %v", got, err)
	}
}

func TestDeviceMAC(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	w, v := issue(t, i, nil), verifier(t, i.Anchor())
	reader, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	response := present(t, w, mobile.Request{ReaderKey: reader.PublicKey()})
	if got, err := v.Verify(response, mdoc.Expect{Session: session(), ReaderKey: reader}); err != nil ||
		got.DeviceAuth != mdoc.DeviceMAC {
		t.Errorf("%v", err)
	}
	if _, err := v.Verify(response, mdoc.Expect{Session: session(), ReaderKey: other}); reason(
		err) != mdoc.ReasonDevice {
		t.Errorf("another reader's key: %v", err)
	}
	if _, err := v.Verify(response, mdoc.Expect{Session: session()}); reason(err) != mdoc.ReasonConfig {
		t.Errorf("no reader's key: %v", err)
	}
	wrong := mdoc.AnnexC{EncryptionInfo: "x", Origin: "https://shop.example"}
	if _, err := v.Verify(response, mdoc.Expect{Session: wrong, ReaderKey: reader}); reason(err) != mdoc.ReasonDevice {
		t.Errorf("another session: %v", err)
	}
}

func TestValidity(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	v := verifier(t, i.Anchor())
	for what, tc := range map[string]struct {
		from, until time.Duration
		want        mdoc.Reason
		family      kakunin.Family
	}{
		"now":                  {-time.Hour, time.Hour, mdoc.ReasonUnknown, kakunin.Unclassified},
		"within the skew":      {-time.Hour, -30 * time.Second, mdoc.ReasonUnknown, kakunin.Unclassified},
		"expired":              {-2 * time.Hour, -time.Hour, mdoc.ReasonExpired, kakunin.Account},
		"not yet":              {time.Hour, 2 * time.Hour, mdoc.ReasonNotYetValid, kakunin.Account},
		"ends before it began": {time.Hour, -time.Hour, mdoc.ReasonMalformed, kakunin.Untrusted},
	} {
		w := issue(t, i, func(c *mobile.Card) { c.ValidFrom, c.ValidUntil = noon().Add(tc.from), noon().Add(tc.until) })
		_, err := v.Verify(present(t, w, mobile.Request{}), mdoc.Expect{Session: session()})
		if reason(err) != tc.want || kakunin.FamilyOf(err) != tc.family ||
			(err == nil) != (tc.want == mdoc.ReasonUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	mdl := issue(t, i, func(c *mobile.Card) { c.DocType = "org.iso.18013.5.1.mDL" })
	if _, err := v.Verify(present(t, mdl, mobile.Request{}),
		mdoc.Expect{Session: session()}); reason(err) != mdoc.ReasonDocType {
		t.Errorf("a driving licence: %v", err)
	}
	relabelled := decode(t, present(t, mdl, mobile.Request{}))
	doc(relabelled)["docType"] = mdoc.DocType
	if _, err := v.Verify(encode(t, relabelled), mdoc.Expect{Session: session()}); reason(err) != mdoc.ReasonDocType {
		t.Errorf("a driving licence under another label: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	i := authority(t, "")
	w := issue(t, i, nil)
	leaf, err := verifier(t, i.Anchor()).Verify(present(t, w, mobile.Request{}), mdoc.Expect{Session: session()})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]mdoc.Config{
		"no anchors": {}, "a nil anchor": {Anchors: []*x509.Certificate{nil}},
		"a signer as anchor": {Anchors: []*x509.Certificate{leaf.Issuer}},
		"negative skew":      {Anchors: []*x509.Certificate{i.Anchor()}, Skew: -1},
	} {
		if v, err := mdoc.NewVerifier(c); reason(err) != mdoc.ReasonConfig || v != nil ||
			kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := verifier(t, authority(t, "other").Anchor()).Verify(present(t, w, mobile.Request{}),
		mdoc.Expect{Session: session()}); reason(err) != mdoc.ReasonChain {
		t.Errorf("another authority: %v", err)
	}
}

// FuzzVerify: no response makes the verifier panic, and none but the genuine one says something else.
func FuzzVerify(f *testing.F) {
	i := authority(f, "")
	v := verifier(f, i.Anchor())
	genuine := present(f, issue(f, i, nil), mobile.Request{Elements: mobile.Adult()})
	f.Add(genuine)
	f.Add([]byte{0xA0})
	f.Add(bytes.Repeat([]byte{0x81}, 40))
	f.Fuzz(func(t *testing.T, response []byte) {
		got, err := v.Verify(response, mdoc.Expect{Session: session()})
		if (got == nil) == (err == nil) {
			t.Fatalf("%v, %v", got, err)
		}
		if err == nil && (got.AgeAtLeast(20) == fourinfo.No || len(got.Attributes()) > 0) {
			t.Error("a response says what the card does not")
		}
		var e *mdoc.Error
		if err != nil && (!errors.As(err, &e) || e.Family() == kakunin.Unclassified) {
			t.Errorf("%v", err)
		}
	})
}

// BenchmarkVerify reports the ratio to its three bare signature operations: certificate, issuer and device.
func BenchmarkVerify(b *testing.B) {
	i := authority(b, "")
	v := verifier(b, i.Anchor())
	response := present(b, issue(b, i, nil), mobile.Request{})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	hash := sha256.Sum256([]byte("bare"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, hash[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var own, bare []time.Duration // medians, because other programs run meanwhile
	for b.Loop() {
		start := time.Now()
		if _, err := v.Verify(response, mdoc.Expect{Session: session()}); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		for range 3 {
			if !ecdsa.VerifyASN1(&key.PublicKey, hash[:], signature) {
				b.Fatal("the reference does not verify")
			}
		}
		own, bare = append(own, middle.Sub(start)), append(bare, time.Since(middle))
	}
	slices.Sort(own)
	slices.Sort(bare)
	b.ReportMetric(float64(own[len(own)/2])/float64(bare[len(bare)/2]), "x-bare")
}

// An answer of a wallet in a browser, verified: issuer, device, origin and nonce.
func ExampleVerifier_Verify() {
	issuer, err := mobile.NewIssuer(mobile.Config{Now: noon})
	if err != nil {
		fmt.Println(err)
		return
	}
	taro, err := person.Lookup(person.Taro, noon())
	if err != nil {
		fmt.Println(err)
		return
	}
	wallet, err := issuer.Issue(mobile.Card{Person: taro})
	if err != nil {
		fmt.Println(err)
		return
	}
	session := mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "fresh for each request"}
	response, err := wallet.Present(mobile.Request{Session: session, Elements: mobile.Adult()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := mdoc.NewVerifier(mdoc.Config{Anchors: []*x509.Certificate{issuer.Anchor()}, Now: noon})
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := verifier.Verify(response, mdoc.Expect{Session: session})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verified.AgeAtLeast(20), verified.Attributes())
	// Output: yes []
}
