// Package fault is what the error types of the module are made of: a [Row] says all there is to say about a reason, and
// [Text] is the one form of their texts. [Mistakes] collects what is wrong with a configuration.
//
// Every package with errors keeps one table of rows, indexed by its own Reason type, and one struct type named Error.
// Families and messages themselves are public: see the root package.
package fault

import (
	"strings"

	"github.com/kakunin-go/kakunin"
)

// Row is what there is to say about a reason.
type Row struct {
	// Name is a stable phrase in lower case, for logs and metrics.
	Name string
	// Family says what the application should do.
	Family kakunin.Family
	// Message is fit to show to a person; the zero value means that the family's message fits.
	Message kakunin.Message
}

// Unknown is the row of a reason that has none. An error without a reason is a defect: nothing may be accepted.
func Unknown() Row { return Row{Name: "unknown", Family: kakunin.Untrusted} }

// Of returns what a package's table, indexed by its reasons, says about one of them. A reason outside of the table, and
// one that the table leaves out, is what the table says of the zero reason, or [Unknown] where it says nothing of it.
func Of[R ~int](table []Row, reason R) Row {
	if reason >= 0 && int(reason) < len(table) && table[reason].Name != "" {
		return table[reason]
	}
	if len(table) > 0 && table[0].Name != "" {
		return table[0]
	}
	return Unknown()
}

// Mistakes are all that is wrong with a configuration, in fixed words that begin with the name of a field: whoever
// mends one learns of the others in the same go.
type Mistakes []string

// Add adds words if something is wrong.
func (m *Mistakes) Add(wrong bool, words string) {
	if wrong {
		*m = append(*m, words)
	}
}

// Detail is the detail of an error: all mistakes in the order in which they were added, "" if there are none.
func (m Mistakes) Detail() string { return strings.Join(m, "; ") }

// Text joins the parts of an error's text: "package: reason: step: detail (clause)". Absent parts leave no trace. Every
// part is a constant of the module or a name out of the operator's own configuration, never data of a person or of the
// network.
func Text(pkg, reason, step, clause, detail string) string {
	var b strings.Builder
	b.WriteString(pkg)
	for _, part := range []string{reason, step, detail} {
		if part != "" {
			b.WriteString(": ")
			b.WriteString(part)
		}
	}
	if clause != "" {
		b.WriteString(" (")
		b.WriteString(clause)
		b.WriteByte(')')
	}
	return b.String()
}
