package evidence_test

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestNotes: a note is a leaf among the records, proved and verified as they are.
func TestNotes(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	l := newLog(t, store)
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	type operation struct {
		What string `json:"what"`
		By   string `json:"by"`
	}
	kept, err := l.AppendNotes(t.Context(), "operation", operation{"list loaded <&>", "担当者"},
		map[string]any{"n": 12, "list": []string{"a"}})
	if err != nil || len(kept) != 2 || kept[1].Index != 2 {
		t.Fatalf("%+v, %v", kept, err)
	}
	point := checkpointOf(t, l)
	s, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: []evidence.Checkpoint{point}})
	if err != nil || s.Records != 3 || s.Notes != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	proof, err := l.Prove(t.Context(), 1, point)
	if err != nil {
		t.Fatal(err)
	}
	line, err := kept[0].Note.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	n, err := proof.CheckNote(line, point)
	if err != nil || n.Kind != "operation" || !strings.Contains(string(n.Body), "担当者") {
		t.Errorf("%v", err)
	}
	changed := []byte(strings.Replace(string(line), "loaded", "denied", 1))
	if _, err := proof.CheckNote(changed, point); reasonOf(err) != evidence.ReasonHash {
		t.Errorf("another text: %v", err)
	}
	other, err := kept[1].Note.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.CheckNote(other, point); reasonOf(err) != evidence.ReasonCheckpoint {
		t.Errorf("another note: %v", err)
	}
	if _, err := l.Record(t.Context(), 1); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("as a record: %v", err)
	}
	var kinds []string
	entries := l.Scan(t.Context(), 0, 9)
	for range 2 { // it can be read again
		kinds = nil
		for k, err := range entries {
			if err != nil {
				t.Fatal(err)
			}
			if k.Note != nil {
				kinds = append(kinds, k.Note.Kind)
			}
			if k.Index == 2 {
				break
			}
		}
		if len(kinds) != 2 {
			t.Errorf("%v", kinds)
		}
	}
}

// TestNotesAreStrict: what others might read differently is not kept.
func TestNotesAreStrict(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	for name, c := range map[string]struct {
		kind string
		body any
	}{
		"no kind": {"", map[string]int{}}, "a kind in capitals": {"Note", map[string]int{}},
		"no object": {"note", []int{1}},
		"null":      {"note", nil}, "a fraction": {"note", map[string]float64{"x": 1.5}},
		"a large number":      {"note", map[string]int64{"x": 1 << 60}},
		"a control character": {"note", map[string]string{"x": "a\nb"}},
		"a name in Japanese":  {"note", map[string]int{"名": 1}},
		"null inside":         {"note", map[string]any{"x": nil}}, "no JSON": {"note", func() {}},
		"names that differ in case": {"note", map[string]int{"a": 1, "A": 2}},
	} {
		if _, err := l.AppendNotes(t.Context(), c.kind, c.body); reasonOf(err) != evidence.ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := l.Size(t.Context()); n != 0 || err != nil {
		t.Errorf("%d notes, %v", n, err)
	}
}

// FuzzParseNote: whatever is accepted says the same when encoded and read again.
func FuzzParseNote(f *testing.F) {
	l := newLog(f, evidence.NewMemory())
	kept, err := l.AppendNotes(f.Context(), "operation", map[string]any{"a": "犯収法", "b": []int{1, 2}, "c": true})
	if err != nil {
		f.Fatal(err)
	}
	line, err := kept[0].Note.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"version":1,"kind":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := evidence.ParseNote(b)
		if err != nil {
			if reasonOf(err) == evidence.ReasonUnknown {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := n.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := evidence.ParseNote(again); err != nil || back.Hash != n.Hash {
			t.Fatalf("accepted note does not survive: %v", err)
		}
	})
}
