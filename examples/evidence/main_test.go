package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/examples/internal/evidencestore"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// auditor runs the command and returns what it printed.
type auditor struct {
	t   *testing.T
	now func() time.Time
}

func (a auditor) run(want int, args ...string) (stdout, stderr string) {
	a.t.Helper()
	var out, err bytes.Buffer
	if got := run(a.t.Context(), surroundings{&out, &err, a.now}, args); got != want {
		a.t.Errorf("evidence %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(),
			err.String())
	}
	return out.String(), err.String()
}

// kept is a log of three records in a store, with what an auditor has.
type kept struct {
	where, checkpoint, key, wrapping, anchor string
	world                                    *world
}

func keep(t *testing.T, where string, documents ...string) *kept {
	t.Helper()
	if len(documents) == 0 {
		documents = []string{"一つ目", document, "三つ目"}
	}
	w := newWorld(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	secret := bytes.Repeat([]byte{7}, 32)
	keys, err := evidence.NewLocalKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	store, err := evidencestore.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	l, err := evidence.OpenLog(evidence.LogConfig{Store: store, Keys: keys, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range documents {
		report := w.verified(t, doc)
		if _, err := l.Append(t.Context(), report, evidence.WithCertificate(), evidence.Basis("犯収法"),
			evidence.Timestamp(stamp(t, authority, report))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range [][]byte{w.list, w.jpki.SigningCA().Certificate().Raw, authority.Root().Raw} {
		if _, err := l.Archive(t.Context(), bytes.NewReader(file)); err != nil {
			t.Fatal(err)
		}
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &kept{
		where, write("checkpoint", signed), key.Public(), write("wrapping", secret),
		write("tsa.der", authority.Root().Raw), w,
	}
}

func stamp(t *testing.T, a *timestamping.Authority, r *sign.Report) *timestamp.Timestamp {
	t.Helper()
	return stampOf(t, a, r.Opened.RevealSignature())
}

func stampOf(t *testing.T, a *timestamping.Authority, message []byte) *timestamp.Timestamp {
	t.Helper()
	request := timestamp.Of(message)
	query, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	token, err := timestamp.ParseResponse(a.Answer(query, timestamping.Faults{}))
	if err != nil {
		t.Fatal(err)
	}
	root, err := certpath.ParseCertificate(a.Root().Raw)
	if err != nil {
		t.Fatal(err)
	}
	v, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := v.Verify(t.Context(), token, timestamp.Expect{Request: request})
	if err != nil {
		t.Fatal(err)
	}
	return stamped
}

func TestVerifyLog(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]string{
		"directory": filepath.Join(t.TempDir(), "log"), "SQLite": "sqlite:" + filepath.Join(t.TempDir(), "log.db"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, a := keep(t, where), auditor{t, clock}
			out, _ := a.run(exitHolds, "verify", "-checkpoint", k.checkpoint, "-key", k.key, where)
			if !strings.Contains(out, "The log holds. Records: 3,") ||
				!strings.Contains(out, "agrees with: 1") ||
				!strings.Contains(out, "3 that could not be opened") {
				t.Error(out)
			}
			out, _ = a.run(exitHolds, "verify", "-lang", "ja", "-wrapping-key", k.wrapping, where)
			if !strings.Contains(out, "証跡は完全です") || !strings.Contains(out, "チェックポイントがない") ||
				!strings.Contains(out, "開けないもの 0件") {
				t.Error(out)
			}
			out, _ = a.run(exitHolds, "verify", "-json", "-checkpoint", k.checkpoint, "-key", k.key, where)
			var f finding
			if err := json.Unmarshal([]byte(out), &f); err != nil || !f.Holds || f.Records != 3 || f.Checkpoints != 1 ||
				f.Root == "" {
				t.Errorf("%v: %s", err, out)
			}
			out, _ = a.run(exitHolds, "show", where)
			if strings.Count(out, "\n") != 3 || !strings.Contains(out, "CRL good basis 犯収法 timestamps 1") ||
				strings.Contains(out, "花子") {
				t.Error(out)
			}
			out, _ = a.run(exitHolds, "show", "-json", "-wrapping-key", k.wrapping, where, "1")
			if r, err := evidence.Parse([]byte(strings.TrimSpace(out))); err != nil || r.Held != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestTimestampsOfLog: every timestamp of a log is verified, of signatures and of checkpoints, if its authority is
// believed; one that is not of what it should be is named with its entry.
func TestTimestampsOfLog(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "log")
	k, a := keep(t, where), auditor{t, clock}
	stamps := func(want int, args ...string) (f finding) {
		t.Helper()
		out, _ := a.run(want, append(append([]string{"verify", "-json"}, args...), where)...)
		if err := json.Unmarshal([]byte(out), &f); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return f
	}
	if f := stamps(exitHolds); f.Timestamps != 3 || f.TimestampsVerified != 0 || f.Archived != 6 || f.Unarchived != 0 {
		t.Errorf("nobody is believed: %+v", f)
	}
	if f := stamps(exitHolds, "-timestamp-anchor", k.anchor); f.Timestamps != 3 || f.TimestampsVerified != 3 {
		t.Errorf("%+v", f)
	}
	other := filepath.Join(t.TempDir(), "other.der")
	stranger, err := timestamping.New(timestamping.Config{Now: clock, Seed: "another authority"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, stranger.Root().Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := stamps(exitNot, "-timestamp-anchor", other); f.Holds || f.Reason != "timestamp" || f.Entry != 1 {
		t.Errorf("another authority: %+v", f)
	}
	out, _ := a.run(exitNot, "verify", "-lang", "ja", "-timestamp-anchor", other, where)
	if !strings.Contains(out, "証跡に問題") || !strings.Contains(out, "1番目の記録") {
		t.Error(out)
	}

	// A checkpoint is stamped; then its token is lost.
	authority, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	token := stampCheckpoint(t, where, authority)
	if f := stamps(exitHolds, "-timestamp-anchor", k.anchor); f.Timestamps != 4 || f.TimestampsVerified != 4 ||
		f.Archived != 8 {
		t.Errorf("with a checkpoint: %+v", f)
	}
	blob := filepath.Join(where, "blobs", token)
	content, err := os.ReadFile(blob)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	if f := stamps(exitHolds, "-timestamp-anchor", k.anchor); f.TimestampsVerified != 3 || f.Unarchived != 1 {
		t.Errorf("without its token: %+v", f)
	}
	content[len(content)-1] ^= 1
	if err := os.WriteFile(blob, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := stamps(exitNot, "-timestamp-anchor", k.anchor); f.Entry != 4 {
		t.Errorf("its token is another: %+v", f)
	}
}

// stampCheckpoint has the log's present state stamped, and returns the name of the token.
func stampCheckpoint(t *testing.T, where string, a *timestamping.Authority) string {
	t.Helper()
	store, err := evidencestore.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	l, err := evidence.OpenLog(evidence.LogConfig{Store: store, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	stamped := stampOf(t, a, signed)
	point := evidence.SignedCheckpoint{Note: signed, PublicKey: key.Public()}
	if _, err := l.AppendTimestamp(t.Context(), point, stamped); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(stamped.Raw())
	return hex.EncodeToString(sum[:])
}

// What is wrong with a log is said, with its place, and by the exit code.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "log")
	k, a := keep(t, where), auditor{t, clock}
	entries := filepath.Join(where, "entries.log")
	data, err := os.ReadFile(entries)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Replace(data, []byte("digest-info"), []byte("bare-hash  "), 1)
	if bytes.Equal(altered, data) {
		t.Fatal("nothing to change")
	}
	if err := os.WriteFile(entries, altered, 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr := a.run(exitNot, "verify", "-json", where)
	if !strings.Contains(out, `"holds": false`) || !strings.Contains(out, `"entry": 1`) {
		t.Errorf("%s%s", out, stderr)
	}
	if err := os.WriteFile(entries, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(exitHolds, "verify", where)

	// A shorter log than at the checkpoint, and a checkpoint that nobody signed.
	shorter := filepath.Join(t.TempDir(), "shorter")
	keep(t, shorter, "一つ目", document)
	if got, _ := a.run(exitHolds, "verify", shorter); !strings.Contains(got, "cut off") {
		t.Error(got)
	}
	out, _ = a.run(exitNot, "verify", "-checkpoint", k.checkpoint, "-key", k.key, shorter)
	if !strings.Contains(out, "does not hold") {
		t.Error(out)
	}
	forged := filepath.Join(t.TempDir(), "forged")
	signed, err := os.ReadFile(k.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forged, bytes.Replace(signed, []byte("\n3\n"), []byte("\n2\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(exitNot, "verify", "-checkpoint", forged, "-key", k.key, where)
}

func TestExportAndVerifyFolder(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "log")
	k, a := keep(t, where), auditor{t, clock}
	doc := filepath.Join(t.TempDir(), "document.txt")
	if err := os.WriteFile(doc, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "evidence")
	out, _ := a.run(exitHolds, "export", "-index", "1", "-out", folder, "-checkpoint", k.checkpoint, "-key", k.key,
		"-wrapping-key", k.wrapping, "-document", doc, where)
	if !strings.Contains(out, "files are written") || strings.Contains(out, "not archived") {
		t.Error(out)
	}
	// Years later: the certificate has expired, the list is old.
	later := auditor{t, func() time.Time { return now.AddDate(9, 0, 0) }}
	full := []string{"verify", "-test", "-timestamp-anchor", k.anchor, "-key", k.key}
	out, _ = later.run(exitHolds, append(full, folder)...)
	if strings.Count(out, "✓") != 4 {
		t.Error(out)
	}
	out, _ = later.run(exitHolds, "verify", "-json", folder) // nothing that is believed: said, not passed over
	if strings.Count(out, `"not there"`) != 3 || strings.Count(out, `"holds"`) != 2 {
		t.Error(out)
	}
	if err := os.Remove(filepath.Join(folder, "document")); err != nil {
		t.Fatal(err)
	}
	later.run(exitHolds, append(full, folder)...) // by the digest of the record alone
	later.run(exitHolds, append(full, "-document", doc, folder)...)
	later.run(exitNot, append(full, "-document", k.anchor, folder)...)
	later.run(exitHolds, "show", folder)
	later.run(exitHolds, "verify", filepath.Join(folder, "record.json"))

	for _, name := range []string{"authority.der", "list-1.der", "timestamp-1.tst", "proof.json", "checkpoint.txt",
		"record.json"} {
		file := filepath.Join(folder, name)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		altered := bytes.Clone(data)
		altered[len(altered)-30] ^= 1
		if err := os.WriteFile(file, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, _ := later.run(exitNot, append(full, folder)...); !strings.Contains(out, "✗") {
			t.Errorf("%s: %s", name, out)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Without the key of encrypted parts the folder says that they are kept, not that they never were.
func TestExportWithoutTheKey(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "log")
	keep(t, where)
	folder, a := filepath.Join(t.TempDir(), "evidence"), auditor{t, clock}
	out, _ := a.run(exitHolds, "export", "-index", "0", "-out", folder, where)
	if !strings.Contains(out, "-wrapping-key") {
		t.Error(out)
	}
	guide, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(guide); !strings.Contains(s, "for want of the key") || strings.Contains(s, "not kept") {
		t.Error(s)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := auditor{t, clock}
	for _, args := range [][]string{
		{}, {"help"}, {"verify"}, {"verify", dir, dir}, {"verify", "-lang", "fr", dir},
		{"verify", "-checkpoint", "x", dir}, {"verify", "-h"},
		{"verify", filepath.Join(dir, "absent")}, {"verify", "sqlite:" + filepath.Join(dir, "absent.db")},
		{"show", dir, "x"},
		{"show", dir, "0"}, {"export", dir}, {"export", "-index", "0", "-out", filepath.Join(dir, "out"), dir},
		{"purge", dir},
		{"verify", "-wrapping-key", filepath.Join(dir, "absent"), dir},
		{"verify", "postgres://127.0.0.1:1/none?connect_timeout=1"},
	} {
		a.run(exitUsage, args...)
	}
	if _, said := a.run(exitUsage); !strings.Contains(said, "export") {
		t.Errorf("the commands are not named: %s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("a log that was not there was made")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	k := keep(t, filepath.Join(dir, "log"))
	if code := run(ctx, surroundings{&out, &stderr, clock}, []string{"verify", k.where}); code != exitUsage ||
		!strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("interrupted: %d, %s%s", code, out.String(), stderr.String())
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	at := now
	o := &options{surroundings: surroundings{stderr: &stderr, now: func() time.Time { return at }}}
	progress := o.progress()
	progress(10, 100)
	at = at.Add(2 * time.Second)
	progress(20, 100)
	progress(21, 100)
	at = at.Add(2 * time.Second)
	progress(100, 100)
	if got := stderr.String(); got != "evidence: 20 / 100 (20 %)\n" {
		t.Errorf("%q", got)
	}
}

// A dry run says what is over, what runs and what has no rule, and deletes nothing.
func TestPurge(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "log")
	k, a := keep(t, where), auditor{t, clock}
	store, err := evidencestore.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	l, err := evidence.OpenLog(evidence.LogConfig{Store: store, PlainHeld: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	rule := evidence.Retention{Law: "試験", Start: law.Transaction, Years: 7}
	if _, err := l.Append(t.Context(), k.world.verified(t, "四つ目"), evidence.WithCertificate(),
		evidence.WithRetention(rule)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := a.run(exitHolds, "purge", "-dry-run", where)
	if !strings.Contains(out, "looked at: 4") || !strings.Contains(out, "without a rule: 3") ||
		!strings.Contains(out, "period running: 1") {
		t.Error(out)
	}
	later := auditor{t, func() time.Time { return now.AddDate(20, 0, 0) }}
	out, _ = later.run(exitHolds, "purge", "-dry-run", "-lang", "ja", where)
	if !strings.Contains(out, "削除対象: 1件") || !strings.Contains(out, "3 削除対象: 試験") {
		t.Error(out)
	}
	out, _ = later.run(exitHolds, "purge", "-dry-run", "-json", where)
	if !strings.Contains(out, `"dry_run": true`) || !strings.Contains(out, `"outcome": "deleted"`) {
		t.Error(out)
	}
	if out, _ := a.run(exitHolds, "verify", where); !strings.Contains(out, "4 kept, 0 deleted") {
		t.Errorf("a dry run deleted: %s", out)
	}
}
