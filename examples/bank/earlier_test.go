package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// dyingVariable is set in a process that is a bank and not a test: what it was started with.
const dyingVariable = "KAKUNIN_BANK_THAT_DIES"

func TestMain(m *testing.M) {
	if started := os.Getenv(dyingVariable); started != "" {
		os.Exit(die(started))
	}
	os.Exit(m.Run())
}

// dying is how a bank is started that is killed.
type dying struct {
	Args []string
	In   signapi.State // the state of the transaction that is written when it dies
}

// die runs the bank until a transaction's state is written. It says so and does nothing more, until it is killed.
func die(started string) int {
	var d dying
	if err := json.Unmarshal([]byte(started), &d); err != nil {
		panic(err)
	}
	s := surroundings{now: at, around: stopping(d.In, func() {
		fmt.Println("written")
		_, _ = io.Copy(io.Discard, os.Stdin)
	})}
	return run(context.Background(), s, d.Args, io.Discard, os.Stderr)
}

// stopped is a store that stops whoever has written a state.
type stopped struct {
	signapi.Store
	in   signapi.State
	stop func()
}

func (s stopped) Replace(ctx context.Context, e signapi.Entry) error {
	err := s.Store.Replace(ctx, e)
	if err == nil && e.State == s.in {
		s.stop()
	}
	return err
}

func stopping(in signapi.State, stop func()) func(signapi.Store) signapi.Store {
	return func(s signapi.Store) signapi.Store { return stopped{s, in, stop} }
}

// kill starts the bank as a process of its own and kills it when it has written a state.
func kill(t *testing.T, in signapi.State, args ...string) {
	t.Helper()
	started, err := json.Marshal(dying{args, in})
	if err != nil {
		t.Fatal(err)
	}
	cmd, written := dbtest.Self(t.Context(), dyingVariable+"="+string(started)), 0
	dbtest.Follow(t, cmd, func(string, string) string {
		written++
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		return ""
	})
	if written != 1 {
		t.Fatalf("the bank was not killed in the state %v", in)
	}
}

// start is the next start of the bank, some time later.
func start(t *testing.T, after time.Duration, args ...string) (report, string) {
	t.Helper()
	s := surroundings{now: func() time.Time { return at().Add(after) }}
	if after < time.Hour { // what the shared authorities say is of the present
		s.jpki = around(t).jpki
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), s, append(args, "-json"), &out, &errs)
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || code == exitRefused {
		t.Fatalf("exit %d, %v, %s", code, err, errs.String())
	}
	noPersonalData(t, out.String())
	return r, out.String()
}

func records(t *testing.T, dir string) int64 {
	t.Helper()
	l, err := openLog(t.Context(), dir, at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	n, err := l.log.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKilledBankIsTakenOver: a bank that is killed with SIGKILL has nothing forgotten by the next start.
func TestKilledBankIsTakenOver(t *testing.T) {
	t.Parallel()
	const days, undeclared = 24 * time.Hour, "not-declared"
	private := []string{"-business", "private"}
	for name, c := range map[string]struct {
		args    []string
		in      signapi.State
		after   time.Duration // until the next start
		outcome outcome       // of the application that was on its way; "" is none
		reason  string
		records int64 // that the next start found and made for it
	}{
		"the result is kept, a verifier":   {nil, signapi.StateFetched, time.Minute, opened, "complete", 1},
		"the result is kept, for days":     {nil, signapi.StateFetched, 2 * days, opened, "complete", 1},
		"the result is kept, a timestamp":  {[]string{"-timestamp"}, signapi.StateFetched, 0, opened, "complete", 1},
		"the result is kept, an operator":  {private, signapi.StateFetched, days, needsHuman, "law-review", 1},
		"the result is kept, and refused":  {[]string{"-purpose", ""}, signapi.StateFetched, 0, refused, undeclared, 0},
		"the result is kept, too long":     {nil, signapi.StateFetched, 31 * days, refused, "given-up", 0},
		"it is closed, a verifier":         {nil, signapi.StateClosed, 0, "", "", 1},
		"the customer is with the service": {nil, signapi.StateHandedOver, time.Minute, "", "", 0},
		"the customer never came back":     {nil, signapi.StateHandedOver, days, "", "", 0},
		// Its service ended with it: a token of another one is worth nothing.
		"it was asking": {nil, signapi.StateFetching, time.Minute, refused, "lost", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "log")
			args := append([]string{"-lang", "en", "-evidence", dir}, c.args...)
			kill(t, c.in, args...)
			before := records(t, dir)
			nothingInTheClear(t, dir)

			args = append(args, "-purpose", "salary") // of the customer of the next start, who is refused nothing
			r, out := start(t, c.after, args...)
			switch {
			case c.outcome == "" && len(r.Earlier) == 0:
			case len(r.Earlier) != 1 || r.Earlier[0].Outcome != c.outcome || r.Earlier[0].Reason != c.reason ||
				len(r.Earlier[0].Number) != 12:
				t.Errorf("%+v\n%s", r.Earlier, out)
			}
			if n := records(t, dir); n != c.records+1 || before > c.records {
				t.Errorf("%d records, before %d", n, before)
			}
			if r, _ := start(t, c.after+time.Minute, args...); len(r.Earlier) != 0 {
				t.Errorf("and again: %+v", r.Earlier)
			}
			onTheDesk := 0
			if c.in == signapi.StateHandedOver && c.after < time.Hour {
				onTheDesk = 1 // the customer may come back
			}
			if n := filedIn(t, dir); n != onTheDesk {
				t.Errorf("%d applications are filed", n)
			}
		})
	}
}

// filedIn is the number of applications that are filed.
func filedIn(t *testing.T, dir string) (n int) {
	t.Helper()
	d, _, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if err := d.db.QueryRowContext(t.Context(), `SELECT count(*) FROM applications`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// nothingInTheClear: what stands beside the log shows nobody, neither the text that was signed.
func nothingInTheClear(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(dir + ".unfinished.db*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range append(personalTexts(t), "savings account", "普通預金", "living", "on_file") {
			if text != "" && bytes.Contains(b, []byte(text)) {
				t.Errorf("%s holds %q", filepath.Base(file), text)
			}
		}
	}
}

// stopIn opens an account until a state is written, and ends there without a word to anybody.
func stopIn(t *testing.T, w *world, in signapi.State, o options) {
	t.Helper()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		w.around = stopping(in, runtime.Goexit)
		_, err := openAccount(t.Context(), w, o)
		t.Errorf("it went on: %v", err)
	}()
	<-ended
	w.around = nil
}

// TestAskedForAgain: the service is still there, and gives the next start what the first one had asked for.
func TestAskedForAgain(t *testing.T) {
	t.Parallel()
	for business, want := range map[string]outcome{certifiedVerifier: opened, privateBusiness: needsHuman} {
		clock := at()
		s := around(t)
		s.now = func() time.Time { return clock }
		w, err := newWorld(t.Context(), s, person.Hanako, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w.service.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{Retrievals: 1}})
		o := options{
			business: business, lang: "en", purpose: "living", occupation: "employee",
			evidence: filepath.Join(t.TempDir(), "log"),
		}
		stopIn(t, w, signapi.StateFetching, o)

		r, err := openAccount(t.Context(), w, o)
		if err != nil || len(r.Earlier) != 1 || r.Earlier[0].Outcome != waiting || r.Earlier[0].Reason != "later" {
			t.Fatalf("%s, in the time of the first start: %+v, %v", business, r.Earlier, err)
		}
		if text := r.text("en"); !strings.Contains(text, r.Earlier[0].Number+" Result: not finished yet") {
			t.Error(text)
		}
		clock = clock.Add(time.Minute)

		other := map[string]string{certifiedVerifier: privateBusiness, privateBusiness: certifiedVerifier}
		o.business = other[business]
		if r, err = openAccount(t.Context(), w, o); err != nil || len(r.Earlier) != 1 ||
			r.Earlier[0].Outcome != waiting || r.Earlier[0].Reason != "other-business" {
			t.Errorf("%s, as another business: %+v, %v", business, r.Earlier, err)
		}
		o.business = business
		r, err = openAccount(t.Context(), w, o)
		if err != nil || len(r.Earlier) != 1 || r.Earlier[0].Outcome != want || r.Evidence.Records != 4 {
			t.Errorf("%s: %+v, %+v, %v", business, r.Earlier, r.Evidence, err)
		}
		for _, x := range w.service.Transactions() {
			if x.Fetched != 1 {
				t.Errorf("%s: a result was given %d times", business, x.Fetched)
			}
		}
		w.close()
	}
}

// TestRecordedOnce: the bank ended after it had recorded the account, and before it said so.
func TestRecordedOnce(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), around(t), person.Hanako, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	o := options{
		business: certifiedVerifier, lang: "ja", purpose: "living", occupation: "employee",
		evidence: filepath.Join(t.TempDir(), "log"),
	}
	w.around = func(s signapi.Store) signapi.Store { return unclosed{s} }
	first, err := openAccount(t.Context(), w, o)
	if err != nil || first.Outcome != opened || first.Evidence.Records != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	w.around = nil
	r, err := openAccount(t.Context(), w, o)
	if err != nil || len(r.Earlier) != 1 || r.Earlier[0].Outcome != recorded || r.Evidence.Records != 2 ||
		!strings.Contains(first.Application, r.Earlier[0].Number) {
		t.Errorf("%+v, %v", r, err)
	}
	if text := r.text("ja"); !strings.Contains(text, "記録まで終わっていました") {
		t.Error(text)
	}
}

// unclosed is a store that dies before a transaction is closed.
type unclosed struct{ signapi.Store }

func (s unclosed) Replace(ctx context.Context, e signapi.Entry) error {
	if e.State == signapi.StateClosed {
		return io.ErrClosedPipe
	}
	return s.Store.Replace(ctx, e)
}

// TestFiledIsBound: what was filed opens in its own place and with the bank's key alone.
func TestFiledIsBound(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	d, _, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, id := range []string{"a", "b"} {
		if err := d.put(t.Context(), id, filed{Number: id}); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := d.get(t.Context(), "a"); err != nil || f.Number != "a" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := d.db.ExecContext(t.Context(), `UPDATE applications SET sealed = (SELECT sealed FROM applications`+
		` WHERE id = 'b'), wrapped = (SELECT wrapped FROM applications WHERE id = 'b') WHERE id = 'a'`); err != nil {
		t.Fatal(err)
	}
	if f, err := d.get(t.Context(), "a"); err == nil {
		t.Errorf("another application: %+v", f)
	}
	if err := d.forgetAllBut(t.Context(), map[string]bool{"b": true}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.get(t.Context(), "b"); err != nil {
		t.Error(err)
	}
	if _, err := d.get(t.Context(), "a"); err == nil {
		t.Error("it is not forgotten")
	}
	if err := os.WriteFile(dir+".key", bytes.Repeat([]byte{1}, keySize), 0o600); err != nil {
		t.Fatal(err)
	}
	stranger, _, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.close()
	if f, err := stranger.get(t.Context(), "b"); err == nil {
		t.Errorf("with another key: %+v", f)
	}
}
