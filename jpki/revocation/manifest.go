package revocation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// manifest is what the directory of a [Store] remembers of one series beside the index files: its newest list. It is
// written, and on the disk, before that list counts; so an index file that is damaged, cut short, missing or put back
// to an older one is missed when the directory is opened again, and an older list never comes back into force by that.
type manifest struct {
	// Key is the hash of the key that signs the lists, in lower-case hex.
	Key string `json:"key_sha256"`
	// Issuer, AuthorityKeyID, Scope and Base are as in the newest list.
	Issuer         []byte `json:"issuer"`
	AuthorityKeyID []byte `json:"authority_key_id"`
	Scope          []byte `json:"scope,omitempty"`
	Base           []byte `json:"base,omitempty"`
	Delta          bool   `json:"delta,omitempty"`
	// Number is its cRLNumber, in hex.
	Number     string    `json:"number"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	// List is the SHA-256 of its DER, in lower-case hex.
	List string `json:"list_sha256"`
}

const (
	manifestEnding = ".crlseries"
	// formatFile says that the directory has manifests: in one that was written by an earlier version the index files
	// make them.
	formatFile  = "store.format"
	formatText  = "index files with a manifest for each series\n"
	maxManifest = 1 << 20
)

// name is the name of the manifest's file without its ending.
func (s series) name() string {
	h := sha256.New()
	for _, part := range [...]string{s.key, s.scope} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	if s.delta {
		h.Write([]byte{1})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func manifestOf(l *storedList) manifest {
	h, sum := l.header, l.SHA256()
	return manifest{
		Key: hex.EncodeToString(
			[]byte(l.series.key),
		),
		Issuer:         h.Issuer,
		AuthorityKeyID: h.AuthorityKeyID,
		Scope:          []byte(l.series.scope),
		Base:           h.BaseNumber,
		Delta:          h.IsDelta(),
		Number:         hex.EncodeToString(h.Number),
		ThisUpdate:     h.ThisUpdate.UTC(),
		NextUpdate:     h.NextUpdate.UTC(),
		List:           hex.EncodeToString(sum[:]),
	}
}

// write puts the manifest on the disk: a reader sees the old one or the new one, whatever happens.
func (m *manifest) write(directory, name string) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	return writeDurably(
		filepath.Join(directory, name+manifestEnding),
		[]byte(hex.EncodeToString(sum[:])+"\n"+string(text)+"\n"),
	)
}

func writeDurably(name string, data []byte) (err error) {
	directory := filepath.Dir(name)
	f, err := os.CreateTemp(directory, filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if d, err := os.Open(directory); err == nil { //nolint:gosec // the operator's own
		_ = d.Sync()  // not every file system can; the file itself is on the disk
		_ = d.Close() // it was only read
	}
	return nil
}

var errManifest = errors.New("revocation: the manifest is damaged")

// readManifest returns nil without an error when there is none.
func readManifest(directory, name string) (*manifest, error) {
	f, err := os.Open(filepath.Join(directory, name+manifestEnding)) //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is no error
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, err
	}
	sum, rest, _ := bytes.Cut(data, []byte("\n"))
	text := bytes.TrimSuffix(rest, []byte("\n"))
	var m manifest
	if got := sha256.Sum256(text); hex.EncodeToString(got[:]) != string(sum) || json.Unmarshal(text, &m) != nil {
		return nil, errManifest
	}
	if l, err := m.missing(); err != nil || l.series.name() != name {
		return nil, errManifest
	}
	return &m, nil
}

// missing is the newest list in the place of which nothing else may answer.
func (m *manifest) missing() (*storedList, error) {
	key, errKey := hex.DecodeString(m.Key)
	number, errNumber := hex.DecodeString(m.Number)
	if err := errors.Join(errKey, errNumber); err != nil {
		return nil, err
	}
	h := &crl.Header{
		Version:        2,
		Issuer:         m.Issuer,
		AuthorityKeyID: m.AuthorityKeyID,
		Number:         number,
		ThisUpdate:     m.ThisUpdate,
		NextUpdate:     m.NextUpdate,
	}
	if m.Delta {
		h.BaseNumber = append([]byte{}, m.Base...)
	}
	if len(m.Scope) > 0 {
		scope, err := crl.ParseScope(m.Scope)
		if err != nil {
			return nil, err
		}
		h.Scope = scope
	}
	l := &storedList{list: newList(h, string(key))}
	l.missing, l.points = true, pointsOf(h)
	return l, nil
}

// newer reports whether the manifest knows a list that is newer than the one at hand, or another one of the same
// number.
func (m *manifest) newer(l *storedList) bool {
	number, err := hex.DecodeString(m.Number)
	sum := l.SHA256()
	n := crl.CompareNumbers(number, l.header.Number)
	return err != nil || n > 0 || n == 0 && m.List != hex.EncodeToString(sum[:])
}
