// Package municipality is the table of the municipalities of Japan: codes, names, counties, wards, and the keys by
// which package fourinfo finds them at the beginning of an address.
//
// The table is made by generate.go from source/municipalities.tsv, which source/extract.py draws from published data;
// see source/NOTICE. Rows are numbered; a number is good for one release only.
package municipality

import (
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"
)

//go:generate go run generate.go

// Municipality is one row; the wards of designated cities (政令指定都市) have rows of their own.
type Municipality struct {
	Code   int32 // JIS X 0402 with the prefecture, five digits
	Parent int32 // the code of the designated city for a ward, its own otherwise
	County string
	City   string
	Ward   string
	Former bool // a ward that no longer exists
}

// key finds a row by what an address begins with after the prefecture.
type key struct {
	key string
	row uint16
}

// Prefectures are the names by code: the first is 01.
func Prefectures() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, name := range prefectures {
			if !yield(i+1, name) {
				return
			}
		}
	}
}

// Rows are all rows with their numbers, by ascending code.
func Rows() iter.Seq2[uint16, *Municipality] {
	return func(yield func(uint16, *Municipality) bool) {
		for i := range rows {
			if !yield(uint16(i), &rows[i]) {
				return
			}
		}
	}
}

// At returns the row of a number.
func At(row uint16) *Municipality { return &rows[row] }

// Named returns the numbers of the rows that have the match key.
func Named(name string) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		i := sort.Search(len(keys), func(i int) bool { return keys[i].key >= name })
		for ; i < len(keys) && keys[i].key == name; i++ {
			if !yield(keys[i].row) {
				return
			}
		}
	}
}

// Prefecture is the number of the prefecture, 1 to 47.
func (m *Municipality) Prefecture() int { return int(m.Code) / 1000 }

// PrefectureName is the name of the prefecture.
func (m *Municipality) PrefectureName() string { return prefectures[m.Prefecture()-1] }

// IsSpecialWard reports one of the 23 special wards (特別区) of Tokyo.
func (m *Municipality) IsSpecialWard() bool {
	return m.Code >= 13101 && m.Code <= 13123 && strings.HasSuffix(m.City, "区")
}

// CodeText is the code with its check digit (全国地方公共団体コード), six digits.
func (m *Municipality) CodeText() string { return codeText(int(m.Code)) }

// ParentOf returns the designated city of a ward, the municipality itself for any other, and 0 for a code of none.
func ParentOf(code int32) int32 {
	i := sort.Search(len(rows), func(i int) bool { return rows[i].Code >= code })
	if i == len(rows) || rows[i].Code != code {
		return 0
	}
	return rows[i].Parent
}

// ParseCode accepts the code of a row, five digits or six with the check digit.
func ParseCode(code string) (int32, bool) {
	if len(code) != 5 && len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(code[:5])
	if err != nil || len(code) == 6 && codeText(n) != code {
		return 0, false
	}
	return int32(n), ParentOf(int32(n)) != 0 //nolint:gosec // five digits
}

// codeText adds the check digit (総務省「全国地方公共団体コード」): 11 - (Σ weights 6 to 2) mod 11, of which the last digit counts.
func codeText(code int) string {
	sum, c := 0, code
	for weight := 2; weight <= 6; weight++ {
		sum += c % 10 * weight
		c /= 10
	}
	return fmt.Sprintf("%05d%d", code, (11-sum%11)%10)
}
