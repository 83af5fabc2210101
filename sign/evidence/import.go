package evidence

import (
	"context"
	"crypto/sha256"
	"io"
)

// ImportChain takes over a log of the form before there were stores: JSON lines chained by hashes. It checks the whole
// chain first, and adds nothing if anything is wrong with it, or if this log would refuse one of its records. The log
// must be empty, or have the beginning of the chain from an import that was interrupted: then it gets the rest. Errors
// are [*Error] with the position of the first bad record.
func (l *Log) ImportChain(ctx context.Context, r io.ReadSeeker) (Chain, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return Chain{}, err
	}
	checked := importing{log: l, size: size, signed: map[Hash]Hash{}}
	chain, err := readChain(r, checked.check)
	if err != nil {
		return Chain{}, err
	}
	if err := checked.begun(ctx); err != nil {
		return Chain{}, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Chain{}, broken("import", err)
	}
	const batch = 256
	var records []*Record
	flush := func() error {
		_, err := l.AppendRecords(ctx, records...)
		records = records[:0]
		return err
	}
	skip := size
	again, err := readChain(r, func(rec *Record) error {
		if skip > 0 {
			skip--
			return nil
		}
		if records = append(records, rec); len(records) < batch {
			return nil
		}
		return flush()
	})
	if err == nil && again != chain {
		err = &Error{Reason: ReasonChain, Step: "import", Detail: "the file changed meanwhile"}
	}
	if err == nil {
		err = flush()
	}
	return chain, err
}

// importing is the first reading of a chain.
type importing struct {
	log    *Log
	size   int64 // of the log
	read   int64 // records
	last   string
	signed map[Hash]Hash // the SHA-256 of the transaction, by that of the signature value
}

// check refuses what [Log.AppendRecords] would refuse, when some records had been added already.
func (i *importing) check(r *Record) error {
	if r.Held != nil && !i.log.holds() {
		return errNoKeys()
	}
	if i.read++; i.read == i.size {
		i.last = r.Hash
	}
	if r.SignatureSHA256 == "" {
		return nil
	}
	signature, err := fromHex(r.SignatureSHA256)
	if err != nil {
		return err
	}
	transaction := sha256.Sum256([]byte(r.TransactionID))
	if before, seen := i.signed[signature]; seen && before != transaction {
		return &Error{Reason: ReasonReused, Step: "signature"}
	}
	i.signed[signature] = transaction
	return nil
}

// begun reports whether what the log has is the beginning of the chain: its last record names all before it.
func (i *importing) begun(ctx context.Context) error {
	if i.size == 0 {
		return nil
	}
	entries, err := i.log.entries(ctx, i.size-1, 1)
	if err != nil {
		return err
	}
	has, err := i.log.read(ctx, entries[0], false)
	if err != nil {
		return at(err, int(i.size))
	}
	if r := has.kept.Record; r == nil || r.Hash != i.last { // a note is none of the chain
		return &Error{Reason: ReasonRequest, Step: "import", Detail: "the log is not empty"}
	}
	return nil
}
