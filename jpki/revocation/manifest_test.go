package revocation

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
)

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
		"newest index damaged": func(d *damagedStore) { d.rewrite(d.file(2), flip) },
		"newest index cut short": func(d *damagedStore) {
			d.rewrite(d.file(2),
				func(b []byte) []byte { return b[:len(b)/2] })
		},
		"newest index empty": func(d *damagedStore) {
			d.rewrite(d.file(2),
				func([]byte) []byte { return []byte{} })
		},
		"newest index missing": func(d *damagedStore) { d.rewrite(d.file(2), nothing) },
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
		"newest index of zeros": func(d *damagedStore) {
			d.rewrite(d.file(2), func(b []byte) []byte { return make([]byte, len(b)) })
		},
		"newest index with bytes behind it": func(d *damagedStore) {
			d.rewrite(d.file(2), func(b []byte) []byte { return append(b, 0) })
		},
		"newest index without its last byte": func(d *damagedStore) {
			d.rewrite(d.file(2), func(b []byte) []byte { return b[:len(b)-1] })
		},
		"newest index a text": func(d *damagedStore) {
			d.rewrite(d.file(2), func([]byte) []byte { return []byte("moved to another disk\n") })
		},
		"newest index a folder": func(d *damagedStore) { d.instead(d.file(2), os.Mkdir) },
		"newest index a link to nothing": func(d *damagedStore) {
			d.instead(d.file(2), func(name string, _ os.FileMode) error { return os.Symlink(name+".gone", name) })
		},
		"newest index a link to an older one": func(d *damagedStore) {
			d.instead(d.file(2), func(name string, _ os.FileMode) error { return os.Symlink(d.file(1), name) })
		},
		"newest index under another ending": func(d *damagedStore) {
			if err := os.Rename(d.file(2), d.file(2)+".bak"); err != nil {
				t.Fatal(err)
			}
		},
		"manifest empty, newest index missing": func(d *damagedStore) {
			d.rewrite(d.manifest(), func([]byte) []byte { return []byte{} })
			d.rewrite(d.file(2), nothing)
		},
		"manifest of zeros, newest index missing": func(d *damagedStore) {
			d.rewrite(d.manifest(), func(b []byte) []byte { return make([]byte, len(b)) })
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

// TestDamageThatTakesNothingAway: where the newest list is still there, whole, the store opens and answers by it.
func TestDamageThatTakesNothingAway(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(d *damagedStore){
		"names exchanged": func(d *damagedStore) {
			older, newest := read(d.file(1)), read(d.file(2))
			d.rewrite(d.file(1), func([]byte) []byte { return newest })
			d.rewrite(d.file(2), func([]byte) []byte { return older })
		},
		"a copy of the newest under another name": func(d *damagedStore) {
			put(filepath.Join(d.directory, "copy"+indexEnding), read(d.file(2)))
		},
		"an older one damaged": func(d *damagedStore) {
			d.rewrite(d.file(1), func([]byte) []byte { return []byte{} })
		},
		"what a process left that was ended": func(d *damagedStore) {
			put(d.manifest()+".123.tmp", []byte("half"))
			put(d.file(2)+".123.tmp", []byte("half"))
		},
		"files of somebody else": func(d *damagedStore) {
			put(filepath.Join(d.directory, ".DS_Store"), []byte{0})
			put(filepath.Join(d.directory, "desktop.ini"), nil)
		},
		"the file that names the format empty": func(d *damagedStore) {
			put(filepath.Join(d.directory, formatFile), nil)
		},
		"the file that names the format missing": func(d *damagedStore) {
			if err := os.Remove(filepath.Join(d.directory, formatFile)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDamagedStore(t)
			d.t = t
			spoil(d)
			for range 2 {
				store, err := d.open(false)
				if err != nil {
					t.Fatal(err)
				}
				d.want(store, Revoked)
			}
		})
	}
}

// TestDamagedManifestAlone: nobody knows then whether the newest list that is there is the newest of all. What it says
// against a certificate counts, what it says for one does not.
func TestDamagedManifestAlone(t *testing.T) {
	for name, spoil := range map[string]func(d *damagedStore){
		"missing": func(d *damagedStore) { d.rewrite(d.manifest(), func([]byte) []byte { return nil }) },
		"empty":   func(d *damagedStore) { d.rewrite(d.manifest(), func([]byte) []byte { return []byte{} }) },
		"zeros": func(d *damagedStore) {
			d.rewrite(d.manifest(), func(b []byte) []byte { return make([]byte, len(b)) })
		},
		"a folder": func(d *damagedStore) { d.instead(d.manifest(), os.Mkdir) },
		"a link to itself": func(d *damagedStore) {
			d.instead(d.manifest(), func(name string, _ os.FileMode) error { return os.Symlink(name, name) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDamagedStore(t)
			d.t = t
			spoil(d)
			if _, err := d.open(false); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) {
				t.Errorf("opened: %v", err)
			}
			store, err := d.open(true)
			if err != nil {
				t.Fatal(err)
			}
			d.want(store, Revoked)
			if len(store.Incomplete()) != 1 {
				t.Errorf("incomplete: %v", store.Incomplete())
			}
		})
	}
}

// TestDirectoryThatIsNone: a store that cannot have its directory says so, and does not begin an empty one elsewhere.
func TestDirectoryThatIsNone(t *testing.T) {
	d := newDamagedStore(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, directory := range map[string]string{"a file": file, "below a file": filepath.Join(file, "lists"),
		"missing": filepath.Join(t.TempDir(), "missing")} {
		d.directory = directory
		for _, incomplete := range []bool{false, true} {
			if _, err := d.open(incomplete); !errors.Is(err, &Error{Reason: ReasonListRead}) {
				t.Errorf("%s: %v", name, err)
			}
		}
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
