package revocation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// storedList is a verified list with what the store finds it by.
type storedList struct {
	list   *crl.List
	header *crl.Header
	// authority is the key (SubjectPublicKeyInfo) of the authority whose certificates the list is for: its own key signed
	// the list, or it issued signer.
	authority []byte
	signer    *form.Facts // nil: the authority itself
	series    seriesKey
	points    []listKey
	reasons   crl.Reasons
	indirect  bool
	spellings [][]byte // the authority's name, and other encodings of it that an indirect list has
	evidence  []byte
	file      string // index file; "" when there is none
}

// checkHeader refuses a list that could never decide anything here.
func checkHeader(h *crl.Header) error {
	switch {
	// 5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs." Without it nobody knows until when
	// the list may be believed.
	case h.NextUpdate.IsZero():
		return badList("next-update", "RFC 5280, 5.1.2.5")
	case len(h.AuthorityKeyID) == 0:
		return badList("authority-key-id", "RFC 5280, 5.2.1")
	case h.Number == nil:
		return badList("number", "RFC 5280, 5.2.3")
	// "If a CRL contains a critical extension that the application cannot process, then the application MUST NOT use that
	// CRL to determine the status of certificates."
	case len(h.UnknownCritical) > 0:
		return badList("critical-extensions", "RFC 5280, 5.2")
	case h.Scope == nil:
		return nil
	case h.Scope.OnlyCACerts || h.Scope.OnlyAttributeCerts:
		return badList("issuing-distribution-point", "RFC 5280, 5.2.5")
	case h.Scope.Name != nil:
		// JPKI's points are directory names; a list with other names only would be found by no certificate.
		if names, _ := form.DirectoryNames(h.Scope.Name.Names(h.Issuer)); len(names) == 0 || len(names) > limits.DistributionPoints {
			return badList("issuing-distribution-point", "RFC 5280, 5.2.5")
		}
	}
	return nil
}

func scopeOf(h *crl.Header) string {
	if h.Scope == nil {
		return ""
	}
	return string(h.Scope.Raw)
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
	// 6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is set."
	if bytes.Equal(h.Issuer, authority.Subject) && bytes.Equal(h.AuthorityKeyID, authority.SubjectKeyID) &&
		authority.SignsLists {
		l, err := u.Verify(ctx, authority.Key)
		if err == nil {
			return newStoredList(l, authority, nil), nil
		}
		unsigned = listError(err)
	}
	for _, s := range c.signers {
		if !bytes.Equal(h.Issuer, s.Subject) || !bytes.Equal(h.AuthorityKeyID, s.SubjectKeyID) || !issued(authority, s) {
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
	return err == nil && bytes.Equal(signer.Issuer, authority.Subject) && bytes.Equal(f.AuthorityKeyID, authority.SubjectKeyID) &&
		!f.Unprocessed && f.SignedBy(authority.Key)
}

func newStoredList(l *crl.List, authority, signer *form.Facts) *storedList {
	h := l.Header()
	key := l.KeySHA256()
	s := &storedList{
		list: l, header: h, authority: authority.KeyInfo, signer: signer, reasons: crl.AllReasons,
		series: seriesKey{string(key[:]), scopeOf(h), h.IsDelta()},
	}
	points := [][]byte{nil}
	if h.Scope != nil {
		s.reasons, s.indirect = h.Scope.OnlySomeReasons, h.Scope.Indirect
		if h.Scope.Name != nil {
			points, _ = form.DirectoryNames(h.Scope.Name.Names(h.Issuer))
		}
	}
	for _, point := range points {
		if key := (listKey{string(h.Issuer), string(point)}); !slices.Contains(s.points, key) {
			s.points = append(s.points, key)
		}
	}
	s.spellings = [][]byte{authority.Subject}
	if s.indirect {
		wanted := spelling(authority.Subject)
		for _, name := range l.CertificateIssuers() {
			if !bytes.Equal(name, authority.Subject) && spelling(name) == wanted {
				s.spellings = append(s.spellings, bytes.Clone(name))
			}
		}
	}
	s.evidence = s.evidenceOf(nil)
	return s
}

// lookup returns the entry of a certificate of the authority.
func (l *storedList) lookup(serial []byte) (crl.Entry, bool) {
	for _, name := range l.spellings {
		if e, found := l.list.Lookup(name, serial); found {
			return e, true
		}
	}
	return crl.Entry{}, false
}

// spelling is equal for names that RFC 5280, 7.1 takes for the same: string types, case and white space do not count. It is
// equal for a few more, which is on the safe side: an entry in an indirect list that may be for a certificate of the
// authority is one.
func spelling(name []byte) string {
	var out strings.Builder
	s := cryptobyte.String(name)
	var list, set, attribute, value cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return string(name)
	}
	for !list.Empty() {
		if !list.ReadASN1(&set, cbasn1.SET) {
			return string(name)
		}
		var parts []string
		for !set.Empty() {
			var id cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
				!attribute.ReadAnyASN1(&value, &tag) {
				return string(name)
			}
			text := strings.Map(func(r rune) rune {
				if r == 0 || unicode.IsSpace(r) { // BMPString and UniversalString have zeros
					return -1
				}
				return unicode.ToLower(r)
			}, string(value))
			parts = append(parts, fmt.Sprintf("%x=%q", []byte(id), text))
		}
		slices.Sort(parts)
		fmt.Fprintf(&out, "%q", parts)
	}
	return out.String()
}

// latestFirst orders lists. Two lists of one second are told apart by their numbers (RFC 5280, 5.2.3).
func latestFirst(a, b *storedList) int {
	return cmp.Or(b.header.ThisUpdate.Compare(a.header.ThisUpdate), crl.CompareNumbers(b.header.Number, a.header.Number))
}

const indexEnding = ".crlindex"

// persist writes the index file of a list and maps it into memory in place of the index there.
func (c *Store) persist(ctx context.Context, l *storedList) error {
	if c.config.Directory == "" {
		return nil
	}
	sum := l.list.SHA256()
	name := filepath.Join(c.config.Directory, hex.EncodeToString(sum[:])+indexEnding)
	if err := l.list.WriteFile(name); err != nil {
		return listError(err)
	}
	mapped, err := crl.OpenIndex(ctx, name, l.key(c))
	if err != nil {
		return listError(err)
	}
	l.list, l.header, l.file = mapped, mapped.Header(), name
	return nil
}

// key returns the public key that signed the list.
func (l *storedList) key(c *Store) any {
	if l.signer != nil {
		return l.signer.Key
	}
	for _, a := range c.authorities {
		if bytes.Equal(a.KeyInfo, l.authority) {
			return a.Key
		}
	}
	return nil
}

// forget removes the index file of a list that is not in the store any more.
func (l *storedList) forget() {
	if l.file != "" {
		_ = os.Remove(l.file) // a file that stays is read, and pruned, again
	}
}

// openDirectory opens the index files of lists of trusted authorities. A file that is not usable is passed over, because
// its list can be added again, and said so.
func (c *Store) openDirectory(ctx context.Context) error {
	entries, err := os.ReadDir(c.config.Directory)
	if err != nil {
		return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
	}
	var found []*storedList
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != indexEnding || !entry.Type().IsRegular() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
		}
		l, err := c.openIndex(ctx, filepath.Join(c.config.Directory, entry.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			c.config.Log.WarnContext(ctx, "index of a revocation list passed over", slog.String("file", entry.Name()), slog.Any("error", err))
		default:
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b *storedList) int { return latestFirst(b, a) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range found {
		if err := c.insertLocked(l); err != nil {
			c.config.Log.WarnContext(ctx, "index of a revocation list passed over", slog.String("file", filepath.Base(l.file)), slog.Any("error", err))
		}
	}
	return nil
}

// openIndex opens one index file under the key of an anchor or signer that its list names.
func (c *Store) openIndex(ctx context.Context, name string) (*storedList, error) {
	var failure error
	for _, authority := range c.authorities {
		for _, signer := range append([]*form.Facts{nil}, c.signers...) {
			key := authority.Key
			if signer != nil {
				if !issued(authority, signer) {
					continue
				}
				key = signer.Key
			}
			l, err := crl.OpenIndex(ctx, name, key)
			if err != nil {
				failure = listError(err)
				continue
			}
			who := authority
			if signer != nil {
				who = signer
			}
			h := l.Header()
			if !bytes.Equal(h.Issuer, who.Subject) || !bytes.Equal(h.AuthorityKeyID, who.SubjectKeyID) || !who.SignsLists {
				return nil, &Error{Reason: ReasonListSignature, Step: "crl.signature", Clause: "RFC 5280, 6.3.3 (f)"}
			}
			if err := checkHeader(h); err != nil {
				return nil, err
			}
			s := newStoredList(l, authority, signer)
			s.file = name
			return s, nil
		}
	}
	return nil, failure
}
