package daa

import (
	"encoding/json"

	"github.com/kakunin-go/kakunin/internal/jose"
)

// KeyKnobs change the published JWK Set.
type KeyKnobs struct {
	// Decoys surrounds the real keys with others that share their key id but not their purpose, algorithm or type, and
	// with a key of the right kind under another id. A client has to choose by kid, alg, use and kty together.
	Decoys bool
	// UnknownTypes adds keys of types and curves that no client needs to know, a symmetric one and a broken one. They
	// must be skipped (RFC 7517, section 5).
	UnknownTypes bool
	// More is how many further ordinary keys are listed before the real ones.
	More int
	// OmitKeyIDs leaves kid out of every key.
	OmitKeyIDs bool
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
