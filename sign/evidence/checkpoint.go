package evidence

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"slices"
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

// reader reads the store's hashes for package tlog.
func (l *Log) reader(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		stored, err := l.store.Hashes(ctx, positions)
		if err != nil || len(stored) != len(positions) {
			return nil, errors.Join(errHashes, err)
		}
		hashes := make([]tlog.Hash, len(stored))
		for i, h := range stored {
			hashes[i] = h
		}
		return hashes, nil
	})
}

func (l *Log) root(ctx context.Context, size int64) (Hash, error) {
	if size == 0 {
		return emptyRoot, nil
	}
	root, err := tlog.TreeHash(size, l.reader(ctx))
	if err != nil {
		return Hash{}, broken("hashes", err)
	}
	return root, nil
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

// Prove shows that the record at an index stands in the log as it was at a checkpoint. Errors are [*Error].
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
	return p, nil
}

// Check checks that the record, as [Record.Marshal] wrote it, stands in the log of the checkpoint at the proof's index.
// It returns the record. Errors are [*Error].
func (p Proof) Check(record []byte, c Checkpoint) (*Record, error) {
	rec, err := Parse(record)
	if err != nil {
		return nil, err
	}
	line, err := rec.Detach().marshalLine()
	if err != nil {
		return nil, err
	}
	leaf, err := leafOf(line)
	if err != nil {
		return nil, err
	}
	path := make(tlog.RecordProof, 0, len(p.Path))
	for _, text := range p.Path {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return nil, &Error{Reason: ReasonFormat, Step: "proof", Err: err}
		}
		path = append(path, h)
	}
	if p.Size != c.Size || p.Index < 0 || p.Index >= p.Size {
		return nil, &Error{Reason: ReasonCheckpoint, Step: "proof", Detail: "of another size"}
	}
	if err := tlog.CheckRecord(path, c.Size, c.Root, p.Index, leaf); err != nil {
		return nil, &Error{Reason: ReasonCheckpoint, Step: "proof", Err: err}
	}
	return rec, nil
}

// State is what [Log.Verify] found.
type State struct {
	// Records is the number of records, Held how many of them have their held part still.
	Records, Held int64
	// Root is the root of the tree over the records, computed from the records alone.
	Root Hash
}

// Verification says what [Log.Verify] compares with.
type Verification struct {
	// Checkpoints are earlier states of the log, kept elsewhere. Without one, nobody can tell that the newest records
	// were cut off, or that all of them were made anew.
	Checkpoints []Checkpoint
	// Progress is called now and then with the number of records read and of all; may be nil.
	Progress func(done, all int64)
}

// Verify reads the whole log: every record in all its parts, the tree over them computed anew and compared with the
// stored one and with every checkpoint. Errors are [*Error] with the position of the first record that is wrong:
// [ReasonFormat] and [ReasonHash] for a record that was changed, [ReasonCheckpoint] for records that are other than at
// a checkpoint, [ReasonTruncated] for a log that is shorter than it was.
func (l *Log) Verify(ctx context.Context, v Verification) (State, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return State{}, err
	}
	known := slices.Clone(v.Checkpoints)
	slices.SortFunc(known, func(a, b Checkpoint) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	if n := len(known); n > 0 && known[n-1].Size > size {
		return State{}, &Error{Reason: ReasonTruncated, Step: "checkpoint"}
	}
	var tree compactTree
	var s State
	compare := func() error {
		for len(known) > 0 && known[0].Size == s.Records {
			if known[0].Root != tree.root() {
				return &Error{Reason: ReasonCheckpoint, Step: "checkpoint", Record: int(s.Records)}
			}
			known = known[1:]
		}
		return nil
	}
	for ; s.Records < size; s.Records++ {
		if err := compare(); err != nil {
			return s, err
		}
		if err := ctx.Err(); err != nil {
			return s, broken("verify", err)
		}
		held, err := l.verifyAt(ctx, s.Records, &tree)
		if err != nil {
			return s, at(err, int(s.Records)+1)
		}
		if held {
			s.Held++
		}
		if v.Progress != nil && (s.Records+1)%1024 == 0 {
			v.Progress(s.Records+1, size)
		}
	}
	if err := compare(); err != nil {
		return s, err
	}
	s.Root = tree.root()
	stored, err := l.root(ctx, size)
	if err != nil {
		return s, err
	}
	if stored != s.Root {
		return s, &Error{Reason: ReasonHash, Step: "tree"}
	}
	if v.Progress != nil {
		v.Progress(size, size)
	}
	return s, nil
}

// verifyAt reads one record, adds its leaf to the tree and compares it with the stored leaf.
func (l *Log) verifyAt(ctx context.Context, index int64, tree *compactTree) (held bool, err error) {
	e, err := l.store.Entry(ctx, index)
	if err != nil {
		return false, broken("record", err)
	}
	rec, err := parseEntry(e)
	if err != nil {
		return false, err
	}
	if e.Signature != rec.SignatureSHA256 {
		return false, &Error{Reason: ReasonHash, Step: "signature"}
	}
	leaf, err := leafOf(e.Record)
	if err != nil {
		return false, err
	}
	stored, err := l.store.Hashes(ctx, []int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return false, broken("hashes", err)
	}
	if len(stored) != 1 || stored[0] != leaf {
		return false, &Error{Reason: ReasonHash, Step: "leaf"}
	}
	added := tree.add(leaf)
	if e.Hashes != nil && !slices.EqualFunc(e.Hashes, added, func(a Hash, b tlog.Hash) bool { return a == Hash(b) }) {
		return false, &Error{Reason: ReasonHash, Step: "leaf"}
	}
	return e.Held != nil, nil
}

// emptyRoot is the root of a tree without leaves: SHA-256 of nothing (RFC 6962, 2.1).
var emptyRoot = Hash{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}

// compactTree is a Merkle tree of which only the roots of its complete parts are kept, the largest first.
type compactTree struct {
	size  int64
	parts []tlog.Hash
}

// add adds a leaf and returns the hashes that are complete with it, the leaf first.
func (t *compactTree) add(leaf tlog.Hash) (complete []tlog.Hash) {
	complete = append(complete, leaf)
	for n := t.size; n&1 == 1; n >>= 1 {
		leaf = tlog.NodeHash(t.parts[len(t.parts)-1], leaf)
		t.parts = t.parts[:len(t.parts)-1]
		complete = append(complete, leaf)
	}
	t.parts = append(t.parts, leaf)
	t.size++
	return complete
}

func (t *compactTree) root() Hash {
	if t.size == 0 {
		return emptyRoot
	}
	root := t.parts[len(t.parts)-1]
	for _, part := range slices.Backward(t.parts[:len(t.parts)-1]) {
		root = tlog.NodeHash(part, root)
	}
	return root
}
