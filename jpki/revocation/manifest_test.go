package revocation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
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

// TestDamagedStoreNeverGoesBack: whatever happens to the newest index file, the older lists, which are in force, do not
// make a revoked certificate good: the store says that the series is incomplete, answers Unknown, and adding the list
// again heals it.
func TestDamagedStoreNeverGoesBack(t *testing.T) {
	flip := func(data []byte) []byte {
		data[len(data)/2] ^= 1
		return data
	}
	nothing := func([]byte) []byte { return nil }
	for name, spoil := range map[string]func(d *damagedStore){
		"newest index damaged":   func(d *damagedStore) { d.rewrite(d.file(2), flip) },
		"newest index cut short": func(d *damagedStore) { d.rewrite(d.file(2), func(b []byte) []byte { return b[:len(b)/2] }) },
		"newest index empty":     func(d *damagedStore) { d.rewrite(d.file(2), func([]byte) []byte { return []byte{} }) },
		"newest index missing":   func(d *damagedStore) { d.rewrite(d.file(2), nothing) },
		"newest index rolled back to an older one": func(d *damagedStore) {
			older, err := os.ReadFile(d.file(1))
			if err != nil {
				t.Fatal(err)
			}
			d.rewrite(d.file(2), func([]byte) []byte { return older })
		},
		"newest index and manifest missing": func(d *damagedStore) {
			d.rewrite(d.file(2), nothing)
			d.rewrite(d.manifest(), nothing)
		},
		"manifest damaged, newest index missing": func(d *damagedStore) {
			d.rewrite(d.manifest(), flip)
			d.rewrite(d.file(2), nothing)
		},
		"manifest cut short, newest index missing": func(d *damagedStore) {
			d.rewrite(d.manifest(), func(b []byte) []byte { return b[:10] })
			d.rewrite(d.file(2), nothing)
		},
		"all index files missing": func(d *damagedStore) {
			for n := range d.lists {
				d.rewrite(d.file(n), nothing)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDamagedStore(t)
			d.t = t
			spoil(d)
			if _, err := d.open(false); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) ||
				kakunin.FamilyOf(err) != kakunin.Configuration || !strings.Contains(err.Error(), "series") {
				t.Errorf("opened: %v", err)
			}
			store, err := d.open(true)
			if err != nil {
				t.Fatal(err)
			}
			if len(store.Incomplete()) != 1 {
				t.Errorf("incomplete: %v", store.Incomplete())
			}
			d.want(store, Unknown)
			if _, err := d.ask(t, store, d.leaf, now); !errors.Is(err, &Error{Reason: ReasonStatusUnknown}) {
				t.Error(err)
			}
			d.add(store, d.lists[2])
			d.want(store, Revoked)
			if len(store.Incomplete()) != 0 {
				t.Error("not healed")
			}
			again, err := d.open(false)
			if err != nil {
				t.Fatal(err)
			}
			d.want(again, Revoked)
		})
	}
}

// TestDamagedStoreRefusesOlderLists: the guard against a rollback holds although the newest list itself is gone.
func TestDamagedStoreRefusesOlderLists(t *testing.T) {
	d := newDamagedStore(t)
	for n := range d.lists {
		d.rewrite(d.file(n), func([]byte) []byte { return nil })
	}
	store, err := d.open(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range d.lists[:2] {
		if err := store.Add(t.Context(), bytes.NewReader(l)); !errors.Is(err, &Error{Reason: ReasonListRollback}) {
			t.Error(err)
		}
	}
	d.want(store, Unknown)
	d.add(store, d.next(4))
	d.want(store, Good) // removed by its authority
}

// TestDamagedStoreOtherListsDoNotHelp: another list that covers every reason does not make up for the one that is
// missing.
func TestDamagedStoreOtherListsDoNotHelp(t *testing.T) {
	d := newDamagedStore(t)
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	whole := d.List(9)
	whole.Extensions = whole.Extensions[:2] // for all certificates of the authority
	d.add(store, whole.Sign(d.Key))
	d.rewrite(d.file(2), func([]byte) []byte { return nil })
	if store, err = d.open(true); err != nil {
		t.Fatal(err)
	}
	d.want(store, Unknown)
	// What one of the others says against the certificate still counts.
	later := d.List(10, revoked(d.leaf, now.Add(-2*time.Hour), reasonExt(4)))
	later.Extensions = later.Extensions[:2]
	d.add(store, later.Sign(d.Key))
	d.want(store, Revoked)
}

// TestDamagedStoreDeltaLists: a delta list that is missing is missed like a complete one, until a complete list is
// newer.
func TestDamagedStoreDeltaLists(t *testing.T) {
	d := newDamagedStore(t)
	d.directory = t.TempDir()
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	complete, delta := d.List(5), d.delta(7, 5, revoked(d.leaf, now.Add(-2*time.Hour), reasonExt(4)))
	d.add(store, complete.Sign(d.Key))
	d.lists = [][]byte{delta.Sign(d.Key)}
	d.add(store, d.lists[0])
	d.want(store, Revoked)
	d.rewrite(d.file(0), func([]byte) []byte { return nil })
	if _, err := d.open(false); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) {
		t.Error(err)
	}
	if store, err = d.open(true); err != nil {
		t.Fatal(err)
	}
	d.want(store, Unknown)
	newer := d.List(8)
	newer.ThisUpdate = utcTime(now.Add(-30 * time.Minute))
	d.add(store, newer.Sign(d.Key))
	d.want(store, Good)
}

// TestStoreWithoutSpace: a list whose index or manifest cannot be written does not count, and nothing of it is left.
func TestStoreWithoutSpace(t *testing.T) {
	d := newDamagedStore(t)
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	// A folder in the place of the manifest fails every write, as a full disk does.
	manifest := d.manifest()
	d.rewrite(manifest, func([]byte) []byte { return nil })
	if err := os.MkdirAll(filepath.Join(manifest, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadDir(d.directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Add(t.Context(), bytes.NewReader(d.next(4))); !errors.Is(err, &Error{Reason: ReasonListRead}) {
		t.Error(err)
	}
	after, err := os.ReadDir(d.directory)
	if err != nil || !slices.EqualFunc(before, after, func(a, b os.DirEntry) bool { return a.Name() == b.Name() }) {
		t.Errorf("%v, %v, %v", before, after, err)
	}
	d.want(store, Revoked)
}

// TestTwoProcessesOneDirectory: what one process wrote is a guard against a rollback by the other.
func TestTwoProcessesOneDirectory(t *testing.T) {
	d := newDamagedStore(t)
	one, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	other, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	fourth, fifth := d.next(4), d.next(5, revoked(d.leaf, now.Add(-2*time.Hour), reasonExt(4)))
	d.add(one, fifth)
	if err := other.Add(t.Context(), bytes.NewReader(fourth)); !errors.Is(err, &Error{Reason: ReasonListRollback}) {
		t.Error(err)
	}
	d.add(other, fifth)
	again, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, store := range []*Store{one, other, again} {
		d.want(store, Revoked)
	}
}

// TestClockSetBack: at a time before the newest list an older one is in force, but what was issued later takes away.
func TestClockSetBack(t *testing.T) {
	d := newDamagedStore(t)
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	early := now.Add(-90 * time.Minute) // after the revocation, and of course after its list
	if answer, err := d.ask(t, store, d.leaf, early); answer.Status != Revoked || err != nil {
		t.Errorf("%v, %v", answer, err)
	}
	d.rewrite(d.file(2), func([]byte) []byte { return nil })
	if store, err = d.open(true); err != nil {
		t.Fatal(err)
	}
	if answer, _ := d.ask(t, store, d.leaf, now.Add(-5*time.Hour)); answer.Status != Unknown {
		t.Errorf("%v at a time before the list that is missing", answer)
	}
}

// TestDirectoryFromBeforeManifests: index files that an earlier version wrote make their manifests once.
func TestDirectoryFromBeforeManifests(t *testing.T) {
	d := newDamagedStore(t)
	nothing := func([]byte) []byte { return nil }
	d.rewrite(d.manifest(), nothing)
	d.rewrite(filepath.Join(d.directory, formatFile), nothing)
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	d.want(store, Revoked)
	d.rewrite(d.file(2), nothing)
	if _, err := d.open(false); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) {
		t.Error(err)
	}
}

// FuzzManifest: whatever is read as a manifest names its own series.
func FuzzManifest(f *testing.F) {
	f.Add([]byte("{}"))
	f.Add([]byte(`{"key_sha256":"00","issuer":"MAA=","number":"01"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		directory := t.TempDir()
		name := strings.Repeat("0", 64)
		if err := os.WriteFile(filepath.Join(directory, name+manifestEnding), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := readManifest(directory, name); err == nil || m != nil {
			t.Errorf("%v, %v", m, err)
		}
	})
}
