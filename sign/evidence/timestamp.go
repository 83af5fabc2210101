package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// TimestampRef says that a timestamp authority (時刻認証業務) stamped the signature value, or what was sealed for an
// operator: the imprint of its token is SignatureSHA256, or SealedSHA256. The token itself is in the archive of the log
// ([Log.Archived]); it is not personal data, and stays when the held part is deleted.
type TimestampRef struct {
	// SHA256 is the hash of the token in DER.
	SHA256 string `json:"sha256"`
	// Time is the authority's, Policy the OID of its policy.
	Time   time.Time `json:"time"`
	Policy string    `json:"policy"`
	// CertificateSHA256 is the fingerprint of the authority's certificate, which is in the token, AnchorSHA256 that of
	// the anchor. Archive each anchor once, under its hash.
	CertificateSHA256 string `json:"certificate_sha256"`
	AnchorSHA256      string `json:"anchor_sha256"`
}

// Timestamp records a timestamp of the signature value (tsa.Client.Stamp of Opened.RevealSignature), or of the compact
// JWE where an operator verifies, with SHA-256. [Log.Append] archives its token; whoever appends records made by
// [FromReport] calls [Log.Archive] with it.
func Timestamp(t *timestamp.Timestamp) Option {
	return func(o *options) { o.timestamps = append(o.timestamps, t) }
}

func timestampRef(t *timestamp.Timestamp) TimestampRef {
	return TimestampRef{
		SHA256: fingerprint(t.Raw()), Time: seconds(t.Time), Policy: t.Policy.String(),
		CertificateSHA256: hex.EncodeToString(t.Certificate[:]), AnchorSHA256: hex.EncodeToString(t.Anchor[:]),
	}
}

// stamp adds the timestamps of the options, each of which must be of this signature.
func (r *Record) stamp(list []*timestamp.Timestamp) error {
	want := r.SignatureSHA256
	if want == "" {
		want = r.SealedSHA256
	}
	for _, t := range list {
		if t == nil || t.Token == nil || t.Hash != crypto.SHA256 || hex.EncodeToString(t.Digest) != want {
			return &Error{Reason: ReasonRequest, Step: "timestamp",
				Detail: "not of this signature, or not with SHA-256"}
		}
		r.Timestamps = append(r.Timestamps, timestampRef(t))
	}
	return nil
}

// checkTimestamps accepts what stamp writes.
func (r *Record) checkTimestamps() bool {
	if len(r.Timestamps) > limits.EvidenceTimestamps {
		return false
	}
	for _, t := range r.Timestamps {
		if !hexHash(t.SHA256) || !hexHash(t.CertificateSHA256) || !hexHash(t.AnchorSHA256) || !wholeSeconds(&t.Time) ||
			!dotted(t.Policy) {
			return false
		}
	}
	return true
}

// dotted accepts an OBJECT IDENTIFIER in digits and dots.
func dotted(s string) bool {
	return s != "" && len(s) <= limits.EvidenceText && strings.Trim(s, "0123456789.") == ""
}

// KindTimestamp is the kind of the note that says that a checkpoint was stamped; its body is a [LogTimestamp].
const KindTimestamp = "timestamp"

// LogTimestamp says that a checkpoint, and with it every entry before, was stamped.
type LogTimestamp struct {
	// Size is the checkpoint's, SHA256 the hash of the signed note, which is in the archive.
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Timestamp is about the note.
	Timestamp TimestampRef `json:"timestamp"`
}

// SignedCheckpoint is a checkpoint as [Log.Checkpoint] signed it, with the key that verifies it.
type SignedCheckpoint struct {
	Note      []byte
	PublicKey string
}

// AppendTimestamp records that a checkpoint of this log was stamped (tsa.Client.Stamp of the signed note), and archives
// checkpoint and token. One such timestamp covers all entries before it, and the tokens that they name, however old: it
// is how timestamps are renewed before their authority's certificate or an algorithm ends (as RFC 4998 does with its
// archive timestamps). Errors are [*Error].
func (l *Log) AppendTimestamp(ctx context.Context, s SignedCheckpoint, t *timestamp.Timestamp) (Kept, error) {
	signed := s.Note
	c, err := ParseCheckpoint(signed, s.PublicKey)
	if err != nil {
		return Kept{}, err
	}
	if err := l.Consistent(ctx, c); err != nil {
		return Kept{}, err
	}
	sum := sha256.Sum256(signed)
	if t == nil || t.Token == nil || t.Hash != crypto.SHA256 || !bytes.Equal(t.Digest, sum[:]) {
		return Kept{}, &Error{Reason: ReasonRequest, Step: "timestamp",
			Detail: "not of this checkpoint, or not with SHA-256"}
	}
	for _, file := range [][]byte{signed, t.Raw()} {
		if _, err := l.Archive(ctx, bytes.NewReader(file)); err != nil {
			return Kept{}, err
		}
	}
	kept, err := l.AppendNotes(ctx, KindTimestamp, LogTimestamp{c.Size, hex.EncodeToString(sum[:]), timestampRef(t)})
	if err != nil {
		return Kept{}, err
	}
	return kept[0], nil
}
