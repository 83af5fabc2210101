package revocation

import (
	"fmt"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

type listKey struct{ issuer, point string }

// storedList is a verified list of a store.
type storedList struct {
	list
	*signedList

	// authority is the key (SubjectPublicKeyInfo) of the authority whose certificates the list is for: its own key
	// signed the list, or it issued signer.
	authority []byte
	signer    *form.Facts // nil: the authority itself
	points    []listKey
	file      string // index file; "" when there is none
}

func newStoredList(l *crl.List, authority, signer *form.Facts) *storedList {
	h := l.Header()
	key := l.KeySHA256()
	s := &storedList{list: newList(h, string(key[:])), authority: authority.KeyInfo, signer: signer}
	s.signedList = newSignedList(l, s.list.indirect)
	s.points = pointsOf(h)
	return s
}

// pointsOf returns where a list is looked for.
func pointsOf(h *crl.Header) (keys []listKey) {
	own := [][]byte{nil}
	if h.Scope != nil && h.Scope.Name != nil {
		own, _ = form.DirectoryNames(h.Scope.Name.Names(h.Issuer))
	}
	for _, name := range own {
		if key := (listKey{string(h.Issuer), string(name)}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// incomplete names the series by what stands in its newest list.
func (l *storedList) incomplete() *Error {
	return &Error{
		Reason: ReasonListIncomplete,
		Step:   "crl.directory",
		Detail: fmt.Sprintf("series %s of the authority key %x: number %x of %s",
			l.series.name()[:16], l.header.AuthorityKeyID, l.header.Number, l.header.ThisUpdate.Format(time.RFC3339)),
	}
}
