//go:build openssl

package export_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence/export"
)

// commands are those of the README, one a line.
func commands(t *testing.T, folder string) []string {
	t.Helper()
	var list []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(read(t, folder, "README.md"),
		-1) {
		list = append(list, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return list
}

// runAll runs the commands in the folder and returns those that failed.
func runAll(t *testing.T, folder string, show bool) (failed []string) {
	t.Helper()
	for _, command := range commands(t, folder) {
		c := exec.CommandContext(t.Context(), "sh", "-c", command)
		c.Dir = folder
		if out, err := c.CombinedOutput(); err != nil {
			failed = append(failed, command)
			if show {
				t.Errorf("%s: %v: %s", command, err, out)
			}
		}
	}
	return failed
}

// The commands of the README hold for every kind of evidence, with OpenSSL alone.
func TestOpenSSLVerifiesFolder(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, k)
			folder := filepath.Join(t.TempDir(), "evidence")
			if _, err := export.Write(t.Context(), folder, w.config()); err != nil {
				t.Fatal(err)
			}
			if n := len(commands(t, folder)); n < 15 {
				t.Errorf("only %d commands", n)
			}
			runAll(t, folder, true)
			without := w.config()
			without.Document = nil
			folder = filepath.Join(t.TempDir(), "without-document")
			if _, err := export.Write(t.Context(), folder, without); err != nil {
				t.Fatal(err)
			}
			runAll(t, folder, true)
		})
	}
}

// And they fail when a file was changed.
func TestOpenSSLFindsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["DigestInfo, CRL"])
	for name, at := range map[string]int{
		"record.json": 300, "covered.json": 40, "document": 2, "digest.bin": 3, "signature.bin": 40,
		"signature.p7s":   -20,
		"certificate.der": -20, "authority.der": -20, "list-1.der": -20, "timestamp-1.tst": -20,
		"checkpoint-body.txt":      30,
		"checkpoint-signature.bin": 3, "path-1.bin": 3, "path-2.bin": 3, "timestamp-1-authority.der": -20,
	} {
		folder := filepath.Join(t.TempDir(), "evidence")
		if _, err := export.Write(t.Context(), folder, w.config()); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, name)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if at < 0 {
			at += len(data)
		}
		if name == "record.json" { // its hash
			at = strings.Index(string(data), `"hash": "`+hashOf(data)) + len(`"hash": "`)
		}
		data[at] ^= 1
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if failed := runAll(t, folder, false); len(failed) == 0 {
			t.Errorf("%s was changed and every command succeeds", name)
		}
	}
}

func hashOf(record []byte) string {
	all := regexp.MustCompile(`"hash": "([0-9a-f]{64})"`).FindAllStringSubmatch(string(record), -1)
	return all[len(all)-1][1]
}
