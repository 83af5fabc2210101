//go:build !pcsc

package main

import (
	"context"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// openReader tells how to get a program that has PC/SC: the binding needs more than Go.
func openReader(context.Context, options, *card.Roots) (source, error) {
	return source{}, problem(
		"カードリーダーを使うには go run -tags pcsc ./examples/reader で実行してください。模擬カードは -simulated で使えます。",
		"To use a reader run: go run -tags pcsc ./examples/reader. A simulated card needs only -simulated.",
	)
}
