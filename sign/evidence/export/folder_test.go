package export_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
)

// spoiler is a document that, when it is read, makes a folder of the name that a file is about to get.
type spoiler struct {
	io.Reader
	pattern, name string
	spoilt        bool
}

func (s *spoiler) Read(p []byte) (int, error) {
	if !s.spoilt {
		s.spoilt = true
		building, err := filepath.Glob(s.pattern)
		if err != nil || len(building) != 1 {
			return 0, errors.Join(errors.New("no folder is being made"), err)
		}
		if err := os.Mkdir(filepath.Join(building[0], s.name), 0o700); err != nil {
			return 0, err
		}
	}
	return s.Reader.Read(p)
}

// TestFilesThatCannotBeWritten: whichever of the files fails, nothing is left behind, and the error says that it was
// the folder.
func TestFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["CMS attributes, OCSP"])
	whole, err := export.Write(t.Context(), filepath.Join(t.TempDir(), "evidence"), w.config())
	if err != nil {
		t.Fatal(err)
	}
	before := []string{"record.json", "covered.json", "digest.bin", "document"} // written when the document is read
	spoilt := 0
	for _, name := range whole.Files {
		if slices.Contains(before, name) {
			continue
		}
		spoilt++
		dir := t.TempDir()
		c := w.config()
		building := filepath.Join(dir, ".evidence-*")
		c.Document = &spoiler{Reader: strings.NewReader(document), pattern: building, name: name}
		_, err := export.Write(t.Context(), filepath.Join(dir, "evidence"), c)
		if !errors.Is(err, &export.Error{Reason: export.ReasonFolder}) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
	if spoilt < 8 {
		t.Errorf("only %d of %q", spoilt, whole.Files)
	}
}

// TestVerdictOfAnOperator: a record of an operator's verdict has no certificate to show; the folder says whom to ask.
func TestVerdictOfAnOperator(t *testing.T) {
	t.Parallel()
	l, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), PlainHeld: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sign.ParseSealed("aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn")
	if err != nil {
		t.Fatal(err)
	}
	r, err := evidence.FromVerdict(evidence.Judged{
		Sealed: sealed,
		Transaction: &sign.Transaction{
			ID: "tx-12345678", Mode: sign.ModeDigestInfo, Digest: sha256.Sum256([]byte(document)),
			MediaType: "text/plain", Started: now.Add(-time.Hour), Expires: now.Add(time.Hour),
		},
		Verdict: &sign.Verdict{VerificationID: "pf-0001", Status: jpki.Good, VerifiedAt: now, Method: "OCSP"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendRecords(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "evidence")
	result, err := export.Write(t.Context(), folder, export.Config{
		Log: l, Document: strings.NewReader(document), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, none := range []string{"certificate.der", "signature.bin", "authority.der", "ocsp.der"} {
		if slices.Contains(result.Files, none) {
			t.Errorf("%s: nobody here had it", none)
		}
	}
	if guide := read(t, folder, "README.md"); !strings.Contains(guide, "`pf-0001`") ||
		strings.Contains(guide, "openssl x509") {
		t.Errorf("the README does not say whom to ask, or what cannot be done:\n%s", guide)
	}
}

// intruder is a document that, when it is read, puts a file where the folder will be.
type intruder struct {
	io.Reader
	folder string
}

func (i intruder) Read(p []byte) (int, error) {
	if err := os.MkdirAll(i.folder, 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(i.folder, "theirs"), []byte("kept"), 0o600); err != nil {
		return 0, err
	}
	return i.Reader.Read(p)
}

// TestFolderThatAppears: a folder that somebody else makes in the meantime is neither replaced nor added to.
func TestFolderThatAppears(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["DigestInfo, CRL"])
	dir := t.TempDir()
	folder := filepath.Join(dir, "evidence")
	c := w.config()
	c.Document = intruder{strings.NewReader(document), folder}
	if _, err := export.Write(t.Context(), folder, c); !errors.Is(err, &export.Error{Reason: export.ReasonFolder}) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if inside, err := os.ReadDir(folder); err != nil || len(inside) != 1 || read(t, folder, "theirs") != "kept" {
		t.Errorf("in the other's folder: %v, %v", inside, err)
	}
}

// TestFolderHere: a name alone is a folder in the working directory, and the clock may be left out.
func TestFolderHere(t *testing.T) {
	w := newWorld(t, kinds["DigestInfo, CRL"])
	t.Chdir(t.TempDir())
	c := w.config()
	c.Now = nil
	result, err := export.Write(t.Context(), "evidence", c)
	if err != nil {
		t.Fatal(err)
	}
	if here, err := os.ReadDir("."); err != nil || len(here) != 1 || here[0].Name() != "evidence" {
		t.Errorf("here: %v, %v", here, err)
	}
	if files, err := os.ReadDir("evidence"); err != nil || len(files) != len(result.Files) {
		t.Errorf("%d files, %q: %v", len(files), result.Files, err)
	}
}
