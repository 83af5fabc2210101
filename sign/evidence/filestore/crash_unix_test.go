//go:build unix

package filestore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
)

const childEnv = "KAKUNIN_FILESTORE_CHILD"

// TestMain makes the test program a writer that appends until it is killed, or until its disk is full.
func TestMain(m *testing.M) {
	mode, dir, _ := strings.Cut(os.Getenv(childEnv), ":")
	switch mode {
	case "append":
		child(dir, 0)
	case "full":
		child(dir, 40_000)
	default:
		os.Exit(m.Run())
	}
}

// child appends records in batches of 1 to 3 and says after each how many were acknowledged. With a limit, its files
// may not grow beyond it: that is a disk that is full. It then says so, gets more room and goes on a little.
func child(dir string, limit uint64) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
	}
	var old syscall.Rlimit
	if limit > 0 {
		fail(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
		fail(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: old.Max}))
	}
	s, err := filestore.Open(dir)
	fail(err)
	l, err := evidence.OpenLog(evidence.LogConfig{Store: s, Now: clock})
	fail(err)
	n, err := l.Size(context.Background())
	fail(err)
	var fatal fatalTB
	for after := -1; after != 0; after-- {
		batch := make([]*evidence.Record, 1+n%3)
		for i := range batch {
			batch[i] = record(fatal, int(n)+i)
		}
		_, err := l.AppendRecords(context.Background(), batch...)
		if err != nil && limit > 0 && after < 0 {
			size, errSize := l.Size(context.Background())
			fail(errSize)
			fmt.Println("full at", size)
			fail(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
			after = 3
			continue
		}
		fail(err)
		n += int64(len(batch))
		fmt.Println(n)
	}
	fail(s.Close())
	os.Exit(0)
}

type fatalTB struct{ testing.TB }

func (fatalTB) Helper()           {}
func (fatalTB) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// TestKilledAnyTime kills a writer over and over while it appends: nothing that it acknowledged is lost, and the log
// can be opened, verified and continued each time.
func TestKilledAnyTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kills := 60
	if testing.Short() {
		kills = 5
	}
	var torn int
	var last evidence.State
	for kill := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
		cmd.Env = append(os.Environ(), childEnv+"=append:"+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged int64
		lines := bufio.NewScanner(out)
		for i := 0; i <= kill%7 && lines.Scan(); i++ {
			if acknowledged, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
				t.Fatal(lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			if n, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
				acknowledged = n
			}
		}
		_ = cmd.Wait()
		s, l := open(t, dir)
		if s.Recovered().Torn > 0 {
			torn++
		}
		var known []evidence.Checkpoint
		if last.Records > 0 {
			known = append(known, evidence.Checkpoint{Size: last.Records, Root: last.Root})
		}
		state, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: known})
		if err != nil || state.Records < acknowledged {
			t.Fatalf("kill %d: %d records of %d acknowledged: %v", kill, state.Records, acknowledged, err)
		}
		last = state
		shut(t, s)
	}
	t.Logf("%d records, %d torn appends in %d kills", last.Records, torn, kills)
}

// TestFullDisk: an append that finds no room is undone; with room again the log goes on, and nothing is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), childEnv+"=full:"+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	full := -1
	for i, l := range lines {
		if strings.HasPrefix(l, "full at ") {
			full = i
			if i == 0 || l != "full at "+lines[i-1] {
				t.Errorf("%q after %q", l, lines[max(i-1, 0)])
			}
		}
	}
	if full < 0 || full == len(lines)-1 {
		t.Fatalf("the disk was never full, or the log did not go on: %s", out)
	}
	n, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s, l := open(t, dir)
	if s.Recovered() != (filestore.Recovered{}) {
		t.Errorf("%+v", s.Recovered())
	}
	verify(t, l, n)
	shut(t, s)
}
