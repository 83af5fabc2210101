package mobile

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
)

// Card is what an issuer puts into a wallet.
type Card struct {
	Person person.Person
	// Portrait is the photograph; nil is a placeholder.
	Portrait []byte
	// ValidFrom and ValidUntil; zero is from now for one year.
	ValidFrom, ValidUntil time.Time
	// DocType is for tests of a wrong one; "" is [mdoc.DocType].
	DocType string
}

// Wallet holds one card and the key of its device. It is immutable and safe for concurrent use.
type Wallet struct {
	docType    string
	items      map[string]map[string]cbor.RawMessage // encoded IssuerSignedItemBytes by namespace and element
	issuerAuth cbor.RawMessage
	device     *ecdsa.PrivateKey
}

// Request is what a relying party asks a wallet for.
type Request struct {
	// Session is the session that the device authenticates.
	Session mdoc.Session
	// Elements are those to disclose, by namespace; nil is all but the individual number.
	Elements map[string][]string
	// ReaderKey asks for a MAC instead of a signature.
	ReaderKey *ecdh.PublicKey
}

// Adult asks for nothing but whether the holder is 20 or older.
func Adult() map[string][]string { return map[string][]string{mdoc.NamespaceISO: {"age_over_20"}} }

type item struct {
	DigestID uint64 `cbor:"digestID"`
	Random   []byte `cbor:"random"`
	Name     string `cbor:"elementIdentifier"`
	Value    any    `cbor:"elementValue"`
}

// Issue signs a card for a person.
func (i *Issuer) Issue(c Card) (*Wallet, error) {
	w := &Wallet{docType: c.DocType, items: map[string]map[string]cbor.RawMessage{}}
	if w.docType == "" {
		w.docType = mdoc.DocType
	}
	details := c.Person.Reveal()
	var err error
	if w.device, err = key(i.seed, "mobile device "+details.ID); err != nil {
		return nil, fmt.Errorf("mobile: key: %w", err)
	}
	e, digests := newEncoder(), map[string]map[uint64][]byte{}
	id := uint64(0)
	for space, elements := range elements(details, i.now(), c.Portrait) {
		w.items[space], digests[space] = map[string]cbor.RawMessage{}, map[uint64][]byte{}
		for _, name := range slices.Sorted(maps.Keys(elements)) {
			bytes := e.tagged(item{id, random(), name, elements[name]})
			hash := sha256.Sum256(bytes)
			w.items[space][name], digests[space][id] = bytes, hash[:]
			id++
		}
	}
	return w, i.sign(w, e, digests, c)
}

// sign makes the mobile security object and signs it (ISO/IEC 18013-5, 9.1.2.4).
func (i *Issuer) sign(w *Wallet, e *encoder, digests map[string]map[uint64][]byte, c Card) error {
	deviceKey, err := cose.NewKeyFromPublic(w.device.Public())
	if err != nil {
		return fmt.Errorf("mobile: device key: %w", err)
	}
	now := i.now().UTC().Truncate(time.Second)
	from, until := c.ValidFrom, c.ValidUntil
	if from.IsZero() {
		from = now
	}
	if until.IsZero() {
		until = from.AddDate(1, 0, 0)
	}
	date := func(t time.Time) cbor.Tag { return cbor.Tag{Number: 0, Content: t.UTC().Format(time.RFC3339)} }
	signed := now
	if from.Before(signed) {
		signed = from
	}
	if signed.Before(i.anchor.NotBefore) {
		signed = i.anchor.NotBefore
	}
	payload := e.tagged(map[string]any{
		"version": "1.0", "digestAlgorithm": "SHA-256", "valueDigests": digests, "docType": w.docType,
		"deviceKeyInfo": map[string]any{"deviceKey": deviceKey},
		"validityInfo":  map[string]any{"signed": date(signed), "validFrom": date(from), "validUntil": date(until)},
	})
	if e.err != nil {
		return fmt.Errorf("mobile: security object: %w", e.err)
	}
	w.issuerAuth, err = sign1(i.signer, cose.UnprotectedHeader{cose.HeaderLabelX5Chain: i.certificate}, payload, false)
	return err
}

// elements are those of the Japanese card.
func elements(d person.Details, at time.Time, portrait []byte) map[string]map[string]any {
	if portrait == nil {
		portrait = []byte("portrait of a person who does not exist")
	}
	japan := map[string]any{
		mdoc.ElementName: d.Name, mdoc.ElementAddress: d.Address, mdoc.ElementMunicipality: d.Subject.MunicipalityCode,
		mdoc.ElementIndividualNumber: d.IndividualNumber, mdoc.ElementPortrait: portrait,
	}
	iso := map[string]any{}
	if words := map[string]string{"1": "男", "2": "女"}; words[d.Subject.Gender] != "" {
		japan[mdoc.ElementSexText] = words[d.Subject.Gender]
		code, _ := strconv.Atoi(d.Subject.Gender) // one of the two
		iso[mdoc.ElementSex] = code
	}
	// As ISO/IEC 18013-5, 7.2.1 has it, a date is approximate where the register does not know its parts.
	born := d.Subject.Birthdate
	birthdate, err := fourinfo.ParseBirthdate(born)
	if err != nil || birthdate.Reveal().Year == 0 {
		return map[string]map[string]any{mdoc.NamespaceJapan: japan, mdoc.NamespaceISO: iso}
	}
	date := birthdate.Reveal()
	text, month, day := strconv.Itoa(date.Year)+"年", max(int(date.Month), 1), max(date.Day, 1)
	if date.Month != 0 {
		text += strconv.Itoa(int(date.Month)) + "月"
	}
	if date.Day != 0 {
		text += strconv.Itoa(date.Day) + "日"
	}
	japan[mdoc.ElementBirthDateText] = text
	iso[mdoc.ElementBirthDate] = cbor.Tag{Number: 1004, Content: fmt.Sprintf("%04d-%02d-%02d", date.Year, month, day)}
	if answer := birthdate.IsAtLeast(20, fourinfo.DateOf(at)); answer != fourinfo.Unknown {
		iso["age_over_20"] = answer == fourinfo.Yes
	}
	if age, ok := birthdate.AgeOn(fourinfo.DateOf(at)); ok {
		iso[mdoc.ElementAge] = age
	}
	return map[string]map[string]any{mdoc.NamespaceJapan: japan, mdoc.NamespaceISO: iso}
}

// Present answers a request with an encoded DeviceResponse. Elements that the card does not have are left out.
func (w *Wallet) Present(r Request) ([]byte, error) {
	transcript, err := r.Session.Transcript()
	if err != nil {
		return nil, err
	}
	spaces := map[string][]cbor.RawMessage{}
	for space, items := range w.items {
		for _, name := range slices.Sorted(maps.Keys(items)) {
			wanted := r.Elements == nil && name != mdoc.ElementIndividualNumber ||
				slices.Contains(r.Elements[space], name)
			if wanted {
				spaces[space] = append(spaces[space], items[name])
			}
		}
	}
	e := newEncoder()
	nameSpaces := e.tagged(map[string]any{})
	payload := e.tagged([]any{"DeviceAuthentication", cbor.RawMessage(transcript), w.docType, nameSpaces})
	auth, err := w.authenticate(e, transcript, payload, r.ReaderKey)
	if err != nil {
		return nil, err
	}
	response := e.marshal(map[string]any{
		"version": "1.0", "status": 0,
		"documents": []any{map[string]any{
			"docType":      w.docType,
			"issuerSigned": map[string]any{"nameSpaces": spaces, "issuerAuth": w.issuerAuth},
			"deviceSigned": map[string]any{"nameSpaces": nameSpaces, "deviceAuth": auth},
		}},
	})
	if e.err != nil {
		return nil, fmt.Errorf("mobile: response: %w", e.err)
	}
	return response, nil
}

// authenticate signs or, with the reader's key, authenticates by a MAC (ISO/IEC 18013-5, 9.1.3.5 and 9.1.3.6).
func (w *Wallet) authenticate(
	e *encoder, transcript, payload []byte, reader *ecdh.PublicKey,
) (map[string]any, error) {
	if reader == nil {
		signature, err := sign1(w.device, nil, payload, true)
		return map[string]any{"deviceSignature": signature}, err
	}
	own, err := w.device.ECDH()
	if err != nil {
		return nil, fmt.Errorf("mobile: device key: %w", err)
	}
	macKey, err := mdoc.KeyAgreement{Own: own, Other: reader, Transcript: transcript}.MACKey()
	if err != nil {
		return nil, fmt.Errorf("mobile: key agreement: %w", err)
	}
	protected := []byte{0xA1, 0x01, 0x05} // HMAC 256/256
	h := hmac.New(sha256.New, macKey)
	h.Write(e.marshal([]any{"MAC0", protected, []byte{}, payload}))
	return map[string]any{"deviceMac": []any{protected, map[string]any{}, nil, h.Sum(nil)}}, nil
}

// sign1 is a COSE_Sign1 by ES256, with what is signed or without it.
func sign1(
	key *ecdsa.PrivateKey, unprotected cose.UnprotectedHeader, payload []byte, detached bool,
) (cbor.RawMessage, error) {
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		return nil, fmt.Errorf("mobile: signer: %w", err)
	}
	m := cose.UntaggedSign1Message{
		Headers: cose.Headers{
			Protected:   cose.ProtectedHeader{cose.HeaderLabelAlgorithm: cose.AlgorithmES256},
			Unprotected: unprotected,
		},
		Payload: payload,
	}
	if err := m.Sign(rand.Reader, nil, signer); err != nil {
		return nil, fmt.Errorf("mobile: signature: %w", err)
	}
	if detached {
		m.Payload = nil
	}
	return m.MarshalCBOR()
}

// random is the salt of an element; ISO/IEC 18013-5, 9.1.2.5 asks for 16 bytes or more.
func random() []byte {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	return salt
}
