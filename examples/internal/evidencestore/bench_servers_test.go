//go:build servers

package evidencestore

import (
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// BenchmarkAppendPostgreSQL compares with rows of a table of the same server.
func BenchmarkAppendPostgreSQL(b *testing.B) {
	eachAppend(b, "", func(b *testing.B, k appended) {
		where := freshDatabase(b)
		_, insert := plainTable(b, where, k)
		benchmarkAppend(b, where, storetest.Plain{N: k.n, Held: k.held, Insert: insert})
	})
}
