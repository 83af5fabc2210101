package wire_test

import (
	"fmt"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// The documents that come with the contract say another name: it is changed in one place, for the client and for the
// simulated service.
func ExampleDefault() {
	profile := wire.Default()
	profile.ClaimUserCertificate = "user_cert"
	fmt.Println(profile.ClaimName, profile.ClaimUserCertificate, wire.Default().ClaimUserCertificate)
	// Output: name user_cert user_certificate
}
