package revocation

import (
	"context"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Defaults of OCSPConfig.
const (
	defaultOCSPSkew = 2 * time.Minute
	// The responders' data is renewed every 15 minutes.
	defaultOCSPMaxAge = 20 * time.Minute
)

// Responder carries an OCSP request to a responder and its answer back, both in DER. The one over HTTP is package
// jpki/revocation/responder; this package itself links no HTTP client, so that what only verifies links none. It must
// be safe for concurrent use.
type Responder interface {
	// Ask returns the answer as it came. Any error means that the responder cannot be had now; the answer itself is
	// judged by [OCSP].
	Ask(ctx context.Context, request []byte) ([]byte, error)
}

// OCSPConfig configures a client of an OCSP responder.
type OCSPConfig struct {
	// Responder is where to ask. Required.
	Responder Responder
	// NoNonce sends no nonce and accepts responses made in advance. Without a nonce an old response can be replayed
	// until MaxAge.
	NoNonce bool
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Skew is how far the responder's clock may be off; default 2 min. Negative: 0.
	Skew time.Duration
	// MaxAge is the greatest age of thisUpdate and producedAt; default 20 min, because J-LIS renews the data behind its
	// responders every 15 min.
	MaxAge time.Duration
	// CertIDHash is crypto.SHA1 or crypto.SHA256. Default SHA-1, which RFC 5019, 2.1.1 demands, or SHA-256 when FIPS
	// 140-3 is enforced (GODEBUG=fips140=only), where SHA-1 is not available.
	CertIDHash crypto.Hash
	// CacheEntries is how many answers are kept and given again while they are fresh: until nextUpdate, and at most
	// MaxAge after thisUpdate and producedAt. Each query may cost a fee, and the responders' data changes every 15 min
	// only; but a revocation is then seen that much later. 0: none are kept.
	CacheEntries int
	// ResponderRevocation is asked about a responder's certificate that lacks id-pkix-ocsp-nocheck; nil refuses such a
	// responder. A CRL store will do.
	ResponderRevocation Source
}

// OCSP asks a responder and is a [Source]; safe for concurrent use.
type OCSP struct {
	config OCSPConfig
	cache  *ocspCache // nil: none
}

// NewOCSP validates the configuration. Errors are [*Error] with [ReasonConfiguration].
func NewOCSP(c OCSPConfig) (*OCSP, error) {
	refuse := func(step string) (*OCSP, error) {
		return nil, &Error{Reason: ReasonConfiguration, Step: "ocsp." + step}
	}
	if c.Responder == nil || isNil(c.Responder) {
		return refuse("responder")
	}
	if c.CertIDHash == 0 {
		c.CertIDHash = certIDHash()
	}
	if c.CertIDHash != crypto.SHA256 && (c.CertIDHash != crypto.SHA1 || fips140.Enforced()) {
		return refuse("cert-id-hash")
	}
	if c.CacheEntries < 0 || c.CacheEntries > limits.OCSPCache {
		return refuse("cache-entries")
	}
	if c.ResponderRevocation != nil && isNil(c.ResponderRevocation) {
		return refuse("responder-revocation")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Skew == 0 {
		c.Skew = defaultOCSPSkew
	}
	c.Skew = max(c.Skew, 0)
	if c.MaxAge <= 0 {
		c.MaxAge = defaultOCSPMaxAge
	}
	return &OCSP{config: c, cache: newOCSPCache(c.CacheEntries)}, nil
}

// Check implements [Source]. It makes one request, or none when the cache has a fresh answer. A response decides for
// q.At only if it covers that time; "good" for an earlier time cannot be had from a responder, use a CRL of that time.
//
// Errors are [*Error]: [ReasonResponderUnavailable] and [ReasonResponderRefused] as the responder says,
// [ReasonResponse] for a response that must not be trusted, [ReasonResponseStale] for one that is not current, and
// [ReasonStatusUnknown] when the responder does not know.
func (o *OCSP) Check(ctx context.Context, q Query) (Answer, error) {
	unknown := undecided(MethodOCSP)
	if !q.valid() {
		return unknown, unknownStatus(stepQuery, "", nil)
	}
	issuer := q.Issuer.known()
	id, err := newCertID(o.config.CertIDHash, q.Certificate.known(), issuer)
	if err != nil {
		return unknown, unknownStatus("ocsp.cert-id", "RFC 6960, 4.1.1", err)
	}
	p := acceptance{
		now:        o.config.Now(),
		skew:       o.config.Skew,
		maxAge:     o.config.MaxAge,
		responders: o.config.ResponderRevocation,
	}
	key := o.cache.key(&id, issuer)
	if kept := o.cache.get(key, p.now); kept != nil {
		if answer, err := kept.answer(q.At, p); err == nil {
			return answer, nil
		}
	}
	if !o.config.NoNonce {
		p.nonce = make([]byte, nonceSize)
		_, _ = rand.Read(p.nonce) // never fails since Go 1.24
	}
	body, err := id.request(p.nonce)
	if err != nil {
		return unknown, unknownStatus("ocsp.request", "RFC 6960, 4.1.1", err)
	}
	der, err := o.config.Responder.Ask(ctx, body)
	if err != nil {
		return unknown, &Error{Reason: ReasonResponderUnavailable, Step: "ocsp.responder", Err: err}
	}
	if len(der) > limits.OCSPResponse {
		return unknown, &Error{Reason: ReasonResponderUnavailable, Step: "ocsp.size"}
	}
	p.now = o.config.Now()
	accepted, err := acceptResponse(ctx, der, []certID{id}, q, p)
	if err != nil {
		return unknown, err
	}
	answer, err := accepted.answer(q.At, p)
	if err == nil {
		o.cache.put(key, accepted, p)
	}
	return answer, err
}
