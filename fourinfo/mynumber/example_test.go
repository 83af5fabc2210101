package mynumber_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

// A log handler that lets no individual number through, wherever it stands.
func ExampleGuardLogs() {
	plain := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	logger := slog.New(mynumber.GuardLogs(plain))
	logger.Info("form received", slog.String("note", "my number is 1234-5678-9018"), slog.Int("fields", 3))
	// Output:
	// level=INFO msg="form received" note=[redacted] fields=3
}

// A text field is looked through before it is stored.
func ExampleMayHold() {
	fmt.Println(mynumber.MayHold("犯収法 規則6条1項1号カ"), mynumber.MayHold("本人の番号 1234 5678 9019"))
	// Output: false true
}

// An individual number needs a lawful purpose, and comes out for that purpose only.
func ExampleNew() {
	_, err := mynumber.New("123456789018", 0)
	fmt.Println(err)
	number, err := mynumber.New("123456789018", mynumber.PurposeReporting) // 源泉徴収票
	fmt.Println(number, err)
	_, err = number.Reveal(mynumber.PurposeAdministration)
	fmt.Println(err)
	// Output:
	// mynumber: no lawful purpose named: individual number
	// [redacted] <nil>
	// mynumber: obtained for another purpose: individual number
}

// Corporate numbers (法人番号) are public; the check digit is checked.
func ExampleParseCorporate() {
	number, err := mynumber.ParseCorporate("７００００１２０５０００２")
	fmt.Println(number, err)
	// Output: 7000012050002 <nil>
}
