package bulk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/bulk"
)

func pairLine(n int) string {
	return fmt.Sprintf(`{"id":"r%d","expected":{"v":1,"name":"髙橋 花子","address":"東京都清瀬市架空町1-2-%d"},`+
		`"actual":{"v":1,"name":"高橋　花子","name_substitutes":"10000","address":"東京都清瀬市架空町一丁目２番%d号"}}`+"\n", n, n, n)
}

// source makes lines as they are asked for.
type source struct {
	n, limit, off int
	current       string
}

func (s *source) Read(b []byte) (int, error) {
	if s.off == len(s.current) {
		if s.n == s.limit {
			return 0, io.EOF
		}
		s.n++
		s.current, s.off = pairLine(s.n), 0
	}
	n := copy(b, s.current[s.off:])
	s.off += n
	return n, nil
}

// heapWatcher notes the largest heap while results pass.
type heapWatcher struct {
	writes  int
	largest uint64
}

func (h *heapWatcher) Write(b []byte) (int, error) {
	if h.writes++; h.writes%50 == 1 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		h.largest = max(h.largest, m.HeapAlloc)
	}
	return len(b), nil
}

// TestMemoryIsConstant: twenty times the records need no more memory than some.
func TestMemoryIsConstant(t *testing.T) {
	measure := func(records int) uint64 {
		var h heapWatcher
		s, err := bulk.Compare(t.Context(), &source{limit: records}, &h)
		if err != nil || s.Pairs != records || s.Outcomes[fourinfo.NeedsReview] != records {
			t.Fatalf("%+v, %v", s, err)
		}
		return h.largest
	}
	few, many := measure(500), measure(10000)
	if many > few+1<<20 {
		t.Errorf("500 records need %d bytes, 10000 need %d", few, many)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	in := pairLine(3) + "\n" +
		`{"id":"same","expected":{"v":1,"name":"試験　花子"},"actual":{"v":1,"name":"試験　花子"}}` + "\n" +
		`{"id":"missing","expected":{"v":1,"name":"試験　花子","gender":"2"},"actual":{"v":1,"name":"試験　花子"}}` + "\n" +
		`{"id":"other","expected":{"v":1,"name":"試験　花子","gender":"2"},"actual":{"v":1,"name":"試験　春子"}}` + "\n" +
		`{"id":"nobody","expected":{"v":1},"actual":{"v":1}}` + "\n" +
		"not JSON 試験\n" + `{"id":"old","expected":{"v":9},"actual":{"v":1}}` + "\n"
	var out bytes.Buffer
	s, err := bulk.Compare(t.Context(), strings.NewReader(in), &out)
	if err != nil || s.Pairs != 5 || s.Malformed != 2 || s.Outcomes[fourinfo.Same] != 1 ||
		s.Outcomes[fourinfo.NeedsReview] != 1 ||
		s.Outcomes[fourinfo.OutcomeUnknown] != 2 || s.Outcomes[fourinfo.Different] != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 7 ||
		lines[1] != `{"id":"same","outcome":"same","attributes":[{"attribute":"name","outcome":"same"}]}` ||
		lines[5] != `{"outcome":"malformed"}` {
		t.Errorf("%s", out.String())
	}
	for _, want := range []string{`"step":"substitute"`, `"step":"numeral"`, `"expected":[0,1]`} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("%s lacks %s", lines[0], want)
		}
	}
	for _, secret := range []string{"花子", "試験", "清瀬"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output shows %s", secret)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("broken") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestCompareStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := bulk.Compare(ctx, &source{limit: 10}, io.Discard); !errors.Is(err, context.Canceled) || s.Pairs != 0 {
		t.Errorf("cancelled: %+v, %v", s, err)
	}
	if _, err := bulk.Compare(t.Context(), failing{}, io.Discard); err == nil {
		t.Error("a broken reader goes unnoticed")
	}
	if _, err := bulk.Compare(t.Context(), &source{limit: 10}, failing{}); err == nil {
		t.Error("a broken writer goes unnoticed")
	}
	if _, err := bulk.Compare(t.Context(), strings.NewReader(strings.Repeat("x", 300<<10)), io.Discard); err == nil {
		t.Error("an endless line goes unnoticed")
	}
	// A caller who has seen enough gets no more.
	seen := 0
	for range bulk.All(func(yield func(bulk.Pair) bool) {
		for yield(bulk.Pair{}) {
		}
	}) {
		if seen++; seen == 3 {
			break
		}
	}
}

// FuzzRead: no input makes the reader panic, and every line is answered once.
func FuzzRead(f *testing.F) {
	f.Add(pairLine(1) + "x\n\n" + pairLine(2))
	f.Add(`{"expected":{"v":2,"alias":"a"},"actual":{"v":1}}`)
	f.Fuzz(func(t *testing.T, in string) {
		s, err := bulk.Compare(t.Context(), strings.NewReader(in), io.Discard)
		if lines := strings.Count(in, "\n") + 1; err == nil && s.Pairs+s.Malformed > lines {
			t.Errorf("%d answers for %d lines", s.Pairs+s.Malformed, lines)
		}
	})
}

// BenchmarkMillion streams b.N times a million records: go test -run '^$' -bench Million -benchtime 1x ./fourinfo/bulk.
func BenchmarkMillion(b *testing.B) {
	const records = 1_000_000
	for range b.N {
		s, err := bulk.Compare(b.Context(), &source{limit: records}, io.Discard)
		if err != nil || s.Pairs != records {
			b.Fatalf("%+v, %v", s, err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys)/(1<<20), "MiB-heap")
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/records, "µs/record")
}

// A file of pairs in, a file of results with their reasons out, and a summary.
func ExampleCompare() {
	in := strings.NewReader(`{"id":"1","expected":{"v":1,"name":"ｼｹﾝ ﾊﾅｺ"},"actual":{"v":1,"name":"シケン　ハナコ"}}` + "\n")
	var out strings.Builder
	summary, err := bulk.Compare(context.Background(), in, &out)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(summary.Pairs, summary.Outcomes[fourinfo.SameAfterNormalisation])
	fmt.Print(out.String())
	// Output:
	// 1 1
	// {"id":"1","outcome":"same-after-normalisation","attributes":[{"attribute":"name","outcome":"same-after-normalisation","findings":[{"step":"width","outcome":"same-after-normalisation","expected":[0,3],"actual":[0,3]},{"step":"space","outcome":"same-after-normalisation","expected":[3,4],"actual":[3,4]},{"step":"width","outcome":"same-after-normalisation","expected":[4,7],"actual":[4,7]}]}]}
}

// A program that wants the results and not the file reads the pairs itself. A line that cannot be read costs that line
// alone.
func ExampleRead() {
	in := strings.NewReader(`{"id":"1","expected":{"v":1,"name":"試験　花子"},"actual":{"v":1,"name":"試験　花子"}}
no JSON
{"id":"3","expected":{"v":1,"name":"試験　花子"},"actual":{"v":1,"name":"試験　太郎"}}
`)
	pairs := func(yield func(bulk.Pair) bool) {
		for pair, err := range bulk.Read(in) {
			switch {
			case errors.Is(err, bulk.ErrLine):
				fmt.Println("a line was skipped")
			case err != nil || !yield(pair):
				return
			}
		}
	}
	for result := range bulk.All(pairs) {
		fmt.Println(result.ID, result.Outcome())
	}
	// Output:
	// 1 same
	// a line was skipped
	// 3 different
}
