//go:build unix

package signaturestore

import (
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/signapi/storetest"
)

// TestSQLiteFullDisk: the limit of a file's size is the process's, so the test runs in one of its own.
func TestSQLiteFullDisk(t *testing.T) {
	t.Parallel()
	if !dbtest.InOwnProcess(t) {
		return
	}
	where := filepath.Join(t.TempDir(), "signatures.db")
	storetest.FullDisk(t, storetest.Harness{Open: opener(t, where), Shared: true}, dbtest.FullFiles(t, 600_000))
}

// TestSQLiteFullWhileKeeping: the disk is full when the answer is there, and has room a moment later.
func TestSQLiteFullWhileKeeping(t *testing.T) {
	t.Parallel()
	if !dbtest.InOwnProcess(t) {
		return
	}
	fill := dbtest.FullFiles(t, 4096)
	keptInTheEnd(t, filepath.Join(t.TempDir(), "signatures.db"), func(try int) { fill(try < 3) })
}
