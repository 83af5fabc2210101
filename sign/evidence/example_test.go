package evidence_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
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

// Personal parts are encrypted, each under a key of its own, and can be deleted; the log says that they were, and why.
func ExampleLog_DeleteHeld() {
	ctx := context.Background()
	key := make([]byte, 32) // from a key service, or a file that is kept apart from the log
	keys, err := evidence.NewLocalKeys(key)
	check(err)
	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Keys: keys, Now: clock})
	check(err)
	kept, err := log.Append(ctx, verified(), evidence.WithCertificate())
	check(err)

	check(log.DeleteHeld(ctx, kept.Index, "request of the person"))

	state, err := log.Verify(ctx, evidence.Verification{})
	fmt.Println(state.Held, state.Deleted, err)
	for k, err := range log.Scan(ctx, 0, state.Records) {
		check(err)
		if k.Note == nil || k.Note.Kind != evidence.KindDeletion {
			continue
		}
		var d evidence.Deletion
		check(json.Unmarshal(k.Note.Body, &d))
		fmt.Println("record", d.Index, d.Why)
	}
	// Output:
	// 0 1 <nil>
	// record 0 request of the person
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
