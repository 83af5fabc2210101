package authn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// KeyRing holds the key that signs client assertions and the keys that are published beside it, so that the key can be
// changed while logins go on:
//
//  1. [KeyRing.Publish] the next key, or register it with the service, and wait until the service knows it.
//  2. [KeyRing.Activate] it: the next assertion is signed with it. The old one stays published, for assertions on the way.
//  3. [KeyRing.Retire] the old key after a few minutes.
//
// A KeyRing is an [http.Handler] that serves the public halves as a JWK Set, for a jwks_uri. It is safe for concurrent use
// and may be shared by clients. It redacts itself. Where several processes serve one application, all must publish a key
// before any activates it.
type KeyRing struct {
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
	return &Error{Reason: ReasonConfiguration, Check: "key ring", Err: mistake(text)}
}

// set checks and publishes the keys; the caller has mu or nobody else has r.
func (r *KeyRing) set(keys []Key) error {
	if len(keys) > limits.JWKSKeys {
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

// jwksCacheControl says how long others may keep the set: long enough to spare us their requests, short enough that a key
// that was published an hour ago is known everywhere.
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
