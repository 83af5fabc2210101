package evidence

import (
	"context"
	"io"
)

// ImportChain takes over a log of the form before there were stores: JSON lines chained by hashes. It checks the whole
// chain first, and adds nothing if anything is wrong with it; the log must be empty. Errors are [*Error] with the
// position of the first bad record.
func (l *Log) ImportChain(ctx context.Context, r io.ReadSeeker) (Chain, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return Chain{}, err
	}
	if size != 0 {
		return Chain{}, &Error{Reason: ReasonRequest, Step: "import", Detail: "the log is not empty"}
	}
	chain, err := readChain(r, func(*Record) error { return nil })
	if err != nil {
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
	again, err := readChain(r, func(rec *Record) error {
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
