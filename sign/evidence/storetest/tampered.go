package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// attack is one thing that somebody does to a log of 12 records, of which every second has a held part, and how it is
// named: a reason and the position of the first record that is wrong, 0 where there is none.
type attack struct {
	do       func(tb testing.TB, t Tamper)
	reason   evidence.Reason
	position int
	// atStart: Log.Consistent finds it as well, without reading the log.
	atStart bool
}

// needs is the function of [Tamper] that an attack is made of; the others rewrite a record.
func needs(attack string) string {
	if name, other := otherNeeds[attack]; other {
		return name
	}
	return "Rewrite"
}

var otherNeeds = map[string]string{
	"two records exchanged":    "Swap",
	"the newest cut off":       "Cut",
	"all cut off":              "Cut",
	"another history":          "Cut",
	"a held part gone":         "DropHeld",
	"two held parts exchanged": "SwapHeld",
	"an archived file changed": "RewriteBlob",
}

// given says of each function whether the harness has it.
func (t Tamper) given() map[string]bool {
	return map[string]bool{
		"Rewrite": t.Rewrite != nil, "Swap": t.Swap != nil, "Cut": t.Cut != nil,
		"DropHeld": t.DropHeld != nil, "SwapHeld": t.SwapHeld != nil, "RewriteBlob": t.RewriteBlob != nil,
	}
}

// mistakes names the functions that are neither given nor left out for a reason, and reasons that are for nothing.
func (t Tamper) mistakes() []string {
	var all []string
	given := t.given()
	for name, has := range given {
		if !has && strings.TrimSpace(t.LeftOut[name]) == "" {
			all = append(all, "Tamper."+name+" is missing, and LeftOut gives no reason")
		}
	}
	for name := range t.LeftOut {
		if has, known := given[name]; !known || has {
			all = append(all, "LeftOut names "+name+", which is not missing")
		}
	}
	slices.Sort(all)
	return all
}

func replaced(old, now string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(now), 1) }
}

// rehashed changes a record and gives it the hash that fits: only the tree tells.
func rehashed(tb testing.TB, change func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		r, err := evidence.Parse(b)
		if err != nil {
			tb.Fatal(err)
		}
		forged, err := evidence.FromReport(Report(77, 77), Now(), evidence.Basis("forged"))
		if err != nil {
			tb.Fatal(err)
		}
		forged.SignatureSHA256 = r.SignatureSHA256 // else the index of signatures tells
		var m map[string]any
		out, err := json.Marshal(forged)
		if err != nil {
			tb.Fatal(err)
		}
		if err := json.Unmarshal(change(out), &m); err != nil {
			tb.Fatal(err)
		}
		delete(m, "hash")
		canonical, err := json.Marshal(m) // sorted, and nothing in it that is escaped
		if err != nil {
			tb.Fatal(err)
		}
		sum := sha256.Sum256(canonical)
		m["hash"] = hex.EncodeToString(sum[:])
		if out, err = json.Marshal(m); err != nil {
			tb.Fatal(err)
		}
		return out
	}
}

func attacks() map[string]attack {
	rewrite := func(index int64, change func([]byte) []byte) func(testing.TB, Tamper) {
		return func(tb testing.TB, t Tamper) { t.Rewrite(tb, index, change) }
	}
	return map[string]attack{
		"a text changed":     {rewrite(3, replaced(`"text/plain"`, `"text/plaim"`)), evidence.ReasonHash, 4, false},
		"a bit flipped":      {rewrite(5, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), -1, 6, false},
		"a step that failed": {rewrite(2, replaced(`"ok":true`, `"ok":false`)), evidence.ReasonFormat, 3, false},
		"a status not good": {
			rewrite(2, replaced(`"status":"good"`, `"status":"revoked"`)),
			evidence.ReasonFormat,
			3,
			false,
		},
		"an impossible time": {
			rewrite(7, replaced(`"at":"2026-11-21T03:00:00Z"`, `"at":"2026-11-31T03:00:00Z"`)),
			evidence.ReasonFormat,
			8,
			false,
		},
		"a time in another zone": {
			rewrite(7, replaced(`03:00:00Z`, `12:00:00+09:00`)),
			evidence.ReasonFormat,
			8,
			false,
		},
		"cut short": {
			rewrite(11, func(b []byte) []byte { return b[:len(b)-9] }),
			evidence.ReasonFormat,
			12,
			false,
		},
		"a record made anew": {func(tb testing.TB, t Tamper) {
			t.Rewrite(tb, 4, rehashed(tb, func(b []byte) []byte { return b }))
		}, evidence.ReasonHash, 5, false},
		"a status not good, made anew": {func(tb testing.TB, t Tamper) {
			t.Rewrite(tb, 4, rehashed(tb, replaced(`"status":"good"`, `"status":"revoked"`)))
		}, evidence.ReasonFormat, 5, false},
		"recorded before it was verified, made anew": {func(tb testing.TB, t Tamper) {
			t.Rewrite(tb, 4, rehashed(tb, replaced(`"recorded_at":"2026`, `"recorded_at":"2025`)))
		}, evidence.ReasonFormat, 5, false},
		"two records exchanged": {func(tb testing.TB, t Tamper) { t.Swap(tb, 1, 2) }, evidence.ReasonHash, 2, false},
		"the newest cut off": {
			func(tb testing.TB, t Tamper) { t.Cut(tb, 11) },
			evidence.ReasonTruncated,
			0,
			true,
		},
		"all cut off": {func(tb testing.TB, t Tamper) { t.Cut(tb, 0) }, evidence.ReasonTruncated, 0, true},
		"a held part gone": {
			func(tb testing.TB, t Tamper) { t.DropHeld(tb, 6) },
			evidence.ReasonAbsent,
			7,
			false,
		},
		"two held parts exchanged": {
			func(tb testing.TB, t Tamper) { t.SwapHeld(tb, 4, 8) },
			evidence.ReasonHash,
			5,
			false,
		},
	}
}

// victim is a log with two checkpoints.
func victim(t *testing.T, h Harness) []evidence.Checkpoint {
	t.Helper()
	s, closeStore := h.open(t)
	defer closeStore()
	l := Log(t, s)
	var points []evidence.Checkpoint
	for i := range 12 {
		var options []evidence.Option
		if i%2 == 0 {
			options = append(options, evidence.WithCertificate())
		}
		_, err := l.Append(t.Context(), Report(i, i), options...)
		must(t, err)
		if i == 5 || i == 11 {
			points = append(points, checkpoint(t, l))
		}
	}
	return points
}

// tampered: whatever is done to the store is found, by name and place.
func tampered(t *testing.T, fresh func(tb testing.TB) Harness) {
	for _, mistake := range fresh(t).Tamper.mistakes() {
		t.Error(mistake)
	}
	// try makes a fresh store and attacks it, unless the harness says why not.
	try := func(name string, do func(t *testing.T, h Harness)) {
		t.Run(name, func(t *testing.T) {
			h := fresh(t)
			if !h.Tamper.given()[needs(name)] {
				t.Skip("left out: " + h.Tamper.LeftOut[needs(name)])
			}
			do(t, h)
		})
	}
	for name, a := range attacks() {
		try(name, func(t *testing.T, h Harness) {
			points := victim(t, h)
			a.do(t, h.Tamper)
			verifyAttacked(t, h, a, points)
		})
	}
	try("another history", func(t *testing.T, h Harness) {
		points := victim(t, h)
		h.Tamper.Cut(t, 4)
		s, closeStore := h.open(t)
		l := Log(t, s)
		for i := range 8 {
			_, err := l.Append(t.Context(), Report(300+i, 300+i))
			must(t, err)
		}
		closeStore()
		verifyAttacked(t, h, attack{reason: evidence.ReasonCheckpoint, position: 6, atStart: true}, points)
	})
	try("an archived file changed", func(t *testing.T, h Harness) {
		s, closeStore := h.open(t)
		hash, err := s.PutBlob(t.Context(), bytes.NewReader(make([]byte, 300<<10)))
		must(t, err)
		closeStore()
		h.Tamper.RewriteBlob(t, hash, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		l := Log(t, opened(t, h))
		r, err := l.Archived(t.Context(), hex.EncodeToString(hash[:]))
		must(t, err)
		_, err = io.Copy(io.Discard, r)
		want(t, err, evidence.ReasonHash, -1)
		must(t, r.Close())
		// A record that names it: its verification says so when it is asked to read the archive.
		report := Report(1, 1)
		report.Chain.AnchorFingerprint = hash
		_, err = l.Append(t.Context(), report)
		must(t, err)
		_, err = l.Verify(t.Context(), evidence.Verification{})
		must(t, err)
		_, err = l.Verify(t.Context(), evidence.Verification{Archive: true})
		want(t, err, evidence.ReasonHash, 1)
	})
}

func verifyAttacked(t *testing.T, h Harness, a attack, points []evidence.Checkpoint) {
	t.Helper()
	s, closeStore, err := h.Open()
	if err != nil && errors.Is(err, evidence.ErrDamaged) && !a.atStart {
		return // named before anything is read
	}
	must(t, err)
	defer closeStore()
	l := Log(t, s)
	_, err = l.Verify(t.Context(), evidence.Verification{Checkpoints: points})
	if a.reason < 0 { // a bit may hit anything
		if err == nil {
			t.Error("not found")
		}
	} else {
		want(t, err, a.reason, a.position)
	}
	if a.atStart {
		want(t, l.Consistent(t.Context(), points...), a.reason, -1)
	} else if err := l.Consistent(t.Context(), points...); err != nil {
		t.Errorf("the tree itself: %s", explain(err))
	}
}
