package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	opIssuer = "https://op.example"
	clientID = "RP00000001"
	redirect = "https://shop.example/auth/callback"
	subject  = "2f9c1b0e-7d2f-4a0c-9a51-4a8f0a6f6c11"
	keyID    = "op-key"
	access   = "access-token-of-the-benchmark"
)

// provider is an OpenID provider in memory, as the transport of an HTTP client: no network, and nothing of its own work
// is done while a clock runs.
type provider struct {
	tb                               testing.TB
	method                           jwt.SigningMethod
	key                              crypto.Signer
	keys, discovery, token, userinfo []byte
}

func newProvider(tb testing.TB, algorithm string) *provider {
	tb.Helper()
	p := &provider{tb: tb, method: jwt.GetSigningMethod(algorithm)}
	jwk := map[string]any{"kid": keyID, "alg": algorithm, "use": "sig"}
	b64 := base64.RawURLEncoding.EncodeToString
	if algorithm == "ES256" {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			tb.Fatal(err)
		}
		p.key, jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = key, "EC", "P-256", b64(point[1:33]), b64(point[33:])
	} else {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			tb.Fatal(err)
		}
		p.key, jwk["kty"], jwk["n"], jwk["e"] = key, "RSA", b64(key.N.Bytes()), "AQAB"
	}
	p.keys = p.json(map[string]any{"keys": []any{jwk}})
	p.discovery = p.json(map[string]any{
		"issuer": opIssuer, "authorization_endpoint": opIssuer + "/auth", "token_endpoint": opIssuer + "/token",
		"userinfo_endpoint": opIssuer + "/userinfo", "jwks_uri": opIssuer + "/jwks",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported":            []string{algorithm},
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"token_endpoint_auth_signing_alg_values_supported": []string{algorithm},
	})
	p.userinfo = p.json(map[string]any{"sub": subject, "name": "試験　花子", "address": map[string]any{
		"formatted": "東京都清瀬市架空町１－２－３"}, "birthdate": "1988-02-29", "gender": "female"})
	return p
}

func (p *provider) json(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		p.tb.Fatal(err)
	}
	return text
}

// idToken signs an ID token as the service's are.
func (p *provider) idToken(nonce string) string {
	now := time.Now().Unix()
	half := sha256.Sum256([]byte(access))
	t := jwt.NewWithClaims(p.method, jwt.MapClaims{
		"iss": opIssuer, "aud": clientID, "azp": clientID, "sub": subject, "exp": now + 300, "iat": now,
		"auth_time": now - 5, "nonce": nonce, "acr": "aal3", "jti": "c0ffee", "typ": "ID", "sid": "0b1c",
		"at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
	})
	t.Header["kid"] = keyID
	text, err := t.SignedString(p.key)
	if err != nil {
		p.tb.Fatal(err)
	}
	return text
}

// prepare makes the answer of the token endpoint before a clock runs.
func (p *provider) prepare(nonce string) {
	p.token = p.json(map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300,
		"scope": "openid name address birthdate gender", "id_token": p.idToken(nonce)})
}

// RoundTrip answers.
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	body := p.keys
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		body = p.token
	case strings.HasSuffix(r.URL.Path, "/userinfo"):
		body = p.userinfo
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		body = p.discovery
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

// verification returns the floor of verifying a token: one hash and one signature.
func (p *provider) verification(token string) func() {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		p.tb.Fatal(err)
	}
	return func() {
		digest, good := sha256.Sum256([]byte(token[:dot])), false
		switch k := p.key.(type) {
		case *rsa.PrivateKey:
			good = rsa.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest[:], signature) == nil
		case *ecdsa.PrivateKey:
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			good = ecdsa.Verify(&k.PublicKey, digest[:], r, s)
		}
		if !good {
			p.tb.Fatal("bare")
		}
	}
}

// signature is the floor of signing a client assertion.
func (p *provider) signature() {
	digest := sha256.Sum256(make([]byte, 400))
	if _, err := p.key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		p.tb.Fatal(err)
	}
}
