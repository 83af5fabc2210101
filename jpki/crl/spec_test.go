package crl_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

var now = time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)

const day = 24 * time.Hour

// key signs the test lists: ECDSA, because it is made in no time.
var key = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(slices.Concat(parts...)) })
	})
}

func sequence(parts ...[]byte) []byte { return wrap(cbasn1.SEQUENCE, parts...) }

func integer(n int64) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

func octets(b ...byte) []byte { return wrap(cbasn1.INTEGER, b) }

func oid(id ...int) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

func utc(t time.Time) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1UTCTime(t.UTC()) }) }

func generalized(t time.Time) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(t.UTC()) })
}

func text(tag cbasn1.Tag, s string) []byte { return wrap(tag, []byte(s)) }

// name is a Name with one attribute.
func name(cn string) []byte { return sequence(rdn(cn)) }

func rdn(cn string) []byte {
	return wrap(cbasn1.SET, sequence(oid(2, 5, 4, 3), text(cbasn1.UTF8String, cn)))
}

func directory(cn string) []byte { return wrap(0xa4, name(cn)) }

func ext(arc int, critical bool, value []byte) []byte {
	var flag []byte
	if critical {
		flag = []byte{1, 1, 0xff}
	}
	return sequence(oid(2, 5, 29, arc), flag, wrap(cbasn1.OCTET_STRING, value))
}

func reason(code byte) []byte { return ext(21, false, []byte{10, 1, code}) }

func entry(serial []byte, at []byte, extensions ...[]byte) []byte {
	var list []byte
	if len(extensions) > 0 {
		list = sequence(extensions...)
	}
	return sequence(wrap(cbasn1.INTEGER, serial), at, list)
}

var ecdsaSHA256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2))

// spec is a list to be; every part is encoded as given.
type spec struct {
	version, algorithm, outer, issuer []byte
	thisUpdate, nextUpdate            []byte
	entries                           []byte // with its SEQUENCE; nil: absent
	extensions                        []byte // with its [0]; nil: absent
	after                             []byte // in TBSCertList
	trailing                          []byte // in CertificateList
}

// extended is the usual list with the entries and further extensions.
func extended(entries [][]byte, extensions ...[]byte) *spec {
	s := &spec{
		version: integer(1), algorithm: ecdsaSHA256, outer: ecdsaSHA256, issuer: name("CA"), thisUpdate: utc(now),
		nextUpdate: utc(now.Add(day)),
		extensions: wrap(0xa0, sequence(slices.Concat(append([][]byte{ext(20, false, integer(7))}, extensions...)...))),
	}
	if len(entries) > 0 {
		s.entries = sequence(entries...)
	}
	return s
}

func (s *spec) sign() []byte {
	tbs := sequence(s.version, s.algorithm, s.issuer, s.thisUpdate, s.nextUpdate, s.entries, s.extensions, s.after)
	digest := sha256.Sum256(tbs)
	signature, err := key().Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	bits := build(func(b *cryptobyte.Builder) { b.AddASN1BitString(signature) })
	return sequence(tbs, s.outer, bits, s.trailing)
}

// load parses by Parse and by Read, which must agree, and verifies.
func load(t *testing.T, list []byte, o crl.Options) *crl.List {
	t.Helper()
	u, err := parse(t, list, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := u.Verify(t.Context(), &key().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// parse wants Parse and Read, with long and with short reads, to say the same.
func parse(t *testing.T, list []byte, o crl.Options) (*crl.Unverified, error) {
	t.Helper()
	u, err := crl.Parse(list, o)
	for _, r := range []io.Reader{bytes.NewReader(list), iotest.OneByteReader(bytes.NewReader(list))} {
		again, err2 := crl.Read(t.Context(), r, o)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("Parse: %v, Read: %v", err, err2)
		}
		if err == nil && (u.SHA256() != again.SHA256() || u.SHA256() != sha256.Sum256(list)) {
			t.Fatal("the hash of the list differs")
		}
	}
	return u, err
}
