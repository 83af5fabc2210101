package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
)

// TestKinds: every kind of evidence has the files by which others verify it, and no others; the README says what to do
// with them.
func TestKinds(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "evidence")
			c := newWorld(t, k).config()
			c.Document = nil // its hash alone is known
			result, err := export.Write(t.Context(), folder, c)
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]bool{
				"document": false, "digest.bin": true, "certificate.der": true, "authority.der": true,
				"ocsp.der": k.ocsp, "list-1.der": !k.ocsp, "attributes.der": k.attributes,
				"signature.p7s": k.attributes || k.mode.String() == "digest-info",
			} {
				if slices.Contains(result.Files, file) != want {
					t.Errorf("%s: %v, want %v, in %q", file, !want, want, result.Files)
				}
				if want && !strings.Contains(read(t, folder, "README.md"), file) {
					t.Errorf("the README does not name %s", file)
				}
			}
		})
	}
}

// broken is a document that cannot be read to its end.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("disk of taro")

// TestFoldersThatCannotBe: what goes wrong with folder and document leaves nothing behind, has the family of what must
// be done, and its text has no name of the machine's.
func TestFoldersThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["DigestInfo, CRL"])
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unreadable := w.config()
	unreadable.Document = broken{}
	for what, c := range map[string]struct {
		folder string
		config export.Config
		reason export.Reason
		cause  error
	}{
		"no parent": {filepath.Join(dir, "gone", "evidence"), w.config(),
			export.ReasonFolder, os.ErrNotExist},
		"in a file":             {filepath.Join(file, "evidence"), w.config(), export.ReasonFolder, nil},
		"no name":               {"", w.config(), export.ReasonRequest, nil},
		"a document that stops": {filepath.Join(dir, "evidence"), unreadable, export.ReasonFolder, errBroken},
	} {
		_, err := export.Write(t.Context(), c.folder, c.config)
		if !errors.Is(err, &export.Error{Reason: c.reason}) || c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "taro") {
			t.Errorf("%s: its text tells %q", what, err)
		}
		if f := kakunin.FamilyOf(err); f == kakunin.Unclassified || kakunin.MessageFor(err, kakunin.Japanese) == "" {
			t.Errorf("%s: family %v", what, f)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
