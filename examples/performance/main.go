// Command performance measures everything that the project makes a promise about, beside the alternatives and the bare
// operations in the same run, and writes the tables and plots of docs/performance.md:
//
//	cd examples/performance && GOWORK=off go run . -docs ../../docs
//
// Several instances and PostgreSQL are measured where KAKUNIN_REDIS and KAKUNIN_POSTGRES say where the servers are.
// .ci/servers.sh, from the root of the checkout, starts both for a command:
//
//	.ci/servers.sh sh -c 'cd examples/performance && GOWORK=off go run . -docs ../../docs'
//
// It is a module of its own, so that the libraries it compares with are nobody's dependencies. Times say something
// about one machine; ratios are measured in turns with their reference and hardly depend on it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	docs := flag.String("docs", "", "folder with performance.md; empty: only print")
	count := flag.Int("count", 3, "runs; the median counts")
	each := flag.String("benchtime", "300ms", "time of each run, as go test -benchtime")
	root := flag.String("root", filepath.Join("..", ".."), "folder of the checkout")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *root, *docs, *count, *each)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "performance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, docs string, count int, each string) error {
	sections := plan()
	m, err := measure(ctx, root, runs(sections, os.Getenv), runOptions{count: count, time: each, log: os.Stderr})
	if err != nil {
		return err
	}
	for _, s := range sections {
		if missing := s.missing(os.Getenv); missing != "" {
			fmt.Println(s.title, "was not measured:", missing, "is empty")
			continue
		}
		fmt.Println(s.title)
		for _, r := range s.rows {
			fmt.Printf("  %-50s %s\n", r.name(s), number(m[r.key()].median(), r.unit))
		}
	}
	if docs == "" {
		return nil
	}
	return page(docs, sections, m, record{count: count, at: time.Now(), env: os.Getenv})
}
