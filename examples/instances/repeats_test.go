package instances

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// remembers: of concurrent claims one wins and the others get its value, bytes come back as they were, and what is
// replaced, released or over is so for everybody.
func remembers(t *testing.T, r operator.Repeats) {
	t.Helper()
	ctx := t.Context()
	key := "verdict:" + t.Name() + time.Now().Format(time.RFC3339Nano)
	v := func(value string) operator.Remembered {
		return operator.Remembered{Key: key, Value: []byte(value), For: time.Minute}
	}
	const first = "{\"body\":\"\x00\xff\n\"}"
	var claims atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			stored, claimed, err := r.Claim(ctx, v(first))
			if err != nil || !claimed && string(stored) != first {
				t.Errorf("%q, %v", stored, err)
			}
			if claimed {
				claims.Add(1)
			}
		})
	}
	wg.Wait()
	if claims.Load() != 1 {
		t.Errorf("%d claimed it", claims.Load())
	}
	want := func(value string) {
		t.Helper()
		stored, claimed, err := r.Claim(ctx, v("x"))
		if string(stored) != value || claimed != (value == "") || err != nil {
			t.Errorf("%q, %v, %v, want %q", stored, claimed, err, value)
		}
	}
	want(first)
	err := r.Replace(ctx, v("answer"))
	want("answer")
	want("answer")
	err = errors.Join(err, r.Release(ctx, key), r.Release(ctx, key+"never"))
	want("")
	short := v("short")
	short.For = time.Millisecond
	if err = errors.Join(err, r.Replace(ctx, short)); err != nil {
		t.Fatal(err)
	}
	for {
		_, claimed, err := r.Claim(ctx, v("after it"))
		if err != nil {
			t.Fatal(err)
		}
		if claimed {
			break
		}
	}
	want("after it")
}

func TestRepeatsWithSQLite(t *testing.T) {
	db, err := databases.Connect(filepath.Join(t.TempDir(), "operator.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	shared, err := sharedstore.NewSQL(sharedstore.SQLConfig{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), shared.Schema()); err != nil {
		t.Fatal(err)
	}
	remembers(t, operator.RepeatsIn(shared))
}
