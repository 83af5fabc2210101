//go:build !pcsc

package main

import (
	"context"

	"github.com/kakunin-go/kakunin/cardsim/daa"
)

// openReader says how to get a program that has PC/SC: the binding needs more than Go.
func openReader(context.Context, string) (reader daa.Reader, done func(), err error) {
	return nil, nil, &usageError{
		"-card pcsc needs a program with PC/SC: go run -tags pcsc ./cardsim/cmd/cardsim service (cgo and libpcsclite)",
	}
}
