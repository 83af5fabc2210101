package main

import (
	"fmt"
	"math"
	"strings"
)

// plot draws two logarithmic diagrams, time and memory over the number of entries, as an SVG that reads on light and
// dark pages.
func plot(points []point) []byte {
	var b strings.Builder
	b.WriteString(
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 400" font-family="sans-serif" font-size="12">` + "\n",
	)
	b.WriteString(`<rect width="920" height="400" fill="#ffffff"/>` + "\n")
	ours, floor, std := line{
		"package crl",
		"#0b6e4f",
		nil,
	}, line{
		"SHA-256 over the same file",
		"#888888",
		nil,
	}, line{
		"crypto/x509",
		"#c8553d",
		nil,
	}
	heap, standard := line{"package crl", "#0b6e4f", nil}, line{"crypto/x509", "#c8553d", nil}
	for _, p := range points {
		n := float64(p.Entries)
		ours.add(n, p.Load.Seconds)
		floor.add(n, p.Hash)
		heap.add(n, float64(p.Load.Memory))
		if p.Std != nil {
			std.add(n, p.Std.Seconds)
			standard.add(n, float64(p.Std.Memory))
		}
	}
	diagram(&b, 70, "Time to read, verify and index a list", seconds, -5, 2, []line{std, ours, floor})
	diagram(&b, 530, "Memory afterwards", size, 5, 11, []line{standard, heap})
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

type line struct {
	label, colour string
	points        [][2]float64
}

func (l *line) add(x, y float64) { l.points = append(l.points, [2]float64{x, y}) }

func seconds(exponent int) string {
	return [...]string{"10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"}[exponent+5]
}

func size(exponent int) string {
	return [...]string{"100 kB", "1 MB", "10 MB", "100 MB", "1 GB", "10 GB", "100 GB"}[exponent-5]
}

const (
	width, height, top  = 340.0, 280.0, 50.0
	firstDecade, spread = 4, 3 // 10⁴ to 10⁷
)

// diagram draws lines in a frame whose left edge is at x; the ordinate runs from 10^from to 10^to.
func diagram(b *strings.Builder, left float64, title string, label func(int) string, from, to int, lines []line) {
	fmt.Fprintf(b, `<text x="%g" y="28" font-size="15" fill="#222">%s</text>`+"\n", left, title)
	y := func(v float64) float64 {
		return top + height - height*(math.Log10(v)-float64(from))/float64(to-from)
	}
	x := func(n float64) float64 { return left + width*(math.Log10(n)-firstDecade)/spread }
	for e := from; e <= to; e++ {
		at := y(math.Pow10(e))
		fmt.Fprintf(
			b,
			`<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%g" y="%.1f" text-anchor="end" fill="#555">%s</text>`+"\n",
			left,
			left+width,
			at,
			at,
			left-6,
			at+4,
			label(e),
		)
	}
	for e := firstDecade; e <= firstDecade+spread; e++ {
		at := x(math.Pow10(e))
		fmt.Fprintf(
			b,
			`<line x1="%.1f" x2="%.1f" y1="%g" y2="%g" stroke="#ddd"/><text x="%.1f" y="%g" text-anchor="middle" fill="#555">10<tspan dy="-5" font-size="9">%d</tspan></text>`+"\n",
			at,
			at,
			top,
			top+height,
			at,
			top+height+18,
			e,
		)
	}
	fmt.Fprintf(
		b,
		`<text x="%g" y="%g" text-anchor="middle" fill="#555">entries</text>`+"\n",
		left+width/2,
		top+height+38,
	)
	for i, l := range lines {
		var path []string
		for _, p := range l.points {
			path = append(path, fmt.Sprintf("%.1f,%.1f", x(p[0]), y(p[1])))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p[0]), y(p[1]), l.colour)
		}
		fmt.Fprintf(
			b,
			`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n",
			strings.Join(path, " "),
			l.colour,
		)
		fmt.Fprintf(
			b,
			`<rect x="%g" y="%g" width="12" height="3" fill="%s"/><text x="%g" y="%g" fill="#222">%s</text>`+"\n",
			left+10,
			top+12+18*float64(i),
			l.colour,
			left+28,
			top+17+18*float64(i),
			l.label,
		)
	}
}
