package main

import (
	"slices"
	"strconv"
)

// section is one table and, with two rows or more of one unit, one plot.
type section struct {
	// name is the plot's file, title and text stand on the page.
	name, title, text string
	rows              []row
	// axis is what the rows of a curve are counted in; empty for bars. A curve has logarithmic axes, and a line for
	// every label.
	axis string
	// tags and time are for go test, if they are not the usual ones; needs is the variable that has to say where a
	// server is.
	tags, time, needs string
}

// missing is the variable that is not set and without which the section cannot be measured.
func (s section) missing(env func(string) string) string {
	if s.needs != "" && env(s.needs) == "" {
		return s.needs
	}
	return ""
}

// row is one benchmark's metric.
type row struct {
	label string
	// from is the folder of the package from the repository's root, benchmark the full name without "Benchmark" and
	// without the number of processors; unit is what the benchmark reports.
	from, benchmark, unit string
	// asked is the bound that the project holds itself to; "" if there is none.
	asked string
	// at is the place on the axis of a curve.
	at int
}

// labels are the lines of a curve, in the order of the rows.
func (s section) labels() (labels []string) {
	for _, r := range s.rows {
		if !slices.Contains(labels, r.label) {
			labels = append(labels, r.label)
		}
	}
	return labels
}

// places are where the axis has points.
func (s section) places() (places []int) {
	for _, r := range s.rows {
		if !slices.Contains(places, r.at) {
			places = append(places, r.at)
		}
	}
	slices.Sort(places)
	return places
}

func (r row) key() string { return key(r.from, r.benchmark, r.unit) }

// name is the row's, for a list.
func (r row) name(s section) string {
	if s.axis == "" {
		return r.label
	}
	return r.label + ", " + grouped(r.at) + " " + s.axis
}

// grouped writes 1000000 as 1,000,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
