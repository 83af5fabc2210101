package mdoc

import (
	"crypto"
	"crypto/ecdh"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Config is the standing policy of a [Verifier].
type Config struct {
	// Anchors are the certificates of the issuing authorities (IACA) that are trusted; at least one. None is shipped:
	// the root of the Japanese mobile card is not public.
	Anchors []*x509.Certificate
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Skew is by how much clocks may differ; 0 is one minute.
	Skew time.Duration
}

// Verifier verifies responses of wallets. It is immutable and safe for concurrent use.
type Verifier struct {
	codec   codec
	anchors *x509.CertPool
	now     func() time.Time
	skew    time.Duration
}

// NewVerifier makes a verifier. The error is an *[Error] with [ReasonConfig].
func NewVerifier(c Config) (*Verifier, error) {
	v := &Verifier{anchors: x509.NewCertPool(), now: c.Now, skew: c.Skew}
	var wrong []error
	if len(c.Anchors) == 0 {
		wrong = append(wrong, errors.New("no anchors"))
	}
	for _, a := range c.Anchors {
		if a == nil || !a.BasicConstraintsValid || !a.IsCA {
			wrong = append(wrong, errors.New("an anchor is no authority"))
			continue
		}
		v.anchors.AddCert(a)
	}
	if c.Skew < 0 {
		wrong = append(wrong, errors.New("a negative skew"))
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.skew == 0 {
		v.skew = time.Minute
	}
	var err error
	if v.codec, err = newCodec(); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, &Error{Reason: ReasonConfig, Step: stepConfig, Err: err}
	}
	return v, nil
}

// Expect is what is expected this time.
type Expect struct {
	// Session is the session that the device must have authenticated.
	Session Session
	// ReaderKey is the ephemeral key of this side where a session has one; with it a device may authenticate by a MAC.
	ReaderKey *ecdh.PrivateKey
	// Options say what may be read besides the four attributes.
	Options Options
}

// DeviceAuth says how the device authenticated the session.
type DeviceAuth int

// Ways of device authentication. The zero value is none.
const (
	DeviceSignature DeviceAuth = iota + 1
	DeviceMAC
)

// Verified is what a response came to when every step held.
type Verified struct {
	// Document is what the elements say.
	Document
	// Problems are elements that could not be read. They fail no verification.
	Problems []fourinfo.Problem
	// Signed, ValidFrom and ValidUntil are what the issuer says of the document.
	Signed, ValidFrom, ValidUntil time.Time
	// Issuer is the certificate of the document signer, Chain what leads from it to the anchor.
	Issuer *x509.Certificate
	Chain  []*x509.Certificate
	// DeviceAuth is how the device authenticated the session.
	DeviceAuth DeviceAuth
}

// The forms on the wire (ISO/IEC 18013-5, 8.3.2.1.2.2 and 9.1.2.4). What is hashed or signed stays as received.
type (
	deviceResponse struct {
		Version   string            `cbor:"version"`
		Documents []cbor.RawMessage `cbor:"documents"`
		Status    *uint64           `cbor:"status"`
	}
	document struct {
		DocType      string       `cbor:"docType"`
		IssuerSigned issuerSigned `cbor:"issuerSigned"`
		DeviceSigned deviceSigned `cbor:"deviceSigned"`
	}
	issuerSigned struct {
		NameSpaces map[string][]cbor.RawMessage `cbor:"nameSpaces"`
		IssuerAuth cbor.RawMessage              `cbor:"issuerAuth"`
	}
	issuerSignedItem struct {
		DigestID *uint64         `cbor:"digestID"`
		Random   []byte          `cbor:"random"`
		Name     string          `cbor:"elementIdentifier"`
		Value    cbor.RawMessage `cbor:"elementValue"`
	}
	deviceSigned struct {
		NameSpaces cbor.RawMessage `cbor:"nameSpaces"`
		DeviceAuth struct {
			Signature cbor.RawMessage `cbor:"deviceSignature"`
			MAC       cbor.RawMessage `cbor:"deviceMac"`
		} `cbor:"deviceAuth"`
	}
	mobileSecurityObject struct {
		Version         string                       `cbor:"version"`
		DigestAlgorithm string                       `cbor:"digestAlgorithm"`
		ValueDigests    map[string]map[uint64][]byte `cbor:"valueDigests"`
		DeviceKeyInfo   struct {
			DeviceKey cbor.RawMessage `cbor:"deviceKey"`
		} `cbor:"deviceKeyInfo"`
		DocType      string `cbor:"docType"`
		ValidityInfo struct {
			Signed     time.Time `cbor:"signed"`
			ValidFrom  time.Time `cbor:"validFrom"`
			ValidUntil time.Time `cbor:"validUntil"`
		} `cbor:"validityInfo"`
	}
	mac0 struct {
		_           struct{} `cbor:",toarray"`
		Protected   []byte
		Unprotected cbor.RawMessage
		Payload     []byte
		Tag         []byte
	}
)

// Verify verifies a DeviceResponse with one document of type [DocType], as received and decrypted. It returns a result
// only when everything held: the certificate of the issuer leads to an anchor, the issuer signed the document, every
// element is one that it signed, the document is valid now, and the device authenticated this session.
//
// Whether the card was revoked is not looked at: no list is published. The error is an *[Error].
func (v *Verifier) Verify(response []byte, e Expect) (*Verified, error) {
	if e.Session == nil {
		return nil, incomplete()
	}
	transcript, err := e.Session.Transcript()
	if err != nil {
		return nil, err
	}
	d, err := v.document(response)
	if err != nil {
		return nil, err
	}
	chain, mso, err := v.issuer(d)
	if err != nil {
		return nil, err
	}
	elements, err := v.elements(d.IssuerSigned.NameSpaces, mso)
	if err != nil {
		return nil, err
	}
	how, err := v.device(d, mso, transcript, e.ReaderKey)
	if err != nil {
		return nil, err
	}
	read, problems := Read(elements, e.Options)
	return &Verified{
		Document: read, Problems: problems, Issuer: chain[0], Chain: chain, DeviceAuth: how,
		Signed: mso.ValidityInfo.Signed, ValidFrom: mso.ValidityInfo.ValidFrom, ValidUntil: mso.ValidityInfo.ValidUntil,
	}, nil
}

// document reads the one document of a response.
func (v *Verifier) document(response []byte) (*document, error) {
	fail := func(r Reason, clause, detail string) error {
		return &Error{Reason: r, Step: stepResponse, Clause: clause, Detail: detail}
	}
	if len(response) > limits.MobileDocument {
		return nil, fail(ReasonMalformed, "", "too long")
	}
	var r deviceResponse
	if !v.codec.read(response, &r) || r.Status == nil || len(r.Version) < 3 || r.Version[:2] != "1." {
		return nil, fail(ReasonMalformed, "ISO/IEC 18013-5, 8.3.2.1.2.2", "not a DeviceResponse")
	}
	switch {
	case *r.Status != 0, len(r.Documents) == 0:
		return nil, fail(ReasonRefused, "ISO/IEC 18013-5, 8.3.2.1.2.3", "")
	case len(r.Documents) > 1:
		return nil, fail(ReasonMalformed, "", "more than one document")
	}
	var d document
	if v.codec.decode.Unmarshal(r.Documents[0], &d) != nil {
		return nil, fail(ReasonMalformed, "ISO/IEC 18013-5, 8.3.2.1.2.2", "not a Document")
	}
	if d.DocType != DocType {
		return nil, fail(ReasonDocType, "ISO/IEC 18013-5, 9.3.1", "")
	}
	return &d, nil
}

var digestAlgorithms = map[string]crypto.Hash{
	"SHA-256": crypto.SHA256,
	"SHA-384": crypto.SHA384,
	"SHA-512": crypto.SHA512,
}

// elements checks that every element is one that the issuer signed, and decodes them.
func (v *Verifier) elements(spaces map[string][]cbor.RawMessage, m *mobileSecurityObject) (Elements, error) {
	fail := func(r Reason, detail string) (Elements, error) {
		return nil, &Error{Reason: r, Step: stepDigests, Clause: "ISO/IEC 18013-5, 9.1.2.5", Detail: detail}
	}
	algorithm, ok := digestAlgorithms[m.DigestAlgorithm]
	if !ok || !algorithm.Available() {
		return fail(ReasonAlgorithm, "")
	}
	all := Elements{}
	for space, items := range spaces {
		digests, seen := m.ValueDigests[space], map[uint64]bool{}
		all[space] = make(map[string]any, len(items))
		for _, raw := range items {
			var item issuerSignedItem
			inner, ok := embedded(raw)
			if !ok || !v.codec.read(inner, &item) || item.DigestID == nil || item.Name == "" {
				return fail(ReasonMalformed, "not an IssuerSignedItem")
			}
			hash := algorithm.New()
			hash.Write(raw)
			wanted, listed := digests[*item.DigestID]
			if !listed || subtle.ConstantTimeCompare(hash.Sum(nil), wanted) != 1 {
				return fail(ReasonDigest, "")
			}
			if _, twice := all[space][item.Name]; twice || seen[*item.DigestID] {
				return fail(ReasonMalformed, "an element twice")
			}
			seen[*item.DigestID] = true
			all[space][item.Name] = v.codec.value(item.Value)
		}
	}
	return all, nil
}

// value decodes the value of an element: a date without its tag (0 or 1004), other tags as they are.
func (c codec) value(raw cbor.RawMessage) any {
	var tag cbor.RawTag
	if raw[0]>>5 == 6 && c.decode.Unmarshal(raw, &tag) == nil && (tag.Number == 1004 || tag.Number == 0) {
		var date string
		if c.decode.Unmarshal(tag.Content, &date) != nil {
			return nil
		}
		return date[:min(len(date), len("YYYY-MM-DD"))]
	}
	var value any
	if c.decode.Unmarshal(raw, &value) != nil {
		return nil
	}
	return value
}
