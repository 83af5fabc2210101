package sign

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit int
		fits  func(n int) bool
	}{
		"sealed result": {limits.SealedResult, func(n int) bool {
			return compactJWE("a.b.c." + strings.Repeat("d", n-8) + ".e")
		}},
		"binary in base64": {limits.SignatureValue, func(n int) bool {
			_, err := decodeBase64(base64.StdEncoding.EncodeToString(make([]byte, n)), limits.SignatureValue)
			return err == nil
		}},
		"binary whose base64 is full": {300, func(n int) bool {
			_, err := decodeBase64(base64.StdEncoding.EncodeToString(make([]byte, n)), 300)
			return err == nil
		}},
		"media type": {limits.MediaType, func(n int) bool {
			_, ok := mediaTypeOf("text/" + strings.Repeat("x", n-5))
			return ok
		}},
		"transaction": {limits.AuthorizationParameter, func(n int) bool {
			return ValidTransactionID(strings.Repeat("x", n))
		}},
		"last character of a transaction": {'~', func(n int) bool { return ValidTransactionID("a" + string(rune(n))) }},
	} {
		if !c.fits(c.limit) {
			t.Errorf("%s: %d is refused", name, c.limit)
		}
		if c.fits(c.limit + 1) {
			t.Errorf("%s: %d is accepted", name, c.limit+1)
		}
	}
}

// Of the five parts only the encrypted key may be empty.
func TestEmptyParts(t *testing.T) {
	t.Parallel()
	for i := range 5 {
		parts := []string{"a", "b", "c", "d", "e"}
		parts[i] = ""
		if got := compactJWE(strings.Join(parts, ".")); got != (i == 1) {
			t.Errorf("part %d is empty: %v", i, got)
		}
	}
}

// The step of the signature is that of the mode, also where it fails.
func TestStepOfTheMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{ModeBareHash, ModeDigestInfo} {
		want := map[Mode]check{ModeBareHash: stepBareHash, ModeDigestInfo: stepDigestInfo}[mode]
		r := &verification{mode: mode, key: &testKey().PublicKey, opened: NewOpened(bytes.Repeat([]byte{1}, 256), nil)}
		var e *Error
		if err := r.checkSignature(); !errors.As(err, &e) || e.Step != want.name || e.Clause != want.clause {
			t.Errorf("%v: %v, want the step %s (%s)", mode, err, want.name, want.clause)
		}
	}
}

// idle is a reader that has nothing, for as many times.
type idle struct{ left, asked int }

func (r *idle) Read(p []byte) (int, error) {
	r.asked++
	if r.left--; r.left >= 0 {
		return 0, nil
	}
	return copy(p, "x"), io.EOF
}

// A reader that has nothing a hundred times has nothing.
func TestReaderWithoutProgress(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]error{0: nil, 99: nil, 100: io.ErrNoProgress} {
		r := &idle{left: times}
		if _, err := hashDocument(t.Context(), r, "document"); !errors.Is(err, want) || r.asked != min(times+1, 100) {
			t.Errorf("nothing %d times: %v after %d reads", times, err, r.asked)
		}
	}
}
