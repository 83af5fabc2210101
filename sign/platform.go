package sign

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
)

// PlatformVerifier is a platform operator (PF事業者) that opens and verifies sealed results on behalf of relying parties
// which are not signature verifiers themselves.
//
// Verify must check the signature against the transaction's digest and mode, and the certificate against the operator's
// trust and revocation data. It returns a verdict for every certificate it could judge, also a bad one; its error means
// that no verdict could be reached. It must not keep a reference to its arguments.
type PlatformVerifier interface {
	Verify(ctx context.Context, s *Sealed, tx *Transaction) (*Verdict, error)
}

// Verdict is a platform operator's answer. Only Status jpki.Good means that signature and certificate held.
type Verdict struct {
	// VerificationID is the operator's reference, to be kept as evidence.
	VerificationID string
	// Status is the certificate's; the zero value is jpki.Unknown.
	Status jpki.Status
	// VerifiedAt is the operator's time of verification.
	VerifiedAt time.Time
	// SourceUpdatedAt is how fresh the operator's revocation data was; zero when it does not say.
	SourceUpdatedAt time.Time
	// Method is "CRL" or "OCSP".
	Method string
	// Person holds the attributes that the operator passed on, if any.
	Person fourinfo.Person
}
