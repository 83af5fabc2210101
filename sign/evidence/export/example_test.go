package export_test

import (
	"context"
	"fmt"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
)

// A court asks for record 1234: a folder that needs nothing but OpenSSL.
func ExampleWrite() {
	var (
		log        *evidence.Log
		checkpoint []byte // signed, kept elsewhere since
		public     string // the key that it was signed with
	)
	run := func(ctx context.Context) error {
		result, err := export.Write(ctx, "evidence-1234", export.Config{
			Log: log, Index: 1234, Checkpoint: checkpoint, CheckpointKey: public,
		})
		if err != nil {
			return err
		}
		fmt.Println(result)
		return nil
	}
	_ = run
}
