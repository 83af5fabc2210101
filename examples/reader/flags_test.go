package main

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
)

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"card"}, "only flags"},
		{[]string{"-lang", "fr"}, "ja or en"},
		{[]string{"-wait", "0s"}, "positive"},
		{[]string{"-kind", "plastic"}, "-kind needs -simulated"},
		{[]string{"-person", "taro"}, "-person needs -simulated"},
		{[]string{"-simulated", "-reader", "ACS"}, "real reader"},
		{[]string{"-simulated", "-exclusive"}, "real reader"},
		{[]string{"-simulated", "-roots", "file"}, "real reader"},
		{[]string{"-simulated", "-number", "curiosity"}, "no other purpose"},
		{[]string{"-simulated", "-change", "face"}, "-change must be"},
		{[]string{"-nonsense"}, "not defined"},
	} {
		w, out, errs := terminal()
		if code := run(t.Context(), tt.args, w); code != exitUsage || !strings.Contains(errs.String(), tt.says) ||
			out.Len() > 0 {
			t.Errorf("%v: code %d, %s", tt.args, code, errs)
		}
	}
	w, _, errs := terminal()
	if code := run(t.Context(), []string{"-h"}, w); code != exitOK ||
		!strings.Contains(errs.String(), "usage: reader") {
		t.Errorf("code %d, %s", code, errs)
	}
}

func TestLanguage(t *testing.T) {
	for _, tt := range []struct {
		flag, all, lang string
		want            kakunin.Language
	}{
		{"", "", "", kakunin.English},
		{"", "", "ja_JP.UTF-8", kakunin.Japanese},
		{"", "C.UTF-8", "ja_JP.UTF-8", kakunin.English},
		{"", "ja_JP.UTF-8", "en_US.UTF-8", kakunin.Japanese},
		{"en", "ja_JP.UTF-8", "ja_JP.UTF-8", kakunin.English},
		{"ja", "", "", kakunin.Japanese},
	} {
		env := map[string]string{"LC_ALL": tt.all, "LANG": tt.lang}
		if got := languageOf(tt.flag, func(name string) string { return env[name] }); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func TestRoots(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	line := "5000033-001 " + strings.ToUpper(key.N.Text(16))
	name := filepath.Join(t.TempDir(), "roots")
	if err := os.WriteFile(name, []byte("# keys of the issuers\n\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if roots, err := readRoots(name); err != nil || roots == nil {
		t.Error(err)
	}
	if roots, err := readRoots(""); err != nil || roots != nil {
		t.Error(roots, err)
	}
	if _, err := readRoots(name + ".missing"); err == nil {
		t.Error("a missing file was read")
	}
	for _, bad := range []string{"", "# nothing", "5000033-001", "5000033 " + line[12:], line + "x", line + "0",
		"6000033-001" + line[11:], "5000033-001 AABB"} {
		if _, err := useRoots([]byte(bad)); err == nil {
			t.Errorf("%.30q was accepted", bad)
		}
	}
}

// FuzzRoots: no file makes the parser panic.
func FuzzRoots(f *testing.F) {
	f.Add([]byte("# comment\n5000033-001 " + strings.Repeat("A5", 255) + "01\n"))
	f.Add([]byte("5000033-001 zz"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		roots, err := useRoots(data)
		if (roots == nil) == (err == nil) {
			t.Errorf("roots %v, error %v", roots, err)
		}
	})
}
