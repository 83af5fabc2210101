package storetest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// ChildEnv is the environment variable that makes a test program a writer; its value is for the test to open the store.
const ChildEnv = "KAKUNIN_EVIDENCE_CHILD"

// Child appends to the store until the program is killed, and says on standard output what it knows to be kept: the
// number of entries, or the name of an archived file. Call it in TestMain when [ChildEnv] is set.
func Child(s evidence.Store) {
	err := writeForever(s)
	fmt.Println("child:", explain(err))
	os.Exit(1)
}

func writeForever(s evidence.Store) error {
	ctx := context.Background()
	l, err := openLog(s)
	if err != nil {
		return err
	}
	n, err := l.Size(ctx)
	if err != nil {
		return err
	}
	for i := n; ; i++ {
		batch, err := childBatch(int(n), int(1+i%3))
		if err != nil {
			return err
		}
		if _, err := l.AppendRecords(ctx, batch...); err != nil {
			return err
		}
		n += int64(len(batch))
		fmt.Println(n)
		if i%5 != 0 {
			continue
		}
		hash, err := l.Archive(ctx, bytes.NewReader(bytes.Repeat(fmt.Appendf(nil, "list %d ", i), 40_000)))
		if err != nil {
			return err
		}
		fmt.Println("blob", hash)
	}
}

// childBatch makes records of which some have held parts, each with a signature value of its own.
func childBatch(first, n int) ([]*evidence.Record, error) {
	batch := make([]*evidence.Record, n)
	for i := range batch {
		var options []evidence.Option
		if (first+i)%4 == 0 {
			options = append(options, evidence.WithCertificate())
		}
		var err error
		if batch[i], err = evidence.FromReport(Report(first+i, first+i), Now(), options...); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// Crash says how [Kill] starts a writer, and opens the store that it left.
type Crash struct {
	// Command starts this test program as a [Child].
	Command func() *exec.Cmd
	Open    func() (store evidence.Store, closeStore func(), err error)
	// Kills is how often a writer is killed.
	Kills int
}

// Kill kills a writer over and over, at random moments of its work: nothing that it acknowledged is lost, what it left
// can be opened and continued each time, and the log agrees with every state that it had before.
func Kill(t *testing.T, c Crash) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // moments to kill at
	var points []evidence.Checkpoint
	var files []string
	var before, unacknowledged int64
	for kill := range c.Kills {
		acknowledged, kept := killOne(t, c.Command(), time.Duration(random.Int64N(int64(25*time.Millisecond))))
		files = append(files, kept...)
		s, closeStore, err := c.Open()
		if err != nil {
			t.Fatalf("kill %d: the next start: %s", kill, explain(err))
		}
		l := Log(t, s)
		size, err := l.Size(t.Context())
		if err != nil || size < max(acknowledged, before) {
			t.Fatalf("kill %d: %d entries of %d that were acknowledged: %s", kill, size, acknowledged, explain(err))
		}
		if size > max(acknowledged, before) {
			unacknowledged++
		}
		before = size
		if err := l.Consistent(t.Context(), points...); err != nil {
			t.Fatalf("kill %d: %s", kill, explain(err))
		}
		if kill%20 == 0 || kill == c.Kills-1 {
			state, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: points})
			// That each part which was kept is there still, Verify sees.
			if err != nil || state.Held < state.Records/8 || state.Sealed != 0 || state.Deleted != 0 {
				t.Fatalf("kill %d: %+v: %s", kill, state, explain(err))
			}
			points = append(points, evidence.Checkpoint{Origin: "test", Size: state.Records, Root: state.Root})
		}
		if kill == c.Kills-1 {
			readFiles(t, l, files)
		}
		closeStore()
	}
	t.Logf("%d kills, %d entries, %d files, %d times more kept than acknowledged",
		c.Kills, before, len(files), unacknowledged)
}

// killOne lets a writer live for a moment after its first word, and returns what it said it had kept.
func killOne(t *testing.T, cmd *exec.Cmd, life time.Duration) (acknowledged int64, files []string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil {
			timer = time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		}
		word := lines.Text()
		if hash, ok := strings.CutPrefix(word, "blob "); ok && len(hash) == 64 {
			files = append(files, hash)
			continue
		}
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil && !strings.HasPrefix(word, "blob") {
			t.Error(word)
			continue
		}
		acknowledged = max(acknowledged, n)
	}
	_ = cmd.Process.Kill() // also when it said nothing
	_ = cmd.Wait()
	return acknowledged, files
}

func readFiles(t *testing.T, l *evidence.Log, files []string) {
	t.Helper()
	for _, hash := range files {
		r, err := l.Archived(t.Context(), hash)
		must(t, err)
		_, err = io.Copy(io.Discard, r)
		must(t, errors.Join(err, r.Close()))
	}
}

// FullDisk appends until there is no room, then once more, makes room and goes on: what was acknowledged is there, what
// was refused is not, and no damage stays. Fill takes away the room that is left, and gives it back.
func FullDisk(t *testing.T, h Harness, fill func(full bool)) {
	t.Helper()
	s, closeStore := h.open(t)
	l := Log(t, s)
	var n int
	add := func() error {
		batch, err := childBatch(n, 1+n%3)
		must(t, err)
		kept, err := l.AppendRecords(t.Context(), batch...)
		n += len(kept)
		return err
	}
	must(t, add())
	fill(true)
	const attempts = 20_000
	var refused error
	for i := 0; refused == nil && i < attempts; i++ {
		refused = add()
	}
	want(t, refused, evidence.ReasonIO, -1)
	if _, err := l.Archive(t.Context(), bytes.NewReader(make([]byte, 8<<20))); err == nil {
		t.Error("a file of 8 MiB found room")
	}
	if err := add(); err == nil {
		t.Log("a smaller append found room")
	}
	if size, err := s.Size(t.Context()); err == nil && size != int64(n) {
		t.Errorf("%d entries, %d were acknowledged", size, n)
	}
	fill(false)
	for i := range 2 {
		if err := add(); err != nil && i == 0 {
			// A store may have to be opened again.
			closeStore()
			s, closeStore = h.open(t)
			l = Log(t, s)
			must(t, add())
		}
	}
	if point := checkpoint(t, l); point.Size != int64(n) {
		t.Errorf("%d entries, %d were acknowledged", point.Size, n)
	}
	closeStore()
	s, closeStore = h.open(t)
	defer closeStore()
	if point := checkpoint(t, Log(t, s)); point.Size != int64(n) {
		t.Errorf("opened again: %d entries, %d were acknowledged", point.Size, n)
	}
}
