package timestamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
)

// Token is a timestamp token as it was read (RFC 3161, 2.4.2). Nothing of it is verified.
type Token struct {
	// Time is the authority's, in UTC; Accuracy by how much it may be off, zero when the token does not say.
	Time     time.Time
	Accuracy time.Duration
	// Policy is the one under which the token was made.
	Policy asn1.ObjectIdentifier
	// Hash and Digest say what was stamped.
	Hash   crypto.Hash
	Digest []byte
	// Serial is the token's number, big-endian.
	Serial []byte

	nonce  *big.Int
	raw    []byte
	data   *signeddata.SignedData
	signer *signeddata.Signer
}

// Raw returns a copy of the token in DER: a ContentInfo, as `openssl ts -token_in` reads it.
func (t *Token) Raw() []byte { return bytes.Clone(t.raw) }

// Certificates returns those that came with the token, in DER. Nothing in them is trusted.
func (t *Token) Certificates() [][]byte {
	list := make([][]byte, 0, len(t.data.Certificates))
	for _, raw := range t.data.Certificates {
		list = append(list, bytes.Clone(raw))
	}
	return list
}

var oidTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// Parse reads a token in DER, or in the BER that programs write which stream. Errors are [*Error] with
// [ReasonMalformed].
func Parse(raw []byte) (*Token, error) {
	malformed := func(step, detail string, err error) (*Token, error) {
		return nil, &Error{Reason: ReasonMalformed, Step: step, Clause: "RFC 3161, 2.4.2", Detail: detail, Err: err}
	}
	data, err := signeddata.Parse(raw)
	if err != nil {
		problem, _ := err.(signeddata.Problem) //nolint:errorlint // that package returns nothing else
		return malformed(stepForm.name, string(problem), err)
	}
	if !data.ContentType.Equal(oidTSTInfo) || data.Content == nil {
		return malformed(stepForm.name, "no TSTInfo inside", nil)
	}
	// "The time-stamp token MUST NOT contain any signatures other than the signature of the TSA"
	if len(data.Signers) != 1 {
		return malformed(stepForm.name, "not exactly one signer", nil)
	}
	t := &Token{raw: bytes.Clone(raw), data: data, signer: &data.Signers[0]}
	if !t.readInfo(data.Content) {
		return malformed(stepInfo.name, "", nil)
	}
	return t, nil
}

// readInfo reads TSTInfo.
func (t *Token) readInfo(content cryptobyte.String) bool {
	var info, imprint, digest, serial, skipped cryptobyte.String
	var version int
	var ordering, present bool
	if !content.ReadASN1(&info, cbasn1.SEQUENCE) || !content.Empty() || !info.ReadASN1Integer(&version) ||
		version != 1 ||
		!info.ReadASN1ObjectIdentifier(&t.Policy) || !info.ReadASN1(&imprint, cbasn1.SEQUENCE) {
		return false
	}
	id, ok := sigalg.Read(&imprint)
	if !ok || !imprint.ReadASN1(&digest, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return false
	}
	hash, err := signeddata.HashOf(id)
	if err != nil || len(digest) != hash.Size() || !info.ReadASN1(&serial, cbasn1.INTEGER) || len(serial) == 0 ||
		len(serial) > der.MaxSerial+1 { // "up to 160 bits", and a sign
		return false
	}
	t.Hash, t.Digest, t.Serial = hash, bytes.Clone(digest), bytes.Clone(serial)
	if t.Time, ok = readTime(&info); !ok || !t.readAccuracy(&info) || !der.ReadFlag(&info, &ordering, cbasn1.BOOLEAN) {
		return false
	}
	if info.PeekASN1Tag(cbasn1.INTEGER) {
		t.nonce = new(big.Int)
		if !info.ReadASN1Integer(t.nonce) {
			return false
		}
	}
	// The authority's name only repeats its certificate. Extensions have no meaning that is known here: a critical one
	// would have to be understood.
	var extensions cryptobyte.String
	if !info.ReadOptionalASN1(&skipped, &present, der.Tag0C) ||
		!info.ReadOptionalASN1(&extensions, &present, der.Tag1C) ||
		!info.Empty() {
		return false
	}
	if !present {
		return true
	}
	list, ok := der.ReadExtensionList(extensions)
	for i := range list {
		ok = ok && !list[i].Critical
	}
	return ok
}

// readTime reads genTime: GeneralizedTime in UTC with seconds and, without a zero at its end, a fraction (RFC 3161,
// 2.4.2).
func readTime(s *cryptobyte.String) (time.Time, bool) {
	var text cryptobyte.String
	if !s.ReadASN1(&text, cbasn1.GeneralizedTime) || !strings.HasSuffix(string(text), "Z") {
		return time.Time{}, false
	}
	whole, fraction, found := strings.Cut(strings.TrimSuffix(string(text), "Z"), ".")
	if found && (fraction == "" || len(fraction) > 9 || fraction[len(fraction)-1] == '0') {
		return time.Time{}, false
	}
	var nanoseconds, scale time.Duration = 0, time.Second
	for _, digit := range fraction {
		if digit < '0' || digit > '9' {
			return time.Time{}, false
		}
		scale /= 10
		nanoseconds += time.Duration(digit-'0') * scale
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(whole + "Z")) })
	seconds := cryptobyte.String(b.BytesOrPanic())
	t, ok := der.ReadGeneralizedTime(&seconds)
	return t.Add(nanoseconds), ok
}

// readAccuracy reads Accuracy: seconds, milliseconds and microseconds, each optional.
func (t *Token) readAccuracy(info *cryptobyte.String) bool {
	if !info.PeekASN1Tag(cbasn1.SEQUENCE) {
		return true
	}
	var accuracy cryptobyte.String
	if !info.ReadASN1(&accuracy, cbasn1.SEQUENCE) {
		return false
	}
	for _, part := range [...]struct {
		tag     cbasn1.Tag
		unit    time.Duration
		largest int64
	}{{cbasn1.INTEGER, time.Second, 1 << 31}, {der.Tag0, time.Millisecond, 999}, {der.Tag1, time.Microsecond, 999}} {
		var n int64
		if !accuracy.PeekASN1Tag(part.tag) {
			continue
		}
		if !accuracy.ReadASN1Int64WithTag(&n, part.tag) || n < 0 || n > part.largest {
			return false
		}
		t.Accuracy += time.Duration(n) * part.unit
	}
	return accuracy.Empty()
}

// stamping reports whether the certificate is for timestamping alone: extKeyUsage is critical and has that one purpose
// (RFC 3161, 2.3).
func stamping(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return false
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtKeyUsage) {
			return e.Critical
		}
	}
	return false
}

var (
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)
