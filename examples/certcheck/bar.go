package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// bar is a progress bar for people: it is drawn on a terminal only, and only for lists that take a while.
type bar struct {
	w        io.Writer
	terminal bool
	language kakunin.Language
	drawn    int // percent; -1 before the first time
}

const (
	barWidth   = 32
	barMinSize = 4 << 20 // bytes
)

func newBar(w io.Writer, language kakunin.Language) *bar {
	b := &bar{w: w, language: language, drawn: -1}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

func (b *bar) shows(size int64) bool { return b.terminal && size >= barMinSize }

func (b *bar) update(p crl.Progress) {
	label := wordReading
	if p.Indexing {
		label = wordIndexing
	}
	if p.Total <= 0 {
		return
	}
	percent := int(100 * min(p.Done, p.Total) / p.Total)
	if percent == b.drawn {
		return
	}
	b.drawn = percent
	full := barWidth * percent / 100
	_, _ = fmt.Fprintf(
		b.w,
		"\r%s [%s%s] %3d %%",
		label.in(b.language),
		strings.Repeat("#", full),
		strings.Repeat(" ", barWidth-full),
		percent,
	)
}

// end leaves an empty line behind.
func (b *bar) end() {
	if b.drawn >= 0 {
		_, _ = fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", barWidth+40))
		b.drawn = -1
	}
}
