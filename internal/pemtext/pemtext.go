// Package pemtext reads PEM (RFC 7468) as people have it: after PowerShell's redirection (UTF-16), an editor (byte
// order mark, carriage returns), a mail program (quoted, indented, invisible characters), a variable of the environment
// (all in one line, or with "\n" written out). Package encoding/pem wants each line at its place.
package pemtext

import (
	"bytes"
	"encoding/pem"
	"regexp"
	"strings"
	"unicode/utf16"
)

// Decode turns UTF-16 into UTF-8 and takes a byte order mark away, in front of any text.
func Decode(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		return rest
	}
	var little bool
	rest := data
	switch {
	case len(data)%2 != 0 || len(data) < 4:
		return data
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		little, rest = true, data[2:]
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		rest = data[2:]
	case data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0: // letters of ASCII without a mark
		little = true
	case data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0:
	default:
		return data
	}
	units := make([]uint16, 0, len(rest)/2)
	for i := 0; i < len(rest); i += 2 {
		if little {
			units = append(units, uint16(rest[i])|uint16(rest[i+1])<<8)
		} else {
			units = append(units, uint16(rest[i+1])|uint16(rest[i])<<8)
		}
	}
	return []byte(string(utf16.Decode(units)))
}

// Has reports whether there is PEM in a text.
func Has(text []byte) bool { return bytes.Contains(text, []byte("-----BEGIN ")) }

var (
	boundary = regexp.MustCompile(`-----(BEGIN|END) [^-\n]{1,64}-----`)
	// plain drops what nobody sees and gives blanks of every width and line ends of every kind one form. A backslash is
	// no character of base64: one before n or r is a line end that something wrote out.
	plain = strings.NewReplacer("\ufeff", "", "\u200b", "", "\u2060", "", "\u00ad", "", "\u00a0", " ", "\u3000", " ",
		"\r\n", "\n", "\r", "\n", `\r`, "\n", `\n`, "\n")
)

// Blocks returns the PEM blocks of a text that [Decode] returned; whole is false if a block that begins cannot be read.
func Blocks(text []byte) (blocks []*pem.Block, whole bool) {
	normal := boundary.ReplaceAllString(plain.Replace(string(text)), "\n$0\n")
	var rest []byte
	for line := range strings.SplitSeq(normal, "\n") {
		// A mail program quotes with >. Blank lines are no part of what is inside, nor needed behind headers.
		if line = strings.TrimSpace(strings.TrimLeft(line, "> \t")); line != "" {
			rest = append(append(rest, line...), '\n')
		}
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return blocks, len(blocks) == strings.Count(normal, "-----BEGIN ")
		}
		blocks = append(blocks, block)
	}
}
