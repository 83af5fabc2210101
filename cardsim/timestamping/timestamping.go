// Package timestamping is a timestamp authority for tests (RFC 3161): what package sign/timestamp verifies, and what it
// has to refuse. Nothing here is valid for anything but tests: every private key follows from a seed that is public.
//
//	authority, err := timestamping.New(timestamping.Config{Now: clock})
//	server := httptest.NewServer(authority)
//	root, err := certpath.ParseCertificate(authority.Root().Raw)
//
// # Examples
//
// There is an example of [New].
//
// # Compatibility
//
// The keys of a seed never change, and tokens that one release made verify in every later one.
package timestamping

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
)

// Config configures an [Authority]. The zero value is useful.
type Config struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Seed makes the keys; "" is issuer.DefaultSeed. The same seed gives the same keys.
	Seed string
	// ECDSA signs with ECDSA on P-256; default RSA-2048.
	ECDSA bool
}

// Authority is a root with one timestamping certificate below it. It is safe for concurrent use.
type Authority struct {
	now       func() time.Time
	seed      string
	root      *x509.Certificate
	rootKey   crypto.Signer
	key       crypto.Signer
	algorithm *sigalg.Algorithm

	mu      sync.Mutex
	serial  int64
	revoked time.Time
}

// Policy is the one under which the authority stamps: an OID of the private range for examples.
func Policy() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 3161} }

var (
	oidTSTInfo      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

// certificateSerial is that of the timestamping certificate.
const certificateSerial = 3161

// New makes the authority. Its certificates are valid for the twenty years around the time.
func New(c Config) (*Authority, error) {
	a := &Authority{now: c.Now, seed: c.Seed, algorithm: sigalg.SHA256WithRSA}
	if a.now == nil {
		a.now = time.Now
	}
	if a.seed == "" {
		a.seed = issuer.DefaultSeed
	}
	a.rootKey, a.key = issuer.KeyFromSeed(a.seed, "timestamping root"), issuer.KeyFromSeed(a.seed, "timestamping")
	if c.ECDSA {
		secret := sha256.Sum256([]byte(a.seed + " timestamping"))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
		if err != nil {
			return nil, err
		}
		a.key, a.algorithm = key, sigalg.ECDSAWithSHA256
	}
	from, until := a.validity()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"JP"}, Organization: []string{"TSA-TEST"},
			CommonName: "root"},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SignatureAlgorithm: x509.SHA256WithRSA,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, a.rootKey.Public(), a.rootKey)
	if err != nil {
		return nil, err
	}
	a.root, err = x509.ParseCertificate(raw)
	return a, err
}

func (a *Authority) validity() (from, until time.Time) {
	year := a.now().Year()
	return time.Date(year-10, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+10, 12, 31, 23, 59, 59, 0, time.UTC)
}

// Root returns the anchor. It is shared: do not modify it.
func (a *Authority) Root() *x509.Certificate { return a.root }

// Revoke revokes the timestamping certificate at a time, for compromise of its key.
func (a *Authority) Revoke(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = at
}

// CRL returns the root's revocation list in DER.
func (a *Authority) CRL() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now().UTC().Truncate(time.Second)
	list := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now.Add(-time.Hour),
		NextUpdate: now.AddDate(0, 0, 7)}
	if !a.revoked.IsZero() {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{{
			SerialNumber: big.NewInt(certificateSerial), RevocationTime: a.revoked.UTC(),
			ReasonCode: issuer.KeyCompromise,
		}}
	}
	return x509.CreateRevocationList(rand.Reader, list, a.root, a.rootKey)
}

// Faults make tokens that a verifier has to refuse. The zero value changes nothing.
type Faults struct {
	// Failure refuses the request with this bit of PKIFailureInfo; 0 does not (0 itself is bad algorithm: use
	// [BadAlgorithm]).
	Failure int
	// Info changes the fields of TSTInfo before they are encoded.
	Info func(*Info)
	// Certificate changes the timestamping certificate before it is issued; Purposes is its extKeyUsage.
	Certificate func(*x509.Certificate)
	// Purposes replaces the purposes of the certificate, NotCritical makes the extension not critical.
	Purposes    []asn1.ObjectIdentifier
	NotCritical bool
	// Stranger issues the certificate with another root's key under the same name.
	Stranger bool
	// Attributes changes the list of signed attributes, elements in DER; nil leaves all out.
	Attributes func(list [][]byte, certificate []byte) [][]byte
	// WithoutCertificate leaves the certificate out of the token.
	WithoutCertificate bool
	// Signed changes what the token is written of, after signing.
	Signed func(*Signed)
}

// Signed are the parts of a token that a signature was made for, and the signature.
type Signed struct {
	ContentType asn1.ObjectIdentifier
	Content     []byte // TSTInfo in DER; nil leaves it out
	Value       []byte // of the signature
}

// BadAlgorithm stands for the first bit of PKIFailureInfo.
const BadAlgorithm = -1

// Info are the fields of TSTInfo.
type Info struct {
	Version int64
	Policy  asn1.ObjectIdentifier
	Hash    asn1.ObjectIdentifier
	Digest  []byte
	Serial  *big.Int
	// Time is the content of genTime.
	Time  string
	Nonce *big.Int
	// Rest is DER behind the nonce.
	Rest []byte
}

// Answer answers a TimeStampReq with a TimeStampResp, both in DER.
func (a *Authority) Answer(request []byte, f Faults) []byte {
	info, failure := a.read(request)
	if f.Failure != 0 {
		failure = max(f.Failure, 0)
	}
	if info == nil || f.Failure != 0 {
		return refusal(failure)
	}
	if f.Info != nil {
		f.Info(info)
	}
	token := a.token(info, f)
	if token == nil {
		return refusal(25)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		b.AddBytes(token)
	})
	return b.BytesOrPanic()
}

// refusal is PKIStatusInfo with "rejection" and a bit of PKIFailureInfo.
func refusal(bit int) []byte {
	bits := make([]byte, bit/8+1)
	bits[bit/8] = 0x80 >> (bit % 8)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(2)
			b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
				b.AddUint8(uint8(7 - bit%8))
				b.AddBytes(bits)
			})
		})
	})
	return b.BytesOrPanic()
}

// read reads a request; without information the bit says why it is refused.
func (a *Authority) read(request []byte) (*Info, int) {
	input := cryptobyte.String(request)
	var whole, imprint, digest cryptobyte.String
	var version int
	if !input.ReadASN1(&whole, cbasn1.SEQUENCE) || !input.Empty() || !whole.ReadASN1Integer(&version) || version != 1 ||
		!whole.ReadASN1(&imprint, cbasn1.SEQUENCE) {
		return nil, 5
	}
	id, ok := sigalg.Read(&imprint)
	if !ok || !imprint.ReadASN1(&digest, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return nil, 5
	}
	if hash, err := signeddata.HashOf(id); err != nil || len(digest) != hash.Size() {
		return nil, 0
	}
	info := &Info{Version: 1, Policy: Policy(), Hash: id.ID, Digest: digest}
	if whole.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) {
		var asked asn1.ObjectIdentifier
		if !whole.ReadASN1ObjectIdentifier(&asked) {
			return nil, 5
		}
		if !asked.Equal(Policy()) {
			return nil, 15
		}
	}
	if whole.PeekASN1Tag(cbasn1.INTEGER) {
		info.Nonce = new(big.Int)
		if !whole.ReadASN1Integer(info.Nonce) {
			return nil, 5
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial++
	info.Serial = big.NewInt(a.serial)
	info.Time = a.now().UTC().Format("20060102150405") + "Z"
	return info, 0
}

func (i *Info) marshal() []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(i.Version)
		b.AddASN1ObjectIdentifier(i.Policy)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(i.Hash) })
			b.AddASN1OctetString(i.Digest)
		})
		b.AddASN1BigInt(i.Serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(i.Time)) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // accuracy of 500 ms
			b.AddASN1Int64WithTag(500, der.Tag0)
		})
		if i.Nonce != nil {
			b.AddASN1BigInt(i.Nonce)
		}
		b.AddBytes(i.Rest)
	})
	return b.BytesOrPanic()
}

// token signs TSTInfo; nil when the faults cannot be encoded.
func (a *Authority) token(info *Info, f Faults) []byte {
	certificate, err := a.issue(f)
	if err != nil {
		return nil
	}
	content := info.marshal()
	contentType, _ := asn1.Marshal(oidTSTInfo)
	digest, _ := asn1.Marshal(signeddata.Sum(crypto.SHA256, content))
	type essCertID struct{ Hash []byte }
	named, _ := asn1.Marshal(struct{ Certs []essCertID }{[]essCertID{{signeddata.Sum(crypto.SHA256, certificate)}}})
	list := [][]byte{
		signeddata.Attribute(signeddata.OIDContentType, contentType),
		signeddata.Attribute(signeddata.OIDMessageDigest, digest),
		signeddata.Attribute(signeddata.OIDSigningCertificateV2, named),
	}
	if f.Attributes != nil {
		list = f.Attributes(list, certificate)
	}
	p := signeddata.Parts{
		ContentType: oidTSTInfo, Content: content, Certificate: certificate, Without: f.WithoutCertificate,
		Hash: crypto.SHA256, Algorithm: a.algorithm,
	}
	signed := content
	if len(list) > 0 {
		p.Attributes = signeddata.Set(list...)
		signed = p.Attributes
	}
	if p.Value, err = a.key.Sign(rand.Reader, signeddata.Sum(crypto.SHA256, signed), crypto.SHA256); err != nil {
		return nil
	}
	if f.Signed != nil {
		made := Signed{ContentType: p.ContentType, Content: p.Content, Value: p.Value}
		f.Signed(&made)
		p.ContentType, p.Content, p.Value = made.ContentType, made.Content, made.Value
	}
	return signeddata.Write(p)
}

// issue makes the timestamping certificate.
func (a *Authority) issue(f Faults) ([]byte, error) {
	from, until := a.validity()
	purposes := f.Purposes
	if purposes == nil {
		purposes = []asn1.ObjectIdentifier{oidTimeStamping}
	}
	value, err := asn1.Marshal(purposes)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(certificateSerial), NotBefore: from, NotAfter: until,
		Subject:  pkix.Name{Country: []string{"JP"}, Organization: []string{"TSA-TEST"}, CommonName: "timestamping"},
		KeyUsage: x509.KeyUsageDigitalSignature, SignatureAlgorithm: x509.SHA256WithRSA,
	}
	if len(purposes) > 0 {
		template.ExtraExtensions = []pkix.Extension{{Id: oidExtKeyUsage, Critical: !f.NotCritical, Value: value}}
	}
	if f.Certificate != nil {
		f.Certificate(template)
	}
	key := a.rootKey
	root := a.root
	if f.Stranger {
		key = issuer.KeyFromSeed(a.seed, "timestamping stranger")
		twin := *a.root
		twin.PublicKey = key.Public()
		root = &twin
	}
	return x509.CreateCertificate(rand.Reader, template, root, a.key.Public(), key)
}

// ServeHTTP answers requests as RFC 3161, 3.4 says.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || !strings.EqualFold(kind, "application/timestamp-query") {
		http.Error(w, "a timestamp query is expected", http.StatusBadRequest)
		return
	}
	request, err := io.ReadAll(io.LimitReader(r.Body, limits.TimestampRequest))
	if err != nil {
		http.Error(w, "the query cannot be read", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(a.Answer(request, Faults{}))
}
