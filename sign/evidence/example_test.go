package evidence_test

import (
	"bytes"
	"fmt"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Keeping evidence in an append-only log, and checking the log.
func ExampleLog() {
	report := verified() // from sign.Verifier.Verify

	var file bytes.Buffer // os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	log := evidence.NewLog(&file, clock)
	record, err := log.Append(report, evidence.Basis("犯収法"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.Mode, record.Certificate.Kind, record.Revocation.Status)

	chain, err := evidence.VerifyChain(&file)
	fmt.Println(chain.Records, chain.Head == log.Head(), err)
	// Output:
	// digest-info signing-card good
	// 1 true <nil>
}
