package testca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Attribute is an attribute of a name.
type Attribute struct {
	ID    asn1.ObjectIdentifier
	Tag   cbasn1.Tag
	Value string
}

// Attr is one attribute of a name.
func Attr(id asn1.ObjectIdentifier, tag cbasn1.Tag, value string) Attribute {
	return Attribute{id, tag, value}
}

// Name encodes a Name.
func Name(attributes ...Attribute) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range attributes {
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(a.ID)
						b.AddASN1(a.Tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.Value)) })
					})
				})
			}
		})
	})
}

// Build returns what f builds.
func Build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

// Sequence encodes a SEQUENCE.
func Sequence(parts ...[]byte) []byte { return Wrap(cbasn1.SEQUENCE, parts...) }

// Wrap encodes an element with the tag.
func Wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	})
}

// OID encodes an OBJECT IDENTIFIER.
func OID(id asn1.ObjectIdentifier) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

// Ext encodes one Extension.
func Ext(id asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			if critical {
				b.AddASN1Boolean(true)
			}
			b.AddASN1OctetString(value)
		})
	})
}

// UtcTime encodes a UTCTime.
func UtcTime(t time.Time) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1UTCTime(t.UTC()) })
}

// GeneralizedTime encodes a GeneralizedTime.
func GeneralizedTime(t time.Time) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(t.UTC()) })
}

// RawTime encodes any text as a time.
func RawTime(tag cbasn1.Tag, text string) []byte { return Wrap(tag, []byte(text)) }

// Integer encodes an INTEGER.
func Integer(n int64) []byte { return Build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

// AlgorithmSHA256RSA is the AlgorithmIdentifier.
var AlgorithmSHA256RSA = Sequence(OID(sigalg.SHA256WithRSA.ID), []byte{5, 0})

// SignSHA256 signs the message under SHA-256.
func SignSHA256(key crypto.Signer, message []byte) []byte {
	digest := sha256.Sum256(message)
	sign := func() []byte {
		sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		return sig
	}
	k, deterministic := key.(*rsa.PrivateKey)
	if !deterministic {
		return sign()
	}
	of := signed{k, digest}
	sig, known := signatures.Load(of)
	if !known {
		sig, _ = signatures.LoadOrStore(of, sign())
	}
	return bytes.Clone(sig.([]byte))
}

// signed is what PKCS #1 v1.5 makes one signature of, however often.
type signed struct {
	key    *rsa.PrivateKey
	digest [sha256.Size]byte
}

// signatures are those that were made: most tests begin with the same authority and the same certificates.
var signatures sync.Map // signed → []byte

// Signed encodes what is signed with its algorithm and signature.
func Signed(tbs, algorithm []byte, key crypto.Signer) []byte {
	return Sequence(tbs, algorithm, BitString(SignSHA256(key, tbs)))
}

// BitString encodes a BIT STRING of whole octets.
func BitString(octets []byte) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1BitString(octets) })
}
