package operations_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/operations"
)

// FuzzEntries: notes of our kind that somebody else wrote are read or refused, and begin nothing.
func FuzzEntries(f *testing.F) {
	f.Add(`{"step":"asked","actor":"staff-1","role":"engineer","action":"trust.replace"}`)
	f.Add(`{"step":"approved","actor":"staff-2","role":"officer","action":"trust.replace","request":1}`)
	f.Add(`{"step":"begun","request":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(),
			Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.AppendNotes(t.Context(), "operation", json.RawMessage(body)); err != nil {
			return // no note at all
		}
		j, err := operations.New(operations.Config{Log: log, Duties: map[string]operations.Duty{
			replace: {Roles: []string{"engineer"}, Approvers: []string{"officer"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		_ = j.Entries(t.Context(), 0, func(e operations.Entry) error {
			if e.Request < 0 || e.Step == operations.Asked && e.Request != e.Index {
				t.Errorf("%+v", e)
			}
			return nil
		})
		if err := j.Run(t.Context(), operations.Turn{By: asker}, nil); err == nil {
			t.Error("carried out without an approval")
		}
	})
}
