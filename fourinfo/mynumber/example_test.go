package mynumber_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

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

func ExampleMayHold() {
	fmt.Println(mynumber.MayHold("犯収法 規則6条1項1号カ"), mynumber.MayHold("本人の番号 1234 5678 9019"))
	// Output: false true
}

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

func ExampleParseCorporate() {
	number, err := mynumber.ParseCorporate("７００００１２０５０００２")
	fmt.Println(number, err)
	// Output: 7000012050002 <nil>
}
