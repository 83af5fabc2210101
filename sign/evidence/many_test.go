package evidence_test

import (
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Records that are appended at once are prepared on several cores, and stand in the order in which they were given.
func TestManyRecordsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	var records []*evidence.Record
	for i := range 40 {
		records = append(records, record(t, evidence.Basis(fmt.Sprintf("record %c%c", 'a'+i/8, 'a'+i%8))))
	}
	if _, err := l.AppendRecords(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	for i, want := range records {
		if got := get(t, l, int64(i)); got.Hash != want.Hash || got.Basis != want.Basis {
			t.Errorf("record %d: %q, want %q", i, got.Basis, want.Basis)
		}
	}
}
