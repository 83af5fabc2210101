package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

const (
	tableStart = "<!-- measured by jpki/crl/internal/curve -->\n"
	tableEnd   = "<!-- end -->"
)

const tableHead = "| entries | list | SHA-256 | read, verify, index | × SHA-256 | heap per entry | resident at most " +
	"| look-up | open file | heap, mapped | look-up, mapped | crypto/x509 | its heap, resident | times faster | " +
	"times smaller |\n" +
	"| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"

func tableRow(p point) string {
	std := "– | – | – | –"
	if p.Std != nil {
		std = fmt.Sprintf(
			"%s | %s, %s | %.0f | %.0f",
			duration(p.Std.Seconds),
			bytesText(p.Std.Memory),
			bytesText(p.Std.Peak),
			p.Std.Seconds/p.Load.Seconds,
			float64(p.Std.Peak)/float64(p.Load.Memory),
		)
	}
	return fmt.Sprintf("| %d | %s | %s | %s | %.2f | %.1f B | %s | %.0f ns | %s | %s | %.0f ns | %s |",
		p.Entries, bytesText(p.Size), duration(p.Hash), duration(p.Load.Seconds), p.Load.Seconds/p.Hash,
		float64(p.Load.Memory)/float64(p.Entries), bytesText(p.Load.Peak), p.Load.Lookup*1e9, duration(p.Load.Open),
		bytesText(p.Load.Beside), p.Load.Mapped*1e9, std)
}

func duration(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.1f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}

func bytesText(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// replaceTable puts the measured table between the two marks of the document.
func replaceTable(name string, points []point) error {
	text, err := os.ReadFile(name) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(tableStart))
	_, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for the table", name)
	}
	var rows strings.Builder
	for _, p := range points {
		rows.WriteString(tableRow(p) + "\n")
	}
	out := string(before) + tableStart + "\n" + tableHead + rows.String() + "\n" + tableEnd + string(after)
	return os.WriteFile(name, []byte(out), 0o644) //nolint:gosec // a document
}
