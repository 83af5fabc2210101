package certpath

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// A small PKI whose certificates are put together from parts, so that every part can be spoilt.

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

const day = 24 * time.Hour

func build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	})
}

func seq(parts ...[]byte) []byte { return wrap(cbasn1.SEQUENCE, parts...) }

func oidDER(id ...int) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

func integer(n int64) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

func utcTime(t time.Time) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1UTCTime(t.UTC()) })
}

func bitString(octets []byte) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1BitString(octets) })
}

func extDER(id asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	flag := []byte(nil)
	if critical {
		flag = []byte{1, 1, 0xff}
	}
	return seq(oidDER(id...), flag, wrap(cbasn1.OCTET_STRING, value))
}

// attr is one attribute in an RDN of its own; kind is the tag of its string.
func attr(kind cbasn1.Tag, value string, id ...int) []byte {
	return wrap(cbasn1.SET, seq(oidDER(id...), wrap(kind, []byte(value))))
}

func cn(value string) []byte { return attr(cbasn1.UTF8String, value, 2, 5, 4, 3) }

func dn(commonName string) []byte {
	return seq(attr(cbasn1.PrintableString, "JP", 2, 5, 4, 6), attr(cbasn1.UTF8String, "Test", 2, 5, 4, 10),
		cn(commonName))
}

var (
	keysMutex sync.Mutex
	keys      = map[string]*ecdsa.PrivateKey{}
)

// testKey returns the key with the label, the same one for one label.
func testKey(label string) *ecdsa.PrivateKey {
	keysMutex.Lock()
	defer keysMutex.Unlock()
	if keys[label] == nil {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		keys[label] = k
	}
	return keys[label]
}

func spkiOf(key *ecdsa.PrivateKey) []byte {
	out, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return out
}

func keyIDOf(label string) []byte {
	sum := sha256.Sum256(spkiOf(testKey(label)))
	return sum[:20]
}

var ecdsaSHA256 = seq(oidDER(1, 2, 840, 10045, 4, 3, 2))

// spec is a certificate to be.
type spec struct {
	version             []byte // content of [0]; nil: v3
	serial              []byte // octets
	algorithm           []byte
	issuer, subject     []byte
	notBefore, notAfter []byte
	key                 string
	spki                []byte // instead of that of key
	signature           []byte // instead of a good one
	extensions          [][]byte
	signer              string
}

// caSpec is an authority; its key has the label of its name unless key says otherwise.
func caSpec(subject, key, issuer, signer string) *spec {
	return &spec{
		serial: []byte{1}, issuer: dn(issuer), subject: dn(subject), key: key, signer: signer,
		notBefore: utcTime(noon().Add(-365 * day)), notAfter: utcTime(noon().Add(365 * day)),
		extensions: [][]byte{
			extDER(oidBasicConstraints, true, seq([]byte{1, 1, 0xff})),
			extDER(oidKeyUsage, true, []byte{3, 2, 1, 6}), // keyCertSign, cRLSign
			extDER(oidSubjectKeyID, false, wrap(cbasn1.OCTET_STRING, keyIDOf(key))),
			extDER(oidAuthorityKeyID, false, seq(wrap(der.Tag0, keyIDOf(signer)))),
		},
	}
}

func leafSpec(subject, issuer, signer string) *spec {
	s := caSpec(subject, "leaf", issuer, signer)
	s.serial = []byte{0x11}
	s.extensions = [][]byte{
		extDER(oidKeyUsage, true, []byte{3, 2, 7, 0x80}),
		extDER(oidAuthorityKeyID, false, seq(wrap(der.Tag0, keyIDOf(signer)))),
	}
	return s
}

// with adds extensions.
func (s *spec) with(extensions ...[]byte) *spec {
	s.extensions = append(s.extensions, extensions...)
	return s
}

// without removes the extension.
func (s *spec) without(id asn1.ObjectIdentifier) *spec {
	var out [][]byte
	for _, e := range s.extensions {
		in := cryptobyte.String(e)
		var one cryptobyte.String
		var got asn1.ObjectIdentifier
		if in.ReadASN1(&one, cbasn1.SEQUENCE) && one.ReadASN1ObjectIdentifier(&got) && got.Equal(id) {
			continue
		}
		out = append(out, e)
	}
	s.extensions = out
	return s
}

func (s *spec) der() []byte {
	version, algorithm := s.version, s.algorithm
	if version == nil {
		version = integer(2)
	}
	if algorithm == nil {
		algorithm = ecdsaSHA256
	}
	var extensions []byte
	if len(s.extensions) > 0 {
		extensions = wrap(der.Tag3C, seq(s.extensions...))
	}
	if len(version) > 0 {
		version = wrap(der.Tag0C, version)
	}
	tbs := seq(version, wrap(cbasn1.INTEGER, s.serial), algorithm, s.issuer, seq(s.notBefore, s.notAfter), s.subject,
		s.publicKey(), extensions)
	if s.signature != nil {
		return seq(tbs, algorithm, bitString(s.signature))
	}
	return seq(tbs, algorithm, bitString(signSHA256(s.signer, tbs)))
}

func (s *spec) publicKey() []byte {
	if s.spki != nil {
		return s.spki
	}
	return spkiOf(testKey(s.key))
}

func signSHA256(label string, message []byte) []byte {
	sum := sha256.Sum256(message)
	sig, err := testKey(label).Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return sig
}

func (s *spec) cert(t testing.TB) *Certificate {
	t.Helper()
	return mustParse(t, s.der())
}

func mustParse(t testing.TB, raw []byte) *Certificate {
	t.Helper()
	c, err := ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rootOf(t testing.TB, label string) *Certificate {
	t.Helper()
	return caSpec(label, label, label, label).cert(t)
}

func testConfig(anchors []*Certificate, pool ...*Certificate) VerifierConfig {
	return VerifierConfig{Anchors: anchors, Pool: pool, Revocation: revocation.InsecureNoRevocation(), Now: noon}
}

func validate(t testing.TB, c VerifierConfig, target *Certificate, opts ...VerifyOption) (*Result, error) {
	t.Helper()
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(context.Background(), target, opts...)
}

// wantReason checks the outcome; ReasonUnknown means valid.
func wantReason(t testing.TB, err error, want Reason) {
	t.Helper()
	if got := reasonOf(err); got != want || (err == nil) != (want == ReasonUnknown) {
		t.Errorf("got %v (%v), want reason %q", err, errors.Unwrap(err), want)
	}
}

// listSpec is a revocation list to be.
type listSpec struct {
	issuer                 []byte
	signer                 string
	thisUpdate, nextUpdate time.Time
	entries, extensions    [][]byte
}

func newList(issuer, signer string, entries ...[]byte) *listSpec {
	return &listSpec{
		issuer: dn(issuer), signer: signer, thisUpdate: noon().Add(-day), nextUpdate: noon().Add(day), entries: entries,
		extensions: [][]byte{
			extDER(oidAuthorityKeyID, false, seq(wrap(der.Tag0, keyIDOf(signer)))),
			extDER(asn1.ObjectIdentifier{2, 5, 29, 20}, false, integer(7)),
		},
	}
}

func (l *listSpec) with(extensions ...[]byte) *listSpec {
	l.extensions = append(l.extensions, extensions...)
	return l
}

func (l *listSpec) der() []byte {
	var revoked []byte
	if len(l.entries) > 0 {
		revoked = seq(l.entries...)
	}
	next := []byte(nil)
	if !l.nextUpdate.IsZero() {
		next = utcTime(l.nextUpdate)
	}
	tbs := seq(integer(1), ecdsaSHA256, l.issuer, utcTime(l.thisUpdate), next, revoked,
		wrap(der.Tag0C, seq(l.extensions...)))
	return seq(tbs, ecdsaSHA256, bitString(signSHA256(l.signer, tbs)))
}

func (l *listSpec) list(t testing.TB) *crl.Unverified {
	t.Helper()
	u, err := crl.Parse(l.der(), crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func listsOf(t *testing.T, specs []*listSpec) *revocation.Lists {
	t.Helper()
	var lists []*crl.Unverified
	for _, l := range specs {
		lists = append(lists, l.list(t))
	}
	all, err := revocation.NewLists(lists...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// entry is an element of revokedCertificates; reason below 0: none.
func entry(serial byte, at time.Time, reason int, extensions ...[]byte) []byte {
	if reason >= 0 {
		extensions = append([][]byte{extDER(asn1.ObjectIdentifier{2, 5, 29, 21}, false, []byte{10, 1, byte(reason)})},
			extensions...)
	}
	var list []byte
	if len(extensions) > 0 {
		list = seq(extensions...)
	}
	return seq(wrap(cbasn1.INTEGER, []byte{serial}), utcTime(at), list)
}
