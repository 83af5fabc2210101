package authn

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// Algorithm is a JWS signature algorithm: ES256, RS256 or PS256. Others, HS256 and none among them, do not exist here.
type Algorithm string

// The algorithms (RFC 7518, section 3.1).
const (
	// ES256 is ECDSA with P-256 and SHA-256.
	ES256 = Algorithm(jose.ES256)
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256.
	RS256 = Algorithm(jose.RS256)
	// PS256 is RSASSA-PSS with SHA-256.
	PS256 = Algorithm(jose.PS256)
)

// Key signs client assertions. Make one with [LoadKey], [ParseKey], [NewKey] or [GenerateKey]; the zero Key is refused
// by [New]. It redacts itself.
type Key struct {
	redacted
	v redact.Value[jose.SigningKey]
}

// signing is the zero value for the zero Key.
func (k Key) signing() jose.SigningKey { return k.v.Reveal() }

// LoadKey reads a private key file: a JWK, or PEM with PKCS#8, PKCS#1 or SEC 1, unencrypted; RSA of at least 2048 bits
// or P-256. Errors have ReasonConfiguration and say what is wrong with the file, by the path that was given.
func LoadKey(path string) (Key, error) {
	b, err := readKeyFile(path)
	if err != nil {
		return Key{}, err
	}
	k, err := ParseKey(b)
	return k, inFile(err, path)
}

// ParseKey reads a private key as [LoadKey] does. The key id and the algorithm are the JWK's "kid" and "alg"; without
// "alg" an RSA key signs RS256 and a P-256 key ES256. PEM has no key id: none is sent, which is right while a single
// key is registered; see [Key.WithKeyID].
func ParseKey(b []byte) (Key, error) {
	k, err := jose.ParsePrivateKey(b)
	if err != nil {
		return Key{}, keyError(err)
	}
	return Key{v: redact.Seal(k)}, nil
}

// NewKey wraps any signer, e.g. a KMS or HSM, whose public key is RSA of at least 2048 bits (signs RS256, see
// [Key.WithAlgorithm]) or P-256 (signs ES256). The signer gets a SHA-256 digest with crypto.SHA256 as options, must be
// safe for concurrent use, and answers an ECDSA signature in ASN.1 form, as [crypto.Signer] describes. It gets no
// context: the client of a KMS needs a time limit of its own. kid may be empty.
func NewKey(signer crypto.Signer, kid string) (Key, error) {
	k := jose.SigningKey{Signer: signer, KeyID: kid, Algorithm: jose.ES256}
	if err := k.Check(); err != nil {
		k.Algorithm = jose.RS256
		if err := k.Check(); err != nil {
			return Key{}, keyError(err)
		}
	}
	return Key{v: redact.Seal(k)}, nil
}

// GenerateKey makes a software key, RSA-2048 for RS256 and PS256 and P-256 for ES256, whose key id is its
// [Key.SPKIHash]. Write it to a file with [Key.RevealJWK] or [Key.RevealPEM].
//
// An RSA key with this key id, or with none, is understood however it was registered: as PEM or as a JWK Set. A P-256
// key is smaller and faster, and should be registered as a JWK Set: as PEM, not every version of the service's software
// takes one. Errors have ReasonConfiguration, or ReasonKey if the key cannot be made.
func GenerateKey(alg Algorithm) (Key, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256, PS256:
		signer, err = rsa.GenerateKey(rand.Reader, limits.RSABitsMin)
	default:
		return Key{}, &Error{Reason: ReasonConfiguration, Step: "key algorithm"}
	}
	if err != nil {
		return Key{}, &Error{Reason: ReasonKey, Step: "generate", Err: err}
	}
	k := Key{v: redact.Seal(jose.SigningKey{Signer: signer, Algorithm: jose.Algorithm(alg)})}
	return k.WithKeyID(k.SPKIHash())
}

// SPKIHash is base64url(SHA-256(SubjectPublicKeyInfo)): the key id that Keycloak gives to a key that was registered as
// PEM. It is empty for the zero Key.
func (k Key) SPKIHash() string {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// WithAlgorithm returns the key for another algorithm, e.g. PS256 for an RSA key that was registered with it.
func (k Key) WithAlgorithm(alg Algorithm) (Key, error) {
	s := k.signing()
	s.Algorithm = jose.Algorithm(alg)
	if err := s.Check(); err != nil {
		return Key{}, keyError(err)
	}
	return Key{v: redact.Seal(s)}, nil
}

// WithKeyID returns the key under another key id; empty sends none. Which one is right depends on how the key was
// registered:
//
//   - As a JWK Set: the key id in it, whatever it is. With several keys (see [KeyRing]) each needs one.
//   - As PEM or a certificate: none, or [Key.SPKIHash]. Any other is refused ("Unable to load public key").
//   - Under a name that the service gave: that name.
func (k Key) WithKeyID(kid string) (Key, error) {
	s := k.signing()
	s.KeyID = kid
	if err := s.Check(); err != nil {
		return Key{}, keyError(err)
	}
	return Key{v: redact.Seal(s)}, nil
}

// Public returns the public half; nil for the zero Key.
func (k Key) Public() crypto.PublicKey {
	if k.signing().Signer == nil {
		return nil
	}
	return k.signing().Signer.Public()
}

// KeyID returns the key id; it may be empty.
func (k Key) KeyID() string { return k.signing().KeyID }

// Algorithm returns the algorithm that the key signs with.
func (k Key) Algorithm() Algorithm { return Algorithm(k.signing().Algorithm) }

// PublicJWKS returns the public half as a JWK Set, for the registration with the service or a jwks_uri.
func (k Key) PublicJWKS() ([]byte, error) {
	if k.signing().Signer == nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "no key"}
	}
	b, err := jose.MarshalKeySet(k.signing().Public())
	if err != nil {
		return nil, keyError(err)
	}
	return b, nil
}

// PublicPEM returns the public half as a PEM block (SubjectPublicKeyInfo), for the registration with the service.
func (k Key) PublicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "no key"}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// RevealPEM returns the private key as a PEM block (PKCS#8). It is an error for a key in a KMS or HSM. The key id is
// not part of the form; see [Key.RevealJWK].
func (k Key) RevealPEM() ([]byte, error) {
	switch k.signing().Signer.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return nil, &Error{Reason: ReasonConfiguration, Step: "the private key is not in software"}
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.signing().Signer)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "the private key cannot be encoded"}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// RevealJWK returns the private key as a JWK with key id and algorithm, which [LoadKey] reads back. It is an error for
// a key in a KMS or HSM.
func (k Key) RevealJWK() ([]byte, error) {
	b, err := jose.MarshalPrivateKey(k.signing())
	if err != nil {
		return nil, keyError(err)
	}
	return b, nil
}

// keyError keeps the constant text of package jose: it says what is wrong with the key.
func keyError(err error) error {
	text := err.Error()
	if j := (*jose.Error)(nil); errors.As(err, &j) && j.Detail != "" {
		text = j.Detail
	}
	return misconfigured("key", text)
}

// inFile names the file that the application asked for.
func inFile(err error, path string) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Step = "key file"
		e.Detail = strconv.Quote(path) + ": " + e.Detail
	}
	return err
}

// KeyRing holds the key that signs client assertions and the keys that are published beside it, so that the key can be
// changed while logins go on:
//
//  1. [KeyRing.Publish] the next key, or register it with the service, and wait until the service knows it.
//  2. [KeyRing.Activate] it: the next assertion is signed with it. The old one stays published, for assertions on the
//     way.
//  3. [KeyRing.Retire] the old key after a few minutes.
//
// A KeyRing is an [http.Handler] that serves the public halves as a JWK Set, for a jwks_uri. It is safe for concurrent
// use and may be shared by clients. It redacts itself. Where several processes serve one application, all must publish
// a key before any activates it.
type KeyRing struct {
	redacted
	mu    sync.Mutex // for changes
	state atomic.Pointer[ringState]
}

// ringState never changes.
type ringState struct {
	keys []Key // the active one first
	jwks []byte
	etag string
}

// NewKeyRing makes a ring with one active key and any number of further published ones. With more than one key, each
// needs a key id of its own: without, nobody could tell which one signed. Errors have ReasonConfiguration.
func NewKeyRing(active Key, published ...Key) (*KeyRing, error) {
	r := new(KeyRing)
	if err := r.set(append([]Key{active}, published...)); err != nil {
		return nil, err
	}
	return r, nil
}

func ringError(text string) error {
	return misconfigured("key ring", text)
}

// set checks and publishes the keys; the caller has mu or nobody else has r.
func (r *KeyRing) set(keys []Key) error {
	if len(keys) > limits.RingKeys {
		return ringError("too many keys")
	}
	public := make([]jose.PublicKey, len(keys))
	seen := make(map[string]bool, len(keys))
	for i, k := range keys {
		if err := k.signing().Check(); err != nil {
			return keyError(err)
		}
		if len(keys) > 1 && (k.KeyID() == "" || seen[k.KeyID()]) {
			return ringError("each of several keys needs a key id of its own")
		}
		seen[k.KeyID()] = true
		public[i] = k.signing().Public()
	}
	jwks, err := jose.MarshalKeySet(public...)
	if err != nil {
		return keyError(err)
	}
	sum := sha256.Sum256(jwks)
	r.state.Store(&ringState{keys: keys, jwks: jwks, etag: `"` + hex.EncodeToString(sum[:16]) + `"`})
	return nil
}

// load is an empty state for a ring that NewKeyRing did not make.
func (r *KeyRing) load() *ringState {
	if r != nil {
		if s := r.state.Load(); s != nil {
			return s
		}
	}
	return &ringState{keys: []Key{{}}, jwks: []byte(`{"keys":[]}`), etag: `""`}
}

// Active returns the key that signs now.
func (r *KeyRing) Active() Key { return r.load().keys[0] }

// KeyIDs returns the ids of all published keys, the active one first.
func (r *KeyRing) KeyIDs() []string {
	keys := r.load().keys
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.KeyID()
	}
	return ids
}

// Publish adds keys that do not sign yet. Errors have ReasonConfiguration and leave the ring as it was.
func (r *KeyRing) Publish(keys ...Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.set(append(slices.Clone(r.load().keys), keys...))
}

// Activate makes the published key with this id the one that signs. Errors have ReasonConfiguration.
func (r *KeyRing) Activate(kid string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := slices.Clone(r.load().keys)
	i := indexOfKey(keys, kid)
	if i < 0 {
		return ringError("no such key is published")
	}
	next := keys[i]
	return r.set(append([]Key{next}, slices.Delete(keys, i, i+1)...))
}

// Retire takes the key with this id out; the active one cannot be retired. Errors have ReasonConfiguration.
func (r *KeyRing) Retire(kid string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := slices.Clone(r.load().keys)
	switch i := indexOfKey(keys, kid); i {
	case -1:
		return ringError("no such key is published")
	case 0:
		return ringError("the active key cannot be retired: activate another one before")
	default:
		return r.set(slices.Delete(keys, i, i+1))
	}
}

func indexOfKey(keys []Key, kid string) int {
	return slices.IndexFunc(keys, func(k Key) bool { return k.KeyID() == kid })
}

// PublicJWKS returns the public halves of all keys as a JWK Set (RFC 7517, section 5).
func (r *KeyRing) PublicJWKS() []byte { return bytes.Clone(r.load().jwks) }

// jwksCacheControl says how long others may keep the set: long enough to spare us their requests, short enough that a
// key that was published an hour ago is known everywhere.
const jwksCacheControl = "public, max-age=900"

// ServeHTTP serves the JWK Set: GET and HEAD, public keys only, to be cached for 15 minutes, with an ETag.
func (r *KeyRing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	s := r.load()
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json") // RFC 7517, section 8.5.2
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", jwksCacheControl)
	h.Set("ETag", s.etag)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(s.jwks)) // answers If-None-Match and HEAD
}
