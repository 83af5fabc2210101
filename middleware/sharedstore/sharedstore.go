// Package sharedstore implements middleware.Shared on Redis and on SQL databases, for several instances of one
// application; and operator.Repeats, by operator.RepeatsIn, for those of a platform operator. It links neither a client
// nor a driver: the application brings its own.
//
//	shared, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: command})  // see the example
//	shared, err := sharedstore.NewSQL(sharedstore.SQLConfig{DB: db})           // PostgreSQL or SQLite
//
// # Examples
//
// There are examples of [NewRedis] and [NewSQL].
//
// # Compatibility
//
// Keys are those of middleware.Shared with a prefix, or the rows of one table. What is stored lives for minutes; a new
// version may find it unreadable, and a login that is under way then starts again.
package sharedstore

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// RedisConfig configures a Redis; NewRedis validates it.
type RedisConfig struct {
	// Do sends one command to a Redis of version 6.2 or later (or one of its relatives) and returns the reply: nil for
	// a null reply, otherwise a string, a []byte or an int64. It must be safe for concurrent use.
	Do func(ctx context.Context, args ...any) (any, error)
	// Prefix comes before every key; default none.
	Prefix string
}

// Redis is a middleware.Shared. It is safe for concurrent use.
type Redis struct{ c RedisConfig }

// NewRedis validates the configuration. The error is an [*Error].
func NewRedis(c RedisConfig) (*Redis, error) {
	if c.Do == nil {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "Do is missing"}
	}
	return &Redis{c}, nil
}

// Use implements middleware.Shared.
func (r *Redis) Use(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	reply, err := r.c.Do(ctx, "SET", r.c.Prefix+key, "1", "NX", "PX", milliseconds(ttl))
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	return reply != nil, nil
}

// Used implements middleware.Shared.
func (r *Redis) Used(ctx context.Context, key string) (bool, error) {
	reply, err := r.c.Do(ctx, "EXISTS", r.c.Prefix+key)
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	n, ok := reply.(int64)
	if !ok {
		return false, &Error{Reason: ReasonStore, Detail: "EXISTS answered no int64"}
	}
	return n > 0, nil
}

// Put implements middleware.Shared.
func (r *Redis) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if _, err := r.c.Do(ctx, "SET", r.c.Prefix+key, value, "PX", milliseconds(ttl)); err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
}

// Take implements middleware.Shared.
func (r *Redis) Take(ctx context.Context, key string) ([]byte, error) {
	reply, err := r.c.Do(ctx, "GETDEL", r.c.Prefix+key)
	if err != nil {
		return nil, &Error{Reason: ReasonStore, Err: err}
	}
	return textOf(reply, "GETDEL")
}

// textOf is a text of Redis, which clients make bytes or a string of; nil is none.
func textOf(reply any, command string) ([]byte, error) {
	switch v := reply.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	default:
		return nil, &Error{Reason: ReasonStore, Detail: command + " answered no string"}
	}
}

// Value is a value for some time: what operator.Remembered is, for operator.RepeatsIn.
type Value struct {
	Key   string // at most 80 characters
	Value []byte // not nil
	For   time.Duration
}

// Claim stores the value unless the key has one that is not over: then it returns that one. Of concurrent calls one
// claims. The error is an [*Error].
func (r *Redis) Claim(ctx context.Context, v Value) (stored []byte, claimed bool, err error) {
	key := r.c.Prefix + v.Key
	for range claimTries {
		reply, err := r.c.Do(ctx, "SET", key, v.Value, "NX", "PX", milliseconds(v.For))
		if err != nil {
			return nil, false, &Error{Reason: ReasonStore, Err: err}
		}
		if reply != nil {
			return nil, true, nil
		}
		reply, err = r.c.Do(ctx, "GET", key)
		if err != nil {
			return nil, false, &Error{Reason: ReasonStore, Err: err}
		}
		stored, err := textOf(reply, "GET")
		if err != nil || stored != nil {
			return stored, false, err
		}
		// It ran out, or was released, between the two.
	}
	return nil, false, &Error{Reason: ReasonStore, Detail: "a value comes and goes"}
}

// claimTries is how often a value may be over just when it is read.
const claimTries = 10

// Replace stores the value, whatever was there. The error is an [*Error].
func (r *Redis) Replace(ctx context.Context, v Value) error { return r.Put(ctx, v.Key, v.Value, v.For) }

// Release forgets the key. The error is an [*Error].
func (r *Redis) Release(ctx context.Context, key string) error {
	_, err := r.Take(ctx, key)
	return err
}

// milliseconds of a lifetime are at least 1: Redis refuses 0.
func milliseconds(ttl time.Duration) int64 { return max(1, ttl.Milliseconds()) }

// Reason says what went wrong.
type Reason int

// Reasons of this package.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: what the constructor was given cannot work. Family Configuration.
	ReasonConfiguration
	// ReasonStore: the store failed; Err is its error. Family Unavailable.
	ReasonStore
)

var reasons = [...]fault.Row{
	ReasonUnknown:       fault.Unknown(),
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration},
	ReasonStore:         {Name: "store", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package.
type Error struct {
	Reason Reason
	Detail string // a fixed text of this package
	Err    error  // the store's; not part of Error's text, because stores quote addresses and passwords
}

// Error implements error: constants only.
func (e *Error) Error() string { return fault.Text("sharedstore", e.Reason.String(), "", "", e.Detail) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches errors of this package by their reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family says what to do; see kakunin.FamilyOf.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; see kakunin.MessageFor.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
