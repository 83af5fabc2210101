//go:build jp2

package cardface

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// OpenJPEG as an independent judge of the encoder. Needs the program opj_decompress (Debian: libopenjp2-tools), so it
// runs with the build tag jp2 only.
func TestOpenJPEGDecodesWhatWasDrawn(t *testing.T) {
	images := map[string]*image.Gray{}
	for _, seed := range []string{"hanako", "taro", "minor", ""} {
		images["face "+seed] = drawFace(seed)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{
		{1, 1}, {1, 7}, {9, 1}, {2, 2}, {3, 5}, {31, 33}, {63, 64}, {65, 64}, {127, 129}, {128, 128}, {200, 100},
		{257, 130}, {301, 259},
	} {
		black, noise, slope := image.NewGray(image.Rectangle{Max: size}), image.NewGray(image.Rectangle{Max: size}),
			image.NewGray(image.Rectangle{Max: size})
		for i := range noise.Pix {
			noise.Pix[i] = uint8(random.UintN(256))
			slope.Pix[i] = uint8(i/size.X + i%size.X)
		}
		name := fmt.Sprintf("%d x %d", size.X, size.Y)
		images["black "+name], images["noise "+name], images["slope "+name] = black, noise, slope
	}
	dir := t.TempDir()
	for name, img := range images {
		in, out := filepath.Join(dir, "in.jp2"), filepath.Join(dir, "out.pgm")
		if err := os.WriteFile(in, encodeJP2(img), 0o600); err != nil {
			t.Fatal(err)
		}
		if log, err := exec.CommandContext(t.Context(), "opj_decompress", "-i", in, "-o",
			out).CombinedOutput(); err != nil || bytes.Contains(log, []byte("WARN")) {
			t.Errorf("%s: %v\n%s", name, err, log)
			continue
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[max(0, len(got)-len(img.Pix)):], img.Pix) {
			t.Errorf("%s: other pixels came back", name)
		}
	}
}
