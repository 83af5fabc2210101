package evidence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

func fatalContext() context.Context { return context.Background() }

// writeCanonical is RFC 8785 for what records hold, written without encoding/json's ordering.
func writeCanonical(out *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		out.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeCanonical(out, k)
			out.WriteByte(':')
			writeCanonical(out, v[k])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeCanonical(out, e)
		}
		out.WriteByte(']')
	case string:
		out.WriteByte('"')
		for _, c := range v {
			if c == '"' || c == '\\' {
				out.WriteByte('\\')
			}
			out.WriteRune(c)
		}
		out.WriteByte('"')
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case json.Number:
		out.WriteString(v.String())
	default:
		panic(fmt.Sprintf("%T", v))
	}
}

// FuzzParse: whatever is accepted says the same when encoded and read again, and its hash covers it.
func FuzzParse(f *testing.F) {
	rec, err := evidence.FromReport(verified(), now, evidence.Basis("犯収法"), evidence.WithCertificate())
	if err != nil {
		f.Fatal(err)
	}
	b, err := rec.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := evidence.Parse(b)
		if err != nil {
			if reasonOf(err) == evidence.ReasonUnknown {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := rec.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := evidence.Parse(again)
		if err != nil || back.Hash != rec.Hash {
			t.Fatalf("accepted record does not survive: %v", err)
		}
	})
}

// FuzzChain: no input makes the reader of a log panic or loop.
func FuzzChain(f *testing.F) {
	var log bytes.Buffer
	l := evidence.NewLog(&log, clock)
	for range 2 {
		if _, err := l.Append(verified()); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(log.Bytes())
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		chain, err := evidence.VerifyChain(bytes.NewReader(b))
		if err == nil && (chain.Records == 0) != (chain.Head == "") {
			t.Fatalf("%+v", chain)
		}
	})
}

// reasonOf returns the reason of an error of package evidence, ReasonUnknown for others.
func reasonOf(err error) evidence.Reason {
	if e, ok := errors.AsType[*evidence.Error](err); ok {
		return e.Reason
	}
	return evidence.ReasonUnknown
}
