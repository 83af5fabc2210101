package fault_test

import (
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

func TestTextLeavesNoTraceOfAbsentParts(t *testing.T) {
	for _, c := range []struct{ reason, step, clause, detail, want string }{
		{"revoked", "chain.status", "RFC 5280, 6.3.3", "list 3", "jpki: revoked: chain.status: list 3 (RFC 5280, 6.3.3)"},
		{"revoked", "chain.status", "", "", "jpki: revoked: chain.status"},
		{"revoked", "", "RFC 5280, 6.3.3", "", "jpki: revoked (RFC 5280, 6.3.3)"},
		{"revoked", "", "", "list 3", "jpki: revoked: list 3"},
	} {
		if got := fault.Text("jpki", c.reason, c.step, c.clause, c.detail); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAReasonWithoutARowAcceptsNothing(t *testing.T) {
	if row := fault.Unknown(); row.Family != kakunin.Untrusted || row.Name == "" {
		t.Errorf("%+v", row)
	}
}
