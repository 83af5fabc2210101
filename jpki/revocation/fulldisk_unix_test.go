//go:build linux || darwin

package revocation

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

const fullDiskEnv = "KAKUNIN_TEST_FULL_DISK"

// TestStoreOnFullDisk: however much of a list's index finds room, the list does not count and leaves nothing behind
// until all of it does; the lists of before stay in force. The limit is the process's, hence a process of its own.
func TestStoreOnFullDisk(t *testing.T) {
	if os.Getenv(fullDiskEnv) == "" {
		//nolint:gosec // this test itself
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestStoreOnFullDisk$")
		c.Env = append(os.Environ(), fullDiskEnv+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	d := newDamagedStore(t)
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	next := d.next(4, revoked(d.leaf, now.Add(-2*day), reasonExt(1)))
	var room syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ) // a write beyond the limit is an error, as on a full disk
	add := func(limit uint64) error {
		small := room
		small.Cur = limit
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
			t.Fatal(err)
		}
		err := store.Add(t.Context(), bytes.NewReader(next))
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
			t.Fatal(err)
		}
		return err
	}
	names := func() (out []string) {
		entries, err := os.ReadDir(d.directory)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	before, failures := names(), 0
	for limit := uint64(0); limit < 1<<16; limit += 512 {
		if err = add(limit); err == nil {
			break
		}
		failures++
		if !errors.Is(err, &Error{Reason: ReasonListRead}) || !slices.Equal(names(), before) {
			t.Fatalf("with room for %d octets: %v, %v", limit, err, names())
		}
		d.want(store, Revoked)
		again, err := d.open(false)
		if err != nil {
			t.Fatalf("with room for %d octets: %v", limit, err)
		}
		d.want(again, Revoked)
	}
	if err != nil || failures < 3 {
		t.Errorf("%d failures, then %v", failures, err)
	}
	if len(names()) <= len(before) {
		t.Errorf("%v", names())
	}
	answer, err := d.ask(t, store, d.leaf, now)
	if err != nil || answer.Reason != 1 {
		t.Errorf("the list that found room is not heard: %v, %v", answer, err)
	}
}
