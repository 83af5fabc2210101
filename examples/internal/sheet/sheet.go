// Package sheet is the style sheet that the pages of all examples share: colours in light and dark, type, buttons and
// notes.
package sheet

import _ "embed" // for the sheet

// CSS is the sheet. An example puts its own rules behind it.
//
//go:embed sheet.css
var CSS string
