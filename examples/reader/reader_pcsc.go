//go:build pcsc

package main

import (
	"context"

	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/card/pcsc"
)

// openReader connects to the readers of this machine.
func openReader(ctx context.Context, o options, roots *card.Roots) (source, error) {
	var chosen []pcsc.Option
	if o.reader != "" {
		chosen = append(chosen, pcsc.Named(o.reader))
	}
	if o.exclusive {
		chosen = append(chosen, pcsc.Exclusive())
	}
	r, err := pcsc.Open(ctx, chosen...)
	if err != nil {
		return source{}, err
	}
	return source{transport: r, name: r.Name, roots: roots, close: func(ctx context.Context) { _ = r.Close(ctx) }}, nil
}
