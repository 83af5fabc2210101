package report_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/kakunin-go/kakunin/sign/report"
)

// The page of a report is served under its own policy; the schema is for whoever reads the JSON.
func ExamplePolicy() {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", report.Policy())
	fmt.Println(len(report.Policy()) > 0, len(report.Schema()) > 0)
	// Output: true true
}
