package jpki

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A test JPKI that can encode anything, faults included: crypto/x509 refuses to make most of them.

var now = time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

var keys sync.Map // label → func() *rsa.PrivateKey

// testKey returns the key of a label. It follows from the label alone, so that the workers of a fuzz run, which are
// processes of their own, have the same authority.
func testKey(label string) *rsa.PrivateKey {
	once, _ := keys.LoadOrStore(label, sync.OnceValue(func() *rsa.PrivateKey {
		e, one := big.NewInt(65537), big.NewInt(1)
		p, q := testPrime(label+" p", e), testPrime(label+" q", e)
		n := new(big.Int).Mul(p, q)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		if err := key.Validate(); err != nil || n.BitLen() != 2048 {
			panic(err)
		}
		return key
	}))
	return once.(func() *rsa.PrivateKey)()
}

// testPrime returns the first 1024-bit prime after the hashes of the label that suits the exponent.
func testPrime(label string, e *big.Int) *big.Int {
	var octets []byte
	for i := range byte(4) {
		part := sha256.Sum256(append([]byte(label), i))
		octets = append(octets, part[:]...)
	}
	octets[0] |= 0xc0
	octets[len(octets)-1] |= 1
	one, two, gcd := big.NewInt(1), big.NewInt(2), new(big.Int)
	for p := new(big.Int).SetBytes(octets); ; p.Add(p, two) {
		if p.ProbablyPrime(20) && gcd.GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0 {
			return p
		}
	}
}

func spki(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return der
}

type attribute struct {
	id    asn1.ObjectIdentifier
	tag   cbasn1.Tag
	value string
}

var (
	oidC  = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidO  = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOU = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidCN = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidL  = asn1.ObjectIdentifier{2, 5, 4, 7}
)

func name(attributes ...attribute) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range attributes {
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(a.id)
						b.AddASN1(a.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.value)) })
					})
				})
			}
		})
	})
}

func jpkiName(organization string, units ...string) []byte {
	list := []attribute{{oidC, cbasn1.PrintableString, "JP"}, {oidO, cbasn1.UTF8String, organization}}
	for _, unit := range units {
		list = append(list, attribute{oidOU, cbasn1.UTF8String, unit})
	}
	return name(list...)
}

const (
	unitSigning = "JPKI for digital signature"
	unitAuth    = "JPKI for user authentication"
	unitLASDEC  = "Japan Agency for Local Authority Information Systems"
)

func pointName(city string) []byte {
	return name(
		attribute{oidC, cbasn1.PrintableString, "JP"}, attribute{oidO, cbasn1.UTF8String, "JPKI-TEST"},
		attribute{oidOU, cbasn1.UTF8String, unitSigning}, attribute{oidOU, cbasn1.UTF8String, "CRL Distribution Points"},
		attribute{oidOU, cbasn1.UTF8String, "Tokyo-to"}, attribute{oidCN, cbasn1.UTF8String, city + " CRLDP"},
	)
}

func build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func sequence(parts ...[]byte) []byte { return wrap(cbasn1.SEQUENCE, parts...) }

func wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	})
}

func oid(id asn1.ObjectIdentifier) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

// ext encodes one Extension.
func ext(id asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			if critical {
				b.AddASN1Boolean(true)
			}
			b.AddASN1OctetString(value)
		})
	})
}

func utcTime(t time.Time) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1UTCTime(t.UTC()) })
}

func generalizedTime(t time.Time) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(t.UTC()) })
}

func rawTime(tag cbasn1.Tag, text string) []byte { return wrap(tag, []byte(text)) }

func integer(n int64) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

var algorithmSHA256RSA = sequence(oid(sha256WithRSA.id), []byte{5, 0})

func signSHA256(key crypto.Signer, message []byte) []byte {
	digest := sha256.Sum256(message)
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return sig
}

func signed(tbs, algorithm []byte, key crypto.Signer) []byte {
	return sequence(tbs, algorithm, bitString(signSHA256(key, tbs)))
}

func bitString(octets []byte) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1BitString(octets) })
}

// certSpec is a certificate to be; every part is encoded as given.
type certSpec struct {
	version             []byte // content of [0]; nil: v3
	serial              []byte // octets
	algorithm           []byte
	issuer, subject     []byte
	notBefore, notAfter []byte
	key                 []byte // SubjectPublicKeyInfo
	extensions          [][]byte
	afterExtensions     []byte // faults
	afterSignature      []byte
}

func (s *certSpec) sign(key crypto.Signer) []byte {
	version := s.version
	if version == nil {
		version = integer(2)
	}
	tbs := sequence(wrap(tag0c, version), wrap(cbasn1.INTEGER, s.serial), s.algorithm, s.issuer,
		sequence(s.notBefore, s.notAfter), s.subject, s.key, wrap(tag3c, sequence(s.extensions...)), s.afterExtensions)
	return sequence(tbs, s.algorithm, bitString(signSHA256(key, tbs)), s.afterSignature)
}

// replace swaps the extension with the OID, or removes it when with is nil.
func (s *certSpec) replace(id asn1.ObjectIdentifier, with []byte) {
	var out [][]byte
	for _, e := range s.extensions {
		if in := cryptobyte.String(e); func() bool {
			var one cryptobyte.String
			var got asn1.ObjectIdentifier
			return in.ReadASN1(&one, cbasn1.SEQUENCE) && one.ReadASN1ObjectIdentifier(&got) && got.Equal(id)
		}() {
			if with != nil {
				out = append(out, with)
			}
			continue
		}
		out = append(out, e)
	}
	s.extensions = out
}

func (s *certSpec) add(e []byte) { s.extensions = append(s.extensions, e) }

// authority is a CA of the test JPKI.
type authority struct {
	key  *rsa.PrivateKey
	name []byte
	id   []byte // SKI
	cert *x509.Certificate
}

func keyUsage(bits byte) []byte {
	unused := byte(0)
	for bits>>unused&1 == 0 && unused < 7 {
		unused++
	}
	return ext(oidKeyUsage, true, []byte{3, 2, unused, bits})
}

func caSpec(label string, subject []byte) (certSpec, []byte) {
	id := sha256.Sum256(spki(testKey(label)))
	return certSpec{
		serial: []byte{1}, algorithm: algorithmSHA256RSA, issuer: subject, subject: subject,
		notBefore: utcTime(now.Add(-3 * year)), notAfter: utcTime(now.Add(7 * year)), key: spki(testKey(label)),
		extensions: [][]byte{
			keyUsage(0x06),
			ext(oidBasicConstraints, true, sequence(build(func(b *cryptobyte.Builder) { b.AddASN1Boolean(true) }))),
			ext(asn1.ObjectIdentifier{2, 5, 29, 14}, false, wrap(cbasn1.OCTET_STRING, id[:20])),
		},
	}, id[:20]
}

func parsed(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newAuthority makes a CA with the subject; mutate may spoil it.
func newAuthority(t testing.TB, label string, subject []byte, mutate ...func(*certSpec)) *authority {
	t.Helper()
	spec, id := caSpec(label, subject)
	for _, m := range mutate {
		m(&spec)
	}
	return &authority{testKey(label), subject, id, parsed(t, spec.sign(testKey(label)))}
}

func signingAuthority(t testing.TB, label string) *authority {
	t.Helper()
	return newAuthority(t, label, jpkiName("JPKI-TEST", unitSigning, unitLASDEC))
}

func policiesExt(id asn1.ObjectIdentifier) []byte {
	cps := sequence(oid(oidQualifierCPS), wrap(cbasn1.IA5String, []byte("http://www.jpki.go.jp/cps.html")))
	return ext(oidCertificatePolicies, true, sequence(sequence(oid(id), sequence(cps))))
}

func otherName(n int, tag cbasn1.Tag, text string) []byte {
	id := append(append(asn1.ObjectIdentifier(nil), oidPersonalData...), n)
	return wrap(tag0c, oid(id), wrap(tag0c, wrap(tag, []byte(text))))
}

const (
	personName    = "黒桐　幹也"
	personAddress = "東京都清瀬市観布子南１２－７－２０２"
)

// personNames are the otherNames of a synthetic person in the order of a card.
func personNames() [][]byte {
	return [][]byte{
		otherName(1, cbasn1.UTF8String, personName), otherName(4, cbasn1.UTF8String, "319800217"),
		otherName(3, cbasn1.UTF8String, "1"), otherName(5, cbasn1.UTF8String, personAddress),
		otherName(2, cbasn1.UTF8String, "00000"), otherName(6, cbasn1.UTF8String, "000000000000000000"),
	}
}

func sanExt(names ...[]byte) []byte { return ext(oidSubjectAltName, false, sequence(names...)) }

func pointExt(names ...[]byte) []byte {
	var points [][]byte
	for _, n := range names {
		points = append(points, sequence(wrap(tag0c, wrap(tag0c, wrap(tag4c, n)))))
	}
	return ext(oidCRLDistribution, false, sequence(points...))
}

func (a *authority) keyIDExt() []byte {
	return ext(oidAuthorityKeyID, false, sequence(wrap(tag0, a.id)))
}

// signingSpec is a well-formed signing certificate of the test profile.
func (a *authority) signingSpec(serial ...byte) certSpec {
	return certSpec{
		serial: serial, algorithm: algorithmSHA256RSA, issuer: a.name,
		subject: name(attribute{oidC, cbasn1.PrintableString, "JP"}, attribute{oidL, cbasn1.UTF8String, "Tokyo-to"},
			attribute{oidL, cbasn1.UTF8String, "Kiyose-shi"}, attribute{oidCN, cbasn1.UTF8String, "2025102712000012345SPECIMEN0"}),
		notBefore: utcTime(now.Add(-year)), notAfter: utcTime(now.Add(4 * year)), key: spki(testKey("leaf")),
		extensions: [][]byte{
			keyUsage(0xc0), policiesExt(oidPolicyTestSigning), sanExt(personNames()...),
			pointExt(pointName("Kiyose-shi")), a.keyIDExt(),
		},
	}
}

// authSpec is a well-formed authentication certificate of the test profile.
func (a *authority) authSpec(serial ...byte) certSpec {
	return certSpec{
		serial: serial, algorithm: algorithmSHA256RSA, issuer: a.name,
		subject:   name(attribute{oidC, cbasn1.PrintableString, "JP"}, attribute{oidCN, cbasn1.UTF8String, "000000E9AGCIEG13221003A"}),
		notBefore: utcTime(now.Add(-year)), notAfter: utcTime(now.Add(4 * year)), key: spki(testKey("leaf")),
		extensions: [][]byte{
			keyUsage(0x80), policiesExt(oidPolicyTestAuthentication), pointExt(pointName("Kiyose-shi")), a.keyIDExt(),
		},
	}
}

func (a *authority) leaf(t testing.TB, spec certSpec) *Certificate {
	t.Helper()
	c, err := ParseCertificate(spec.sign(a.key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *authority) signingLeaf(t testing.TB, mutate ...func(*certSpec)) *Certificate {
	t.Helper()
	spec := a.signingSpec(0x01, 0x23, 0x45)
	for _, m := range mutate {
		m(&spec)
	}
	return a.leaf(t, spec)
}

func serialOf(c *Certificate) *big.Int { return c.X509.SerialNumber }

func newVerifier(t testing.TB, r Revocation, authorities ...*authority) *Verifier {
	t.Helper()
	var anchors []*x509.Certificate
	for _, a := range authorities {
		anchors = append(anchors, a.cert)
	}
	v, err := NewVerifier(VerifierConfig{
		Environment: Test, Trust: TestTrust(anchors...), Revocation: r, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
