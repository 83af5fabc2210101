package apdu

import (
	"errors"
	"fmt"
	"testing"
)

func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		s    Status
		n    int
		ok   bool
		what string
	}{
		{0x63C0, 0, true, "blocked"},
		{0x63C3, 3, true, "three"},
		{0x63CF, 15, true, "most"},
		{VerificationFailed, 0, false, "no counter"},
		{FileFilledUp, 0, false, "another warning"},
		{OK, 0, false, "success"},
		{0, 0, false, "zero"},
	} {
		if n, ok := tt.s.Retries(); n != tt.n || ok != tt.ok {
			t.Errorf("%s: got %d, %v", tt.what, n, ok)
		}
	}
	for n, want := range map[int]Status{-1: 0x63C0, 0: 0x63C0, 3: 0x63C3, 15: 0x63CF, 16: 0x63CF} {
		if got := Retry(n); got != want {
			t.Errorf("Retry(%d) = %s", n, got.Hex())
		}
	}
}

func TestAvailableAndCorrectLe(t *testing.T) {
	if n, ok := Status(0x6110).Available(); n != 16 || !ok {
		t.Error("6110", n, ok)
	}
	if n, ok := Status(0x6100).Available(); n != 256 || !ok {
		t.Error("6100", n, ok)
	}
	if n, ok := Status(0x6C07).CorrectLe(); n != 7 || !ok {
		t.Error("6C07", n, ok)
	}
	if n, ok := Status(0x6C00).CorrectLe(); n != 256 || !ok {
		t.Error("6C00", n, ok)
	}
	if _, ok := OK.Available(); ok {
		t.Error("9000 has nothing available")
	}
	if _, ok := OK.CorrectLe(); ok {
		t.Error("9000 corrects nothing")
	}
}

func TestStatusIsAnError(t *testing.T) {
	if OK.Err() != nil {
		t.Error("9000 is an error")
	}
	if Status(0).Err() == nil {
		t.Error("the zero status is success")
	}
	err := fmt.Errorf("wrapped: %w", SecurityNotSatisfied.Err())
	if !errors.Is(err, SecurityNotSatisfied) || errors.Is(err, FileNotFound) {
		t.Error("errors.Is does not find the status")
	}
	var s Status
	if !errors.As(err, &s) || s != 0x6982 {
		t.Error("errors.As does not find the status")
	}
}

func TestStatusText(t *testing.T) {
	for s, want := range map[Status]string{
		0x6982: "status 6982: security status not satisfied",
		0x6984: "status 6984: reference data not usable",
		0x63C2: "status 63C2: verification failed, 2 tries left",
		0x6A82: "status 6A82: file or application not found",
		0x6B00: "status 6B00: wrong parameters P1-P2: offset outside the file",
		0x66F1: "status 66F1: secure messaging not available here",
		0x6110: "status 6110: more response bytes available",
		0x69F0: "status 69F0: command not allowed",
		0x6CFF: "status 6CFF: wrong Le field",
		0x9FFF: "status 9FFF: unknown status",
	} {
		if got := s.Error(); got != want {
			t.Errorf("%s: %q, want %q", s.Hex(), got, want)
		}
	}
}

// Every status word that the published references name has a text of its own.
func TestKnownStatusWordsHaveText(t *testing.T) {
	for _, s := range []Status{
		0x9000, 0x6281, 0x6283, 0x6300, 0x6381, 0x6400, 0x6581, 0x66F1, 0x6700, 0x6881, 0x6882, 0x6981, 0x6982, 0x6984,
		0x6985, 0x6986, 0x6987, 0x6988, 0x69FC, 0x6A80, 0x6A81, 0x6A82, 0x6A83, 0x6A84, 0x6A85, 0x6A86, 0x6A87, 0x6A88,
		0x6B00, 0x6D00, 0x6E00, 0x6F00,
	} {
		if meanings[s] == "" {
			t.Errorf("%s has no text", s.Hex())
		}
	}
}
