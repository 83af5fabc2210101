package revocation

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// ocspCache keeps accepted responses while they are fresh. The oldest makes room for a new one. A nil cache keeps
// nothing.
type ocspCache struct {
	mu      sync.Mutex
	entries map[cacheKey]cachedResponse
	order   []cacheKey // a ring of the keys in the order of their first insertion
	next    int
}

type cacheKey [sha256.Size]byte

type cachedResponse struct {
	response *acceptedResponse
	from     time.Time // when it was accepted; a clock that went back makes it unusable
	until    time.Time
}

func newOCSPCache(entries int) *ocspCache {
	if entries == 0 {
		return nil
	}
	return &ocspCache{entries: make(map[cacheKey]cachedResponse), order: make([]cacheKey, entries)}
}

// key names the certificate by its issuer's key and its serial number. The issuer's name alone would not do:
// authorities share names across generations.
func (c *ocspCache) key(id *certID, issuer *form.Facts) cacheKey {
	if c == nil {
		return cacheKey{}
	}
	h := sha256.New()
	h.Write(issuer.Subject)
	h.Write(issuer.KeyInfo) // both are DER: they end where they say
	h.Write(id.serial)
	return cacheKey(h.Sum(nil))
}

// get returns a fresh response or nil.
func (c *ocspCache) get(key cacheKey, now time.Time) *acceptedResponse {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.entries[key]
	if !ok || now.Before(kept.from) || !now.Before(kept.until) {
		return nil
	}
	return kept.response
}

// put keeps a response that was accepted at p.now.
func (c *ocspCache) put(key cacheKey, r *acceptedResponse, p acceptance) {
	if c == nil {
		return
	}
	until := r.single.thisUpdate.Add(p.maxAge)
	for _, limit := range [...]time.Time{r.producedAt.Add(p.maxAge), r.single.nextUpdate} {
		if !limit.IsZero() && limit.Before(until) {
			until = limit
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, renewed := c.entries[key]; !renewed {
		delete(c.entries, c.order[c.next])
		c.order[c.next] = key
		c.next = (c.next + 1) % len(c.order)
	}
	c.entries[key] = cachedResponse{response: r, from: p.now, until: until}
}
