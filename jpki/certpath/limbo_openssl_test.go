//go:build openssl

package certpath

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// opensslVerdict is what openssl verify says of the case.
func (c *limboCase) opensslVerdict(t *testing.T, strict bool) bool {
	t.Helper()
	flags := []string{"-partial_chain"} // an anchor is trusted, whoever signed it
	if strict {
		flags = append(flags, "-x509_strict")
	}
	for _, p := range c.Purposes {
		flags = append(flags, "-purpose", map[string]string{"serverAuth": "sslserver", "clientAuth": "sslclient"}[p])
	}
	if c.Depth != nil {
		flags = append(flags, "-verify_depth", fmt.Sprint(*c.Depth))
	}
	if len(c.Lists) > 0 {
		flags = append(flags, "-crl_check_all", "-extended_crl", "-use_deltas")
	}
	file := func(texts ...string) string {
		f, err := os.CreateTemp(t.TempDir(), "*.pem")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(strings.Join(texts, "\n") + "\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	flags = append(flags, "-CAfile", file(c.Anchors...))
	if len(c.Pool) > 0 {
		flags = append(flags, "-untrusted", file(c.Pool...))
	}
	if len(c.Lists) > 0 {
		flags = append(flags, "-CRLfile", file(c.Lists...))
	}
	ok, _ := opensslRun(t, c.At, append(flags, file(c.Leaf))...)
	return ok
}

// TestOpenSSLLimbo compares what is recorded of OpenSSL with what it says, and records it anew with -update-limbo.
func TestOpenSSLLimbo(t *testing.T) {
	word := map[bool]string{true: "valid", false: "refused"}
	var out strings.Builder
	out.WriteString("# What openssl verify says of each case, by default and with -x509_strict.\n")
	for _, c := range limboCases(t) {
		fmt.Fprintf(&out, "%s %s %s\n", c.ID, word[c.opensslVerdict(t, false)], word[c.opensslVerdict(t, true)])
	}
	const name = "testdata/limbo-openssl.txt"
	if *updateLimbo {
		if err := os.WriteFile(name, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	had := map[string]bool{}
	for line := range strings.Lines(string(recorded)) {
		had[line] = true
	}
	for line := range strings.Lines(out.String()) {
		if !had[line] {
			t.Errorf("not as recorded: %s", line)
		}
	}
}
