package card

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// TokenKind says on what the application lives, read from the token label.
type TokenKind int

// Kinds of token. A label that is not listed reads as UnknownToken.
const (
	UnknownToken TokenKind = iota
	Plastic
	AndroidPhone
	IPhone
	Juki
)

// String returns a stable lower-case name for logs.
func (k TokenKind) String() string {
	switch k {
	case Plastic:
		return "plastic"
	case AndroidPhone:
		return "android"
	case IPhone:
		return "iphone"
	case Juki:
		return "juki"
	case UnknownToken:
	}
	return "unknown"
}

// tokenKind reads the label of the token information file, padded with spaces to 32 bytes (PKCS #11, CK_TOKEN_INFO).
func tokenKind(label []byte) TokenKind {
	switch field(label) {
	case "JPKIAPICCTOKEN2":
		return Plastic
	case "JPKIAPGPSETOKEN":
		return AndroidPhone
	case "JPKIAPIOSTOKEN":
		return IPhone
	case "JPKIAPICCTOKEN":
		return Juki
	default:
		return UnknownToken
	}
}

// field reads a text field of the token information, padded with spaces.
func field(b []byte) string { return strings.TrimRight(string(b), " ") }

// readTokenKind reads the label. A card that does not show it is of unknown kind, which is no reason to refuse it.
func (s *session) readTokenKind(ctx context.Context) (TokenKind, error) {
	const op = "read token information"
	label, end, err := s.readStart(ctx, op, efTokenInfo, tokenLabelSize)
	if err == nil && !end && len(label) < tokenLabelSize {
		var more []byte
		more, err = s.readEF(ctx, op, len(label), tokenLabelSize-len(label))
		label = append(label, more...)
	}
	switch reasonOf(err) {
	case ReasonRefused, ReasonNotVerified, ReasonFileMissing:
		return UnknownToken, nil
	default:
		return tokenKind(label), err
	}
}

// TokenInformation is how the JPKI application describes itself: the CK_TOKEN_INFO of PKCS #11. It is the same for all
// cards of a batch and says nothing of the holder.
type TokenInformation struct {
	// Label tells the kind, see [Card.Kind].
	Label        string
	Manufacturer string
	Model        string
	Serial       string
	// HardwareVersion and FirmwareVersion are two characters each.
	HardwareVersion, FirmwareVersion string
}

// tokenInformationSize is the length of CK_TOKEN_INFO with numbers of four bytes.
const tokenInformationSize = 160

// TokenInformation reads the description of the JPKI application; no PIN is needed.
func (c *Card) TokenInformation(ctx context.Context) (TokenInformation, error) {
	const op = "read token information"
	var b []byte
	err := c.s.do(ctx, op, jpkiApp, 0, func(ctx context.Context) (err error) {
		b, err = c.s.readFile(ctx, op, efTokenInfo, tokenInformationSize, exactly(tokenInformationSize))
		return err
	})
	if err != nil {
		return TokenInformation{}, err
	}
	return TokenInformation{
		Label: field(b[:32]), Manufacturer: field(b[32:64]), Model: field(b[64:80]), Serial: field(b[80:96]),
		HardwareVersion: field(b[0x8C:0x8E]), FirmwareVersion: field(b[0x8E:0x90]),
	}, nil
}

// Availability tells which certificates are on the card.
type Availability struct{ Signing, Authentication bool }

// Availability reads which certificates are on the card; no PIN is needed. Children under 15 have no signing
// certificate.
func (c *Card) Availability(ctx context.Context) (Availability, error) {
	const op = "read certificate availability"
	const size, present = 3, 0x8F
	var b []byte
	err := c.s.do(ctx, op, jpkiApp, 0, func(ctx context.Context) (err error) {
		b, err = c.s.readFile(ctx, op, efAvailability, size, exactly(size))
		return err
	})
	if err != nil {
		return Availability{}, err
	}
	return Availability{Signing: b[0] == present, Authentication: b[1] == present}, nil
}

// Record is the record of the common-card application (共通カードAP). Nothing signs it.
type Record struct {
	serial redact.Value[string]
	// Municipality is the code of the issuing municipality, five digits of which the first two are the prefecture.
	Municipality string
	// Expiry is the card's last day.
	Expiry fourinfo.Date
}

// RevealSerialNumber returns the 15 characters of the serial number (製造番号). It is the same for the life of the card, so
// whoever keeps it can recognise the holder.
func (r Record) RevealSerialNumber() string { return r.serial.Reveal() }

// CardRecord reads serial number, municipality and expiry; no PIN is needed. A phone answers
// [ReasonApplicationMissing]. The card forgets a verified authentication PIN and signing password.
func (c *Card) CardRecord(ctx context.Context) (Record, error) {
	const op = "read card record"
	var out Record
	err := c.s.do(ctx, op, commonApp, 0, func(ctx context.Context) error {
		// P1 is the record, P2 the short identifier and "P1 is a record number" (ISO/IEC 7816-4, 11.4.3).
		s := c.s
		r, err := s.send(ctx, op, apdu.Command{INS: insReadRecord, P1: 1, P2: efCardRecord<<3 | 0x04, Ne: maxShort})
		if err != nil {
			return err
		}
		missing := &Error{Step: op, Reason: ReasonFileMissing, Status: uint16(r.Status), Err: r.Status}
		switch r.Status {
		case apdu.OK:
		case apdu.RecordNotFound:
			return missing
		case apdu.FileNotFound:
			return s.slip(missing) // or the application is not selected any more
		default:
			return s.refused(op, r.Status)
		}
		var ok bool
		if out, ok = parseCardRecord(r.Data); !ok {
			return &Error{Step: op, Reason: ReasonMalformed}
		}
		return nil
	})
	return out, err
}

// parseCardRecord reads 01 1C { serial number (15), municipality (5), expiry (8) }, a simple TLV object.
func parseCardRecord(b []byte) (Record, bool) {
	const tag, serial, municipality, expiry = 0x01, 15, 5, 8
	if len(b) < 2 || b[0] != tag || b[1] != serial+municipality+expiry || len(b) < 2+int(b[1]) {
		return Record{}, false
	}
	b = b[2 : 2+int(b[1])]
	for _, c := range b {
		if c < '0' || c > '9' {
			return Record{}, false
		}
	}
	r := Record{
		serial:       redact.Seal(string(b[:serial])),
		Municipality: string(b[serial : serial+municipality]),
		Expiry:       cardDate(b[serial+municipality:]),
	}
	return r, r.Expiry.Valid()
}

// challengeSize is how much an internal authentication signs; the card takes up to 255 bytes.
const challengeSize = 32

// AuthenticateCommonKey lets the common-card application sign a random value with its internal key and verifies that
// with the public key of this very card, which the caller must have from elsewhere: it is not on the card. No PIN is
// needed. A card that does not hold the key is an *[Error] with reason [ReasonNotGenuine].
//
// The card forgets a verified authentication PIN and signing password.
func (c *Card) AuthenticateCommonKey(ctx context.Context, public *rsa.PublicKey) error {
	const op = "authenticate card"
	if !soundKey(public) {
		return &Error{Step: op, Reason: ReasonUnsupportedKey}
	}
	return c.s.do(ctx, op, commonApp, 0, func(ctx context.Context) error {
		var nonce [challengeSize]byte
		_, _ = rand.Read(nonce[:]) // never fails, see crypto/rand
		r, err := c.s.send(ctx, op, apdu.Command{
			INS: insInternal, P2: currentEF | efCommonKey, Data: nonce[:], Ne: public.Size(),
		})
		if err != nil {
			return err
		}
		return c.s.checkSignature(op, public, r, nonce[:])
	})
}

// Tags of the basic information files.
const (
	tagFaceInfo          tlv.Tag = 0xFF30
	tagFaceSpecification tlv.Tag = 0xDF31
	tagFaceKeyID         tlv.Tag = 0xDF32
	tagFaceVersion       tlv.Tag = 0xDF33
	tagFaceMunicipality  tlv.Tag = 0xDF34

	tagTextInfo          tlv.Tag = 0xFF40
	tagTextSpecification tlv.Tag = 0xDF41
	tagTextKeyID         tlv.Tag = 0xDF42
)

// informationGuess is how much of such a file is asked for at first.
const informationGuess = 512

// Information is how an application of the card describes itself. It says nothing of the holder but, in the card-face
// application, the municipality. Nothing signs it.
type Information struct {
	// Specification is four bytes: version of the specification, support of extended lengths, and two for the vendor.
	Specification [4]byte
	// Key names the issuer's key of the application.
	Key KeyID
	// Municipality is the code of the municipality, five digits; "" in the text application, which does not tell.
	Municipality string
}

// FaceInformation reads the basic information of the card-face application; no PIN is needed. A phone answers
// [ReasonApplicationMissing]. The card forgets a verified authentication PIN and signing password.
func (c *Card) FaceInformation(ctx context.Context) (Information, error) {
	return c.information(ctx, faceApp, efFaceInfo, tagFaceInfo, parseFaceInformation)
}

// TextInformation reads the basic information of the text application; no PIN is needed. A phone answers
// [ReasonApplicationMissing]. The card forgets a verified authentication PIN and signing password.
func (c *Card) TextInformation(ctx context.Context) (Information, error) {
	return c.information(ctx, textApp, efTextInfo, tagTextInfo, parseTextInformation)
}

func (c *Card) information(
	ctx context.Context, app application, ef uint16, tag tlv.Tag, parse func([]byte) (Information, bool),
) (Information, error) {
	const op = "read basic information"
	var out Information
	err := c.s.do(ctx, op, app, 0, func(ctx context.Context) error {
		file, err := c.s.readFile(ctx, op, ef, informationGuess, objectOf(tag))
		if err != nil {
			return err
		}
		var ok bool
		if out, ok = parse(file); !ok {
			return &Error{Step: op, Reason: ReasonMalformed}
		}
		return nil
	})
	return out, err
}

// parseFaceInformation reads FF30 { DF31 specification, DF32 key identifier, DF33 version, DF34 municipality, … }.
func parseFaceInformation(file []byte) (Information, bool) {
	root, ok := object(file, tagFaceInfo)
	if !ok || !inOrder(root, tagFaceSpecification, tagFaceKeyID, tagFaceVersion, tagFaceMunicipality) {
		return Information{}, false
	}
	out, ok := describe(root.Children[0].Value, root.Children[1].Value)
	municipality := root.Children[3].Value
	if !ok || len(municipality) != 5 {
		return Information{}, false
	}
	for _, c := range municipality {
		if c < '0' || c > '9' {
			return Information{}, false
		}
	}
	out.Municipality = string(municipality)
	return out, true
}

// parseTextInformation reads FF40 { DF41 specification, DF42 key identifier, … }.
func parseTextInformation(file []byte) (Information, bool) {
	root, ok := object(file, tagTextInfo)
	if !ok || !inOrder(root, tagTextSpecification, tagTextKeyID) {
		return Information{}, false
	}
	return describe(root.Children[0].Value, root.Children[1].Value)
}

func describe(specification, key []byte) (out Information, ok bool) {
	if len(specification) != len(out.Specification) || len(key) != keyIDSize {
		return Information{}, false
	}
	copy(out.Specification[:], specification)
	copy(out.Key[:], key)
	return out, true
}

// Data objects of the issuer security domain (GlobalPlatform Card Specification, 11.3).
const (
	objectMunicipality = 0x00F0
	objectExpiry       = 0x00F2
	objectUpper        = 0x00F8 // certificate root → intermediate
	objectLower        = 0x7F21 // certificate intermediate → below
)

// IssuerData is what the card's issuer security domain says of the card. Phones may have none of it.
type IssuerData struct {
	// Municipality is the code of the issuing municipality, five digits; Expiry is the card's last day. Nothing signs
	// them.
	Municipality string
	Expiry       fourinfo.Date
	// Issuer is the public key at the end of the chain of certificates, and IssuerID its name. Both are zero unless
	// Config.Roots was given and the chain led from one of the roots; older cards have no chain.
	Issuer   *rsa.PublicKey
	IssuerID KeyID
}

// IssuerData reads the objects of the issuer security domain; no PIN is needed. With Config.Roots a chain that is there
// must hold: [ReasonTampered] or [ReasonUnknownIssuer] otherwise. Its certificates take a reader that carries extended
// lengths.
//
// The card forgets every verified PIN.
func (c *Card) IssuerData(ctx context.Context) (IssuerData, error) {
	const op = "read issuer data"
	var out IssuerData
	err := c.s.do(ctx, op, issuerDomain, 0, func(ctx context.Context) error {
		municipality, err := c.s.getData(ctx, op, objectMunicipality, maxShort)
		if err != nil {
			return err
		}
		expiry, err := c.s.getData(ctx, op, objectExpiry, maxShort)
		if err != nil {
			return err
		}
		for _, b := range municipality {
			if b < '0' || b > '9' {
				return &Error{Step: op, Reason: ReasonMalformed}
			}
		}
		out.Municipality, out.Expiry = string(municipality), cardDate(expiry)
		if len(municipality) != 5 || !out.Expiry.Valid() {
			return &Error{Step: op, Reason: ReasonMalformed}
		}
		if c.cfg.Roots == nil {
			return nil
		}
		out.Issuer, out.IssuerID, err = c.s.issuerChain(ctx, op, c.cfg.Roots)
		return err
	})
	if err != nil {
		return IssuerData{}, err
	}
	return out, nil
}

// issuerChain reads and verifies the certificates of the issuer security domain. The lower one is missing on older
// cards.
func (s *session) issuerChain(ctx context.Context, op string, roots *Roots) (*rsa.PublicKey, KeyID, error) {
	var chain []cvCertificate
	for _, tag := range [...]uint16{objectUpper, objectLower} {
		content, err := s.getData(ctx, op, tag, limits.APDUExpected)
		var e *Error
		if errors.As(err, &e) && e.Reason == ReasonFileMissing {
			break
		}
		if err != nil {
			return nil, KeyID{}, err
		}
		if len(content) == 0 || cutShort(content) {
			return nil, KeyID{}, answerCut(op)
		}
		certificate, err := parseCVCertificate(content)
		if err != nil {
			return nil, KeyID{}, &Error{Step: op, Reason: ReasonMalformed, Err: err}
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, KeyID{}, nil
	}
	key, err := roots.verify(op, chain...)
	if err != nil {
		return nil, KeyID{}, err
	}
	return key, chain[len(chain)-1].holder, nil
}

// getData is GET DATA. An object that is longer than ne is refused by the card, not cut.
func (s *session) getData(ctx context.Context, op string, tag uint16, ne int) ([]byte, error) {
	r, err := s.send(ctx, op, apdu.Command{INS: insGetData, P1: byte(tag >> 8), P2: byte(tag & 0xFF), Ne: ne})
	if ne > maxShort {
		err = gotThrough(op, r, err)
	}
	switch {
	case err != nil:
		return nil, err
	case r.Status == apdu.OK:
		return r.Data, nil
	case r.Status == apdu.ReferenceNotFound:
		return nil, &Error{Step: op, Reason: ReasonFileMissing, Status: uint16(r.Status), Err: r.Status}
	default:
		return nil, s.refused(op, r.Status)
	}
}
