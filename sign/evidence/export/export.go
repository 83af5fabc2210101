// Package export writes one record of an evidence log as a folder that others verify with their own tools: the files
// as OpenSSL reads them, and a README in Japanese and English with the exact commands. The commands need openssl and a
// POSIX shell, and nothing of this module.
//
//	result, err := export.Write(ctx, "evidence-1234", export.Config{
//		Log: log, Index: 1234, Checkpoint: signed, CheckpointKey: public,
//	})
//
// What the log keeps in its archive by hash goes into the folder: the authority's certificate, revocation lists,
// timestamp tokens and their anchors. What is missing is named in the README and in [Result].
//
// # Personal data
//
// A folder with the certificate is personal data; its files are readable by their owner alone. A record without the
// certificate, or whose held part was deleted, gives a folder of hashes.
//
// # Examples
//
// There is an example of [Write].
//
// # Compatibility
//
// A folder needs nothing of this module to be verified: the commands in its README stay true. File names may become
// more, and do not change.
package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/report"
)

// Config says what is exported.
type Config struct {
	// Log has the record, at Index counted from 0. Required.
	Log   *evidence.Log
	Index int64
	// Checkpoint is a signed checkpoint that covers the record, CheckpointKey the public key of its signature: with
	// them the folder proves that the record stood in the log. Without them it does not.
	Checkpoint    []byte
	CheckpointKey string
	// Document is what was signed; nil when only its hash is known. It must have the record's hash.
	Document io.Reader
	// Files are looked through by their hash for what the log's archive lacks.
	Files [][]byte
	// Reveal puts the person's four attributes into the report.
	Reveal bool
	// Now is the clock of the report; default time.Now.
	Now func() time.Time
}

// Result says what was written.
type Result struct {
	Record *evidence.Record
	// Files are the names in the folder.
	Files []string
	// Missing are what the record names and neither the log's archive nor Config.Files has.
	Missing []Missing
	// Sealed: signature and certificate are kept, and not in the folder, because the log has no keys to open them.
	Sealed bool
}

// Missing is a file that could not be had.
type Missing struct {
	// What is "authority", "list", "timestamp" or "timestamp-authority".
	What   string
	SHA256 string
}

// Write makes the folder, which must not exist. A folder with that name is there only when everything is in it. Errors
// are [*Error], or *evidence.Error when the record cannot be read.
func Write(ctx context.Context, folder string, c Config) (*Result, error) {
	if c.Log == nil || folder == "" || (c.Checkpoint == nil) != (c.CheckpointKey == "") {
		return nil, &Error{Reason: ReasonRequest, Step: "config"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	kept, err := c.Log.Get(ctx, c.Index)
	if err != nil {
		return nil, err
	}
	if kept.Record == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record", Detail: "it is a note"}
	}
	if _, err := os.Lstat(folder); err == nil || !errors.Is(err, os.ErrNotExist) {
		return nil, &Error{Reason: ReasonFolder, Step: "folder", Detail: "it exists", Err: err}
	}
	parent, name := filepath.Split(filepath.Clean(folder))
	if parent == "" {
		parent = "."
	}
	building, err := os.MkdirTemp(parent, "."+name+"-*") // readable by its owner alone
	if err != nil {
		return nil, &Error{Reason: ReasonFolder, Step: "folder", Err: err}
	}
	w := &writer{ctx: ctx, config: c, folder: building, record: kept.Record,
		result: &Result{Record: kept.Record, Sealed: kept.Sealed}}
	w.files = map[string][]byte{}
	for _, file := range c.Files {
		sum := sha256.Sum256(file)
		w.files[hex.EncodeToString(sum[:])] = file
	}
	if err = w.all(); err == nil {
		slices.Sort(w.result.Files)
		if err = publish(building, folder); err != nil {
			err = &Error{Reason: ReasonFolder, Step: "folder", Err: err}
		}
	}
	if err != nil {
		_ = os.RemoveAll(building)
		return nil, err
	}
	return w.result, nil
}

// publish gives the folder its name when its files and their names are on the disk: also after the machine died there
// is none that is half full.
func publish(building, folder string) error {
	if err := syncDir(building); err != nil {
		return err
	}
	if err := os.Rename(building, folder); err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Clean(folder)))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" { // names are durable with their files
		return nil
	}
	d, err := os.Open(path) //nolint:gosec // the caller's folder
	switch {
	case errors.Is(err, os.ErrPermission): // it may be written to and not read
		return nil
	case err != nil:
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writer is one export under way.
type writer struct {
	ctx    context.Context //nolint:containedctx // lives only inside one call of Write
	config Config
	folder string
	record *evidence.Record
	files  map[string][]byte
	result *Result
	guide  guide
}

func (w *writer) all() error {
	for _, part := range []func() error{
		w.writeRecord, w.writeDocument, w.writeSignature, w.writeRevocation, w.writeTimestamps, w.writeProof,
		w.writeReport,
		w.writeGuide,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) write(name string, data []byte) error { return w.copy(name, bytes.NewReader(data)) }

// fetch writes a file that the record names by its hash; ok is false when nobody has it.
func (w *writer) fetch(what, sha256Hex, name string) (ok bool, err error) {
	data, ok := w.files[sha256Hex]
	if !ok {
		r, err := w.config.Log.Archived(w.ctx, sha256Hex)
		if errors.Is(err, &evidence.Error{Reason: evidence.ReasonAbsent}) {
			w.result.Missing = append(w.result.Missing, Missing{what, sha256Hex})
			return false, nil
		}
		if err != nil {
			return false, err
		}
		defer func() { _ = r.Close() }()
		return true, w.copy(name, r)
	}
	return true, w.write(name, data)
}

// copy writes a stream, which may be a revocation list of any size.
func (w *writer) copy(name string, r io.Reader) error {
	//nolint:gosec // in the folder that this call made, by a name of this package
	f, err := os.OpenFile(filepath.Join(w.folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &Error{Reason: ReasonFolder, Step: "write", Err: err}
	}
	_, err = io.Copy(f, r)
	var own *evidence.Error
	switch closed := errors.Join(f.Sync(), f.Close()); {
	case errors.As(err, &own):
		return err
	case err != nil || closed != nil:
		return &Error{Reason: ReasonFolder, Step: "write", Err: errors.Join(err, closed)}
	}
	w.result.Files = append(w.result.Files, name)
	return nil
}

func (w *writer) writeRecord() error {
	data, err := w.record.Marshal()
	if err != nil {
		return err
	}
	covered, err := w.record.Covered()
	if err != nil {
		return err
	}
	if err := w.write("record.json", append(data, '\n')); err != nil {
		return err
	}
	if err := w.write("covered.json", covered); err != nil {
		return err
	}
	w.guide.record(w.record.Hash)
	return nil
}

func (w *writer) writeDocument() error {
	digest, err := hex.DecodeString(w.record.Document.Hash)
	if err != nil {
		return &Error{Reason: ReasonRequest, Step: "document"}
	}
	if err := w.write("digest.bin", digest); err != nil {
		return err
	}
	if w.config.Document == nil {
		w.guide.document(false, w.record.Document.Hash)
		return nil
	}
	sum := sha256.New()
	limited := io.LimitReader(w.config.Document, limits.Document+1)
	if err := w.copy("document", io.TeeReader(limited, sum)); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), digest) {
		return &Error{Reason: ReasonDocument, Step: "document"}
	}
	w.guide.document(true, w.record.Document.Hash)
	return nil
}

func (w *writer) writeSignature() error {
	if w.record.Certificate == nil {
		w.guide.operator(w.record.Operator.VerificationID)
		return nil
	}
	authority, err := w.fetch("authority", w.record.Certificate.AnchorSHA256, "authority.der")
	if err != nil {
		return err
	}
	if w.record.Held == nil {
		w.guide.withoutCertificate(w.result.Sealed)
		return nil
	}
	held := w.record.Held.Reveal()
	for name, data := range map[string][]byte{
		"signature.bin": held.Signature, "certificate.der": held.Certificate, "attributes.der": held.Attributes,
	} {
		if len(data) == 0 {
			continue
		}
		if err := w.write(name, data); err != nil {
			return err
		}
	}
	cms := w.record.Mode == sign.ModeDigestInfo
	if cms {
		out, err := w.cms(held)
		if err != nil {
			return err
		}
		if err := w.write("signature.p7s", out); err != nil {
			return err
		}
	}
	w.guide.signature(w.record, w.config.Document != nil, authority)
	return nil
}

// cms writes the signature as CMS. What sign.CMS writes is what was verified; this record says that it was.
func (w *writer) cms(held evidence.HeldParts) ([]byte, error) {
	opened := sign.NewOpened(held.Signature, held.Certificate)
	if len(held.Attributes) > 0 {
		var err error
		if opened, err = opened.WithAttributes(held.Attributes); err != nil {
			return nil, err
		}
	}
	return sign.CMS(&sign.Report{Mode: w.record.Mode, Opened: opened})
}

func (w *writer) writeRevocation() error {
	v := w.record.Revocation
	if v == nil {
		return nil
	}
	held := w.record.Held.Reveal()
	var lists []string
	if v.Method == revocation.MethodCRL {
		for i, hash := range v.Lists {
			name := "list-" + itoa(i+1)
			ok, err := w.fetch("list", hash, name+".der")
			if err != nil {
				return err
			}
			if ok {
				lists = append(lists, name)
			}
		}
	}
	ocsp := v.Method == revocation.MethodOCSP && len(held.Revocation) > 0
	if ocsp {
		if err := w.write("ocsp.der", held.Revocation); err != nil {
			return err
		}
	} else if len(held.Revocation) > 0 {
		if err := w.write("revocation.json", held.Revocation); err != nil {
			return err
		}
	}
	if len(held.Certificate) > 0 && !w.missing("authority") {
		w.guide.status(w.record, lists, ocspHash(ocsp, held.Revocation))
	}
	return nil
}

func (w *writer) missing(what string) bool {
	for _, m := range w.result.Missing {
		if m.What == what {
			return true
		}
	}
	return false
}

// ocspHash is the name of the hash in the CertID of a response, by its identifier; "" without one.
func ocspHash(present bool, response []byte) string {
	switch {
	case !present:
		return ""
	case bytes.Contains(response, []byte{0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a}):
		return "sha1"
	default:
		return "sha256"
	}
}

func (w *writer) writeTimestamps() error {
	for i, t := range w.record.Timestamps {
		name := "timestamp-" + itoa(i+1)
		token, err := w.fetch("timestamp", t.SHA256, name+".tst")
		if err != nil {
			return err
		}
		anchor, err := w.fetch("timestamp-authority", t.AnchorSHA256, name+"-authority.der")
		if err != nil {
			return err
		}
		if token && anchor {
			w.guide.timestamp(name, w.record, t)
		}
	}
	return nil
}

func (w *writer) writeReport() error {
	r := w.report()
	if w.config.Reveal && w.record.Held != nil {
		c, err := jpki.ParseCertificate(w.record.Held.Reveal().Certificate)
		if err != nil {
			return &Error{Reason: ReasonRequest, Step: "certificate", Err: err}
		}
		r.Revealed = report.PersonOf(c)
	}
	data, err := r.Marshal()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := r.Render(&page); err != nil {
		return err
	}
	if err := w.write("report.json", data); err != nil {
		return err
	}
	return w.write("report.html", page.Bytes())
}

// report puts the record into the words of a report.
func (w *writer) report() *report.Report {
	rec := w.record
	r := &report.Report{
		Version: report.Version, Valid: true, CreatedAt: w.config.Now().UTC().Truncate(time.Second),
		VerifiedAt: &rec.VerifiedAt, At: &rec.At, Mode: rec.Mode.String(), TransactionID: rec.TransactionID,
		Document: &report.Document{Algorithm: rec.Document.Algorithm, Hash: rec.Document.Hash,
			MediaType: rec.Document.MediaType},
		SignatureSHA256: rec.SignatureSHA256, AttributesSHA256: rec.AttributesSHA256,
	}
	if c := rec.Certificate; c != nil {
		r.Certificate = &report.Certificate{
			Environment: c.Environment, Kind: c.Kind, SHA256: c.SHA256, AnchorSHA256: c.AnchorSHA256,
		}
	}
	if v := rec.Revocation; v != nil {
		r.Revocation = &report.Revocation{
			Method: v.Method, Status: v.Status, ThisUpdate: v.ThisUpdate, NextUpdate: v.NextUpdate, Lists: v.Lists,
		}
	}
	if o := rec.Operator; o != nil {
		r.Operator = &report.Operator{VerificationID: o.VerificationID, Method: o.Method}
	}
	for _, p := range rec.Person {
		m := report.Match{Attribute: p.Attribute, Outcome: p.Outcome}
		for _, f := range p.Findings {
			m.Findings = append(m.Findings, report.FindingOf(f.Step))
		}
		r.Person = append(r.Person, m)
	}
	for _, t := range rec.Timestamps {
		r.Timestamps = append(r.Timestamps, report.Timestamp{Time: t.Time, Policy: t.Policy, SHA256: t.SHA256})
	}
	for _, s := range rec.Steps {
		r.Steps = append(r.Steps, report.StepOf(s))
	}
	return r
}

func (w *writer) writeProof() error {
	if w.config.Checkpoint == nil {
		return nil
	}
	c, err := evidence.ParseCheckpoint(w.config.Checkpoint, w.config.CheckpointKey)
	if err != nil {
		return err
	}
	proof, err := w.config.Log.Prove(w.ctx, w.config.Index, c)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(proof, "", "  ")
	if err != nil {
		return &Error{Reason: ReasonRequest, Step: "proof", Err: err}
	}
	body, signature, key, err := noteParts(w.config.Checkpoint, w.config.CheckpointKey)
	if err != nil {
		return err
	}
	steps, hashes, err := rootOf(proof)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"proof.json": append(data, '\n'), "checkpoint.txt": w.config.Checkpoint,
		"checkpoint-key.txt":  []byte(w.config.CheckpointKey + "\n"),
		"checkpoint-body.txt": body, "checkpoint-signature.bin": signature, "checkpoint-key.pem": key,
	}
	for name, hash := range hashes {
		files[name] = hash
	}
	for name, data := range files {
		if err := w.write(name, data); err != nil {
			return err
		}
	}
	w.guide.proof(steps)
	return nil
}
