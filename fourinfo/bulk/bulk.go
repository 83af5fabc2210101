// Package bulk compares many persons with the records of a file, one at a time and in constant memory.
//
//	summary, err := bulk.Compare(ctx, in, out)
//
// reads pairs as lines of JSON and writes one line of outcomes for each. Programs with a source of their own use [All]:
//
//	for result := range bulk.All(pairs) { … }
//
// The pairs ARE personal data; the results carry only outcomes, reasons and positions.
//
// # Examples
//
// There are examples of [Compare] and [Read].
//
// # Compatibility
//
// Input lines are persons in the form of [fourinfo.Stored], in every version of it. Output lines may gain members; the
// names of outcomes and steps stay.
package bulk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// maxLine is the longest line of [Read], in bytes: two persons with attributes of the greatest length, escaped.
const maxLine = 256 << 10

// Pair is one record to compare.
type Pair struct {
	// ID is the caller's reference for the pair. It goes into the result and should be no personal data.
	ID string
	// Expected is the person on file, Actual the one that card, certificate or service states.
	Expected, Actual fourinfo.Person
}

// Result is what comparing a pair came to. It holds no value of a person.
type Result struct {
	ID      string
	Matches []fourinfo.FieldMatch
}

// Outcome is the gravest outcome of the pair's attributes; OutcomeUnknown if any attribute could not be compared and
// none differs, or if nothing was expected.
func (r Result) Outcome() fourinfo.Outcome {
	worst, unknown := fourinfo.OutcomeUnknown, len(r.Matches) == 0
	for _, m := range r.Matches {
		unknown = unknown || m.Outcome == fourinfo.OutcomeUnknown
		worst = max(worst, m.Outcome)
	}
	if unknown && worst != fourinfo.Different {
		return fourinfo.OutcomeUnknown
	}
	return worst
}

// All compares the pairs one after the other as the caller asks for results. It keeps none of them.
func All(pairs iter.Seq[Pair]) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for p := range pairs {
			if !yield(Result{p.ID, p.Expected.Compare(p.Actual)}) {
				return
			}
		}
	}
}

// ErrLine is what is wrong with a line of [Read]. It shows nothing of it.
var ErrLine = errors.New("bulk: malformed line")

// line is one line of the input.
type line struct {
	ID       string          `json:"id"`
	Expected fourinfo.Stored `json:"expected"`
	Actual   fourinfo.Stored `json:"actual"`
}

// Read reads pairs, one JSON object a line:
//
//	{"id": "…", "expected": {"v": 1, "name": "…"}, "actual": {"v": 1, "name": "…"}}
//
// with persons in the form of [fourinfo.Stored]. A line that cannot be read yields [ErrLine] and reading goes on; one
// that is longer than 256 KiB or an error of the reader yields its error and ends it. Empty lines are skipped.
func Read(r io.Reader) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4<<10), maxLine)
		for lines.Scan() {
			if len(lines.Bytes()) == 0 {
				continue
			}
			if !yield(readPair(lines.Bytes())) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Pair{}, err)
		}
	}
}

func readPair(b []byte) (Pair, error) {
	var l line
	if json.Unmarshal(b, &l) != nil {
		return Pair{}, ErrLine // the cause may quote the line
	}
	expected, errExpected := l.Expected.Person()
	actual, errActual := l.Actual.Person()
	if errExpected != nil || errActual != nil {
		return Pair{}, ErrLine
	}
	return Pair{l.ID, expected, actual}, nil
}

// Summary counts the pairs by outcome.
type Summary struct {
	Pairs     int                      // compared
	Malformed int                      // lines that could not be read
	Outcomes  map[fourinfo.Outcome]int // of Pairs
}

// Compare reads pairs as [Read] does and writes one JSON object a line for each, in their order:
//
//	{"id": "…", "outcome": "needs-review", "attributes": [{"attribute": "name", "outcome": "needs-review",
//	  "findings": [{"step": "variant", "outcome": "needs-review", "expected": [0, 1], "actual": [0, 1]}]}]}
//
// A line that cannot be read is counted, and written as {"outcome": "malformed"}. Compare stops when the context ends;
// the error is then the context's, otherwise the reader's or the writer's. It needs the same memory for any number of
// pairs.
func Compare(ctx context.Context, r io.Reader, w io.Writer) (Summary, error) {
	s := Summary{Outcomes: map[fourinfo.Outcome]int{}}
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	for p, err := range Read(r) {
		if ctx.Err() != nil {
			return s, errors.Join(ctx.Err(), out.Flush())
		}
		record := written{Outcome: "malformed"}
		switch {
		case err == nil:
			result := Result{p.ID, p.Expected.Compare(p.Actual)}
			record = write(result)
			s.Pairs++
			s.Outcomes[result.Outcome()]++
		case errors.Is(err, ErrLine):
			s.Malformed++
		default:
			return s, errors.Join(err, out.Flush())
		}
		if err := encoder.Encode(record); err != nil {
			return s, err
		}
	}
	return s, out.Flush()
}
