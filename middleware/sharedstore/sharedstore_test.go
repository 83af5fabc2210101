package sharedstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
)

var (
	_ middleware.Shared = (*sharedstore.Redis)(nil)
	_ middleware.Shared = (*sharedstore.SQL)(nil)
)

// tiny answers the five commands like a Redis. Real ones are asked by the tests of examples/instances.
type tiny struct {
	mu     sync.Mutex
	values map[string]any
	sent   []string
	err    error
}

func (f *tiny) do(_ context.Context, args ...any) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, fmt.Sprint(args...))
	if f.err != nil {
		return nil, f.err
	}
	key, _ := args[1].(string)
	old, there := f.values[key]
	switch args[0] {
	case "SET":
		if there && args[3] == "NX" {
			return nil, nil
		}
		f.values[key] = args[2]
		return "OK", nil
	case "EXISTS":
		if there {
			return int64(1), nil
		}
		return int64(0), nil
	case "GET":
		return old, nil
	case "GETDEL":
		delete(f.values, key)
		return old, nil
	}
	return nil, errors.New("unknown command")
}

func TestRedis(t *testing.T) {
	f := &tiny{values: map[string]any{}}
	s, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: f.do, Prefix: "shop:"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for i, want := range []bool{true, false, false} {
		if first, err := s.Use(ctx, "k", time.Minute); first != want || err != nil {
			t.Errorf("use %d: %v, %v", i+1, first, err)
		}
	}
	if used, err := s.Used(ctx, "k"); !used || err != nil {
		t.Errorf("%v, %v", used, err)
	}
	if used, err := s.Used(ctx, "other"); used || err != nil {
		t.Errorf("%v, %v", used, err)
	}
	if err := s.Put(ctx, "v", []byte{0, 0xff, '\r', '\n'}, time.Microsecond); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x00\xff\r\n", ""} {
		if v, err := s.Take(ctx, "v"); string(v) != want || err != nil {
			t.Errorf("%q, %v", v, err)
		}
	}
	for _, sent := range f.sent {
		if !strings.Contains(sent, "shop:") {
			t.Errorf("without the prefix: %s", sent)
		}
	}
}

// Of those who claim a key one gets it, and the others get its value; released or over, it is free.
func TestClaim(t *testing.T) {
	f := &tiny{values: map[string]any{}}
	s, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: f.do, Prefix: "operator:"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	v := func(text string) sharedstore.Value {
		return sharedstore.Value{Key: "k", Value: []byte(text), For: time.Minute}
	}
	want := func(value, want string) {
		t.Helper()
		stored, claimed, err := s.Claim(ctx, v(value))
		if string(stored) != want || claimed != (want == "") || err != nil {
			t.Errorf("%q, %v, %v, want %q", stored, claimed, err, want)
		}
	}
	want("first", "")
	want("second", "first")
	if err := s.Replace(ctx, v("answer")); err != nil {
		t.Fatal(err)
	}
	want("third", "answer")
	if err := s.Release(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	want("fourth", "")
	// What is over just when it is read is tried again, but not for ever.
	flapping, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: func(context.Context, ...any) (any, error) {
		return nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, claimed, err := flapping.Claim(ctx, v("x")); claimed || kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Errorf("%v, %v", claimed, err)
	}
	f.err = errors.New("gone")
	if _, claimed, err := s.Claim(ctx, v("x")); claimed || !errors.Is(err, f.err) {
		t.Errorf("%v, %v", claimed, err)
	}
	if err := errors.Join(s.Replace(ctx, v("x")), s.Release(ctx, "k")); !errors.Is(err, f.err) {
		t.Error(err)
	}
}

// A store that fails, or answers what it does not answer, never looks like a first use.
func TestFailuresAreNoAnswers(t *testing.T) {
	f := &tiny{err: errors.New("dial redis://:hunter2@10.0.0.1")}
	s, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: f.do})
	if err != nil {
		t.Fatal(err)
	}
	first, e1 := s.Use(t.Context(), "k", time.Minute)
	used, e2 := s.Used(t.Context(), "k")
	value, e3 := s.Take(t.Context(), "k")
	for _, err := range []error{e1, e2, e3, s.Put(t.Context(), "k", nil, time.Minute)} {
		if !errors.Is(err, f.err) || kakunin.FamilyOf(err) != kakunin.Unavailable ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
	if first || used || value != nil {
		t.Error("an answer out of nothing")
	}
	odd, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: func(context.Context, ...any) (any, error) {
		return 3.5, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := odd.Used(t.Context(), "k"); err == nil {
		t.Error("3.5 was taken for an answer")
	}
	if _, err := odd.Take(t.Context(), "k"); err == nil {
		t.Error("3.5 was taken for a value")
	}
}

// Clients of Redis differ in what they make of a text: bytes or a string. Both are the value; and what a person is told
// when the store is away is the family's message.
func TestTextsAreValues(t *testing.T) {
	s, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: func(context.Context, ...any) (any, error) {
		return "text", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.Take(t.Context(), "k"); string(v) != "text" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	away := &sharedstore.Error{Reason: sharedstore.ReasonStore}
	if kakunin.MessageFor(away, kakunin.English) == "" || away.UserMessage() != (kakunin.Message{}) {
		t.Errorf("%+v", away.UserMessage())
	}
}

func TestConfigurations(t *testing.T) {
	_, e1 := sharedstore.NewRedis(sharedstore.RedisConfig{})
	_, e2 := sharedstore.NewSQL(sharedstore.SQLConfig{})
	_, e3 := sharedstore.NewSQL(sharedstore.SQLConfig{Table: "a; DROP TABLE users"})
	for _, err := range []error{e1, e2, e3} {
		if !errors.Is(err, &sharedstore.Error{Reason: sharedstore.ReasonConfiguration}) ||
			kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%v", err)
		}
	}
	if !strings.Contains(e3.Error(), "DB") || !strings.Contains(e3.Error(), "Table") {
		t.Errorf("%v does not name both", e3)
	}
}

// With a client of Redis: this is all that stands between, here for go-redis.
//
//	Do: func(ctx context.Context, args ...any) (any, error) {
//		reply, err := client.Do(ctx, args...).Result()
//		if errors.Is(err, redis.Nil) {
//			return nil, nil
//		}
//		return reply, err
//	},
func ExampleNewRedis() {
	server := &tiny{values: map[string]any{}}
	shared, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: server.do})
	if err != nil {
		log.Fatal(err)
	}
	config := middleware.Config{Shared: shared} // and Client, SealKeys, Sessions, the same in every instance
	first, err := config.Shared.Use(context.Background(), "a callback", time.Minute)
	fmt.Println(first, err)
	// Output: true <nil>
}
