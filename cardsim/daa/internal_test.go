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
	s := newStore[int](func() time.Time { return now })
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

// A full store refuses instead of forgetting, and recovers when entries expire.
func TestStoreIsBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newStore[int](func() time.Time { return now })
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
	if !s.add("one more", 0, now.Add(time.Minute)) || len(s.m) != 1 {
		t.Errorf("%d entries after the end of all", len(s.m))
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
