package revocation

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

const indexEnding = ".crlindex"

// persist writes the index file of a list and maps it into memory in place of the index there.
func (c *Store) persist(ctx context.Context, l *storedList) error {
	if c.config.Directory == "" {
		return nil
	}
	sum := l.SHA256()
	name := filepath.Join(c.config.Directory, hex.EncodeToString(sum[:])+indexEnding)
	if err := l.WriteFile(name); err != nil {
		return listError(err)
	}
	mapped, err := crl.OpenIndex(ctx, name, l.key(c))
	if err != nil {
		return listError(err)
	}
	again := newSignedList(mapped, l.list.indirect)
	l.signedList, l.header, l.file = again, mapped.Header(), name
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
	slices.SortFunc(found, func(a, b *storedList) int { return latestFirst(&b.list, &a.list) })
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
