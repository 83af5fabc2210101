package storetest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign/signapi"
)

// ChildEnv is the environment variable that makes a test program a writer; its value is for the test to open the store.
const ChildEnv = "KAKUNIN_SIGNATURES_CHILD"

// Child writes to the store until the program is killed, and says on standard output what was acknowledged. Call it in
// TestMain when [ChildEnv] is set.
func Child(s signapi.Store) {
	err := writeForever(context.Background(), s)
	fmt.Println("child:", err)
	os.Exit(1)
}

// writeForever adds entries, gives each an answer, and deletes some.
func writeForever(ctx context.Context, s signapi.Store) error {
	first := int(rand.Uint32() >> 4) //nolint:gosec // a place of this writer's own
	for i := first; ; i++ {
		e := entry(i)
		e.State, e.Answer = signapi.StateFetching, nil
		if err := s.Add(ctx, e); err != nil {
			return err
		}
		fmt.Println(i, 1)
		e = entry(i)
		if err := s.Replace(ctx, e); err != nil {
			return err
		}
		fmt.Println(i, 2)
		if i%4 != 0 {
			continue
		}
		fmt.Println(i, -1) // from now on it may be gone
		if e.Version = 2; s.Delete(ctx, e) != nil {
			return fmt.Errorf("delete of %d", i)
		}
		fmt.Println(i, -2)
	}
}

// Crash says how [Kill] starts a writer, and opens the store that it left.
type Crash struct {
	// Command starts this test program as a [Child].
	Command func() *exec.Cmd
	Open    func() (store signapi.Store, closeStore func(), err error)
	// Kills is how often a writer is killed.
	Kills int
}

// Kill kills a writer over and over, at random moments of its work: nothing that it acknowledged is lost or comes back,
// an entry is there whole or not at all, and what it left can be opened and written to.
func Kill(t *testing.T, c Crash) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // moments to kill at
	acknowledged := map[int]int{}
	ahead := 0
	for kill := range c.Kills {
		said := killOne(t, c.Command(), time.Duration(random.Int64N(int64(20*time.Millisecond))))
		s, closeStore, err := c.Open()
		if err != nil {
			t.Fatalf("kill %d: the next start: %v", kill, err)
		}
		check := said
		if kill == c.Kills-1 { // and once more everything
			for i, step := range said {
				acknowledged[i] = step
			}
			check = acknowledged
		}
		for i, step := range check {
			acknowledged[i] = step
			if checkOne(t, s, i, step) {
				ahead++
			}
		}
		closeStore()
		if t.Failed() {
			t.Fatalf("kill %d", kill)
		}
	}
	t.Logf("%d kills, %d entries, %d times more kept than acknowledged", c.Kills, len(acknowledged), ahead)
}

// checkOne compares an entry with what its writer was told last. It reports whether there is more than that.
func checkOne(t *testing.T, s signapi.Store, i, step int) (ahead bool) {
	t.Helper()
	added, whole := entry(i), entry(i)
	added.State, added.Answer = signapi.StateFetching, nil
	whole.Version = 2
	got, err := s.Get(t.Context(), added.ID)
	gone := err != nil
	if gone {
		wantError(t, "an entry that is not there", err, signapi.ErrAbsent)
	}
	ok := false
	switch step {
	case 1:
		ahead = !gone && same(got, whole)
		ok = ahead || !gone && same(got, added)
	case 2:
		ok = !gone && same(got, whole)
	case -1:
		ahead = gone
		ok = ahead || same(got, whole)
	case -2:
		ok = gone
	}
	if !ok {
		t.Errorf("entry %d after %d: %+v, %v", i, step, got, err)
	}
	return ahead
}

// killOne lets a writer live for a moment after its first word, and returns what it said last of each entry.
func killOne(t *testing.T, cmd *exec.Cmd, life time.Duration) map[int]int {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[int]int{}
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil {
			timer = time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		}
		var i, step int
		if n, err := fmt.Sscanf(lines.Text(), "%d %d", &i, &step); n != 2 || err != nil {
			t.Error(lines.Text())
			continue
		}
		said[i] = step
	}
	_ = cmd.Process.Kill() // also when it said nothing
	_ = cmd.Wait()
	return said
}
