package daa

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// keyring holds the service's two published keys: RSA for access tokens, P-256 for ID tokens.
type keyring struct {
	authorities *issuer.JPKI
	secret      [sha256.Size]byte // everything else derives from it
	access      jose.SigningKey

	mu         sync.Mutex
	id         jose.SigningKey
	generation uint64
}

// Labels of the RSA keys that the test JPKI derives for us from its seed.
const (
	accessLabel   = "service access token"
	operatorLabel = "operator"
	foreignLabel  = "foreign"
	strangerLabel = "stranger"
)

func newKeyring(authorities *issuer.JPKI) (*keyring, error) {
	key := authorities.Key(accessLabel)
	k := &keyring{authorities: authorities, secret: sha256.Sum256(key.D.Bytes())}
	var err error
	if k.access, err = namedKey(jose.SigningKey{Signer: key, Algorithm: jose.RS256}); err != nil {
		return nil, err
	}
	return k, k.rotate(false)
}

// derive is a keyed hash for one purpose.
func (k *keyring) derive(purpose string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(purpose))
	for _, p := range parts {
		mac.Write([]byte{0})
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// rotate replaces the ID token key; the old one is no longer published. The new one has a key id of its own unless
// keep.
func (k *keyring) rotate(keep bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, err := k.deriveEC("ID token", k.generation)
	if err != nil {
		return err
	}
	named, err := namedKey(jose.SigningKey{Signer: key, Algorithm: jose.ES256})
	if err != nil {
		return err
	}
	if keep {
		named.KeyID = k.id.KeyID
	}
	k.id = named
	k.generation++
	return nil
}

func (k *keyring) idKey() jose.SigningKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.id
}

func namedKey(k jose.SigningKey) (jose.SigningKey, error) {
	kid, err := jose.Thumbprint(k.Signer.Public())
	if err != nil {
		return jose.SigningKey{}, err
	}
	k.KeyID = kid
	return k, nil
}

// deriveEC derives a P-256 key. A scalar outside the group order is all but impossible; the counter makes it certain.
func (k *keyring) deriveEC(label string, generation uint64) (*ecdsa.PrivateKey, error) {
	var err error
	for counter := range uint64(8) {
		var key *ecdsa.PrivateKey
		scalar := k.derive(
			label,
			binary.BigEndian.AppendUint64(nil, generation),
			binary.BigEndian.AppendUint64(nil, counter),
		)
		if key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return key, nil
		}
	}
	return nil, err
}

// signAccessToken makes a JWT; relying parties must treat it as opaque.
func (k *keyring) signAccessToken(claims accessClaims, algorithm AccessTokenAlgorithm) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if algorithm == AccessTokenES256 {
		return jose.Sign(k.idKey(), "JWT", payload)
	}
	return jose.Sign(k.access, "JWT", payload)
}

// signIDToken signs as the knobs say.
func (k *keyring) signIDToken(claims map[string]any, knobs IDTokenKnobs) (string, error) {
	if knobs.RotateFirst {
		if err := k.rotate(knobs.RotationKeepsKeyID); err != nil {
			return "", err
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	key := k.idTokenKey(knobs)
	switch knobs.Fault {
	case FaultAlgNone:
		return rawToken("none", key.KeyID, payload, func(string) []byte { return nil })
	case FaultAlgHS256:
		secret, err := x509.MarshalPKIXPublicKey(key.Signer.Public())
		if err != nil {
			return "", err
		}
		return rawToken("HS256", key.KeyID, payload, func(input string) []byte {
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			return mac.Sum(nil)
		})
	case FaultForeignKey:
		return k.forge(key, payload)
	case FaultKeyType:
		wrong := k.idKey()
		wrong.KeyID = k.access.KeyID
		return jose.Sign(wrong, "JWT", payload)
	case FaultUnknownKeyID:
		key.KeyID = "unpublished"
	case FaultAccessTokenType:
		return jose.Sign(key, "at+jwt", payload)
	case FaultSignature:
		token, err := jose.Sign(key, "JWT", payload)
		if err != nil {
			return "", err
		}
		return flipSignatureBit(token)
	case FaultNone, FaultNonce, FaultIssuer, FaultAudience, FaultAccessTokenHash, FaultExpired, FaultFutureIssuedAt:
	}
	return jose.Sign(key, "JWT", payload)
}

// idTokenKey is the key that the knobs choose.
func (k *keyring) idTokenKey(knobs IDTokenKnobs) jose.SigningKey {
	key := k.idKey()
	switch alg := jose.Algorithm(knobs.Algorithm); alg {
	case jose.RS256, jose.PS256:
		key = k.access
		key.Algorithm = alg
	case jose.ES256, "":
	}
	if knobs.OmitKeyID {
		key.KeyID = ""
	}
	return key
}

// forge signs with a foreign key under the name of the real one.
func (k *keyring) forge(key jose.SigningKey, payload []byte) (string, error) {
	if _, isRSA := key.Signer.(*rsa.PrivateKey); isRSA {
		key.Signer = k.authorities.Key(foreignLabel)
	} else {
		foreign, err := k.deriveEC(foreignLabel, 0)
		if err != nil {
			return "", err
		}
		key.Signer = foreign
	}
	return jose.Sign(key, "JWT", payload)
}

// rawToken makes a JWS that no JOSE library should agree to make.
func rawToken(alg, kid string, payload []byte, sign func(input string) []byte) (string, error) {
	header := map[string]string{"alg": alg, "typ": "JWT"}
	if kid != "" {
		header["kid"] = kid
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	input := b64.EncodeToString(h) + "." + b64.EncodeToString(payload)
	return input + "." + b64.EncodeToString(sign(input)), nil
}

func flipSignatureBit(token string) (string, error) {
	dot := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return "", err
	}
	sig[len(sig)/2] ^= 1
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(sig), nil
}

// jwks encodes the published keys. The RSA key is listed for the algorithm that the knobs make ID tokens use.
func (k *keyring) jwks(idAlgorithm string, knobs KeyKnobs) ([]byte, error) {
	access, id := k.access.Public(), k.idKey().Public()
	if idAlgorithm == string(jose.PS256) {
		access.Algorithm = idAlgorithm
	}
	var list []jose.PublicKey
	for i := range knobs.More {
		other, err := k.deriveEC("more", uint64(i)) //nolint:gosec // not negative
		if err != nil {
			return nil, err
		}
		named, err := namedKey(jose.SigningKey{Signer: other, Algorithm: jose.ES256})
		if err != nil {
			return nil, err
		}
		list = append(list, named.Public())
	}
	if knobs.Decoys {
		decoys, err := k.decoys(access, id)
		if err != nil {
			return nil, err
		}
		list = append(list, decoys...)
	}
	list = append(list, access, id)
	if knobs.OmitKeyIDs {
		for i := range list {
			list[i].KeyID = ""
		}
	}
	set, err := jose.MarshalKeySet(list...)
	if err != nil || !knobs.UnknownTypes {
		return set, err
	}
	return withUnknownTypes(set, id.KeyID)
}

// decoys are foreign keys that a careless choice would take for the real ones.
func (k *keyring) decoys(access, id jose.PublicKey) ([]jose.PublicKey, error) {
	foreign, err := k.deriveEC("decoy", 0)
	if err != nil {
		return nil, err
	}
	ec, rsa := foreign.Public(), k.authorities.Key(foreignLabel).Public()
	return []jose.PublicKey{
		{Key: ec, KeyID: id.KeyID, Use: "enc"},
		{Key: ec, KeyID: id.KeyID, Use: "sig", Algorithm: "ES384"},
		{Key: rsa, KeyID: id.KeyID, Use: "sig", Algorithm: string(jose.RS256)},
		{Key: ec, KeyID: access.KeyID, Use: "sig", Algorithm: string(jose.ES256)},
		{Key: rsa, KeyID: access.KeyID, Use: "enc"},
		{Key: ec, KeyID: "decoy", Use: "sig", Algorithm: string(jose.ES256)},
	}, nil
}

// withUnknownTypes puts keys in front that have to be skipped, under the real key's id.
func withUnknownTypes(set []byte, kid string) ([]byte, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &doc); err != nil {
		return nil, err
	}
	var odd []json.RawMessage
	for _, members := range []map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, // RFC 8037, appendix A.2
		{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
		{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"},
		{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"kty": "RSA", "e": "AQAB"},
		{"kty": 7},
	} {
		members["kid"], members["use"] = kid, "sig"
		raw, err := json.Marshal(members)
		if err != nil {
			return nil, err
		}
		odd = append(odd, raw)
	}
	doc.Keys = append(odd, doc.Keys...)
	return json.Marshal(doc)
}
