package cardsim

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Image returns the card as versioned JSON (UTF-8): the person, the kind, the certificates, and every reference with its
// present value and counter. The keys follow from the seed of the JPKI, which is named. What the card has selected and
// verified is not part of it. The image holds PINs: keep it like the card. The error is an *[Error].
func (c *Card) Image() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.imageWith(c.state)
}

// Save writes the [Card.Image] to a file, which only its owner may read. The file is complete or unchanged, also after a
// loss of power: it is written beside its place and synced before it takes it. The error is an *[Error].
func (c *Card) Save(path string) error {
	data, err := c.Image()
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// Load makes the card of an image file again, with the PINs and counters that it had. Of the configuration, Person and
// Kind are ignored, and ATR if it is empty, because the image has them; JPKI may be nil, which makes one from the seed in
// the image, and must have that seed otherwise. With SaveTo, the same path or another one, the card goes on being kept
// there. The error is an *[Error]: [StorageFailed], or [InvalidImage] for a file that is too large, damaged or changed.
func Load(path string, c Config) (*Card, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return FromImage(data, c)
}

// FromImage is [Load] for an image that the caller has read.
func FromImage(data []byte, c Config) (*Card, error) {
	out, err := cardFrom(data, c)
	if err != nil {
		return nil, err
	}
	if c.SaveTo != "" {
		if err := out.keepIn(c.SaveTo, true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keepIn writes the image to a file now and whenever the state changes.
func (c *Card) keepIn(path string, replace bool) error {
	if _, err := os.Lstat(path); !replace && !errors.Is(err, fs.ErrNotExist) {
		return &Error{Reason: InvalidConfig, Field: "SaveTo: the file exists", Err: err}
	}
	keep := func(s state) error {
		data, err := c.imageWith(s)
		if err != nil {
			return err
		}
		return writeFile(path, data)
	}
	if err := keep(c.state); err != nil {
		return err
	}
	c.persist = keep
	return nil
}

func readFile(path string) ([]byte, error) {
	failed := func(err error) ([]byte, error) { return nil, &Error{Reason: StorageFailed, Field: "read", Err: err} }
	f, err := os.Open(path) //nolint:gosec // the caller's choice
	if err != nil {
		return failed(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limits.CardImage+1))
	if err != nil {
		return failed(err)
	}
	return data, nil
}

// writeFile replaces a file as a whole: the new contents are on the disk before they get the name, and the name is before
// this function returns.
func writeFile(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = &Error{Reason: StorageFailed, Field: "write", Err: err}
		}
	}()
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".card-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(dir)
}
