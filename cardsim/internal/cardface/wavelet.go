package cardface

import "image"

// plane holds the samples, and after the analysis the subbands in its four corners, the lowest resolution at the
// origin.
type plane struct {
	width, height int
	samples       []int32
}

// newPlane takes an image over with the level shift of unsigned samples (ISO/IEC 15444-1, G.1.1).
func newPlane(img *image.Gray) *plane {
	p := &plane{width: img.Rect.Dx(), height: img.Rect.Dy()}
	p.samples = make([]int32, p.width*p.height)
	for y := range p.height {
		for x := range p.width {
			p.samples[y*p.width+x] = int32(img.GrayAt(img.Rect.Min.X+x, img.Rect.Min.Y+y).Y) - 1<<(depth-1)
		}
	}
	return p
}

// halved is the size of the low-pass half after so many halvings.
func halved(n, times int) int { return (n + 1<<times - 1) >> times }

// analyse does one level of the decomposition on what the earlier ones left at the origin: columns first, then rows
// (F.4.2), and moves the high-pass samples behind the low-pass ones.
func (p *plane) analyse(level int) {
	width, height := halved(p.width, level), halved(p.height, level)
	line := make([]int32, max(width, height))
	for x := range width {
		p.filter(line[:height], x, p.width)
	}
	for y := range height {
		p.filter(line[:width], y*p.width, 1)
	}
}

// filter applies the reversible 5/3 filter (F.4.8.1, equations F-9 and F-10) to a row or a column, which begins at a
// position and goes on in steps.
func (p *plane) filter(line []int32, start, step int) {
	n := len(line)
	if n == 1 {
		return
	}
	for i := range line {
		line[i] = p.samples[start+i*step]
	}
	// Beyond its ends a signal goes on mirrored at its first and last sample (F.4.7).
	at := func(i int) int32 {
		if i < 0 {
			i = -i
		}
		if i >= n {
			i = 2*(n-1) - i
		}
		return line[i]
	}
	for i := 1; i < n; i += 2 {
		line[i] -= (at(i-1) + at(i+1)) >> 1
	}
	for i := 0; i < n; i += 2 {
		line[i] += (at(i-1) + at(i+1) + 2) >> 2
	}
	low := halved(n, 1)
	for i := range line {
		to := i / 2
		if i%2 == 1 {
			to += low
		}
		p.samples[start+to*step] = line[i]
	}
}

// subband is a rectangle of the plane.
type subband struct {
	orientation         orientation
	x, y, width, height int
}

// subbands returns those of a resolution in the order of its packets (B.9): LL for the lowest, HL, LH and HH for the
// others.
func (p *plane) subbands(resolution int) []subband {
	if resolution == 0 {
		return []subband{{ll, 0, 0, halved(p.width, levels), halved(p.height, levels)}}
	}
	width, height := halved(p.width, levels-resolution), halved(p.height, levels-resolution)
	lowWidth, lowHeight := halved(width, 1), halved(height, 1)
	return []subband{
		{hl, lowWidth, 0, width - lowWidth, lowHeight},
		{lh, 0, lowHeight, lowWidth, height - lowHeight},
		{hh, lowWidth, lowHeight, width - lowWidth, height - lowHeight},
	}
}
