//go:build pcsc

package pcsc

import "strings"

// Option says which readers may be used and how.
type Option func(*config)

type config struct {
	fits      []func(reader string) bool
	exclusive bool
}

// Named limits the choice to readers whose name contains the text; upper and lower case are the same.
func Named(text string) Option {
	text = strings.ToLower(text)
	return Matching(func(reader string) bool { return strings.Contains(strings.ToLower(reader), text) })
}

// Matching limits the choice to readers for whose name fits returns true. Several limits must all hold. fits is called by
// another goroutine, one call at a time.
func Matching(fits func(reader string) bool) Option {
	return func(c *config) { c.fits = append(c.fits, fits) }
}

// Exclusive connects so that no other program can use the card until the Reader is closed or the card powered off. A card
// that another program uses is then busy. The default is to share it, with transactions.
func Exclusive() Option {
	return func(c *config) { c.exclusive = true }
}

func configOf(options []Option) config {
	var c config
	for _, o := range options {
		o(&c)
	}
	return c
}

// accepts reports whether the reader may be used.
func (c config) accepts(reader string) bool {
	for _, fits := range c.fits {
		if !fits(reader) {
			return false
		}
	}
	return true
}
