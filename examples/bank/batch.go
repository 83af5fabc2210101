package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/bulk"
)

// maxLine is the longest line of a file of customers, in bytes.
const maxLine = 256 << 10

// counts are all that comparing files tells.
type counts struct {
	Compared int            `json:"compared"`
	Outcomes map[string]int `json:"outcomes"`
	Alone    int            `json:"alone"`    // in one of the files only
	Unusable int            `json:"unusable"` // lines: malformed, without an id, or with one that was there before
}

// compareFiles compares the customers in two files of JSON lines, by their id, with persons in the form of
// [fourinfo.Stored]; the first file is what the bank has on file:
//
//	{"id": "…", "person": {"v": 1, "name": "…", "address": "…"}}
func compareFiles(o options, stdout, stderr io.Writer) int {
	c := counts{Outcomes: map[string]int{}}
	files := [2]map[string]fourinfo.Person{}
	for i, path := range []string{o.batch, o.against} {
		var err error
		if files[i], err = c.load(path); err != nil {
			// the cause may quote it
			_, _ = fmt.Fprintln(stderr, "bank: the file of -"+[]string{"batch", "against"}[i]+" cannot be read")
			return exitUsage
		}
	}
	pairs := func(yield func(bulk.Pair) bool) {
		for id, expected := range files[0] {
			if actual, ok := files[1][id]; ok && !yield(bulk.Pair{ID: id, Expected: expected, Actual: actual}) {
				return
			}
		}
	}
	for result := range bulk.All(pairs) {
		c.Compared++
		c.Outcomes[result.Outcome().String()]++
	}
	c.Alone = len(files[0]) + len(files[1]) - 2*c.Compared
	if c.print(stdout, o) != nil {
		return exitRefused
	}
	return c.verdict().exitCode()
}

// load reads a file into memory, by id. Lines that cannot be used are counted.
func (c *counts) load(path string) (map[string]fourinfo.Person, error) {
	f, err := os.Open(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	all := map[string]fourinfo.Person{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var customer struct {
			ID     string          `json:"id"`
			Person fourinfo.Stored `json:"person"`
		}
		errJSON := json.Unmarshal(lines.Bytes(), &customer)
		person, err := customer.Person.Person()
		if _, twice := all[customer.ID]; twice || errJSON != nil || err != nil || customer.ID == "" {
			c.Unusable++
			continue
		}
		all[customer.ID] = person
	}
	return all, lines.Err()
}

// verdict is that of the gravest: somebody differs, or somebody has to look.
func (c *counts) verdict() outcome {
	agree := c.Outcomes[fourinfo.Same.String()] + c.Outcomes[fourinfo.SameAfterNormalisation.String()]
	switch {
	case c.Outcomes[fourinfo.Different.String()] > 0:
		return refused
	case agree == 0 || agree < c.Compared || c.Alone > 0 || c.Unusable > 0:
		return needsHuman
	default:
		return opened
	}
}

func (c *counts) print(w io.Writer, o options) error {
	if o.json {
		return printJSON(w, c)
	}
	text := fmt.Sprintf(say(o.lang, "batch")+"\n", c.Compared)
	for outcome := fourinfo.OutcomeUnknown; outcome <= fourinfo.Different; outcome++ {
		text += fmt.Sprintf("  %s: %d\n", outcome.Wording().In(kakunin.Language(o.lang)), c.Outcomes[outcome.String()])
	}
	_, err := fmt.Fprintf(w, text+say(o.lang, "batch.rest")+"\n", c.Alone, c.Unusable)
	return err
}
