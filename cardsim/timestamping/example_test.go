package timestamping_test

import (
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// An authority that answers, and the same one when it refuses.
func ExampleNew() {
	now := func() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }
	authority, err := timestamping.New(timestamping.Config{Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	question, err := timestamp.Of([]byte("a signature value")).Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = timestamp.ParseResponse(authority.Answer(question, timestamping.Faults{}))
	fmt.Println(err)
	refused := authority.Answer(question, timestamping.Faults{Failure: timestamping.BadAlgorithm})
	_, err = timestamp.ParseResponse(refused)
	fmt.Println(err)
	// Output:
	// <nil>
	// timestamp: authority refused: response: the hash algorithm is not accepted (RFC 3161, 2.4.2)
}
