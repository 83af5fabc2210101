package filestore_test

import (
	"context"
	"fmt"
	"os"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
)

// A log of evidence in a directory.
func ExampleOpen() {
	var report *sign.Report // from sign.Verifier.Verify
	run := func() error {
		store, err := filestore.Open("/var/lib/bank/evidence")
		if err != nil {
			return err // ErrLocked, ErrDamaged, or of the file system
		}
		defer func() { _ = store.Close() }()
		if r := store.Recovered(); r.Torn > 0 {
			fmt.Fprintln(os.Stderr, "a crash left", r.Torn, "bytes of an append that was never acknowledged:",
				r.TornFile)
		}
		log, err := evidence.OpenLog(evidence.LogConfig{Store: store})
		if err != nil {
			return err
		}
		kept, err := log.Append(context.Background(), report, evidence.Basis("犯収法"))
		if err != nil {
			return err
		}
		fmt.Println("kept as number", kept.Index)
		return nil
	}
	_ = run
}
