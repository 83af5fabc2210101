// Package instances shows how several instances of one application work as one: sessions in Redis, and what is used
// once in Redis or PostgreSQL. Its test logs people in while instances are killed and started:
//
//	go test ./examples/instances
//
// With the build tag servers the tests run against a real Redis (KAKUNIN_REDIS=127.0.0.1:6379) and a real PostgreSQL
// (KAKUNIN_POSTGRES=postgres://…) instead of a Redis inside the test; and three processes behind nginx and behind
// HAProxy are killed while people log in and sign, in the middle of their calls to the service and when a signature is
// just kept, which another instance then hands out (signapi.Keeper). proxies_test.go has what the two proxies need to
// be told.
package instances

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/redis/go-redis/v9"
)

// Shared is middleware.Shared on go-redis.
func Shared(client *redis.Client) (*sharedstore.Redis, error) {
	return sharedstore.NewRedis(sharedstore.RedisConfig{Do: func(ctx context.Context, args ...any) (any, error) {
		reply, err := client.Do(ctx, args...).Result()
		if errors.Is(err, redis.Nil) {
			return nil, nil
		}
		return reply, err
	}})
}

// Manager is a session manager of scs on go-redis, as scssession asks for one.
func Manager(client *redis.Client) *scs.SessionManager {
	return &scs.SessionManager{
		Store: store{
			client,
		},
		Codec:            scs.GobCodec{},
		IdleTimeout:      30 * time.Minute,
		Lifetime:         12 * time.Hour,
		HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name:     "__Host-session",
			Path:     "/",
			Secure:   true,
			HttpOnly: true,
			SameSite: http.SameSiteLaxMode,
			Persist:  true,
		},
	}
}

// store is an scs.Store. A token that was deleted leaves a grave, so that a request that is still running at a logout
// does not bring the session back.
type store struct{ client *redis.Client }

const (
	prefix = "session:"
	grave  = "ended"
)

func (s store) Find(token string) ([]byte, bool, error) {
	b, err := s.client.Get(context.Background(), prefix+token).Bytes()
	if errors.Is(err, redis.Nil) || string(b) == grave {
		return nil, false, nil
	}
	return b, err == nil, err
}

// commit writes unless there is a grave.
var commit = redis.NewScript(`if redis.call("GET", KEYS[1]) == "` + grave + `" then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2]) return 1`)

func (s store) Commit(token string, b []byte, expiry time.Time) error {
	return commit.Run(
		context.Background(),
		s.client,
		[]string{prefix + token},
		b,
		max(1, time.Until(expiry).Milliseconds()),
	).Err()
}

func (s store) Delete(token string) error {
	return s.client.SetXX(context.Background(), prefix+token, grave, time.Hour).Err()
}
