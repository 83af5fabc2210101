//go:build browser

package gallery

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/kakunin-go/kakunin/examples/internal/accessibility"
)

// The screen of a phone, in CSS pixels, and how many pixels of the picture each has.
const (
	width, height = 390, 700
	scale         = 2
	largest       = 80 << 10 // bytes of a picture
)

func startChrome(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("no-proxy-server", true), chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("hide-scrollbars", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium does not start; it is required here (Debian packages chromium, fonts-noto-cjk): %v", err)
	}
	return ctx
}

// phone is a browser of its own on a phone.
type phone struct {
	t    *testing.T
	ctx  context.Context
	lang string
	dir  string // where pictures go
}

func openPhone(t *testing.T, chrome context.Context, lang, dir string) *phone {
	t.Helper()
	browser := cdp.WithExecutor(chrome, chromedp.FromContext(chrome).Browser)
	profile, err := target.CreateBrowserContext().Do(browser)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.DisposeBrowserContext(profile).Do(browser) })
	first, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(browser)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(chrome, chromedp.WithTargetID(first))
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancel)
	p := &phone{t: t, ctx: ctx, lang: lang, dir: dir}
	p.run("be a phone",
		emulation.SetUserAgentOverride(
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "+
				"Version/18.0 Mobile/15E148 Safari/604.1").WithAcceptLanguage(lang),
		emulation.SetDeviceMetricsOverride(width, height, scale, true),
	)
	return p
}

func (p *phone) run(what string, actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		var text string
		last, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), 5*time.Second)
		defer cancel()
		_ = chromedp.Run(last, chromedp.Evaluate(`document.body.innerText`, &text))
		p.t.Fatalf("%s: %v\n%s", what, err, text)
	}
}

// see opens an address and waits for an element of the page.
func (p *phone) see(address, selector string) {
	p.t.Helper()
	p.run("open for "+selector, chromedp.Navigate(address), chromedp.WaitVisible(selector, chromedp.ByQuery))
}

// press clicks, and waits for an element of the next page.
func (p *phone) press(selector, next string) {
	p.t.Helper()
	// Where the page of now has the element of the next one, too, the next one is told by the mark that it lacks.
	var there bool
	p.run("press "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery),
		chromedp.Evaluate("document.querySelector("+strconv.Quote(next)+") !== null && "+
			"(document.documentElement.dataset.pressed = 'yes') === 'yes'", &there),
		chromedp.Click(selector, chromedp.ByQuery))
	if there {
		p.run("wait for another page", chromedp.WaitReady("html:not([data-pressed])", chromedp.ByQuery))
	}
	p.run("wait for "+next, chromedp.WaitVisible(next, chromedp.ByQuery))
}

func (p *phone) enter(selector, text string) {
	p.t.Helper()
	p.run("type", chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.SendKeys(selector, text, chromedp.ByQuery))
}

// logIn goes through the service with Hanako's PINs, from the page of the first PIN to an element behind the callback.
func (p *phone) logIn(next string) {
	p.t.Helper()
	p.enter(`form[data-kakunin-form="auth-pin"] [name="pin"]`, "1234")
	p.press(`form[data-kakunin-form="auth-pin"] button[type="submit"]`, `form[data-kakunin-form="text-pin"]`)
	p.enter(`form[data-kakunin-form="text-pin"] [name="pin"]`, "1234")
	p.press(`form[data-kakunin-form="text-pin"] button[type="submit"]`, `form[data-kakunin-form="consent"]`)
	p.press(`form[data-kakunin-form="consent"] button[type="submit"]`, next)
}

// staff sends the password of the staff with every request.
func (p *phone) staff(authorization string) {
	p.t.Helper()
	p.run("be staff", network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Authorization": authorization}))
}

// shoot keeps a picture of the page, after a look at what a machine can see of it.
func (p *phone) shoot(name string) {
	p.t.Helper()
	var faults []string
	var shot []byte
	p.run("look", chromedp.Poll("document.readyState === 'complete'", nil), // with its stylesheet
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			faults, err = accessibility.Look(ctx,
				accessibility.Screen{Lang: p.lang, Width: width, Height: height, Scale: scale, Mobile: true})
			return err
		}))
	for _, fault := range faults {
		p.t.Errorf("%s: %s", name, fault)
	}
	p.picture(name, &shot)
}

func (p *phone) picture(name string, shot *[]byte) {
	p.t.Helper()
	p.run("take a picture", chromedp.Evaluate(`scrollTo(0, 0); document.activeElement.blur()`, nil),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			*shot, err = cdppage.CaptureScreenshot().WithFromSurface(true).Do(ctx)
			return err
		}))
	small, err := fewColours(*shot)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(small) > largest || len(small) < 1000 {
		p.t.Errorf("%s: a picture of %d bytes", name, len(small))
	}
	if err := os.WriteFile(filepath.Join(p.dir, name+"."+p.lang+".png"), small, 0o644); err != nil {
		p.t.Error(err)
	}
}

// fewColours makes a picture of at most 128 colours of one with more: text on plain grounds needs no more.
func fewColours(original []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(original))
	if err != nil {
		return nil, err
	}
	count := map[color.RGBA]int{}
	bounds := from.Bounds()
	coarse := func(x, y int) color.RGBA {
		r, g, b, _ := from.At(x, y).RGBA()
		//nolint:gosec // 5 bits, and 3
		return color.RGBA{uint8(r>>11<<3 | r>>13), uint8(g>>11<<3 | g>>13), uint8(b>>11<<3 | b>>13), 255}
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[coarse(x, y)]++
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return count[b] - count[a] })
	palette := color.Palette{}
	for _, c := range all[:min(128, len(all))] {
		palette = append(palette, c)
	}
	to := image.NewPaletted(bounds, palette)
	near := map[color.RGBA]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := coarse(x, y)
			i, ok := near[c]
			if !ok {
				i = uint8(palette.Index(c)) //nolint:gosec // at most 128
				near[c] = i
			}
			to.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to)
	return out.Bytes(), err
}
