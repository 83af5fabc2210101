package cardsim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

//go:generate go test -run ^TestConformancePage$ -update .

// conformancePage is generated from the rows of the tests.
const conformancePage = "../docs/card-conformance.md"

// TestConformancePage keeps the page in step with the tests: go test ./cardsim -run TestConformancePage -update writes
// it.
func TestConformancePage(t *testing.T) {
	golden.File(t, conformancePage, conformanceMarkdown())
}

func conformanceMarkdown() string {
	var b strings.Builder
	b.WriteString(`# What the card answers

This page is made from the tests of package cardsim and is never edited by hand. Every row is a test that runs on every change; its name is
in the first column (with _ for each space, as go test has it).

    go test ./cardsim -run 'TestFiles/surface/0002'
    go test ./cardsim -run 'TestConformance/JPKI/0018'
    go test ./cardsim -run 'TestSecureMessaging'

The rules come from JICSAP IC card specification V1.1, ISO/IEC 7816-4 and published measurements of real cards by open-source clients. What
nobody has published had to be decided: such a row says **assumed**, with what exactly. Where measurements of real cards corrected what
the older sources say, or what this simulator had assumed, the row says **measured**, with the source and how sure it is (from 0 to 1).

The card is the plastic card of an adult. What other kinds of cards have and lack is in the documentation of the package.

## Applications and files

Everybody may use what is free; every other file names the references of which one must be verified. Internal files (keys, PINs) cannot be
read by anyone (6981).
`)
	for _, a := range appRows {
		fmt.Fprintf(&b, "\n### %s: %s\n\nAID `%s`%s\n\n", a.name, a.what, a.aid, note(a.assumed))
		b.WriteString("| file | content | bytes | begins | who |\n| --- | --- | --- | --- | --- |\n")
		for _, row := range fileRows {
			if row.app == a.name {
				fmt.Fprintf(&b, "| `%04X` | %s%s | %s | %s | %s |\n", row.id, row.what,
					note(row.assumed)+seen(row.measured), row.bytesText(), row.headText(), row.whoText())
			}
		}
	}
	b.WriteString("\n## Commands\n\nA command is followed by its answer: data, `#n` for n bytes of data, `…` for " +
		"what is not shown, and the status word.\n" +
		"`SELECT …` and `VERIFY …` stand for the full commands, and each exchange begins after power-up.\n")
	for _, section := range conformance() {
		fmt.Fprintf(&b, "\n### %s\n\n| rule | exchange |\n| --- | --- |\n", section.title)
		for _, row := range section.rows {
			fmt.Fprintf(&b, "| %s%s | %s |\n", row.name, note(assumptions[row.name])+seen(measured[row.name]),
				exchanges(row.script))
		}
	}
	b.WriteString(`
### Secure messaging

In the text application, after SET SESSION KEY: AES-128-CBC with a counter, confidentiality only. The tests have the other end of it, written
from the published description.

| rule |
| --- |
`)
	for _, row := range secureRows {
		fmt.Fprintf(&b, "| %s%s |\n", row.name, note(assumptions[row.name])+seen(measured[row.name]))
	}
	return b.String()
}

func note(assumed string) string {
	if assumed == "" {
		return ""
	}
	return " (**assumed**: " + assumed + ")"
}

// seen says where a rule was measured, where that corrects what was published before.
func seen(measured string) string {
	if measured == "" {
		return ""
	}
	return " (**measured**: " + measured + ")"
}

func (row fileRow) bytesText() string {
	switch {
	case row.kind != transparent && row.kind != records:
		return "–"
	case row.size == 0 && row.opens != nil:
		return "varies"
	case row.size == 0:
		return "16"
	default:
		return fmt.Sprint(row.size)
	}
}

func (row fileRow) headText() string {
	if row.head == "" {
		return ""
	}
	return "`" + row.head + "`"
}

func (row fileRow) whoText() string {
	switch row.kind {
	case reference:
		if row.tries == 0 {
			return "blocked forever"
		}
		return fmt.Sprintf("%d tries", row.tries)
	case opaque, terminalCA:
		return "nobody"
	case transparent, records, signingKey, authenticationKey:
	}
	var who []string
	for _, id := range row.opens {
		if id == 0 {
			return "everybody"
		}
		who = append(who, fmt.Sprintf("`%04X`", id))
	}
	if who == nil {
		return "nobody"
	}
	return strings.Join(who, " or ")
}

// pageNames are the abbreviations of scripts in words.
var pageNames = strings.NewReplacer(
	"{JPKI}", "SELECT JPKI", "{TEXT}", "SELECT text", "{SURFACE}", "SELECT surface", "{COMMON}", "SELECT common",
	"{RESIDENT}", "SELECT resident", "{ISD}", "SELECT ISD",
	"{AUTH}", "VERIFY 利用者証明用暗証番号", "{SIGN}", "VERIFY 署名用暗証番号", "{PIN}", "VERIFY 暗証番号", "{A}", "VERIFY 照合番号A", "{B}",
	"VERIFY 照合番号B",
)

// exchanges shows a script as one line for each command.
func exchanges(script string) string {
	var out []string
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, "//")
		command, answer, isCommand := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case command == "":
		case !isCommand:
			out = append(out, map[string]string{"on": "power on", "off": "power off", "reset": "warm reset"}[command])
		default:
			out = append(out, "`"+shorten(pageNames.Replace(strings.TrimSpace(command)))+"` → `"+
				shorten(strings.TrimSpace(answer))+"`")
		}
	}
	return strings.Join(out, "<br>")
}

// shorten cuts long data in the middle.
func shorten(s string) string {
	const most, head, tail = 72, 48, 12
	if len(s) <= most || strings.HasPrefix(s, "VERIFY") {
		return s
	}
	return s[:head] + "…" + s[len(s)-tail:]
}
