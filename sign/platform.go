package sign

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/jpki"
)

// PlatformVerifier is a platform operator (PF事業者) that opens and verifies sealed results on behalf of relying parties
// which are not signature verifiers themselves. Package sign/operator has one over HTTP.
//
// Verify must check the signature against the transaction's digest and mode, and the certificate against the operator's
// trust and revocation data. Its error is nil exactly when the verdict's Status is jpki.Good; for a certificate that
// was judged and is not good the verdict comes along with the error. It must not keep a reference to its arguments.
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
	// UserID is the operator's identifier of the person, which survives renewals of the card; zero when it was not
	// asked for.
	UserID UserID
}

// UserID is a platform operator's identifier of a person. It shows nothing when printed, logged or marshalled. Equal
// identifiers are ==, and it can be the key of a map.
type UserID struct {
	redacted
	id redact.Comparable[string]
}

// NewUserID takes an operator's identifier.
func NewUserID(id string) UserID { return UserID{id: redact.SealComparable(id)} }

// Reveal returns the identifier; empty when there is none.
func (u UserID) Reveal() string { return u.id.Reveal() }
