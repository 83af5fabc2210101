// Package accessibility looks at a page in a browser for what people with a screen reader, a keyboard or a small screen
// need, as far as a machine can decide it.
package accessibility

import (
	_ "embed" // for the script
	"fmt"
)

//go:embed faults.js
var script string

// Faults is a script that returns a list of what is wrong with the page, which should be in the language and fit the
// width in CSS pixels.
func Faults(lang string, width int64) string { return fmt.Sprintf(script, lang, width) }
