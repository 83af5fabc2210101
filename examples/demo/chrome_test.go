//go:build browser

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/kakunin-go/kakunin/examples/internal/accessibility"
)

// visitTime bounds one visit: nothing waits for a time to pass, so it only ends a visit that hangs.
const visitTime = 4 * time.Minute

// startChrome starts one Chromium for the test. Without Chromium the test fails: this is the test that needs it.
func startChrome(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		// The machine that tests has no other network than its own.
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium does not start; it is required here (Debian packages chromium, fonts-noto-cjk): %v", err)
	}
	return ctx
}

// device is what a visitor holds.
type device struct {
	name          string
	width, height int64
	scale         float64
	mobile        bool
	agent         string
}

var (
	phone = device{"phone", 390, 844, 2, true,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 " +
			"(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"}
	desktop = device{"pc", 1280, 800, 1, false,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"}
)

// tab is one visitor's browser, with cookies of its own.
type tab struct {
	t       *testing.T
	chrome  context.Context
	profile cdp.BrowserContextID
	ctx     context.Context
	device  device
	lang    string
	shots   *shots

	mu         sync.Mutex
	violations []string // of content security policies, and script errors
	downloads  chan cdpbrowser.EventDownloadProgress
	saved      string // directory of downloads
}

// open begins a visit in a fresh profile.
func openTab(t *testing.T, chrome context.Context, d device, lang string, s *shots) *tab {
	t.Helper()
	profile, first := newProfile(t, chrome)
	ctx, cancel := chromedp.NewContext(chrome, chromedp.WithTargetID(first))
	t.Cleanup(cancel)
	// the tab belongs to the context of its first action: not to one with a deadline
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, visitTime)
	t.Cleanup(cancel)
	b := &tab{t: t, chrome: chrome, profile: profile, ctx: ctx, device: d, lang: lang, shots: s,
		downloads: make(chan cdpbrowser.EventDownloadProgress, 16), saved: t.TempDir()}
	chromedp.ListenTarget(ctx, b.listen)
	b.run("open a tab",
		emulation.SetUserAgentOverride(d.agent).WithAcceptLanguage(lang),
		emulation.SetDeviceMetricsOverride(d.width, d.height, d.scale, d.mobile),
		emulation.SetTouchEmulationEnabled(d.mobile),
		log.Enable(),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).
				WithBrowserContextID(profile).WithDownloadPath(b.saved).WithEventsEnabled(true).
				Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		}),
	)
	chromedp.ListenBrowser(ctx, func(ev any) {
		if p, ok := ev.(*cdpbrowser.EventDownloadProgress); ok &&
			p.State != cdpbrowser.DownloadProgressStateInProgress {
			select {
			case b.downloads <- *p:
			default:
			}
		}
	})
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, v := range b.violations {
			t.Errorf("%s/%s: %s", d.name, lang, v)
		}
	})
	return b
}

// newProfile makes a profile with one window and no cookies. It is thrown away when the test ends.
func newProfile(t *testing.T, chrome context.Context) (profile cdp.BrowserContextID, first target.ID) {
	t.Helper()
	ctx := cdp.WithExecutor(chrome, chromedp.FromContext(chrome).Browser)
	profile, err := target.CreateBrowserContext().Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.DisposeBrowserContext(profile).Do(ctx) })
	if first, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(
		ctx); err != nil {
		t.Fatal(err)
	}
	return profile, first
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *log.EventEntryAdded:
		// "Failed to load resource … 400" is what an error page is; a policy violation is a fault of the page.
		if ev.Entry.Source == log.SourceSecurity || strings.Contains(ev.Entry.Text, "Content Security Policy") {
			b.violations = append(b.violations, ev.Entry.Text)
		}
	case *cdpruntime.EventExceptionThrown:
		b.violations = append(b.violations, ev.ExceptionDetails.Error())
	}
}

func (b *tab) run(what string, actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.fail(what, err)
	}
}

// fail ends the test with what the person saw.
func (b *tab) fail(what string, err error) {
	b.t.Helper()
	var title, address, text string
	last, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer cancel()
	var shot []byte
	if chromedp.Run(last, chromedp.Title(&title), chromedp.Location(&address),
		chromedp.Evaluate(`document.body.innerText`, &text),
		chromedp.CaptureScreenshot(&shot)) == nil {
		b.shots.save(b.t, b.device.name+"-"+b.lang+"-failed-"+strings.ReplaceAll(b.t.Name(), "/", "-")+".png", shot)
	}
	address, _, _ = strings.Cut(address, "?") // the rest may hold a code
	b.t.Fatalf("%s/%s: %s: %v\nat %s, %q:\n%s", b.device.name, b.lang, what, err, address, title, text)
}

// visit opens an address and waits for an element.
func (b *tab) visit(address, selector string) {
	b.t.Helper()
	b.run("open the address", chromedp.Navigate(address))
	b.see(selector)
}

// see waits for an element that only the expected page has.
func (b *tab) see(selector string) {
	b.t.Helper()
	b.run("wait for "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery))
}

// press clicks something and waits for an element of the next page.
func (b *tab) press(selector, next string) {
	b.t.Helper()
	b.see(selector)
	// Where the page of now has the element of the next one, too, the next one is told by the mark that it lacks.
	var there bool
	b.run("look for "+next, chromedp.Evaluate("document.querySelector("+strconv.Quote(next)+") !== null && "+
		"(document.documentElement.dataset.pressed = 'yes') === 'yes'", &there))
	b.run("press "+selector, chromedp.Click(selector, chromedp.ByQuery))
	if there {
		b.run("wait for another page", chromedp.WaitReady("html:not([data-pressed])", chromedp.ByQuery))
	}
	b.see(next)
}

// enter types into the field of a form of the simulated service, sends it, and waits for an element of the next page.
func (b *tab) enter(form, field, value, next string) {
	b.t.Helper()
	in := `form[data-kakunin-form="` + form + `"] `
	b.see(in + `[name="` + field + `"]`)
	b.run("type into "+field, chromedp.SendKeys(in+`[name="`+field+`"]`, value, chromedp.ByQuery))
	b.press(in+`button[type="submit"]`, next)
}

// text returns the text of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	var s string
	b.run("read "+selector, chromedp.Text(selector, &s, chromedp.ByQuery))
	return strings.TrimSpace(s)
}

// attribute returns an attribute of an element.
func (b *tab) attribute(selector, name string) string {
	b.t.Helper()
	var s string
	var ok bool
	b.run("read "+selector, chromedp.AttributeValue(selector, name, &s, &ok, chromedp.ByQuery))
	return s
}

// address returns where the browser is, without the query.
func (b *tab) address() string {
	b.t.Helper()
	var s string
	b.run("read the address", chromedp.Location(&s))
	s, _, _ = strings.Cut(s, "?")
	return s
}

// download presses a link and returns what was saved.
func (b *tab) download(selector string) []byte {
	b.t.Helper()
	b.run("press "+selector, chromedp.Click(selector, chromedp.ByQuery))
	select {
	case p := <-b.downloads:
		if p.State != cdpbrowser.DownloadProgressStateCompleted {
			b.t.Fatalf("the download ended as %s", p.State)
		}
	case <-b.ctx.Done():
		b.t.Fatal("no download")
	}
	files, err := os.ReadDir(b.saved)
	if err != nil || len(files) != 1 {
		b.t.Fatalf("%d files saved, %v", len(files), err)
	}
	content, err := os.ReadFile(filepath.Join(b.saved, files[0].Name()))
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

// page keeps a screenshot of the page under the name and checks what every page must have for people who use a screen
// reader, a keyboard or a small screen.
func (b *tab) page(name string) {
	b.t.Helper()
	var faults []string
	var shot []byte
	b.run("look at "+name,
		chromedp.Poll("document.readyState === 'complete'", nil), // with its stylesheet, or its sizes mean nothing
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			faults, err = accessibility.Look(ctx, accessibility.Screen{Lang: b.lang, Width: b.device.width,
				Height: b.device.height, Scale: b.device.scale, Mobile: b.device.mobile})
			return err
		}),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			shot, err = cdppage.CaptureScreenshot().WithCaptureBeyondViewport(true).WithFromSurface(true).Do(ctx)
			return err
		}),
	)
	for _, f := range faults {
		b.t.Errorf("%s/%s, page %s: %s", b.device.name, b.lang, name, f)
	}
	b.shots.save(b.t, b.device.name+"-"+b.lang+"-"+name+".png", shot)
}

// shots is where the pictures go: the directory named by KAKUNIN_SCREENSHOTS, otherwise the test's artifact directory.
type shots struct {
	dir string
	mu  sync.Mutex
	n   map[string]int
}

func newShots(t *testing.T) *shots {
	t.Helper()
	dir := os.Getenv("KAKUNIN_SCREENSHOTS")
	if dir == "" {
		dir = t.ArtifactDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &shots{dir: dir, n: map[string]int{}}
}

func (s *shots) save(t *testing.T, name string, png []byte) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[name]++; s.n[name] > 1 {
		t.Errorf("two pages are called %s", name)
	}
	if len(png) < 1000 {
		t.Errorf("%s: an empty picture", name)
	}
	if err := os.WriteFile(filepath.Join(s.dir, name), png, 0o644); err != nil {
		t.Error(err)
	}
}

// startDemo starts the program under test on loopback. When the test ends, its log of everything, at debug level, is
// searched for what must not be in it.
func startDemo(t *testing.T, args ...string) *demo {
	t.Helper()
	o, err := parseFlags(append([]string{"-addr", "127.0.0.1:0"}, args...), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var text strings.Builder
	logger := slog.New(slog.NewTextHandler(logTee(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		text.Write(p)
		return t.Output().Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := start(t.Context(), o, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.close()
		mu.Lock()
		defer mu.Unlock()
		for _, secret := range []string{
			d.person.Reveal().Name, d.person.Reveal().Address, d.person.Reveal().Subject.Birthdate,
			d.person.Reveal().SigningPassword, "eyJ", "code=", "state=",
		} {
			if strings.Contains(text.String(), secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	})
	return d
}

type logTee func([]byte) (int, error)

func (f logTee) Write(p []byte) (int, error) { return f(p) }

func evaluate(script string, result any) chromedp.Action { return chromedp.Evaluate(script, result) }

func click(selector string) chromedp.Action { return chromedp.Click(selector, chromedp.ByQuery) }
