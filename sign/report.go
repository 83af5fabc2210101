package sign

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
)

// Report exists only when every step held. It holds the signer's certificate, hence personal data, and prints, logs
// and marshals only what is not: mode, time and steps. Package sign/evidence turns it into a record to keep.
type Report struct {
	Mode Mode
	// Digest is the SHA-256 of the document, computed by the verifier.
	Digest [sha256.Size]byte
	// MediaType and TransactionID are the transaction's; empty when none was expected.
	MediaType     string
	TransactionID string
	// Opened holds the verified signature value and the certificate in DER; it shows nothing when printed.
	Opened *Opened
	// Certificate is the verified signing certificate with the four attributes.
	Certificate *jpki.Certificate
	// Chain is package jpki's result, with the revocation evidence.
	Chain *jpki.Result
	// At is the time for which chain and revocation were judged, VerifiedAt when this was done; the verifier's clock.
	At         time.Time
	VerifiedAt time.Time
	// PersonCompared is true when the certificate was compared with an expected person.
	PersonCompared bool
	// PersonMatches are the outcomes by attribute, with reasons and positions and no values; empty without comparison.
	PersonMatches []fourinfo.FieldMatch
	// Steps are all checks in the order they were made.
	Steps []jpki.Step
}

func (r *verification) report(e Expect, now time.Time) *Report {
	rep := &Report{
		Mode:           r.mode,
		Digest:         r.digest,
		Opened:         r.opened,
		Certificate:    r.leaf,
		Chain:          r.chain,
		At:             r.at,
		VerifiedAt:     now,
		PersonCompared: e.Person != nil,
		PersonMatches:  r.person,
		Steps:          r.steps,
	}
	if e.Transaction != nil {
		rep.MediaType, rep.TransactionID = e.Transaction.MediaType, e.Transaction.ID
	}
	return rep
}

// String names the mode and the number of steps.
func (r Report) String() string {
	return fmt.Sprintf("sign.Report(%s, %d steps held)", r.Mode, len(r.Steps))
}

// GoString is String.
func (r Report) GoString() string { return r.String() }

// Format prints String for every verb, so that %+v and %#v do not reach the certificate.
func (r Report) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

// LogValue is mode, time and number of steps.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("mode", r.Mode.String()),
		slog.Time("verified_at", r.VerifiedAt),
		slog.Int("steps", len(r.Steps)),
	)
}

// MarshalJSON encodes mode, time and steps, not the signature and not the certificate.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Mode       string      `json:"mode"`
		VerifiedAt time.Time   `json:"verified_at"`
		Steps      []jpki.Step `json:"steps"`
	}{r.Mode.String(), r.VerifiedAt, r.Steps})
}
