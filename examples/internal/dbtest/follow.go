package dbtest

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Follow starts a program that says on standard output what it does, a word and the rest in each line, and hears it out
// until it ends or is killed; then it is killed in any case. What heard returns is an answer, a line on its standard
// input; empty is none. The program may be dead by then.
func Follow(tb testing.TB, cmd *exec.Cmd, heard func(word, rest string) (answer string)) {
	tb.Helper()
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if answer := heard(word, rest); answer != "" {
			_, _ = io.WriteString(in, answer+"\n")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
