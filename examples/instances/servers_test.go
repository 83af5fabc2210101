//go:build servers

package instances

import (
	"database/sql"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/redis/go-redis/v9"
)

func realRedis(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: os.Getenv("KAKUNIN_REDIS")})
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	return client
}

// postgreSQL makes the table of what instances share.
func postgreSQL(t testing.TB, address string) *sharedstore.SQL {
	t.Helper()
	db, err := sql.Open("pgx", address)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	shared, err := sharedstore.NewSQL(sharedstore.SQLConfig{DB: db, Table: sharedTable})
	must(t, err)
	_, err = db.ExecContext(t.Context(), shared.Schema())
	must(t, err)
	return shared
}

func TestInstancesWithRedis(t *testing.T) {
	client := realRedis(t)
	shared, err := Shared(client)
	if err != nil {
		t.Fatal(err)
	}
	usedOnce(t, shared)
	remembers(t, operator.RepeatsIn(shared))
	loginsWhileInstancesDie(t, client, shared)
}

func TestInstancesWithPostgreSQL(t *testing.T) {
	shared := postgreSQL(t, dbtest.Fresh(t, "instances"))
	usedOnce(t, shared)
	remembers(t, operator.RepeatsIn(shared))
	loginsWhileInstancesDie(t, realRedis(t), shared)
	if err := shared.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}

// usedOnce: of concurrent calls one wins, and bytes come back as they were.
func usedOnce(t *testing.T, s middleware.Shared) {
	t.Helper()
	ctx := t.Context()
	key := "test:" + t.Name() + time.Now().String()[:26]
	var first, took atomic.Int32
	run := func(n *atomic.Int32, f func() (bool, error)) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				ok, err := f()
				if err != nil {
					t.Error(err)
				}
				if ok {
					n.Add(1)
				}
			})
		}
		wg.Wait()
	}
	run(&first, func() (bool, error) { return s.Use(ctx, key, time.Minute) })
	if err := s.Put(ctx, key+"v", []byte("old"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, key+"v", []byte{0, 0xff, '\n'}, time.Minute); err != nil {
		t.Fatal(err)
	}
	run(&took, func() (bool, error) {
		v, err := s.Take(ctx, key+"v")
		if v != nil && string(v) != "\x00\xff\n" {
			t.Errorf("%q", v)
		}
		return v != nil, err
	})
	if first.Load() != 1 || took.Load() != 1 {
		t.Errorf("%d were first, %d took it", first.Load(), took.Load())
	}
	if used, err := s.Used(ctx, key); !used || err != nil {
		t.Errorf("%v, %v", used, err)
	}
	if used, err := s.Used(ctx, key+"never"); used || err != nil {
		t.Errorf("%v, %v", used, err)
	}
}
