package sigalg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestSoundRSA(t *testing.T) {
	key := func(bits uint, e int) *rsa.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: e}
	}
	for _, tc := range []struct {
		bits uint
		e    int
		want bool
	}{
		{limits.RSABitsMin, 65537, true}, {limits.RSABitsMax, 65537, true}, {limits.RSABitsMin - 1, 65537, false},
		{limits.RSABitsMax + 1, 65537, false}, {2048, 3, false}, {2048, 65536, false}, {2048, 65538, false},
		{2048, limits.RSAExponentMax - 1, true}, {2048, limits.RSAExponentMax + 1, false},
	} {
		if got := soundRSA(key(tc.bits, tc.e)); got != tc.want {
			t.Errorf("%d bits, exponent %d: %v", tc.bits, tc.e, got)
		}
	}
}

func identifier(t *testing.T, id asn1.ObjectIdentifier, parameters []byte) Identifier {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddBytes(parameters)
	})
	der := cryptobyte.String(b.BytesOrPanic())
	got, ok := Read(&der)
	if !ok || !der.Empty() {
		t.Fatal("not read")
	}
	return got
}

// TestAllowList: RFC 4055, section 5 (NULL, or absent for those who accept it) and RFC 5758, section 3.2 (absent).
func TestAllowList(t *testing.T) {
	null := []byte{5, 0}
	for _, row := range table {
		if got := identifier(t, row.ID, nil).Allowed(); got != row {
			t.Errorf("%v without parameters: %v", row.ID, got)
		}
		if got := identifier(t, row.ID, null).Allowed(); (got == row) != (row.key == familyRSA) {
			t.Errorf("%v with NULL: %v", row.ID, got)
		}
		if identifier(t, row.ID, []byte{4, 0}).Allowed() != nil ||
			identifier(t, row.ID, []byte{5, 1, 0}).Allowed() != nil {
			t.Errorf("%v with other parameters is allowed", row.ID)
		}
		if size := row.New().Size(); size != row.Hash.Size() {
			t.Errorf("%v: a hash of %d octets", row.ID, size)
		}
	}
	for name, id := range map[string]asn1.ObjectIdentifier{
		"MD5": {1, 2, 840, 113549, 1, 1, 4}, "SHA-1": {1, 2, 840, 113549, 1, 1, 5},
		"PSS": {1, 2, 840, 113549, 1, 1, 10}, "ECDSA with SHA-1": {1, 2, 840, 10045, 4, 1},
	} {
		if identifier(t, id, nil).Allowed() != nil {
			t.Errorf("%s is allowed", name)
		}
	}
}

func TestVerifyDigest(t *testing.T) {
	for _, tc := range []struct {
		curve elliptic.Curve
		want  bool
	}{{elliptic.P224(), false}, {elliptic.P256(), true}, {elliptic.P384(), true}, {elliptic.P521(), true}} {
		key, err := ecdsa.GenerateKey(tc.curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		h := ECDSAWithSHA384.New()
		digest := h.Sum(nil)
		signature, err := key.Sign(rand.Reader, digest, crypto.SHA384)
		if err != nil {
			t.Fatal(err)
		}
		if got := ECDSAWithSHA384.VerifyDigest(&key.PublicKey, digest, signature) == nil; got != tc.want {
			t.Errorf("%s: %v", tc.curve.Params().Name, got)
		}
		if got := ECDSAWithSHA384.Verify(&key.PublicKey, nil, signature) == nil; got != tc.want {
			t.Errorf("%s, message: %v", tc.curve.Params().Name, got)
		}
		for name, err := range map[string]error{
			"short digest":              ECDSAWithSHA384.VerifyDigest(&key.PublicKey, digest[:32], signature),
			"another hash":              ECDSAWithSHA256.Verify(&key.PublicKey, nil, signature),
			"another kind of key":       SHA384WithRSA.VerifyDigest(&key.PublicKey, digest, signature),
			"no row":                    (*Algorithm)(nil).Verify(&key.PublicKey, nil, signature),
			"nil key":                   ECDSAWithSHA384.VerifyDigest((*ecdsa.PublicKey)(nil), digest, signature),
			"RSA key without a modulus": SHA384WithRSA.VerifyDigest(&rsa.PublicKey{}, digest, signature),
		} {
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	}
}

// TestRSA: an RSA key verifies what a row for RSA says, and nothing under a row for ECDSA with the same hash.
func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, limits.RSABitsMin)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table {
		digest := row.New().Sum(nil)
		signature, err := rsa.SignPKCS1v15(nil, key, row.Hash, digest)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.VerifyDigest(&key.PublicKey, digest, signature) == nil; got != (row.key == familyRSA) {
			t.Errorf("%v: %v", row.ID, got)
		}
	}
}

// Where a form names key and hash apart, the row for RSA with the hash is found, and none for a hash that no row has.
func TestRSARowOfAHash(t *testing.T) {
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if row := RSA(hash); row == nil || row.Hash != hash || row.key != familyRSA {
			t.Errorf("%v: %+v", hash, row)
		}
	}
	for _, hash := range []crypto.Hash{0, crypto.SHA1, crypto.MD5} {
		if row := RSA(hash); row != nil {
			t.Errorf("%v: %v", hash, row.ID)
		}
	}
}
