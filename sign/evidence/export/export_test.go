package export_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

const document = "利用規約に同意します。"

var hanako = issuer.Subject{
	Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
	PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
}

// kind is one sort of evidence.
type kind struct {
	mode       sign.Mode
	attributes bool
	ocsp       bool
}

// kinds are those that a folder may have.
var kinds = map[string]kind{
	"bare-hash, CRL":          {sign.ModeBareHash, false, false},
	"DigestInfo, CRL":         {sign.ModeDigestInfo, false, false},
	"DigestInfo, OCSP":        {sign.ModeDigestInfo, false, true},
	"CMS attributes, OCSP":    {sign.ModeDigestInfo, true, true},
	"bare-hash, OCSP":         {sign.ModeBareHash, false, true},
	"CMS attributes and CRL.": {sign.ModeDigestInfo, true, false},
}

// world is a log with three records, the second being the one that is exported, and a checkpoint over all of them.
type world struct {
	log        *evidence.Log
	checkpoint []byte
	key        string
	anchors    [][]byte
}

const index = 1

func newWorld(t *testing.T, k kind) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	j, err := issuer.New(issuer.Config{Now: clock})
	must(err)
	key := j.Key("hanako signing")
	certificate, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	must(err)
	leaf, err := x509.ParseCertificate(certificate)
	must(err)
	list, err := j.SigningCA().CRL(leaf)
	must(err)
	var source revocation.Source
	if k.ocsp {
		server := httptest.NewServer(j.Handler())
		t.Cleanup(server.Close)
		over, err := responder.New(responder.Config{URL: server.URL + "/sign/ocsp"})
		must(err)
		source, err = revocation.NewOCSP(revocation.OCSPConfig{Responder: over, Now: clock})
		must(err)
	} else {
		store := new(revocation.Store)
		must(store.Add(t.Context(), bytes.NewReader(list)))
		source = store
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(source), Now: clock,
	})
	must(err)
	l, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), PlainHeld: true, Now: clock})
	must(err)

	authority, err := timestamping.New(timestamping.Config{Now: clock})
	must(err)
	root, err := certpath.ParseCertificate(authority.Root().Raw)
	must(err)
	tv, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	must(err)

	for i, doc := range []string{"一つ目", document, "三つ目"} {
		opened, expect := signed(t, key, certificate, doc, k)
		report, err := v.Verify(t.Context(), opened, expect)
		must(err)
		request := timestamp.Of(opened.RevealSignature())
		query, err := request.Marshal()
		must(err)
		token, err := timestamp.ParseResponse(authority.Answer(query, timestamping.Faults{}))
		must(err)
		stamped, err := tv.Verify(t.Context(), token, timestamp.Expect{Request: request})
		must(err)
		kept, err := l.Append(t.Context(), report, evidence.WithCertificate(), evidence.Timestamp(stamped),
			evidence.Basis("犯収法"))
		must(err)
		if kept.Index != int64(i) {
			t.Fatalf("record %d is at %d", i, kept.Index)
		}
	}
	w := &world{log: l, anchors: [][]byte{j.SigningCA().Certificate().Raw, authority.Root().Raw}}
	for _, file := range append([][]byte{list}, w.anchors...) {
		_, err := l.Archive(t.Context(), bytes.NewReader(file))
		must(err)
	}
	checkpointKey, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	must(err)
	w.key = checkpointKey.Public()
	w.checkpoint, err = l.Checkpoint(t.Context(), checkpointKey)
	must(err)
	return w
}

func signed(t *testing.T, key *rsa.PrivateKey, certificate []byte, doc string, k kind) (*sign.Opened, sign.Expect) {
	t.Helper()
	// The name with the other space: a finding that the record and its report name.
	person := fourinfo.Person{Name: fourinfo.NewName(strings.Replace(hanako.Name, "　", " ", 1))}
	expect := sign.Expect{
		Document: strings.NewReader(doc), Mode: k.mode, Person: &person, Accept: sign.NormalisedPerson,
	}
	digest := sha256.Sum256([]byte(doc))
	tbs := digest[:]
	var attributes []byte
	if k.attributes {
		contentType, _ := asn1.Marshal(signeddata.OIDData)
		messageDigest, _ := asn1.Marshal(digest[:])
		attributes = signeddata.Set(signeddata.Attribute(signeddata.OIDContentType, contentType),
			signeddata.Attribute(signeddata.OIDMessageDigest, messageDigest))
		tbs = signeddata.Sum(crypto.SHA256, attributes)
	} else {
		expect.Transaction = &sign.Transaction{ID: "tx-" + hex.EncodeToString(digest[:4]), Mode: k.mode, Digest: digest,
			MediaType: "text/plain"}
	}
	hash := crypto.SHA256
	if k.mode == sign.ModeBareHash {
		hash = 0
	}
	value, err := rsa.SignPKCS1v15(nil, key, hash, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if !k.attributes {
		return sign.NewOpened(value, certificate), expect
	}
	opened, err := sign.ParseCMS(signeddata.Write(signeddata.Parts{
		ContentType: signeddata.OIDData, Certificate: certificate, Hash: crypto.SHA256, Algorithm: sigalg.SHA256WithRSA,
		Attributes: attributes, Value: value,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return opened, expect
}

func (w *world) config() export.Config {
	return export.Config{
		Log: w.log, Index: index, Checkpoint: w.checkpoint, CheckpointKey: w.key, Document: strings.NewReader(document),
		Now: clock,
	}
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["DigestInfo, CRL"])
	folder := filepath.Join(t.TempDir(), "evidence")
	result, err := export.Write(t.Context(), folder, w.config())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"README.md", "authority.der", "certificate.der", "checkpoint-body.txt", "checkpoint-key.pem",
		"checkpoint-key.txt",
		"checkpoint-signature.bin", "checkpoint.txt", "covered.json", "digest.bin", "document", "list-1.der",
		"path-1.bin", "path-2.bin",
		"proof.json", "record.json", "report.html", "report.json", "revocation.json", "signature.bin", "signature.p7s",
		"timestamp-1-authority.der", "timestamp-1.tst",
	}
	if !slices.Equal(result.Files, want) || len(result.Missing) != 0 {
		t.Errorf("files %q, missing %v", result.Files, result.Missing)
	}
	for _, name := range result.Files {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v", err)
	}
	for _, name := range []string{"README.md", "report.html", "report.json"} {
		if text := read(t, folder, name); strings.Contains(text, "花子") || strings.Contains(text, "清瀬") {
			t.Errorf("%s names the person", name)
		}
	}
	// Years later: record, proof and checkpoint alone.
	c, err := evidence.ParseCheckpoint([]byte(read(t, folder, "checkpoint.txt")), w.key)
	if err != nil {
		t.Fatal(err)
	}
	proof := evidence.Proof{}
	if err := unmarshal(read(t, folder, "proof.json"), &proof); err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Check([]byte(read(t, folder, "record.json")), c); err != nil {
		t.Error(err)
	}
	// With the person in the report, because somebody asked for it.
	revealing := w.config()
	revealing.Reveal = true
	again := filepath.Join(t.TempDir(), "revealed")
	if _, err := export.Write(t.Context(), again, revealing); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, again, "report.html"), hanako.Name) {
		t.Error("the person is not revealed")
	}
}

// What the archive lacks is named, or taken from the given files; what was deleted is said.
func TestMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds["bare-hash, CRL"])
	bare, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), PlainHeld: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.log.Get(t.Context(), index)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bare.AppendRecords(t.Context(), kept.Record); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "evidence")
	result, err := export.Write(t.Context(), folder, export.Config{Log: bare, Files: w.anchors[:1], Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, m := range result.Missing {
		what = append(what, m.What)
		if !strings.Contains(read(t, folder, "README.md"), m.SHA256) {
			t.Errorf("%s is not named in the README", m.What)
		}
	}
	if !slices.Equal(what, []string{"list", "timestamp", "timestamp-authority"}) {
		t.Errorf("missing %v", what)
	}
	if slices.Contains(result.Files, "signature.p7s") {
		t.Error("a bare hash as CMS")
	}
	if err := w.log.DeleteHeld(t.Context(), index, "retention"); err != nil {
		t.Fatal(err)
	}
	deleted := filepath.Join(t.TempDir(), "deleted")
	result, err = export.Write(t.Context(), deleted, w.config())
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(result.Files, "certificate.der") || !strings.Contains(read(t, deleted, "README.md"),
		"were deleted") {
		t.Errorf("files %v", result.Files)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t, kinds["DigestInfo, CRL"]), newWorld(t, kinds["bare-hash, CRL"])
	if _, err := w.log.AppendNotes(t.Context(), "operation", map[string]string{"what": "test"}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		change func(*export.Config)
		want   error
	}{
		"no log": {func(c *export.Config) { c.Log = nil }, &export.Error{Reason: export.ReasonRequest}},
		"no key": {func(c *export.Config) { c.CheckpointKey = "" },
			&export.Error{Reason: export.ReasonRequest}},
		"no record": {func(c *export.Config) { c.Index = 9 }, &evidence.Error{Reason: evidence.ReasonRequest}},
		"a note": {func(c *export.Config) { c.Index = 3 },
			&export.Error{Reason: export.ReasonRequest, Step: "record"}},
		"another document": {func(c *export.Config) { c.Document = strings.NewReader("?") },
			&export.Error{Reason: export.ReasonDocument}},
		"another key": {func(c *export.Config) { c.CheckpointKey = "x+00000000+AAAA" },
			&evidence.Error{Reason: evidence.ReasonCheckpoint}},
		"another log's checkpoint": {
			func(c *export.Config) { c.Checkpoint, c.CheckpointKey = other.checkpoint, other.key },
			&evidence.Error{Reason: evidence.ReasonCheckpoint},
		},
	} {
		config := w.config()
		c.change(&config)
		if _, err := export.Write(t.Context(), filepath.Join(dir, "evidence"), config); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("something is left behind: %v, %v", left, err)
	}
	_, err := export.Write(t.Context(), dir, w.config())
	if !errors.Is(err, &export.Error{Reason: export.ReasonFolder}) || strings.Contains(err.Error(), dir) {
		t.Errorf("a folder that exists: %v", err)
	}
}

func unmarshal(s string, v any) error { return json.Unmarshal([]byte(s), v) }
