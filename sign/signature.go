package sign

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// The one kind of key that the card generation with bare-hash signatures has.
const (
	cardKeyBits     = 2048
	cardKeyExponent = 65537
)

// cardKey accepts RSA-2048 with e = 65537 only. A small or even exponent, or a modulus of another size, would change
// what the padding comparison proves.
func cardKey(public crypto.PublicKey) (*rsa.PublicKey, bool) {
	key, ok := public.(*rsa.PublicKey)
	if !ok || key == nil || key.N == nil || key.N.BitLen() != cardKeyBits || key.N.Bit(0) == 0 ||
		key.E != cardKeyExponent {
		return nil, false
	}
	return key, true
}

// representativeInRange enforces RFC 8017, 5.2.2, step 1. Without it sig + n would be a second spelling of sig.
func representativeInRange(key *rsa.PublicKey, signature []byte) bool {
	var n [cardKeyBits / 8]byte // what a card has, without an allocation
	if len(signature) != len(n) || key.N.BitLen() > cardKeyBits {
		return new(big.Int).SetBytes(signature).Cmp(key.N) < 0
	}
	return bytes.Compare(signature, key.N.FillBytes(n[:])) < 0
}

// verifySignature checks a signature whose size and range were checked. Nothing is recovered and scanned: the one
// encoded message that is right is built and compared in full, so that no freedom is left in padding or DigestInfo.
func verifySignature(key *rsa.PublicKey, mode Mode, digest [sha256.Size]byte, signature []byte) bool {
	switch mode {
	case ModeDigestInfo:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case ModeBareHash:
		return verifyBareHash(key, digest, signature)
	case ModeUnknown:
	}
	return false
}

// verifyBareHash is RSASSA-PKCS1-v1_5 without a DigestInfo: crypto/rsa offers it as hash 0, which panics when the
// program runs under GODEBUG=fips140=only.
func verifyBareHash(key *rsa.PublicKey, digest [sha256.Size]byte, signature []byte) bool {
	if len(signature) != key.Size() || !representativeInRange(key, signature) {
		return false
	}
	if fips140.Enforced() {
		return compareBareHash(key, digest, signature)
	}
	return rsa.VerifyPKCS1v15(key, crypto.Hash(0), digest[:], signature) == nil
}

// compareBareHash is the public-key operation and comparison by hand. Only public values take part, so math/big's
// timing reveals nothing.
func compareBareHash(key *rsa.PublicKey, digest [sha256.Size]byte, signature []byte) bool {
	s := new(big.Int).SetBytes(signature)
	m := s.Exp(s, big.NewInt(int64(key.E)), key.N)
	return bytes.Equal(m.FillBytes(make([]byte, key.Size())), encodedMessage(key.Size(), digest[:]))
}

// encodedMessage builds EM = 00 01 FF…FF 00 T of k octets (RFC 8017, 9.2, steps 4 and 5).
func encodedMessage(k int, t []byte) []byte {
	em := bytes.Repeat([]byte{0xFF}, k)
	em[0], em[1] = 0x00, 0x01
	em[k-len(t)-1] = 0x00
	copy(em[k-len(t):], t)
	return em
}
