package evidence_test

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// FuzzChain: no input makes the reader of an old log panic or loop.
func FuzzChain(f *testing.F) {
	rec, err := evidence.FromReport(verified(), now)
	if err != nil {
		f.Fatal(err)
	}
	log, err := evidence.ChainOf(rec, rec)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(log)
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		chain, err := evidence.ReadChain(bytes.NewReader(b))
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

// leafByHand is RFC 6962's leaf hash of a record's canonical JSON without "hash" and "held".
func leafByHand(t *testing.T, record []byte) (leaf [32]byte) {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(record))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	delete(m, "hash")
	delete(m, "held")
	out := bytes.NewBuffer([]byte{0})
	writeCanonical(out, m)
	return sha256.Sum256(out.Bytes())
}

// rootByHand is RFC 6962, 2.1, as it is written there.
func rootByHand[H ~[32]byte](leaves []H) H {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := rootByHand(leaves[:k]), rootByHand(leaves[k:])
	return H(sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...)))
}
