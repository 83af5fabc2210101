// Package kanji knows which ideographs are forms of one another: old and new, printed and handwritten, of one standard
// and the next. The table is made by generate.go from published lists; see source/NOTICE.
package kanji

import "sort"

//go:generate go run generate.go

// variant says by which ideograph another one is represented.
type variant struct{ from, to rune }

// Representative returns the ideograph that stands for the class of r's forms; r itself if there are none. It
// represents itself.
func Representative(r rune) rune {
	if r < variants[0].from {
		return r
	}
	i := sort.Search(len(variants), func(i int) bool { return variants[i].from >= r })
	if i < len(variants) && variants[i].from == r {
		return variants[i].to
	}
	return r
}

// IsIdeograph reports whether r is written as an ideograph, 々, 〇 and the radicals from U+2E80 on (⻑, ⻆) included.
func IsIdeograph(r rune) bool {
	return r >= 0x2E80 && r <= 0x2EF3 || r >= 0x3400 && r <= 0x9FFF || r == '々' || r == '〻' || r == '〇' ||
		r >= 0x20000 && r <= 0x3FFFF || r >= 0xF900 && r <= 0xFAFF
}
