package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// Repeats is where a [Handler] remembers what it answered, so that a repeated request is not verified, kept and charged
// again: one store for all instances of an operator. [RepeatsIn] makes one of a Redis or an SQL database. Keys have at
// most 80 characters of visible ASCII, values some hundred bytes. It is safe for concurrent use. The values hold no
// certificate and no attributes, but a user id.
type Repeats interface {
	// Claim stores the value unless the key has one that is not over: then it returns that one.
	Claim(ctx context.Context, r Remembered) (stored []byte, claimed bool, err error)
	// Replace stores the value, whatever was there.
	Replace(ctx context.Context, r Remembered) error
	// Release forgets the key.
	Release(ctx context.Context, key string) error
}

// Remembered is a value for some time.
type Remembered struct {
	Key   string
	Value []byte
	For   time.Duration
}

// RepeatsIn makes a Repeats of a store that has the three methods with a struct of its own: package
// middleware/sharedstore has them for Redis and SQL databases. See the example.
func RepeatsIn[V ~struct {
	Key   string
	Value []byte
	For   time.Duration
}](store interface {
	Claim(ctx context.Context, v V) (stored []byte, claimed bool, err error)
	Replace(ctx context.Context, v V) error
	Release(ctx context.Context, key string) error
}) Repeats {
	return repeatsIn[V]{store}
}

type repeatsIn[V ~struct {
	Key   string
	Value []byte
	For   time.Duration
}] struct {
	store interface {
		Claim(ctx context.Context, v V) (stored []byte, claimed bool, err error)
		Replace(ctx context.Context, v V) error
		Release(ctx context.Context, key string) error
	}
}

func (r repeatsIn[V]) Claim(ctx context.Context, v Remembered) (stored []byte, claimed bool, err error) {
	return r.store.Claim(ctx, V(v))
}

func (r repeatsIn[V]) Replace(ctx context.Context, v Remembered) error {
	return r.store.Replace(ctx, V(v))
}

func (r repeatsIn[V]) Release(ctx context.Context, key string) error {
	return r.store.Release(ctx, key)
}

// judging is how long an instance may take over one request before another may take it up.
const judging = 2 * time.Minute

// repeat is what a Repeats holds: the request's hash, and the answer once there is one.
type repeat struct {
	Body    string            `json:"body"`
	Status  int               `json:"status,omitempty"`
	Code    string            `json:"code,omitempty"`
	Members map[string]string `json:"members,omitempty"`
}

// shared is answers.once with a store that others use, too. A store that does not answer leaves the request unjudged.
func (h *Handler) shared(ctx context.Context, key answerKey, body [32]byte, judge func() reply) reply {
	unavailable := reply{status: http.StatusServiceUnavailable, code: h.wire.Codes.Unavailable}
	// Whatever the business is called, it is a key of this length.
	sum := sha256.Sum256(append([]byte(key.business+"\x00"), key.key[:]...))
	name := "verdict:" + hex.EncodeToString(sum[:])
	mine := repeat{Body: hex.EncodeToString(body[:])}
	value, err := json.Marshal(mine)
	if err != nil {
		return unavailable
	}
	stored, claimed, err := h.config.Repeats.Claim(ctx, Remembered{name, value, judging})
	if err != nil {
		return unavailable
	}
	if !claimed {
		var before repeat
		switch {
		case json.Unmarshal(stored, &before) != nil:
			return unavailable
		case before.Body != mine.Body:
			return reply{status: http.StatusConflict, code: h.wire.Codes.Request}
		case before.Members == nil: // another instance is at it
			return unavailable
		}
		return reply{before.Status, before.Code, before.Members}
	}
	settled := false
	after := context.WithoutCancel(ctx)
	defer func() { // also when judge panics
		if !settled {
			_ = h.config.Repeats.Release(after, name) // otherwise it is over by itself
		}
	}()
	answer := judge()
	if answer.members == nil { // what was unavailable may be available the next time
		return answer
	}
	mine.Status, mine.Code, mine.Members = answer.status, answer.code, answer.members
	if value, err = json.Marshal(mine); err == nil {
		settled = h.config.Repeats.Replace(after, Remembered{name, value, verdictAge}) == nil
	}
	return answer // the evidence is kept, so the verdict stands whether or not it will be remembered
}
