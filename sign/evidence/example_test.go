package evidence_test

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Keeping evidence, and showing an auditor that nothing of it was changed since the last checkpoint.
func ExampleLog() {
	ctx := context.Background()
	report := verified() // from sign.Verifier.Verify

	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: clock}) // or filestore.Open(dir)
	check(err)
	kept, err := log.Append(ctx, report, evidence.Basis("犯収法"))
	check(err)
	fmt.Println(kept.Record.Mode, kept.Record.Certificate.Kind, kept.Record.Revocation.Status)

	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	check(err)
	signed, err := log.Checkpoint(ctx, key) // keep it where the log's keeper cannot write
	check(err)

	checkpoint, err := evidence.ParseCheckpoint(signed, key.Public())
	check(err)
	state, err := log.Verify(ctx, evidence.Verification{Checkpoints: []evidence.Checkpoint{checkpoint}})
	fmt.Println(state.Records, err)
	// Output:
	// digest-info signing-card good
	// 1 <nil>
}

// One record for a court: with a checkpoint and a proof it needs no log.
func ExampleProof() {
	ctx := context.Background()
	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: clock})
	check(err)
	for range 5 {
		_, err = log.Append(ctx, verified())
		check(err)
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	check(err)
	signed, err := log.Checkpoint(ctx, key)
	check(err)
	checkpoint, err := evidence.ParseCheckpoint(signed, key.Public())
	check(err)

	proof, err := log.Prove(ctx, 3, checkpoint)
	check(err)
	record, err := log.Record(ctx, 3)
	check(err)
	handedOver, err := record.Marshal()
	check(err)

	read, err := proof.Check(handedOver, checkpoint)
	fmt.Println(read.Document.Algorithm, len(proof.Path), err)
	// Output: SHA-256 3 <nil>
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
