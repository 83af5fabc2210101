// Package quirks plays the readers that there are between a card and a program: those that carry no extended lengths,
// that cut answers, that speak in pieces, or that need a moment to wake up. With it an application learns before its
// users whether it works on a cheap one.
//
//	sim := cardsim.New(t, person.Hanako)
//	c, err := card.Wait(ctx, quirks.Transport(sim.Transport(), quirks.Cut64))     // in process
//	err := vpcd.Run(ctx, vpcd.Config{Card: quirks.Over(sim, quirks.Short)})       // for every program at pcscd
//
// [Parse] reads names such as "short,cut64", as "cardsim card -reader" takes them. Without a quirk everything passes.
//
// # Examples
//
// There are examples of [Over] and [Transport].
//
// # Compatibility
//
// The names of the quirks are stable.
package quirks

import (
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Quirk is a habit of a reader. The zero value is none.
type Quirk int

// Quirks. Short to ShortFails refuse commands with extended lengths, each in another way, and let everything else pass.
const (
	// Short answers 6700: wrong length.
	Short Quirk = iota + 1
	// Short6281 answers 6281: part of the data may be corrupted.
	Short6281
	// Short6282 answers 6282 without data: the end of the file was reached.
	Short6282
	// Short6300 answers 6300: a warning without a meaning here.
	Short6300
	// Short6884 answers 6884: command chaining not supported.
	Short6884
	// Short6A86 answers 6A86: wrong P1-P2.
	Short6A86
	// Short6B00 answers 6B00: offset outside the file.
	Short6B00
	// Short6D00 answers 6D00: instruction not supported.
	Short6D00
	// Short6E00 answers 6E00: class not supported.
	Short6E00
	// Short6F00 answers 6F00: no diagnosis.
	Short6F00
	// ShortEmpty answers 9000 without data.
	ShortEmpty
	// ShortFails does not answer: the exchange fails. Over a virtual reader, which cannot say that, it is 6F00.
	ShortFails
	// ShortResets does not answer either, and the card loses power.
	ShortResets

	// Cut64, Cut255 and Cut256 cut longer answers, and say 9000 all the same.
	Cut64
	Cut255
	Cut256
	// Pieces64 and Pieces256 give longer answers in pieces: 61xx announces the rest for GET RESPONSE.
	Pieces64
	Pieces256
	// Exact answers 6Cxx to a READ that asks for more than there is.
	Exact

	// WakeUp and WakeUp2 answer 6F00 to the first command, or to the first two, after the card was given power.
	WakeUp
	WakeUp2
)

// row is what there is to say about a quirk.
type row struct {
	name string
	// refusal answers a command with extended lengths, 0 if they pass.
	refusal apdu.Status
	// cut and piece are the longest answer that passes at once, 0 for any.
	cut, piece int
	exact      bool
	fails      bool
	resets     bool
	// asleep is how many commands after power-up are lost.
	asleep int
}

// rows is indexed by Quirk and never written.
var rows = [...]row{
	Short:       {name: "short", refusal: apdu.WrongLength},
	Short6281:   {name: "short-6281", refusal: apdu.DataMayBeCorrupted},
	Short6282:   {name: "short-6282", refusal: apdu.EndOfFile},
	Short6300:   {name: "short-6300", refusal: apdu.VerificationFailed},
	Short6884:   {name: "short-6884", refusal: 0x6884},
	Short6A86:   {name: "short-6a86", refusal: apdu.IncorrectP1P2},
	Short6B00:   {name: "short-6b00", refusal: apdu.OffsetOutsideFile},
	Short6D00:   {name: "short-6d00", refusal: apdu.INSNotSupported},
	Short6E00:   {name: "short-6e00", refusal: apdu.CLANotSupported},
	Short6F00:   {name: "short-6f00", refusal: apdu.NoDiagnosis},
	ShortEmpty:  {name: "short-empty", refusal: apdu.OK},
	ShortFails:  {name: "short-fails", refusal: apdu.NoDiagnosis, fails: true},
	ShortResets: {name: "short-resets", refusal: apdu.NoDiagnosis, fails: true, resets: true},
	Cut64:       {name: "cut64", cut: 64},
	Cut255:      {name: "cut255", cut: 255},
	Cut256:      {name: "cut256", cut: 256},
	Pieces64:    {name: "pieces64", piece: 64},
	Pieces256:   {name: "pieces256", piece: 256},
	Exact:       {name: "exact", exact: true},
	WakeUp:      {name: "wakeup", asleep: 1},
	WakeUp2:     {name: "wakeup2", asleep: 2},
}

// String returns the stable name, "none" for a number that is no quirk.
func (q Quirk) String() string {
	if q <= 0 || int(q) >= len(rows) {
		return "none"
	}
	return rows[q].name
}

// Quirks returns all quirks.
func Quirks() []Quirk {
	var out []Quirk
	for q := Short; int(q) < len(rows); q++ {
		out = append(out, q)
	}
	return out
}

// Parse reads names with commas between them; "" is no quirk. The error is an *[Error].
func Parse(names string) ([]Quirk, error) {
	var out []Quirk
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
			continue
		}
		i := slices.IndexFunc(rows[:], func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, &Error{Reason: ReasonUnknownQuirk}
		}
		out = append(out, Quirk(i))
	}
	return out, nil
}

// Reason says what went wrong.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonUnknownQuirk: there is no quirk of that name.
	ReasonUnknownQuirk
	// ReasonNoAnswer: the exchange failed, as the quirk wants it.
	ReasonNoAnswer
)

// reasons has the reasons in their order.
var reasons = [...]fault.Row{
	ReasonUnknown:      fault.Unknown(),
	ReasonUnknownQuirk: {Name: "no such quirk", Family: kakunin.Configuration},
	ReasonNoAnswer:     {Name: "no answer", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package.
type Error struct{ Reason Reason }

// Error names the reason.
func (e *Error) Error() string { return fault.Text("quirks", e.Reason.String(), "", "", "") }

// Is reports whether target is an *Error with the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // this method is what errors.Is asks
	return ok && t.Reason == e.Reason
}

// Family is Configuration for a name that is none, and Unavailable otherwise.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }

var _ kakunin.Classified = (*Error)(nil)
