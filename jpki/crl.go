package jpki

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// CRLs holds certificate revocation lists in memory and is a [RevocationSource]; safe for concurrent use. The zero value
// is an empty store.
//
// JPKI publishes a list per authority and municipality every day. The store keeps every list that it is given, so that
// earlier times can be verified; call [CRLs.Prune] to forget those that are over.
type CRLs struct {
	mu sync.RWMutex
	// byPoint finds lists by the issuer's key identifier and a distribution point ("" for lists without one), latest first.
	byPoint map[listKey][]*revocationList
	// series has the lists of one issuer key and scope, in the order of their numbers. State is never kept by name, because
	// generations of an authority share it.
	series map[listKey][]*revocationList
	count  int
	size   int64
}

type listKey struct{ keyID, point string }

// NewCRLs returns an empty store.
func NewCRLs() *CRLs { return &CRLs{} }

// Add parses a DER list and keeps a copy; its signature is checked against the issuer at its first use, and a list that
// fails the check is dropped then. Adding the same list again does nothing.
//
// Errors are [*Error]: [ReasonList] for a list that is malformed or can never decide here (no nextUpdate, cRLNumber or
// authorityKeyIdentifier; delta or indirect; for CA or attribute certificates only; with a critical extension that is not
// understood), [ReasonListRollback] for a list that is not newer than one of the same issuer key and scope in the store
// (RFC 5280, 5.2.3: numbers increase), [ReasonStoreFull] at the limit of the store. Add lists in the order in which
// they were issued. After an error the store is as before: a list that was in force stays in force until its nextUpdate,
// so treat an error as an alarm.
func (c *CRLs) Add(der []byte) error {
	l, err := parseList(der)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byPoint == nil {
		c.byPoint, c.series = map[listKey][]*revocationList{}, map[listKey][]*revocationList{}
	}
	series := c.series[l.seriesKey()]
	if n := len(series); n > 0 {
		newest := series[n-1]
		if bytes.Equal(newest.raw, l.raw) {
			return nil
		}
		if compareInteger(l.number, newest.number) <= 0 || l.thisUpdate.Before(newest.thisUpdate) {
			return &Error{Reason: ReasonListRollback, Step: "crl.number", Clause: "RFC 5280, 5.2.3"}
		}
	}
	if c.count >= limits.CRLLists || c.size+int64(len(l.raw)) > limits.CRLStore {
		return &Error{Reason: ReasonStoreFull, Step: "crl.store"}
	}
	c.series[l.seriesKey()] = append(series, l)
	for _, key := range l.pointKeys() {
		lists := append(slices.Clip(c.byPoint[key]), l)
		slices.SortStableFunc(lists, latestFirst)
		c.byPoint[key] = lists
	}
	c.count++
	c.size += int64(len(l.raw))
	return nil
}

// Prune forgets the lists whose nextUpdate lies before t and returns how many there were. Certificates can then no longer
// be verified by them at times before t. The newest list of each series stays, as the guard against a rollback.
func (c *CRLs) Prune(t time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var old []*revocationList
	for _, series := range c.series {
		for _, l := range series[:len(series)-1] {
			if l.nextUpdate.Before(t) {
				old = append(old, l)
			}
		}
	}
	for _, l := range old {
		c.remove(l)
	}
	return len(old)
}

// Len returns the number of lists in the store.
func (c *CRLs) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.count
}

// remove takes a list out; the caller holds the lock. Slices are replaced, never changed, because readers keep them.
func (c *CRLs) remove(l *revocationList) {
	without := func(lists []*revocationList) []*revocationList {
		return slices.DeleteFunc(slices.Clone(lists), func(x *revocationList) bool { return x == l })
	}
	key := l.seriesKey()
	rest := without(c.series[key])
	if len(rest) == len(c.series[key]) {
		return // somebody else was faster
	}
	if c.series[key] = rest; len(rest) == 0 {
		delete(c.series, key)
	}
	for _, key := range l.pointKeys() {
		if c.byPoint[key] = without(c.byPoint[key]); len(c.byPoint[key]) == 0 {
			delete(c.byPoint, key)
		}
	}
	c.count--
	c.size -= int64(len(l.raw))
}

// latestFirst orders lists. Two lists of one second are told apart by their numbers (RFC 5280, 5.2.3).
func latestFirst(a, b *revocationList) int {
	return cmp.Or(b.thisUpdate.Compare(a.thisUpdate), compareInteger(b.number, a.number))
}

func (l *revocationList) seriesKey() listKey {
	return listKey{string(l.authorityKeyID), string(l.scope.raw)}
}

func (l *revocationList) pointKeys() []listKey {
	if !l.scope.partitioned {
		return []listKey{{string(l.authorityKeyID), ""}}
	}
	keys := make([]listKey, 0, len(l.scope.points))
	for _, point := range l.scope.points {
		if key := (listKey{string(l.authorityKeyID), string(point)}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// candidates returns the lists of the issuer's key that cover the leaf, latest first: those without a distribution point,
// and those whose distribution point is one of the leaf's (RFC 5280, 6.3.3 (b)(2)(i)), compared as encoded.
func (c *CRLs) candidates(leaf *form, issuer *x509.Certificate) []*revocationList {
	keyID := string(issuer.SubjectKeyId)
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := c.byPoint[listKey{keyID, ""}]
	for _, point := range leaf.points.usable {
		lists := c.byPoint[listKey{keyID, string(point)}]
		switch {
		case len(found) == 0:
			found = lists
		case len(lists) > 0:
			found = slices.Concat(found, lists)
			slices.SortStableFunc(found, latestFirst)
		}
	}
	return found
}

// Check implements [RevocationSource]. A list counts when it is for the leaf (issuer name, key identifier and distribution
// point), is signed by the issuer, and the issuer may sign lists. Among the lists of one scope that are in force at q.At
// (thisUpdate ≤ t < nextUpdate) the latest is heard; if the lists heard differ, a revocation decides. Lists of a later time
// can only take away: one that shows a revocation effective at q.At, or because of a compromised key, decides.
//
// Without such a list the error is an [*Error] with [ReasonRevocationUnknown].
func (c *CRLs) Check(ctx context.Context, q RevocationQuery) (RevocationAnswer, error) {
	unknown := RevocationAnswer{Reason: reasonAbsent, Method: methodCRL}
	if err := ctx.Err(); err != nil {
		return unknown, unknownStatus("crl.context", "", err)
	}
	if !q.valid() || q.Leaf.form.x509.IsCA {
		return unknown, unknownStatus(stepRevocationQuery, "", nil)
	}
	// 6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is set."
	if q.Issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return unknown, unknownStatus("crl.issuer-key-usage", "RFC 5280, 6.3.3 (f)", nil)
	}
	var decided *RevocationAnswer
	var heard []listKey // series of which the latest list in force was heard
	for _, l := range c.candidates(q.Leaf.form, q.Issuer) {
		if !bytes.Equal(l.issuer, q.Issuer.RawSubject) || !c.signedBy(l, q.Issuer) {
			continue
		}
		later := l.thisUpdate.After(q.At)
		if !later {
			series := l.seriesKey()
			if !q.At.Before(l.nextUpdate) || slices.Contains(heard, series) {
				continue
			}
			heard = append(heard, series)
		}
		answer, listed := l.answer(q)
		switch {
		case answer.Status == Revoked || answer.Status == Hold:
			return answer, nil
		case listed && answer.Status == Unknown:
			return unknown, unknownStatus("crl.reason", clauseReasonCode, nil)
		case !later && answer.Status == Good && decided == nil:
			decided = &answer
		}
	}
	if decided == nil {
		return unknown, unknownStatus("crl.covering", "RFC 5280, 6.3.3", nil)
	}
	return *decided, nil
}

func unknownStatus(step, clause string, err error) error {
	return &Error{Reason: ReasonRevocationUnknown, Step: step, Clause: clause, Err: err}
}

// answer says what the list, which is for the leaf and in force or later, tells about q.At.
func (l *revocationList) answer(q RevocationQuery) (a RevocationAnswer, listed bool) {
	a = RevocationAnswer{
		Method: methodCRL, Reason: reasonAbsent, ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate, Evidence: l.raw,
	}
	e, listed := l.lookup(q.Leaf.form.serial)
	switch {
	case listed:
		a.Status, a.Reason, a.RevokedAt = e.statusAt(q.At), e.reason, e.date
	case !l.scope.someReasons:
		a.Status = Good
	}
	return a, listed
}

// trustMemo remembers the key under which a list's signature was verified, so that it is verified once.
type trustMemo struct {
	mu  sync.Mutex
	key []byte // RawSubjectPublicKeyInfo
}

// signedBy verifies the list's signature, once per key, and drops a list that fails: whoever put it there must not keep the
// genuine one out by its number.
func (c *CRLs) signedBy(l *revocationList, issuer *x509.Certificate) bool {
	l.trusted.mu.Lock()
	ok := l.trusted.key != nil && bytes.Equal(l.trusted.key, issuer.RawSubjectPublicKeyInfo)
	if !ok && l.algorithm.verify(issuer.PublicKey, l.tbs, l.signature) == nil {
		ok, l.trusted.key = true, issuer.RawSubjectPublicKeyInfo
	}
	l.trusted.mu.Unlock()
	if !ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(l)
	}
	return ok
}
