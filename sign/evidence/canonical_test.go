package evidence

import (
	"bytes"
	"testing"
)

// FuzzCanonicalJSON: the quick way says what the thorough one says, or nothing.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{
		`{"b":1,"a":{"d":[1,"x",{"z":true,"y":null}],"c":""},"hash":"h"}`, `{}`, ` { "a" : [ ] } `, `{"a":1,"a":2}`,
		`{"a":"<&>","ab":"証跡","A":"\u0041"}`, `{"a":1.5}`, `{"a":-1}`, `{"a":01}`, `{"a":tru}`, `{"a":[1,]}`,
		`{"a":1}x`,
		`{"a":"` + "\u2028" + `"}`, `{"hash":{"hash":1}}`, `{"a":{"hash":1}}`, `[1]`, `{"a"`, `{"a":"`, `{,}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := canonicalJSON(b, "hash")
		want, errWant := decodedCanonicalJSON(b, "hash")
		if (err == nil) != (errWant == nil) || !bytes.Equal(got, want) {
			t.Errorf("%q: %q, %v; %q, %v", b, got, err, want, errWant)
		}
	})
}

func BenchmarkCanonicalJSON(b *testing.B) {
	plain := []byte(`{"version":1,"recorded_at":"2026-11-21T03:00:00Z","document":{"algorithm":"SHA-256","hash":"` +
		`e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","media_type":"text/plain"},"steps":[` +
		`{"name":"chain","clause":"RFC 5280","ok":true}],"hash":"x"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := canonicalJSON(plain, "hash"); err != nil {
			b.Fatal(err)
		}
	}
}
