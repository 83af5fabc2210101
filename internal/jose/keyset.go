package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// ParseKeySet decodes a JWK Set within limits.JWKS and limits.JWKSKeys.
//
// "Implementations SHOULD ignore JWKs within a JWK Set that use 'kty' values that are not understood, that are missing
// required members, or for which values are out of the supported ranges" (RFC 7517, section 5): such keys, weak ones,
// ones that carry a private part, and ones that are no object with unique members or are not UTF-8 are left out, and
// take no other key with them. The set itself must be one JSON object with one member "keys". A set in which no usable
// key is left is not an error here.
func ParseKeySet(b []byte) (KeySet, error) {
	if len(b) > limits.JWKS {
		return KeySet{}, fail(CheckSize, "key set")
	}
	entries, err := keySetEntries(b)
	if err != nil {
		return KeySet{}, err
	}
	if len(entries) > limits.JWKSKeys {
		return KeySet{}, fail(CheckSize, "number of keys")
	}
	var set KeySet
	for _, e := range entries {
		if k, err := parsePublicJWK(e); err == nil {
			set.Keys = append(set.Keys, k)
		}
	}
	return set, nil
}

// keySetEntries finds the keys of a set and reads nothing of them: each is judged by itself.
func keySetEntries(b []byte) ([]json.RawMessage, error) {
	bad := func() ([]json.RawMessage, error) {
		return nil, fail(CheckKeyForm, "the key set is not one JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return bad()
	}
	var keys json.RawMessage
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return bad()
		}
		// Whoever ignores case, or takes the first of two, must see the same keys.
		if text, _ := name.(string); strings.EqualFold(text, "keys") {
			if keys != nil || text != "keys" {
				return nil, fail(CheckKeyForm, "the key set has two members for its keys")
			}
			keys = value
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return bad()
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad()
	}
	var entries []json.RawMessage
	if len(keys) == 0 || keys[0] != '[' || json.Unmarshal(keys, &entries) != nil {
		return nil, fail(CheckKeyForm, "the key set has no array of keys")
	}
	return entries, nil
}

// jwkMembers is what is read of a JWK. Everything else (x5u, x5c, extensions) is dropped before the library sees it.
type jwkMembers struct {
	kty, crv, kid, alg, use string
	keyOps                  []string
	private                 bool
	members                 map[string]json.RawMessage
}

func readJWK(raw []byte) (jwkMembers, error) {
	m, err := strictjson.Object(raw)
	if err != nil {
		return jwkMembers{}, fail(CheckKeyForm, "the key is not one JSON object with unique members")
	}
	j := jwkMembers{members: m}
	for _, f := range [...]struct {
		name string
		to   *string
	}{{"kty", &j.kty}, {"crv", &j.crv}, {"kid", &j.kid}, {"alg", &j.alg}, {"use", &j.use}} {
		if raw, present := strictjson.Present(m, f.name); present {
			var ok bool
			if *f.to, ok = strictjson.String(raw); !ok {
				return jwkMembers{}, fail(CheckKeyForm, f.name+" is not a string")
			}
		}
	}
	if len(j.kid) > limits.KeyID {
		return jwkMembers{}, fail(CheckKeyForm, "kid is too long")
	}
	if raw, present := strictjson.Present(m, "key_ops"); present {
		var ok bool
		if j.keyOps, ok = operations(raw); !ok {
			return jwkMembers{}, fail(CheckKeyForm, "key_ops is not an array of strings")
		}
	}
	for _, name := range [...]string{"d", "k"} {
		raw, present := strictjson.Present(m, name)
		j.private = j.private || present && string(raw) != `""`
	}
	return j, nil
}

// operations reads key_ops. A string stands for its words; an empty list, which some servers write where they have
// nothing to say, says nothing.
func operations(raw json.RawMessage) (list []string, ok bool) {
	if one, isString := strictjson.String(raw); isString {
		list, ok = strings.Fields(one), true
	} else {
		list, ok = strictjson.Strings(raw)
	}
	if len(list) == 0 {
		list = nil
	}
	return list, ok
}

// maxExponentText is 8 bytes in base64url.
const maxExponentText = 11

// raw lets the library decode the numbers of an RSA or P-256 key into to (a pointer to an interface).
func (j jwkMembers) raw(to any, names ...string) error {
	switch {
	case j.kty == "RSA":
		// The library keeps the low 64 bits of a larger exponent: another key than the one that was published.
		if e, ok := strictjson.String(j.members["e"]); !ok || len(e) > maxExponentText {
			return fail(CheckKeyForm, "RSA exponent")
		}
		names = append(names, "n", "e")
	case j.kty == "EC" && j.crv == "P-256":
		names = append(names, "crv", "x", "y")
	default:
		return fail(CheckKeyForm, "neither RSA nor EC P-256"+accepted)
	}
	plain := map[string]json.RawMessage{"kty": j.members["kty"]}
	for _, n := range names {
		if v, present := j.members[n]; present {
			plain[n] = v
		}
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return fail(CheckKeyForm, "cannot be read")
	}
	k, err := jwk.ParseKey(b)
	if err != nil || k.Raw(to) != nil {
		return fail(CheckKeyForm, "cannot be read") // the library's text quotes the input
	}
	return nil
}

func parsePublicJWK(raw []byte) (PublicKey, error) {
	j, err := readJWK(raw)
	if err != nil {
		return PublicKey{}, err
	}
	if j.private {
		// A published private key verifies nothing any more.
		return PublicKey{}, fail(CheckKeyForm, "a private or symmetric key where a public one is expected")
	}
	var key any
	if err := j.raw(&key); err != nil {
		return PublicKey{}, err
	}
	if err := checkNew(key); err != nil {
		return PublicKey{}, err
	}
	use, err := j.purpose("verify")
	if err != nil {
		return PublicKey{}, err
	}
	return PublicKey{Key: key, KeyID: j.kid, Algorithm: j.alg, Use: use}, nil
}

// purpose joins "use" and "key_ops": "they SHOULD NOT be used together; however, if both are used, the information they
// convey MUST be consistent" (RFC 7517, section 4.3). signing is the operation that means "sig".
func (j jwkMembers) purpose(signing string) (string, error) {
	if j.use != "" && j.use != "sig" && j.use != "enc" {
		return "", fail(CheckKeyForm, "unknown use")
	}
	if j.keyOps == nil {
		return j.use, nil
	}
	use := "enc"
	if slices.Contains(j.keyOps, signing) {
		use = "sig"
	}
	if j.use != "" && j.use != use {
		return "", fail(CheckKeyForm, "use and key_ops contradict each other")
	}
	return use, nil
}

// publicJWK is the JSON form of a public key.
type publicJWK struct {
	KeyType   string `json:"kty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	KeyID     string `json:"kid,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

// MarshalKeySet encodes public keys as a JWK Set; private parts cannot be given.
func MarshalKeySet(keys ...PublicKey) ([]byte, error) {
	set := struct {
		Keys []publicJWK `json:"keys"`
	}{Keys: make([]publicJWK, 0, len(keys))}
	for _, k := range keys {
		j, err := encodePublic(k)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, j)
	}
	return json.Marshal(set)
}

func encodePublic(k PublicKey) (publicJWK, error) {
	j := publicJWK{Use: k.Use, Algorithm: k.Algorithm, KeyID: k.KeyID}
	if err := checkNew(k.Key); err != nil {
		return publicJWK{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		j.KeyType = "RSA"
		j.N, j.E = encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4 || X || Y
		if err != nil {
			return publicJWK{}, fail(CheckKeyForm, "the point is not on the curve")
		}
		j.KeyType, j.Curve = "EC", "P-256"
		j.X, j.Y = encode(point[1:33]), encode(point[33:])
	}
	return j, nil
}

// Equal reports whether both have the same key and the same metadata.
func (k PublicKey) Equal(o PublicKey) bool {
	if k.KeyID != o.KeyID || k.Algorithm != o.Algorithm || k.Use != o.Use {
		return false
	}
	return sameKey(k.Key, o.Key)
}

// sameKey compares the numbers alone.
func sameKey(a, b crypto.PublicKey) bool {
	e, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && e.Equal(b)
}
