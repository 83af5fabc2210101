package scssession

import (
	"bytes"
	"encoding/gob"
	"maps"
	"strings"
	"testing"
	"time"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)} }

func TestMemoryStoreFollowsItsClock(t *testing.T) {
	c := newClock()
	s := newMemoryStore(c.now)
	if err := s.Commit("tok", []byte("data"), time.Now().Add(30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	c.advance(29 * time.Minute)
	if b, ok, err := s.Find("tok"); !ok || err != nil || string(b) != "data" {
		t.Fatalf("Find = %q, %v, %v", b, ok, err)
	}
	c.advance(2 * time.Minute)
	if _, ok, _ := s.Find("tok"); ok {
		t.Error("found after it expired")
	}
	if err := s.Commit("other", nil, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(s.items) != 1 {
		t.Errorf("%d items after a sweep, want 1: expired sessions stay in memory", len(s.items))
	}
}

func TestMemoryStoreKeepsDeletedDeleted(t *testing.T) {
	c := newClock()
	s := newMemoryStore(c.now)
	later := func() time.Time { return time.Now().Add(30 * time.Minute) }
	_ = s.Commit("tok", []byte("data"), later())
	_ = s.Delete("tok")
	// A request that began before the logout writes its session back.
	_ = s.Commit("tok", []byte("data"), later())
	if _, ok, _ := s.Find("tok"); ok {
		t.Fatal("a logged-out session came back")
	}
	for range 100 {
		_ = s.Delete("never existed")
	}
	if len(s.items) != 1 {
		t.Errorf("%d items: deleting made-up tokens fills the memory", len(s.items))
	}
	c.advance(graveTime + sweepInterval)
	_ = s.Delete("x")
	if len(s.items) != 0 {
		t.Errorf("%d graves left", len(s.items))
	}
}

func TestMemoryStoreIsBounded(t *testing.T) {
	c := newClock()
	s := newMemoryStore(c.now)
	s.limit = 2
	login := []byte{begunFormat}
	later := func() time.Time { return time.Now().Add(30 * time.Minute) }
	for _, token := range []string{"a", "b", "a"} { // one that is there may be written again
		if err := s.Commit(token, login, later()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit("c", login, later()); err == nil || len(s.items) != 2 {
		t.Errorf("%d sessions, %v", len(s.items), err)
	}
	if _, ok, _ := s.Find("b"); !ok {
		t.Error("a flood ended somebody's session")
	}
	c.advance(31 * time.Minute)
	if err := s.Commit("c", login, later()); err != nil {
		t.Errorf("no room although the others are over: %v", err)
	}
}

// A flood of visitors who do not log in takes no place from those who do.
func TestAnonymousSessionsGiveWay(t *testing.T) {
	c := newClock()
	s := newMemoryStore(c.now)
	s.limit = 4
	anonymous, login := []byte{anonymousFormat}, []byte{begunFormat}
	later := func() time.Time { return time.Now().Add(30 * time.Minute) }
	commit := func(token string, data []byte) {
		t.Helper()
		if err := s.Commit(token, data, later()); err != nil {
			t.Fatalf("%s: %v", token, err)
		}
	}
	found := func(token string) bool { _, ok, _ := s.Find(token); return ok }
	commit("cart", anonymous)
	commit("hanako", login)
	commit("idle", anonymous)
	commit("cart", anonymous) // used again: not the oldest any more
	commit("left", anonymous)
	_ = s.Delete("left") // a logged-out visitor's grave is worth no more than a session
	commit("new", anonymous)
	if found("idle") || !found("cart") || !found("hanako") || !found("new") {
		t.Error("not the session that was idle longest gave way")
	}
	for i := range 1000 {
		commit(strings.Repeat("x", i+1), anonymous)
	}
	commit("taro", login)
	commit("new", anonymous)
	commit("new", login) // logs in
	if !found("hanako") || !found("taro") || !found("new") || len(s.items) != 4 || s.anonymous.Len() != 1 {
		t.Errorf("%d sessions, %d of them anonymous", len(s.items), s.anonymous.Len())
	}
	commit("jiro", login)
	if err := s.Commit("another", anonymous, later()); err == nil {
		t.Error("more sessions than the store has room for")
	}
	commit("jiro", anonymous) // logged out, and the session goes on
	commit("another", anonymous)
	if found("jiro") || !found("another") {
		t.Error("a session that is anonymous again did not give way")
	}
}

func TestSessionCodecRoundTrip(t *testing.T) {
	gob.Register(time.Duration(0))
	deadline := time.Date(2026, 11, 1, 9, 0, 0, 123, time.UTC)
	values := map[string]any{
		"s": "text", "empty": "", "yes": true, "no": false, "i": -42, "d": time.Minute, "": "no key",
	}
	b, err := codec{}.Encode(deadline, values)
	if err != nil {
		t.Fatal(err)
	}
	gotDeadline, got, err := codec{}.Decode(b)
	if err != nil || !gotDeadline.Equal(deadline) || !maps.Equal(got, values) {
		t.Fatalf("Decode = %v, %v, %v", gotDeadline, got, err)
	}
	b, _ = codec{}.Encode(deadline, map[string]any{"b": []byte("bytes")})
	_, got, err = codec{}.Decode(b)
	if v, _ := got["b"].([]byte); err != nil || string(v) != "bytes" {
		t.Fatalf("bytes: %v, %v", got, err)
	}
	clear(b)
	if v, _ := got["b"].([]byte); string(v) != "bytes" {
		t.Error("decoded bytes share memory with the store")
	}
	if _, err := (codec{}).Encode(deadline, map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestSessionCodecRefuses(t *testing.T) {
	good, _ := codec{}.Encode(time.Unix(0, 0), map[string]any{"k": "v"})
	dup := bytes.Replace(good, []byte{1, 1, 'k'}, []byte{2, 1, 'k'}, 1)
	dup = append(dup, 1, 'k', 's', 1, 'v')
	for name, b := range map[string][]byte{
		"empty": nil, "other format": append([]byte{9}, good[1:]...), "trailing": append(bytes.Clone(good), 0),
		"duplicate key": dup, "huge count": {anonymousFormat, 0, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"unknown tag": bytes.Replace(good, []byte("s\x01v"), []byte("?\x01v"), 1),
	} {
		if _, _, err := (codec{}).Decode(b); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for i := range good {
		if _, _, err := (codec{}).Decode(good[:i]); err == nil {
			t.Errorf("truncated to %d bytes was accepted", i)
		}
	}
}

func FuzzSessionCodec(f *testing.F) {
	good, _ := codec{}.Encode(time.Unix(1, 0), map[string]any{"k": "v", "b": []byte{1}, "t": true, "i": 7})
	f.Add(good)
	f.Add([]byte{anonymousFormat, 0, 1, 0, tagGob, 3, 1, 2, 3})
	f.Add([]byte(strings.Repeat("\xff", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		deadline, values, err := codec{}.Decode(b)
		if err != nil {
			return
		}
		again, err := codec{}.Encode(deadline, values)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		if _, v, err := (codec{}).Decode(again); err != nil || len(v) != len(values) {
			t.Fatalf("second round: %v", err)
		}
	})
}
