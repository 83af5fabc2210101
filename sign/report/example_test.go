package report_test

import (
	"fmt"
	"strings"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/report"
)

// The report of a verification that failed: the reason in both languages, and what to do.
func ExampleOf() {
	failure := &sign.Error{
		Reason: sign.ReasonCertificate, Step: "certificate.status",
		Err: &jpki.Error{Reason: jpki.ReasonExpired, Step: "chain.not-after"},
	}
	r, err := report.Of(sign.Outcome{Err: failure}, report.Options{Now: clock})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Valid, r.Failure.Step, r.Failure.Family)
	fmt.Println(r.Failure.Text.JA)
	fmt.Println(r.Failure.Text.EN)

	var page strings.Builder
	if err := r.Render(&page); err != nil {
		panic(err)
	}
	fmt.Println(strings.Contains(page.String(), "検証に失敗しました"))
	// Output:
	// false chain.not-after account
	// 証明書の有効期間が過ぎています
	// the certificate had expired
	// true
}
