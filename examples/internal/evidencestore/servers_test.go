//go:build servers

package evidencestore

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/sqlstore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// freshDatabase is an empty one in the server that KAKUNIN_POSTGRES names.
func freshDatabase(tb testing.TB) string {
	tb.Helper()
	return dbtest.Fresh(tb, "evidencestore")
}

// TestPostgreSQL runs the suite of all stores on a real server.
func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		where := freshDatabase(tb)
		return storetest.Harness{Open: opener(tb, where), Shared: true, Tamper: tamperer(tb, where)}
	})
}

// TestPostgreSQLWriterKilledAnyTime kills the program that writes.
func TestPostgreSQLWriterKilledAnyTime(t *testing.T) { killed(t, freshDatabase(t)) }

// TestPostgreSQLKilledAnyTime kills the server, at random moments of a writer's work. The writer is told that the
// database is gone, goes on when it is there again, and nothing that it was acknowledged is lost.
func TestPostgreSQLKilledAnyTime(t *testing.T) {
	c := dbtest.NewCluster(t)
	s, closeStore, err := opener(t, c.Where())()
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore()
	l := storetest.Log(t, s)
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // moments to kill at
	var n int
	var points []evidence.Checkpoint
	kills := 12
	if testing.Short() {
		kills = 3
	}
	for range kills {
		timer := time.AfterFunc(time.Duration(random.IntN(300))*time.Millisecond, c.Strike())
		var gone error
		var acknowledged int64 = -1
		for gone == nil {
			var kept []evidence.Kept
			if kept, gone = l.AppendRecords(t.Context(), storetest.Record(t, n)); gone == nil {
				acknowledged = kept[0].Index
			}
			n++
		}
		timer.Stop()
		if family := kakunin.FamilyOf(gone); family != kakunin.Unavailable {
			t.Errorf("the database is gone: %v, %v", family, gone)
		}
		c.Kill(t)
		c.Start(t)
		// The same log goes on: connections that are dead are not used again.
		size, err := sizeAfterRestart(t, l)
		if err != nil || size <= acknowledged {
			t.Fatalf("%d entries, number %d was acknowledged: %v", size, acknowledged, err)
		}
		if err := l.Consistent(t.Context(), points...); err != nil {
			t.Fatal(err)
		}
		points = append(points, storetest.Point(t, s))
	}
	if state, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: points}); err != nil {
		t.Errorf("%+v, %v", state, err)
	} else {
		t.Logf("%d kills, %d entries", kills, state.Records)
	}
}

// sizeAfterRestart asks until the connections that were idle when the server died are used up: each may say so once,
// and database/sql keeps two unless it is told otherwise.
func sizeAfterRestart(t *testing.T, l *evidence.Log) (size int64, err error) {
	t.Helper()
	for range 3 {
		if size, err = l.Size(t.Context()); err == nil {
			return size, nil
		}
		if family := kakunin.FamilyOf(err); family != kakunin.Unavailable {
			t.Errorf("a connection of before is dead: %v, %v", family, err)
		}
	}
	return size, err
}

// TestPostgreSQLFullDisk: the tables are on a file system of 12 MiB, which fills up.
func TestPostgreSQLFullDisk(t *testing.T) {
	c := dbtest.NewCluster(t)
	fill := c.Small(t)
	storetest.FullDisk(t, storetest.Harness{Open: opener(t, c.Where()), Shared: true}, fill)
}

// TestPostgreSQLNotDurable: a server that does not write to the disk is refused; one whose sessions do not wait for it
// is waited for.
func TestPostgreSQLNotDurable(t *testing.T) {
	c := dbtest.NewCluster(t)
	// Sessions begin with what is in force.
	set := func(statement string) { c.Exec(t, statement, "SELECT pg_reload_conf()") }
	set("ALTER SYSTEM SET synchronous_commit = off")
	s, closeStore, err := opener(t, c.Where())()
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.Log(t, s)
	for i := range 40 {
		batch := []*evidence.Record{storetest.Record(t, 2*i), storetest.Record(t, 2*i+1)}[:1+i%2]
		if _, err := l.AppendRecords(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	closeStore()
	c.Kill(t) // what was not written to the disk would be gone
	c.Start(t)
	if s, closeStore, err = opener(t, c.Where())(); err != nil {
		t.Fatal(err)
	}
	if point := storetest.Point(t, s); point.Size != 60 {
		t.Errorf("%d entries of 60 that were acknowledged", point.Size)
	}
	closeStore()
	set("ALTER SYSTEM SET fsync = off")
	if _, _, err := opener(t, c.Where())(); !errors.Is(err, sqlstore.ErrNotDurable) {
		t.Errorf("without fsync: %v", err)
	}
}
