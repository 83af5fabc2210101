//go:build browser

package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page on a phone, on a PC and as PDF, in Chromium. The pictures are meant to be looked at; what Chromium says
// about the page, of its own policy for one, is a failure.
func TestReportInChromium(t *testing.T) {
	folder := os.Getenv("KAKUNIN_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	profile := t.TempDir()
	for name, r := range all(t) {
		page := filepath.Join(t.TempDir(), "report.html")
		var out bytes.Buffer
		if err := r.Render(&out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		name = "report-" + strings.ReplaceAll(name, " ", "-")
		chromium := func(file string, arguments ...string) []byte {
			file = filepath.Join(folder, file)
			all := []string{
				"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-pdf-header-footer",
				"--no-first-run",
				"--user-data-dir=" + profile, "--enable-logging=stderr", "file://" + page,
			}
			for _, a := range arguments {
				all = append(all, strings.ReplaceAll(a, "FILE", file))
			}
			c := exec.CommandContext(t.Context(), "chromium", all...)
			said, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if wrong := regexp.MustCompile(`(?m)^.*CONSOLE.*$`).Find(said); wrong != nil {
				t.Errorf("%s: %s", name, wrong)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		for size, window := range map[string]string{"phone": "390,2400", "pc": "1100,2600"} {
			picture := chromium(name+"-"+size+".png", "--window-size="+window, "--screenshot=FILE")
			if !bytes.HasPrefix(picture, []byte("\x89PNG")) {
				t.Errorf("%s: no picture", name)
			}
		}
		if pdf := chromium(name+".pdf", "--print-to-pdf=FILE"); !bytes.HasPrefix(pdf, []byte("%PDF")) ||
			len(pdf) < 10_000 {
			t.Errorf("%s: no PDF", name)
		}
	}
}
