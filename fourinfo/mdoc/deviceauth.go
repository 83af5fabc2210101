package mdoc

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// device verifies that the device authenticated this session.
func (v *Verifier) device(
	d *document,
	m *mobileSecurityObject,
	transcript []byte,
	reader *ecdh.PrivateKey,
) (DeviceAuth, error) {
	fail := func(r Reason, clause, detail string, err error) (DeviceAuth, error) {
		return 0, &Error{Reason: r, Step: stepDeviceAuth, Clause: clause, Detail: detail, Err: err}
	}
	if _, ok := embedded(d.DeviceSigned.NameSpaces); !ok {
		return fail(ReasonMalformed, "ISO/IEC 18013-5, 8.3.2.1.2.2", "no DeviceNameSpaces", nil)
	}
	key, ok := v.codec.deviceKey(m.DeviceKeyInfo.DeviceKey)
	if !ok {
		return fail(ReasonAlgorithm, "RFC 9053, 7", "the key of the device", nil)
	}
	payload, err := deviceAuthentication(transcript, d.DeviceSigned.NameSpaces)
	if err != nil {
		return fail(ReasonConfig, "", "session", err)
	}
	switch auth := d.DeviceSigned.DeviceAuth; {
	case len(auth.Signature) > 0 && len(auth.MAC) > 0, len(auth.Signature) == 0 && len(auth.MAC) == 0:
		return fail(ReasonMalformed, "ISO/IEC 18013-5, 8.3.2.1.2.2", "neither a signature nor a MAC, or both", nil)
	case len(auth.Signature) > 0:
		var message cose.UntaggedSign1Message
		if err := message.UnmarshalCBOR(auth.Signature); err != nil || message.Payload != nil {
			return fail(ReasonMalformed, "ISO/IEC 18013-5, 9.1.3.6", "not a COSE_Sign1 without its payload", err)
		}
		message.Payload = payload
		if err := verifySign1(&message, key); err != nil {
			return fail(reasonOf(err, ReasonDevice), "ISO/IEC 18013-5, 9.1.3.6", "", err)
		}
		return DeviceSignature, nil
	default:
		if reader == nil {
			return fail(ReasonConfig, "ISO/IEC 18013-5, 9.1.3.5", "a MAC, and no reader key", nil)
		}
		if err := v.verifyMAC(auth.MAC, key, reader, transcript, payload); err != nil {
			return fail(reasonOf(err, ReasonDevice), "ISO/IEC 18013-5, 9.1.3.5", "", err)
		}
		return DeviceMAC, nil
	}
}

// deviceKey reads a COSE_Key of a curve that is accepted. What it says besides the point, such as its identifier,
// decides nothing: it is not read, since issuers write it in more than one form.
func (c codec) deviceKey(raw []byte) (crypto.PublicKey, bool) {
	var fields struct {
		Type  int64           `cbor:"1,keyasint"`
		Curve int64           `cbor:"-1,keyasint"`
		X     []byte          `cbor:"-2,keyasint"`
		Y     cbor.RawMessage `cbor:"-3,keyasint"`
	}
	if c.decode.Unmarshal(raw, &fields) != nil {
		return nil, false
	}
	const octet, twoCoordinates = 1, 2
	if fields.Type == octet && fields.Curve == int64(cose.CurveEd25519) && len(fields.X) == ed25519.PublicKeySize {
		return ed25519.PublicKey(fields.X), true
	}
	curve, known := curves[cose.Curve(fields.Curve)]
	var y []byte
	if fields.Type != twoCoordinates || !known || len(fields.Y) == 0 || c.decode.Unmarshal(fields.Y, &y) != nil {
		return nil, false
	}
	if size := (curve.Params().BitSize + 7) / 8; len(fields.X) != size || len(y) != size {
		return nil, false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, fields.X, y))
	return key, err == nil
}

var curves = map[cose.Curve]elliptic.Curve{
	cose.CurveP256: elliptic.P256(), cose.CurveP384: elliptic.P384(), cose.CurveP521: elliptic.P521(),
}

// deviceAuthentication encodes what the device authenticates (ISO/IEC 18013-5, 9.1.3.4).
func deviceAuthentication(transcript, nameSpaces []byte) ([]byte, error) {
	inner, err := cbor.Marshal(
		[]any{"DeviceAuthentication", cbor.RawMessage(transcript), DocType, cbor.RawMessage(nameSpaces)},
	)
	return wrap(inner), err
}

// hmac256 is the algorithm HMAC 256/256 (RFC 9053, 3.1) as a protected header.
var hmac256 = []byte{0xA1, 0x01, 0x05}

// verifyMAC verifies a COSE_Mac0 without its payload under the key that both sides derive.
func (v *Verifier) verifyMAC(
	raw []byte,
	device crypto.PublicKey,
	reader *ecdh.PrivateKey,
	transcript, payload []byte,
) error {
	var m mac0
	if v.codec.decode.Unmarshal(raw, &m) != nil || m.Payload != nil {
		return errors.New("not a COSE_Mac0 without its payload")
	}
	if !bytes.Equal(m.Protected, hmac256) {
		return errAlgorithm
	}
	ec, ok := device.(*ecdsa.PublicKey)
	if !ok {
		return errAlgorithm
	}
	public, err := ec.ECDH()
	if err != nil {
		return errors.Join(errAlgorithm, err)
	}
	key, err := KeyAgreement{Own: reader, Other: public, Transcript: transcript}.MACKey()
	if err != nil {
		return errors.Join(errAlgorithm, err)
	}
	structure, err := v.codec.encode.Marshal([]any{"MAC0", m.Protected, []byte{}, payload})
	if err != nil {
		return err
	}
	h := hmac.New(sha256.New, key)
	h.Write(structure)
	if !hmac.Equal(h.Sum(nil), m.Tag) {
		return errors.New("the MAC does not hold")
	}
	return nil
}

// KeyAgreement is what the two sides of a session share.
type KeyAgreement struct {
	// Own is one's own key, Other that of the other side.
	Own   *ecdh.PrivateKey
	Other *ecdh.PublicKey
	// Transcript is the CBOR of the SessionTranscript.
	Transcript []byte
}

// MACKey derives EMacKey (ISO/IEC 18013-5, 9.1.3.5). The error is that of the key agreement.
func (k KeyAgreement) MACKey() ([]byte, error) {
	shared, err := k.Own.ECDH(k.Other)
	if err != nil {
		return nil, err
	}
	salt := sha256.Sum256(wrap(k.Transcript))
	return hkdf.Key(sha256.New, shared, salt[:], "EMacKey", 32)
}
