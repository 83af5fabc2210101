//go:build pcsc

package main

import (
	"context"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/jpki/card/pcsc"
)

// openReader connects to the readers of this machine whose name contains the text, "" for all. The end of it is done's.
func openReader(ctx context.Context, name string) (reader daa.Reader, done func(), err error) {
	var chosen []pcsc.Option
	if name != "" {
		chosen = append(chosen, pcsc.Named(name))
	}
	r, err := pcsc.Open(ctx, chosen...)
	if err != nil {
		return nil, nil, err
	}
	return r, func() { _ = r.Close(context.WithoutCancel(ctx)) }, nil
}
