package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	start = "<!-- measured: begins -->\n"
	end   = "<!-- measured: ends -->\n"
)

// record is what there is to say about a run.
type record struct {
	count int
	at    time.Time
	env   func(string) string
}

// page replaces the measured part of docs/performance.md, and the plots beside it.
func page(docs string, sections []section, m measured, run record) error {
	name := filepath.Join(docs, "performance.md")
	old, err := os.ReadFile(name) //nolint:gosec // the folder that the caller names
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(old, []byte(start))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return errors.New("performance.md has no measured part")
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(start)
	fmt.Fprintf(&b, "\nMeasured %s on %s. Medians of %d runs on one processor, with the lowest and highest.\n",
		run.at.Format(time.DateOnly), machine(), run.count)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n### %s\n\n", s.title)
		if s.text != "" {
			fmt.Fprintf(&b, "%s\n\n", s.text)
		}
		if missing := s.missing(run.env); missing != "" {
			fmt.Fprintf(&b, "Not measured in this run: `%s` was empty.\n", missing)
			continue
		}
		if s.axis == "" {
			table(&b, s, m)
		} else {
			curveTable(&b, s, m)
		}
		if picture := plot(s, m); picture != nil {
			file := "performance-" + s.name + ".svg"
			//nolint:gosec // for everybody
			if err := os.WriteFile(filepath.Join(docs, file), picture, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&b, "\n![%s](%s)\n", s.title, file)
		}
	}
	b.WriteString("\n")
	b.WriteString(end)
	b.Write(tail)
	return os.WriteFile(name, b.Bytes(), 0o644) //nolint:gosec // a page for everybody
}

func table(b *bytes.Buffer, s section, m measured) {
	b.WriteString("| | median | from | to | asked |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, r := range s.rows {
		v := m[r.key()]
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", r.label, number(v.median(), r.unit), number(least(v), r.unit),
			number(greatest(v), r.unit), r.asked)
	}
}

// curveTable has a row for each place on the axis and a column for each line.
func curveTable(b *bytes.Buffer, s section, m measured) {
	fmt.Fprintf(b, "| %s |", s.axis)
	rule := "\n| ---: |"
	for _, label := range s.labels() {
		fmt.Fprintf(b, " %s |", label)
		rule += " ---: |"
	}
	b.WriteString(rule + "\n")
	for _, at := range s.places() {
		fmt.Fprintf(b, "| %s |", grouped(at))
		for _, label := range s.labels() {
			i := slices.IndexFunc(s.rows, func(r row) bool { return r.label == label && r.at == at })
			if i < 0 {
				b.WriteString(" |")
				continue
			}
			r := s.rows[i]
			v := m[r.key()]
			fmt.Fprintf(b, " %s (%s – %s) |", number(v.median(), r.unit), number(least(v), r.unit),
				number(greatest(v), r.unit))
		}
		b.WriteString("\n")
	}
}

func least(s samples) float64    { return slices.Min(s) }
func greatest(s samples) float64 { return slices.Max(s) }

// number writes a ratio with two decimals, a time in the unit that reads best, anything else with its unit.
func number(v float64, unit string) string {
	switch {
	case strings.HasPrefix(unit, "x-"):
		return strconv.FormatFloat(v, 'f', 2, 64) + " ×"
	case !strings.HasPrefix(unit, "ns/"):
		return strconv.FormatFloat(v, 'g', 4, 64) + " " + unit
	case v >= 1e9:
		return strconv.FormatFloat(v/1e9, 'f', 2, 64) + " s"
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 2, 64) + " ms"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'f', 2, 64) + " µs"
	default:
		return strconv.FormatFloat(v, 'f', 0, 64) + " ns"
	}
}

// machine describes what the numbers were measured on: enough to judge them, nothing that names it.
func machine() string {
	text := fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value) + ", " + text
		}
	}
	return text
}
