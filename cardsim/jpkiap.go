package cardsim

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"fmt"

	"github.com/kakunin-go/kakunin/cardsim/person"
)

// References of the JPKI application.
const (
	jpkiAuthKey = 0x0017
	jpkiAuthPIN = 0x0018
	jpkiSignKey = 0x001A
	jpkiSignPIN = 0x001B
)

// Tries of the PINs.
const (
	authTries    = 3
	signingTries = 5
)

// jpkiContent is what goes into the files of the JPKI application.
type jpkiContent struct {
	label string // of the token
	// unsigned has no signing certificate, and a signing password that was never set.
	unsigned                         bool
	signing, signingCA, auth, authCA []byte // DER
	signKey, authKey                 func() *rsa.PrivateKey
	signPIN, authPIN                 string
	// authBehindPIN protects the authentication certificate, as phones do.
	authBehindPIN bool
	// terminalCA certifies terminals for SET PUBLIC IC KEY.
	terminalCA func() *rsa.PublicKey
}

// jpkiApplication is 公的個人認証AP.
func jpkiApplication(c jpkiContent) *application {
	authRule := free
	if c.authBehindPIN {
		authRule = openedBy(jpkiAuthPIN)
	}
	// What a child's card has in place of these is not published: 6A82 is what ISO/IEC 7816-4 has for a file that is
	// not there, and a password that was never set opens nothing.
	availability := []byte{0x00, 0x8F, 0x00}
	signKey, signPIN := ief(jpkiSignKey), pinEF(jpkiSignPIN, blockedForever())
	var signing []*file
	if !c.unsigned {
		availability[0] = 0x8F
		signKey = keyEF(jpkiSignKey, openedBy(jpkiSignPIN), c.signKey)
		signPIN = pinEF(jpkiSignPIN, newSecret(c.signPIN, signingTries, person.IsSigningPassword))
		// The signing certificate holds the four attributes: unlike the other three it is behind the password.
		signing = []*file{ef(0x0001, openedBy(jpkiSignPIN), c.signing)}
	}
	a := newApplication("JPKI", []byte{0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}, append(signing,
		ef(0x0002, free, c.signingCA),
		ef(0x0005, never, unusedFile()),
		ef(0x0006, free, tokenInfo(c.label)),
		ef(0x0008, free, availability),
		ef(0x0009, never, unusedFile()),
		ef(0x000A, authRule, c.auth),
		ef(0x000B, free, c.authCA),
		ief(0x0010),
		terminalCAEF(0x0016, c.terminalCA),
		keyEF(jpkiAuthKey, openedBy(jpkiAuthPIN), c.authKey),
		pinEF(jpkiAuthPIN, newSecret(c.authPIN, authTries, person.IsPIN)),
		ief(0x0019),
		signKey,
		signPIN,
		ief(0x001C),
		ief(0x001E),
	)...)
	// Which of the two keys is the default one is not published; the authentication key has the weaker meaning.
	a.defaultKey = jpkiAuthKey
	return a
}

// unusedFile is a file that was never written: 16 bytes FF.
func unusedFile() []byte { return bytes.Repeat([]byte{0xFF}, 16) }

// Flags of CK_TOKEN_INFO (PKCS #11 v2.20, table 9): CKF_RNG, CKF_LOGIN_REQUIRED, CKF_USER_PIN_INITIALIZED and
// CKF_TOKEN_INITIALIZED.
const tokenFlags = 0x0000040D

// tokenInfo is CK_TOKEN_INFO of PKCS #11 with big-endian 32-bit CK_ULONG fields, 160 bytes. Only the label tells kinds
// of tokens apart.
func tokenInfo(label string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-32s%-32s%-16s%-16s", label, "00000000000000000000000000000001", "E16R01NJ", "0000000020500003")
	for _, v := range []uint32{
		tokenFlags,
		1, 0, // maximum and current session count
		1, 0, // maximum and current read/write session count
		16, 6, // maximum and minimum PIN length
		0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, // memory: CK_UNAVAILABLE_INFORMATION
	} {
		b.Write(binary.BigEndian.AppendUint32(nil, v))
	}
	b.WriteString("03" + "01" + "9999999999999999") // hardware and firmware version, time
	return b.Bytes()
}
