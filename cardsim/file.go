package cardsim

import (
	"crypto/rsa"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// access is the set of references of which one must be verified. Bit n stands for the internal file with the short
// identifier n (every identifier on this card is at most 001E). The zero value opens to nobody.
type access uint32

const (
	never access = 0
	// free is bit 0, which no reference has: the short identifier 0 does not exist (ISO/IEC 7816-4, 5.3.1.1).
	free access = 1
)

// openedBy returns the access rule "one of these references is verified".
func openedBy(references ...uint16) access {
	var a access
	for _, id := range references {
		a |= bit(id)
	}
	return a
}

func bit(id uint16) access { return 1 << (id & 0x1F) }

// grants reports whether the rule holds in a security state.
func (a access) grants(verified access) bool { return a&(free|verified) != 0 }

// kind tells the commands what a file is.
type kind int

const (
	// opaque is an internal file (IEF) whose use is not known: it can be selected, and every command refuses it. It is
	// the zero value, so that a forgotten kind gives nothing away.
	opaque kind = iota
	// transparent is an elementary file for READ BINARY.
	transparent
	// reference is an internal file that holds a PIN or another value for VERIFY.
	reference
	// records is an elementary file for READ RECORD.
	records
	// signingKey is an internal file that holds a private key for COMPUTE DIGITAL SIGNATURE.
	signingKey
	// authenticationKey is an internal file that holds a private key for INTERNAL AUTHENTICATE.
	authenticationKey
	// terminalCA is an internal file that holds the public key with which SET PUBLIC IC KEY checks terminals.
	terminalCA
)

// file is an elementary file. Only its secret changes after personalisation.
type file struct {
	id   uint16
	kind kind
	// access is who may read a transparent file or use a key.
	access access
	// content returns the physical bytes of a transparent file; the first call may compute them.
	content func() ([]byte, error)
	// records are those of a record file, in simple TLV, numbered from 1.
	records [][]byte
	secret  *secret
	// key returns the private key of a signingKey or authenticationKey file; the first call may derive it.
	key func() *rsa.PrivateKey
	// ca returns the public key of a terminalCA file; the first call may derive it.
	ca func() *rsa.PublicKey
}

// ief is an internal file of unknown use.
func ief(id uint16) *file { return &file{id: id, kind: opaque, access: never} }

// ef is a transparent file with known content.
func ef(id uint16, rule access, content []byte) *file {
	return lazyEF(id, rule, func() ([]byte, error) { return content, nil })
}

// lazyEF is a transparent file whose content costs something to make (signatures, keys). content must be idempotent and
// cheap from the second call on.
func lazyEF(id uint16, rule access, content func() ([]byte, error)) *file {
	return &file{id: id, kind: transparent, access: rule, content: content}
}

// keyEF is a private key.
func keyEF(id uint16, rule access, key func() *rsa.PrivateKey) *file {
	return &file{id: id, kind: signingKey, access: rule, key: key}
}

// recordEF is a record file.
func recordEF(id uint16, rule access, content ...[]byte) *file {
	return &file{id: id, kind: records, access: rule, records: content}
}

// internalEF is a private key for INTERNAL AUTHENTICATE.
func internalEF(id uint16, rule access, key func() *rsa.PrivateKey) *file {
	return &file{id: id, kind: authenticationKey, access: rule, key: key}
}

// terminalCAEF is the public key that certifies terminals.
func terminalCAEF(id uint16, key func() *rsa.PublicKey) *file {
	return &file{id: id, kind: terminalCA, access: never, ca: key}
}

// pinEF is a reference for VERIFY.
func pinEF(id uint16, s *secret) *file { return &file{id: id, kind: reference, secret: s} }

// application is a dedicated file (DF) with a name.
type application struct {
	name  string
	aid   []byte
	files map[uint16]*file
	// order has the files in the order of the table.
	order []*file
	// defaultKey is the key that COMPUTE DIGITAL SIGNATURE uses with P2 = 00; 0 is none.
	defaultKey uint16
	// domain marks the issuer security domain, which is not an application for the MF rules of SELECT.
	domain bool
	// objects are the data objects of GET DATA by tag, without tag and length.
	objects map[uint16]func() ([]byte, error)
	// messaging is how secure messaging starts here; the zero value refuses it.
	messaging messaging
}

// messaging is the part of an application that SET SESSION KEY needs.
type messaging struct {
	// key decrypts the session key; nil: the application has no secure messaging.
	key func() *rsa.PrivateKey
	// access is which references must be verified before.
	access access
	// refusal is the answer where key is nil; 0 is 6982.
	refusal apdu.Status
}

func newApplication(name string, aid []byte, files ...*file) *application {
	a := &application{name: name, aid: aid, files: make(map[uint16]*file, len(files)), order: files}
	for _, f := range files {
		a.files[f.id] = f
	}
	return a
}
