package cardface

import (
	"crypto/sha256"
	"image"
	"image/color"
	"math"
)

// The portrait on the face of a card is 30 × 40 mm.
const (
	portraitWidth  = 180
	portraitHeight = 240
)

// features are what tells one drawn face from another.
type features struct {
	background, skin, hair, clothes uint8
	faceWidth, faceHeight           float64
	eyeDistance, eyeSize, eyeHeight float64
	brow, nose, mouth, smile        float64
	fringe, length                  float64 // of the hair
	glasses                         bool
}

// drawFace draws the face of a seed.
func drawFace(seed string) *image.Gray {
	f := newFeatures(seed)
	img := image.NewGray(image.Rect(0, 0, portraitWidth, portraitHeight))
	// Each pixel is the mean of 3 × 3 points, for smooth edges.
	const samples = 3
	for y := range portraitHeight {
		for x := range portraitWidth {
			sum := 0
			for sy := range samples {
				for sx := range samples {
					sum += int(f.at(
						(float64(x)+(float64(sx)+0.5)/samples)/portraitWidth*2-1,
						(float64(y)+(float64(sy)+0.5)/samples)/portraitHeight*8/3-4./3,
					))
				}
			}
			img.SetGray(x, y, color.Gray{Y: uint8(sum / (samples * samples))})
		}
	}
	return img
}

func newFeatures(seed string) features {
	h := sha256.Sum256([]byte("kakunin portrait " + seed))
	i := 0
	between := func(low, high float64) float64 {
		v := float64(h[i]) / 255
		i++
		return low + v*(high-low)
	}
	return features{
		background: uint8(between(205, 235)), skin: uint8(between(165, 200)),
		hair: uint8(between(20, 90)), clothes: uint8(between(40, 120)),
		faceWidth: between(0.40, 0.48), faceHeight: between(0.56, 0.64),
		eyeDistance: between(0.16, 0.20), eyeSize: between(0.06, 0.08), eyeHeight: between(-0.06, 0.02),
		brow: between(0.10, 0.15), nose: between(0.04, 0.07), mouth: between(0.10, 0.16), smile: between(0, 0.25),
		fringe: between(-0.45, -0.22), length: between(-0.1, 0.7),
		glasses: between(0, 1) < 0.3,
	}
}

// at is the shade of a point: x from -1 to 1, y from -4/3 to 4/3, the face about the origin.
func (f features) at(x, y float64) uint8 {
	ellipse := func(cx, cy, rx, ry float64) bool {
		dx, dy := (x-cx)/rx, (y-cy)/ry
		return dx*dx+dy*dy <= 1
	}
	side := math.Abs(x)
	face := ellipse(0, 0, f.faceWidth, f.faceHeight)
	if face && y > f.fringe+0.15*side {
		return f.inFace(x, y, ellipse)
	}
	switch {
	case ellipse(0, -0.08, f.faceWidth+0.09, f.faceHeight+0.06) && (y < 0.1 || y < f.length), // hair
		y > -0.1 && y < f.length && side < f.faceWidth+0.09 && side > f.faceWidth-0.1 && !face:
		return f.hair
	case face,
		ellipse(f.faceWidth*side/x, f.eyeHeight+0.06, 0.05, 0.10), // ears
		side < 0.17 && y > 0 && y < 0.86:                          // neck
		return f.skin - 12
	case y > 0.72+0.35*side*side+math.Max(0, 0.14-side): // shoulders
		return f.clothes
	default:
		return f.background
	}
}

// inFace is the shade of a point of the face.
func (f features) inFace(x, y float64, ellipse func(cx, cy, rx, ry float64) bool) uint8 {
	side := f.eyeDistance
	if x < 0 {
		side = -side
	}
	dx := math.Abs(x - side)
	switch {
	case f.glasses && ring(x-side, y-f.eyeHeight, 0.12, 0.10, 0.018),
		f.glasses && math.Abs(x) < f.eyeDistance-0.11 && math.Abs(y-f.eyeHeight) < 0.01:
		return f.hair / 2
	case ellipse(side, f.eyeHeight, f.eyeSize*0.45, f.eyeSize*0.5):
		return 25
	case ellipse(side, f.eyeHeight, f.eyeSize, f.eyeSize*0.5):
		return 240
	case dx < f.eyeSize+0.03 && math.Abs(y-f.eyeHeight+f.brow+dx*dx*2-0.01) < 0.016:
		return f.hair
	case ellipse(0, 0.16, f.nose, 0.022):
		return f.skin - 45
	case math.Abs(x) < f.mouth && math.Abs(y-0.32-f.smile*(f.mouth*f.mouth-x*x)*3) < 0.018:
		return f.skin / 2
	default:
		return f.skin
	}
}

// ring reports whether a point lies on an ellipse about the origin, within a width.
func ring(x, y, rx, ry, width float64) bool {
	r := math.Hypot(x/rx, y/ry)
	return r <= 1 && r >= 1-width/rx
}
