package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	barHeight  = 26
	labelWidth = 230
	plotWidth  = 420
)

// plot draws a section whose rows share a kind of unit: bars, or a curve. It is nil where a picture would say nothing.
func plot(s section, m measured) []byte {
	if len(s.rows) < 2 {
		return nil
	}
	for _, r := range s.rows {
		if isRatio(r.unit) != isRatio(s.rows[0].unit) {
			return nil
		}
	}
	if s.axis != "" {
		return lines(s, m)
	}
	return bars(s, m)
}

func isRatio(unit string) bool { return strings.HasPrefix(unit, "x-") }

func bars(s section, m measured) []byte {
	var b bytes.Buffer
	height := barHeight*len(s.rows) + 10
	open(&b, labelWidth+plotWidth+90, height, s.title)
	most := 0.0
	for _, r := range s.rows {
		most = max(most, m[r.key()].median())
	}
	for i, r := range s.rows {
		v := m[r.key()].median()
		y, w := 5+barHeight*i, v/most*plotWidth
		fill := "#9db4c8"
		if r.label == "kakunin" {
			fill = "#1f5f8b"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, y+17,
			html.EscapeString(r.label))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", labelWidth, y+3, w,
			barHeight-8,
			fill)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", labelWidth+w+6, y+17, number(v, r.unit))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// colours are those of lines; the first is this module's.
var colours = []string{"#1f5f8b", "#c2703d", "#6b7b8a", "#5b8c5a"}

// frame maps logarithms of what is measured to places on the picture.
type frame struct{ lowX, highX, lowY, highY float64 }

const frameLeft, frameTop, frameHeight = 80, 14, 230

func newFrame(s section, m measured) (f frame, ok bool) {
	f = frame{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	for _, r := range s.rows {
		v := m[r.key()]
		if r.at <= 0 || len(v) == 0 || least(v) <= 0 {
			return f, false
		}
		x, y := math.Log10(float64(r.at)), math.Log10(v.median())
		f.lowX, f.highX = min(f.lowX, x), max(f.highX, x)
		f.lowY, f.highY = min(f.lowY, math.Floor(y)), max(f.highY, math.Ceil(y))
	}
	if f.highY == f.lowY {
		f.highY++
	}
	return f, f.highX > f.lowX
}

func (f frame) place(x, y float64) (across, down float64) {
	return frameLeft + (math.Log10(x)-f.lowX)/(f.highX-f.lowX)*plotWidth,
		frameTop + (f.highY-math.Log10(y))/(f.highY-f.lowY)*frameHeight
}

// lines draws the rows of each label as a line, on logarithmic axes.
func lines(s section, m measured) []byte {
	f, ok := newFrame(s, m)
	if !ok {
		return nil
	}
	var b bytes.Buffer
	const width, bottom = frameLeft + plotWidth + 150, frameTop + frameHeight
	open(&b, width, bottom+44, s.title)
	for decade := f.lowY; decade <= f.highY; decade++ {
		_, y := f.place(1, math.Pow(10, decade))
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", frameLeft,
			frameLeft+plotWidth, y, y)
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", frameLeft-8, y+4,
			tick(math.Pow(10, decade), s.rows[0].unit))
	}
	for _, at := range s.places() {
		x, _ := f.place(float64(at), 1)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, bottom+18, grouped(at))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", frameLeft+plotWidth/2, bottom+36,
		html.EscapeString(s.axis))
	for i, label := range s.labels() {
		line(&b, s, m, f, label, colours[i%len(colours)])
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// line ends with its label.
func line(b *bytes.Buffer, s section, m measured, f frame, label, colour string) {
	var points []string
	var x, y float64
	for _, r := range s.rows {
		if r.label == label {
			x, y = f.place(float64(r.at), m[r.key()].median())
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x, y, colour)
		}
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n",
		strings.Join(points, " "), colour)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n", x+10, y+4, colour, html.EscapeString(label))
}

// tick is a number without decimals.
func tick(v float64, unit string) string {
	text := number(v, unit)
	whole, rest, found := strings.Cut(text, ".00")
	if !found {
		return text
	}
	return whole + rest
}

func open(b *bytes.Buffer, width, height int, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" `+
		`font-family="sans-serif" font-size="13" fill="#222"><title>%s</title>`+"\n", width, height, width, height,
		html.EscapeString(title))
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
}
