//go:build browser

package accessibility

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Screen is what a person looks at the page with.
type Screen struct {
	Lang          string // the language that the person reads
	Width, Height int64  // CSS pixels
	Scale         float64
	Mobile        bool
	Print         bool // it is no screen but paper, so wide between its margins
}

// narrow is the width to which a page of text must flow without being scrolled sideways (WCAG 2.2, 1.4.10).
const narrow = 320

// Look returns what is wrong with the page in the tab: on this screen, in dark colours, and enlarged until only 320 CSS
// pixels fit beside each other; or as it is printed. The page must have been loaded on that screen, which is as before
// afterwards.
func Look(ctx context.Context, s Screen) (faults []string, err error) {
	look := func(in string, width int64, only ...string) chromedp.ActionFunc {
		return func(ctx context.Context) error {
			var found []string
			err := chromedp.Evaluate(Faults(s.Lang, width), &found).Do(ctx)
			for _, fault := range found {
				for _, prefix := range only {
					if strings.HasPrefix(fault, prefix) {
						faults = append(faults, in+fault)
					}
				}
			}
			return err
		}
	}
	scheme := func(value string) chromedp.Action {
		return emulation.SetEmulatedMedia().WithFeatures(
			[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}})
	}
	if s.Print {
		err = chromedp.Run(ctx,
			emulation.SetEmulatedMedia().WithMedia("print"), look("printed: ", s.Width, ""), scheme(""),
		)
		return faults, err
	}
	err = chromedp.Run(ctx,
		scheme("light"), look("", s.Width, ""),
		scheme("dark"), look("in dark colours: ", s.Width, "contrast", "edge"),
		scheme(""),
		emulation.SetDeviceMetricsOverride(narrow, s.Height, s.Scale, s.Mobile),
		chromedp.Poll("innerWidth === 320 || screen.width === 320", nil),
		look("at 320 pixels: ", narrow, "scrolls sideways", "wider", "cut off"),
		emulation.SetDeviceMetricsOverride(s.Width, s.Height, s.Scale, s.Mobile),
	)
	return faults, err
}
