//go:build !servers

package instances

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
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
