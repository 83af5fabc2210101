//go:build servers

package signaturestore

import (
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/sqlstore"
	"github.com/kakunin-go/kakunin/sign/signapi/storetest"
)

// freshDatabase is an empty one in the server that KAKUNIN_POSTGRES names.
func freshDatabase(tb testing.TB) string {
	tb.Helper()
	return dbtest.Fresh(tb, "signaturestore")
}

// TestPostgreSQL runs the suite of all stores on a real server.
func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		return storetest.Harness{Open: opener(tb, freshDatabase(tb)), Shared: true}
	})
}

// TestPostgreSQLWriterKilledAnyTime kills the program that writes.
func TestPostgreSQLWriterKilledAnyTime(t *testing.T) { killed(t, freshDatabase(t)) }

// TestPostgreSQLInstanceKilledAnyTime kills instances of an application while they fetch results.
func TestPostgreSQLInstanceKilledAnyTime(t *testing.T) { instancesKilled(t, freshDatabase(t), 1) }

// TestPostgreSQLInstanceKilledGivenTwice is the same with a service that gives each result twice.
func TestPostgreSQLInstanceKilledGivenTwice(t *testing.T) { instancesKilled(t, freshDatabase(t), 2) }

// TestPostgreSQLFullDisk: the table is on a file system of 12 MiB, which fills up.
func TestPostgreSQLFullDisk(t *testing.T) {
	c := dbtest.NewCluster(t)
	fill := c.Small(t)
	storetest.FullDisk(t, storetest.Harness{Open: opener(t, c.Where()), Shared: true}, fill)
}

// TestPostgreSQLFullWhileKeeping: that file system is full when the answer is there, and has room a moment later.
func TestPostgreSQLFullWhileKeeping(t *testing.T) {
	c := dbtest.NewCluster(t)
	fill := c.Small(t)
	keptInTheEnd(t, c.Where(), func(try int) {
		switch try {
		case 1:
			fill(true)
			s := mustOpen(c.Where())
			defer func() { _ = s.Close() }()
			for i, size := 0, 100_000; size > 0; i++ { // until nothing fits any more
				e := signapi.Entry{
					ID: "ballast " + strconv.Itoa(i), State: signapi.StateOver, Record: make([]byte, size),
				}
				if _, err := crand.Read(e.Record); err != nil { // which does not shrink
					t.Error(err)
				}
				if s.Add(t.Context(), e) != nil {
					size /= 2
				}
			}
		case 3:
			fill(false)
		}
	})
}

// TestPostgreSQLKilledWhileKeeping: the server is killed when the answer is there, and comes back.
func TestPostgreSQLKilledWhileKeeping(t *testing.T) {
	c := dbtest.NewCluster(t)
	keptInTheEnd(t, c.Where(), func(try int) {
		switch try {
		case 1:
			c.Kill(t)
		case 3:
			c.Start(t)
		}
	})
}

// TestPostgreSQLKilledAnyTime kills the server, at random moments of a writer's work. The writer is told that the
// database is gone, goes on when it is there again, and nothing that it was acknowledged is lost.
func TestPostgreSQLKilledAnyTime(t *testing.T) {
	c := dbtest.NewCluster(t)
	s, closeStore, err := opener(t, c.Where())()
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore()
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // moments to kill at
	kills, number := 12, 0
	if testing.Short() {
		kills = 3
	}
	acknowledged := map[string]int64{}
	for range kills {
		timer := time.AfterFunc(time.Duration(random.IntN(300))*time.Millisecond, c.Strike())
		var gone error
		for gone == nil {
			e := signapi.Entry{ID: strconv.Itoa(number), State: signapi.StateFetching, Record: []byte("{}"), Version: 1}
			if gone = s.Add(t.Context(), e); gone == nil {
				acknowledged[e.ID] = 1
				e.State, e.Answer = signapi.StateFetched, make([]byte, 3000)
				if gone = s.Replace(t.Context(), e); gone == nil {
					acknowledged[e.ID] = 2
				}
			}
			number++
		}
		timer.Stop()
		for _, none := range []error{signapi.ErrExists, signapi.ErrMoved, signapi.ErrAbsent} {
			if errors.Is(gone, none) {
				t.Errorf("the database is gone: %v", gone)
			}
		}
		c.Kill(t)
		c.Start(t)
		for range 3 { // connections that were idle when the server died may each say so once
			if _, err = s.Get(t.Context(), "0"); err == nil {
				break
			}
		}
		for id, version := range acknowledged {
			if e, err := s.Get(t.Context(), id); err != nil || e.Version < version {
				t.Fatalf("%s, acknowledged as version %d: %+v, %v", id, version, e, err)
			}
		}
	}
	t.Logf("%d kills, %d entries", kills, len(acknowledged))
}

// TestPostgreSQLNotDurable: a server that does not write to the disk is refused; one whose sessions do not wait for it
// is waited for.
func TestPostgreSQLNotDurable(t *testing.T) {
	c := dbtest.NewCluster(t)
	// The server writes what nobody waits for after so long, by itself.
	c.Exec(t, "ALTER SYSTEM SET wal_writer_delay = '10s'", "ALTER SYSTEM SET synchronous_commit = off",
		"SELECT pg_reload_conf()")
	const n = 30
	id := strconv.Itoa
	for round := range 3 { // what the last write of a round does is what is lost
		s, closeStore, err := opener(t, c.Where())()
		if err != nil {
			t.Fatal(err)
		}
		switch round {
		case 0:
			for i := range n {
				err = errors.Join(err, s.Add(t.Context(), signapi.Entry{ID: id(i), State: signapi.StateStarted}))
			}
		case 1:
			for i := range n {
				e, getErr := s.Get(t.Context(), id(i))
				e.State = signapi.StateFetched
				err = errors.Join(err, getErr, s.Replace(t.Context(), e))
			}
		case 2:
			err = s.Delete(t.Context(), signapi.Entry{ID: id(n - 1), Version: 2})
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Kill(t) // what was not written to the disk is gone
		c.Start(t)
		closeStore()
		if s, closeStore, err = opener(t, c.Where())(); err != nil {
			t.Fatal(err)
		}
		all, err := s.List(t.Context(), signapi.List{Limit: 2 * n})
		want, state := n, signapi.StateFetched
		if round == 0 {
			state = signapi.StateStarted
		}
		if round == 2 {
			want--
		}
		other := slices.ContainsFunc(all, func(e signapi.Entry) bool { return e.State != state })
		if err != nil || len(all) != want || other {
			t.Errorf("round %d: %d entries, %v", round, len(all), err)
		}
		closeStore()
	}
	c.Exec(t, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
	if _, _, err := opener(t, c.Where())(); !errors.Is(err, sqlstore.ErrNotDurable) {
		t.Errorf("without fsync: %v", err)
	}
}

// BenchmarkLostPostgreSQL is BenchmarkLost on a real server.
func BenchmarkLostPostgreSQL(b *testing.B) { benchmarkLost(b, freshDatabase(b)) }
