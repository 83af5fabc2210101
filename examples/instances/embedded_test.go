//go:build !servers

package instances

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/redis/go-redis/v9"
)

func TestInstances(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	shared, err := Shared(client)
	if err != nil {
		t.Fatal(err)
	}
	loginsWhileInstancesDie(t, client, shared)
}

// TestRepeatsInOneProcess runs the suite on the Redis inside the test, whose time stands still: it is moved on.
func TestRepeatsInOneProcess(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	shared, err := Shared(client)
	if err != nil {
		t.Fatal(err)
	}
	remembers(t, moving{operator.RepeatsIn(shared), server})
}

// moving moves the time of the Redis on by a millisecond with each claim.
type moving struct {
	operator.Repeats
	server *miniredis.Miniredis
}

func (m moving) Claim(ctx context.Context, r operator.Remembered) ([]byte, bool, error) {
	m.server.FastForward(time.Millisecond)
	return m.Repeats.Claim(ctx, r)
}
