package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// part is one thing that was verified, or why it was not.
type part struct {
	Name string `json:"name"`
	// Result is "holds", "failed" or "not there".
	Result string `json:"result"`
	// Why says what is wrong, or what is missing, in words of the library.
	Why string `json:"why,omitempty"`
}

// exported is a folder that is verified.
type exported struct {
	o      *options
	folder string
	record *evidence.Record
	parts  []part
}

// absent says that something needed is not in the folder.
type absent string

func (a absent) Error() string { return string(a) }

func verifyFolder(ctx context.Context, o *options, folder, file string) error {
	data, err := readFile(file)
	if err != nil {
		return err
	}
	e := &exported{o: o, folder: folder}
	e.record, err = evidence.Parse(bytes.TrimSuffix(data, []byte("\n")))
	e.note("record", err)
	if err == nil {
		e.note("signature", e.signature(ctx))
		for i, t := range e.record.Timestamps {
			e.note(fmt.Sprintf("timestamp-%d", i+1), e.timestamp(ctx, i+1, t))
		}
		e.note("log", e.proof(data))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var first error
	for _, p := range e.parts {
		if p.Result == "failed" && first == nil {
			first = failed{errors.New(p.Name)}
		}
	}
	if o.json {
		return errors.Join(o.print(struct {
			Holds bool   `json:"holds"`
			Parts []part `json:"parts"`
		}{first == nil, e.parts}), first)
	}
	for _, p := range e.parts {
		name := folderWords[strings.TrimRight(p.Name, "-0123456789")]
		switch p.Result {
		case "holds":
			o.say("○ "+name[0], "✓ "+name[1])
		case "failed":
			o.say("× "+name[0]+": "+p.Why, "✗ "+name[1]+": "+p.Why)
		default:
			o.say("－ "+name[0]+": 確認していません（"+p.Why+"）", "– "+name[1]+": not verified ("+p.Why+")")
		}
	}
	return first
}

var folderWords = map[string][2]string{
	"record":    {"記録はハッシュ値と一致します", "record: its hash fits"},
	"signature": {"文書・署名・証明書・失効情報", "document, signature, certificate and revocation, verified again"},
	"timestamp": {"タイムスタンプ", "timestamp"},
	"log":       {"ログへの記録（チェックポイント）", "place in the log (checkpoint)"},
}

func (e *exported) note(name string, err error) {
	p := part{Name: name, Result: "holds"}
	var missing absent
	switch {
	case errors.As(err, &missing):
		p.Result, p.Why = "not there", string(missing)
	case err != nil:
		p.Result, p.Why = "failed", strings.ReplaceAll(err.Error(), "%", "%%") // constant texts of the library
	}
	e.parts = append(e.parts, p)
}

// read reads a file of the folder.
func (e *exported) read(name string) ([]byte, error) {
	if e.folder == "" {
		return nil, absent("a single record has no " + name)
	}
	data, err := readFile(filepath.Join(e.folder, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, absent(name + " is missing")
	}
	return data, err
}

// signature verifies as on the day of the record: by the lists or the answer of that day.
func (e *exported) signature(ctx context.Context) error {
	if e.record.Held == nil {
		return absent("there is no certificate beside the record")
	}
	held := e.record.Held.Reveal()
	authority, err := e.read("authority.der")
	if err != nil {
		return err
	}
	hierarchy, trust := jpki.Production, jpki.ProductionTrust(fstest.MapFS{"authority.cer": {Data: authority}})
	if e.record.Certificate.Environment == "test" {
		if !e.o.test {
			return absent("a test certificate, which proves nothing; -test accepts it")
		}
		anchor, err := x509.ParseCertificate(authority)
		if err != nil {
			return err
		}
		hierarchy, trust = jpki.Simulated, jpki.InsecureTestTrust(anchor)
	}
	policy, err := e.revocation(ctx, held)
	if err != nil {
		return err
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{Hierarchy: hierarchy, Trust: trust, Revocation: policy,
		Now: e.o.now})
	if err != nil {
		return err
	}
	opened := sign.NewOpened(held.Signature, held.Certificate)
	if held.Attributes != nil {
		if opened, err = opened.WithAttributes(held.Attributes); err != nil {
			return err
		}
	}
	expect := sign.Expect{Mode: e.record.Mode, At: e.record.At, Archived: true}
	document, err := e.document()
	if err != nil {
		return err
	}
	if document != nil {
		defer func() { _ = document.Close() }()
		expect.Document = document
	} else {
		if held.Attributes != nil {
			return absent("the document of a CMS signature with attributes is needed: -document")
		}
		digest, err := hex.DecodeString(e.record.Document.Hash)
		if err != nil {
			return err
		}
		expect.Undisclosed, expect.Transaction = true, &sign.Transaction{Mode: e.record.Mode, Digest: [32]byte(digest)}
	}
	report, err := v.Verify(ctx, opened, expect)
	if err == nil && hex.EncodeToString(report.Digest[:]) != e.record.Document.Hash {
		err = errors.New("the document is not the record's")
	}
	return err
}

func (e *exported) document() (io.ReadCloser, error) {
	document, err := e.o.readDocument()
	if document != nil || err != nil || e.folder == "" {
		return document, err
	}
	f, err := openFile(filepath.Join(e.folder, "document"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	return f, err
}

func (e *exported) revocation(ctx context.Context, held evidence.HeldParts) (revocation.Policy, error) {
	none := revocation.InsecureNoRevocation()
	switch e.record.Revocation.Method {
	case revocation.MethodNone:
		return none, nil
	case revocation.MethodOCSP:
		return revocation.Require(revocation.RecordedOCSP{Response: held.Revocation}), nil
	case revocation.MethodCRL:
		var lists []*crl.Unverified
		for i := range e.record.Revocation.Lists {
			data, err := e.read(fmt.Sprintf("list-%d.der", i+1))
			if err != nil {
				return none, err
			}
			one, err := crl.Read(ctx, bytes.NewReader(data), crl.Options{})
			if err != nil {
				return none, err
			}
			lists = append(lists, one)
		}
		source, err := revocation.NewLists(lists...)
		if err != nil {
			return none, err
		}
		return revocation.Require(source), nil
	default:
		return none, absent("the status came from a source of the application")
	}
}

func (e *exported) timestamp(ctx context.Context, number int, ref evidence.TimestampRef) error {
	raw, err := e.read(fmt.Sprintf("timestamp-%d.tst", number))
	if err != nil {
		return err
	}
	v, err := e.o.tokenVerifier()
	if err != nil {
		return err
	}
	if v == nil {
		return absent("-timestamp-anchor names no authority that is believed")
	}
	stamped := e.record.SignatureSHA256
	if stamped == "" {
		stamped = e.record.SealedSHA256
	}
	return verifyToken(ctx, v, raw, ref, stamped)
}

func (e *exported) proof(record []byte) error {
	if e.o.key == "" {
		return absent("-key names no key of checkpoints that is believed")
	}
	signed, err := e.read("checkpoint.txt")
	if err != nil {
		return err
	}
	c, err := evidence.ParseCheckpoint(signed, e.o.key)
	if err != nil {
		return err
	}
	data, err := e.read("proof.json")
	if err != nil {
		return err
	}
	var proof evidence.Proof
	if err := json.Unmarshal(data, &proof); err != nil {
		return errors.New("proof.json is malformed")
	}
	_, err = proof.Check(bytes.TrimSuffix(record, []byte("\n")), c)
	return err
}
