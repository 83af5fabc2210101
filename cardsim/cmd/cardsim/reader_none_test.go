//go:build !pcsc

package main

import (
	"bytes"
	"strings"
	"testing"
)

// A program without PC/SC says how to get one that has it.
func TestNoReaders(t *testing.T) {
	public, _ := keyFile(t)
	var out bytes.Buffer
	code := run(t.Context(), []string{
		"service", "-addr", "127.0.0.1:0", "-card", "pcsc", "-client-id", "RP1", "-client-key", public,
		"-redirect-url", "http://127.0.0.1/cb",
	}, streams{strings.NewReader(""), &out, &out})
	if code != exitUsage || !strings.Contains(out.String(), "-tags pcsc") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
