// Command release does what a release needs beside the Go command:
//
//	go run ./internal/release api             # would the exported API break who uses what was recorded last?
//	go run ./internal/release api -record     # records it
//	go run ./internal/release licences PROGRAM…
//
// api compares the exported declarations of the public packages with .ci/api.txt, one line each. What is new may come;
// what is gone or changed is a failure, until it is recorded together with a line in the changelog.
//
// licences reads from built programs which modules are in them, finds their licences, refuses what is not on the list
// of licences that may be in them, and prints all texts, as they have to go with the programs.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	record := flags.Bool("record", false, "record the API as it is")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "api":
		return checkAPI(".", ".ci/api.txt", *record)
	case "licences":
		return licences(os.Stdout, flags.Args())
	}
	return errUsage
}

var errUsage = fmt.Errorf("usage: release api [-record] | licences PROGRAM…")
