package revocation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// damagedStore is a directory with three lists of one municipality. The certificate was revoked between the second and
// the third, and all three are in force now, so that any of them would answer alone.
type damagedStore struct {
	*authority
	t         *testing.T
	directory string
	leaf      *Certificate
	lists     [][]byte
}

func newDamagedStore(t *testing.T) *damagedStore {
	t.Helper()
	d := &damagedStore{authority: signingAuthority(t, "ca"), t: t, directory: t.TempDir()}
	d.leaf = d.signingLeaf(t)
	for i, entries := range [][][]byte{nil, nil, {revoked(d.leaf, now.Add(-2*time.Hour), reasonExt(4))}} {
		spec := d.List(int64(i+1), entries...)
		spec.ThisUpdate = utcTime(now.Add(time.Duration(i-6) * time.Hour))
		d.lists = append(d.lists, spec.Sign(d.Key))
	}
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range d.lists {
		d.add(store, l)
	}
	d.want(store, Revoked)
	return d
}

func (d *damagedStore) open(incomplete bool) (*Store, error) {
	d.t.Helper()
	return OpenStore(d.t.Context(), StoreConfig{
		Authorities: []*x509.Certificate{d.Cert}, Directory: d.directory, OpenIncomplete: incomplete,
	})
}

func (d *damagedStore) add(store *Store, der []byte) {
	d.t.Helper()
	if err := store.Add(d.t.Context(), bytes.NewReader(der)); err != nil {
		d.t.Error(err)
	}
}

func (d *damagedStore) want(store *Store, status Status) {
	d.t.Helper()
	answer, err := d.ask(d.t, store, d.leaf, now)
	if answer.Status != status || (err == nil) != (status != Unknown) {
		d.t.Errorf("%v, %v, want %v", answer, err, status)
	}
}

// next is a list that was issued just now.
func (d *damagedStore) next(number int64, entries ...[]byte) []byte {
	spec := d.List(number, entries...)
	spec.ThisUpdate = utcTime(now.Add(-30 * time.Minute))
	return spec.Sign(d.Key)
}

// file returns the index file of one of the lists.
func (d *damagedStore) file(n int) string {
	l := mustParse(d.t, d.lists[n]).SHA256()
	return filepath.Join(d.directory, hexOf(l[:])+indexEnding)
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

func (d *damagedStore) manifest() string {
	d.t.Helper()
	names, err := filepath.Glob(filepath.Join(d.directory, "*"+manifestEnding))
	if err != nil || len(names) != 1 {
		d.t.Fatalf("%v, %v", names, err)
	}
	return names[0]
}

func (d *damagedStore) rewrite(name string, change func([]byte) []byte) {
	d.t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = os.Remove(name) // the old file may still be mapped
	}
	if err == nil {
		if data = change(data); data != nil {
			err = os.WriteFile(name, data, 0o600)
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// instead puts something else in the place of a file.
func (d *damagedStore) instead(name string, put func(string, os.FileMode) error) {
	d.t.Helper()
	if err := errors.Join(os.Remove(name), put(name, 0o700)); err != nil {
		d.t.Fatal(err)
	}
}
