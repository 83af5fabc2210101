package operations_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/operations"
)

// A verifier replaces a trust anchor: an engineer asks, an officer approves, and only then it happens. The log is the
// one that holds the evidence, so the same checkpoints prove it.
func Example() {
	ctx := context.Background()
	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	journal, err := operations.New(operations.Config{Log: log, Duties: map[string]operations.Duty{
		"trust.replace": {Roles: []string{"engineer"}, Approvers: []string{"officer"}},
		"list.load":     {Roles: []string{"program"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	engineer := operations.Actor{ID: "staff-17", Role: "engineer"}
	officer := operations.Actor{ID: "staff-4", Role: "officer"}
	request, err := journal.Ask(ctx, operations.Operation{By: engineer, Action: "trust.replace", Target: "signca03"})
	if err != nil {
		fmt.Println(err)
		return
	}
	install := func(context.Context) error { fmt.Println("installed"); return nil }

	fmt.Println(journal.Run(ctx, operations.Turn{By: engineer, Request: request}, install))
	if err := journal.Approve(ctx, operations.Turn{By: officer, Request: request}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(journal.Run(ctx, operations.Turn{By: engineer, Request: request}, install))
	loader := operations.Actor{ID: "crl-loader", Role: "program"}
	fmt.Println(journal.Do(ctx, operations.Operation{By: loader, Action: "list.load"},
		func(context.Context) error { return nil })) // needs no approval
	_ = journal.Entries(ctx, 0, func(e operations.Entry) error {
		fmt.Println(e.Step, e.By.ID)
		return nil
	})
	// Output:
	// operations: not approved: run
	// installed
	// <nil>
	// <nil>
	// asked staff-17
	// denied staff-17
	// approved staff-4
	// begun staff-17
	// done staff-17
	// asked crl-loader
	// begun crl-loader
	// done crl-loader
}
