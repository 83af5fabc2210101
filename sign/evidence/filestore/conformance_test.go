package filestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestStore runs the suite of all stores.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		dir := tb.TempDir()
		return storetest.Harness{
			Open: func() (evidence.Store, func(), error) {
				s, err := filestore.Open(dir)
				if err != nil {
					return nil, nil, err
				}
				return s, func() { _ = s.Close() }, nil
			},
			Tamper: tamperer(dir),
		}
	})
}

// tamperer changes files as somebody would who knows their form: batches are written anew with the sums that fit, and
// what is derived from them is removed, or it would tell.
func tamperer(dir string) storetest.Tamper {
	edit := func(tb testing.TB, change func([]json.RawMessage) []json.RawMessage) {
		tb.Helper()
		path := filepath.Join(dir, "entries.log")
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		var lines []json.RawMessage
		for l := range bytes.Lines(b) {
			if !bytes.HasPrefix(l, []byte(`{"batch"`)) {
				lines = append(lines, bytes.TrimSuffix(l, []byte("\n")))
			}
		}
		var out bytes.Buffer
		for _, l := range change(lines) {
			body := append(bytes.Clone(l), '\n')
			sum := sha256.Sum256(body)
			fmt.Fprintf(&out, `{"batch":1,"bytes":%d,"sha256":%q}`+"\n%s", len(body), hex.EncodeToString(sum[:]), body)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			tb.Fatal(err)
		}
		for _, derived := range []string{"hashes", "offsets", "signatures", "state"} {
			if err := os.Remove(filepath.Join(dir, derived)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	must := func(tb testing.TB, err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	return storetest.Tamper{
		Rewrite: func(tb testing.TB, index int64, change func([]byte) []byte) {
			edit(tb, func(lines []json.RawMessage) []json.RawMessage {
				// As bytes: what is written need not be JSON any more.
				record, rest, found := bytes.Cut(lines[index], []byte(`,"hashes":`))
				if !found {
					tb.Fatal("no hashes")
				}
				changed := change(bytes.Clone(bytes.TrimPrefix(record, []byte(`{"record":`))))
				lines[index] = append(
					append([]byte(`{"record":`), changed...),
					append([]byte(`,"hashes":`), rest...)...)
				return lines
			})
		},
		Swap: func(tb testing.TB, a, b int64) {
			edit(tb, func(lines []json.RawMessage) []json.RawMessage {
				first, second := split(lines[a]), split(lines[b])
				first.hashes, second.hashes = second.hashes, first.hashes
				lines[a], lines[b] = second.join(), first.join()
				return lines
			})
		},
		Cut: func(tb testing.TB, size int64) {
			edit(tb, func(lines []json.RawMessage) []json.RawMessage { return lines[:size] })
		},
		DropHeld: func(tb testing.TB, index int64) {
			p := placeOf(tb, dir, index)
			p.keys(tb, func(b []byte) { b[0] = 'D'; clear(b[28:]) })
			p.parts(tb, func(b []byte) { clear(b) })
		},
		SwapHeld: func(tb testing.TB, a, b int64) {
			first, second := placeOf(tb, dir, a), placeOf(tb, dir, b)
			swap := func(from int, change ...func(testing.TB, func([]byte))) {
				var kept []byte
				change[0](tb, func(b []byte) { kept = bytes.Clone(b[from:]) })
				change[1](tb, func(b []byte) {
					other := bytes.Clone(b[from:])
					if copy(b[from:], kept); len(kept) != len(other) {
						tb.Fatal("parts of two lengths")
					}
					kept = other
				})
				change[0](tb, func(b []byte) { copy(b[from:], kept) })
			}
			swap(28, first.keys, second.keys)
			swap(0, first.parts, second.parts)
		},
		RewriteBlob: func(tb testing.TB, hash evidence.Hash, change func([]byte) []byte) {
			path := filepath.Join(dir, "blobs", hex.EncodeToString(hash[:]))
			b, err := os.ReadFile(path)
			must(tb, err)
			must(tb, os.WriteFile(path, change(b), 0o600))
		},
	}
}

// entryLine is a line of entries.log in its parts.
type entryLine struct{ record, hashes, signature []byte }

func split(line []byte) entryLine {
	record, rest, _ := bytes.Cut(line, []byte(`,"hashes":`))
	hashes, signature, _ := bytes.Cut(rest, []byte(`,"signature":`))
	return entryLine{record, hashes, signature}
}

func (l entryLine) join() []byte {
	return bytes.Join([][]byte{l.record, []byte(`,"hashes":`), l.hashes, []byte(`,"signature":`), l.signature}, nil)
}

// held is where an entry's part is: its line says so.
type held struct {
	dir     string
	Segment int64    `json:"segment"`
	Part    [2]int64 `json:"part"`
	Key     [2]int64 `json:"key"`
}

func placeOf(tb testing.TB, dir string, index int64) held {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "entries.log"))
	if err != nil {
		tb.Fatal(err)
	}
	for l := range bytes.Lines(b) {
		if bytes.HasPrefix(l, []byte(`{"batch"`)) {
			continue
		}
		if index--; index >= 0 {
			continue
		}
		var entry struct {
			Held *held `json:"held"`
		}
		if err := json.Unmarshal(l, &entry); err != nil || entry.Held == nil {
			tb.Fatalf("no held part: %v", err)
		}
		entry.Held.dir = dir
		return *entry.Held
	}
	tb.Fatal("no such entry")
	return held{}
}

// keys and parts change the bytes of the record with its key, and of the part.
func (h held) keys(tb testing.TB, change func([]byte)) {
	tb.Helper()
	changeFile(tb, filepath.Join(h.dir, "keys", fmt.Sprint(h.Segment)+".keys"), h.Key, change)
}

func (h held) parts(tb testing.TB, change func([]byte)) {
	tb.Helper()
	changeFile(tb, filepath.Join(h.dir, "held", fmt.Sprint(h.Segment)+".parts"), h.Part, change)
}

func changeFile(tb testing.TB, path string, at [2]int64, change func([]byte)) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	change(b[at[0] : at[0]+at[1]])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}
