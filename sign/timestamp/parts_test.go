package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// element encodes one element of DER.
func element(tag byte, parts ...[]byte) []byte {
	raw, err := asn1.Marshal(asn1.RawValue{
		Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: bytes.Join(parts, nil),
	})
	if err != nil {
		panic(err)
	}
	return raw
}

func encoded(v any) []byte {
	raw, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// identifier is an AlgorithmIdentifier.
func identifier(id asn1.ObjectIdentifier, parameters ...[]byte) []byte {
	return element(0x30, append([][]byte{encoded(id)}, parameters...)...)
}

// imprint is a MessageImprint.
func imprint(id asn1.ObjectIdentifier, digest []byte) []byte {
	return element(0x30, identifier(id), encoded(digest))
}

// genTime is a GeneralizedTime with any text.
func genTime(text string) []byte { return element(0x18, []byte(text)) }

// ess is signingCertificate or signingCertificateV2 over the elements of ESSCertIDs.
func ess(id asn1.ObjectIdentifier, certificates ...[]byte) []byte {
	return signeddata.Attribute(id, element(0x30, element(0x30, certificates...)))
}

var (
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidECDSA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSA384   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidSHA1       = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidMD5        = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidSHA3       = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 8}
	oidPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSigning    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidProtection = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	oidQualified  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
)

// parts are all that a response is written of, element by element.
type parts struct {
	status, infoBehind []byte // PKIStatusInfo, and what stands behind the token

	version, policy, imprint, serial, time, accuracy, ordering, nonce, name, extensions, behind []byte
	info                                                                                        []byte // all of them

	template   *x509.Certificate
	authority  *x509.Certificate // that issues it
	raw        []byte            // the certificate
	attributes [][]byte
	signed     []byte // the SET OF that is signed; nil: the attributes in DER

	contentType asn1.ObjectIdentifier
	content     []byte // [0] with TSTInfo
	dataVersion int
	hashes      []byte // SET OF
	more        []byte // [0] certificates
	lists       []byte // [1]

	signerVersion            int
	signer, hash, sent, sigs []byte // identifier, digest algorithm, [0] attributes, signature algorithm
	value                    []byte
	unsigned                 []byte
	signers                  func(one []byte) []byte
}

// stamp is what a row changes: before everything is written, when the certificate is there, and after signing.
type stamp struct{ before, issued, after func(*parts) }

// stampers is a root and the key of a timestamping certificate below it.
type stampers struct {
	root *x509.Certificate
	keys [2]*ecdsa.PrivateKey // of the root, of the authority
}

var elliptics = sync.OnceValue(func() *stampers {
	var s stampers
	for i := range s.keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		s.keys[i] = key
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"TSA-TEST"}, CommonName: "parts"},
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	s.root = s.issue(template, template, 0)
	return &s
})

// issue makes a certificate over one of the keys.
func (s *stampers) issue(template, authority *x509.Certificate, key int) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, template, authority, s.keys[key].Public(), s.keys[0])
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return c
}

// purposes is extKeyUsage.
func purposes(critical bool, ids ...asn1.ObjectIdentifier) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: encoded(ids)}
}

// respond writes a good response, changed.
func (s *stampers) respond(c stamp) []byte {
	digest := sha256.Sum256(message)
	p := &parts{
		status: element(0x30, encoded(0)), version: encoded(1), policy: encoded(timestamping.Policy()),
		imprint: imprint(signeddata.OIDOf(crypto.SHA256), digest[:]), serial: encoded(7),
		time: genTime("20261121030000Z"), nonce: encoded(big.NewInt(0x7eadbeef)),
		template: &x509.Certificate{
			SerialNumber: big.NewInt(3161), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
			Subject:  pkix.Name{Organization: []string{"TSA-TEST"}, CommonName: "stamping"},
			KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3},
			ExtraExtensions: []pkix.Extension{purposes(true, oidTimeStamping)},
		},
		authority: s.root, contentType: oidTSTInfo, dataVersion: 3, signerVersion: 1,
		hash: identifier(signeddata.OIDOf(crypto.SHA256)), sigs: identifier(oidECDSA256),
		signers: func(one []byte) []byte { return element(0x31, one) },
	}
	p.hashes = element(0x31, p.hash)
	apply := func(f func(*parts)) {
		if f != nil {
			f(p)
		}
	}
	apply(c.before)
	if p.info == nil {
		p.info = element(0x30, p.version, p.policy, p.imprint, p.serial, p.time, p.accuracy, p.ordering, p.nonce,
			p.name, p.extensions, p.behind)
	}
	issued := s.issue(p.template, p.authority, 1)
	p.raw = issued.Raw
	p.content = element(0xa0, element(0x04, p.info))
	p.more = element(0xa0, p.raw)
	p.signer = element(0x30, issued.RawIssuer, encoded(issued.SerialNumber))
	sum, named := sha256.Sum256(p.info), sha256.Sum256(p.raw)
	p.attributes = [][]byte{
		signeddata.Attribute(signeddata.OIDContentType, encoded(oidTSTInfo)),
		signeddata.Attribute(signeddata.OIDMessageDigest, encoded(sum[:])),
		ess(signeddata.OIDSigningCertificateV2, element(0x30, encoded(named[:]))),
	}
	apply(c.issued)
	if p.signed == nil {
		p.signed = signeddata.Set(p.attributes...)
	}
	over := sha256.Sum256(p.signed)
	value, err := s.keys[1].Sign(rand.Reader, over[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	p.value = encoded(value)
	p.sent = append([]byte{0xa0}, p.signed[1:]...)
	apply(c.after)
	one := element(0x30, encoded(p.signerVersion), p.signer, p.hash, p.sent, p.sigs, p.value, p.unsigned)
	data := element(0x30, encoded(p.dataVersion), p.hashes, element(0x30, encoded(p.contentType), p.content), p.more,
		p.lists, p.signers(one))
	token := element(0x30, encoded(signeddata.OIDSignedData), element(0xa0, data))
	return element(0x30, p.status, token, p.infoBehind)
}

// judge reads a response and verifies its token, as a client does.
func (s *stampers) judge(t *testing.T, response []byte, change func(*timestamp.VerifierConfig),
) (*timestamp.Timestamp, error) {
	t.Helper()
	anchor, err := certpath.ParseCertificate(s.root.Raw)
	if err != nil {
		t.Fatal(err)
	}
	c := timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{anchor}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
		MaxAccuracy: time.Minute,
	}
	if change != nil {
		change(&c)
	}
	v, err := timestamp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	token, err := timestamp.ParseResponse(response)
	if err != nil {
		return nil, err
	}
	return v.Verify(t.Context(), token, timestamp.Expect{Request: request(), NotBefore: now.Add(-5 * time.Minute)})
}
