package revocation

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Store is a store of certificate revocation lists and a [Source]; safe for concurrent use. The zero value is an
// empty store that trusts whatever issuer a query names.
//
// JPKI publishes a list per authority and municipality every day. The store keeps the index of every list that it is
// given, at about 12 bytes per entry, so that earlier times can be verified; call [Store.Prune] to forget those that
// are over.
type Store struct {
	config               StoreConfig
	authorities, signers []*form.Facts

	mu sync.RWMutex
	// byPoint finds lists by their issuer's name and a distribution point ("" for lists without one), latest first.
	byPoint map[listKey][]*storedList
	// series has the lists of one key and scope in the order of their numbers. State is never kept by name, because
	// generations of an authority share it.
	series map[series][]*storedList
	// pending are lists that came before anybody said whom to trust, by their issuer's name. They decide nothing and
	// keep nothing out.
	pending map[string][]*crl.Unverified
	// direct has the lists that an authority signed itself, by its key, latest first: where its signers would be
	// revoked.
	direct map[string][]*storedList
	count  int
	size   int64
	// lost has, for each incomplete series, its newest list as the manifest knows it.
	lost map[series]*storedList
}

// StoreConfig says whom a store trusts and where it keeps its indexes.
type StoreConfig struct {
	// Authorities are those whose lists are taken. A list that none of them signed is refused when it is added, so that
	// it can never be in the way of a genuine one. None: lists are kept aside, unverified, until a query names a
	// trusted issuer.
	Authorities []*x509.Certificate
	// Signers are certificates of those who sign lists on behalf of an authority with a key of their own (RFC 5280, 5).
	// Each must be issued by the authority directly and must have keyUsage cRLSign; the others are refused.
	Signers []*x509.Certificate
	// Directory, when it is not empty, has an index file per list: they are mapped into memory instead of being held
	// there, and are there again after a restart. It must exist and be as well protected as the trust anchors.
	// Authorities are required.
	Directory string
	// OpenIncomplete opens a directory although the newest list of a series is missing or damaged, which is an error
	// otherwise: certificates that the list is for are Unknown until it, or a newer one, is added again; see
	// [Store.Incomplete].
	OpenIncomplete bool
	// Progress is called while a list is read; nil: not at all.
	Progress func(crl.Progress)
	// Log receives a warning for an index file that is not usable and is passed over; default: discarded.
	Log *slog.Logger
}

// OpenStore returns a store that trusts what the configuration says, with the lists of its directory. Errors are
// [*Error] with [ReasonConfiguration], [ReasonMalformed] or [ReasonListRead]; with [ReasonListIncomplete], one for each
// series, when the newest list of a series is not there: open the store with [StoreConfig.OpenIncomplete] and add that
// list again.
func OpenStore(ctx context.Context, c StoreConfig) (*Store, error) {
	store := &Store{config: c}
	if store.config.Log == nil {
		store.config.Log = slog.New(slog.DiscardHandler)
	}
	if c.Directory != "" && len(c.Authorities) == 0 {
		return nil, &Error{Reason: ReasonConfiguration, Step: "crl.directory"}
	}
	for _, authority := range c.Authorities {
		facts, err := factsOf(authority)
		if err != nil {
			return nil, err
		}
		store.authorities = append(store.authorities, facts)
	}
	for _, signer := range c.Signers {
		facts, err := factsOf(signer)
		if err != nil || !facts.SignsLists || len(facts.SubjectKeyID) == 0 ||
			len(signer.UnhandledCriticalExtensions) > 0 {
			return nil, &Error{Reason: ReasonConfiguration, Step: "crl.signer", Clause: "RFC 5280, 6.3.3 (f)"}
		}
		store.signers = append(store.signers, facts)
	}
	if c.Directory == "" {
		return store, nil
	}
	if err := store.openDirectory(ctx); err != nil {
		return nil, err
	}
	return store, nil
}

// factsOf reads a certificate of the configuration.
func factsOf(c *x509.Certificate) (*form.Facts, error) {
	if c == nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "crl.authority"}
	}
	f, err := form.Read(c.Raw)
	if err != nil {
		return nil, malformedCertificate(err)
	}
	return f.Facts(), nil
}

// Add takes a DER list of any size, read from r in one pass. A new list replaces the old one between two look-ups;
// until then the old one answers. Adding the same list again does nothing. The context is looked at between two reads.
//
// Errors are [*Error]: [ReasonList] for a list that is malformed or can never decide here (no nextUpdate, cRLNumber or
// authorityKeyIdentifier; for CA or attribute certificates only; with a critical extension that is not understood),
// [ReasonListSignature] for one that no trusted authority signed, [ReasonListRollback] for a list that is not newer
// than one of the same key and scope in the store (RFC 5280, 5.2.3: numbers increase), [ReasonStoreFull] at the limit
// of the store, [ReasonListRead] when it cannot be read or its index not be written. Add lists in the order in which
// they were issued. After an error the store is as before: a list that was in force stays in force until its
// nextUpdate, so treat an error as an alarm.
func (c *Store) Add(ctx context.Context, r io.Reader) error {
	u, err := crl.Read(ctx, r, crl.Options{Progress: c.config.Progress, Size: sizeOf(r)})
	if err != nil {
		return listError(err)
	}
	return c.take(ctx, u)
}

// sizeOf returns the size of a list if the reader knows it, for progress and for memory; 0: unknown.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil {
			return info.Size()
		}
	}
	return 0
}

// take verifies a list and puts it into the store, or puts it aside when nobody has said yet whom to trust.
func (c *Store) take(ctx context.Context, u *crl.Unverified) error {
	if err := checkHeader(u.Header()); err != nil {
		return err
	}
	if len(c.authorities) == 0 {
		return c.putAside(u)
	}
	var failure error
	for _, authority := range c.authorities {
		l, err := c.verify(ctx, u, authority)
		if err == nil {
			return c.insert(ctx, l)
		}
		if failure == nil || reasonOf(err) != ReasonListSignature {
			failure = err
		}
	}
	return failure
}

// claims reports whether the list says that it was signed by the authority, or by one of its signers.
func (c *Store) claims(h *crl.Header, authority *form.Facts) bool {
	if bytes.Equal(h.AuthorityKeyID, authority.SubjectKeyID) && bytes.Equal(h.Issuer, authority.Subject) {
		return true
	}
	return slices.ContainsFunc(c.signers, func(s *form.Facts) bool {
		return bytes.Equal(h.AuthorityKeyID, s.SubjectKeyID) && bytes.Equal(h.Issuer, s.Subject) &&
			bytes.Equal(s.Issuer, authority.Subject) && bytes.Equal(s.AuthorityKeyID, authority.SubjectKeyID)
	})
}

// verify checks the signature of a list, under the authority's own key or that of one of its signers.
func (c *Store) verify(ctx context.Context, u *crl.Unverified, authority *form.Facts) (*storedList, error) {
	h := u.Header()
	unsigned := error(&Error{Reason: ReasonListSignature, Step: "crl.signature", Clause: "RFC 5280, 6.3.3 (g)"})
	// 6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is
	// set."
	if bytes.Equal(h.Issuer, authority.Subject) && bytes.Equal(h.AuthorityKeyID, authority.SubjectKeyID) &&
		authority.SignsLists {
		l, err := u.Verify(ctx, authority.Key)
		if err == nil {
			return newStoredList(l, authority, nil), nil
		}
		unsigned = listError(err)
	}
	for _, s := range c.signers {
		if !bytes.Equal(h.Issuer, s.Subject) || !bytes.Equal(h.AuthorityKeyID, s.SubjectKeyID) ||
			!issued(authority, s) {
			continue
		}
		l, err := u.Verify(ctx, s.Key)
		if err == nil {
			return newStoredList(l, authority, s), nil
		}
		unsigned = listError(err)
	}
	return nil, unsigned
}

// issued reports whether the authority issued the signer's certificate, by name, key identifier and signature.
func issued(authority, signer *form.Facts) bool {
	f, err := form.Read(signer.DER)
	return err == nil && bytes.Equal(signer.Issuer, authority.Subject) &&
		bytes.Equal(f.AuthorityKeyID, authority.SubjectKeyID) &&
		!f.Unprocessed &&
		f.SignedBy(authority.Key)
}

// putAside keeps an unverified list until an issuer is known.
func (c *Store) putAside(u *crl.Unverified) error {
	name := string(u.Header().Issuer)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.pending[name] {
		if other.SHA256() == u.SHA256() {
			return nil
		}
	}
	for key, series := range c.series {
		if key.scope != scopeOf(u.Header()) || key.delta != u.Header().IsDelta() {
			continue
		}
		newest := series[len(series)-1]
		if newest.SHA256() == u.SHA256() {
			return nil
		}
		// A hint for whoever adds the lists; the guard that counts is behind the signature.
		if bytes.Equal(newest.header.AuthorityKeyID, u.Header().AuthorityKeyID) &&
			!newerThan(u.Header(), newest.header) {
			return errRollback()
		}
	}
	if c.count >= limits.CRLLists || c.size+u.Size() > limits.CRLStore {
		return errFull()
	}
	if c.pending == nil {
		c.pending = map[string][]*crl.Unverified{}
	}
	c.pending[name] = append(c.pending[name], u)
	c.count++
	c.size += u.Size()
	return nil
}

// settle verifies the lists that were put aside and may be for certificates of the issuer; one that fails is dropped.
func (c *Store) settle(ctx context.Context, issuer *form.Facts, names [][]byte) {
	var found []*crl.Unverified
	c.mu.RLock()
	if len(c.pending) > 0 {
		for _, name := range names {
			for _, u := range c.pending[string(name)] {
				if c.claims(u.Header(), issuer) {
					found = append(found, u)
				}
			}
		}
	}
	c.mu.RUnlock()
	if len(found) == 0 {
		return
	}
	var sound []*storedList
	for _, u := range found {
		if ctx.Err() != nil {
			return
		}
		l, err := c.verify(ctx, u, issuer)
		if err != nil && ctx.Err() != nil {
			return // the list stays for the next who asks
		}
		if err == nil {
			sound = append(sound, l)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range found {
		key := string(u.Header().Issuer)
		if at := slices.Index(c.pending[key], u); at >= 0 { // nobody else was faster
			c.count--
			c.size -= u.Size()
			if c.pending[key] = slices.Delete(slices.Clone(c.pending[key]), at, at+1); len(c.pending[key]) == 0 {
				delete(c.pending, key)
			}
		}
	}
	for _, l := range inOrder(sound) {
		_ = c.insertLocked(l) // one that is older than a list of the store is dropped
	}
}

// insert puts a verified list into the store.
func (c *Store) insert(ctx context.Context, l *storedList) error {
	c.mu.RLock()
	known, err := c.admit(l)
	lost := c.lost[l.series]
	c.mu.RUnlock()
	if known && lost == nil || err != nil { // nothing is written for a list that is not taken
		return err
	}
	if err := c.persist(ctx, l); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known { // only the manifest was missing
		c.find(l.series)
		return nil
	}
	err = c.insertLocked(l)
	if err != nil && !slices.ContainsFunc(c.series[l.series], func(o *storedList) bool { return o.file == l.file }) {
		l.forget()
	}
	return err
}

// admit says whether the list is the newest of its series already, or why it cannot come into the store; the caller
// holds the lock.
func (c *Store) admit(l *storedList) (known bool, err error) {
	if series := c.series[l.series]; len(series) > 0 {
		newest := series[len(series)-1]
		if newest.SHA256() == l.SHA256() {
			return true, nil
		}
		if !newerThan(l.header, newest.header) {
			return false, errRollback()
		}
	}
	if lost := c.lost[l.series]; lost != nil && !newerThan(l.header, lost.header) &&
		crl.CompareNumbers(l.header.Number, lost.header.Number) != 0 {
		return false, errRollback()
	}
	if c.count >= limits.CRLLists || c.size+int64(l.IndexSize()) > limits.CRLStore {
		return false, errFull()
	}
	return false, nil
}

func (c *Store) insertLocked(l *storedList) error {
	if c.byPoint == nil {
		c.byPoint, c.series, c.direct = map[listKey][]*storedList{}, map[series][]*storedList{},
			map[string][]*storedList{}
	}
	if known, err := c.admit(l); known || err != nil {
		return err
	}
	c.find(l.series)
	c.series[l.series] = append(slices.Clip(c.series[l.series]), l)
	c.link(l)
	if l.signer == nil && len(c.signers) > 0 {
		c.direct[string(l.authority)] = append(slices.Clip(c.direct[string(l.authority)]), l)
	}
	c.count++
	c.size += int64(l.IndexSize())
	return nil
}

// link puts a list where it is looked for; unlink takes it away. The caller holds the lock. Slices are replaced, never
// changed, because readers keep them.
func (c *Store) link(l *storedList) {
	for _, key := range l.points {
		lists := append(slices.Clip(c.byPoint[key]), l)
		slices.SortStableFunc(lists, func(a, b *storedList) int { return latestFirst(&a.list, &b.list) })
		c.byPoint[key] = lists
	}
}

func (c *Store) unlink(l *storedList) {
	for _, key := range l.points {
		c.byPoint[key] = slices.DeleteFunc(slices.Clone(c.byPoint[key]), func(x *storedList) bool { return x == l })
		if len(c.byPoint[key]) == 0 {
			delete(c.byPoint, key)
		}
	}
}

// lose notes that the newest list of a series is not there.
func (c *Store) lose(l *storedList) {
	if c.lost == nil {
		c.lost = map[series]*storedList{}
	}
	if c.byPoint == nil {
		c.byPoint, c.series, c.direct = map[listKey][]*storedList{}, map[series][]*storedList{},
			map[string][]*storedList{}
	}
	c.lost[l.series] = l
	c.link(l)
}

// find is the opposite of lose: the series is whole again.
func (c *Store) find(s series) {
	if lost := c.lost[s]; lost != nil {
		delete(c.lost, s)
		c.unlink(lost)
	}
}

// Incomplete describes the series whose newest list is missing, as [*Error] with [ReasonListIncomplete].
func (c *Store) Incomplete() []error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []error
	for _, l := range c.lost {
		out = append(out, l.incomplete())
	}
	return out
}

func errFull() *Error { return &Error{Reason: ReasonStoreFull, Step: "crl.store"} }

func errRollback() *Error {
	return &Error{Reason: ReasonListRollback, Step: "crl.number", Clause: "RFC 5280, 5.2.3"}
}

// Prune forgets the lists whose nextUpdate lies before t and returns how many there were. Certificates can then no
// longer be verified by them at times before t. The newest list of each series stays, as the guard against a rollback.
// Lists that were put aside unverified and are over go, too.
func (c *Store) Prune(t time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	pruned := 0
	for key, series := range c.series {
		kept := slices.DeleteFunc(slices.Clone(series), func(l *storedList) bool {
			old := l != series[len(series)-1] && l.header.NextUpdate.Before(t)
			if old {
				c.remove(l)
				l.forget()
				pruned++
			}
			return old
		})
		c.series[key] = kept
	}
	for name, lists := range c.pending {
		kept := slices.DeleteFunc(slices.Clone(lists), func(u *crl.Unverified) bool {
			over := u.Header().NextUpdate.Before(t)
			if over {
				c.size -= u.Size()
			}
			return over
		})
		pruned += len(lists) - len(kept)
		c.count -= len(lists) - len(kept)
		if c.pending[name] = kept; len(kept) == 0 {
			delete(c.pending, name)
		}
	}
	return pruned
}

// remove takes a list out of the store; the caller holds the lock.
func (c *Store) remove(l *storedList) {
	c.unlink(l)
	if key := string(l.authority); len(c.direct[key]) > 0 {
		c.direct[key] = slices.DeleteFunc(slices.Clone(c.direct[key]), func(x *storedList) bool { return x == l })
	}
	c.count--
	c.size -= int64(l.IndexSize())
}

// Len returns the number of lists in the store, those that were put aside included.
func (c *Store) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.count
}
