package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, cardKeyBits)
	if err != nil {
		panic(err)
	}
	return key
})

// rawSign applies the private key to an encoded message, as a card does, without any check of what is in it.
func rawSign(key *rsa.PrivateKey, em []byte) []byte {
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

func signIn(t testing.TB, key *rsa.PrivateKey, mode Mode, doc string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(doc))
	hash := crypto.SHA256
	if mode == ModeBareHash {
		hash = crypto.Hash(0)
	}
	sig, err := rsa.SignPKCS1v15(nil, key, hash, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// Signatures over 利用規約に同意します。 made by OpenSSL 3.0 (pkeyutl -sign without and dgst -sha256 -sign with a
// DigestInfo), so that both modes are checked against an implementation that is not Go's.
const (
	openSSLModulus = "c1ebcbd8fb8597bea0bb205e070d1f4a536eedf29db5274556a369c1d958223e48edc9ffc98857aa4454ca05abc12ca15876bf6cc6a984dd5f1ad5ead3b45561c6898b56f7fa7ab1d43f113be66d3dbbbe126d4d334386cc0a9f31dfa6c67e033bcbaf5ad3d7f5c8f034f4b7aaa5df835f6069b3c5ea1d4743de720b72719a975dfa46c702809252a2d23e1f834de32e6b81c08278d63dd3c3fa25f24fd551b62bb6623e43543e8b3d841cbee385954cdc359bdab58527260a18f68ba7fe528f8934e2cc8fdb5dce621e060315e9a371246b912e2d3ee80395701f650b35dc19cb73373bc886b6d792906caf79733ca1640adea86398f76ef62418645b315313"
	openSSLBare    = "8aa65e3dfcec69b6355335fe9b24c860a6523a5c9be4227290d5c5e975ca45e1f14e057094352f4f9a601e60101c26c0f90976f05e4a36ed8d837a7dd0c377d79acf1b6d182f611a80effd01940d7e16d2c80a5e6186c578e3b2420e3d8fdeaeda8bd2770041467da39f0c37112299c9f688605310b8a193a8d9bb2934b283f485d698c54640936a8ad6702c6f6b9ae31fdf1e9f8b8d926288f51499ae948a86eb5bd73b1eedc0ef97e22b977197019e0da4a0ff0fda7fbddd4ea196cd14f68059093c33a0790d44a528a79e58249b0da9735591bd92573d08042ffc81d339b6226574dc01e0102007ae04e83199375a7c41b2230c8937ebd4377c85cba838b4"
	openSSLInfo    = "0970a7f75d2b5fada6223f7d8c789ae5a079b390a998948ad45114c18fa45231d78256669b89bfc652b27018e0a3175abbaf3e21a3d581512e72543d9f785373fe4f2640fc118837b00f7f8bedb0a80b871b746ce386690ed4fa468c7f3a7c8c5d14c7ec5cc1bd280391e799c706fda20957f0450af464a804eaaf10362dc8ebe3134bbccbb36967a0792fdfe842a738bf2d1a6d9cfae383779164462d29dc614c49b27f644695377844788c3db36ebd17367c5e076c5f2072df17959796afd59a066685d8b676a69b6d43c18a1efe6978e7c73ca1d709c25d1112cecd7095056d03089f3c58663bc33aeccce43808f44addf995c5f30c3d1b2dbf967e3b663d"
	agreement      = "利用規約に同意します。"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPublishedVector(t *testing.T) {
	t.Parallel()
	digest := sha256.Sum256([]byte(agreement))
	if got := hex.EncodeToString(digest[:]); got != "5c8877caa2fdca2014424ba8bd7ab1fb12993b06a6787671ece0a84d176526b4" {
		t.Fatalf("digest %s", got)
	}
	for mode, want := range map[Mode]string{
		ModeBareHash:   "XIh3yqL9yiAUQkuovXqx+xKZOwameHZx7OCoTRdlJrQ=",
		ModeDigestInfo: "MDEwDQYJYIZIAWUDBAIBBQAEIFyId8qi/cogFEJLqL16sfsSmTsGpnh2cezgqE0XZSa0",
	} {
		if got := base64.StdEncoding.EncodeToString(mode.padded(digest)); got != want {
			t.Errorf("%s: got %s", mode, got)
		}
	}
}

func TestOpenSSLSignaturesAndCrossMode(t *testing.T) {
	t.Parallel()
	key, ok := cardKey(&rsa.PublicKey{N: new(big.Int).SetBytes(unhex(t, openSSLModulus)), E: cardKeyExponent})
	if !ok {
		t.Fatal("key refused")
	}
	digest := sha256.Sum256([]byte(agreement))
	altered := sha256.Sum256([]byte(agreement + " "))
	bare, info := unhex(t, openSSLBare), unhex(t, openSSLInfo)
	for _, c := range []struct {
		name      string
		mode      Mode
		digest    [32]byte
		signature []byte
		want      bool
	}{
		{"bare as bare", ModeBareHash, digest, bare, true},
		{"DigestInfo as DigestInfo", ModeDigestInfo, digest, info, true},
		{"bare as DigestInfo", ModeDigestInfo, digest, bare, false},
		{"DigestInfo as bare", ModeBareHash, digest, info, false},
		{"bare, altered document", ModeBareHash, altered, bare, false},
		{"DigestInfo, altered document", ModeDigestInfo, altered, info, false},
		{"no mode", ModeUnknown, digest, bare, false},
		{"a mode of the future", Mode(3), digest, info, false},
	} {
		if got := both(t, key, c.mode, c.digest, c.signature); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

// TestEncodingNegatives signs encoded messages that are nearly right. A verifier that recovers the message and searches
// it for the hash accepts many of these.
func TestEncodingNegatives(t *testing.T) {
	t.Parallel()
	key := testKey()
	digest := sha256.Sum256([]byte(agreement))
	info := ModeDigestInfo.padded(digest)
	em := func(t []byte) []byte { return encodedMessage(key.Size(), t) }
	edit := func(b []byte, f func([]byte)) []byte { c := bytes.Clone(b); f(c); return c }
	right := map[Mode][]byte{ModeBareHash: em(digest[:]), ModeDigestInfo: em(info)}

	noNull := append([]byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"), digest[:]...)
	longForm := append([]byte("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
		digest[:]...)
	innerLong := append([]byte("\x30\x32\x30\x81\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
		digest[:]...)
	longNull := append([]byte("\x30\x32\x30\x0e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x81\x00\x04\x20"),
		digest[:]...)
	indefinite := append(append([]byte("\x30\x80\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
		digest[:]...), 0, 0)
	sha512OID := edit(info, func(b []byte) { b[14] = 0x03 })
	parameters := append([]byte("\x30\x33\x30\x0f\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x02\x00\x00\x04\x20"),
		digest[:]...)

	cases := map[string][]byte{
		"DigestInfo without NULL":                  em(noNull),
		"DigestInfo with a long-form outer length": em(longForm),
		"DigestInfo with a long-form inner length": em(innerLong),
		"DigestInfo with a long-form NULL":         em(longNull),
		"DigestInfo of indefinite length":          em(indefinite),
		"DigestInfo naming another hash":           em(sha512OID),
		"DigestInfo with bytes in the NULL":        em(parameters),
		"DigestInfo followed by bytes":             em(append(bytes.Clone(info), 0, 0, 0)),
		"hash followed by a byte":                  em(append(bytes.Clone(digest[:]), 0)),
		"hash behind a zero byte":                  em(append([]byte{0}, digest[:]...)),
		"hash cut by one byte":                     em(digest[:31]),
		"hash as hexadecimal text":                 em([]byte(hex.EncodeToString(digest[:]))),
		"no hash":                                  em(nil),
	}
	for mode, good := range right {
		for name, f := range map[string]func([]byte){
			"block type 00":            func(b []byte) { b[1] = 0 },
			"block type 02":            func(b []byte) { b[1] = 2 },
			"leading byte 01":          func(b []byte) { b[0] = 1 },
			"padding byte FE first":    func(b []byte) { b[2] = 0xFE },
			"padding byte 00 in it":    func(b []byte) { b[40] = 0 },
			"padding byte FE last":     func(b []byte) { b[len(b)-len(mode.padded(digest))-2] = 0xFE },
			"separator FF":             func(b []byte) { b[len(b)-len(mode.padded(digest))-1] = 0xFF },
			"separator 01":             func(b []byte) { b[len(b)-len(mode.padded(digest))-1] = 1 },
			"hash with a flipped bit":  func(b []byte) { b[len(b)-1] ^= 1 },
			"hash with a flipped head": func(b []byte) { b[len(b)-32] ^= 0x80 },
		} {
			cases[mode.String()+": "+name] = edit(good, f)
		}
		// Short padding with the rest behind the hash (the forgery of e = 3 keys).
		t := mode.padded(digest)
		short := append(append([]byte{0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0}, t...),
			bytes.Repeat([]byte{0x5A}, 256)...)
		cases[mode.String()+": eight padding bytes, garbage behind"] = short[:key.Size()]
	}
	for name, encoded := range cases {
		if encoded[0] != 0 && new(big.Int).SetBytes(encoded).Cmp(key.N) >= 0 {
			continue // not a representative of this key at all
		}
		signature := rawSign(key, encoded)
		for _, mode := range []Mode{ModeBareHash, ModeDigestInfo} {
			if both(t, &key.PublicKey, mode, digest, signature) {
				t.Errorf("%s: accepted as %s", name, mode)
			}
		}
	}
	for mode, good := range right {
		if !both(t, &key.PublicKey, mode, digest, rawSign(key, good)) {
			t.Errorf("%s: the right encoding was refused", mode)
		}
	}
}

// TestSignatureValueNegatives varies the signature integer itself.
func TestSignatureValueNegatives(t *testing.T) {
	t.Parallel()
	key := testKey()
	n := key.N
	for _, mode := range []Mode{ModeBareHash, ModeDigestInfo} {
		digest := sha256.Sum256([]byte(agreement))
		good := signIn(t, key, mode, agreement)
		fill := func(i *big.Int) []byte { return i.FillBytes(make([]byte, key.Size())) }
		cases := map[string][]byte{
			"empty":            {},
			"short":            good[:len(good)-1],
			"long":             append([]byte{0}, good...),
			"trailing byte":    append(bytes.Clone(good), 0),
			"zero":             make([]byte, key.Size()),
			"one":              fill(big.NewInt(1)),
			"n":                fill(n),
			"n-1":              fill(new(big.Int).Sub(n, big.NewInt(1))),
			"all bits set":     bytes.Repeat([]byte{0xFF}, key.Size()),
			"negated (n-sig)":  fill(new(big.Int).Sub(n, new(big.Int).SetBytes(good))),
			"byte order":       reversed(good),
			"of another key":   signIn(t, otherKey(), mode, agreement),
			"of another text":  signIn(t, key, mode, agreement+"x"),
			"message, unmoved": encodedMessage(key.Size(), mode.padded(digest)),
		}
		for name, signature := range cases {
			if both(t, &key.PublicKey, mode, digest, signature) {
				t.Errorf("%s: %s accepted", mode, name)
			}
		}
		doc, alias := signatureWithAlias(t, key, mode)
		if d := sha256.Sum256([]byte(doc)); both(t, &key.PublicKey, mode, d, alias) {
			t.Errorf("%s: sig+n accepted: one signature would have two spellings", mode)
		}
		if representativeInRange(&key.PublicKey, alias) {
			t.Errorf("%s: sig+n counted as in range", mode)
		}
	}
}

// signatureWithAlias finds a document whose signature plus n still has the size of n.
func signatureWithAlias(t *testing.T, key *rsa.PrivateKey, mode Mode) (doc string, alias []byte) {
	t.Helper()
	for i := range 64 {
		doc = fmt.Sprintf("%s %d", agreement, i)
		sum := new(big.Int).SetBytes(signIn(t, key, mode, doc))
		if sum.Add(sum, key.N).BitLen() <= cardKeyBits {
			return doc, sum.FillBytes(make([]byte, key.Size()))
		}
	}
	t.Fatal("no signature small enough in 64 tries")
	return "", nil
}

var otherKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, cardKeyBits)
	if err != nil {
		panic(err)
	}
	return key
})

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i, c := range b {
		r[len(b)-1-i] = c
	}
	return r
}

func TestCardKey(t *testing.T) {
	t.Parallel()
	n := testKey().N
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string]crypto.PublicKey{
		"exponent 3":     &rsa.PublicKey{N: n, E: 3},
		"exponent 1":     &rsa.PublicKey{N: n, E: 1},
		"exponent 65539": &rsa.PublicKey{N: n, E: 65539},
		"1024 bits":      &rsa.PublicKey{N: new(big.Int).Rsh(n, 1024), E: cardKeyExponent},
		"3072 bits":      &rsa.PublicKey{N: new(big.Int).Lsh(n, 1024), E: cardKeyExponent},
		"2047 bits":      &rsa.PublicKey{N: new(big.Int).Rsh(n, 1), E: cardKeyExponent},
		"even modulus":   &rsa.PublicKey{N: new(big.Int).Sub(n, big.NewInt(1)), E: cardKeyExponent},
		"no modulus":     &rsa.PublicKey{E: cardKeyExponent},
		"nil":            (*rsa.PublicKey)(nil),
		"by value":       rsa.PublicKey{N: n, E: cardKeyExponent},
		"P-256":          &ec.PublicKey,
		"nothing":        nil,
	} {
		if _, ok := cardKey(public); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, ok := cardKey(&testKey().PublicKey); !ok {
		t.Error("a card's key was refused")
	}
}

const fipsChildEnv = "KAKUNIN_FIPS_CHILD"

// TestBothModesUnderFIPSOnly runs this test binary again under GODEBUG=fips140=only, where crypto/rsa panics on hash 0.
func TestBothModesUnderFIPSOnly(t *testing.T) {
	if os.Getenv(fipsChildEnv) != "" {
		fipsChild(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestBothModesUnderFIPSOnly$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", fipsChildEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "fips child done") {
		t.Fatalf("child: %v\n%s", err, out)
	}
}

func fipsChild(t *testing.T) {
	key, ok := cardKey(&rsa.PublicKey{N: new(big.Int).SetBytes(unhex(t, openSSLModulus)), E: cardKeyExponent})
	if !ok {
		t.Fatal("key refused")
	}
	digest, err := hashDocument(t.Context(), strings.NewReader(agreement), "document")
	if err != nil {
		t.Fatal(err)
	}
	if !panics(func() { _ = rsa.VerifyPKCS1v15(key, 0, digest[:], unhex(t, openSSLBare)) }) {
		t.Log("crypto/rsa no longer panics on hash 0 here; the comparison by hand may be given up")
	}
	for mode, signature := range map[Mode]string{ModeBareHash: openSSLBare, ModeDigestInfo: openSSLInfo} {
		if !both(t, key, mode, digest, unhex(t, signature)) {
			t.Errorf("%s refused", mode)
		}
		bad := unhex(t, signature)
		bad[200] ^= 1
		if both(t, key, mode, digest, bad) {
			t.Errorf("%s: altered signature accepted", mode)
		}
	}
	t.Log("fips child done")
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestModeText(t *testing.T) {
	t.Parallel()
	for _, m := range []Mode{ModeBareHash, ModeDigestInfo} {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Mode
		if err := json.Unmarshal(b, &back); err != nil || back != m {
			t.Errorf("%s came back as %v, %v", m, back, err)
		}
	}
	if _, err := json.Marshal(ModeUnknown); err == nil {
		t.Error("no mode was encoded")
	}
	for _, s := range []string{"", "unknown", "BARE-HASH", "1", "digest"} {
		var m Mode
		if err := m.UnmarshalText([]byte(s)); err == nil || m != ModeUnknown || reasonOf(err) != ReasonRequest {
			t.Errorf("%q: %v, %v", s, m, err)
		}
	}
}

func TestDocumentLimitAndFailure(t *testing.T) {
	t.Parallel()
	if _, err := hashDocument(t.Context(), nil, "x"); reasonOf(err) != ReasonRequest {
		t.Errorf("no reader: %v", err)
	}
	if _, err := hashDocument(t.Context(), io.MultiReader(strings.NewReader("a"), failing{}),
		"x"); reasonOf(err) != ReasonDocumentRead {
		t.Errorf("failing reader: %v", err)
	} else if strings.Contains(err.Error(), "secret") {
		t.Errorf("the reader's text leaks: %v", err)
	}
	// A document without an end is given up at the limit, not read for ever.
	if _, err := hashDocument(t.Context(), endless{}, "x"); reasonOf(err) != ReasonDocumentSize {
		t.Errorf("endless document: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := hashDocument(ctx, endless{cancel}, "x"); reasonOf(err) != ReasonInterrupted ||
		!errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// endless never ends; it calls the function, if there is one, with every read.
type endless []func()

func (e endless) Read(p []byte) (int, error) {
	for _, f := range e {
		f()
	}
	return len(p), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("cannot open secret/path") }

const testID = "37a52ac8-b232-ebac-a454-04d68916489f" // version nibble e, as in a published sample

const testJWE = "aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn"

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// reasonOf returns the reason of an error of package sign, ReasonUnknown for others.
func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ReasonUnknown
}

// both asks the path through crypto/rsa and the one of FIPS mode, which must agree on everything.
func both(tb testing.TB, key *rsa.PublicKey, mode Mode, digest [32]byte, signature []byte) bool {
	tb.Helper()
	got := verifySignature(key, mode, digest, signature)
	if mode == ModeBareHash && len(signature) == key.Size() && representativeInRange(key, signature) &&
		compareBareHash(key, digest, signature) != got {
		tb.Errorf("crypto/rsa says %v, the comparison by hand does not", got)
	}
	return got
}
