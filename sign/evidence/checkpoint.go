package evidence

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// CheckpointKey signs checkpoints (Ed25519). It shows nothing when printed, logged or marshalled.
type CheckpointKey struct {
	redacted
	text redact.Value[string]
	pub  string
}

// NewCheckpointKey makes a key; random is crypto/rand.Reader. The origin names the log, such as
// "bank.example/evidence": visible characters without "+". Errors are [*Error].
func NewCheckpointKey(origin string, random io.Reader) (CheckpointKey, error) {
	if !validOrigin(origin) {
		return CheckpointKey{}, &Error{Reason: ReasonRequest, Step: "origin"}
	}
	text, pub, err := note.GenerateKey(random, origin)
	if err != nil {
		return CheckpointKey{}, &Error{Reason: ReasonRequest, Step: "checkpoint key", Err: err}
	}
	return CheckpointKey{text: redact.Seal(text), pub: pub}, nil
}

// ParseCheckpointKey reads what [CheckpointKey.RevealText] returned. Errors are [*Error].
func ParseCheckpointKey(text, public string) (CheckpointKey, error) {
	signer, err := note.NewSigner(text)
	verifier, errPublic := note.NewVerifier(public)
	if err != nil || errPublic != nil || signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() {
		return CheckpointKey{}, &Error{Reason: ReasonRequest, Step: "checkpoint key", Err: errors.Join(err, errPublic)}
	}
	return CheckpointKey{text: redact.Seal(text), pub: public}, nil
}

// RevealText returns the private key as text, to be kept apart from the log: whoever has both can rewrite the past.
func (k CheckpointKey) RevealText() string { return k.text.Reveal() }

// Public returns the public key as text, for [ParseCheckpoint].
func (k CheckpointKey) Public() string { return k.pub }

func validOrigin(s string) bool { return visibleASCII(s, false) && !strings.ContainsAny(s, "+") }

// Checkpoint says that a log had a number of records, and the root of the Merkle tree over them.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// text is the form of a checkpoint that transparency logs have in common: origin, size and root in lines.
func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// Checkpoint signs the present size and root, as a note with an Ed25519 signature (the format of
// golang.org/x/mod/sumdb/note and of C2SP's tlog-checkpoint). Keep it where the log's keeper cannot write: it proves
// every later change and every record that is cut off. Errors are [*Error].
func (l *Log) Checkpoint(ctx context.Context, k CheckpointKey) ([]byte, error) {
	signer, err := note.NewSigner(k.text.Reveal())
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "checkpoint key"}
	}
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	root, err := l.root(ctx, size)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: Checkpoint{signer.Name(), size, root}.text()}, signer)
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "checkpoint", Err: err}
	}
	return signed, nil
}

// ParseCheckpoint reads a signed checkpoint and checks its signature with the public key. Errors are [*Error] with
// [ReasonCheckpoint].
func ParseCheckpoint(signed []byte, public string) (Checkpoint, error) {
	refuse := func(err error) (Checkpoint, error) {
		return Checkpoint{}, &Error{Reason: ReasonCheckpoint, Step: "checkpoint", Err: err}
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return refuse(err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return refuse(err)
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return refuse(nil)
	}
	c := Checkpoint{Origin: lines[0]}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, errRoot := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || errRoot != nil || size < 0 || len(root) != len(c.Root) {
		return refuse(errors.Join(err, errRoot))
	}
	c.Size = size
	copy(c.Root[:], root)
	if !strings.HasPrefix(n.Text, c.text()) { // one spelling; further lines are extensions
		return refuse(nil)
	}
	return c, nil
}

// Proof shows that a record stands in a log: whoever has a checkpoint and the record's JSON needs nothing else.
type Proof struct {
	// Index is the record's, Size the checkpoint's.
	Index int64 `json:"index"`
	Size  int64 `json:"size"`
	// Path are the hashes from the leaf to the root, in base64 (RFC 6962, 2.1.1).
	Path []string `json:"path"`
}

// Prove shows that the record at an index stands in the log as it was at a checkpoint. A checkpoint of another log, or
// one that this log no longer agrees with, is refused. Errors are [*Error].
func (l *Log) Prove(ctx context.Context, index int64, c Checkpoint) (Proof, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return Proof{}, err
	}
	if index < 0 || index >= c.Size || c.Size > size {
		return Proof{}, &Error{Reason: ReasonRequest, Step: "proof", Detail: "the checkpoint does not cover the record"}
	}
	hashes, err := tlog.ProveRecord(c.Size, index, l.reader(ctx))
	if err != nil {
		return Proof{}, broken("hashes", err)
	}
	p := Proof{Index: index, Size: c.Size}
	for _, h := range hashes {
		p.Path = append(p.Path, base64.StdEncoding.EncodeToString(h[:]))
	}
	leaf, err := l.reader(ctx).ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return Proof{}, broken("hashes", err)
	}
	// A proof that nobody could verify is none: the checkpoint may be another log's.
	if err := p.check(leaf[0], c); err != nil {
		return Proof{}, err
	}
	return p, nil
}

// Check checks that the record, as [Record.Marshal] wrote it, stands in the log of the checkpoint at the proof's index.
// It returns the record. Errors are [*Error].
func (p Proof) Check(record []byte, c Checkpoint) (*Record, error) {
	r, canonical, err := parse(record)
	if err != nil {
		return nil, err
	}
	if err := p.check(tlog.RecordHash(canonical), c); err != nil {
		return nil, err
	}
	return r, nil
}

func (p Proof) check(leaf tlog.Hash, c Checkpoint) error {
	path := make(tlog.RecordProof, 0, len(p.Path))
	for _, text := range p.Path {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return &Error{Reason: ReasonFormat, Step: "proof", Err: err}
		}
		path = append(path, h)
	}
	if p.Size != c.Size || p.Index < 0 || p.Index >= p.Size {
		return &Error{Reason: ReasonCheckpoint, Step: "proof", Detail: "of another size"}
	}
	if err := tlog.CheckRecord(path, c.Size, c.Root, p.Index, leaf); err != nil {
		return &Error{Reason: ReasonCheckpoint, Step: "proof", Err: err}
	}
	return nil
}
