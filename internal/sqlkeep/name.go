package sqlkeep

import "strings"

// IsName accepts what stands in a statement as the name of a table, or begins one: letters, digits and underscores,
// with a schema before a point. Nothing else of a configuration becomes part of a statement.
func IsName(s string, longest int) bool {
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
}
