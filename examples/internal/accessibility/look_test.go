//go:build browser

package accessibility_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/kakunin-go/kakunin/examples/internal/accessibility"
)

// whole is a page with nothing wrong, around which each case is built.
const (
	head = `<!doctype html><html lang="ja"><head><title>t</title><meta name="viewport" content="width=device-width">` +
		`<style>:root{color-scheme:light dark} h1{margin:20px 0} button,input{min-height:30px;margin:8px 0;display:block}</style>`
	body  = `</head><body><main><h1>見出し</h1>`
	whole = head + body + `<p>本文です。</p><label>名前<input name="n"></label><button>次へ</button></main></body></html>`
)

// chromium starts a browser with one tab.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("no-proxy-server", true),
		chromedp.WSURLReadTimeout(time.Minute))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium does not start; it is required here: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Each thing that a page can do wrong is found, and said once at least; what is right is not called wrong.
func TestLookFinds(t *testing.T) {
	ctx := chromium(t)
	var page string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}))
	defer site.Close()
	in := func(more string) string { return strings.Replace(whole, "<p>", more+"<p>", 1) }
	for name, c := range map[string]struct{ page, want string }{
		"nothing":         {whole, ""},
		"language":        {strings.Replace(whole, `lang="ja"`, `lang="en"`, 1), "html lang"},
		"label":           {in(`<input name="x">`), "no label: x"},
		"name":            {in(`<button></button>`), "no name"},
		"contrast":        {in(`<p style="color:#999;background:#fff">薄い</p>`), "contrast 2.85"},
		"in the dark":     {in(`<p style="color:#222">暗い</p>`), "in dark colours: contrast"},
		"field":           {in(`<label>欄<input name="x" style="border:1px solid #ccc;background:#fff"></label>`), "edge"},
		"too wide":        {in(`<div style="width:900px">広い</div>`), "scrolls sideways"},
		"too wide at 320": {in(`<div style="width:340px">広い</div>`), "at 320 pixels: scrolls sideways"},
		"cut off": {in(`<div style="overflow:hidden;white-space:nowrap;width:50px">切れてしまう長い文</div>`),
			"cut off"},
		"small":                       {in(`<button style="min-height:10px;height:10px;font-size:6px">小</button>`), "too small"},
		"close":                       {in(`<button style="margin:0">一</button><button style="margin:0">二</button>`), "too close"},
		"order":                       {in(`<button style="position:absolute;top:400px">後</button>`), "the tab key goes back up"},
		"tabindex":                    {in(`<button tabindex="3">先</button>`), "a tabindex of its own"},
		"alone":                       {in(`<h2 style="width:5em;font-size:20px">あいうえおか</h2>`), "one letter alone"},
		"kana":                        {strings.Replace(whole, `<main>`, `<main lang="en">`, 1), "Japanese that is not marked"},
		"turned round":                {in("<p>名前: <b>\u202E逆</b> (番)</p>"), "can turn round"},
		"isolated":                    {in("<p>名前: <bdi>\u202E平</bdi> (番)</p>"), ""},
		"heading level":               {in(`<h4>深い</h4>`), "heading level skipped"},
		"English":                     {in(`<p>Please 待つ</p>`), "English on a Japanese page: Please"},
		"two mains":                   {in(`</main><main>`), "not exactly one main"},
		"picture":                     {in(`<img src="data:,">`), "no alt"},
		"printed pale":                {in(`<style>@media print{p{color:#999}}</style>`), "printed: contrast 2.85"},
		"printed, pale on the screen": {in(`<style>@media screen{p{color:#999}}</style>`), ""},
	} {
		page = c.page
		var faults []string
		err := chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(390, 844, 1, true), chromedp.Navigate(site.URL))
		if err == nil {
			faults, err = accessibility.Look(ctx, accessibility.Screen{
				Lang: "ja", Width: 390, Height: 844, Scale: 1, Mobile: true, Print: strings.HasPrefix(name, "printed"),
			})
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := strings.Join(faults, "\n")
		if c.want == "" && found != "" || !strings.Contains(found, c.want) {
			t.Errorf("%s: want %q in:\n%s", name, c.want, found)
		}
	}
}
