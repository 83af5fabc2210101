package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
)

func TestKeyIsMadeOnceAndPrinted(t *testing.T) {
	for _, alg := range []authn.Algorithm{authn.ES256, authn.RS256, authn.PS256} {
		path := filepath.Join(t.TempDir(), "key.jwk")
		var out bytes.Buffer
		if err := run([]string{"-alg", string(alg), "-kid", "2026-12", "-out", path}, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		key, err := authn.LoadKey(path)
		if err != nil || key.Algorithm() != alg || key.KeyID() != "2026-12" {
			t.Fatalf("%v", err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		text := out.String()
		jwks, rest, _ := strings.Cut(text, "\n\n")
		var set struct{ Keys []map[string]string }
		if err := json.Unmarshal([]byte(jwks), &set); err != nil || len(set.Keys) != 1 ||
			set.Keys[0]["alg"] != string(alg) || set.Keys[0]["kid"] != "2026-12" || set.Keys[0]["d"] != "" {
			t.Errorf("%s", jwks)
		}
		block, _ := pem.Decode([]byte(rest))
		if block == nil {
			t.Fatal("no PEM")
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
			t.Errorf("the PEM block is another key's: %v", err)
		}
		beside, err := os.ReadFile(filepath.Join(filepath.Dir(path), "key.pub.pem"))
		if err != nil || string(beside) != rest {
			t.Errorf("the file with the public half is another's: %v", err)
		}
		if err := run([]string{"-out", path}, io.Discard, io.Discard); !errors.Is(err, os.ErrExist) {
			t.Errorf("overwritten: %v", err)
		}
		var again bytes.Buffer
		if err := run([]string{"-public", path}, &again, io.Discard); err != nil || again.String() != text {
			t.Errorf("%v", err)
		}
	}
}

// Without arguments the key is understood in every way of registering it: RSA, under the hash of its public half, or
// none.
func TestDefaultsWorkInEveryWayOfRegistering(t *testing.T) {
	for _, args := range [][]string{nil, {"-kid", "none"}} {
		path := filepath.Join(t.TempDir(), "key.jwk")
		if err := run(append(args, "-out", path), io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
		key, err := authn.LoadKey(path)
		if err != nil || key.Algorithm() != authn.RS256 {
			t.Fatalf("%s, %v", key.Algorithm(), err)
		}
		if want := key.SPKIHash(); args == nil && key.KeyID() != want || args != nil && key.KeyID() != "" {
			t.Errorf("%q: kid %q", args, key.KeyID())
		}
	}
}

func TestRefusedArguments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.jwk")
	for _, args := range [][]string{
		{"-alg", "HS256", "-out", path}, {"-alg", "none", "-out", path},
		{"-kid", strings.Repeat("k", 256), "-out", path},
		{"x"}, {"-public", path}, {"-help"},
	} {
		err := run(args, io.Discard, io.Discard)
		if err == nil || (args[0] == "-help") != errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}
