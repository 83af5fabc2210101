package issuer

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"
)

// profile is what differs between the two CAs and their certificates.
type profile struct {
	label   string // in seeds and paths
	unit    string // organizational unit of the CA
	service string // its Japanese name, in the alternative names
	usage   byte   // key usage of end-entity certificates
	policy  asn1.ObjectIdentifier
	// phone is the policy of certificates on phones, an assumption made here only: 1.2.392.200149.8.5.1.1.40 alone was
	// reported, for production signing certificates, and not confirmed. The test identifiers follow it as the others
	// do.
	phone    asn1.ObjectIdentifier
	personal bool // end-entity certificates carry the four attributes
	// client marks end-entity certificates for the client's side of TLS; ocsp is the responder that they name, if any.
	client bool
	ocsp   string
}

func signingProfile() profile {
	return profile{
		label: "sign", unit: "JPKI for digital signature", service: "公的個人認証サービス署名用",
		usage: digitalSignature | nonRepudiation, policy: jpkiArc(1, 0, 20), phone: jpkiArc(1, 0, 40), personal: true,
	}
}

// authenticationResponder stands where certificates of J-LIS name a responder of theirs. The name is a reserved one
// that leads nowhere (RFC 2606), so that nobody who follows it asks a stranger about a test certificate: [JPKI.Handler]
// answers for these certificates wherever it is mounted.
const authenticationResponder = "http://ocspauth.jpki-test.example"

func authenticationProfile() profile {
	return profile{
		label: "auth", unit: "JPKI for user authentication", service: "公的個人認証サービス利用者証明用",
		usage: digitalSignature, policy: jpkiArc(1, 0, 30), phone: jpkiArc(1, 0, 50),
		client: true, ocsp: authenticationResponder,
	}
}

// CA is one authority. It is safe for concurrent use.
type CA struct {
	profile     profile
	generation  generation
	now         func() time.Time
	key         *rsa.PrivateKey
	keyID       []byte
	name        []byte // DER of the subject
	service     []byte // DER of the alternative name
	certificate *x509.Certificate
	responder   func() (*responder, error)

	mu      sync.Mutex
	records map[string]*record // by serial number, hexadecimal
	changed map[string]change  // by DER of the partition's name
	signed  map[string]signedList
}

// newCA makes the CA of a generation. The certificate follows from the seed and the generation alone.
func newCA(j *JPKI, p profile, g generation, now func() time.Time) (*CA, error) {
	label := fmt.Sprintf("ca/%s/%s", p.label, g)
	c := &CA{
		profile: p, generation: g, now: now, key: j.Key(label),
		records: map[string]*record{}, changed: map[string]change{}, signed: map[string]signedList{},
	}
	c.keyID = keyID(&c.key.PublicKey)
	var err error
	if c.name, err = caName(p.unit); err != nil {
		return nil, err
	}
	if c.service, err = serviceName(p.service); err != nil {
		return nil, err
	}
	der, err := c.selfSign(g)
	if err != nil {
		return nil, err
	}
	if c.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, &Error{Reason: ReasonMalformed, Err: err}
	}
	c.responder = sync.OnceValues(func() (*responder, error) { return newResponder(c, j.Key(label+"/ocsp")) })
	return c, nil
}

// selfSign returns the CA certificate, with the extensions of the published ones in their order. It has no
// authorityKeyIdentifier and no certificatePolicies.
func (c *CA) selfSign(g generation) ([]byte, error) {
	var e extensions
	e.keyUsage(keyCertSign | cRLSign)
	e.altName(oidSubjectAltName(), c.service)
	e.basicConstraints()
	e.distributionPoint(c.name)
	e.subjectKeyID(&c.key.PublicKey)
	if e.err != nil {
		return nil, e.err
	}
	return template{
		serial: serialFrom(c.keyID, 0), issuer: c.name, subject: c.name,
		notBefore: g.notBefore(), notAfter: g.notAfter(), public: &c.key.PublicKey, extensions: e.list,
	}.certificate(c.key)
}

// Certificate returns the self-signed CA certificate. It is shared: do not modify it.
func (c *CA) Certificate() *x509.Certificate { return c.certificate }

// Policy returns the policy of the CA's certificates on cards, that of test cards of J-LIS: 1.2.392.200149.8.5.1.0.20
// for signing and 1.2.392.200149.8.5.1.0.30 for authentication, where production has 1.20 and 3.30 at the end.
func (c *CA) Policy() asn1.ObjectIdentifier { return slices.Clone(c.profile.policy) }

// PhonePolicy returns the policy of the CA's certificates on phones (スマホ用電子証明書), which is an assumption. Put it into
// [Faults] to issue one.
func (c *CA) PhonePolicy() asn1.ObjectIdentifier { return slices.Clone(c.profile.phone) }

// Key returns the CA's private key, which is as public as the seed: with it a test makes what this package refuses to
// make. It is shared: do not modify it.
func (c *CA) Key() *rsa.PrivateKey { return c.key }

// serialFrom derives a positive serial number of exactly four bytes.
func serialFrom(content []byte, attempt uint32) *big.Int {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(nil, attempt))
	h.Write(content)
	n := binary.BigEndian.Uint32(h.Sum(nil))
	// Neither a sign bit nor a leading zero byte.
	return big.NewInt(int64(n&0x3FFFFFFF | 0x40000000))
}
