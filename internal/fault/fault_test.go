package fault_test

import (
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

func TestTextLeavesNoTraceOfAbsentParts(t *testing.T) {
	for _, c := range []struct{ reason, step, clause, detail, want string }{
		{"revoked", "chain.status", "RFC 5280, 6.3.3", "list 3",
			"jpki: revoked: chain.status: list 3 (RFC 5280, 6.3.3)"},
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

func TestTheTableSaysWhatIsUnknown(t *testing.T) {
	type reason int
	silent := []fault.Row{{}, {Name: "one", Family: kakunin.User}, {}, {Name: "three", Family: kakunin.Account}}
	own := append([]fault.Row{{Name: "nothing known", Family: kakunin.Configuration}}, silent[1:]...)
	for _, c := range []struct {
		table  []fault.Row
		reason reason
		want   string
		family kakunin.Family
	}{
		{silent, 1, "one", kakunin.User},
		{silent, 3, "three", kakunin.Account},
		{silent, 0, "unknown", kakunin.Untrusted},
		{silent, 2, "unknown", kakunin.Untrusted},
		{silent, 4, "unknown", kakunin.Untrusted},
		{silent, -1, "unknown", kakunin.Untrusted},
		{nil, 0, "unknown", kakunin.Untrusted},
		{own, 1, "one", kakunin.User},
		{own, 0, "nothing known", kakunin.Configuration},
		{own, 2, "nothing known", kakunin.Configuration},
		{own, 4, "nothing known", kakunin.Configuration},
		{own, -1, "nothing known", kakunin.Configuration},
	} {
		if got := fault.Of(c.table, c.reason); got.Name != c.want || got.Family != c.family {
			t.Errorf("reason %d of %v: %+v", c.reason, c.table, got)
		}
	}
}

func TestMistakesAreNamedTogetherAndInOrder(t *testing.T) {
	var m fault.Mistakes
	if m.Add(false, "Host is missing"); len(m) != 0 || m.Detail() != "" {
		t.Fatalf("what is right is named: %v", m)
	}
	m.Add(true, "Name is missing")
	m.Add(false, "Port is missing")
	m.Add(true, "Age must not be negative")
	if got := m.Detail(); got != "Name is missing; Age must not be negative" {
		t.Error(got)
	}
}
