package sign

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// zeros is a document of a size.
func zeros(n int64) io.Reader { return io.LimitReader(zeroes{}, n) }

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A document of any size is hashed in the memory of one buffer. Not parallel: it measures the process's memory.
func TestDocumentInConstantMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Prepare(t.Context(), Document{Reader: zeros(128 << 20)}, ModeDigestInfo); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<10 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// BenchmarkDocument hashes the largest document that there may be; B/op stays what one buffer needs.
func BenchmarkDocument(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(limits.Document)
	for b.Loop() {
		if _, err := Prepare(b.Context(), Document{Reader: zeros(limits.Document)}, ModeDigestInfo); err != nil {
			b.Fatal(err)
		}
	}
}

// reader answers each read with the next of its results.
type reader struct {
	results []error
	counts  []int
}

func (r *reader) Read([]byte) (int, error) {
	if len(r.results) == 0 {
		return 0, io.EOF
	}
	n, err := r.counts[0], r.results[0]
	r.counts, r.results = r.counts[1:], r.results[1:]
	return n, err
}

func TestOddReaders(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk")
	for name, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"the end with the last bytes": {&reader{[]error{nil, io.EOF}, []int{3, 2}}, nil},
		"nothing now and then":        {&reader{[]error{nil, nil, nil, io.EOF}, []int{0, 3, 0, 0}}, nil},
		"an error with bytes":         {&reader{[]error{broken}, []int{3}}, broken},
		"nothing for ever":            {&reader{make([]error, 200), make([]int, 200)}, io.ErrNoProgress},
		"more than there is room for": {&reader{[]error{nil}, []int{1 << 20}}, errReader},
		"fewer than nothing":          {&reader{[]error{nil}, []int{-1}}, errReader},
	} {
		_, err := Prepare(t.Context(), Document{Reader: c.r}, ModeBareHash)
		if (err == nil) != (c.want == nil) || c.want != nil &&
			(!errors.Is(err, c.want) || reasonOf(err) != ReasonDocumentRead) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stops := io.MultiReader(zeros(1<<20), &hook{cancel}, zeros(1<<40))
	if _, err := Prepare(ctx, Document{Reader: stops}, ModeBareHash); reasonOf(err) != ReasonInterrupted {
		t.Errorf("a context that ends in the middle: %v", err)
	}
	same := strings.Repeat("条", 40_000)
	whole, err := Prepare(t.Context(), Text(same), ModeBareHash)
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := Prepare(t.Context(), Document{Reader: iotestOneByte{strings.NewReader(same)}}, ModeBareHash)
	if err != nil || pieces.Digest != whole.Digest {
		t.Errorf("byte by byte: %v", err)
	}
}

type hook struct{ call func() }

func (h *hook) Read([]byte) (int, error) {
	h.call()
	return 0, io.EOF
}

type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }
