package jose

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
)

// privateJWK is the JSON form of a private key (RFC 7518, sections 6.2.2 and 6.3.2).
type privateJWK struct {
	publicJWK
	D  string `json:"d"`
	P  string `json:"p,omitempty"`
	Q  string `json:"q,omitempty"`
	DP string `json:"dp,omitempty"`
	DQ string `json:"dq,omitempty"`
	QI string `json:"qi,omitempty"`
}

// MarshalPrivateKey encodes a software key as a private JWK that [ParsePrivateKey] reads back with its key id and
// algorithm. It is the only function of this package whose result holds a private part.
func MarshalPrivateKey(k SigningKey) ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	public, err := encodePublic(k.Public())
	if err != nil {
		return nil, err
	}
	j := privateJWK{publicJWK: public}
	encode := base64.RawURLEncoding.EncodeToString
	switch key := k.Signer.(type) {
	case *rsa.PrivateKey:
		if len(key.Primes) != 2 {
			return nil, fail(CheckKeyForm, "more than two primes")
		}
		key.Precompute()
		j.D, j.P, j.Q = encode(key.D.Bytes()), encode(key.Primes[0].Bytes()), encode(key.Primes[1].Bytes())
		j.DP, j.DQ, j.QI = encode(
			key.Precomputed.Dp.Bytes(),
		), encode(
			key.Precomputed.Dq.Bytes(),
		), encode(
			key.Precomputed.Qinv.Bytes(),
		)
	case *ecdsa.PrivateKey:
		d, err := key.Bytes() // as long as the curve's order
		if err != nil {
			return nil, fail(CheckKeyForm, "the private number is out of range")
		}
		j.D = encode(d)
	default:
		return nil, fail(CheckKeyForm, "the private key is not in software")
	}
	return json.Marshal(j)
}
