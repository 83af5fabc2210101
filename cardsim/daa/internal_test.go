package daa

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestStoreExpires(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now }, 10, refuses)
	if !s.add("a", 1, now.Add(time.Second)) || s.add("a", 2, now.Add(time.Hour)) {
		t.Error("a key was stored twice")
	}
	if v, ok := s.get("a"); !ok || v != 1 {
		t.Error("not found")
	}
	now = now.Add(time.Second)
	if _, ok := s.get("a"); ok {
		t.Error("found after its end")
	}
	if !s.add("a", 3, now.Add(time.Second)) {
		t.Error("an expired key is in the way")
	}
	s.remove("a")
	if _, ok := s.get("a"); ok {
		t.Error("found after removal")
	}
}

// A full store that refuses forgets nothing, and recovers when entries expire, also when older ones do not.
func TestStoreRefuses(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now }, limits.SimulatorEntries, refuses)
	for i := range limits.SimulatorEntries {
		if !s.add(strconv.Itoa(i), i, now.Add(time.Minute)) {
			t.Fatalf("full after %d", i)
		}
	}
	if s.add("one more", 0, now.Add(time.Minute)) || len(s.m) != limits.SimulatorEntries {
		t.Errorf("%d entries", len(s.m))
	}
	if _, ok := s.get("0"); !ok {
		t.Error("an entry was forgotten")
	}
	now = now.Add(time.Minute)
	if !s.add("one more", 0, now.Add(time.Hour)) || s.len() != 1 || inOrder(s) != 1 {
		t.Errorf("%d entries after the end of all", s.len())
	}
	s.most = 2
	if !s.add("short", 0, now.Add(time.Minute)) || s.add("too many", 0, now.Add(time.Minute)) {
		t.Error("not full")
	}
	now = now.Add(time.Minute)
	if !s.add("again", 0, now.Add(time.Minute)) || s.len() != 2 || inOrder(s) != 2 {
		t.Errorf("%d entries after the end of one", s.len())
	}
}

func TestStoreForgets(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now }, 3, forgets)
	for i := range 6 {
		if !s.add(strconv.Itoa(i), i, now.Add(time.Minute)) {
			t.Fatalf("refused %d", i)
		}
		if i == 4 {
			s.remove("3")
		}
	}
	if _, ok := s.get("2"); !ok || s.len() != 3 || inOrder(s) != 3 {
		t.Errorf("%d entries of %v", s.len(), s.m)
	}
	if _, ok := s.get("1"); ok {
		t.Error("the oldest entry is there")
	}
	now = now.Add(time.Minute)
	if !s.add("0", 0, now.Add(time.Minute)) || s.len() != 1 {
		t.Errorf("%d entries after the end of all", s.len())
	}
	if s.clear(); s.len() != 0 || inOrder(s) != 0 {
		t.Error("not cleared")
	}
}

func TestLooksLikePC(t *testing.T) {
	for agent, want := range map[string]bool{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)": true, "": true,
		"Mozilla/5.0 (Linux; Android 15; Tablet)": false, "Mozilla/5.0 (iPhone; …)": false, "x Mobile y": false,
	} {
		if looksLikePC(agent) != want {
			t.Errorf("%q: not %v", agent, want)
		}
	}
}

func TestNumberHasSixDigits(t *testing.T) {
	s := &Service{now: time.Now}
	s.SetKnobs(Knobs{})
	for range 50 {
		v := new(visit)
		if err := s.showNumber(v); err != nil {
			t.Fatal(err)
		}
		if len(v.number) != 6 || strings.Trim(v.number, "0123456789") != "" {
			t.Fatalf("number %q", v.number)
		}
	}
}

// inOrder counts the entries of a store's ring, -1 when its two directions differ.
func inOrder[V any](s *store[V]) int {
	there, back := 0, 0
	for e := s.ends.newer; e != &s.ends; e = e.newer {
		there++
	}
	for e := s.ends.older; e != &s.ends; e = e.older {
		back++
	}
	if there != back {
		return -1
	}
	return there
}
