package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/sqlstore"
)

// filed is what the bank keeps of an application until it is decided. The service keeps neither: whoever takes the
// application over needs the text that was signed, and who the customer said to be.
type filed struct {
	Business string          `json:"business"`
	Number   string          `json:"number"`
	Text     string          `json:"text"`
	Stated   []law.Item      `json:"stated"`
	OnFile   fourinfo.Stored `json:"on_file"`
	// Attributes are the service's, which come in the login and in no result; nil for a certified verifier.
	Attributes *fourinfo.Stored `json:"attributes,omitempty"`
}

// application is what the customer signed.
func (f filed) application() application {
	return application{number: f.Number, text: f.Text, stated: f.Stated}
}

// customer is who the customer said to be, and who the service says it was.
func (f filed) customer() (customer, error) {
	onFile, err := f.OnFile.Person()
	if err != nil || f.Attributes == nil {
		return customer{onFile: onFile}, err
	}
	attributes, err := f.Attributes.Person()
	return customer{onFile, attributes}, err
}

// desk has the applications that are not decided yet: the transactions with the service's results, which it may give
// once, and beside each what was filed. In a database both outlive the program, and another start goes on with them; in
// memory they end with it.
type desk struct {
	keeper *signapi.Keeper
	keys   *evidence.LocalKeys
	db     *sql.DB // nil: in memory
}

// openDesk opens the database beside the directory of the log, which its caller has for itself; without a directory it
// keeps nothing. around is what the tests put around the store; nil is nothing.
func openDesk(
	ctx context.Context,
	dir string,
	client *authn.Client,
	s surroundings,
) (*desk, error) {
	d, store, err := openStore(ctx, dir)
	if err != nil {
		return nil, err
	}
	if s.around != nil {
		store = s.around(store)
	}
	signer, err := signapi.New(signapi.Config{Client: client, Now: s.now})
	if err == nil {
		d.keeper, err = signapi.NewKeeper(signapi.KeeperConfig{Client: signer, Store: store, Keys: d.keys})
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

var errDesk = errors.New("the applications on their way cannot be read or written") // the cause names files

func openStore(ctx context.Context, dir string) (*desk, signapi.Store, error) {
	if dir == "" {
		key := make([]byte, keySize)
		_, _ = rand.Read(key) // never fails
		keys, err := evidence.NewLocalKeys(key)
		return &desk{keys: keys}, signapi.NewMemory(), err
	}
	keys, err := openKeys(dir)
	if err != nil {
		return nil, nil, err
	}
	db, err := databases.Connect(filepath.Clean(dir) + ".unfinished.db")
	if err != nil {
		return nil, nil, errDesk
	}
	store, err := sqlstore.OpenSQLite(ctx, sqlstore.Config{DB: db})
	if err == nil {
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS applications`+
			` (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL, sealed BLOB NOT NULL)`)
	}
	if err != nil {
		_ = db.Close()
		return nil, nil, errDesk
	}
	return &desk{keys: keys, db: db}, store, nil
}

func (d *desk) close() {
	if d != nil && d.db != nil {
		_ = d.db.Close() // every write was durable
	}
}

const keySize = 32

// label binds what was filed to its transaction: in the place of another one it does not open.
func label(id string) string { return "bank application " + id }

// put files an application, or files it anew. It is encrypted, because it says who the customer is: with a key of its
// own, which the bank's key wraps.
func (d *desk) put(ctx context.Context, id string, f filed) error {
	if d.db == nil {
		return nil
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return err
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	wrapped, err := d.keys.WrapKey(ctx, key, label(id))
	if err != nil {
		return err
	}
	aead, err := aeadOf(key)
	if err != nil {
		return err
	}
	sealed := aead.Seal(nil, nil, plain, []byte(label(id))) //nolint:gosec // NewGCMWithRandomNonce makes the nonce
	_, err = d.db.ExecContext(ctx, `INSERT INTO applications (id, wrapped, sealed) VALUES ($1, $2, $3)`+
		` ON CONFLICT (id) DO UPDATE SET wrapped = excluded.wrapped, sealed = excluded.sealed`,
		id, wrapped, sealed)
	if err != nil {
		return errDesk
	}
	return nil
}

// get reads what was filed under a transaction.
func (d *desk) get(ctx context.Context, id string) (f filed, err error) {
	if d.db == nil {
		return f, errDesk
	}
	var wrapped, sealed []byte
	row := d.db.QueryRowContext(ctx, `SELECT wrapped, sealed FROM applications WHERE id = $1`, id)
	if row.Scan(&wrapped, &sealed) != nil {
		return f, errDesk
	}
	key, err := d.keys.UnwrapKey(ctx, wrapped, label(id))
	if err != nil {
		return f, err
	}
	aead, err := aeadOf(key)
	if err != nil {
		return f, err
	}
	plain, err := aead.Open(nil, nil, sealed, []byte(label(id)))
	if err != nil || json.Unmarshal(plain, &f) != nil {
		return filed{}, errDesk
	}
	return f, nil
}

func aeadOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// done says that an application is decided, and recorded if it has to be. That it fails is no loss: the next start
// finds the record, or decides again.
func (d *desk) done(ctx context.Context, id string) {
	if d.keeper.Close(ctx, id) == nil {
		d.forget(ctx, id)
	}
}

func (d *desk) forget(ctx context.Context, id string) {
	if d.db != nil {
		_, _ = d.db.ExecContext(ctx, `DELETE FROM applications WHERE id = $1`, id) // forgetAllBut does it later
	}
}

// forgetAllBut deletes what was filed under all other transactions: they are over.
func (d *desk) forgetAllBut(ctx context.Context, open map[string]bool) error {
	if d.db == nil {
		return nil
	}
	rows, err := d.db.QueryContext(ctx, `SELECT id FROM applications`)
	if err != nil {
		return errDesk
	}
	var over []string
	for rows.Next() {
		var id string
		if err = rows.Scan(&id); err == nil && !open[id] {
			over = append(over, id)
		}
	}
	if errors.Join(err, rows.Err(), rows.Close()) != nil {
		return errDesk
	}
	for _, id := range over {
		d.forget(ctx, id)
	}
	return nil
}

// patience is how long a result waits that cannot be verified, such as one that nobody here can open: the customer has
// applied anew long ago.
const patience = 30 * 24 * time.Hour
