package evidence_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// stampAuthority is a timestamp authority, and what verifies it at a time.
var stampAuthority = sync.OnceValue(func() *timestamping.Authority {
	a, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		panic(err)
	}
	return a
})

func stampVerifier(tb testing.TB, now func() time.Time) *timestamp.Verifier {
	tb.Helper()
	root, err := certpath.ParseCertificate(stampAuthority().Root().Raw)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func stampOf(tb testing.TB, r timestamp.Request) *timestamp.Timestamp {
	tb.Helper()
	query, err := r.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	token, err := timestamp.ParseResponse(stampAuthority().Answer(query, timestamping.Faults{}))
	if err != nil {
		tb.Fatal(err)
	}
	stamped, err := stampVerifier(tb, clock).Verify(tb.Context(), token, timestamp.Expect{Request: r})
	if err != nil {
		tb.Fatal(err)
	}
	return stamped
}

func memoryLog(tb testing.TB) *evidence.Log {
	tb.Helper()
	l, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), PlainHeld: true, Now: clock})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func archived(tb testing.TB, l *evidence.Log, hash string) []byte {
	tb.Helper()
	r, err := l.Archived(tb.Context(), hash)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// A timestamp is recorded under the hash of the record, its token is archived, and both prove the signature value after
// the held part is gone.
func TestTimestampOfSignature(t *testing.T) {
	t.Parallel()
	l := memoryLog(t)
	signature := verified().Opened.RevealSignature()
	stamped := stampOf(t, timestamp.Of(signature))
	kept, err := l.Append(t.Context(), verified(), evidence.WithCertificate(), evidence.Timestamp(stamped))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.DeleteHeld(t.Context(), kept.Index, "retention"); err != nil {
		t.Fatal(err)
	}
	r, err := l.Record(t.Context(), kept.Index)
	if err != nil || len(r.Timestamps) != 1 || r.Held != nil {
		t.Fatalf("%v, %+v", err, r)
	}
	token, err := timestamp.Parse(archived(t, l, r.Timestamps[0].SHA256))
	if err != nil {
		t.Fatal(err)
	}
	digest := unhex(t, r.SignatureSHA256)
	got, err := stampVerifier(t, clock).Verify(t.Context(), token,
		timestamp.Expect{Request: timestamp.Request{Digest: digest}})
	if err != nil || !got.Time.Truncate(time.Second).Equal(r.Timestamps[0].Time) {
		t.Errorf("the archived token: %v", err)
	}
	if _, err := l.Verify(t.Context(), evidence.Verification{}); err != nil {
		t.Error(err)
	}
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another time":  {`"time": "2026-11-21T03:00:00Z"`, `"time": "2026-11-20T03:00:00Z"`},
		"another token": {r.Timestamps[0].SHA256, strings.Repeat("0", 64)},
	} {
		altered := bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(altered, b) {
			t.Fatalf("%s: nothing to change in %s", name, b)
		}
		if _, err := evidence.Parse(altered); reasonOf(err) != evidence.ReasonHash {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimestampOfSomethingElse(t *testing.T) {
	t.Parallel()
	signature := verified().Opened.RevealSignature()
	long := timestamp.Request{Hash: crypto.SHA512, Digest: signeddata.Sum(crypto.SHA512, signature)}
	for name, stamped := range map[string]*timestamp.Timestamp{
		"of the document": stampOf(t, timestamp.Of([]byte(document))), "with SHA-512": stampOf(t, long), "none": nil,
		"empty": {},
	} {
		if _, err := evidence.FromReport(verified(), now, evidence.Timestamp(stamped)); reasonOf(
			err) != evidence.ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stamped checkpoint covers every entry before it; it is itself an entry.
func TestTimestampOfCheckpoint(t *testing.T) {
	t.Parallel()
	l := memoryLog(t)
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	stamped := stampOf(t, timestamp.Of(signed))
	kept, err := l.AppendTimestamp(t.Context(), evidence.SignedCheckpoint{Note: signed, PublicKey: key.Public()},
		stamped)
	if err != nil {
		t.Fatal(err)
	}
	var body evidence.LogTimestamp
	got, err := l.Get(t.Context(), kept.Index)
	if err != nil || got.Note == nil || got.Note.Kind != evidence.KindTimestamp {
		t.Fatalf("%v, %+v", err, got)
	}
	if err := json.Unmarshal(got.Note.Body, &body); err != nil || body.Size != 1 {
		t.Fatalf("%v, %+v", err, body)
	}
	if !bytes.Equal(archived(t, l, body.SHA256), signed) || !bytes.Equal(archived(t, l, body.Timestamp.SHA256),
		stamped.Raw()) {
		t.Error("checkpoint or token is not in the archive")
	}
	// Years later: the record's own timestamp has expired, and is judged at the time of this one.
	if _, err := stampVerifier(t, func() time.Time { return now.AddDate(9, 0, 0) }).Verify(t.Context(), stamped.Token,
		timestamp.Expect{Request: timestamp.Of(signed), At: now.AddDate(9, 0, 0)}); err != nil {
		t.Error(err)
	}
	other := memoryLog(t)
	if _, err := other.AppendTimestamp(t.Context(), evidence.SignedCheckpoint{Note: signed, PublicKey: key.Public()},
		stamped); reasonOf(err) != evidence.ReasonTruncated {
		t.Errorf("a checkpoint of another log: %v", err)
	}
	if _, err := l.AppendTimestamp(t.Context(), evidence.SignedCheckpoint{Note: signed, PublicKey: key.Public()},
		stampOf(t, timestamp.Of([]byte("?")))); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("a timestamp of something else: %v", err)
	}
	cut := signed[:len(signed)-9]
	if _, err := l.AppendTimestamp(t.Context(), evidence.SignedCheckpoint{Note: cut, PublicKey: key.Public()},
		stamped); reasonOf(err) != evidence.ReasonCheckpoint {
		t.Errorf("a checkpoint that is cut: %v", err)
	}
}

// The record of a CMS signature with signed attributes keeps them, without which the signature value proves nothing.
func TestRecordOfCMS(t *testing.T) {
	t.Parallel()
	j, err := issuer.New(issuer.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	key := j.Key("hanako signing")
	certificate, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(document))
	contentType, _ := asn1.Marshal(signeddata.OIDData)
	messageDigest, _ := asn1.Marshal(digest[:])
	attributes := signeddata.Set(signeddata.Attribute(signeddata.OIDContentType, contentType),
		signeddata.Attribute(signeddata.OIDMessageDigest, messageDigest))
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, signeddata.Sum(crypto.SHA256, attributes))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sign.ParseCMS(signeddata.Write(signeddata.Parts{
		ContentType: signeddata.OIDData, Certificate: certificate, Hash: crypto.SHA256, Algorithm: sigalg.SHA256WithRSA,
		Attributes: attributes, Value: value,
	}))
	if err != nil {
		t.Fatal(err)
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	expect := func() sign.Expect {
		return sign.Expect{Document: strings.NewReader(document), Mode: sign.ModeDigestInfo}
	}
	report, err := v.Verify(t.Context(), opened, expect())
	if err != nil {
		t.Fatal(err)
	}
	l := memoryLog(t)
	kept, err := l.Append(t.Context(), report, evidence.WithCertificate())
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Record(t.Context(), kept.Index)
	if err != nil {
		t.Fatal(err)
	}
	held := r.Held.Reveal()
	if !bytes.Equal(held.Attributes, attributes) || r.AttributesSHA256 == "" {
		t.Fatal("the signed attributes are not kept")
	}
	again, err := sign.NewOpened(held.Signature, held.Certificate).WithAttributes(held.Attributes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), again, expect()); err != nil {
		t.Errorf("verified again from the record: %v", err)
	}
	if !slices.ContainsFunc(r.Steps, func(s jpki.Step) bool { return s.Name == "cms.attributes" }) {
		t.Error("the record does not say that attributes were signed")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCopyTakesTimestampsAlong: the copy of a log has the checkpoint that was stamped, and its token.
func TestCopyTakesTimestampsAlong(t *testing.T) {
	t.Parallel()
	from, to := evidence.NewMemory(), evidence.NewMemory()
	over := func(s evidence.Store) *evidence.Log {
		l, err := evidence.OpenLog(evidence.LogConfig{Store: s, PlainHeld: true, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := over(from)
	signature := verified().Opened.RevealSignature()
	stamp := evidence.Timestamp(stampOf(t, timestamp.Of(signature)))
	if _, err := l.Append(t.Context(), verified(), stamp); err != nil {
		t.Fatal(err)
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	point := evidence.SignedCheckpoint{Note: signed, PublicKey: key.Public()}
	if _, err := l.AppendTimestamp(t.Context(), point, stampOf(t, timestamp.Of(signed))); err != nil {
		t.Fatal(err)
	}
	if n, err := evidence.Copy(t.Context(), to, from); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	for name, s := range map[string]evidence.Store{"the log": from, "its copy": to} {
		state, err := over(s).Verify(t.Context(), evidence.Verification{Archive: true})
		if err != nil || state.Timestamps != 2 || state.Archived != 3 {
			t.Errorf("%s: %+v, %v", name, state, err)
		}
	}
}
