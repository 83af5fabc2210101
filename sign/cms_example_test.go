package sign_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign"
)

// A detached CMS signature, here one without signed attributes, is read, verified, and written for other programs.
func ExampleParseCMS() {
	w := shared()
	// document.p7s, as `openssl cms -sign -binary -outform DER` makes it
	received := signeddata.Write(w.parts(fatal{}, nil))
	opened, err := sign.ParseCMS(received)
	if err != nil {
		panic(err)
	}
	report, err := w.verifier(fatal{}).Verify(context.Background(), opened, sign.Expect{
		Document: strings.NewReader(document), Mode: sign.ModeDigestInfo,
	})
	if err != nil {
		panic(err)
	}
	written, err := sign.CMS(report)
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Mode, string(written) == string(received))
	// Output: digest-info true
}
