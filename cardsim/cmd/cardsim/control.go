package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// obey follows lines "insert [N]" and "remove [N]", N counting from 1, until the input ends. What it cannot obey it
// says and ignores.
func obey(in io.Reader, out io.Writer, slots []*vpcd.Slot, cards []vpcd.Card) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		n := 1
		if len(words) > 1 {
			n, _ = strconv.Atoi(words[1]) // 0 when it is no number
		}
		switch {
		case n < 1 || n > len(slots) || len(words) > 2:
			_, _ = fmt.Fprintf(out, "the readers are 1 to %d\n", len(slots))
		case words[0] == "insert":
			slots[n-1].Insert(cards[n-1])
			_, _ = fmt.Fprintf(out, "card %d inserted\n", n)
		case words[0] == "remove":
			slots[n-1].Remove()
			_, _ = fmt.Fprintf(out, "card %d removed\n", n)
		default:
			_, _ = fmt.Fprintln(out, "the commands are insert [N] and remove [N]")
		}
	}
}
