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
	"strings"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

const indexEnding = ".crlindex"

// persist writes the index file of a list, maps it into memory in place of the index there, and then the manifest of
// its series. Another process may have written to the directory meanwhile: what it knows counts.
func (c *Store) persist(ctx context.Context, l *storedList) error {
	directory := c.config.Directory
	if directory == "" {
		return nil
	}
	unlock, err := lockDirectory(directory)
	if err != nil {
		return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
	}
	defer unlock()
	known, err := readManifest(directory, l.series.name())
	switch {
	case errors.Is(err, errManifest): // which the list that is being added makes anew
	case err != nil:
		return &Error{Reason: ReasonListRead, Step: "crl.manifest", Err: err}
	case known != nil && known.newer(l):
		return errRollback()
	}
	sum := l.SHA256()
	name := filepath.Join(directory, hex.EncodeToString(sum[:])+indexEnding)
	if what, err := os.Lstat(name); err == nil && what.IsDir() {
		// A repaired file system left a folder there. What is in it is the operator's.
		if err := os.Rename(name, name+".folder"); err != nil {
			return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
		}
	}
	if err := l.WriteFile(name); err != nil {
		return listError(err)
	}
	mapped, err := crl.OpenIndex(ctx, name, l.key(c))
	if err != nil {
		return listError(err)
	}
	next := manifestOf(l)
	if err := next.write(directory, l.series.name()); err != nil {
		_ = os.Remove(name) // the list does not count, and the next start must not find it
		return &Error{Reason: ReasonListRead, Step: "crl.manifest", Err: err}
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

// openDirectory opens the index files of lists of trusted authorities, and compares them with the manifests.
func (c *Store) openDirectory(ctx context.Context) error {
	unlock, err := lockDirectory(c.config.Directory)
	if err != nil {
		return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
	}
	defer unlock()
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
			c.passOver(ctx, entry.Name(), err)
		default:
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b *storedList) int { return latestFirst(&b.list, &a.list) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range found {
		if err := c.insertLocked(l); err != nil {
			c.passOver(ctx, filepath.Base(l.file), err)
		}
	}
	return c.compareManifests(ctx, entries)
}

// passOver says that a file is not usable.
func (c *Store) passOver(ctx context.Context, file string, err error) {
	c.config.Log.WarnContext(
		ctx,
		"index of a revocation list passed over",
		slog.String("file", file),
		slog.Any("error", err),
	)
}

// compareManifests finds the series whose newest list is not there. The caller holds the lock.
func (c *Store) compareManifests(ctx context.Context, entries []fs.DirEntry) error {
	adopt := true // a directory without manifests, from before there were any
	manifests := map[string]*manifest{}
	damaged := map[string]bool{}
	for _, entry := range entries {
		name, is := strings.CutSuffix(entry.Name(), manifestEnding)
		adopt = adopt && !is && entry.Name() != formatFile
		if !is {
			continue
		}
		m, err := readManifest(c.config.Directory, name)
		if err != nil {
			c.passOver(ctx, entry.Name(), err)
		}
		manifests[name], damaged[name] = m, err != nil
	}
	var incomplete []error
	lose := func(l *storedList) {
		c.lose(l)
		incomplete = append(incomplete, l.incomplete())
	}
	for s, lists := range c.series {
		newest := lists[len(lists)-1]
		m := manifests[s.name()]
		delete(damaged, s.name())
		switch {
		case m == nil && adopt, m != nil && !m.newer(newest) && m.List != hex.EncodeToString(sliceOf(newest.SHA256())):
			own := manifestOf(newest) // the process ended between index and manifest, or knew no manifests
			if err := own.write(c.config.Directory, s.name()); err != nil {
				return &Error{Reason: ReasonListRead, Step: "crl.manifest", Err: err}
			}
		case m == nil: // nobody knows how new the newest list was
			gone := manifestOf(newest)
			l, err := gone.missing()
			if err != nil {
				return &Error{Reason: ReasonListRead, Step: "crl.manifest", Err: err}
			}
			lose(l)
		}
	}
	for _, m := range manifests {
		if m == nil || !c.signs(m.Key) {
			continue
		}
		l, err := m.missing()
		if err != nil {
			continue // it was read before
		}
		if lists := c.series[l.series]; len(lists) == 0 || m.newer(lists[len(lists)-1]) {
			lose(l)
		}
	}
	for name, broken := range damaged {
		if broken { // of a series of which no list is left
			incomplete = append(
				incomplete,
				&Error{
					Reason: ReasonListIncomplete,
					Step:   "crl.manifest",
					Detail: "series " + name[:min(16, len(name))],
				},
			)
		}
	}
	if len(incomplete) > 0 && !c.config.OpenIncomplete {
		return errors.Join(incomplete...)
	}
	if err := writeDurably(filepath.Join(c.config.Directory, formatFile), []byte(formatText)); err != nil {
		return &Error{Reason: ReasonListRead, Step: "crl.directory", Err: err}
	}
	return nil
}

func sliceOf(sum [32]byte) []byte { return sum[:] }

// signs reports whether the key is one of the configuration's.
func (c *Store) signs(keyHash string) bool {
	for _, f := range slices.Concat(c.authorities, c.signers) {
		if sum := f.KeyHash(); hex.EncodeToString(sum[:]) == keyHash {
			return true
		}
	}
	return false
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
			if !bytes.Equal(h.Issuer, who.Subject) || !bytes.Equal(h.AuthorityKeyID, who.SubjectKeyID) ||
				!who.SignsLists {
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
