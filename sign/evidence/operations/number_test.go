package operations_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/operations"
)

// TestNobodyIsAnIndividualNumber: nobody can delete from the log, so none gets there, whoever's part it is.
func TestNobodyIsAnIndividualNumber(t *testing.T) {
	t.Parallel()
	const number = "701234000010"
	w := newWorld(t, evidence.NewMemory())
	j := w.journal(1)
	request, err := j.Ask(t.Context(), operations.Operation{By: asker, Action: replace})
	if err != nil {
		t.Fatal(err)
	}
	for name, by := range map[string]operations.Actor{
		"number": {ID: number, Role: "officer"}, "in a word": {ID: "staff-" + number, Role: "officer"},
		"role": {ID: "staff-7", Role: number}, "in groups": {ID: "7012-3400-0010", Role: "engineer"},
	} {
		turn := operations.Turn{By: by, Request: request}
		nothing := func(context.Context) error { t.Errorf("%s: carried out", name); return nil }
		_, asked := j.Ask(t.Context(), operations.Operation{By: by, Action: replace})
		is(t, "ask: "+name, asked, operations.ReasonRequest)
		is(t, "approve: "+name, j.Approve(t.Context(), turn), operations.ReasonRequest)
		is(t, "run: "+name, j.Run(t.Context(), turn, nothing), operations.ReasonRequest)
		is(t, "do: "+name, j.Do(t.Context(), operations.Operation{By: by, Action: replace}, nothing),
			operations.ReasonRequest)
	}
	if got := w.steps(); strings.Join(got, ", ") != "0 asked staff-1" {
		t.Errorf("the log says %s", strings.Join(got, ", "))
	}
}
